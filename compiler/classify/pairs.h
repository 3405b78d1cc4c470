/* SPDX-License-Identifier: MIT */
/*
 * pairs.h: one list of boxes as pairs of objects (distinct sets of a side) with what is said about each
 * pair, and groups of pairs. Objects are numbered within the list.
 */
#ifndef GPC_CLASSIFY_PAIRS_H
#define GPC_CLASSIFY_PAIRS_H

#include <stdbool.h>

#include "rows.h"

enum { GPC_SOURCE, GPC_DESTINATION, GPC_SIDES };

struct gpc_rule_entry {
	uint32_t spec, position;
};

struct gpc_pair {
	uint32_t object[GPC_SIDES];
	uint32_t first, count;		/* entries, ascending in position */
};

struct gpc_pairs_side {
	struct gpc_rows *rows;		/* its partition; work space */
	uint32_t *global;		/* by object of the list: object of the partition */
	uint32_t *local;		/* by object of the partition: 1 + object of the list */
	uint32_t *seen;			/* by object: the round that last added it */
	uint32_t count;
};

struct gpc_pairs {
	struct gpc_pairs_side side[GPC_SIDES];
	struct gpc_pair *pairs;		/* by source, then destination object */
	uint32_t pair_count;
	struct gpc_rule_entry *entries;
	uint32_t entry_count;
	uint32_t round;			/* last value written to `seen` */
};

struct gpc_group {
	uint32_t *pairs;		/* ascending */
	uint32_t pair_count;
	uint64_t cells;			/* pairs of rows and columns that its pairs touch, with repeats */
	uint64_t cost;			/* with the length of what stands in them */
};

/* By pair of the group: how many rows times columns it touches. */
uint64_t *gpc_group_widths(struct gpc_arena *scratch, struct gpc_pairs *pairs, const struct gpc_group *group);

/* Fills in cells and cost. */
void gpc_group_measure(struct gpc_arena *scratch, struct gpc_pairs *pairs, struct gpc_group *group);

/* Makes side->rows those of the group's objects. */
void gpc_group_rows(struct gpc_pairs *pairs, const struct gpc_group *group, int side);

/*
 * Splits the pairs into at most GPC_CLASSIFIER_GROUPS_MAX groups: as few as a sum of costs within `budget`
 * allows. Returns how many.
 */
uint32_t gpc_groups_build(struct gpc_arena *arena, struct gpc_pairs *pairs, uint64_t budget,
			  struct gpc_group *ret_groups);

#endif
