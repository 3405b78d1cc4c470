/* SPDX-License-Identifier: MIT */
#include "maglev.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "gpc/limits.h"
#include "../base/arena.h"
#include "schedule.h"

/* Where an endpoint stands in its permutation: the next slot to try and the step to the one after. */
struct walker {
	uint32_t position, skip;
	uint16_t value;
};

struct filling {
	uint16_t *table;
	uint32_t size;
	uint32_t free_count;
	uint64_t *taken; /* bitmap of slots; fits the first-level cache where the table does not */
	struct walker *walkers; /* by endpoint */
	uint32_t *free_slots; /* once few are left: which ones */
};

static void *allocate(size_t count, size_t size)
{
	void *p = calloc(count, size);

	if (!p)
		gpc_arena_exhausted();
	return p;
}

static struct walker *start_walkers(const struct gpc_maglev_endpoint *endpoints, size_t count,
				    uint32_t size)
{
	struct walker *walkers = allocate(count, sizeof(*walkers));

	for (size_t i = 0; i < count; i++) {
		walkers[i].position = (uint32_t)endpoints[i].id % size;
		walkers[i].skip = (uint32_t)(endpoints[i].id >> 32) % (size - 1) + 1;
		walkers[i].value = endpoints[i].value;
	}
	return walkers;
}

/* x + y mod size, for x, y <= size and not both size. Without a branch: it could not be predicted. */
static inline uint32_t add(uint32_t x, uint32_t y, uint32_t size)
{
	uint32_t sum = x + y, rest = sum - size;

	return rest < sum ? rest : sum;
}

static inline bool is_free(const uint64_t *taken, uint32_t slot)
{
	return !(taken[slot / 64] >> (slot % 64) & 1);
}

static inline void take(struct filling *filling, uint32_t turn, const struct walker *walker,
			uint32_t slot)
{
	filling->taken[slot / 64] |= 1ull << (slot % 64);
	filling->table[slot] = walker->value;
	filling->free_count--;
	filling->walkers[turn].position = add(slot, walker->skip, filling->size);
}

/*
 * The walker's next free slot, by trying one after another. Two walk in step, so that their loads do
 * not wait for each other. Of the first two the free one is picked without a branch: while most slots
 * are free that ends the search, and which of the two it is cannot be predicted.
 */
static inline uint32_t try_slots(const struct filling *filling, const struct walker *walker)
{
	const uint64_t *taken = filling->taken;
	uint32_t size = filling->size, skip = walker->skip, skip2 = add(skip, skip, size);
	uint32_t slot = walker->position, second = add(slot, skip, size);
	uint32_t slot_free = is_free(taken, slot), second_free = is_free(taken, second);

	if (slot_free | second_free)
		return second ^ ((slot ^ second) & -slot_free);
	for (;;) {
		slot = add(slot, skip2, size);
		if (is_free(taken, slot))
			return slot;
		second = add(second, skip2, size);
		if (is_free(taken, second))
			return second;
	}
}

/*
 * Lets the endpoints that are due take their slots by trying, until no more than `few` are free. Returns
 * how many had their turn. The next walker is read ahead: how long a try takes cannot be predicted, and
 * what was read before the wrong guess need not be waited for after it.
 */
static size_t try_round(struct filling *filling, const uint32_t *due, size_t count, uint32_t few)
{
	struct walker ahead = filling->walkers[due[0]];
	size_t i;

	for (i = 0; i < count && filling->free_count > few; i++) {
		struct walker walker = ahead;

		ahead = filling->walkers[due[i + 1 < count ? i + 1 : i]];
		take(filling, due[i], &walker, try_slots(filling, &walker));
	}
	return i;
}

/* Inverse of x modulo the prime p, 0 < x < p: extended Euclid. */
static uint32_t inverse(uint32_t x, uint32_t p)
{
	int64_t a = 0, b = 1;
	uint32_t m = p, n = x;

	while (n > 1) {
		uint32_t quotient = m / n, rest = m % n;
		int64_t next = a - (int64_t)quotient * b;

		m = n;
		n = rest;
		a = b;
		b = next;
	}
	return (uint32_t)(b < 0 ? b + p : b);
}

/*
 * The walker's next free slot, by asking each free one how many steps away it is: with few left that
 * is quicker than trying, which takes size / free_count steps.
 *
 * Steps are distance / skip mod size. Only their order matters, so they are kept as 64-bit fractions of
 * size: one multiplication each, its overflow is the "mod". Rounding makes a fraction too small by at
 * most 2^21, and two of them lie 2^43 apart.
 */
static uint32_t nearest(struct filling *filling, const struct walker *walker)
{
	uint64_t one_step =
		(uint64_t)(((unsigned __int128)inverse(walker->skip, filling->size) << 64) /
			   filling->size);
	uint64_t best_steps = UINT64_MAX;
	uint32_t best = 0, slot;

	for (uint32_t i = 0; i < filling->free_count; i++) {
		uint32_t distance = add(filling->free_slots[i], filling->size - walker->position,
					filling->size);
		uint64_t steps = distance * one_step;

		if (steps < best_steps) {
			best_steps = steps;
			best = i;
		}
	}
	slot = filling->free_slots[best];
	filling->free_slots[best] = filling->free_slots[filling->free_count - 1];
	return slot;
}

static void list_free_slots(struct filling *filling)
{
	uint32_t words = filling->size / 64 + 1, n = 0;

	filling->free_slots = allocate(filling->free_count + 1, sizeof(*filling->free_slots));
	for (uint32_t word = 0; word < words; word++)
		for (uint64_t free_bits = ~filling->taken[word]; free_bits;
		     free_bits &= free_bits - 1) {
			uint32_t slot = word * 64 + (uint32_t)__builtin_ctzll(free_bits);

			if (slot < filling->size)
				filling->free_slots[n++] = slot;
		}
	assert(n == filling->free_count);
}

/* With no more than that many free, asking each of them is quicker than trying. */
static uint32_t few_of(uint32_t size)
{
	uint32_t few = 1;

	while ((few + 1) * (few + 1) <= size)
		few++;
	return few;
}

void gpc_maglev_fill(const struct gpc_maglev_endpoint *endpoints, size_t count, uint16_t *table,
		     uint32_t size)
{
	struct gpc_schedule schedule;
	struct filling filling = {
		.table = table,
		.size = size,
		.free_count = size,
		.taken = allocate(size / 64 + 1, sizeof(uint64_t)),
		.walkers = start_walkers(endpoints, count, size),
	};
	uint32_t few = few_of(size);

	assert(count && size >= GPC_MIN_TABLE_SIZE && size <= GPC_MAX_TABLE_SIZE);
	gpc_schedule_init(&schedule, endpoints, count);
	while (filling.free_count > few) {
		gpc_schedule_round(&schedule);
		schedule.next = try_round(&filling, schedule.due, schedule.due_count, few);
	}
	list_free_slots(&filling);
	while (filling.free_count) {
		uint32_t turn = gpc_schedule_next(&schedule);
		struct walker *walker = &filling.walkers[turn];

		take(&filling, turn, walker, nearest(&filling, walker));
	}
	gpc_schedule_release(&schedule);
	free(filling.free_slots);
	free(filling.walkers);
	free(filling.taken);
}

void gpc_maglev_count(const struct gpc_maglev_endpoint *endpoints, size_t count, uint32_t size,
		      uint32_t *ret_counts)
{
	struct gpc_schedule schedule;

	memset(ret_counts, 0, count * sizeof(*ret_counts));
	gpc_schedule_init(&schedule, endpoints, count);
	for (uint32_t i = 0; i < size; i++)
		ret_counts[gpc_schedule_next(&schedule)]++;
	gpc_schedule_release(&schedule);
}

struct gpc_maglev_order gpc_maglev_order(uint64_t id, uint32_t size)
{
	return (struct gpc_maglev_order){
		.offset = (uint32_t)id % size,
		.inverse = inverse((uint32_t)(id >> 32) % (size - 1) + 1, size),
		.size = size,
	};
}

/* Endpoints that still want slots, in order; once few slots are free, they are listed. */
static void take_wanted(struct filling *filling, uint32_t *due, size_t due_count, uint32_t *wants,
			uint32_t few)
{
	while (due_count) {
		size_t left = 0;

		for (size_t i = 0; i < due_count; i++) {
			uint32_t turn = due[i];
			struct walker *walker = &filling->walkers[turn];

			if (!filling->free_slots && filling->free_count <= few)
				list_free_slots(filling);
			take(filling, turn, walker,
			     filling->free_slots ? nearest(filling, walker)
						 : try_slots(filling, walker));
			if (--wants[turn])
				due[left++] = turn;
		}
		due_count = left;
	}
}

void gpc_maglev_complete(const struct gpc_maglev_endpoint *endpoints, size_t count, uint32_t *wants,
			 uint64_t *taken, uint16_t *table, uint32_t size)
{
	struct filling filling = {
		.table = table,
		.size = size,
		.taken = taken,
		.walkers = start_walkers(endpoints, count, size),
	};
	uint32_t *due = allocate(count, sizeof(*due));
	size_t due_count = 0;

	for (size_t i = 0; i < count; i++) {
		filling.free_count += wants[i];
		if (wants[i])
			due[due_count++] = (uint32_t)i;
	}
	take_wanted(&filling, due, due_count, wants, few_of(size));
	assert(!filling.free_count);
	free(filling.free_slots);
	free(filling.walkers);
	free(due);
}
