/* SPDX-License-Identifier: MIT */
/*
 * ranges.h: stretches of an array given out by identity, as slots.h gives out single numbers: a held
 * identity keeps its stretch, a new one gets the first hole that is large enough. Order of calls: init,
 * hold..., take...
 */
#ifndef GPC_LOADER_LINK_RANGES_H
#define GPC_LOADER_LINK_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gpc_range {
	uint32_t first, count;
};

struct gpc_range_entry {
	uint64_t key[2];
	struct gpc_range range;
	uint32_t order; /* of the holds */
};

struct gpc_ranges {
	struct gpc_range_entry *held; /* by key and order once taking began */
	size_t held_count, held_room;
	struct gpc_range *holes; /* ascending; NULL: no take yet */
	size_t hole_count;
	size_t cursor[33]; /* by log2: no hole before has room for so many */
	uint32_t capacity;
};

/* Numbers 0..capacity-1. */
void gpc_ranges_init(struct gpc_ranges *ranges, uint32_t capacity);
void gpc_ranges_release(struct gpc_ranges *ranges);

/* A held image uses `range` for `key`. The first to say so counts; what is out of range is ignored. -ENOMEM. */
int gpc_ranges_hold(struct gpc_ranges *ranges, const uint64_t key[2], struct gpc_range range);

/*
 * The stretch of `key`, `count` (not 0) long; *ret_fresh: it was given out by this call. A key is
 * taken once. -ENOSPC, -ENOMEM.
 */
int gpc_ranges_take(struct gpc_ranges *ranges, const uint64_t key[2], uint32_t count,
		    struct gpc_range *ret, bool *ret_fresh);

#endif
