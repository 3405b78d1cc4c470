/* SPDX-License-Identifier: MIT */
/*
 * catalog.h: objects of one kind in name order, and found by name (inside model/ only).
 *
 *   gpc_catalog_start() with their number; gpc_catalog_add() for each in the intent's order;
 *   gpc_catalog_sort(); then `order` and gpc_catalog_find().
 */
#ifndef GPC_MODEL_CATALOG_H
#define GPC_MODEL_CATALOG_H

#include "../intent/names.h"

struct gpc_catalog {
	struct gpc_names names;
	const uint32_t *order;	/* index in the model -> place in the intent */
	uint32_t *index;	/* and back */
};

void gpc_catalog_start(struct gpc_arena *arena, struct gpc_catalog *catalog, size_t most);
/* `name` must live as long as the catalog. */
void gpc_catalog_add(struct gpc_catalog *catalog, const char *name);
void gpc_catalog_sort(struct gpc_arena *arena, struct gpc_catalog *catalog);

/* Index in the model, GPC_NONE if there is none. */
uint32_t gpc_catalog_find(const struct gpc_catalog *catalog, const char *name);

#endif
