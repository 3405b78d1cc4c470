/* SPDX-License-Identifier: MIT */
#include "l4.h"

#include <stdlib.h>
#include <string.h>

#include "gpc/lookup/classify.h"
#include "refinement.h"

#define SUMS_MAX (4u * 1024 * 1024)	   /* entries of the table of sums */
#define VISITS_MAX (96u * 1024 * 1024)	   /* of a sum by a service */
#define CLASSES_MAX 65535u
#define PORTS 65537u
#define FEW_RANGES 500u			   /* of a field, whose classes may be made to be counted */

/* The distinct ranges of one field. */
struct ranges {
	uint64_t *each;		/* first << 32 | last */
	uint32_t n;
	uint32_t *table;	/* hash: 1 + number */
	size_t cap;
	uint32_t *of_item;	/* by item of all specs: its range */
};

static void ranges_init(struct gpc_arena *arena, struct ranges *r, uint32_t items)
{
	*r = (struct ranges){.each = GPC_NEW_ARRAY(arena, uint64_t, items),
			     .cap = 16,
			     .of_item = GPC_NEW_ARRAY(arena, uint32_t, items)};
	while (r->cap < 2ull * items)
		r->cap *= 2;
	r->table = GPC_NEW_ARRAY(arena, uint32_t, r->cap);
}

static void add_range(struct ranges *r, uint32_t item, uint32_t first, uint32_t last)
{
	uint64_t range = (uint64_t)first << 32 | last;
	size_t at = (range * 0x9e3779b97f4a7c15ull) >> 32 & (r->cap - 1);

	while (r->table[at] && r->each[r->table[at] - 1] != range)
		at = (at + 1) & (r->cap - 1);
	if (!r->table[at]) {
		r->each[r->n++] = range;
		r->table[at] = r->n;
	}
	r->of_item[item] = r->table[at] - 1;
}

/* What lies beyond `end`, the last value that there is, belongs to what holds `end`. */
static void partition_of(struct gpc_arena *arena, const struct ranges *r, uint32_t end,
			 struct gpc_partition *ret)
{
	struct gpc_cuts cuts;

	gpc_cuts_init(arena, &cuts, r->n);
	for (uint32_t i = 0; i < r->n; i++) {
		struct gpc_point first = {0, r->each[i] >> 32}, last = {0, (uint32_t)r->each[i]};

		if (last.low >= end)
			last = (struct gpc_point){UINT64_MAX, UINT64_MAX};
		gpc_cuts_add(&cuts, first, last, i);
	}
	gpc_partition_build(arena, arena, &cuts, r->n, ret);
}

enum { PROTOCOL, SOURCE, DESTINATION, FIELDS };

struct work {
	struct gpc_l4 *l4;
	struct ranges field[FIELDS];
	uint32_t *first_item;	/* by spec */
	uint32_t *stamp;	/* by sum: last spec that visited it */
	struct gpc_refinement refinement;
	uint32_t *noted;	/* by class: last spec that listed it */
};

static void collect(struct gpc_arena *arena, struct work *w)
{
	struct gpc_l4 *l4 = w->l4;
	uint32_t item = 0;

	w->first_item = GPC_NEW_ARRAY(arena, uint32_t, l4->spec_count + 1);
	for (int f = 0; f < FIELDS; f++)
		ranges_init(arena, &w->field[f], l4->item_count);
	for (uint32_t s = 0; s < l4->spec_count; s++) {
		w->first_item[s] = item;
		for (size_t i = 0; i < l4->specs[s]->count; i++, item++) {
			const struct gpc_service_item *it = &l4->specs[s]->items[i];

			add_range(&w->field[PROTOCOL], item, it->protocol_first, it->protocol_last);
			add_range(&w->field[SOURCE], item, it->source.first, it->source.last);
			add_range(&w->field[DESTINATION], item, it->destination.first,
				  it->destination.last);
		}
	}
	w->first_item[l4->spec_count] = item;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static uint64_t random_number(uint64_t n)
{
	n *= 0x9e3779b97f4a7c15ull;
	n = (n ^ n >> 30) * 0xbf58476d1ce4e5b9ull;
	n = (n ^ n >> 27) * 0x94d049bb133111ebull;
	return n ^ n >> 31;
}

/*
 * Before classes are made: how many a field has, as different sums of random numbers of what holds a value,
 * and how many intervals its ranges hold.
 */
static uint64_t count_classes(struct gpc_arena *arena, const struct ranges *r, uint64_t *intervals)
{
	uint64_t *at = GPC_NEW_ARRAY(arena, uint64_t, PORTS + 1), distinct = 1;
	uint32_t *before = GPC_NEW_ARRAY(arena, uint32_t, PORTS + 1);

	for (uint32_t i = 0; i < r->n; i++) {
		uint64_t number = random_number(i + 1ull);

		at[r->each[i] >> 32] ^= number;
		at[(uint32_t)r->each[i] + 1] ^= number;
	}
	for (uint32_t v = 1; v <= PORTS; v++) {
		before[v] = before[v - 1] + !!at[v];
		at[v] ^= at[v - 1];
	}
	for (uint32_t i = 0; i < r->n; i++)
		*intervals += before[(uint32_t)r->each[i]] - before[r->each[i] >> 32] + 1;
	qsort(at, PORTS, sizeof(*at), by_value);
	for (uint32_t v = 1; v < PORTS; v++)
		distinct += at[v] != at[v - 1];
	return distinct;
}

static bool too_many(struct gpc_arena *arena, const struct work *w)
{
	uint64_t sums = 1, intervals = 0;

	for (int f = 0; f < FIELDS; f++)
		if (w->field[f].n > FEW_RANGES)
			sums *= count_classes(arena, &w->field[f], &intervals);
	return sums > SUMS_MAX || intervals > VISITS_MAX;
}

static void make_partitions(struct gpc_arena *arena, struct work *w)
{
	partition_of(arena, &w->field[PROTOCOL], 255, &w->l4->protocol);
	partition_of(arena, &w->field[SOURCE], GPC_PORT_NONE, &w->l4->source);
	partition_of(arena, &w->field[DESTINATION], GPC_PORT_NONE, &w->l4->destination);
}

static uint32_t classes_in(const struct gpc_partition *p, uint32_t range)
{
	return p->class_first[range + 1] - p->class_first[range];
}

/* Strides and size of the table of sums. False: too much of it. */
static bool measure(struct work *w)
{
	struct gpc_l4 *l4 = w->l4;
	uint64_t visits = 0;

	l4->source_stride = l4->destination.class_count;
	l4->protocol_stride = l4->source_stride * l4->source.class_count;
	l4->match_stride = l4->protocol_stride * l4->protocol.class_count;
	l4->table_count = l4->match_stride * l4->match.class_count;
	if (l4->table_count > SUMS_MAX || l4->source.class_count > CLASSES_MAX ||
	    l4->destination.class_count > CLASSES_MAX)
		return false;
	for (uint32_t s = 0; s < l4->spec_count; s++)
		for (uint32_t i = w->first_item[s]; i < w->first_item[s + 1]; i++)
			visits += (uint64_t)classes_in(&l4->protocol, w->field[PROTOCOL].of_item[i]) *
				  classes_in(&l4->source, w->field[SOURCE].of_item[i]) *
				  classes_in(&l4->destination, w->field[DESTINATION].of_item[i]) *
				  (uint32_t)__builtin_popcount(l4->match.masks[s]);
	return visits <= VISITS_MAX;
}

typedef void visit(struct work *w, uint32_t spec, uint32_t sum);

/* All sums of source and destination classes of one item, from `base` on. */
static void visit_ports(struct work *w, uint32_t spec, uint32_t item, uint64_t base, visit *to)
{
	const struct gpc_partition *source = &w->l4->source, *destination = &w->l4->destination;
	uint32_t sr = w->field[SOURCE].of_item[item], dr = w->field[DESTINATION].of_item[item];

	for (uint32_t s = source->class_first[sr]; s < source->class_first[sr + 1]; s++) {
		uint64_t row = base + source->classes[s] * w->l4->source_stride;

		for (uint32_t d = destination->class_first[dr]; d < destination->class_first[dr + 1]; d++) {
			uint32_t sum = (uint32_t)(row + destination->classes[d]);

			if (w->stamp[sum] == spec + 1)
				continue;
			w->stamp[sum] = spec + 1;
			to(w, spec, sum);
		}
	}
}

/* Every sum that the spec holds, once. */
static inline void visit_spec(struct work *w, uint32_t spec, visit *to)
{
	const struct gpc_l4 *l4 = w->l4;
	const struct gpc_partition *protocol = &l4->protocol;

	for (uint32_t i = w->first_item[spec]; i < w->first_item[spec + 1]; i++) {
		uint32_t pr = w->field[PROTOCOL].of_item[i];

		for (uint32_t m = 0; m < l4->match.class_count; m++) {
			if (!(l4->match.masks[spec] >> m & 1))
				continue;
			for (uint32_t p = protocol->class_first[pr]; p < protocol->class_first[pr + 1]; p++)
				visit_ports(w, spec, i, m * l4->match_stride +
					    protocol->classes[p] * l4->protocol_stride, to);
		}
	}
}

static void split(struct work *w, uint32_t spec, uint32_t sum)
{
	gpc_refinement_split(&w->refinement, spec, sum);
}

/* Refines the one class of all sums by each spec. */
static bool refine(struct gpc_arena *arena, struct work *w)
{
	struct gpc_l4 *l4 = w->l4;
	uint32_t *compact;

	gpc_refinement_init(arena, &w->refinement, (uint32_t)l4->table_count);
	for (uint32_t s = 0; s < l4->spec_count; s++)
		if (!l4->universal[s])
			visit_spec(w, s, split);
	compact = GPC_NEW_ARRAY(arena, uint32_t, w->refinement.next);
	l4->table = w->refinement.class;
	for (uint64_t i = 0; i < l4->table_count; i++) {
		uint32_t *number = &compact[l4->table[i]];

		if (!*number)
			*number = ++l4->class_count;
		l4->table[i] = *number - 1;
	}
	return l4->class_count <= CLASSES_MAX;
}

/* A class counts once per spec. */
static void note_class(struct work *w, uint32_t spec, uint32_t sum)
{
	uint32_t class = w->l4->table[sum];

	if (w->noted[class] == spec + 1)
		return;
	w->noted[class] = spec + 1;
	w->l4->classes[w->l4->class_first[spec + 1]++] = class;
}

static void count_class(struct work *w, uint32_t spec, uint32_t sum)
{
	uint32_t class = w->l4->table[sum];

	if (w->noted[class] == spec + 1)
		return;
	w->noted[class] = spec + 1;
	w->l4->class_first[spec + 1]++;
}

static void forget_stamps(struct work *w)
{
	memset(w->stamp, 0, w->l4->table_count * sizeof(*w->stamp));
	memset(w->noted, 0, w->l4->class_count * sizeof(*w->noted));
}

/* spec -> classes; not of universal specs, which hold all. */
static void list_classes(struct gpc_arena *arena, struct work *w)
{
	struct gpc_l4 *l4 = w->l4;
	uint32_t total = 0;

	l4->class_first = GPC_NEW_ARRAY(arena, uint32_t, l4->spec_count + 2);
	w->noted = GPC_NEW_ARRAY(arena, uint32_t, l4->class_count);
	forget_stamps(w);
	for (uint32_t s = 0; s < l4->spec_count; s++)
		if (!l4->universal[s])
			visit_spec(w, s, count_class);
	for (uint32_t s = 0; s <= l4->spec_count; s++)
		total += l4->class_first[s];
	l4->classes = GPC_NEW_ARRAY(arena, uint32_t, total);
	forget_stamps(w);
	for (uint32_t s = 0, at = 0; s < l4->spec_count; s++) {
		uint32_t count = l4->class_first[s + 1];

		l4->class_first[s + 1] = at;
		if (!l4->universal[s])
			visit_spec(w, s, note_class);
		at += count;
	}
}

static bool is_universal(const struct gpc_l4 *l4, uint32_t spec)
{
	const struct gpc_service *service = l4->specs[spec];
	uint32_t all = l4->match.class_count == 32 ? UINT32_MAX : (1u << l4->match.class_count) - 1;

	if (l4->match.masks[spec] != all)
		return false;
	for (size_t i = 0; i < service->count; i++) {
		const struct gpc_service_item *item = &service->items[i];

		if (!item->protocol_first && item->protocol_last == 255 && !item->source.first &&
		    item->source.last >= GPC_PORT_NONE && !item->destination.first &&
		    item->destination.last >= GPC_PORT_NONE)
			return true;
	}
	return false;
}

bool gpc_l4_build(struct gpc_arena *arena, const struct gpc_service **specs, uint32_t spec_count,
		  struct gpc_l4 *ret)
{
	struct gpc_l4 l4 = {.specs = specs,
			    .spec_count = spec_count,
			    .universal = GPC_NEW_ARRAY(arena, bool, spec_count)};
	struct work w = {.l4 = &l4};

	if (!gpc_match_classes_build(arena, specs, spec_count, &l4.match))
		return false;
	for (uint32_t s = 0; s < spec_count; s++) {
		l4.item_count += (uint32_t)specs[s]->count;
		l4.universal[s] = is_universal(&l4, s);
	}
	collect(arena, &w);
	if (!too_many(arena, &w)) {
		make_partitions(arena, &w);
		l4.classed = measure(&w);
	}
	if (l4.classed) {
		w.stamp = GPC_NEW_ARRAY(arena, uint32_t, l4.table_count);
		l4.classed = refine(arena, &w);
		if (l4.classed)
			list_classes(arena, &w);
	}
	*ret = l4;
	return true;
}

/* ---- the tables ---- */

static uint32_t class_at(const struct gpc_partition *p, size_t *interval, uint32_t value)
{
	while (*interval + 1 < p->interval_count && p->intervals[*interval + 1].first.low <= value)
		++*interval;
	return p->intervals[*interval].class;
}

static uint32_t emit_ports(struct gpc_arena *scratch, const struct gpc_partition *p,
			   struct gpc_words *words)
{
	uint16_t *table = GPC_NEW_ARRAY(scratch, uint16_t, GPC_PORT_BLOCKS + PORTS + 255);
	uint16_t *blocks = table + GPC_PORT_BLOCKS;
	uint32_t n = 0;
	size_t interval = 0;

	for (uint32_t high = 0; high <= PORTS / 256; high++) {
		uint16_t *block = blocks + 256 * n;
		uint32_t same = 0;

		for (uint32_t low = 0; low < 256; low++)
			block[low] = (uint16_t)class_at(p, &interval, high << 8 | low);
		while (memcmp(blocks + 256 * same, block, 256 * sizeof(*block)))
			same++;
		table[high] = (uint16_t)same;
		n += same == n;
	}
	return gpc_words_share(words, (const uint32_t *)(const void *)table,
			       (GPC_PORT_BLOCKS + 256 * n) / 2, 4);
}

static uint32_t emit_protocols(const struct gpc_l4 *l4, struct gpc_words *words)
{
	uint32_t table[256];
	size_t interval = 0;

	for (uint32_t p = 0; p < 256; p++)
		table[p] = (uint32_t)(class_at(&l4->protocol, &interval, p) * l4->protocol_stride);
	return gpc_words_share(words, table, 256, 4);
}

void gpc_l4_emit(struct gpc_arena *scratch, const struct gpc_l4 *l4, struct gpc_words *words,
		 struct gpc_classifier *classifier)
{
	uint32_t count = (uint32_t)(l4->table_count + 1) / 2;
	uint16_t *table = GPC_NEW_ARRAY(scratch, uint16_t, 2 * count);

	for (uint64_t i = 0; i < l4->table_count; i++)
		table[i] = (uint16_t)l4->table[i];
	classifier->protocol = emit_protocols(l4, words);
	classifier->source_port = emit_ports(scratch, &l4->source, words);
	classifier->destination_port = emit_ports(scratch, &l4->destination, words);
	classifier->source_stride = (uint32_t)l4->source_stride;
	classifier->l4 = gpc_words_share(words, (const uint32_t *)(const void *)table, count, 4);
	classifier->match_stride = (uint32_t)l4->match_stride;
	classifier->l4_classes = l4->class_count;
	classifier->flags |= GPC_CLASSIFIER_L4;
}
