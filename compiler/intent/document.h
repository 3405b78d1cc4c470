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

/* Right apiVersion and of the wanted kind; else false with a diagnostic. */
bool gpc_document_check(struct gpc_diags *diags, const struct gpc_node *root, enum gpc_kind wanted);

/* The value of a key of a mapping, NULL if it is not there. */
const struct gpc_pair *gpc_node_find(const struct gpc_node *map, const char *key);

/* By path, then position: so that the order of inputs changes nothing. */
void gpc_document_sort(struct gpc_document_list *list);

#endif
