/* SPDX-License-Identifier: MIT */
/*
 * distinct.h: which sets and services of a space are equal, for those who would rather hash a number than
 * a feed of a million prefixes. Equal ones have the first one's index as their number, and one key.
 */
#ifndef GPC_LOWER_DISTINCT_H
#define GPC_LOWER_DISTINCT_H

#include "../classify/boxes.h"

struct gpc_distinct {
	uint32_t *sets, *services;		/* by index of the space: number */
	uint64_t *set_keys, *service_keys;	/* hash of what it holds; alike means nearly surely equal */
};

struct gpc_distinct gpc_distinct_find(struct gpc_arena *arena, const struct gpc_space *space);

#endif
