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
};

struct filling {
	uint16_t *table;
	uint32_t size;
	uint32_t free_count;
	uint64_t *taken;		/* bitmap of slots; fits the first-level cache where the table does not */
	struct walker *walkers;		/* by endpoint */
	uint32_t *free_slots;		/* once few are left: which ones */
	uint64_t reciprocal;		/* floor((2^64 - 1) / size) */
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
	}
	return walkers;
}

/* x + y mod size, for x, y < size. */
static inline uint32_t add(uint32_t x, uint32_t y, uint32_t size)
{
	uint32_t sum = x + y;

	return sum >= size ? sum - size : sum;
}

static inline uint32_t is_free(const uint64_t *taken, uint32_t slot)
{
	return (uint32_t)(~taken[slot / 64] >> (slot % 64)) & 1;
}

static inline void take(struct filling *filling, uint32_t slot, struct walker *walker, uint16_t value)
{
	filling->taken[slot / 64] |= 1ull << (slot % 64);
	filling->table[slot] = value;
	filling->free_count--;
	walker->position = add(slot, walker->skip, filling->size);
}

/*
 * The walker's next free slot, by trying. Four slots at a time: their loads do not wait for each
 * other and one branch serves all, which is what the time goes into.
 */
static inline uint32_t scan(const struct filling *filling, const struct walker *walker)
{
	const uint64_t *taken = filling->taken;
	uint32_t size = filling->size, skip = walker->skip;
	uint32_t skip2 = add(skip, skip, size), skip4 = add(skip2, skip2, size);
	uint32_t slot[4] = {walker->position, add(walker->position, skip, size)};
	uint32_t found;

	slot[2] = add(slot[0], skip2, size);
	slot[3] = add(slot[1], skip2, size);
	for (;;) {
		found = is_free(taken, slot[0]) | is_free(taken, slot[1]) << 1 |
			is_free(taken, slot[2]) << 2 | is_free(taken, slot[3]) << 3;
		if (found)
			return slot[__builtin_ctz(found)];
		for (int i = 0; i < 4; i++)
			slot[i] = add(slot[i], skip4, size);
	}
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

static inline uint32_t multiply(uint32_t x, uint32_t y, const struct filling *filling)
{
	uint64_t product = (uint64_t)x * y;
	uint64_t quotient = (uint64_t)((unsigned __int128)product * filling->reciprocal >> 64);
	uint64_t rest = product - quotient * filling->size;

	return (uint32_t)(rest >= filling->size ? rest - filling->size : rest);
}

/*
 * The walker's next free slot, by asking each free one how many steps away it is: with few left that
 * is quicker than trying, because trying takes size / free_count steps.
 */
static uint32_t nearest(struct filling *filling, const struct walker *walker)
{
	uint32_t per_step = inverse(walker->skip, filling->size);
	uint32_t best = 0, best_steps = UINT32_MAX, slot;

	for (uint32_t i = 0; i < filling->free_count; i++) {
		slot = filling->free_slots[i];
		uint32_t distance = slot >= walker->position
					    ? slot - walker->position
					    : slot + (filling->size - walker->position);
		uint32_t steps = multiply(distance, per_step, filling);

		if (steps < best_steps) {
			best_steps = steps;
			best = i;
		}
	}
	slot = filling->free_slots[best];
	filling->free_slots[best] = filling->free_slots[filling->free_count - 1];
	return slot;
}

/* From here on nearest() is quicker: free_count^2 <= size. */
static bool few_left(const struct filling *filling)
{
	return (uint64_t)filling->free_count * filling->free_count <= filling->size;
}

static void list_free_slots(struct filling *filling)
{
	uint32_t n = 0;

	filling->free_slots = allocate(filling->free_count + 1, sizeof(*filling->free_slots));
	for (uint32_t slot = 0; slot < filling->size; slot++)
		if (is_free(filling->taken, slot))
			filling->free_slots[n++] = slot;
	assert(n == filling->free_count);
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
		.reciprocal = UINT64_MAX / size,
	};

	assert(count && size >= GPC_MIN_TABLE_SIZE && size <= GPC_MAX_TABLE_SIZE);
	gpc_schedule_init(&schedule, endpoints, count);
	while (filling.free_count) {
		size_t due = gpc_schedule_round(&schedule);

		for (size_t i = 0; i < due && filling.free_count; i++) {
			uint32_t turn = schedule.due[i];
			struct walker *walker = &filling.walkers[turn];
			uint32_t slot;

			if (!few_left(&filling)) {
				slot = scan(&filling, walker);
			} else {
				if (!filling.free_slots)
					list_free_slots(&filling);
				slot = nearest(&filling, walker);
			}
			take(&filling, slot, walker, endpoints[turn].value);
		}
	}
	gpc_schedule_release(&schedule);
	free(filling.free_slots);
	free(filling.walkers);
	free(filling.taken);
}
