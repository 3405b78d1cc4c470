/* SPDX-License-Identifier: MIT */
#include "chart.h"

#include <string.h>

#include "gpc/lookup/chain.h"

#define NODES_MAX (1u * 1024 * 1024)
#define WORDS_MAX (48u * 1024 * 1024)

/* ---- lines ---- */

static void add_table(struct gpc_chart *chart, uint32_t classifier, enum gpc_chart_role role, uint32_t policy)
{
	struct gpc_chart_table *table = &chart->table[chart->tables];

	if (classifier == GPC_NONE)
		return;
	gpc_cell_table_init(chart->arena, chart->image->view, gpc_classifier_at(chart->image->view, classifier),
			    &table->cells);
	if (!table->cells.classifier)
		return;
	table->role = role;
	table->policy = policy;
	table->first = chart->width;
	chart->width += table->cells.groups;
	chart->tables++;
}

void gpc_chart_init(struct gpc_arena *arena, const struct gpc_image *image, const struct gpc_chain *chain,
		    bool enforce_audit, struct gpc_chart *ret)
{
	*ret = (struct gpc_chart){.arena = arena,
				  .image = image,
				  .chain = chain,
				  .enforce_audit = enforce_audit,
				  .contents = {.arena = arena},
				  .nodes = {.arena = arena},
				  .listeners = {.arena = arena, .most = WORDS_MAX},
				  .verdicts = {.arena = arena, .most = WORDS_MAX},
				  .functions = {.arena = arena, .most = WORDS_MAX}};
	for (int side = 0; side < 2; side++)
		ret->lines[side] = (struct gpc_intern){.arena = arena, .most = WORDS_MAX};
	gpc_intern(&ret->listeners, NULL, 0);
	if (!chain)
		return;
	add_table(ret, chain->protect, GPC_CHART_PROTECT, 0);
	for (uint32_t i = 0; i < chain->policies; i++) {
		const struct gpc_policy *policy = gpc_policy_at(image->view, chain->policy[i]);

		add_table(ret, policy->decide, GPC_CHART_DECIDE, i);
		add_table(ret, policy->log, GPC_CHART_LOG, i);
		add_table(ret, policy->mark, GPC_CHART_MARK, i);
	}
}

void gpc_chart_begin(struct gpc_chart *chart, struct gpc_kinds *kinds, struct gpc_effects *effects)
{
	chart->kinds = kinds;
	chart->effects = effects;
	for (uint32_t t = 0; t < chart->tables; t++)
		gpc_cell_table_ask(&chart->table[t].cells, kinds);
}

uint32_t gpc_chart_line(struct gpc_chart *chart, enum gpc_atlas_side side, uint32_t class, uint32_t listeners)
{
	uint32_t words[GPC_CHART_TABLES * (GPC_CLASSIFIER_GROUPS_MAX + 1) + 1] = {0}, n = chart->width;

	for (uint32_t t = 0; t < chart->tables; t++) {
		const struct gpc_chart_table *table = &chart->table[t];

		for (uint32_t g = 0; g < table->cells.groups; g++)
			words[table->first + g] = gpc_cell_table_line(&table->cells, side, class, g);
		words[n++] = gpc_cell_table_residual(&table->cells, side, class);
	}
	words[n++] = listeners;
	return gpc_intern(&chart->lines[side], words, n);
}

static const uint32_t *line_words(const struct gpc_chart *chart, int side, uint32_t line)
{
	return chart->lines[side].items.items[line].words;
}

/* Which destination lines have a column, of one group. */
static struct gpc_chart_columns columns_of(struct gpc_chart *chart, const struct gpc_chart_table *table, uint32_t at)
{
	uint32_t cells = table->cells.classifier->cell_count, lines = (uint32_t)chart->lines[1].items.n;
	struct gpc_chart_columns c = {GPC_NEW_ARRAY(chart->arena, uint32_t, cells + 2),
				      GPC_NEW_ARRAY(chart->arena, uint32_t, lines)};

	for (uint32_t d = 0; d < lines; d++)
		if (line_words(chart, 1, d)[at])
			c.first[line_words(chart, 1, d)[at] + 1]++;
	for (uint32_t i = 2; i < cells + 2; i++)
		c.first[i] += c.first[i - 1];
	for (uint32_t d = 0; d < lines; d++)
		if (line_words(chart, 1, d)[at])
			c.of[c.first[line_words(chart, 1, d)[at]]++] = d;
	return c;
}

static uint32_t step_to(struct gpc_chart *chart, uint32_t node, uint32_t table, uint32_t content)
{
	uint32_t by = gpc_step(&chart->contents, table, content);

	return gpc_step(&chart->nodes, node, by) + 1;
}

void gpc_chart_end_lines(struct gpc_chart *chart)
{
	uint32_t lines = (uint32_t)chart->lines[1].items.n;

	if (chart->lines[0].full || chart->lines[1].full || chart->listeners.full) {
		chart->fault = "more kinds of addresses than memory is given for";
		return;
	}
	chart->columns = GPC_NEW_ARRAY(chart->arena, struct gpc_chart_columns, chart->width);
	for (uint32_t t = 0; t < chart->tables; t++)
		for (uint32_t g = 0; g < chart->table[t].cells.groups; g++)
			chart->columns[chart->table[t].first + g] =
				columns_of(chart, &chart->table[t], chart->table[t].first + g);
	chart->base = GPC_NEW_ARRAY(chart->arena, uint32_t, lines);
	for (uint32_t d = 0; d < lines; d++) {
		uint32_t listeners = line_words(chart, 1, d)[chart->width + chart->tables];

		if (listeners)
			chart->base[d] = step_to(chart, 0, GPC_CHART_LISTENERS, listeners);
	}
}

/* ---- rows ---- */

static void add_residuals(struct gpc_chart *chart, uint32_t t, uint32_t bits, uint32_t *nodes)
{
	uint32_t at = chart->width + t;

	for (uint32_t d = 0; bits && d < chart->lines[1].items.n; d++) {
		uint32_t both = bits & line_words(chart, 1, d)[at];

		if (both)
			nodes[d] = step_to(chart, nodes[d], t,
					   gpc_cell_table_residual_content(&chart->table[t].cells, both));
	}
}

/* What the cells of one row say, to all destinations with their columns. */
static void add_row(struct gpc_chart *chart, uint32_t t, uint32_t row, const struct gpc_chart_columns *columns,
		    uint32_t *nodes, uint64_t *work)
{
	const struct gpc_cell_table *cells = &chart->table[t].cells;

	for (uint32_t i = cells->row_first[row]; i < cells->row_first[row + 1]; i++) {
		uint32_t column = cells->refs[i].column, by;

		if (columns->first[column] == columns->first[column + 1])
			continue;
		by = gpc_step(&chart->contents, t, cells->refs[i].content);
		*work += columns->first[column + 1] - columns->first[column];
		for (uint32_t k = columns->first[column]; k < columns->first[column + 1]; k++) {
			uint32_t *node = &nodes[columns->of[k]];

			*node = gpc_step(&chart->nodes, *node, by) + 1;
		}
	}
}

bool gpc_chart_row(struct gpc_chart *chart, uint32_t source, uint32_t *nodes, uint64_t *work)
{
	const uint32_t *words = line_words(chart, 0, source);

	memcpy(nodes, chart->base, chart->lines[1].items.n * sizeof(*nodes));
	for (uint32_t t = 0; t < chart->tables && !chart->fault; t++) {
		const struct gpc_chart_table *table = &chart->table[t];

		for (uint32_t g = 0; g < table->cells.groups; g++)
			if (words[table->first + g])
				add_row(chart, t, words[table->first + g] - 1, &chart->columns[table->first + g],
					nodes, work);
		add_residuals(chart, t, words[chart->width + t], nodes);
		if (chart->nodes.items.n > NODES_MAX)
			chart->fault = "more than a million combinations of rules that meet";
	}
	return !chart->fault;
}
