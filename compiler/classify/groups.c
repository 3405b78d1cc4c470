/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "gpc/image.h"
#include "pairs.h"

#define LEVELS 8u
#define START_GROUPS (LEVELS * LEVELS)
#define TERMS (LEVELS + 1)	/* one, and one per level */
#define OVERLAP_STEPS (16u * 1024 * 1024)
#define ENTRIES_PER_CELL 8u	/* that cost as much as a cell */
#define ENTRIES_COUNTED 1000u
#define FAILURES_MAX 6u
#define SMALL_LIST 4096u	/* boxes of lists for which ... */
#define SMALL_TABLE 32768u	/* ... rows times columns that are measured as such ... */
#define REPEATS_MAX 4u		/* ... unless more pairs meet in a cell: lists grow */
#define HOPELESS 16u		/* an estimate so many times the budget is not measured */

/* log4 of the number of classes of an object, rounded up. */
static uint32_t level_of(const struct gpc_pairs_side *side, uint32_t object)
{
	const struct gpc_partition *p = side->rows->partition;
	uint32_t global = side->global[object], level = 0;

	for (uint32_t n = p->class_first[global + 1] - p->class_first[global]; n > 1; n = (n + 3) / 4)
		level++;
	return level < LEVELS ? level : LEVELS - 1;
}

/*
 * What an object's rows may come from: by level, how many objects of that level overlap it without
 * covering it. Each gives it at most one row more where sets are nested.
 */
struct overlaps {
	uint32_t (*by_level)[TERMS];	/* by object; [0] is 1 */
	uint8_t *level;			/* by object */
};

static void count_overlaps(struct gpc_arena *scratch, const struct gpc_pairs_side *side,
			   struct overlaps *o)
{
	const struct gpc_partition *p = side->rows->partition;
	uint32_t *common = GPC_NEW_ARRAY(scratch, uint32_t, side->count);
	uint32_t *met = GPC_NEW_ARRAY(scratch, uint32_t, side->count), steps = 0;

	o->by_level = gpc_arena_calloc(scratch, side->count, sizeof(*o->by_level));
	o->level = GPC_NEW_ARRAY(scratch, uint8_t, side->count);
	for (uint32_t i = 0; i < side->count; i++)
		o->level[i] = (uint8_t)level_of(side, i);
	for (uint32_t i = 0; i < side->count; i++) {
		uint32_t first = p->class_first[side->global[i]], n = 0;
		uint32_t end = p->class_first[side->global[i] + 1];

		o->by_level[i][0] = 1;
		if (steps > OVERLAP_STEPS)
			o->by_level[i][1] = end - first;
		else if (end - first > 1)
			for (uint32_t c = first; c < end; c++)
				for (uint32_t m = p->member_first[p->classes[c]];
				     m < p->member_first[p->classes[c] + 1]; m++, steps++) {
					uint32_t other = side->local[p->members[m]];

					if (other && !common[other - 1]++)
						met[n++] = other - 1;
				}
		while (n > 0) {
			uint32_t other = met[--n];

			if (common[other] < end - first)
				o->by_level[i][1 + o->level[other]]++;
			common[other] = 0;
		}
	}
}

/*
 * Estimated cost of a union of start groups: a form in which levels of source and of destination stand. The
 * coefficients of each start group are summed up once.
 */
struct candidate {
	uint64_t levels[GPC_SIDES];		/* bit 0, and 1 + level of its objects */
	uint64_t term[TERMS][TERMS];		/* of all its pairs */
	struct gpc_group group;
	uint64_t failed;			/* candidates whose union was measured and is too costly */
};

static uint64_t weight_of(const struct gpc_pair *pair)
{
	uint32_t n = pair->count < ENTRIES_COUNTED ? pair->count : ENTRIES_COUNTED;

	return ENTRIES_PER_CELL + n - 1;
}

static uint64_t estimate(const struct candidate *a, const struct candidate *b)
{
	uint64_t sources = a->levels[0] | b->levels[0], destinations = a->levels[1] | b->levels[1];
	uint64_t sum = 0;

	for (uint32_t i = 0; i < TERMS; i++)
		for (uint32_t k = 0; k < TERMS; k++)
			if (sources >> i & 1 && destinations >> k & 1)
				sum += a->term[i][k] + b->term[i][k];
	return sum / ENTRIES_PER_CELL;
}

static void add_terms(struct candidate *c, const struct gpc_pair *pair, const uint32_t *source,
		      const uint32_t *destination)
{
	uint64_t weight = weight_of(pair);

	for (uint32_t i = 0; i < TERMS; i++)
		for (uint32_t k = 0; source[i] && k < TERMS; k++)
			c->term[i][k] += weight * source[i] * destination[k];
}

void gpc_group_rows(struct gpc_pairs *pairs, const struct gpc_group *group, int side)
{
	const struct gpc_pairs_side *s = &pairs->side[side];

	gpc_rows_clear(s->rows);
	pairs->round++;
	for (uint32_t i = 0; i < group->pair_count; i++) {
		uint32_t object = pairs->pairs[group->pairs[i]].object[side];

		if (s->seen[object] == pairs->round)
			continue;
		s->seen[object] = pairs->round;
		gpc_rows_add(s->rows, s->global[object]);
	}
}

uint64_t *gpc_group_widths(struct gpc_arena *scratch, struct gpc_pairs *pairs, const struct gpc_group *group)
{
	uint64_t *cells = GPC_NEW_ARRAY(scratch, uint64_t, group->pair_count);

	for (int side = 0; side < GPC_SIDES; side++) {
		const struct gpc_pairs_side *s = &pairs->side[side];
		uint32_t *width = GPC_NEW_ARRAY(scratch, uint32_t, s->count);

		gpc_group_rows(pairs, group, side);
		for (uint32_t i = 0; i < group->pair_count; i++) {
			uint32_t object = pairs->pairs[group->pairs[i]].object[side];

			if (!width[object])
				width[object] = gpc_rows_of(s->rows, s->global[object], NULL);
			cells[i] = side ? cells[i] * width[object] : width[object];
		}
	}
	return cells;
}

void gpc_group_measure(struct gpc_arena *scratch, struct gpc_pairs *pairs, struct gpc_group *group)
{
	uint64_t *cells = gpc_group_widths(scratch, pairs, group), most = 1;

	group->cells = group->cost = 0;
	for (uint32_t i = 0; i < group->pair_count; i++) {
		group->cells += cells[i];
		group->cost += cells[i] * weight_of(&pairs->pairs[group->pairs[i]]);
	}
	group->cost /= ENTRIES_PER_CELL;
	/* Pairs that meet in a cell make one cell. */
	for (int side = 0; side < GPC_SIDES; side++)
		most *= pairs->side[side].rows->refinement.next;
	if (pairs->entry_count <= SMALL_LIST && most <= SMALL_TABLE && group->cells > most &&
	    group->cells < REPEATS_MAX * most)
		group->cost = (uint64_t)((double)group->cost * (double)most / (double)group->cells);
}

/* The candidates by levels of source and destination. */
static uint32_t start(struct gpc_arena *scratch, const struct gpc_pairs *pairs, struct candidate *c)
{
	uint32_t *counts = GPC_NEW_ARRAY(scratch, uint32_t, START_GROUPS), n = 0;
	uint32_t *number = GPC_NEW_ARRAY(scratch, uint32_t, START_GROUPS);
	struct overlaps overlaps[GPC_SIDES];

	for (int side = 0; side < GPC_SIDES; side++)
		count_overlaps(scratch, &pairs->side[side], &overlaps[side]);
	for (int fill = 0; fill < 2; fill++)
		for (uint32_t i = 0; i < pairs->pair_count; i++) {
			const struct gpc_pair *pair = &pairs->pairs[i];
			uint32_t a = overlaps[0].level[pair->object[0]];
			uint32_t b = overlaps[1].level[pair->object[1]], at = a * LEVELS + b;
			struct candidate *to;

			if (!fill) {
				counts[at]++;
				continue;
			}
			if (!number[at]) {
				number[at] = ++n;
				c[n - 1].levels[0] = 1 | 2u << a;
				c[n - 1].levels[1] = 1 | 2u << b;
				c[n - 1].group.pairs = GPC_NEW_ARRAY(scratch, uint32_t, counts[at]);
			}
			to = &c[number[at] - 1];
			to->group.pairs[to->group.pair_count++] = i;
			add_terms(to, pair, overlaps[0].by_level[pair->object[0]],
				  overlaps[1].by_level[pair->object[1]]);
		}
	return n;
}

static struct gpc_group united(struct gpc_arena *scratch, const struct gpc_group *a,
			       const struct gpc_group *b)
{
	struct gpc_group u = {.pairs = GPC_NEW_ARRAY(scratch, uint32_t, a->pair_count + b->pair_count)};
	uint32_t i = 0, k = 0;

	while (i < a->pair_count || k < b->pair_count)
		u.pairs[u.pair_count++] = k == b->pair_count || (i < a->pair_count && a->pairs[i] < b->pairs[k]) ?
						  a->pairs[i++] : b->pairs[k++];
	return u;
}

struct search {
	struct gpc_arena *scratch;
	struct gpc_pairs *pairs;
	struct candidate *c;
	uint32_t n;
	uint64_t total, budget;
	uint32_t failures;
};

/* The two whose union seems to cost least more; false if there is none left to try. */
static bool best_union(const struct search *s, bool must, uint32_t *ret_a, uint32_t *ret_b)
{
	uint64_t least = UINT64_MAX;

	for (uint32_t a = 0; a < s->n; a++)
		for (uint32_t b = a + 1; b < s->n; b++) {
			uint64_t cost = estimate(&s->c[a], &s->c[b]), now;

			if (s->c[a].failed >> b & 1 && !must)
				continue;
			now = s->c[a].group.cost + s->c[b].group.cost;
			cost = cost > now ? cost - now : 0;
			if (cost >= least || (!must && cost / HOPELESS > s->budget))
				continue;
			least = cost;
			*ret_a = a;
			*ret_b = b;
		}
	return least != UINT64_MAX;
}

static void unite(struct search *s, uint32_t a, uint32_t b, const struct gpc_group *group)
{
	struct candidate *to = &s->c[a], *from = &s->c[b];

	s->total += group->cost - to->group.cost - from->group.cost;
	to->group = *group;
	for (int side = 0; side < GPC_SIDES; side++)
		to->levels[side] |= from->levels[side];
	for (uint32_t i = 0; i < TERMS; i++)
		for (uint32_t k = 0; k < TERMS; k++)
			to->term[i][k] += from->term[i][k];
	*from = s->c[--s->n];
	for (uint32_t i = 0; i < s->n; i++)
		s->c[i].failed = 0;
}

uint32_t gpc_groups_build(struct gpc_arena *arena, struct gpc_pairs *pairs, uint64_t budget,
			  struct gpc_group *ret_groups)
{
	struct candidate *c = GPC_NEW_ARRAY(arena, struct candidate, START_GROUPS);
	struct search s = {.scratch = arena, .pairs = pairs, .c = c, .budget = budget};
	uint32_t a = 0, b = 0;

	s.n = start(arena, pairs, c);
	for (uint32_t i = 0; i < s.n; i++) {
		gpc_group_measure(arena, pairs, &c[i].group);
		s.total += c[i].group.cost;
	}
	while (s.n > 1 && best_union(&s, s.n > GPC_CLASSIFIER_GROUPS_MAX, &a, &b)) {
		struct gpc_group group = united(arena, &c[a].group, &c[b].group);
		bool must = s.n > GPC_CLASSIFIER_GROUPS_MAX;

		gpc_group_measure(arena, pairs, &group);
		if (must || s.total + group.cost - c[a].group.cost - c[b].group.cost <= budget) {
			unite(&s, a, b, &group);
			continue;
		}
		c[a].failed |= 1ull << b;
		if (++s.failures == FAILURES_MAX)
			break;
	}
	for (uint32_t i = 0; i < s.n; i++)
		ret_groups[i] = c[i].group;
	return s.n;
}
