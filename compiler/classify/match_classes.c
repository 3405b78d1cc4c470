/* SPDX-License-Identifier: MIT */
#include "match_classes.h"

#include <string.h>

#include "gpc/lookup/classify.h"

#define FLAG_COMBINATIONS 16u
#define FRAGMENTS 3u	/* values of enum gpc_fragment */
#define DSCPS 64u
#define MATCHES_MAX 4096u /* distinct ones; far fewer make more than 32 classes */

static bool same_match(const struct gpc_match *a, const struct gpc_match *b)
{
	return a->dscp == b->dscp && a->tcp_flags == b->tcp_flags && a->vlan == b->vlan &&
	       a->fragments == b->fragments;
}

/* Does the match hold value `value` of a table? What no packet has is as GPC_FRAGMENT_NONE, so that it makes no class. */
static bool holds(const struct gpc_match *match, int table, uint32_t value)
{
	switch (table) {
	case GPC_MATCH_FLAGS_TABLE:
		return match->tcp_flags >> value % FLAG_COMBINATIONS & 1 &&
		       match->fragments >> value / FLAG_COMBINATIONS % FRAGMENTS & 1;
	case GPC_MATCH_DSCP_TABLE:
		return match->dscp >> value & 1;
	default:
		return match->vlan == GPC_VLAN_ANY || match->vlan == value;
	}
}

static const uint32_t table_values[GPC_MATCH_TABLES] = {GPC_MATCH_DSCP, DSCPS, GPC_MATCH_VLANS};

struct work {
	const struct gpc_match **matches; /* distinct */
	uint32_t n;
	uint32_t *number;		  /* by spec: its match */
	uint32_t (*held)[GPC_MATCH_TABLES]; /* by match and table: bit of each class that it holds */
	uint32_t count[GPC_MATCH_TABLES]; /* classes of a table */
	uint32_t samples[GPC_MATCH_TABLES][GPC_MAX_MATCH_CLASSES];
};

static bool number_matches(struct work *w, const struct gpc_service **specs, uint32_t spec_count)
{
	for (uint32_t s = 0; s < spec_count; s++) {
		uint32_t m = 0;

		while (m < w->n && !same_match(w->matches[m], &specs[s]->match))
			m++;
		if (m == MATCHES_MAX)
			return false;
		if (m == w->n)
			w->matches[w->n++] = &specs[s]->match;
		w->number[s] = m;
	}
	return true;
}

static bool alike(const struct work *w, int table, uint32_t a, uint32_t b)
{
	for (uint32_t m = 0; m < w->n; m++)
		if (holds(w->matches[m], table, a) != holds(w->matches[m], table, b))
			return false;
	return true;
}

/* Classes of the values of one table. */
static bool part(struct work *w, int table, uint16_t *ret)
{
	uint32_t *samples = w->samples[table], n = 0;

	for (uint32_t v = 0; v < table_values[table]; v++) {
		uint32_t class = 0;

		while (class < n && !alike(w, table, v, samples[class]))
			class++;
		if (class == GPC_MAX_MATCH_CLASSES)
			return false;
		if (class == n)
			samples[n++] = v;
		ret[v] = (uint16_t)class;
	}
	for (uint32_t m = 0; m < w->n; m++)
		for (uint32_t class = 0; class < n; class++)
			if (holds(w->matches[m], table, samples[class]))
				w->held[m][table] |= 1u << class;
	w->count[table] = n;
	return true;
}

struct combination {
	uint32_t class[GPC_MATCH_TABLES];
};

static bool combination_holds(const struct work *w, uint32_t match, const struct combination *c)
{
	for (int t = 0; t < GPC_MATCH_TABLES; t++)
		if (!(w->held[match][t] >> c->class[t] & 1))
			return false;
	return true;
}

static bool combinations_alike(const struct work *w, const struct combination *a,
			       const struct combination *b)
{
	for (uint32_t m = 0; m < w->n; m++)
		if (combination_holds(w, m, a) != combination_holds(w, m, b))
			return false;
	return true;
}

/* What the sums of the three classes mean: a class for each distinct set of matches. */
static bool combine(const struct work *w, struct gpc_match_classes *c, uint32_t *match_masks)
{
	struct combination samples[GPC_MAX_MATCH_CLASSES];

	for (uint32_t sum = 0; sum < c->sum_count; sum++) {
		struct combination here = {{sum / (w->count[1] * w->count[2]),
					    sum / w->count[2] % w->count[1], sum % w->count[2]}};
		uint32_t class = 0;

		while (class < c->class_count && !combinations_alike(w, &here, &samples[class]))
			class++;
		if (class == GPC_MAX_MATCH_CLASSES)
			return false;
		if (class == c->class_count)
			samples[c->class_count++] = here;
		c->class[sum] = (uint16_t)class;
	}
	for (uint32_t m = 0; m < w->n; m++)
		for (uint32_t class = 0; class < c->class_count; class++)
			if (combination_holds(w, m, &samples[class]))
				match_masks[m] |= 1u << class;
	return true;
}

/* The tables hold classes times the stride of their table. */
static void premultiply(const struct work *w, struct gpc_match_classes *c)
{
	uint32_t stride = 1;

	for (int t = GPC_MATCH_TABLES; t-- > 0; stride *= w->count[t])
		for (uint32_t v = 0; v < table_values[t]; v++)
			c->part[t][v] = (uint16_t)(c->part[t][v] * stride);
}

bool gpc_match_classes_build(struct gpc_arena *arena, const struct gpc_service **specs,
			     uint32_t spec_count, struct gpc_match_classes *ret)
{
	struct gpc_match_classes c = {.masks = GPC_NEW_ARRAY(arena, uint32_t, spec_count)};
	struct work w = {.matches = GPC_NEW_ARRAY(arena, const struct gpc_match *, MATCHES_MAX),
			 .number = GPC_NEW_ARRAY(arena, uint32_t, spec_count),
			 .held = gpc_arena_calloc(arena, MATCHES_MAX, sizeof(*w.held))};
	uint32_t *match_masks = GPC_NEW_ARRAY(arena, uint32_t, MATCHES_MAX);

	if (!number_matches(&w, specs, spec_count))
		return false;
	for (int t = 0; t < GPC_MATCH_TABLES; t++) {
		c.part[t] = GPC_NEW_ARRAY(arena, uint16_t, table_values[t]);
		if (!part(&w, t, c.part[t]))
			return false;
	}
	c.sum_count = w.count[0] * w.count[1] * w.count[2];
	c.class = GPC_NEW_ARRAY(arena, uint16_t, c.sum_count);
	if (!combine(&w, &c, match_masks))
		return false;
	premultiply(&w, &c);
	for (uint32_t s = 0; s < spec_count; s++)
		c.masks[s] = match_masks[w.number[s]];
	c.any = c.class_count > 1;
	*ret = c;
	return true;
}

uint32_t gpc_match_classes_emit(struct gpc_arena *scratch, const struct gpc_match_classes *c,
				struct gpc_words *words)
{
	uint32_t halves = GPC_MATCH_CLASS + c->sum_count, count = (halves + 1) / 2;
	uint16_t *table = GPC_NEW_ARRAY(scratch, uint16_t, 2 * count);

	memcpy(table, c->part[0], GPC_MATCH_DSCP * sizeof(*table));
	memcpy(table + GPC_MATCH_DSCP, c->part[1], DSCPS * sizeof(*table));
	memcpy(table + GPC_MATCH_VLAN, c->part[2], GPC_MATCH_VLANS * sizeof(*table));
	memcpy(table + GPC_MATCH_CLASS, c->class, c->sum_count * sizeof(*table));
	return gpc_words_share(words, (const uint32_t *)(const void *)table, count, 4);
}
