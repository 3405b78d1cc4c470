/* SPDX-License-Identifier: MIT */
/*
 * rows.h: the classes of one side as far as some of its objects tell them apart: rows (or columns).
 */
#ifndef GPC_CLASSIFY_ROWS_H
#define GPC_CLASSIFY_ROWS_H

#include "partition.h"
#include "refinement.h"

/* Can be used for one set of objects after another. */
struct gpc_rows {
	const struct gpc_partition *partition;
	struct gpc_refinement refinement;	/* of the classes */
	uint32_t *touched;			/* classes that an object holds */
	uint32_t touched_count;
	uint32_t *row_stamp;			/* by refined class, for counting */
	uint32_t stamp;
};

void gpc_rows_init(struct gpc_arena *arena, struct gpc_rows *rows, const struct gpc_partition *partition);

/* Forgets the objects before. */
void gpc_rows_clear(struct gpc_rows *rows);
void gpc_rows_add(struct gpc_rows *rows, uint32_t object);

/* How many rows an object that was added has; with `ret` they are written there, too (refined classes). */
uint32_t gpc_rows_of(struct gpc_rows *rows, uint32_t object, uint32_t *ret);

#endif
