/* SPDX-License-Identifier: MIT */
/*
 * merge.h: documents -> one tree. Lists of objects are joined, `metadata values defaults` are
 * joined key by key; what is given twice is a diagnostic with both places, and the first one stays.
 */
#ifndef GPC_INTENT_MERGE_H
#define GPC_INTENT_MERGE_H

#include "document.h"

/* At least one document, sorted. The result is a mapping; no input is changed. */
struct gpc_node *gpc_merge(struct gpc_diags *diags, const struct gpc_document_list *list);

/* A mapping of these pairs, which are not copied. */
struct gpc_node *gpc_node_map(struct gpc_arena *arena, struct gpc_place place,
			      struct gpc_pair *pairs, size_t count);

/* The `name` of an item of a list of objects, NULL if it has none that could be one. */
const struct gpc_node *gpc_node_name(const struct gpc_node *item);

#endif
