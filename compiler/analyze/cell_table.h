/* SPDX-License-Identifier: MIT */
/*
 * cell_table.h: the cells of one classifier, read back from the words of an image: by the row of a source, which
 * columns have something to say, and what: boxes as positions with the kinds of packets that they hold. For
 * analyze/ only.
 */
#ifndef GPC_ANALYZE_CELL_TABLE_H
#define GPC_ANALYZE_CELL_TABLE_H

#include "gpc/lookup/classify.h"
#include "kinds.h"

/* The first of those that hold a packet answers. */
struct gpc_cell_entry {
	uint32_t position;
	uint32_t set;			/* of kinds */
};

/* What a cell says. Equal cells have one. */
struct gpc_cell_content {
	uint32_t words[4];		/* of the cell, without its row */
	struct gpc_cell_entry *entries;	/* ascending in position; NULL: not read yet */
	size_t count;
};

struct gpc_cell_ref {
	uint32_t column, content;
};

struct gpc_cell_table {
	struct gpc_arena *arena;
	struct gpc_view view;
	const struct gpc_classifier *classifier;	/* NULL: no boxes */
	uint32_t groups;
	uint32_t *row_first;		/* by row number: start in refs; one more at the end */
	struct gpc_cell_ref *refs;
	struct gpc_intern keys;		/* four words of a cell -> content */
	GPC_VEC(struct gpc_cell_content) contents;
	struct gpc_asked *asked;	/* by kind */
	uint32_t *set_of_name;		/* 1 + set by spec, or by range record */
	uint32_t names;
};

/* `classifier` NULL or all zero: no boxes. */
void gpc_cell_table_init(struct gpc_arena *arena, struct gpc_view view, const struct gpc_classifier *classifier,
			 struct gpc_cell_table *ret);

/* Numbers of all range records that it names, ascending, each once. */
const uint32_t *gpc_cell_table_records(struct gpc_cell_table *table, size_t *ret_count);

/* Before contents are read. */
void gpc_cell_table_ask(struct gpc_cell_table *table, const struct gpc_kinds *kinds);

/* Row (side 0) or column of a class in a group, 1 + its number; 0: none. */
uint32_t gpc_cell_table_line(const struct gpc_cell_table *table, int side, uint32_t class, uint32_t group);

/* The class's bits of residual boxes. */
uint32_t gpc_cell_table_residual(const struct gpc_cell_table *table, int side, uint32_t class);

/* What the content of a cell, or the residual boxes of these bits, hold. Stays where it is. */
const struct gpc_cell_content *gpc_cell_table_content(struct gpc_cell_table *table, struct gpc_kinds *kinds,
						      uint32_t content);
/* Number of a content for these bits. */
uint32_t gpc_cell_table_residual_content(struct gpc_cell_table *table, uint32_t bits);

#endif
