/* SPDX-License-Identifier: MIT */
/*
 * From pieces to spaces: pieces of one effect that fit together become one, whoever decides. Two fit when they
 * differ in their sources, in their destinations, or in their services only; and when they say the same for
 * the two families. What one place does, others may do as well.
 */
#include "diff_parts.h"

#include <stdlib.h>
#include <string.h>

#include "../image/segments.h"
#include "../model/intern.h"
#include "gpc/lookup/chain.h"

/* ---- sorted lists of numbers, each distinct one once ---- */

struct list {
	const uint32_t *items;
	size_t count;
};

struct lists {
	struct gpc_arena *arena;
	GPC_VEC(struct list) all;
	struct gpc_intern index;
};

struct sought {
	const struct lists *lists;
	struct list list;
};

static bool same_list(const void *context, uint32_t number)
{
	const struct sought *s = context;
	const struct list *other = &s->lists->all.items[number];

	return other->count == s->list.count &&
	       !memcmp(other->items, s->list.items, other->count * sizeof(uint32_t));
}

/* The list is copied if it is new. */
static uint32_t list_number(struct lists *lists, const uint32_t *items, size_t count)
{
	struct sought sought = {lists, {items, count}};
	uint64_t hash = gpc_intern_mix_bytes(count, items, count * sizeof(*items));
	uint32_t number = gpc_intern_find(&lists->index, hash, same_list, &sought), *copy;

	if (number != GPC_NONE)
		return number;
	copy = GPC_NEW_ARRAY(lists->arena, uint32_t, count);
	if (count)
		memcpy(copy, items, count * sizeof(*copy));
	number = (uint32_t)lists->all.n;
	*GPC_PUSH(lists->arena, &lists->all) = (struct list){copy, count};
	gpc_intern_add(lists->arena, &lists->index, hash, number);
	return number;
}

static int compare_numbers(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* ---- items ---- */

enum { SOURCE, DESTINATION, SERVICE, FACTORS };

struct item {
	uint32_t factor[FACTORS];	/* numbers of lists: atoms, atoms, regions */
	const struct gpc_atlas_piece *first;	/* with the lowest witness */
	size_t piece;
	unsigned int families;
};

struct merging {
	struct gpc_diff_pair *pair;
	size_t place;
	struct lists lists[FACTORS];
	struct item *items;
	size_t count;
};

/* Atoms of families that the other side does not have are no packets. */
static uint32_t trimmed(struct merging *m, enum gpc_atlas_side side, const uint32_t *atoms,
			size_t count, unsigned int families)
{
	uint32_t *kept = GPC_NEW_ARRAY(m->pair->arena, uint32_t, count);
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		if (gpc_party_families(m->pair->namer, side, &atoms[i], 1) & families)
			kept[n++] = atoms[i];
	return list_number(&m->lists[side == GPC_ATLAS_SOURCE ? SOURCE : DESTINATION], kept, n);
}

static void add_item(struct merging *m, const struct gpc_atlas_piece *piece, size_t number)
{
	struct gpc_namer *namer = m->pair->namer;
	struct item *item = &m->items[m->count];
	unsigned int families =
		gpc_party_families(namer, GPC_ATLAS_SOURCE, piece->sources, piece->source_count) &
		gpc_party_families(namer, GPC_ATLAS_DESTINATION, piece->destinations,
				   piece->destination_count);

	if (!families)
		return;
	*item = (struct item){.first = piece, .piece = number, .families = families};
	item->factor[SOURCE] = trimmed(m, GPC_ATLAS_SOURCE, piece->sources, piece->source_count,
				       families);
	item->factor[DESTINATION] = trimmed(m, GPC_ATLAS_DESTINATION, piece->destinations,
					    piece->destination_count, families);
	item->factor[SERVICE] = list_number(&m->lists[SERVICE], &piece->region, 1);
	m->count++;
}

/* Union of two sorted lists; items of both are kept once. */
static uint32_t joined(struct lists *lists, uint32_t a, uint32_t b)
{
	struct list x = lists->all.items[a], y = lists->all.items[b];
	uint32_t *all = GPC_NEW_ARRAY(lists->arena, uint32_t, x.count + y.count);
	size_t n = 0, i = 0, k = 0;

	while (i < x.count || k < y.count) {
		uint32_t from_x = i < x.count ? x.items[i] : GPC_NONE;
		uint32_t from_y = k < y.count ? y.items[k] : GPC_NONE;

		all[n++] = from_x < from_y ? from_x : from_y;
		i += from_x <= from_y;
		k += from_y <= from_x;
	}
	return list_number(lists, all, n);
}

/* What of sorted items is alike but for one factor lies side by side. */
static int order_by(const struct item *a, const struct item *b, int one, int other)
{
	if (a->families != b->families)
		return a->families < b->families ? -1 : 1;
	if (a->factor[one] != b->factor[one])
		return a->factor[one] < b->factor[one] ? -1 : 1;
	if (a->factor[other] != b->factor[other])
		return a->factor[other] < b->factor[other] ? -1 : 1;
	return a->piece < b->piece ? -1 : a->piece > b->piece;
}

static int by_destination_and_service(const void *a, const void *b)
{
	return order_by(a, b, DESTINATION, SERVICE);
}

static int by_source_and_service(const void *a, const void *b)
{
	return order_by(a, b, SOURCE, SERVICE);
}

static int by_source_and_destination(const void *a, const void *b)
{
	return order_by(a, b, SOURCE, DESTINATION);
}

/* Collects a run of items that differ in `factor` only into one. */
static void join_run(struct merging *m, int factor, size_t from, size_t to)
{
	struct lists *lists = &m->lists[factor];
	size_t total = 0, n = 0;
	uint32_t *all;

	for (size_t i = from; i < to; i++)
		total += lists->all.items[m->items[i].factor[factor]].count;
	all = GPC_NEW_ARRAY(lists->arena, uint32_t, total);
	for (size_t i = from; i < to; i++) {
		struct list list = lists->all.items[m->items[i].factor[factor]];

		memcpy(&all[n], list.items, list.count * sizeof(*all));
		n += list.count;
		if (m->items[i].piece < m->items[from].piece) {
			m->items[from].piece = m->items[i].piece;
			m->items[from].first = m->items[i].first;
		}
	}
	qsort(all, n, sizeof(*all), compare_numbers);
	m->items[from].factor[factor] = list_number(lists, all, n);
}

static bool join_by(struct merging *m, int factor,
		    int (*order)(const void *a, const void *b))
{
	int one = factor == SOURCE ? DESTINATION : SOURCE;
	int other = factor == SERVICE ? DESTINATION : SERVICE;
	size_t before = m->count, kept = 0;

	if (m->count)
		qsort(m->items, m->count, sizeof(*m->items), order);
	for (size_t i = 0, next; i < m->count; i = next) {
		for (next = i + 1; next < m->count; next++)
			if (m->items[next].families != m->items[i].families ||
			    m->items[next].factor[one] != m->items[i].factor[one] ||
			    m->items[next].factor[other] != m->items[i].factor[other])
				break;
		if (next > i + 1)
			join_run(m, factor, i, next);
		m->items[kept++] = m->items[i];
	}
	m->count = kept;
	return kept < before;
}

/* ---- words ---- */

struct worded {
	struct gpc_party from, to;
};

static struct gpc_party side_words(struct merging *m, const struct item *item, int factor,
				   unsigned int families)
{
	struct list list = m->lists[factor].all.items[item->factor[factor]];

	return gpc_namer_words(m->pair->namer,
			       factor == SOURCE ? GPC_ATLAS_SOURCE : GPC_ATLAS_DESTINATION,
			       list.items, list.count, families);
}

/* Few words, and of as few rather names. */
static size_t cost_of(const struct worded *words)
{
	return 1000 * (gpc_party_terms(&words->from) + gpc_party_terms(&words->to)) +
	       words->from.prefix_count + words->to.prefix_count;
}

/*
 * One side may be named loosely, by what it is in the family that counts, if the other one means addresses of
 * that family only.
 */
static struct worded words_of(struct merging *m, const struct item *item)
{
	struct worded loose_from, loose_to;

	if (item->families == GPC_NAMER_BOTH)
		return (struct worded){side_words(m, item, SOURCE, GPC_NAMER_BOTH),
				       side_words(m, item, DESTINATION, GPC_NAMER_BOTH)};
	loose_from = (struct worded){side_words(m, item, SOURCE, item->families),
				     side_words(m, item, DESTINATION, GPC_NAMER_BOTH)};
	loose_to = (struct worded){side_words(m, item, SOURCE, GPC_NAMER_BOTH),
				   side_words(m, item, DESTINATION, item->families)};
	return cost_of(&loose_from) <= cost_of(&loose_to) ? loose_from : loose_to;
}

static bool same_party(const struct gpc_party *a, const struct gpc_party *b)
{
	if (a->but != b->but || a->name_count != b->name_count ||
	    a->prefix_count != b->prefix_count)
		return false;
	for (size_t i = 0; i < a->name_count; i++)
		if (strcmp(a->names[i], b->names[i]))
			return false;
	for (size_t i = 0; i < a->prefix_count; i++)
		if (gpc_ip_compare(&a->prefixes[i].ip, &b->prefixes[i].ip) ||
		    a->prefixes[i].length != b->prefixes[i].length)
			return false;
	return true;
}

/* The same words for v4 as for v6: one item of both. */
static void join_families(struct merging *m)
{
	struct worded *loose = GPC_NEW_ARRAY(m->pair->arena, struct worded, m->count);
	size_t kept = 0;

	for (size_t i = 0; i < m->count; i++)
		if (m->items[i].families != GPC_NAMER_BOTH)
			loose[i] = (struct worded){
				side_words(m, &m->items[i], SOURCE, m->items[i].families),
				side_words(m, &m->items[i], DESTINATION, m->items[i].families)};
	for (size_t i = 0; i < m->count; i++) {
		struct item *a = &m->items[i];

		for (size_t k = i + 1; k < m->count && a->families && a->families != GPC_NAMER_BOTH;
		     k++) {
			struct item *b = &m->items[k];

			if ((a->families ^ b->families) != GPC_NAMER_BOTH ||
			    a->factor[SERVICE] != b->factor[SERVICE] ||
			    !same_party(&loose[i].from, &loose[k].from) ||
			    !same_party(&loose[i].to, &loose[k].to))
				continue;
			for (int f = SOURCE; f <= DESTINATION; f++)
				a->factor[f] = joined(&m->lists[f], a->factor[f], b->factor[f]);
			if (b->piece < a->piece) {
				a->piece = b->piece;
				a->first = b->first;
			}
			a->families = GPC_NAMER_BOTH;
			b->families = 0;
		}
	}
	for (size_t i = 0; i < m->count; i++)
		if (m->items[i].families)
			m->items[kept++] = m->items[i];
	m->count = kept;
}

static void merge(struct merging *m)
{
	bool more = true;

	while (more) {
		more = join_by(m, SOURCE, by_destination_and_service);
		more |= join_by(m, DESTINATION, by_source_and_service);
		more |= join_by(m, SERVICE, by_source_and_destination);
	}
	join_families(m);
	join_by(m, SERVICE, by_source_and_destination);
}

/* ---- effects ---- */

static const struct gpc_rule *rule_of(const struct gpc_diff_pair *pair, int image,
				      const struct gpc_atlas_verdict *verdict)
{
	return verdict->rule == GPC_NONE ? NULL
					 : gpc_rule_at(pair->images[image]->view, verdict->rule);
}

#define RATE_FLAGS (GPC_RULE_RATE | GPC_RULE_RATE_SOURCE | GPC_RULE_RATE_BYTES)

static bool same_rate(const struct gpc_rule *a, const struct gpc_rule *b)
{
	bool limited = a && a->flags & GPC_RULE_RATE;

	if (limited != (b && b->flags & GPC_RULE_RATE))
		return false;
	return !limited ||
	       (a->rate_cost == b->rate_cost && a->rate_burst == b->rate_burst &&
		a->rate_entries == b->rate_entries && a->exceed == b->exceed &&
		(a->flags & RATE_FLAGS) == (b->flags & RATE_FLAGS));
}

/* Does the rate do to packets what it did? */
static bool same_limits(const struct gpc_diff_pair *pair, const struct gpc_atlas_verdict *a,
			const struct gpc_atlas_verdict *b)
{
	return same_rate(rule_of(pair, 0, a), rule_of(pair, 1, b)) && a->at_times == b->at_times &&
	       (!a->at_times || a->action == b->action);
}

static uint64_t listener_id(const struct gpc_diff_pair *pair, int image, uint32_t index)
{
	uint32_t count;
	const struct gpc_listener *listeners =
		gpc_image_section(pair->images[image], GPC_SEC_LISTENER, &count);

	return index == GPC_NONE ? 0 : listeners[index].id;
}

static bool has_effect(const struct gpc_diff_pair *pair, const struct gpc_atlas_piece *piece,
		       enum gpc_diff_effect effect)
{
	const struct gpc_atlas_verdict *a = &piece->verdict[0], *b = &piece->verdict[1];
	bool before = gpc_atlas_passes(a), after = gpc_atlas_passes(b), both = before && after;

	switch (effect) {
	case GPC_DIFF_ALLOWED:
		return !before && after;
	case GPC_DIFF_DENIED:
		return before && !after;
	case GPC_DIFF_ANSWERED:
		return !before && !after && a->action != b->action;
	case GPC_DIFF_LISTENER:
		return both && listener_id(pair, 0, a->listener) != listener_id(pair, 1, b->listener);
	case GPC_DIFF_LIMITED:
		return before == after && !same_limits(pair, a, b);
	case GPC_DIFF_MARKED:
		return both && a->mark != b->mark;
	case GPC_DIFF_LOGGED:
		return a->log_rule == GPC_NONE && b->log_rule != GPC_NONE;
	case GPC_DIFF_UNLOGGED:
		return a->log_rule != GPC_NONE && b->log_rule == GPC_NONE;
	case GPC_DIFF_EFFECTS:
		break;
	}
	return false;
}

/* Where no chain is stateful, nothing has to. */
static bool opens_any(const struct merging *m, const struct list *regions)
{
	const struct gpc_chain *const *chain = m->pair->places[m->place].chain;

	if (!(chain[0] && chain[0]->flags & GPC_CHAIN_STATEFUL) &&
	    !(chain[1] && chain[1]->flags & GPC_CHAIN_STATEFUL))
		return true;
	for (size_t i = 0; i < regions->count; i++)
		if (gpc_atlas_opens(m->pair->atlas, m->place, regions->items[i]))
			return true;
	return false;
}

static void put_space(struct merging *m, const struct item *item, enum gpc_diff_effect effect,
		      gpc_diff_space_list *ret)
{
	struct gpc_diff_pair *pair = m->pair;
	struct list sources = m->lists[SOURCE].all.items[item->factor[SOURCE]];
	struct list destinations = m->lists[DESTINATION].all.items[item->factor[DESTINATION]];
	struct list regions = m->lists[SERVICE].all.items[item->factor[SERVICE]];
	struct worded words = words_of(m, item);
	size_t *place = GPC_NEW(pair->arena, size_t);
	struct gpc_diff_space space = {
		.effect = effect,
		.enforced = pair->enforced,
		.places = place,
		.place_count = 1,
		.from = words.from,
		.to = words.to,
		.opens = opens_any(m, &regions),
		.witness = item->first->witness,
		.witness_place = m->place,
		.verdict = {item->first->verdict[0], item->first->verdict[1]},
	};

	*place = m->place;
	gpc_diff_services(pair, m->place, regions.items, regions.count, &space);
	space.radius *=
		gpc_namer_share(pair->namer, GPC_ATLAS_SOURCE, sources.items, sources.count) *
		gpc_namer_share(pair->namer, GPC_ATLAS_DESTINATION, destinations.items,
				destinations.count);
	*GPC_PUSH(pair->arena, ret) = space;
}

static void put_effect(struct gpc_diff_pair *pair, size_t place,
		       const struct gpc_atlas_pieces *pieces, enum gpc_diff_effect effect,
		       gpc_diff_space_list *ret)
{
	struct merging m = {.pair = pair, .place = place};

	for (int i = 0; i < FACTORS; i++)
		m.lists[i].arena = pair->arena;
	m.items = GPC_NEW_ARRAY(pair->arena, struct item, pieces->count);
	for (size_t i = 0; i < pieces->count; i++)
		if (has_effect(pair, &pieces->items[i], effect))
			add_item(&m, &pieces->items[i], i);
	merge(&m);
	for (size_t i = 0; i < m.count; i++)
		put_space(&m, &m.items[i], effect, ret);
}

/* ---- places ---- */

/* Adds `place` to the spaces [from, to) that another place has. */
static void add_place(struct gpc_diff_pair *pair, gpc_diff_space_list *spaces, size_t alike,
		      size_t place)
{
	for (size_t i = 0; i < spaces->n; i++) {
		struct gpc_diff_space *space = &spaces->items[i];
		size_t *places;

		if (space->witness_place != alike)
			continue;
		places = GPC_NEW_ARRAY(pair->arena, size_t, space->place_count + 1);
		memcpy(places, space->places, space->place_count * sizeof(*places));
		places[space->place_count++] = place;
		space->places = places;
	}
}

static bool same_services(const struct gpc_diff_space *a, const struct gpc_diff_space *b)
{
	if (a->service_count != b->service_count || a->services_but != b->services_but)
		return false;
	for (size_t i = 0; i < a->service_count; i++)
		if (strcmp(a->services[i], b->services[i]))
			return false;
	return true;
}

/* The same at another place, which is not alike in all else. */
static bool join_places(struct gpc_diff_pair *pair, struct gpc_diff_space *into,
			const struct gpc_diff_space *from)
{
	size_t *places;

	if (into->effect != from->effect || into->radius != from->radius ||
	    into->opens != from->opens ||
	    !same_services(into, from) || !same_party(&into->from, &from->from) ||
	    !same_party(&into->to, &from->to))
		return false;
	places = GPC_NEW_ARRAY(pair->arena, size_t, into->place_count + from->place_count);
	memcpy(places, into->places, into->place_count * sizeof(*places));
	memcpy(places + into->place_count, from->places, from->place_count * sizeof(*places));
	into->places = places;
	into->place_count += from->place_count;
	return true;
}

static int by_radius(const void *a, const void *b)
{
	const struct gpc_diff_space *x = a, *y = b;

	if (x->radius != y->radius)
		return x->radius > y->radius ? -1 : 1;
	if (x->effect != y->effect)
		return x->effect < y->effect ? -1 : 1;
	if (x->witness_place != y->witness_place)
		return x->witness_place < y->witness_place ? -1 : 1;
	return memcmp(&x->witness, &y->witness, sizeof(x->witness));
}

static void sort_and_join(struct gpc_diff_pair *pair, gpc_diff_space_list *spaces)
{
	size_t kept = 0;

	if (spaces->n)
		qsort(spaces->items, spaces->n, sizeof(*spaces->items), by_radius);
	for (size_t i = 0; i < spaces->n; i++) {
		bool done = false;

		for (size_t k = kept; k-- > 0 && !done &&
				      spaces->items[k].radius == spaces->items[i].radius;)
			done = join_places(pair, &spaces->items[k], &spaces->items[i]);
		if (!done)
			spaces->items[kept++] = spaces->items[i];
	}
	spaces->n = kept;
}

bool gpc_diff_spaces(struct gpc_diff_pair *pair, gpc_diff_space_list *ret)
{
	for (size_t i = 0; i < pair->place_count; i++) {
		struct gpc_atlas_pieces pieces;

		if (pair->places[i].alike != i) {
			add_place(pair, ret, pair->places[i].alike, i);
			continue;
		}
		if (gpc_atlas_compare(pair->atlas, i, &pieces) != GPC_ATLAS_DONE)
			return false;
		for (int effect = 0; effect < GPC_DIFF_EFFECTS; effect++)
			put_effect(pair, i, &pieces, (enum gpc_diff_effect)effect, ret);
	}
	sort_and_join(pair, ret);
	return true;
}

/* ---- the pair ---- */

static bool is_new_meaning(const struct gpc_image_segment *segment,
			   const struct gpc_image_segment *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(list[i].name, segment->name))
			return false;
	return true;
}

void gpc_diff_pair_open(struct gpc_arena *arena, const struct gpc_image *before,
			const struct gpc_image *after, enum gpc_atlas_scope scope, bool enforced,
			struct gpc_diff_pair *ret)
{
	size_t old_count, new_count, count = 0;
	struct gpc_image_segment *old = gpc_image_segments(before, arena, &old_count);
	struct gpc_image_segment *new = gpc_image_segments(after, arena, &new_count);
	struct gpc_set *sets = GPC_NEW_ARRAY(arena, struct gpc_set, old_count + new_count);
	const char **names = GPC_NEW_ARRAY(arena, const char *, old_count + new_count);
	struct gpc_atlas_options options = {
		.images = {before, after}, .sets = sets, .enforce_audit = enforced, .scope = scope};

	for (size_t i = 0; i < new_count; i++, count++) {
		sets[count] = new[i].set;
		names[count] = new[i].name;
	}
	for (size_t i = 0; i < old_count; i++) {
		if (!is_new_meaning(&old[i], new, new_count))
			continue;
		sets[count] = old[i].set;
		names[count++] = old[i].name;
	}
	options.set_count = count;
	*ret = (struct gpc_diff_pair){
		.arena = arena, .images = {before, after}, .enforced = enforced};
	ret->atlas = gpc_atlas_new(arena, &options);
	ret->namer = gpc_namer_new(arena, ret->atlas, names, count);
	ret->places = gpc_atlas_places(ret->atlas, &ret->place_count);
}
