/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "atlas_sheet.h"

#define FINDINGS_MAX (8u * 1024 * 1024)
#define LIST_WORDS_MAX (32u * 1024 * 1024)
#define WORK_MAX (4ull * 1024 * 1024 * 1024)
#define PAIRS_MAX (4ull * 1024 * 1024 * 1024)
#define ATOMS_MAX (32u * 1024 * 1024)
#define FAMILY_SETS 4u /* of two families */

/* What a pair of functions has to say: verdict in each image and the packets it is about. */
struct change {
	uint32_t verdict[2], set;
};

struct answer {
	uint32_t *changes;
	size_t count;
	bool known;
};

/* A source line, one of its changes, and the list of destination lines where it is so. */
struct finding {
	uint32_t change, list, line;
};

struct hunt {
	struct gpc_atlas *atlas;
	struct gpc_arena scratch;		/* of this call; what is given back lies in the atlas's */
	struct gpc_atlas_sheet *sheet;
	const struct gpc_atlas_query *query;	/* NULL: a comparison */
	size_t place;
	uint32_t mask;				/* set: packets that count */
	const bool *selected[2];		/* by atom; NULL: all */
	uint8_t *families[2];			/* by joint line: of its selected atoms, bits */
	uint32_t *first[2], *of[2];		/* by joint line: its selected atoms */
	struct gpc_steps functions;		/* of both images, or of one: answers by number */
	GPC_VEC(struct answer) answers;
	struct gpc_intern changes;		/* words of struct change */
	struct gpc_intern lists;		/* destination lines */
	struct open_list {
		uint32_t *items;
		size_t n, cap;
	} *open;				/* by change, as many as `open_count` */
	size_t open_count;
	GPC_VEC(uint32_t) touched;
	GPC_VEC(struct finding) findings;
	struct atom_list {
		const uint32_t *atoms;
		size_t count;
	} *destinations;			/* by list * FAMILY_SETS + families: atoms, once found */
	uint64_t work, pairs;
	size_t put;				/* atoms of all pieces */
};

/* ---- atoms of joint lines ---- */

static void select_side(struct hunt *h, int side)
{
	const struct gpc_atlas_atoms *atoms = &h->atlas->atoms[side];
	const uint32_t *joint_of = h->sheet->joint_of[side];
	size_t lines = h->sheet->joints[side].items.n;
	uint32_t *first = GPC_NEW_ARRAY(&h->scratch, uint32_t, lines + 2);

	h->families[side] = GPC_NEW_ARRAY(&h->scratch, uint8_t, lines);
	h->of[side] = GPC_NEW_ARRAY(&h->scratch, uint32_t, atoms->count);
	for (size_t i = 0; i < atoms->count; i++)
		if (!h->selected[side] || h->selected[side][i]) {
			first[joint_of[i] + 2]++;
			h->families[side][joint_of[i]] |= (uint8_t)(1u << atoms->items[i].family);
		}
	for (size_t i = 2; i < lines + 2; i++)
		first[i] += first[i - 1];
	for (size_t i = 0; i < atoms->count; i++)
		if (!h->selected[side] || h->selected[side][i])
			h->of[side][first[joint_of[i] + 1]++] = (uint32_t)i;
	h->first[side] = first;
}

static bool begin(struct hunt *h)
{
	struct gpc_arena *arena = &h->scratch;

	h->sheet = gpc_atlas_sheet_of(h->atlas, h->place);
	if (!h->sheet)
		return false;
	h->functions = (struct gpc_steps){.arena = arena};
	h->changes = (struct gpc_intern){.arena = arena, .most = LIST_WORDS_MAX};
	h->lists = (struct gpc_intern){.arena = arena, .most = LIST_WORDS_MAX};
	select_side(h, GPC_ATLAS_SOURCE);
	select_side(h, GPC_ATLAS_DESTINATION);
	return true;
}

static void begin_query(struct hunt *h)
{
	const struct gpc_atlas_query *q = h->query;
	struct gpc_kinds *kinds = &h->sheet->kinds;

	h->mask = h->sheet->scope[q->image];
	if (q->service == GPC_NONE)
		return;
	if (q->outside)
		h->mask = gpc_kinds_minus(kinds, h->mask, h->sheet->service[q->service]);
	else
		h->mask = gpc_kinds_and(kinds, h->mask, h->sheet->service[q->service]);
}

/* ---- answers ---- */

static uint32_t note_change(struct hunt *h, uint32_t a, uint32_t b, uint32_t set)
{
	struct change change = {{a, b}, set};

	return gpc_intern(&h->changes, (const uint32_t *)(const void *)&change, sizeof(change) / sizeof(uint32_t));
}

struct numbers {
	uint32_t *items;
	size_t n, cap;
};

static void keep(struct hunt *h, struct numbers *numbers, uint32_t number)
{
	*GPC_PUSH(&h->scratch, numbers) = number;
}

static uint32_t *effects_of(struct hunt *h, unsigned int image, const struct gpc_sequence *function)
{
	uint32_t *effects = GPC_NEW_ARRAY(&h->scratch, uint32_t, function->count / 2);

	for (uint32_t i = 0; i < function->count; i += 2)
		effects[i / 2] = gpc_effect_of(&h->sheet->effects, h->sheet->chart[image].image,
					       gpc_chart_verdict(&h->sheet->chart[image], function->words[i]));
	return effects;
}

static void find_changes(struct hunt *h, uint32_t a, uint32_t b, struct numbers *ret)
{
	struct gpc_kinds *kinds = &h->sheet->kinds;
	const struct gpc_sequence *x = &h->sheet->chart[0].functions.items.items[a];
	const struct gpc_sequence *y = &h->sheet->chart[1].functions.items.items[b];
	uint32_t *before = effects_of(h, 0, x), *after = effects_of(h, 1, y);

	for (uint32_t i = 0; i < x->count; i += 2)
		for (uint32_t k = 0; k < y->count; k += 2) {
			uint32_t set;

			if (before[i / 2] == after[k / 2])
				continue;
			h->work += kinds->words;
			set = gpc_kinds_and(kinds, gpc_kinds_and(kinds, x->words[i + 1], y->words[k + 1]), h->mask);
			if (set != kinds->nothing)
				keep(h, ret, note_change(h, x->words[i], y->words[k], set));
		}
}

static void find_wanted(struct hunt *h, uint32_t function, struct numbers *ret)
{
	const struct gpc_atlas_query *q = h->query;
	struct gpc_chart *chart = &h->sheet->chart[q->image];
	const struct gpc_sequence *f = &chart->functions.items.items[function];

	for (uint32_t i = 0; i < f->count; i += 2) {
		const struct gpc_atlas_verdict *verdict = gpc_chart_verdict(chart, f->words[i]);
		uint32_t set;

		if (q->wanted ? !q->wanted(q->context, verdict) : !gpc_atlas_passes(verdict))
			continue;
		set = gpc_kinds_and(&h->sheet->kinds, f->words[i + 1], h->mask);
		if (set != h->sheet->kinds.nothing)
			keep(h, ret, note_change(h, f->words[i], f->words[i], set));
	}
}

static const struct answer *answer_of(struct hunt *h, uint32_t a, uint32_t b)
{
	uint32_t number = gpc_step(&h->functions, a, b);
	struct numbers found = {0};

	if (number < h->answers.n)
		return &h->answers.items[number];
	if (h->query)
		find_wanted(h, a, &found);
	else
		find_changes(h, a, b, &found);
	*GPC_PUSH(&h->scratch, &h->answers) = (struct answer){found.items, found.n, true};
	return &h->answers.items[number];
}

static uint32_t node_at(const struct hunt *h, unsigned int image, uint32_t destination)
{
	struct gpc_step lines = h->sheet->joints[GPC_ATLAS_DESTINATION].items.items[destination];

	return h->sheet->nodes[image][image ? lines.by : lines.from];
}

/* What there is to say about the present source and a destination line; NULL: nothing. */
static const struct answer *ask(struct hunt *h, uint32_t destination)
{
	struct gpc_atlas_sheet *sheet = h->sheet;
	const struct answer *answer;
	uint32_t function[2];

	if (h->query) {
		function[0] = gpc_chart_function(&sheet->chart[h->query->image],
						 node_at(h, h->query->image, destination));
		answer = answer_of(h, function[0], 0);
		return answer->count ? answer : NULL;
	}
	if (gpc_chart_effect(&sheet->chart[0], node_at(h, 0, destination)) ==
	    gpc_chart_effect(&sheet->chart[1], node_at(h, 1, destination)))
		return NULL;
	for (unsigned int k = 0; k < 2; k++)
		function[k] = gpc_chart_function(&sheet->chart[k], node_at(h, k, destination));
	answer = answer_of(h, function[0], function[1]);
	return answer->count ? answer : NULL;
}

/* ---- rows ---- */

static void take(struct hunt *h, uint32_t change, uint32_t destination)
{
	if (change >= h->open_count) {
		size_t count = h->open_count ? 2 * h->open_count : 64;
		struct open_list *open;

		while (count <= change)
			count *= 2;
		open = GPC_NEW_ARRAY(&h->scratch, struct open_list, count);
		if (h->open_count)
			memcpy(open, h->open, h->open_count * sizeof(*open));
		h->open = open;
		h->open_count = count;
	}
	if (!h->open[change].n)
		*GPC_PUSH(&h->scratch, &h->touched) = change;
	*GPC_PUSH(&h->scratch, &h->open[change]) = destination;
}

static bool faulty(struct hunt *h)
{
	for (unsigned int k = 0; k < h->atlas->images && !h->atlas->fault; k++)
		h->atlas->fault = h->sheet->chart[k].fault;
	if (!h->atlas->fault && (h->changes.full || h->lists.full || h->findings.n > FINDINGS_MAX ||
				 h->work > WORK_MAX || h->sheet->kinds.sets.full))
		h->atlas->fault = "more different pieces than memory is given for";
	return h->atlas->fault;
}

/* Work of this call: pairs of lines looked at, cells met. */
static bool too_much(struct hunt *h, uint64_t work)
{
	h->pairs += work;
	if (h->pairs > PAIRS_MAX && !h->atlas->fault)
		h->atlas->fault = "more pairs of sources and destinations than time is given for";
	return h->atlas->fault;
}

static bool hunt_row(struct hunt *h, uint32_t line)
{
	uint8_t families = h->families[GPC_ATLAS_SOURCE][line];
	size_t lines = h->sheet->joints[GPC_ATLAS_DESTINATION].items.n;

	h->touched.n = 0;
	if (too_much(h, lines) || !gpc_atlas_rows(h->atlas, h->sheet, line, &h->pairs))
		return false;
	for (uint32_t d = 0; d < lines && !h->sheet->chart[0].fault && !h->sheet->chart[1].fault; d++) {
		const struct answer *answer =
			families & h->families[GPC_ATLAS_DESTINATION][d] ? ask(h, d) : NULL;

		for (size_t i = 0; answer && i < answer->count; i++)
			take(h, answer->changes[i], d);
	}
	for (size_t i = 0; i < h->touched.n; i++) {
		struct open_list *open = &h->open[h->touched.items[i]];

		*GPC_PUSH(&h->scratch, &h->findings) = (struct finding){
			h->touched.items[i], gpc_intern(&h->lists, open->items, open->n), line};
		open->n = 0;
	}
	return !faulty(h);
}

static int by_finding(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;

	if (x->change != y->change)
		return x->change < y->change ? -1 : 1;
	if (x->list != y->list)
		return x->list < y->list ? -1 : 1;
	return x->line < y->line ? -1 : x->line > y->line;
}

/* ---- pieces ---- */

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static uint8_t families_of(const struct hunt *h, int side, const uint32_t *lines, size_t count)
{
	uint8_t families = 0;

	for (size_t i = 0; i < count; i++)
		families |= h->families[side][lines[i]];
	return families;
}

/* The selected atoms of these lines, of these families, ascending. */
static const uint32_t *atoms_of(struct hunt *h, int side, const uint32_t *lines, size_t line_count, uint8_t families,
				size_t *ret_count)
{
	const struct gpc_atlas_atom *atoms = h->atlas->atoms[side].items;
	size_t count = 0;
	uint32_t *ret;

	for (size_t i = 0; i < line_count; i++)
		count += h->first[side][lines[i] + 1] - h->first[side][lines[i]];
	ret = GPC_NEW_ARRAY(h->atlas->arena, uint32_t, count);
	count = 0;
	for (size_t i = 0; i < line_count; i++)
		for (uint32_t k = h->first[side][lines[i]]; k < h->first[side][lines[i] + 1]; k++)
			if (families >> atoms[h->of[side][k]].family & 1)
				ret[count++] = h->of[side][k];
	qsort(ret, count, sizeof(*ret), by_number);
	h->put += count;
	*ret_count = count;
	return ret;
}

/* Many pieces have the same destinations. */
static struct atom_list destinations_of(struct hunt *h, uint32_t list, uint8_t families)
{
	const struct gpc_sequence *lines = &h->lists.items.items[list];
	struct atom_list *known = &h->destinations[list * FAMILY_SETS + families];

	if (!known->atoms)
		known->atoms = atoms_of(h, GPC_ATLAS_DESTINATION, lines->words, lines->count, families,
					&known->count);
	return *known;
}

static struct gpc_question witness_of(const struct hunt *h, uint32_t source, uint32_t destination, uint32_t set)
{
	const struct gpc_atlas_atom *from = &h->atlas->atoms[GPC_ATLAS_SOURCE].items[source];
	const struct gpc_atlas_atom *to = &h->atlas->atoms[GPC_ATLAS_DESTINATION].items[destination];
	struct gpc_question packet = h->sheet->kinds.packets[gpc_kinds_lowest(&h->sheet->kinds, set)];

	memcpy(packet.source, from->set.ranges[0].first.bytes, sizeof(packet.source));
	memcpy(packet.destination, to->set.ranges[0].first.bytes, sizeof(packet.destination));
	packet.family = from->family;
	return packet;
}

static void describe(const struct hunt *h, const struct change *change, struct gpc_atlas_piece *piece)
{
	const struct gpc_atlas_atom *to = h->atlas->atoms[GPC_ATLAS_DESTINATION].items;
	enum gpc_family family = h->atlas->atoms[GPC_ATLAS_SOURCE].items[piece->sources[0]].family;
	size_t lowest = 0;

	for (unsigned int k = 0; k < 2; k++)
		piece->verdict[k] = *gpc_chart_verdict(&h->sheet->chart[h->query ? h->query->image : k],
						       change->verdict[k]);
	while (to[piece->destinations[lowest]].family != family)
		lowest++;
	piece->place = h->place;
	piece->region = change->set;
	piece->witness = witness_of(h, piece->sources[0], piece->destinations[lowest], change->set);
}

static struct gpc_atlas_piece piece_of(struct hunt *h, const struct finding *findings, size_t count)
{
	const struct gpc_sequence *list = &h->lists.items.items[findings[0].list];
	const struct change *change = (const void *)h->changes.items.items[findings[0].change].words;
	uint32_t *lines = GPC_NEW_ARRAY(&h->scratch, uint32_t, count);
	struct gpc_atlas_piece piece = {0};
	struct atom_list destinations;
	uint8_t families;

	for (size_t i = 0; i < count; i++)
		lines[i] = findings[i].line;
	families = families_of(h, GPC_ATLAS_SOURCE, lines, count) &
		   families_of(h, GPC_ATLAS_DESTINATION, list->words, list->count);
	piece.sources = atoms_of(h, GPC_ATLAS_SOURCE, lines, count, families, &piece.source_count);
	destinations = destinations_of(h, findings[0].list, families);
	piece.destinations = destinations.atoms;
	piece.destination_count = destinations.count;
	describe(h, change, &piece);
	return piece;
}

static int compare_addresses(const __u64 a[2], const __u64 b[2], enum gpc_family x, enum gpc_family y)
{
	return x != y ? (int)x - (int)y : memcmp(a, b, 2 * sizeof(*a));
}

static int by_witness(const void *a, const void *b)
{
	const struct gpc_atlas_piece *p = a, *q = b;
	const struct gpc_question *x = &p->witness, *y = &q->witness;
	int order = compare_addresses(x->source, y->source, (enum gpc_family)x->family, (enum gpc_family)y->family);

	if (!order)
		order = compare_addresses(x->destination, y->destination, (enum gpc_family)x->family,
					  (enum gpc_family)y->family);
	if (order)
		return order;
	if (x->protocol != y->protocol)
		return x->protocol < y->protocol ? -1 : 1;
	if (x->destination_port != y->destination_port)
		return x->destination_port < y->destination_port ? -1 : 1;
	return p->region < q->region ? -1 : p->region > q->region;
}

static enum gpc_atlas_result collect(struct hunt *h, struct gpc_atlas_pieces *ret)
{
	GPC_VEC(struct gpc_atlas_piece) pieces = {0};
	const struct finding *f = h->findings.items;

	h->destinations = GPC_NEW_ARRAY(&h->scratch, struct atom_list, FAMILY_SETS * h->lists.items.n);
	if (h->findings.n)
		qsort(h->findings.items, h->findings.n, sizeof(*h->findings.items), by_finding);
	for (size_t i = 0, next; i < h->findings.n; i = next) {
		for (next = i + 1; next < h->findings.n && f[next].change == f[i].change && f[next].list == f[i].list;)
			next++;
		*GPC_PUSH(h->atlas->arena, &pieces) = piece_of(h, f + i, next - i);
		if (h->put > ATOMS_MAX) {
			h->atlas->fault = "more different pieces than memory is given for";
			return GPC_ATLAS_ENTANGLED;
		}
	}
	if (pieces.n)
		qsort(pieces.items, pieces.n, sizeof(*pieces.items), by_witness);
	*ret = (struct gpc_atlas_pieces){pieces.items, pieces.n};
	return GPC_ATLAS_DONE;
}

static enum gpc_atlas_result hunt_all(struct hunt *h, struct gpc_atlas_pieces *ret)
{
	for (uint32_t line = 0; line < h->sheet->joints[GPC_ATLAS_SOURCE].items.n; line++)
		if (h->families[GPC_ATLAS_SOURCE][line] && !hunt_row(h, line))
			return GPC_ATLAS_ENTANGLED;
	return collect(h, ret);
}

static enum gpc_atlas_result done(struct hunt *h, enum gpc_atlas_result result)
{
	gpc_arena_release(&h->scratch);
	return result;
}

static bool same_images(const struct gpc_atlas *atlas)
{
	const struct gpc_image *const *images = atlas->options.images;

	return !memcmp(images[0]->head->decision_digest, images[1]->head->decision_digest,
		       sizeof(images[0]->head->decision_digest));
}

enum gpc_atlas_result gpc_atlas_compare(struct gpc_atlas *atlas, size_t place, struct gpc_atlas_pieces *ret)
{
	struct hunt h = {.atlas = atlas, .place = place};

	*ret = (struct gpc_atlas_pieces){0};
	if (atlas->images < 2 || same_images(atlas))
		return GPC_ATLAS_DONE;
	if (!begin(&h))
		return GPC_ATLAS_ENTANGLED;
	h.mask = h.sheet->common_scope;
	return done(&h, hunt_all(&h, ret));
}

enum gpc_atlas_result gpc_atlas_survey(struct gpc_atlas *atlas, const struct gpc_atlas_query *query,
				       struct gpc_atlas_pieces *ret)
{
	struct hunt h = {.atlas = atlas,
			 .place = query->place,
			 .query = query,
			 .selected = {query->sources, query->destinations}};

	*ret = (struct gpc_atlas_pieces){0};
	if (!begin(&h))
		return GPC_ATLAS_ENTANGLED;
	begin_query(&h);
	return done(&h, hunt_all(&h, ret));
}

/* ---- the first ---- */

/* The lowest selected destination atom of the family that there is something to say about; GPC_NONE: none. */
static uint32_t first_destination(struct hunt *h, uint32_t line, enum gpc_family family)
{
	const struct gpc_atlas_atoms *atoms = &h->atlas->atoms[GPC_ATLAS_DESTINATION];
	size_t lines = h->sheet->joints[GPC_ATLAS_DESTINATION].items.n;
	bool *hit = GPC_NEW_ARRAY(&h->scratch, bool, lines), any = false;

	if (too_much(h, lines) || !gpc_atlas_rows(h->atlas, h->sheet, line, &h->pairs))
		return GPC_NONE;
	for (uint32_t d = 0; d < lines && !h->sheet->chart[h->query->image].fault; d++)
		if (h->families[GPC_ATLAS_DESTINATION][d] >> family & 1 && ask(h, d))
			hit[d] = any = true;
	for (uint32_t i = 0; any && i < atoms->count; i++)
		if (atoms->items[i].family == family && hit[h->sheet->joint_of[GPC_ATLAS_DESTINATION][i]] &&
		    (!h->selected[GPC_ATLAS_DESTINATION] || h->selected[GPC_ATLAS_DESTINATION][i]))
			return i;
	return GPC_NONE;
}

/* The change with the lowest packet of the present source and the destination. */
static const struct change *lowest_change(struct hunt *h, uint32_t destination)
{
	const struct answer *answer = ask(h, h->sheet->joint_of[GPC_ATLAS_DESTINATION][destination]);
	const struct gpc_kinds *kinds = &h->sheet->kinds;
	const struct change *best = NULL;
	uint64_t rank = UINT64_MAX;

	for (size_t i = 0; i < answer->count; i++) {
		const struct change *change = (const void *)h->changes.items.items[answer->changes[i]].words;
		uint64_t own = kinds->ranks[gpc_kinds_lowest(kinds, change->set)];

		if (!best || own < rank) {
			best = change;
			rank = own;
		}
	}
	return best;
}

static void put_first(struct hunt *h, uint32_t source, uint32_t destination, struct gpc_atlas_piece *ret)
{
	const struct change *change = lowest_change(h, destination);
	uint32_t *atoms = GPC_NEW_ARRAY(h->atlas->arena, uint32_t, 2);

	atoms[0] = source;
	atoms[1] = destination;
	*ret = (struct gpc_atlas_piece){.sources = atoms,
					.destinations = atoms + 1,
					.source_count = 1,
					.destination_count = 1};
	describe(h, change, ret);
}

enum gpc_atlas_result gpc_atlas_first(struct gpc_atlas *atlas, const struct gpc_atlas_query *query,
				      struct gpc_atlas_piece *ret)
{
	const struct gpc_atlas_atoms *atoms = &atlas->atoms[GPC_ATLAS_SOURCE];
	struct hunt h = {.atlas = atlas,
			 .place = query->place,
			 .query = query,
			 .selected = {query->sources, query->destinations}};
	uint8_t *clean;

	if (!begin(&h))
		return GPC_ATLAS_ENTANGLED;
	begin_query(&h);
	clean = GPC_NEW_ARRAY(&h.scratch, uint8_t, h.sheet->joints[GPC_ATLAS_SOURCE].items.n);
	for (uint32_t i = 0; i < atoms->count; i++) {
		uint32_t line = h.sheet->joint_of[GPC_ATLAS_SOURCE][i], destination;
		enum gpc_family family = atoms->items[i].family;

		if ((query->sources && !query->sources[i]) || clean[line] >> family & 1)
			continue;
		destination = first_destination(&h, line, family);
		if (faulty(&h))
			return done(&h, GPC_ATLAS_ENTANGLED);
		if (destination != GPC_NONE) {
			put_first(&h, i, destination, ret);
			return done(&h, GPC_ATLAS_DONE);
		}
		clean[line] |= (uint8_t)(1u << family);
	}
	return done(&h, GPC_ATLAS_NONE);
}
