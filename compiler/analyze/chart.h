/* SPDX-License-Identifier: MIT */
/*
 * chart.h: what one image says at one place (interface and direction), by lines: a source line are the address
 * classes that the place's classifiers do not tell apart, a destination line likewise, with the listeners. For a
 * pair of lines there is a function: kinds of packets -> verdict. Equal functions have one number; functions with
 * equal effects have one number over both images. For analyze/ only.
 */
#ifndef GPC_ANALYZE_CHART_H
#define GPC_ANALYZE_CHART_H

#include "atlas.h"
#include "cell_table.h"

#define GPC_CHART_TABLES (1u + 3u * GPC_MAX_CHAIN_POLICIES)
#define GPC_CHART_LISTENERS GPC_NONE	/* as the table of a content: what listeners do */

/* What verdicts of both images are compared by. */
struct gpc_effects {
	uint32_t aspects;		/* GPC_ATLAS_* */
	struct gpc_intern single;	/* of a verdict */
	struct gpc_intern functions;	/* effect, set, effect, set... ascending in effect */
};

enum gpc_chart_role { GPC_CHART_PROTECT, GPC_CHART_DECIDE, GPC_CHART_LOG, GPC_CHART_MARK };

struct gpc_chart_table {
	struct gpc_cell_table cells;
	enum gpc_chart_role role;
	uint32_t policy;		/* place in the chain */
	uint32_t first;			/* of its groups among all, in a line */
};

/* Destination lines by column: of[first[column]] to of[first[column + 1] - 1]. */
struct gpc_chart_columns {
	uint32_t *first, *of;
};

struct gpc_chart_evaluation;

struct gpc_chart {
	struct gpc_arena *arena;
	const struct gpc_image *image;
	const struct gpc_chain *chain;	/* NULL: all pass */
	bool enforce_audit;
	struct gpc_kinds *kinds;
	struct gpc_effects *effects;
	struct gpc_chart_table table[GPC_CHART_TABLES];
	uint32_t tables, width;		/* groups of all tables: words of a line, then a word of residual bits each */
	struct gpc_intern lines[2];	/* by side: rows or columns, residuals; destinations: what listeners do */
	struct gpc_steps contents;	/* (table, content) */
	struct gpc_steps nodes;		/* (node, content); node 0 is nothing, node n is item n - 1 */
	struct gpc_chart_columns *columns;	/* by group */
	uint32_t *base;			/* by destination line: node */
	struct gpc_intern listeners;	/* listener, set, listener, set... */
	struct gpc_intern verdicts;	/* words of a struct gpc_atlas_verdict */
	struct gpc_intern functions;	/* verdict, set, verdict, set... ascending in verdict */
	GPC_VEC(uint32_t) function_of;	/* by node: 1 + function */
	GPC_VEC(uint32_t) effect_of;	/* by node: 1 + effects' function */
	uint32_t *base_listeners;	/* by destination line */
	uint64_t work;			/* words of sets looked at */
	GPC_VEC(uint64_t *) sheets;	/* sets in the making */
	size_t sheets_used;
	struct gpc_chart_evaluation *evaluation;
	const char *fault;
};

/* Reads the classifiers of the chain; the kinds are set before lines are. */
void gpc_chart_init(struct gpc_arena *arena, const struct gpc_image *image, const struct gpc_chain *chain,
		    bool enforce_audit, struct gpc_chart *ret);

/* With the kinds known. */
void gpc_chart_begin(struct gpc_chart *chart, struct gpc_kinds *kinds, struct gpc_effects *effects);

/* Line of an address class; `listeners`: what they do, for destinations. */
uint32_t gpc_chart_line(struct gpc_chart *chart, enum gpc_atlas_side side, uint32_t class, uint32_t listeners);

/* When all lines are known. */
void gpc_chart_end_lines(struct gpc_chart *chart);

/* By destination line: the node of the pair. *work: cells met are added. False: chart->fault. */
bool gpc_chart_row(struct gpc_chart *chart, uint32_t source, uint32_t *nodes, uint64_t *work);

/* What a pair does, with who decides; and only the effects, of which there are far fewer. */
uint32_t gpc_chart_function(struct gpc_chart *chart, uint32_t node);
uint32_t gpc_chart_effect(struct gpc_chart *chart, uint32_t node);

static inline const struct gpc_atlas_verdict *gpc_chart_verdict(const struct gpc_chart *chart, uint32_t number)
{
	return (const struct gpc_atlas_verdict *)(const void *)chart->verdicts.items.items[number].words;
}

uint32_t gpc_effect_of(struct gpc_effects *effects, const struct gpc_image *image,
		       const struct gpc_atlas_verdict *verdict);

#endif
