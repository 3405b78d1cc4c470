/* SPDX-License-Identifier: MIT */
#include "catalog.h"

#include "gpc/image.h"

void gpc_catalog_start(struct gpc_arena *arena, struct gpc_catalog *catalog, size_t most)
{
	gpc_names_start(arena, &catalog->names, most);
}

void gpc_catalog_add(struct gpc_catalog *catalog, const char *name)
{
	gpc_names_add(&catalog->names, name);
}

void gpc_catalog_sort(struct gpc_arena *arena, struct gpc_catalog *catalog)
{
	uint32_t count = catalog->names.count;

	gpc_names_sort(arena, &catalog->names);
	catalog->order = gpc_names_order(arena, &catalog->names);
	catalog->index = GPC_NEW_ARRAY(arena, uint32_t, count);
	for (uint32_t i = 0; i < count; i++)
		catalog->index[catalog->order[i]] = i;
}

uint32_t gpc_catalog_find(const struct gpc_catalog *catalog, const char *name)
{
	size_t number = gpc_names_find(&catalog->names, name);

	return number == SIZE_MAX ? GPC_NONE : catalog->index[number];
}
