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

/* ---- items ---- */

enum { SOURCE, DESTINATION, SERVICE, FACTORS };

struct item {
	uint32_t factor[FACTORS];	/* numbers of lists of atoms, twice; a region */
	const struct gpc_atlas_piece *first;	/* with the lowest witness */
	size_t piece;
	unsigned int families;
};

struct known_words {
	bool known;
	struct gpc_party party;
};

struct merging {
	struct gpc_diff_pair *pair;
	size_t place;
	struct gpc_intern lists[SERVICE];	/* of atoms */
	GPC_VEC(struct known_words) words[SERVICE]; /* of a list, for each choice of families */
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
	return gpc_intern(&m->lists[side == GPC_ATLAS_SOURCE ? SOURCE : DESTINATION], kept, n);
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
	item->factor[SERVICE] = piece->region;
	m->count++;
}

static int compare_numbers(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* What `count` items have of a factor, in all. */
static uint32_t united(struct merging *m, int factor, const struct item *items, size_t count)
{
	const struct gpc_sequence *lists = m->lists[factor].items.items;
	size_t total = 0, n = 0, kept = 0;
	uint32_t *all;

	for (size_t i = 0; i < count; i++)
		total += lists[items[i].factor[factor]].count;
	all = GPC_NEW_ARRAY(m->pair->arena, uint32_t, total);
	for (size_t i = 0; i < count; i++) {
		const struct gpc_sequence *list = &lists[items[i].factor[factor]];

		if (list->count)
			memcpy(&all[n], list->words, list->count * sizeof(*all));
		n += list->count;
	}
	qsort(all, n, sizeof(*all), compare_numbers);
	for (size_t i = 0; i < n; i++)
		if (!kept || all[kept - 1] != all[i])
			all[kept++] = all[i];
	return gpc_intern(&m->lists[factor], all, kept);
}

static uint32_t united_services(struct merging *m, const struct item *items, size_t count)
{
	uint32_t region = items[0].factor[SERVICE];

	for (size_t i = 1; i < count; i++)
		region = gpc_atlas_either(m->pair->atlas, m->place, region, items[i].factor[SERVICE]);
	return region;
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

/* Collects a run of items that differ in `factor` only into its first one. */
static void join_run(struct merging *m, int factor, struct item *items, size_t count)
{
	uint32_t all = factor == SERVICE ? united_services(m, items, count) :
					   united(m, factor, items, count);

	for (size_t i = 1; i < count; i++)
		if (items[i].piece < items[0].piece) {
			items[0].piece = items[i].piece;
			items[0].first = items[i].first;
		}
	items[0].factor[factor] = all;
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
			join_run(m, factor, &m->items[i], next - i);
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
	const struct gpc_sequence *list = &m->lists[factor].items.items[item->factor[factor]];
	size_t at = (size_t)item->factor[factor] * (GPC_NAMER_BOTH + 1) + families;
	struct known_words *words;

	while (m->words[factor].n <= at)
		*GPC_PUSH(m->pair->arena, &m->words[factor]) = (struct known_words){0};
	words = &m->words[factor].items[at];
	if (!words->known)
		*words = (struct known_words){
			true, gpc_namer_words(m->pair->namer,
					      factor == SOURCE ? GPC_ATLAS_SOURCE : GPC_ATLAS_DESTINATION,
					      list->words, list->count, families)};
	return words->party;
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

/* All of both, an item of v4 and one of v6: pairs of two families are no packets. */
static struct item item_of_both(struct merging *m, const struct item *a, const struct item *b)
{
	const struct item both[] = {*a, *b};
	struct item item = b->piece < a->piece ? *b : *a;

	for (int f = SOURCE; f <= DESTINATION; f++)
		item.factor[f] = united(m, f, both, 2);
	item.families = GPC_NAMER_BOTH;
	return item;
}

/* An item of one family: by what it is in that one, and how many words it takes to say so. */
struct said {
	struct worded loose;
	size_t terms;
};

static struct said said_of(struct merging *m, const struct item *item)
{
	struct worded words;

	if (item->families == GPC_NAMER_BOTH)
		return (struct said){0};
	words = words_of(m, item);
	return (struct said){{side_words(m, item, SOURCE, item->families),
			      side_words(m, item, DESTINATION, item->families)},
			     gpc_party_terms(&words.from) + gpc_party_terms(&words.to)};
}

#define FEW 32u	/* items, of which all pairs may be put into words */

/* Is what two items of two families say of one service better said at once? Then *ret_both is that. */
static bool are_better_joined(struct merging *m, const struct said *said, size_t i, size_t k, struct item *ret_both)
{
	const struct said *a = &said[i], *b = &said[k];
	bool from = same_party(&a->loose.from, &b->loose.from);
	bool to = same_party(&a->loose.to, &b->loose.to);
	size_t most = a->terms > b->terms ? a->terms : b->terms;
	struct worded words;

	if (!from && !to && m->count > FEW)
		return false;
	*ret_both = item_of_both(m, &m->items[i], &m->items[k]);
	if (from || to)
		return true;
	words = words_of(m, ret_both);
	return gpc_party_terms(&words.from) + gpc_party_terms(&words.to) <= most;
}

static void drop_empty(struct merging *m)
{
	size_t kept = 0;

	for (size_t i = 0; i < m->count; i++)
		if (m->items[i].families)
			m->items[kept++] = m->items[i];
	m->count = kept;
}

/* What is said of v4 and of v6 in the same words on one side, or in not more than of one of them: one item of both. */
static void join_families(struct merging *m)
{
	struct said *said = GPC_NEW_ARRAY(m->pair->arena, struct said, m->count);

	for (size_t i = 0; i < m->count; i++)
		said[i] = said_of(m, &m->items[i]);
	for (size_t i = 0; i < m->count; i++) {
		struct item *a = &m->items[i];

		for (size_t k = i + 1; k < m->count && a->families && a->families != GPC_NAMER_BOTH;
		     k++) {
			struct item *b = &m->items[k], both;

			if ((a->families ^ b->families) != GPC_NAMER_BOTH ||
			    a->factor[SERVICE] != b->factor[SERVICE] ||
			    !are_better_joined(m, said, i, k, &both))
				continue;
			*a = both;
			b->families = 0;
		}
	}
	drop_empty(m);
}

/* What an item of both families has of one. */
static uint32_t part_of(struct merging *m, const struct item *item, int factor, unsigned int family)
{
	const struct gpc_sequence *list = &m->lists[factor].items.items[item->factor[factor]];

	return trimmed(m, factor == SOURCE ? GPC_ATLAS_SOURCE : GPC_ATLAS_DESTINATION, list->words,
		       list->count, family);
}

/* Takes items of one family in that differ from what `into` has of it on one side only. */
static void take_in(struct merging *m, struct item *into, unsigned int family)
{
	uint32_t source = part_of(m, into, SOURCE, family);
	uint32_t destination = part_of(m, into, DESTINATION, family);

	for (size_t i = 0; i < m->count; i++) {
		struct item *item = &m->items[i];
		const struct item both[] = {*into, *item};
		int factor = item->factor[DESTINATION] == destination ? SOURCE : DESTINATION;

		if (item->families != family || item->factor[SERVICE] != into->factor[SERVICE] ||
		    (factor == DESTINATION && item->factor[SOURCE] != source))
			continue;
		into->factor[factor] = united(m, factor, both, 2);
		if (item->piece < into->piece) {
			into->piece = item->piece;
			into->first = item->first;
		}
		item->families = 0;
		source = part_of(m, into, SOURCE, family);
		destination = part_of(m, into, DESTINATION, family);
	}
}

static void join_mixed(struct merging *m)
{
	for (size_t i = 0; i < m->count; i++)
		for (unsigned int family = GPC_NAMER_V4;
		     m->items[i].families == GPC_NAMER_BOTH && family <= GPC_NAMER_V6; family <<= 1)
			take_in(m, &m->items[i], family);
	drop_empty(m);
}

static void merge(struct merging *m)
{
	size_t before = SIZE_MAX;

	while (m->count < before) {
		bool more = true;

		before = m->count;
		while (more) {
			more = join_by(m, SOURCE, by_destination_and_service);
			more |= join_by(m, DESTINATION, by_source_and_service);
			more |= join_by(m, SERVICE, by_source_and_destination);
		}
		join_mixed(m);
		join_families(m);
	}
}

/* ---- spaces ---- */

/* Where no chain is stateful, nothing has to. */
static bool opens_any(const struct merging *m, uint32_t region)
{
	const struct gpc_chain *const *chain = m->pair->places[m->place].chain;

	if (!(chain[0] && chain[0]->flags & GPC_CHAIN_STATEFUL) &&
	    !(chain[1] && chain[1]->flags & GPC_CHAIN_STATEFUL))
		return true;
	return gpc_atlas_opens(m->pair->atlas, m->place, region);
}

static void put_space(struct merging *m, const struct item *item, const struct gpc_diff_group *group,
		      gpc_diff_space_list *ret)
{
	struct gpc_diff_pair *pair = m->pair;
	const struct gpc_sequence *sources = &m->lists[SOURCE].items.items[item->factor[SOURCE]];
	const struct gpc_sequence *destinations =
		&m->lists[DESTINATION].items.items[item->factor[DESTINATION]];
	struct worded words = words_of(m, item);
	size_t *place = GPC_NEW(pair->arena, size_t);
	struct gpc_diff_space space = {
		.effect = group->effect,
		.move = group->move,
		.enforced = pair->enforced,
		.places = place,
		.place_count = 1,
		.from = words.from,
		.to = words.to,
		.opens = opens_any(m, item->factor[SERVICE]),
		.witness = item->first->witness,
		.witness_place = m->place,
		.verdict = {item->first->verdict[0], item->first->verdict[1]},
	};

	*place = m->place;
	gpc_diff_services(pair, m->place, item->factor[SERVICE], &space);
	space.radius *=
		gpc_namer_share(pair->namer, GPC_ATLAS_SOURCE, sources->words, sources->count) *
		gpc_namer_share(pair->namer, GPC_ATLAS_DESTINATION, destinations->words,
				destinations->count);
	*GPC_PUSH(pair->arena, ret) = space;
}

static struct merging merged(struct gpc_diff_pair *pair, size_t place, const gpc_diff_piece_list *pieces)
{
	struct merging m = {.pair = pair, .place = place};

	for (int i = SOURCE; i <= DESTINATION; i++)
		m.lists[i] = (struct gpc_intern){.arena = pair->arena, .most = SIZE_MAX};
	m.items = GPC_NEW_ARRAY(pair->arena, struct item, pieces->n);
	for (size_t i = 0; i < pieces->n; i++)
		add_item(&m, &pieces->items[i], i);
	merge(&m);
	return m;
}

/*
 * Two ways to few spaces: to merge what rules do, or what becomes of pairs of addresses in all. The better one
 * counts. Only the latter can leave a part of a piece out.
 */
static void put_group(struct gpc_diff_pair *pair, size_t place, const struct gpc_diff_group *group,
		      const gpc_diff_piece_list *known, gpc_diff_space_list *ret)
{
	gpc_diff_piece_list joint;
	struct merging m = {0}, other;

	if (!known->n)
		m = merged(pair, place, &group->pieces);
	if ((known->n || m.count > 1) && gpc_diff_joint(pair, place, &group->pieces, known, &joint)) {
		other = merged(pair, place, &joint);
		if (known->n || other.count < m.count)
			m = other;
	} else if (known->n) {
		m = merged(pair, place, &group->pieces);
	}
	for (size_t i = 0; i < m.count; i++)
		put_space(&m, &m.items[i], group, ret);
}

typedef GPC_VEC(struct gpc_diff_group) group_list;

static struct gpc_diff_group *group_of(struct gpc_arena *arena, group_list *groups,
				       enum gpc_diff_effect effect, uint32_t move)
{
	struct gpc_diff_group *group;

	for (size_t i = 0; i < groups->n; i++)
		if (groups->items[i].effect == effect && groups->items[i].move == move)
			return &groups->items[i];
	group = GPC_PUSH(arena, groups);
	*group = (struct gpc_diff_group){.effect = effect, .move = move};
	return group;
}

static group_list groups_of(struct gpc_diff_pair *pair, const struct gpc_atlas_pieces *pieces)
{
	group_list groups = {0};
	uint32_t move;

	for (int effect = 0; effect < GPC_DIFF_EFFECTS; effect++)
		for (size_t i = 0; i < pieces->count; i++)
			if (gpc_diff_effect_of(pair, &pieces->items[i], (enum gpc_diff_effect)effect, &move))
				*GPC_PUSH(pair->arena, &group_of(pair->arena, &groups,
								 (enum gpc_diff_effect)effect, move)->pieces) =
					pieces->items[i];
	return groups;
}

/* What is so already now, in regions of the pair where audit enforces. */
static gpc_diff_piece_list known_of(struct gpc_diff_pair *pair, const struct gpc_diff_pair *now, size_t place,
				    const group_list *groups, const struct gpc_diff_group *group)
{
	gpc_diff_piece_list known = {0};

	for (size_t i = 0; i < groups->n; i++) {
		const struct gpc_diff_group *other = &groups->items[i];

		for (size_t k = 0; k < other->pieces.n && other->effect == group->effect &&
				   other->move == group->move; k++) {
			struct gpc_atlas_piece *piece = GPC_PUSH(pair->arena, &known);

			*piece = other->pieces.items[k];
			piece->region = gpc_atlas_region_of(pair->atlas, place, now->atlas, piece->region);
		}
	}
	return known;
}

/* Spaces of one place. False: the atlas cannot say. */
static bool put_place(struct gpc_diff_pair *pair, struct gpc_diff_pair *now, size_t place,
		      gpc_diff_space_list *ret)
{
	struct gpc_atlas_pieces pieces, before = {0};
	group_list groups, told = {0};

	if (gpc_atlas_compare(pair->atlas, place, &pieces) != GPC_ATLAS_DONE ||
	    (now && gpc_atlas_compare(now->atlas, place, &before) != GPC_ATLAS_DONE))
		return false;
	groups = groups_of(pair, &pieces);
	if (now)
		told = groups_of(now, &before);
	for (size_t i = 0; i < groups.n; i++) {
		gpc_diff_piece_list known = known_of(pair, now, place, &told, &groups.items[i]);

		put_group(pair, place, &groups.items[i], &known, ret);
	}
	return true;
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

	if (into->effect != from->effect || into->move != from->move ||
	    into->radius != from->radius || into->opens != from->opens ||
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

bool gpc_diff_spaces(struct gpc_diff_pair *pair, struct gpc_diff_pair *now, gpc_diff_space_list *ret)
{
	for (size_t i = 0; i < pair->place_count; i++)
		if (pair->places[i].alike != i)
			add_place(pair, ret, pair->places[i].alike, i);
		else if (!put_place(pair, now, i, ret))
			return false;
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
			struct gpc_intern *moves, struct gpc_diff_pair *ret)
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
		.arena = arena, .images = {before, after}, .enforced = enforced, .moves = moves};
	ret->atlas = gpc_atlas_new(arena, &options);
	ret->namer = gpc_namer_new(arena, ret->atlas, names, count);
	ret->places = gpc_atlas_places(ret->atlas, &ret->place_count);
}
