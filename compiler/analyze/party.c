/* SPDX-License-Identifier: MIT */
#include "party.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FEW 2u	/* so few terms are not tried to be said the other way round */

/* ---- what the sets are made of ---- */

struct side {
	const struct gpc_atlas_atom *atoms;
	size_t count;
	double *share;			/* by atom: of its family's addresses */
	size_t family_atoms[2];
	uint32_t *first, *members;	/* by set: its atoms */
	uint32_t (*total)[2];		/* by set and family: how many */
	bool *in;			/* scratch, by atom */
	uint32_t *covered;		/* scratch, by atom: by how many of the chosen */
	uint32_t (*found)[2];		/* scratch, by set and family */
};

struct gpc_namer {
	struct gpc_arena *arena;
	const char *const *names;
	size_t count;
	struct side sides[2];
};

static double share_of(const struct gpc_atlas_atom *atom)
{
	double share = 0;

	for (size_t i = 0; i < atom->set.count; i++) {
		unsigned __int128 more = 0;

		for (int byte = 0; byte < 16; byte++)
			more = (more << 8) + atom->set.ranges[i].last.bytes[byte] -
			       atom->set.ranges[i].first.bytes[byte];
		share += ldexp((double)more + 1, atom->family == GPC_V4 ? -32 : -128);
	}
	return share;
}

static void fill_members(struct gpc_namer *namer, struct side *side)
{
	struct gpc_arena *arena = namer->arena;
	size_t sum = 0;
	uint32_t *next = GPC_NEW_ARRAY(arena, uint32_t, namer->count + 1);

	side->first = GPC_NEW_ARRAY(arena, uint32_t, namer->count + 1);
	for (size_t i = 0; i < side->count; i++) {
		sum += side->atoms[i].member_count;
		for (size_t k = 0; k < side->atoms[i].member_count; k++)
			side->total[side->atoms[i].members[k]][side->atoms[i].family]++;
	}
	side->members = GPC_NEW_ARRAY(arena, uint32_t, sum);
	for (size_t set = 0; set < namer->count; set++) {
		next[set] = side->first[set];
		side->first[set + 1] = side->first[set] + side->total[set][0] + side->total[set][1];
	}
	for (uint32_t i = 0; i < side->count; i++)
		for (size_t k = 0; k < side->atoms[i].member_count; k++)
			side->members[next[side->atoms[i].members[k]]++] = i;
}

struct gpc_namer *gpc_namer_new(struct gpc_arena *arena, struct gpc_atlas *atlas,
				const char *const *names, size_t count)
{
	struct gpc_namer *namer = GPC_NEW(arena, struct gpc_namer);

	*namer = (struct gpc_namer){.arena = arena, .names = names, .count = count};
	for (int s = 0; s < 2; s++) {
		struct side *side = &namer->sides[s];

		side->atoms = gpc_atlas_atoms(atlas, (enum gpc_atlas_side)s, &side->count);
		if (!side->atoms)
			side->count = 0;
		side->share = GPC_NEW_ARRAY(arena, double, side->count);
		side->in = GPC_NEW_ARRAY(arena, bool, side->count);
		side->covered = GPC_NEW_ARRAY(arena, uint32_t, side->count);
		side->total = gpc_arena_calloc(arena, count + 1, sizeof(*side->total));
		side->found = gpc_arena_calloc(arena, count + 1, sizeof(*side->found));
		for (size_t i = 0; i < side->count; i++) {
			side->share[i] = share_of(&side->atoms[i]);
			side->family_atoms[side->atoms[i].family]++;
		}
		fill_members(namer, side);
	}
	return namer;
}

/* ---- covering a set by named ones ---- */

struct choice {
	uint32_t set;
	double gain;	/* at most: what it covers and no other does */
};

struct cover {
	struct gpc_namer *namer;
	struct gpc_arena *scratch;
	struct side *side;
	const uint32_t *atoms;	/* of the families that count */
	size_t count;
	unsigned int families;
	struct choice *choices;
	size_t choice_count;
	uint32_t *chosen;
	size_t chosen_count;
};

static bool counts(const struct cover *c, uint32_t atom)
{
	return c->families >> c->side->atoms[atom].family & 1;
}

static double gain_of(const struct cover *c, uint32_t set)
{
	double gain = 0;

	for (uint32_t i = c->side->first[set]; i < c->side->first[set + 1]; i++) {
		uint32_t atom = c->side->members[i];

		if (counts(c, atom) && !c->side->covered[atom])
			gain += c->side->share[atom];
	}
	return gain;
}

static bool lies_inside(const struct cover *c, uint32_t set)
{
	const struct side *side = c->side;
	uint32_t held = 0;

	for (int family = 0; family < 2; family++) {
		if (!(c->families >> family & 1))
			continue;
		if (side->found[set][family] != side->total[set][family])
			return false;
		held += side->total[set][family];
	}
	return held && c->namer->names[set];
}

/* The sets that lie inside, each once; leaves `found` zero. */
static void find_choices(struct cover *c)
{
	struct side *side = c->side;
	GPC_VEC(struct choice) list = {0};

	for (size_t i = 0; i < c->count; i++)
		for (size_t k = 0; k < side->atoms[c->atoms[i]].member_count; k++)
			side->found[side->atoms[c->atoms[i]].members[k]]
				   [side->atoms[c->atoms[i]].family]++;
	for (size_t i = 0; i < c->count; i++)
		for (size_t k = 0; k < side->atoms[c->atoms[i]].member_count; k++) {
			uint32_t set = side->atoms[c->atoms[i]].members[k];

			if (lies_inside(c, set))
				*GPC_PUSH(c->scratch, &list) =
					(struct choice){set, gain_of(c, set)};
			side->found[set][0] = side->found[set][1] = 0;
		}
	c->choices = list.items;
	c->choice_count = list.n;
	c->chosen = GPC_NEW_ARRAY(c->scratch, uint32_t, list.n);
}

static int compare_choices(const void *a, const void *b)
{
	const struct choice *x = a, *y = b;

	if (x->gain != y->gain)
		return x->gain > y->gain ? -1 : 1;
	return x->set < y->set ? -1 : x->set > y->set;
}

static void add_covered(const struct cover *c, uint32_t set, int by)
{
	for (uint32_t i = c->side->first[set]; i < c->side->first[set + 1]; i++)
		c->side->covered[c->side->members[i]] += (uint32_t)by;
}

/* The one that covers most, again and again. Gains only shrink, so those of before are bounds. */
static void choose(struct cover *c)
{
	size_t n = c->choice_count;

	if (n)
		qsort(c->choices, n, sizeof(*c->choices), compare_choices);
	for (size_t i = 0; i < n;) {
		struct choice now = {c->choices[i].set, gain_of(c, c->choices[i].set)};
		size_t k = i;

		if (now.gain <= 0) {
			i++;
			continue;
		}
		for (; k + 1 < n && compare_choices(&c->choices[k + 1], &now) < 0; k++)
			c->choices[k] = c->choices[k + 1];
		c->choices[k] = now;
		if (k != i)
			continue;
		add_covered(c, now.set, 1);
		c->chosen[c->chosen_count++] = now.set;
		i++;
	}
}

static bool is_needed(const struct cover *c, uint32_t set)
{
	for (uint32_t i = c->side->first[set]; i < c->side->first[set + 1]; i++)
		if (counts(c, c->side->members[i]) && c->side->covered[c->side->members[i]] < 2)
			return true;
	return false;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static struct gpc_party take(struct cover *c)
{
	const char **names = GPC_NEW_ARRAY(c->scratch, const char *, c->chosen_count);
	struct gpc_set *rest = GPC_NEW_ARRAY(c->scratch, struct gpc_set, c->count);
	struct gpc_party party = {0};
	size_t left = 0;

	for (size_t i = c->chosen_count; i-- > 0;)
		if (is_needed(c, c->chosen[i])) {
			names[party.name_count++] = c->namer->names[c->chosen[i]];
		} else {
			add_covered(c, c->chosen[i], -1);
			c->chosen[i] = GPC_NONE;
		}
	for (size_t i = 0; i < c->count; i++)
		if (!c->side->covered[c->atoms[i]])
			rest[left++] = c->side->atoms[c->atoms[i]].set;
	party.prefixes = gpc_set_prefixes(c->scratch, gpc_set_union(c->scratch, rest, left),
					  &party.prefix_count);
	if (party.name_count)
		qsort(names, party.name_count, sizeof(*names), compare_names);
	party.names = names;
	for (size_t i = 0; i < c->chosen_count; i++)
		if (c->chosen[i] != GPC_NONE)
			add_covered(c, c->chosen[i], -1);
	return party;
}

static struct gpc_party cover(struct gpc_namer *namer, struct gpc_arena *scratch, struct side *side,
			      const uint32_t *atoms, size_t count, unsigned int families)
{
	struct cover c = {.namer = namer,
			  .scratch = scratch,
			  .side = side,
			  .atoms = atoms,
			  .count = count,
			  .families = families};

	find_choices(&c);
	choose(&c);
	return take(&c);
}

/* ---- words ---- */

size_t gpc_party_terms(const struct gpc_party *party)
{
	return party->name_count + party->prefix_count;
}

/* The atoms of these families that are, or are not, marked in `in`. */
static const uint32_t *select_atoms(struct gpc_arena *arena, const struct side *side,
				    unsigned int families, bool wanted, size_t *ret_count)
{
	uint32_t *list = GPC_NEW_ARRAY(arena, uint32_t, side->count);

	*ret_count = 0;
	for (uint32_t i = 0; i < side->count; i++)
		if (families >> side->atoms[i].family & 1 && side->in[i] == wanted)
			list[(*ret_count)++] = i;
	return list;
}

/* Out of the scratch memory. */
static struct gpc_party keep(struct gpc_arena *arena, const struct gpc_party *party)
{
	const char **names = GPC_NEW_ARRAY(arena, const char *, party->name_count);
	struct gpc_prefix *prefixes = GPC_NEW_ARRAY(arena, struct gpc_prefix, party->prefix_count);
	struct gpc_party kept = *party;

	if (party->name_count)
		memcpy(names, party->names, party->name_count * sizeof(*names));
	if (party->prefix_count)
		memcpy(prefixes, party->prefixes, party->prefix_count * sizeof(*prefixes));
	kept.names = names;
	kept.prefixes = prefixes;
	return kept;
}

static struct gpc_party words(struct gpc_namer *namer, struct gpc_arena *scratch, struct side *side,
			      unsigned int families)
{
	size_t in, out;
	const uint32_t *inside = select_atoms(scratch, side, families, true, &in);
	const uint32_t *outside = select_atoms(scratch, side, families, false, &out);
	struct gpc_party party, other;

	if (!out)
		return (struct gpc_party){.but = true};
	party = cover(namer, scratch, side, inside, in, families);
	if (gpc_party_terms(&party) <= FEW)
		return party;
	other = cover(namer, scratch, side, outside, out, families);
	other.but = true;
	return gpc_party_terms(&other) < gpc_party_terms(&party) ? other : party;
}

struct gpc_party gpc_namer_words(struct gpc_namer *namer, enum gpc_atlas_side s,
				 const uint32_t *atoms, size_t count, unsigned int families)
{
	struct side *side = &namer->sides[s];
	struct gpc_arena scratch = {0};
	struct gpc_party party;

	for (size_t i = 0; i < count; i++)
		side->in[atoms[i]] = true;
	party = words(namer, &scratch, side, families);
	party = keep(namer->arena, &party);
	for (size_t i = 0; i < count; i++)
		side->in[atoms[i]] = false;
	gpc_arena_release(&scratch);
	return party;
}

unsigned int gpc_party_families(const struct gpc_namer *namer, enum gpc_atlas_side s,
				const uint32_t *atoms, size_t count)
{
	unsigned int families = 0;

	for (size_t i = 0; i < count; i++)
		families |= 1u << namer->sides[s].atoms[atoms[i]].family;
	return families;
}

double gpc_namer_share(const struct gpc_namer *namer, enum gpc_atlas_side s,
		       const uint32_t *atoms, size_t count)
{
	const struct side *side = &namer->sides[s];
	double share[2] = {0, 0};

	for (size_t i = 0; i < count; i++)
		share[side->atoms[atoms[i]].family] += side->share[atoms[i]];
	return share[0] > share[1] ? share[0] : share[1];
}

const char *gpc_party_text(struct gpc_arena *arena, const struct gpc_party *party, size_t most)
{
	size_t terms = gpc_party_terms(party), shown = most && terms > most ? most : terms;
	const char *text = party->but ? terms ? "any but " : "any" : "";
	char prefix[GPC_PREFIX_TEXT];

	for (size_t i = 0; i < shown; i++)
		text = gpc_arena_printf(
			arena, "%s%s%s", text, i ? ", " : "",
			i < party->name_count
				? party->names[i]
				: gpc_address_format(&party->prefixes[i - party->name_count], prefix));
	if (shown < terms)
		text = gpc_arena_printf(arena, "%s and %zu more", text, terms - shown);
	return text;
}
