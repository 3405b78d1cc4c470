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

struct work {
	struct gpc_arena *arena;
	const struct gpc_space *space;
	struct gpc_objects objects;
	struct gpc_partition partition[GPC_SIDES];
	struct gpc_rows rows[GPC_SIDES];
	uint32_t *local[GPC_SIDES];	/* by object: 1 + number in the list at hand; all 0 between lists */
	struct gpc_words words;
	uint32_t trie_loads;
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

static enum gpc_classify_status compile_pairs(struct work *w, struct gpc_arena *scratch,
					      struct gpc_pairs *pairs, const struct gpc_service **specs,
					      uint32_t spec_count, struct gpc_classifier *ret)
{
	struct gpc_group groups[GPC_CLASSIFIER_GROUPS_MAX * GPC_CLASSIFIER_GROUPS_MAX];
	struct gpc_cells cells;
	struct gpc_l4 l4;
	uint64_t room = w->words.limit / 4 + 1, all = 0;
	uint32_t content, n;

	if (!gpc_l4_build(scratch, specs, spec_count, &l4))
		return GPC_CLASSIFY_MATCHES;
	n = gpc_groups_build(scratch, pairs, budget_for(pairs->entry_count), groups);
	for (uint32_t i = 0; i < n; i++)
		all += groups[i].cells;
	if (all > 2 * room)
		return GPC_CLASSIFY_TOO_LARGE;
	gpc_cells_build(scratch, scratch, pairs, &l4, groups, n, &cells);
	if (!gpc_cells_place(scratch, &cells, (uint32_t)room) ||
	    !gpc_classifier_emit(scratch, pairs, &l4, &cells, &w->words, ret, &content))
		return GPC_CLASSIFY_TOO_LARGE;
	return w->words.over ? GPC_CLASSIFY_TOO_LARGE : GPC_CLASSIFY_OK;
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
		ret->loads += w->trie_loads;
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
	struct work w = {.arena = &work_arena, .space = space};
	struct gpc_classified c = {.classifiers = GPC_NEW_ARRAY(arena, struct gpc_classifier, list_count)};
	enum gpc_classify_status status;
	uint32_t i = 0;

	memset(ret_refusal, 0, sizeof(*ret_refusal));
	start(&w, lists, list_count, max_bytes, &c.tries);
	status = w.words.over ? GPC_CLASSIFY_TOO_LARGE : GPC_CLASSIFY_OK;
	for (; status == GPC_CLASSIFY_OK && i < list_count; i++)
		status = compile_list(&w, &lists[i], &c.classifiers[i]);
	if (status == GPC_CLASSIFY_MATCHES)
		ret_refusal->costs[ret_refusal->cost_count++].list = i - 1;
	if (status == GPC_CLASSIFY_OK) {
		c.word_count = w.words.n;
		c.words = GPC_NEW_ARRAY(arena, uint32_t, w.words.n);
		memcpy(c.words, w.words.items, w.words.n * sizeof(*c.words));
		*ret = c;
	}
	gpc_arena_release(&work_arena);
	return status;
}
