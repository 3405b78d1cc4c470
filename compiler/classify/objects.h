/* SPDX-License-Identifier: MIT */
/*
 * objects.h: the distinct sets and services that the boxes of all lists use. Empty sets and services
 * without items match nothing; their boxes are left out.
 */
#ifndef GPC_CLASSIFY_OBJECTS_H
#define GPC_CLASSIFY_OBJECTS_H

#include "boxes.h"
#include "pairs.h"

struct gpc_objects {
	uint32_t *of_set[GPC_SIDES];	/* by set of the space: 1 + object of the side, 0: not used or empty */
	const struct gpc_set **sets[GPC_SIDES];	/* by object */
	uint32_t count[GPC_SIDES];
	uint32_t *of_service;		/* by service of the space: 1 + distinct service, 0: without items */
	const struct gpc_service **services;
	uint32_t service_count;
};

void gpc_objects_collect(struct gpc_arena *arena, const struct gpc_space *space,
			 const struct gpc_box_list *lists, size_t list_count, struct gpc_objects *ret);

/* The address classes of a side. */
void gpc_objects_partition(struct gpc_arena *arena, const struct gpc_objects *objects, int side,
			   struct gpc_partition *ret);

#endif
