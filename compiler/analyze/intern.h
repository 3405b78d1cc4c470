/* SPDX-License-Identifier: MIT */
/*
 * intern.h: numbers for sequences of words, and for steps from one number to another: what is equal has one
 * number, so that it is compared and remembered by it. For analyze/ only.
 */
#ifndef GPC_ANALYZE_INTERN_H
#define GPC_ANALYZE_INTERN_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/arena.h"

struct gpc_sequence {
	const uint32_t *words;	/* aligned to 16 bytes; stays where it is */
	uint32_t count;
	uint32_t hash;
};

/* All zero but `arena` and `most`. Past `most` words in all nothing is kept: `full` is set, the number is 0. */
struct gpc_intern {
	struct gpc_arena *arena;
	size_t most, used;
	bool full;
	GPC_VEC(struct gpc_sequence) items;	/* by number */
	uint32_t *table;			/* 1 + number */
	size_t table_size;
};

uint32_t gpc_intern(struct gpc_intern *intern, const uint32_t *words, size_t count);

/* The same of sequences of two. All zero but `arena`. */
struct gpc_step {
	uint32_t from, by;
};
struct gpc_steps {
	struct gpc_arena *arena;
	GPC_VEC(struct gpc_step) items;		/* by number */
	uint32_t *table;
	size_t table_size;
};

uint32_t gpc_step(struct gpc_steps *steps, uint32_t from, uint32_t by);

#endif
