/* SPDX-License-Identifier: MIT */
/*
 * refinement.h: a partition of numbered elements, refined by one set after another: what a set holds of a
 * class becomes a class of its own. Exact, and linear in what the sets hold.
 *
 * All elements begin in class 0. An element may be split off at most once per set.
 */
#ifndef GPC_CLASSIFY_REFINEMENT_H
#define GPC_CLASSIFY_REFINEMENT_H

#include <stdint.h>

#include "../base/arena.h"

struct gpc_refinement {
	uint32_t *class;	/* by element */
	uint32_t next;		/* classes are below it; some may be empty */
	uint32_t *members;	/* by class: how many elements */
	uint32_t *part;		/* by class: what its elements in the present set become */
	uint32_t *part_of;	/* by class: 1 + the set for which `part` holds */
	uint32_t *free;		/* classes that no element has any more */
	uint32_t free_count;
};

static inline void gpc_refinement_init(struct gpc_arena *arena, struct gpc_refinement *r,
				       uint32_t elements)
{
	size_t room = (size_t)elements + 2;

	*r = (struct gpc_refinement){
		.class = GPC_NEW_ARRAY(arena, uint32_t, room),
		.next = 1,
		.members = GPC_NEW_ARRAY(arena, uint32_t, room),
		.part = GPC_NEW_ARRAY(arena, uint32_t, room),
		.part_of = GPC_NEW_ARRAY(arena, uint32_t, room),
		.free = GPC_NEW_ARRAY(arena, uint32_t, room),
	};
	r->members[0] = elements + 1;	/* never empty: it stands for what no set has touched */
}

/* The element is in the set. */
static inline void gpc_refinement_split(struct gpc_refinement *r, uint32_t set, uint32_t element)
{
	uint32_t old = r->class[element], part;

	if (r->part_of[old] != set + 1) {
		part = r->free_count ? r->free[--r->free_count] : r->next++;
		r->part_of[old] = set + 1;
		r->part[old] = part;
		r->part_of[part] = 0;
		r->members[part] = 0;
	}
	part = r->part[old];
	r->class[element] = part;
	r->members[part]++;
	if (!--r->members[old])
		r->free[r->free_count++] = old;
}

#endif
