/* SPDX-License-Identifier: MIT */
#include "classify.h"

#include <string.h>

#include "emit.h"
#include "objects.h"
#include "trie.h"

#define BUDGET_SMALL 20000u	/* cells: the smaller of two lines over the number of boxes */
#define BUDGET_SMALL_PER_BOX 16u
#define BUDGET_LARGE 100000u
#define BUDGET_LARGE_PER_BOX 4u
#define CELL_BYTES 16u
#define FEW_CELLS 65536u	/* so many are not made fewer */
#define CROWDED 2u	/* pairs that a cell may hold on average before the list is not tried */

struct work {
	struct gpc_arena *arena;
	const struct gpc_space *space;
	struct gpc_objects objects;
	struct gpc_partition partition[GPC_SIDES];
	struct gpc_rows rows[GPC_SIDES];
	uint32_t *local[GPC_SIDES];	/* by object: 1 + number in the list at hand; all 0 between lists */
	struct gpc_words words;
	uint32_t trie_loads;
	struct gpc_classify_refusal *refusal;
};

/* ---- a list as pairs ---- */

struct keyed {
	uint64_t pair;		/* source << 32 | destination object */
	uint32_t spec, position;
};

/* Stable, by 11 bits at a time of the low `bits` bits of pair. */
static struct keyed *sort_keyed(struct gpc_arena *scratch, struct keyed *items, size_t n, unsigned int bits,
				unsigned int from)
{
	struct keyed *to = GPC_NEW_ARRAY(scratch, struct keyed, n), *swap;

	for (unsigned int shift = from; shift < from + bits; shift += 11) {
		size_t counts[2049] = {0};

		for (size_t i = 0; i < n; i++)
			counts[(items[i].pair >> shift & 2047) + 1]++;
		for (int v = 0; v < 2048; v++)
			counts[v + 1] += counts[v];
		for (size_t i = 0; i < n; i++)
			to[counts[items[i].pair >> shift & 2047]++] = items[i];
		swap = items;
		items = to;
		to = swap;
	}
	return items;
}

static unsigned int bits_of(uint32_t count)
{
	unsigned int bits = 0;

	while (bits < 32 && count >> bits)
		bits++;
	return bits;
}

static uint32_t local_object(struct gpc_pairs_side *side, uint32_t global)
{
	if (!side->local[global]) {
		side->global[side->count++] = global;
		side->local[global] = side->count;
	}
	return side->local[global] - 1;
}

/* The boxes that match something, with objects numbered within the list. */
static size_t keyed_boxes(const struct work *w, const struct gpc_box_list *list, struct gpc_pairs *pairs,
			  uint32_t *spec_of_service, const struct gpc_service **specs, uint32_t *spec_count,
			  struct keyed *ret)
{
	const struct gpc_objects *o = &w->objects;
	size_t n = 0;

	for (size_t i = 0; i < list->count; i++) {
		const struct gpc_box *box = &list->boxes[i];
		uint32_t source = o->of_set[GPC_SOURCE][box->source];
		uint32_t destination = o->of_set[GPC_DESTINATION][box->destination];
		uint32_t service = o->of_service[box->service];

		if (!source || !destination || !service)
			continue;
		if (!spec_of_service[service - 1]) {
			specs[(*spec_count)++] = o->services[service - 1];
			spec_of_service[service - 1] = *spec_count;
		}
		ret[n++] = (struct keyed){
			(uint64_t)local_object(&pairs->side[GPC_SOURCE], source - 1) << 32 |
				local_object(&pairs->side[GPC_DESTINATION], destination - 1),
			spec_of_service[service - 1] - 1, box->position};
	}
	return n;
}

static void make_pairs(struct gpc_arena *scratch, struct gpc_pairs *pairs, struct keyed *items, size_t n)
{
	items = sort_keyed(scratch, items, n, bits_of(pairs->side[GPC_DESTINATION].count), 0);
	items = sort_keyed(scratch, items, n, bits_of(pairs->side[GPC_SOURCE].count), 32);
	pairs->pairs = GPC_NEW_ARRAY(scratch, struct gpc_pair, n);
	pairs->entries = GPC_NEW_ARRAY(scratch, struct gpc_rule_entry, n);
	for (size_t i = 0; i < n; i++) {
		if (!i || items[i].pair != items[i - 1].pair)
			pairs->pairs[pairs->pair_count++] = (struct gpc_pair){
				{(uint32_t)(items[i].pair >> 32), (uint32_t)items[i].pair}, (uint32_t)i, 0};
		pairs->pairs[pairs->pair_count - 1].count++;
		pairs->entries[i] = (struct gpc_rule_entry){items[i].spec, items[i].position};
	}
	pairs->entry_count = (uint32_t)n;
}

static uint64_t budget_for(size_t boxes)
{
	uint64_t small = BUDGET_SMALL + (uint64_t)BUDGET_SMALL_PER_BOX * boxes;
	uint64_t large = BUDGET_LARGE + (uint64_t)BUDGET_LARGE_PER_BOX * boxes;

	return small < large ? small : large;
}

/* ---- a list as a classifier ---- */

/* Puts a position in among the costliest, if it is one of them. */
static void note_cost(struct gpc_classify_refusal *refusal, struct gpc_classify_cost cost)
{
	size_t most = sizeof(refusal->costs) / sizeof(refusal->costs[0]), i = refusal->cost_count;

	if (i < most)
		refusal->cost_count++;
	else if (refusal->costs[--i].pairs >= cost.pairs)
		return;
	for (; i > 0 && refusal->costs[i - 1].pairs < cost.pairs; i--)
		refusal->costs[i] = refusal->costs[i - 1];
	refusal->costs[i] = cost;
}

/* Which positions make the list too large: each counts the cells that its boxes touch in their groups. */
static void explain_size(struct work *w, struct gpc_arena *scratch, struct gpc_pairs *pairs,
			 const struct gpc_group *groups, uint32_t group_count)
{
	uint32_t last = 0;
	uint64_t *cost, all = 0;

	for (uint32_t e = 0; e < pairs->entry_count; e++)
		last = pairs->entries[e].position > last ? pairs->entries[e].position : last;
	cost = GPC_NEW_ARRAY(scratch, uint64_t, (size_t)last + 1);
	for (uint32_t g = 0; g < group_count; g++) {
		uint64_t *cells = gpc_group_widths(scratch, pairs, &groups[g]);

		for (uint32_t i = 0; i < groups[g].pair_count; i++) {
			const struct gpc_pair *pair = &pairs->pairs[groups[g].pairs[i]];

			all += cells[i];
			for (uint32_t e = pair->first; e < pair->first + pair->count; e++)
				cost[pairs->entries[e].position] += cells[i];
		}
	}
	for (uint32_t p = 0; p <= last; p++)
		if (cost[p])
			note_cost(w->refusal, (struct gpc_classify_cost){0, p, cost[p]});
	w->refusal->bytes = 4 * w->words.n + CELL_BYTES * all;
}

static uint64_t cells_of(const struct gpc_group *groups, uint32_t count)
{
	uint64_t all = 0;

	for (uint32_t i = 0; i < count; i++)
		all += groups[i].cells;
	return all;
}

/* Groups within the budget; within half of it if these are no more, for then they are smaller. */
static uint32_t choose_groups(struct gpc_arena *scratch, struct gpc_pairs *pairs, struct gpc_group *groups)
{
	struct gpc_group other[GPC_CLASSIFIER_GROUPS_MAX];
	uint64_t budget = budget_for(pairs->entry_count);
	uint32_t n = gpc_groups_build(scratch, pairs, budget, groups), m;

	if (cells_of(groups, n) <= FEW_CELLS)
		return n;
	m = gpc_groups_build(scratch, pairs, budget / 2, other);
	if (m > n)
		return n;
	memcpy(groups, other, m * sizeof(*groups));
	return m;
}

static enum gpc_classify_status compile_pairs(struct work *w, struct gpc_arena *scratch,
					      struct gpc_pairs *pairs, const struct gpc_service **specs,
					      uint32_t spec_count, struct gpc_classifier *ret)
{
	struct gpc_group groups[GPC_CLASSIFIER_GROUPS_MAX];
	uint64_t room = w->words.limit / 4 + 1;
	struct gpc_cells cells;
	struct gpc_l4 l4;
	uint32_t n;

	if (!gpc_l4_build(scratch, specs, spec_count, &l4))
		return GPC_CLASSIFY_MATCHES;
	n = choose_groups(scratch, pairs, groups);
	if (cells_of(groups, n) <= CROWDED * room) {
		gpc_cells_build(scratch, scratch, pairs, &l4, groups, n, &cells);
		if (gpc_cells_place(scratch, &cells, (uint32_t)room) &&
		    gpc_classifier_emit(scratch, pairs, &l4, &cells, &w->words, w->trie_loads, ret) &&
		    !w->words.over)
			return GPC_CLASSIFY_OK;
	}
	explain_size(w, scratch, pairs, groups, n);
	return GPC_CLASSIFY_TOO_LARGE;
}

static enum gpc_classify_status compile_list(struct work *w, const struct gpc_box_list *list,
					     struct gpc_classifier *ret)
{
	struct gpc_arena scratch = {0};
	uint32_t *spec_of_service = GPC_NEW_ARRAY(&scratch, uint32_t, w->objects.service_count);
	const struct gpc_service **specs =
		GPC_NEW_ARRAY(&scratch, const struct gpc_service *, w->objects.service_count);
	struct keyed *items = GPC_NEW_ARRAY(&scratch, struct keyed, list->count);
	struct gpc_pairs pairs = {0};
	enum gpc_classify_status status = GPC_CLASSIFY_OK;
	uint32_t spec_count = 0;
	size_t n;

	for (int side = 0; side < GPC_SIDES; side++)
		pairs.side[side] = (struct gpc_pairs_side){
			.rows = &w->rows[side],
			.global = GPC_NEW_ARRAY(&scratch, uint32_t, list->count),
			.local = w->local[side],
			.seen = GPC_NEW_ARRAY(&scratch, uint32_t, list->count)};
	n = !w->objects.service_count ? 0 : keyed_boxes(w, list, &pairs, spec_of_service, specs, &spec_count, items);
	if (n) {
		make_pairs(&scratch, &pairs, items, n);
		status = compile_pairs(w, &scratch, &pairs, specs, spec_count, ret);
		ret->boxes = (uint32_t)n;
	}
	for (int side = 0; side < GPC_SIDES; side++)
		for (uint32_t o = 0; o < pairs.side[side].count; o++)
			w->local[side][pairs.side[side].global[o]] = 0;
	gpc_arena_release(&scratch);
	return status;
}

static void start(struct work *w, const struct gpc_box_list *lists, size_t list_count, uint64_t max_bytes,
		  struct gpc_tries *tries)
{
	struct gpc_arena scratch = {0};

	gpc_words_init(&w->words, w->arena, max_bytes);
	gpc_objects_collect(w->arena, w->space, lists, list_count, &w->objects);
	if (!w->objects.service_count) /* no box asks anything */
		return;
	for (int side = 0; side < GPC_SIDES; side++) {
		uint32_t loads;

		gpc_objects_partition(w->arena, &w->objects, side, &w->partition[side]);
		gpc_rows_init(w->arena, &w->rows[side], &w->partition[side]);
		w->local[side] = GPC_NEW_ARRAY(w->arena, uint32_t, w->objects.count[side]);
		loads = gpc_trie_build(&scratch, &w->words, &w->partition[side], (uint32_t)side, tries);
		if (loads > w->trie_loads)
			w->trie_loads = loads;
	}
	gpc_arena_release(&scratch);
}

enum gpc_classify_status gpc_classify_compile(struct gpc_arena *arena, const struct gpc_space *space,
					      const struct gpc_box_list *lists, size_t list_count,
					      uint64_t max_bytes, struct gpc_classified *ret,
					      struct gpc_classify_refusal *ret_refusal)
{
	struct gpc_arena work_arena = {0};
	struct work w = {.arena = &work_arena, .space = space, .refusal = ret_refusal};
	struct gpc_classified c = {.classifiers = GPC_NEW_ARRAY(arena, struct gpc_classifier, list_count)};
	enum gpc_classify_status status;
	uint32_t i = 0;

	memset(ret_refusal, 0, sizeof(*ret_refusal));
	start(&w, lists, list_count, max_bytes, &c.tries);
	status = w.words.over ? GPC_CLASSIFY_TOO_LARGE : GPC_CLASSIFY_OK;
	for (; status == GPC_CLASSIFY_OK && i < list_count; i++)
		status = compile_list(&w, &lists[i], &c.classifiers[i]);
	for (size_t k = 0; k < ret_refusal->cost_count; k++)
		ret_refusal->costs[k].list = i - 1;
	if (status == GPC_CLASSIFY_MATCHES)
		ret_refusal->costs[ret_refusal->cost_count++].list = i - 1;
	if (status == GPC_CLASSIFY_TOO_LARGE && !ret_refusal->bytes)
		ret_refusal->bytes = max_bytes; /* the tries alone are larger */
	if (status == GPC_CLASSIFY_OK) {
		c.word_count = w.words.n;
		c.words = GPC_NEW_ARRAY(arena, uint32_t, w.words.n);
		if (w.words.n)
			memcpy(c.words, w.words.items, w.words.n * sizeof(*c.words));
		*ret = c;
	}
	gpc_arena_release(&work_arena);
	return status;
}
