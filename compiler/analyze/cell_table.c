/* SPDX-License-Identifier: MIT */
#include "cell_table.h"

#include <stdlib.h>
#include <string.h>

#define RESIDUAL 0xfdu /* kind of the content that stands for residual boxes: no cell has it */
#define KEYS_MAX (64u * 1024 * 1024)

static uint32_t content_of(struct gpc_cell_table *table, const uint32_t words[4])
{
	uint32_t number = gpc_intern(&table->keys, words, 4);

	if (number < table->contents.n)
		return number;
	memcpy(GPC_PUSH(table->arena, &table->contents)->words, words, sizeof(table->contents.items->words));
	return number;
}

static void read_rows(struct gpc_cell_table *table)
{
	const struct gpc_classifier *c = table->classifier;
	uint32_t *first = GPC_NEW_ARRAY(table->arena, uint32_t, c->cell_count + 2);
	uint32_t total = 0;

	for (uint32_t slot = 0; slot < c->cell_count; slot++) {
		uint32_t row = gpc_word(table->view, c->cells + 4 * slot) & GPC_VECTOR_ROW;

		if (row < c->cell_count)
			first[row + 2]++;
	}
	for (uint32_t row = 2; row < c->cell_count + 2; row++)
		first[row] += first[row - 1];
	total = first[c->cell_count + 1];
	table->refs = GPC_NEW_ARRAY(table->arena, struct gpc_cell_ref, total);
	for (uint32_t slot = 0; slot < c->cell_count; slot++) {
		uint32_t words[4], row, column;

		for (uint32_t i = 0; i < 4; i++)
			words[i] = gpc_word(table->view, c->cells + 4 * slot + i);
		row = words[0] & GPC_VECTOR_ROW;
		if (row >= c->cell_count)
			continue;
		words[0] &= ~GPC_VECTOR_ROW;
		column = slot >= row ? slot - row : slot + c->cell_count - row;
		table->refs[first[row + 1]++] = (struct gpc_cell_ref){column, content_of(table, words)};
	}
	table->row_first = first;
}

void gpc_cell_table_init(struct gpc_arena *arena, struct gpc_view view, const struct gpc_classifier *classifier,
			 struct gpc_cell_table *ret)
{
	*ret = (struct gpc_cell_table){.arena = arena,
				       .view = view,
				       .keys = {.arena = arena, .most = KEYS_MAX}};
	if (!classifier || !classifier->groups)
		return;
	ret->classifier = classifier;
	ret->groups = classifier->groups;
	read_rows(ret);
}

uint32_t gpc_cell_table_line(const struct gpc_cell_table *table, int side, uint32_t class, uint32_t group)
{
	const struct gpc_classifier *c = table->classifier;
	uint32_t indirect = c->flags & (side ? GPC_CLASSIFIER_INDIRECT_DESTINATION : GPC_CLASSIFIER_INDIRECT_SOURCE);
	uint32_t vector = gpc_vector(table->view, indirect, side ? c->destination_map : c->source_map,
				     side ? c->destination_vector : c->source_vector, c->vector_shift, class);

	if (!(gpc_word(table->view, vector) >> GPC_VECTOR_GROUPS_SHIFT >> group & 1))
		return 0;
	return (gpc_word(table->view, vector + group) & GPC_VECTOR_ROW) + 1;
}

uint32_t gpc_cell_table_residual(const struct gpc_cell_table *table, int side, uint32_t class)
{
	const struct gpc_classifier *c = table->classifier;
	uint32_t indirect = c->flags & (side ? GPC_CLASSIFIER_INDIRECT_DESTINATION : GPC_CLASSIFIER_INDIRECT_SOURCE);

	if (!c->residuals)
		return 0;
	return gpc_word(table->view,
			c->groups + gpc_vector(table->view, indirect, side ? c->destination_map : c->source_map,
					       side ? c->destination_vector : c->source_vector, c->vector_shift,
					       class));
}

uint32_t gpc_cell_table_residual_content(struct gpc_cell_table *table, uint32_t bits)
{
	return content_of(table, (uint32_t[4]){RESIDUAL << GPC_CELL_KIND_SHIFT, bits, 0, 0});
}

/* ---- names ---- */

/* Calls with the names of a tree's leaves. */
static void each_leaf(const struct gpc_cell_table *table, uint32_t test, uint32_t next,
		      void (*name)(void *context, uint32_t name), void *context, uint32_t depth)
{
	if (test & GPC_TREE_LEAF) {
		for (uint32_t i = 0; i < (test & 31); i++)
			name(context, gpc_word(table->view, next + i));
		return;
	}
	for (uint32_t i = 0; i < 2 && depth < GPC_TREE_STEPS; i++)
		each_leaf(table, gpc_word(table->view, next + 2 * i), gpc_word(table->view, next + 2 * i + 1), name,
			  context, depth + 1);
}

/* Calls with each name of a content; not of tables, which have none. */
static void each_name(const struct gpc_cell_table *table, const struct gpc_cell_content *content,
		      void (*name)(void *context, uint32_t name), void *context)
{
	const struct gpc_classifier *c = table->classifier;
	uint32_t kind = content->words[0] >> GPC_CELL_KIND_SHIFT;

	if (kind == GPC_CELL_INLINE) {
		for (uint32_t i = 1; i < 4; i++)
			name(context, content->words[i]);
	} else if (kind == RESIDUAL) {
		for (uint32_t i = 0; i < GPC_RESIDUAL_MAX; i++)
			if (content->words[1] >> i & 1)
				name(context, gpc_word(table->view, c->residual + i));
	} else if (kind == GPC_CELL_TREE) {
		each_leaf(table, content->words[1], content->words[2], name, context, 0);
	} else if (kind != GPC_CELL_TABLE) {
		for (uint32_t i = 0; i < kind; i++)
			name(context, gpc_word(table->view, content->words[1] + i));
	}
}

struct numbers {
	struct gpc_arena *arena;
	GPC_VEC(uint32_t) items;
};

static void note(void *context, uint32_t name)
{
	struct numbers *numbers = context;

	*GPC_PUSH(numbers->arena, &numbers->items) = name;
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

const uint32_t *gpc_cell_table_records(struct gpc_cell_table *table, size_t *ret_count)
{
	struct numbers numbers = {.arena = table->arena};
	size_t n = 0;

	*ret_count = 0;
	if (!table->classifier || !(table->classifier->flags & GPC_CLASSIFIER_RANGES))
		return NULL;
	for (size_t i = 0; i < table->contents.n; i++)
		each_name(table, &table->contents.items[i], note, &numbers);
	for (uint32_t i = 0; i < table->classifier->residuals; i++)
		note(&numbers, gpc_word(table->view, table->classifier->residual + i));
	if (numbers.items.n)
		qsort(numbers.items.items, numbers.items.n, sizeof(uint32_t), by_number);
	for (size_t i = 0; i < numbers.items.n; i++) {
		uint32_t number = numbers.items.items[i];

		if (number && (!n || numbers.items.items[n - 1] != number)) /* record 0 never matches */
			numbers.items.items[n++] = number;
	}
	*ret_count = n;
	return numbers.items.items;
}

/* ---- contents ---- */

void gpc_cell_table_ask(struct gpc_cell_table *table, const struct gpc_kinds *kinds)
{
	const struct gpc_classifier *c = table->classifier;
	size_t count;
	const uint32_t *records;

	if (!c)
		return;
	table->asked = GPC_NEW_ARRAY(table->arena, struct gpc_asked, kinds->count);
	for (uint32_t i = 0; i < kinds->count; i++)
		table->asked[i] = gpc_ask(table->view, c, &kinds->packets[i]);
	records = gpc_cell_table_records(table, &count);
	table->names = c->flags & GPC_CLASSIFIER_RANGES ? (count ? records[count - 1] + 1 : 1) : 32 * c->bit_words;
	table->set_of_name = GPC_NEW_ARRAY(table->arena, uint32_t, table->names);
}

struct reading {
	struct gpc_cell_table *table;
	struct gpc_kinds *kinds;
	uint64_t *bits;
	GPC_VEC(struct gpc_cell_entry) entries;
};

static void clear(struct reading *r)
{
	memset(r->bits, 0, r->kinds->words * sizeof(uint32_t));
}

/* The kinds that a name holds, found once. */
static uint32_t set_of(struct reading *r, uint32_t name)
{
	struct gpc_cell_table *table = r->table;
	bool ranges = table->classifier->flags & GPC_CLASSIFIER_RANGES;
	uint32_t at = ranges ? name : name >> GPC_NAME_SPEC_SHIFT;

	if (at >= table->names)
		return r->kinds->nothing;
	if (table->set_of_name[at])
		return table->set_of_name[at] - 1;
	clear(r);
	r->kinds->work += r->kinds->count;
	for (uint32_t i = 0; i < r->kinds->count; i++)
		r->bits[i / 64] |=
			(uint64_t)(gpc_name_position(table->view, table->classifier, &table->asked[i], name) != GPC_NONE)
			<< i % 64;
	table->set_of_name[at] = 1 + gpc_kinds_number(r->kinds, r->bits);
	return table->set_of_name[at] - 1;
}

static uint32_t position_of(const struct gpc_cell_table *table, uint32_t name)
{
	if (table->classifier->flags & GPC_CLASSIFIER_RANGES)
		return (uint32_t)(*(const __u64 *)gpc_at(table->view, ((__u64)table->classifier->ranges << 2) +
									      ((__u64)name << 4), 16) >>
				  GPC_FIELDS_POSITION);
	return name & GPC_NAME_POSITION;
}

static void read_name(void *context, uint32_t name)
{
	struct reading *r = context;
	bool ranges = r->table->classifier->flags & GPC_CLASSIFIER_RANGES;
	struct gpc_cell_entry entry;

	if (ranges ? !name : name == GPC_NAME_NONE)
		return;
	entry = (struct gpc_cell_entry){position_of(r->table, name), set_of(r, name)};
	if (entry.set != r->kinds->nothing)
		*GPC_PUSH(r->table->arena, &r->entries) = entry;
}

static int by_position(const void *a, const void *b)
{
	const struct gpc_cell_entry *x = a, *y = b;

	if (x->position != y->position)
		return x->position < y->position ? -1 : 1;
	return x->set < y->set ? -1 : x->set > y->set;
}

struct ranked {
	uint32_t rank, kind;
};

static int by_rank(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	return x->rank < y->rank ? -1 : x->rank > y->rank;
}

/* Of a table: the answer for each L4 class, so the sets are disjoint. */
static void read_table(struct reading *r, const struct gpc_cell_content *content)
{
	const struct gpc_cell_table *table = r->table;
	struct ranked *ranked = GPC_NEW_ARRAY(table->arena, struct ranked, r->kinds->count);
	size_t n = 0;

	for (uint32_t i = 0; i < r->kinds->count; i++) {
		uint32_t rank = gpc_half(table->view, content->words[1] + table->asked[i].table);

		if (rank != GPC_NONE16)
			ranked[n++] = (struct ranked){rank, i};
	}
	if (n)
		qsort(ranked, n, sizeof(*ranked), by_rank);
	for (size_t i = 0, first = 0; i < n; first = i) {
		clear(r);
		r->kinds->work += r->kinds->words;
		for (; i < n && ranked[i].rank == ranked[first].rank; i++)
			r->bits[ranked[i].kind / 64] |= 1ull << ranked[i].kind % 64;
		*GPC_PUSH(table->arena, &r->entries) = (struct gpc_cell_entry){
			gpc_word(table->view, content->words[2] + ranked[first].rank),
			gpc_kinds_number(r->kinds, r->bits)};
	}
}

const struct gpc_cell_content *gpc_cell_table_content(struct gpc_cell_table *table, struct gpc_kinds *kinds,
						      uint32_t number)
{
	struct gpc_cell_content *content = &table->contents.items[number];
	struct reading r = {.table = table, .kinds = kinds};

	if (content->entries)
		return content;
	r.bits = GPC_NEW_ARRAY(table->arena, uint64_t, kinds->words / 2);
	if (content->words[0] >> GPC_CELL_KIND_SHIFT == GPC_CELL_TABLE)
		read_table(&r, content);
	else
		each_name(table, content, read_name, &r);
	content->entries = r.entries.items ? r.entries.items : GPC_NEW_ARRAY(table->arena, struct gpc_cell_entry, 1);
	content->count = r.entries.n;
	if (content->count)
		qsort(content->entries, content->count, sizeof(*content->entries), by_position);
	return content;
}
