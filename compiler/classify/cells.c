/* SPDX-License-Identifier: MIT */
#include "cells.h"

#include <stdlib.h>
#include <string.h>

#define COVER_CLASSES_MAX 512u	/* a spec of more L4 classes is not checked for being covered */
#define MEMBERS_MAX 64u		/* pairs that meet in a cell and are looked up without an allocation */

/* A set of pairs that meet in some cell, and the content that they make. */
struct meeting {
	uint32_t *pairs;
	uint32_t count, content;
	uint64_t hash;
};

struct work {
	struct gpc_arena *arena, *scratch;
	struct gpc_pairs *pairs;
	const struct gpc_l4 *l4;
	struct gpc_cells *cells;
	size_t cell_cap, row_cap, content_cap, entry_cap;
	uint32_t *content_of_pair;	/* 1 + content of a pair that is alone in a cell */
	struct meeting *meetings;	/* hash table, open addressing */
	size_t meeting_count, meeting_cap;
	uint32_t *covered;		/* by L4 class: 1 + content whose entries hold it already */
	struct gpc_rule_entry *merged;
	size_t merged_cap;
};

struct link {
	uint32_t pair, next; /* next: 1 + link, 0: the last */
};

/* The group that is being built. */
struct group_work {
	const struct gpc_group *group;
	struct gpc_group_lines *lines;
	uint32_t *first_pair;		/* by source object: start in group->pairs; one more at the end */
	uint32_t *columns, *first_column; /* by destination object: its columns */
	uint32_t *row_of_object;	/* source objects of a row, by row */
	uint32_t *first_object;
	/* the row that is being built */
	uint32_t *column_row;		/* by column: 1 + row that last met it */
	uint32_t *column_link;		/* by column: last link of its chain */
	uint32_t *touched;
	GPC_VEC(struct link) links;
};

/* ---- contents ---- */

static int by_position(const void *a, const void *b)
{
	const struct gpc_rule_entry *x = a, *y = b;

	if (x->position != y->position)
		return x->position < y->position ? -1 : 1;
	return x->spec < y->spec ? -1 : x->spec > y->spec;
}

/* Is all that the spec holds held by entries before it? Notes its classes. */
static bool covered(struct work *w, uint32_t content, uint32_t spec)
{
	const struct gpc_l4 *l4 = w->l4;
	bool all = true;

	if (!l4->classed || l4->universal[spec] ||
	    l4->class_first[spec + 1] - l4->class_first[spec] > COVER_CLASSES_MAX)
		return false;
	for (uint32_t i = l4->class_first[spec]; i < l4->class_first[spec + 1]; i++) {
		uint32_t *stamp = &w->covered[l4->classes[i]];

		all &= *stamp == content + 1;
		*stamp = content + 1;
	}
	return all;
}

static uint32_t add_content(struct work *w, const struct gpc_rule_entry *entries, uint32_t count)
{
	struct gpc_cells *c = w->cells;
	uint32_t number = c->content_count;
	struct gpc_content content = {.first = c->entry_count};

	for (uint32_t i = 0; i < count; i++) {
		if (covered(w, number, entries[i].spec))
			continue;
		if (c->entry_count == w->entry_cap)
			c->entries = gpc_vec_grow(w->arena, c->entries, &w->entry_cap,
						  sizeof(*c->entries));
		c->entries[c->entry_count++] = entries[i];
		content.count++;
		if (w->l4->universal[entries[i].spec])
			break;
	}
	if (number == w->content_cap)
		c->contents = gpc_vec_grow(w->arena, c->contents, &w->content_cap, sizeof(*c->contents));
	c->contents[c->content_count++] = content;
	return number;
}

static uint32_t content_of_pair(struct work *w, uint32_t pair)
{
	const struct gpc_pair *p = &w->pairs->pairs[pair];

	if (!w->content_of_pair[pair])
		w->content_of_pair[pair] = 1 + add_content(w, w->pairs->entries + p->first, p->count);
	return w->content_of_pair[pair] - 1;
}

static uint32_t content_of_meeting(struct work *w, const uint32_t *pairs, uint32_t count)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < count; i++) {
		const struct gpc_pair *p = &w->pairs->pairs[pairs[i]];

		while (n + p->count > w->merged_cap)
			w->merged = gpc_vec_grow(w->scratch, w->merged, &w->merged_cap,
						 sizeof(*w->merged));
		memcpy(w->merged + n, w->pairs->entries + p->first, p->count * sizeof(*w->merged));
		n += p->count;
	}
	qsort(w->merged, n, sizeof(*w->merged), by_position);
	return add_content(w, w->merged, n);
}

static void grow_meetings(struct work *w)
{
	size_t cap = w->meeting_cap ? 2 * w->meeting_cap : 1024;
	struct meeting *wider = GPC_NEW_ARRAY(w->scratch, struct meeting, cap);

	for (size_t i = 0; i < w->meeting_cap; i++) {
		size_t at = w->meetings[i].hash & (cap - 1);

		if (!w->meetings[i].count)
			continue;
		while (wider[at].count)
			at = (at + 1) & (cap - 1);
		wider[at] = w->meetings[i];
	}
	w->meetings = wider;
	w->meeting_cap = cap;
}

/* Content of several pairs, ascending. */
static uint32_t meet(struct work *w, const uint32_t *pairs, uint32_t count)
{
	uint64_t hash = count;
	struct meeting *m;
	size_t at;

	for (uint32_t i = 0; i < count; i++) {
		hash = (hash ^ pairs[i]) * 0x9e3779b97f4a7c15ull;
		hash ^= hash >> 29;
	}
	if (2 * w->meeting_count >= w->meeting_cap)
		grow_meetings(w);
	at = hash & (w->meeting_cap - 1);
	for (; w->meetings[at].count; at = (at + 1) & (w->meeting_cap - 1)) {
		m = &w->meetings[at];
		if (m->hash == hash && m->count == count &&
		    !memcmp(m->pairs, pairs, count * sizeof(*pairs)))
			return m->content;
	}
	m = &w->meetings[at];
	*m = (struct meeting){GPC_NEW_ARRAY(w->scratch, uint32_t, count), count,
			      content_of_meeting(w, pairs, count), hash};
	memcpy(m->pairs, pairs, count * sizeof(*pairs));
	w->meeting_count++;
	return m->content;
}

/* ---- rows of a group ---- */

/* Numbers of the rows of a side by class, and where each is one of which objects. */
static uint32_t *classes_to_rows(struct work *w, int side)
{
	const struct gpc_rows *rows = w->pairs->side[side].rows;
	uint32_t *of_class = GPC_NEW_ARRAY(w->arena, uint32_t, rows->partition->class_count);

	for (uint32_t i = 0; i < rows->touched_count; i++)
		of_class[rows->touched[i]] = rows->refinement.class[rows->touched[i]];
	return of_class;
}

/* by object of the group: its rows. Two passes: count, fill. */
static void rows_of_objects(struct work *w, const struct gpc_group *group, int side, uint32_t **ret_first,
			    uint32_t **ret_rows)
{
	const struct gpc_pairs_side *s = &w->pairs->side[side];
	uint32_t *first = GPC_NEW_ARRAY(w->scratch, uint32_t, s->count + 1), total = 0, *rows;
	bool *has = GPC_NEW_ARRAY(w->scratch, bool, s->count);

	for (uint32_t i = 0; i < group->pair_count; i++)
		has[w->pairs->pairs[group->pairs[i]].object[side]] = true;
	for (uint32_t o = 0; o < s->count; o++) {
		first[o] = total;
		if (has[o])
			total += gpc_rows_of(s->rows, s->global[o], NULL);
	}
	first[s->count] = total;
	rows = GPC_NEW_ARRAY(w->scratch, uint32_t, total);
	for (uint32_t o = 0; o < s->count; o++)
		if (has[o])
			gpc_rows_of(s->rows, s->global[o], rows + first[o]);
	*ret_first = first;
	*ret_rows = rows;
}

/* The other way round: objects by row. */
static void objects_of_rows(struct work *w, struct group_work *g)
{
	uint32_t *first, *rows, objects = w->pairs->side[GPC_SOURCE].count, count = g->lines->row_count;

	rows_of_objects(w, g->group, GPC_SOURCE, &first, &rows);
	g->first_object = GPC_NEW_ARRAY(w->scratch, uint32_t, count + 2);
	g->row_of_object = GPC_NEW_ARRAY(w->scratch, uint32_t, first[objects]);
	for (uint32_t i = 0; i < first[objects]; i++)
		g->first_object[rows[i] + 2]++;
	for (uint32_t r = 0; r < count; r++)
		g->first_object[r + 2] += g->first_object[r + 1];
	for (uint32_t o = 0; o < objects; o++)
		for (uint32_t i = first[o]; i < first[o + 1]; i++)
			g->row_of_object[g->first_object[rows[i] + 1]++] = o;
}

static void start_group(struct work *w, struct group_work *g)
{
	struct gpc_pairs *pairs = w->pairs;
	uint32_t objects = pairs->side[GPC_SOURCE].count;

	for (int side = 0; side < GPC_SIDES; side++) {
		gpc_group_rows(pairs, g->group, side);
		g->lines->row_of_class[side] = classes_to_rows(w, side);
	}
	g->lines->row_count = pairs->side[GPC_SOURCE].rows->refinement.next;
	g->lines->column_count = pairs->side[GPC_DESTINATION].rows->refinement.next;
	g->first_pair = GPC_NEW_ARRAY(w->scratch, uint32_t, objects + 1);
	for (uint32_t i = 0; i < g->group->pair_count; i++)
		g->first_pair[pairs->pairs[g->group->pairs[i]].object[GPC_SOURCE] + 1]++;
	for (uint32_t o = 0; o < objects; o++)
		g->first_pair[o + 1] += g->first_pair[o];
	rows_of_objects(w, g->group, GPC_DESTINATION, &g->first_column, &g->columns);
	objects_of_rows(w, g);
	g->column_row = GPC_NEW_ARRAY(w->scratch, uint32_t, g->lines->column_count);
	g->column_link = GPC_NEW_ARRAY(w->scratch, uint32_t, g->lines->column_count);
	g->touched = GPC_NEW_ARRAY(w->scratch, uint32_t, g->lines->column_count);
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* What the pairs that met in a column of the row make. */
static uint32_t content_of_column(struct work *w, const struct group_work *g, uint32_t column)
{
	uint32_t link = g->column_link[column], n = 0, few[MEMBERS_MAX], *pairs = few;

	if (!g->links.items[link].next)
		return content_of_pair(w, g->links.items[link].pair);
	for (uint32_t l = link + 1; l; l = g->links.items[l - 1].next)
		n++;
	if (n > MEMBERS_MAX)
		pairs = GPC_NEW_ARRAY(w->scratch, uint32_t, n);
	n = 0;
	for (uint32_t l = link + 1; l; l = g->links.items[l - 1].next)
		pairs[n++] = g->links.items[l - 1].pair;
	qsort(pairs, n, sizeof(*pairs), by_number);
	return meet(w, pairs, n);
}

static void meet_columns(struct work *w, struct group_work *g, uint32_t row, uint32_t pair, uint32_t *touched)
{
	uint32_t object = w->pairs->pairs[pair].object[GPC_DESTINATION];

	for (uint32_t i = g->first_column[object]; i < g->first_column[object + 1]; i++) {
		uint32_t column = g->columns[i], next = 0;

		if (g->column_row[column] == row + 1)
			next = g->column_link[column] + 1;
		else
			g->touched[(*touched)++] = column;
		g->column_row[column] = row + 1;
		g->column_link[column] = (uint32_t)g->links.n;
		*GPC_PUSH(w->scratch, &g->links) = (struct link){pair, next};
	}
}

static void build_row(struct work *w, struct group_work *g, uint32_t group, uint32_t row)
{
	struct gpc_cells *c = w->cells;
	uint32_t touched = 0;

	g->links.n = 0;
	for (uint32_t i = g->first_object[row]; i < g->first_object[row + 1]; i++) {
		uint32_t object = g->row_of_object[i];

		for (uint32_t p = g->first_pair[object]; p < g->first_pair[object + 1]; p++)
			meet_columns(w, g, row, g->group->pairs[p], &touched);
	}
	if (!touched)
		return;
	if (c->row_count == w->row_cap)
		c->rows = gpc_vec_grow(w->arena, c->rows, &w->row_cap, sizeof(*c->rows));
	c->rows[c->row_count++] = (struct gpc_cell_row){c->cell_count, touched, group, row, 0};
	while (c->cell_count + touched > w->cell_cap)
		c->cells = gpc_vec_grow(w->arena, c->cells, &w->cell_cap, sizeof(*c->cells));
	for (uint32_t i = 0; i < touched; i++)
		c->cells[c->cell_count++] = (struct gpc_cell){
			g->touched[i], content_of_column(w, g, g->touched[i])};
}

void gpc_cells_build(struct gpc_arena *arena, struct gpc_arena *scratch, struct gpc_pairs *pairs,
		     const struct gpc_l4 *l4, const struct gpc_group *groups, uint32_t group_count,
		     struct gpc_cells *ret)
{
	struct gpc_cells cells = {.group_count = group_count};
	struct work w = {
		.arena = arena,
		.scratch = scratch,
		.pairs = pairs,
		.l4 = l4,
		.cells = &cells,
		.content_of_pair = GPC_NEW_ARRAY(scratch, uint32_t, pairs->pair_count),
		.covered = GPC_NEW_ARRAY(scratch, uint32_t, l4->class_count + 1),
	};

	for (uint32_t i = 0; i < group_count; i++) {
		struct group_work g = {.group = &groups[i], .lines = &cells.group[i]};

		start_group(&w, &g);
		for (uint32_t row = 0; row < g.lines->row_count; row++)
			build_row(&w, &g, i, row);
	}
	*ret = cells;
}
