/* SPDX-License-Identifier: MIT */
/*
 * cells.h: the cells of all groups of one list, and where they stand in the one table: row + column.
 */
#ifndef GPC_CLASSIFY_CELLS_H
#define GPC_CLASSIFY_CELLS_H

#include "l4.h"
#include "pairs.h"

/* What stands in a cell: entries ascending in position, without those that earlier ones cover. */
struct gpc_content {
	uint32_t first, count;		/* of gpc_cells.entries */
};

struct gpc_cell {
	uint32_t column;		/* within the group */
	uint32_t content;
};

struct gpc_cell_row {
	uint32_t first, count;		/* cells */
	uint32_t group, row;		/* of gpc_rows of its group */
	uint32_t number;		/* by gpc_cells_place: what vectors and cells say */
};

struct gpc_group_lines {
	uint32_t *row_of_class[GPC_SIDES];	/* 1 + row, 0: none */
	uint32_t *number_of_row;		/* by row (source): number; UINT32_MAX: without cells */
	uint32_t *number_of_column;		/* likewise */
	uint32_t row_count, column_count;
};

struct gpc_cells {
	struct gpc_group_lines group[GPC_CLASSIFIER_GROUPS_MAX];
	uint32_t group_count;
	struct gpc_cell *cells;
	uint32_t cell_count;
	struct gpc_cell_row *rows;
	uint32_t row_count;
	struct gpc_content *contents;
	uint32_t content_count;
	struct gpc_rule_entry *entries;
	uint32_t entry_count;
	uint32_t slots;			/* of the table */
};

void gpc_cells_build(struct gpc_arena *arena, struct gpc_arena *scratch, struct gpc_pairs *pairs,
		     const struct gpc_l4 *l4, const struct gpc_group *groups, uint32_t group_count,
		     struct gpc_cells *ret);

/* Gives columns and rows their numbers such that no two cells meet. False: the table grew beyond max_slots. */
bool gpc_cells_place(struct gpc_arena *scratch, struct gpc_cells *cells, uint32_t max_slots);

#endif
