/* SPDX-License-Identifier: MIT */
/* document.h: what a YAML document says it is. */
#ifndef GPC_INTENT_DOCUMENT_H
#define GPC_INTENT_DOCUMENT_H

#include "../syntax/node.h"
#include "language.h"

struct gpc_document {
	const struct gpc_node *root; /* a mapping */
	const char *path;	     /* of its file */
	size_t number;		     /* in its file */
};

struct gpc_document_list {
	GPC_VEC(struct gpc_document) documents;
};

/* GPC_KIND_NONE, with a diagnostic, without the right apiVersion or a kind. */
enum gpc_kind gpc_document_kind(struct gpc_diags *diags, const struct gpc_node *root);

/* Complains about a document of that kind where it does not belong. */
void gpc_document_misplaced(struct gpc_diags *diags, const struct gpc_node *root,
			    enum gpc_kind kind);

/* Complains about sections that a Tests document may not have. */
void gpc_document_check_tests(struct gpc_diags *diags, const struct gpc_node *root);

/* The value of a key of a mapping, NULL if it is not there. */
const struct gpc_pair *gpc_node_find(const struct gpc_node *map, const char *key);

/* By path, then position: so that the order of inputs changes nothing. */
void gpc_document_sort(struct gpc_document_list *list);

#endif
