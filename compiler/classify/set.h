/* SPDX-License-Identifier: MIT */
/*
 * set.h: sets of addresses as sorted, disjoint, non-adjacent inclusive ranges on one line of 128 bits;
 * IPv4 lies at ::ffff:0:0/96, and no range crosses the border of that block, so that each range is of
 * one family. All of IPv6 is everything outside of it. Everything lives in the arena given.
 */
#ifndef GPC_CLASSIFY_SET_H
#define GPC_CLASSIFY_SET_H

#include "../base/arena.h"
#include "../base/ip.h"

struct gpc_range {
	struct gpc_ip first, last;	/* inclusive */
};

struct gpc_set {
	const struct gpc_range *ranges;
	size_t count;			/* 0: the empty set */
};

/* Every address of both families. */
struct gpc_set gpc_set_all(struct gpc_arena *arena);

/* Union of prefixes in any order, overlapping or not. O(n log n). */
struct gpc_set gpc_set_of_prefixes(struct gpc_arena *arena, const struct gpc_prefix *prefixes, size_t count);

struct gpc_set gpc_set_union(struct gpc_arena *arena, const struct gpc_set *sets, size_t count);
struct gpc_set gpc_set_minus(struct gpc_arena *arena, struct gpc_set from, struct gpc_set what);
struct gpc_set gpc_set_intersection(struct gpc_arena *arena, struct gpc_set a, struct gpc_set b);

/* Is it such a set at all? For ranges that nobody vouches for. */
bool gpc_set_is_sound(struct gpc_set set);
/* The fewest prefixes that mean just this: IPv4 first, each family in ascending order. */
struct gpc_prefix *gpc_set_prefixes(struct gpc_arena *arena, struct gpc_set set, size_t *ret_count);

bool gpc_set_holds(struct gpc_set set, const struct gpc_ip *ip);
bool gpc_set_equal(struct gpc_set a, struct gpc_set b);
bool gpc_set_overlaps(struct gpc_set a, struct gpc_set b);
/* Every address of `inner` is in `outer`. */
bool gpc_set_covers(struct gpc_set outer, struct gpc_set inner);

#endif
