/* SPDX-License-Identifier: MIT */
#include "partition.h"

#include <stdbool.h>
#include <string.h>

#define DIGITS 16 /* bytes of a point, least first */

void gpc_cuts_init(struct gpc_arena *arena, struct gpc_cuts *cuts, size_t ranges)
{
	*cuts = (struct gpc_cuts){GPC_NEW_ARRAY(arena, struct gpc_cut, 2 * ranges), 0};
}

void gpc_cuts_add(struct gpc_cuts *cuts, struct gpc_point first, struct gpc_point last, uint32_t object)
{
	cuts->items[cuts->n++] = (struct gpc_cut){first, object, 0};
	if (last.high == UINT64_MAX && last.low == UINT64_MAX)
		return;
	last.low++;
	last.high += !last.low;
	cuts->items[cuts->n++] = (struct gpc_cut){last, object, 1};
}

static uint32_t digit_of(const struct gpc_cut *cut, unsigned int digit)
{
	uint64_t half = digit < 8 ? cut->at.low : cut->at.high;

	return half >> (digit % 8 * 8) & 255;
}

static bool in_order(const struct gpc_cuts *cuts)
{
	for (size_t i = 1; i < cuts->n; i++) {
		const struct gpc_point *a = &cuts->items[i - 1].at, *b = &cuts->items[i].at;

		if (a->high > b->high || (a->high == b->high && a->low > b->low))
			return false;
	}
	return true;
}

/* Radix sort, stable; digits that are the same in all cuts cost nothing but the count. */
static void sort_cuts(struct gpc_arena *scratch, struct gpc_cuts *cuts)
{
	uint32_t(*counts)[256];
	struct gpc_cut *from = cuts->items, *to;

	if (in_order(cuts))
		return;
	counts = gpc_arena_calloc(scratch, DIGITS, sizeof(*counts));
	to = GPC_NEW_ARRAY(scratch, struct gpc_cut, cuts->n);
	for (size_t i = 0; i < cuts->n; i++)
		for (unsigned int d = 0; d < DIGITS; d++)
			counts[d][digit_of(&from[i], d)]++;
	for (unsigned int d = 0; d < DIGITS; d++) {
		struct gpc_cut *swap = from;
		uint32_t sum = 0;

		if (counts[d][digit_of(from, d)] == cuts->n)
			continue;
		for (unsigned int v = 0; v < 256; v++) {
			uint32_t count = counts[d][v];

			counts[d][v] = sum;
			sum += count;
		}
		for (size_t i = 0; i < cuts->n; i++)
			to[counts[d][digit_of(&from[i], d)]++] = from[i];
		from = to;
		to = swap;
	}
	cuts->items = from;
}

/* The sweep: the objects that hold the point where it stands, and the classes found so far. */
struct sweep {
	struct gpc_arena *arena;
	struct gpc_partition *partition;
	uint32_t *active;		/* objects, in no order */
	uint32_t *place;		/* by object: 1 + index in active, 0: not there */
	uint32_t active_count;
	uint64_t signature;		/* sum over active of mix(object) */
	uint32_t *table;		/* hash of signatures -> 1 + class */
	uint64_t *signatures;		/* by class */
	size_t table_cap, class_cap, member_count, member_cap;
};

static uint64_t mix(uint64_t x)
{
	x = (x + 1) * 0x9e3779b97f4a7c15ull;
	x = (x ^ x >> 32) * 0xd6e8feb86659fd93ull;
	return x ^ x >> 29;
}

static void enter_or_leave(struct sweep *s, const struct gpc_cut *cut)
{
	uint32_t last;

	if (!cut->end) {
		s->signature += mix(cut->object);
		s->active[s->active_count++] = cut->object;
		s->place[cut->object] = s->active_count;
		return;
	}
	s->signature -= mix(cut->object);
	last = s->active[--s->active_count];
	s->active[s->place[cut->object] - 1] = last;
	s->place[last] = s->place[cut->object];
	s->place[cut->object] = 0;
}

static bool is_class(const struct sweep *s, uint32_t class)
{
	const struct gpc_partition *p = s->partition;

	if (s->signatures[class] != s->signature ||
	    p->member_first[class + 1] - p->member_first[class] != s->active_count)
		return false;
	for (uint32_t i = p->member_first[class]; i < p->member_first[class + 1]; i++)
		if (!s->place[p->members[i]])
			return false;
	return true;
}

static void grow_table(struct sweep *s)
{
	size_t cap = s->table_cap ? 2 * s->table_cap : 256;

	s->table = GPC_NEW_ARRAY(s->arena, uint32_t, cap);
	s->table_cap = cap;
	for (uint32_t c = 0; c < s->partition->class_count; c++) {
		size_t at = s->signatures[c] & (cap - 1);

		while (s->table[at])
			at = (at + 1) & (cap - 1);
		s->table[at] = c + 1;
	}
}

/* Shell sort: short lists, nearly always of less than ten. */
static void sort_numbers(uint32_t *numbers, size_t n)
{
	for (size_t gap = n / 2; gap > 0; gap /= 2)
		for (size_t i = gap; i < n; i++) {
			uint32_t number = numbers[i];
			size_t k = i;

			for (; k >= gap && numbers[k - gap] > number; k -= gap)
				numbers[k] = numbers[k - gap];
			numbers[k] = number;
		}
}

static void grow_to(struct gpc_arena *arena, uint32_t **items, size_t *cap, size_t want)
{
	while (*cap < want)
		*items = gpc_vec_grow(arena, *items, cap, sizeof(**items));
}

static uint32_t add_class(struct sweep *s, size_t at)
{
	struct gpc_partition *p = s->partition;
	uint32_t class = p->class_count++;
	size_t cap = s->class_cap;

	grow_to(s->arena, &p->member_first, &cap, p->class_count + 1);
	if (cap != s->class_cap) {
		uint64_t *wider = GPC_NEW_ARRAY(s->arena, uint64_t, cap);

		if (class)
			memcpy(wider, s->signatures, class * sizeof(*wider));
		s->signatures = wider;
		s->class_cap = cap;
	}
	grow_to(s->arena, &p->members, &s->member_cap, s->member_count + s->active_count + 1);
	memcpy(p->members + s->member_count, s->active, s->active_count * sizeof(*s->active));
	sort_numbers(p->members + s->member_count, s->active_count);
	p->member_first[class] = (uint32_t)s->member_count;
	s->member_count += s->active_count;
	p->member_first[class + 1] = (uint32_t)s->member_count;
	s->signatures[class] = s->signature;
	s->table[at] = class + 1;
	return class;
}

static uint32_t class_here(struct sweep *s)
{
	size_t at;

	if (2 * (s->partition->class_count + 1) > s->table_cap)
		grow_table(s);
	at = s->signature & (s->table_cap - 1);
	while (s->table[at]) {
		if (is_class(s, s->table[at] - 1))
			return s->table[at] - 1;
		at = (at + 1) & (s->table_cap - 1);
	}
	return add_class(s, at);
}

static void add_interval(struct gpc_partition *p, struct gpc_point first, uint32_t class)
{
	if (p->interval_count && p->intervals[p->interval_count - 1].class == class)
		return;
	p->intervals[p->interval_count++] = (struct gpc_interval){first, class};
}

/* members turned round: the classes of each object. */
static void classes_of_objects(struct gpc_arena *arena, struct gpc_partition *p)
{
	uint32_t count = p->member_first[p->class_count];

	p->class_first = GPC_NEW_ARRAY(arena, uint32_t, p->object_count + 2);
	p->classes = GPC_NEW_ARRAY(arena, uint32_t, count);
	for (uint32_t i = 0; i < count; i++)
		p->class_first[p->members[i] + 2]++;
	for (uint32_t o = 0; o < p->object_count; o++)
		p->class_first[o + 2] += p->class_first[o + 1];
	for (uint32_t c = 0; c < p->class_count; c++)
		for (uint32_t i = p->member_first[c]; i < p->member_first[c + 1]; i++)
			p->classes[p->class_first[p->members[i] + 1]++] = c;
}

void gpc_partition_build(struct gpc_arena *arena, struct gpc_arena *scratch, struct gpc_cuts *cuts,
			 uint32_t object_count, struct gpc_partition *ret)
{
	struct gpc_partition p = {.object_count = object_count};
	struct sweep s = {
		.arena = arena,
		.partition = &p,
		.active = GPC_NEW_ARRAY(scratch, uint32_t, object_count),
		.place = GPC_NEW_ARRAY(scratch, uint32_t, object_count),
	};
	size_t i = 0;

	sort_cuts(scratch, cuts);
	p.intervals = GPC_NEW_ARRAY(arena, struct gpc_interval, cuts->n + 1);
	if (!cuts->n || cuts->items[0].at.high || cuts->items[0].at.low)
		add_interval(&p, (struct gpc_point){0, 0}, class_here(&s));
	while (i < cuts->n) {
		struct gpc_point at = cuts->items[i].at;
		size_t from = i;

		/* Ends first: an object may end and begin again at one point. */
		for (; i < cuts->n && cuts->items[i].at.low == at.low && cuts->items[i].at.high == at.high; i++)
			if (cuts->items[i].end)
				enter_or_leave(&s, &cuts->items[i]);
		for (size_t k = from; k < i; k++)
			if (!cuts->items[k].end)
				enter_or_leave(&s, &cuts->items[k]);
		add_interval(&p, at, class_here(&s));
	}
	classes_of_objects(arena, &p);
	*ret = p;
}
