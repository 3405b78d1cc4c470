/* SPDX-License-Identifier: MIT */
/*
 * Pieces by pairs of addresses: what they hold of a pair in all is one region, whoever decides. Addresses of one
 * family that the same pieces hold are a class.
 */
#include "diff_parts.h"

#include <stdlib.h>
#include <string.h>

#define WORK_MAX (16u * 1024 * 1024)	/* pairs of classes that pieces meet */
#define ATOMS_MAX (4u * 1024 * 1024)	/* of the pieces made */

/* Items by number: those of n are from first[n] to the one before first[n + 1]. */
struct table {
	uint32_t *first, *of;
};

struct classes {
	struct gpc_intern held;		/* by class: the pieces that hold it, ascending */
	uint32_t *class_of;		/* by atom, GPC_NONE */
	struct table atoms;		/* by class, ascending */
	struct table of_piece;		/* by piece: its classes */
};

struct finding {
	uint32_t region, destinations, source;	/* number of a list of classes; class */
};

struct joining {
	struct gpc_diff_pair *pair;
	struct gpc_arena scratch;
	size_t place;
	const struct gpc_atlas_piece **pieces;	/* those to join, then those to leave out */
	size_t joined, count;
	enum gpc_family family;
	struct classes classes[2];	/* by side */
	struct gpc_steps sums, rests;	/* of two regions */
	GPC_VEC(uint32_t) sum_of, rest_of;
	struct gpc_intern lists;	/* of classes of destinations */
	struct finding *row;		/* of one class of sources, by class of destinations */
	uint32_t *numbers;		/* room for as many classes */
	size_t put;			/* atoms of all pieces made */
	GPC_VEC(struct finding) findings;
	gpc_diff_piece_list made;
};

/* ---- classes ---- */

static const uint32_t *atoms_of(const struct gpc_atlas_piece *piece, int side, size_t *ret_count)
{
	*ret_count = side == GPC_ATLAS_SOURCE ? piece->source_count : piece->destination_count;
	return side == GPC_ATLAS_SOURCE ? piece->sources : piece->destinations;
}

/* By atom: the pieces that hold it. */
static struct table pieces_of_atoms(struct joining *j, int side, size_t atom_count)
{
	struct table t = {GPC_NEW_ARRAY(&j->scratch, uint32_t, atom_count + 2), NULL};
	size_t total = 0, count;

	for (size_t p = 0; p < j->count; p++) {
		const uint32_t *atoms = atoms_of(j->pieces[p], side, &count);

		for (size_t i = 0; i < count; i++)
			t.first[atoms[i] + 2]++;
		total += count;
	}
	for (size_t i = 2; i < atom_count + 2; i++)
		t.first[i] += t.first[i - 1];
	t.of = GPC_NEW_ARRAY(&j->scratch, uint32_t, total);
	for (uint32_t p = 0; p < j->count; p++) {
		const uint32_t *atoms = atoms_of(j->pieces[p], side, &count);

		for (size_t i = 0; i < count; i++)
			t.of[t.first[atoms[i] + 1]++] = p;
	}
	return t;
}

/* From numbers by item (GPC_NONE: none) to items by number. */
static struct table turned(struct gpc_arena *arena, const uint32_t *number_of, size_t items, size_t numbers)
{
	struct table t = {GPC_NEW_ARRAY(arena, uint32_t, numbers + 2), GPC_NEW_ARRAY(arena, uint32_t, items)};

	for (size_t i = 0; i < items; i++)
		if (number_of[i] != GPC_NONE)
			t.first[number_of[i] + 2]++;
	for (size_t n = 2; n < numbers + 2; n++)
		t.first[n] += t.first[n - 1];
	for (uint32_t i = 0; i < items; i++)
		if (number_of[i] != GPC_NONE)
			t.of[t.first[number_of[i] + 1]++] = i;
	return t;
}

static struct table classes_of_pieces(struct joining *j, const struct gpc_intern *held)
{
	struct table t = {GPC_NEW_ARRAY(&j->scratch, uint32_t, j->count + 2), NULL};

	for (size_t c = 0; c < held->items.n; c++)
		for (uint32_t i = 0; i < held->items.items[c].count; i++)
			t.first[held->items.items[c].words[i] + 2]++;
	for (size_t p = 2; p < j->count + 2; p++)
		t.first[p] += t.first[p - 1];
	t.of = GPC_NEW_ARRAY(&j->scratch, uint32_t, t.first[j->count + 1]);
	for (uint32_t c = 0; c < held->items.n; c++)
		for (uint32_t i = 0; i < held->items.items[c].count; i++)
			t.of[t.first[held->items.items[c].words[i] + 1]++] = c;
	return t;
}

static void find_classes(struct joining *j, int side)
{
	struct classes *classes = &j->classes[side];
	size_t count;
	const struct gpc_atlas_atom *atoms =
		gpc_atlas_atoms(j->pair->atlas, (enum gpc_atlas_side)side, &count);
	struct table pieces = pieces_of_atoms(j, side, count);
	uint32_t *class_of = GPC_NEW_ARRAY(&j->scratch, uint32_t, count);

	*classes = (struct classes){.held = {.arena = &j->scratch, .most = SIZE_MAX}, .class_of = class_of};
	for (size_t a = 0; a < count; a++) {
		uint32_t first = pieces.first[a], last = pieces.first[a + 1];

		class_of[a] = GPC_NONE;
		if (atoms[a].family == j->family && first < last && pieces.of[first] < j->joined)
			class_of[a] = gpc_intern(&classes->held, &pieces.of[first], last - first);
	}
	classes->atoms = turned(&j->scratch, class_of, count, classes->held.items.n);
	classes->of_piece = classes_of_pieces(j, &classes->held);
}

/* ---- regions ---- */

static uint32_t sum_of(struct joining *j, uint32_t a, uint32_t b)
{
	uint32_t number = gpc_step(&j->sums, a, b);

	if (number == j->sum_of.n)
		*GPC_PUSH(&j->scratch, &j->sum_of) = gpc_atlas_either(j->pair->atlas, j->place, a, b);
	return j->sum_of.items[number];
}

static uint32_t rest_of(struct joining *j, uint32_t a, uint32_t b)
{
	uint32_t number = gpc_step(&j->rests, a, b);

	if (number == j->rest_of.n)
		*GPC_PUSH(&j->scratch, &j->rest_of) = gpc_atlas_without(j->pair->atlas, j->place, a, b);
	return j->rest_of.items[number];
}

/* By class of destinations: the region of a class of sources. */
static void add_up(struct joining *j, uint32_t source, uint32_t *regions)
{
	const struct gpc_sequence *held = &j->classes[GPC_ATLAS_SOURCE].held.items.items[source];
	const struct table *classes = &j->classes[GPC_ATLAS_DESTINATION].of_piece;

	for (uint32_t i = 0; i < held->count; i++) {
		uint32_t p = held->words[i], region = j->pieces[p]->region;

		for (uint32_t k = classes->first[p]; k < classes->first[p + 1]; k++) {
			uint32_t *sum = &regions[classes->of[k]];

			*sum = p < j->joined ? sum_of(j, *sum, region) : rest_of(j, *sum, region);
		}
	}
}

static int by_finding(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;

	if (x->region != y->region)
		return x->region < y->region ? -1 : 1;
	if (x->destinations != y->destinations)
		return x->destinations < y->destinations ? -1 : 1;
	return x->source < y->source ? -1 : x->source > y->source;
}

/* Destinations of one region, of a class of sources. */
static void note_row(struct joining *j, uint32_t source, const uint32_t *regions)
{
	size_t count = j->classes[GPC_ATLAS_DESTINATION].held.items.n, n = 0;
	struct finding *row = j->row;
	uint32_t nothing = gpc_atlas_nothing(j->pair->atlas, j->place);

	for (uint32_t d = 0; d < count; d++)
		if (regions[d] != nothing)
			row[n++] = (struct finding){regions[d], d, source};
	if (n)
		qsort(row, n, sizeof(*row), by_finding);
	for (size_t i = 0, next; i < n; i = next) {
		for (next = i; next < n && row[next].region == row[i].region; next++)
			j->numbers[next - i] = row[next].destinations;
		*GPC_PUSH(&j->scratch, &j->findings) = (struct finding){
			row[i].region, gpc_intern(&j->lists, j->numbers, next - i), source};
	}
}

/* ---- pieces of these ---- */

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static const uint32_t *atoms_in(struct joining *j, int side, const uint32_t *classes, size_t count,
				size_t *ret_count)
{
	const struct table *atoms = &j->classes[side].atoms;
	uint32_t *all;
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		n += atoms->first[classes[i] + 1] - atoms->first[classes[i]];
	all = GPC_NEW_ARRAY(j->pair->arena, uint32_t, n);
	n = 0;
	for (size_t i = 0; i < count; i++)
		for (uint32_t k = atoms->first[classes[i]]; k < atoms->first[classes[i] + 1]; k++)
			all[n++] = atoms->of[k];
	qsort(all, n, sizeof(*all), by_number);
	j->put += n;
	*ret_count = n;
	return all;
}

/* What the piece says that holds the lowest packet of the region, of a pair. */
static const struct gpc_atlas_verdict *verdict_at(struct joining *j, uint32_t source, uint32_t destination,
						  uint32_t region)
{
	const struct classes *classes = &j->classes[GPC_ATLAS_SOURCE];
	const struct gpc_sequence *held = &classes->held.items.items[classes->class_of[source]];
	struct gpc_atlas *atlas = j->pair->atlas;
	struct gpc_question wanted = gpc_atlas_lowest(atlas, j->place, region);
	const struct gpc_atlas_verdict *verdict = j->pieces[held->words[0]]->verdict;

	for (uint32_t i = 0; i < held->count && held->words[i] < j->joined; i++) {
		const struct gpc_atlas_piece *piece = j->pieces[held->words[i]];
		uint32_t both = gpc_atlas_both(atlas, j->place, piece->region, region);
		struct gpc_question lowest;

		if (both == gpc_atlas_nothing(atlas, j->place) ||
		    !bsearch(&destination, piece->destinations, piece->destination_count, sizeof(destination),
			     by_number))
			continue;
		lowest = gpc_atlas_lowest(atlas, j->place, both);
		if (!memcmp(&lowest, &wanted, sizeof(lowest)))
			verdict = piece->verdict;
	}
	return verdict;
}

static void set_witness(struct joining *j, struct gpc_atlas_piece *made)
{
	struct gpc_atlas *atlas = j->pair->atlas;
	uint32_t source = made->sources[0], destination = made->destinations[0];
	size_t count;

	memcpy(made->verdict, verdict_at(j, source, destination, made->region), sizeof(made->verdict));
	made->witness = gpc_atlas_lowest(atlas, j->place, made->region);
	made->witness.family = j->family;
	memcpy(made->witness.source,
	       gpc_atlas_atoms(atlas, GPC_ATLAS_SOURCE, &count)[source].set.ranges[0].first.bytes,
	       sizeof(made->witness.source));
	memcpy(made->witness.destination,
	       gpc_atlas_atoms(atlas, GPC_ATLAS_DESTINATION, &count)[destination].set.ranges[0].first.bytes,
	       sizeof(made->witness.destination));
}

static bool make_pieces(struct joining *j)
{
	const struct finding *f = j->findings.items;
	uint32_t *sources = GPC_NEW_ARRAY(&j->scratch, uint32_t, j->findings.n);

	if (j->findings.n)
		qsort(j->findings.items, j->findings.n, sizeof(*f), by_finding);
	for (size_t i = 0, next; i < j->findings.n; i = next) {
		struct gpc_atlas_piece made = {.place = j->place, .region = f[i].region};
		const struct gpc_sequence *list = &j->lists.items.items[f[i].destinations];

		for (next = i; next < j->findings.n && f[next].region == f[i].region &&
			       f[next].destinations == f[i].destinations; next++)
			sources[next - i] = f[next].source;
		made.sources = atoms_in(j, GPC_ATLAS_SOURCE, sources, next - i, &made.source_count);
		made.destinations = atoms_in(j, GPC_ATLAS_DESTINATION, list->words, list->count,
					     &made.destination_count);
		set_witness(j, &made);
		*GPC_PUSH(j->pair->arena, &j->made) = made;
		if (j->put > ATOMS_MAX)
			return false;
	}
	return true;
}

/* ---- all ---- */

/* How often a region is added up or left out. */
static uint64_t work_of(const struct joining *j)
{
	const struct table *sources = &j->classes[GPC_ATLAS_SOURCE].of_piece;
	const struct table *destinations = &j->classes[GPC_ATLAS_DESTINATION].of_piece;
	uint64_t work = (uint64_t)j->classes[0].held.items.n * j->classes[1].held.items.n;

	for (size_t p = 0; p < j->count; p++)
		work += (uint64_t)(sources->first[p + 1] - sources->first[p]) *
			(destinations->first[p + 1] - destinations->first[p]);
	return work;
}

static bool join_family(struct joining *j, enum gpc_family family)
{
	size_t count;
	uint32_t *regions;

	j->family = family;
	find_classes(j, GPC_ATLAS_SOURCE);
	find_classes(j, GPC_ATLAS_DESTINATION);
	if (work_of(j) > WORK_MAX)
		return false;
	count = j->classes[GPC_ATLAS_DESTINATION].held.items.n;
	regions = GPC_NEW_ARRAY(&j->scratch, uint32_t, count);
	j->row = GPC_NEW_ARRAY(&j->scratch, struct finding, count);
	j->numbers = GPC_NEW_ARRAY(&j->scratch, uint32_t, count);
	j->lists = (struct gpc_intern){.arena = &j->scratch, .most = SIZE_MAX};
	j->findings.n = 0;
	for (uint32_t s = 0; s < j->classes[GPC_ATLAS_SOURCE].held.items.n; s++) {
		for (size_t d = 0; d < count; d++)
			regions[d] = gpc_atlas_nothing(j->pair->atlas, j->place);
		add_up(j, s, regions);
		note_row(j, s, regions);
	}
	return make_pieces(j);
}

static int by_lowest(const void *a, const void *b)
{
	const struct gpc_atlas_piece *x = a, *y = b;

	if (x->sources[0] != y->sources[0])
		return x->sources[0] < y->sources[0] ? -1 : 1;
	return x->destinations[0] < y->destinations[0] ? -1 : x->destinations[0] > y->destinations[0];
}

bool gpc_diff_joint(struct gpc_diff_pair *pair, size_t place, const gpc_diff_piece_list *these,
		    const gpc_diff_piece_list *without, gpc_diff_piece_list *ret)
{
	struct joining j = {.pair = pair, .place = place, .joined = these->n, .count = these->n + without->n};
	bool done;

	j.pieces = GPC_NEW_ARRAY(&j.scratch, const struct gpc_atlas_piece *, j.count);
	for (size_t i = 0; i < j.count; i++)
		j.pieces[i] = i < these->n ? &these->items[i] : &without->items[i - these->n];
	j.sums = (struct gpc_steps){.arena = &j.scratch};
	j.rests = (struct gpc_steps){.arena = &j.scratch};
	done = join_family(&j, GPC_V4) && join_family(&j, GPC_V6);
	if (done && j.made.n)
		qsort(j.made.items, j.made.n, sizeof(*j.made.items), by_lowest);
	*ret = j.made;
	gpc_arena_release(&j.scratch);
	return done;
}
