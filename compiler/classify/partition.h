/* SPDX-License-Identifier: MIT */
/*
 * partition.h: a line of 128 bits cut by the ranges of numbered objects into intervals, and the classes
 * of these: a class is the set of objects that hold an address. Only sets that occur are classes, so every
 * class is that of some address. Classes are numbered in the order in which they first appear.
 */
#ifndef GPC_CLASSIFY_PARTITION_H
#define GPC_CLASSIFY_PARTITION_H

#include <stddef.h>
#include <stdint.h>

#include "../base/arena.h"

struct gpc_point {
	uint64_t high, low;
};

/* Where an object begins or ends. */
struct gpc_cut {
	struct gpc_point at;
	uint32_t object;
	uint32_t end;			/* 1: the first point behind it */
};

struct gpc_interval {
	struct gpc_point first;
	uint32_t class;
};

struct gpc_partition {
	struct gpc_interval *intervals;	/* the whole line, ascending; neighbours differ in class */
	size_t interval_count;
	uint32_t class_count;
	uint32_t *member_first;		/* by class: start in members; one more at the end */
	uint32_t *members;		/* objects of a class, ascending */
	uint32_t object_count;
	uint32_t *class_first;		/* by object: start in classes; one more at the end */
	uint32_t *classes;		/* classes of an object, ascending */
};

/* A list of cuts with room for `ranges` ranges. */
struct gpc_cuts {
	struct gpc_cut *items;
	size_t n;
};
void gpc_cuts_init(struct gpc_arena *arena, struct gpc_cuts *cuts, size_t ranges);
void gpc_cuts_add(struct gpc_cuts *cuts, struct gpc_point first, struct gpc_point last, uint32_t object);

/* Ranges of one object must not overlap. The cuts are sorted in place; `scratch` may be freed after. */
void gpc_partition_build(struct gpc_arena *arena, struct gpc_arena *scratch, struct gpc_cuts *cuts,
			 uint32_t object_count, struct gpc_partition *ret);

#endif
