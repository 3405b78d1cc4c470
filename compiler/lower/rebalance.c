/* SPDX-License-Identifier: MIT */
#include "rebalance.h"

#include <assert.h>
#include <stdlib.h>

#include "gpc/limits.h"
#include "../base/arena.h"

static void *allocate(size_t count, size_t size)
{
	void *p = calloc(count ? count : 1, size);

	if (!p)
		gpc_arena_exhausted();
	return p;
}

static uint64_t sum_weights(const struct gpc_maglev_endpoint *endpoints, size_t count)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += endpoints[i].weight;
	return sum;
}

void gpc_rebalance_fair(const struct gpc_maglev_endpoint *endpoints, size_t count, uint32_t size,
			struct gpc_fair *ret_fair)
{
	uint64_t weights = sum_weights(endpoints, count);
	uint32_t *fresh = allocate(count, sizeof(*fresh));

	gpc_maglev_count(endpoints, count, size, fresh);
	for (size_t i = 0; i < count; i++) {
		uint64_t share = (uint64_t)size * endpoints[i].weight;
		struct gpc_fair fair = {(uint32_t)(share / weights),
					(uint32_t)((share + weights - 1) / weights)};

		if (fresh[i] < fair.least)
			fair.least = fresh[i];
		if (fresh[i] > fair.most)
			fair.most = fresh[i];
		ret_fair[i] = fair;
	}
	free(fresh);
}

uint32_t gpc_rebalance_least(const struct gpc_fair *fair, const uint32_t *held, size_t count,
			     uint32_t size)
{
	uint32_t homeless = size, given = 0, lacking = 0;

	for (size_t i = 0; i < count; i++) {
		homeless -= held[i];
		given += held[i] > fair[i].most ? held[i] - fair[i].most : 0;
		lacking += held[i] < fair[i].least ? fair[i].least - held[i] : 0;
	}
	return homeless + given > lacking ? homeless + given : lacking;
}

/* One slot more, or less, for an endpoint: `gain` says how far from its exact share it is before. */
struct step {
	int64_t gain;
	uint32_t endpoint;
};

static int by_gain(const void *a, const void *b)
{
	const struct step *x = a, *y = b;

	if (x->gain != y->gain)
		return x->gain > y->gain ? -1 : 1;
	return x->endpoint < y->endpoint ? -1 : x->endpoint > y->endpoint;
}

struct counting {
	const struct gpc_maglev_endpoint *endpoints;
	const struct gpc_fair *fair;
	size_t count;
	uint32_t size;
	uint32_t *counts;
};

/*
 * Changes `steps` counts by one (more: up), each time that of the endpoint which is furthest on the other
 * side of its share. With each step of its own an endpoint gains less, so sorting all steps that are
 * fair is the same as choosing them one at a time.
 */
static void settle(const struct counting *c, bool more, uint64_t steps)
{
	uint64_t weights = sum_weights(c->endpoints, c->count);
	size_t room = 0, n = 0;
	struct step *list;

	for (size_t i = 0; i < c->count; i++)
		room += more ? c->fair[i].most - c->counts[i] : c->counts[i] - c->fair[i].least;
	assert(room >= steps);
	list = allocate(room, sizeof(*list));
	for (size_t i = 0; i < c->count; i++) {
		int64_t share = (int64_t)((uint64_t)c->size * c->endpoints[i].weight);

		if (more)
			for (uint32_t k = c->counts[i]; k < c->fair[i].most; k++)
				list[n++] = (struct step){share - (int64_t)(k * weights), (uint32_t)i};
		else
			for (uint32_t k = c->counts[i]; k > c->fair[i].least; k--)
				list[n++] = (struct step){(int64_t)(k * weights) - share, (uint32_t)i};
	}
	if (n)
		qsort(list, n, sizeof(*list), by_gain);
	for (uint64_t i = 0; i < steps; i++)
		c->counts[list[i].endpoint] += more ? 1u : -1u;
	free(list);
}

static void choose_counts(const struct counting *c, const uint32_t *held)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < c->count; i++) {
		uint32_t kept = held[i] < c->fair[i].most ? held[i] : c->fair[i].most;

		c->counts[i] = kept > c->fair[i].least ? kept : c->fair[i].least;
		sum += c->counts[i];
	}
	if (sum < c->size)
		settle(c, true, c->size - sum);
	else
		settle(c, false, sum - c->size);
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* The slots of each endpoint in a row, `first` says where; those of nobody are left out. */
struct holdings {
	uint32_t *slots, *first;
};

static struct holdings list_holdings(const uint32_t *before, uint32_t size, const uint32_t *held,
				     size_t count)
{
	struct holdings holdings = {allocate(size, sizeof(uint32_t)),
				    allocate(count + 1, sizeof(uint32_t))};
	uint32_t *next = allocate(count, sizeof(*next));

	for (size_t i = 0; i < count; i++) {
		next[i] = holdings.first[i];
		holdings.first[i + 1] = holdings.first[i] + held[i];
	}
	for (uint32_t slot = 0; slot < size; slot++)
		if (before[slot] != GPC_SLOT_NOBODY)
			holdings.slots[next[before[slot]]++] = slot;
	free(next);
	return holdings;
}

/* Leaves an endpoint the `kept` of its slots that come first in its permutation. */
static void sort_out(uint64_t id, uint32_t *slots, uint32_t held, uint32_t kept, uint32_t size)
{
	struct gpc_maglev_order order = gpc_maglev_order(id, size);
	uint64_t *ranked;

	if (kept >= held)
		return;
	ranked = allocate(held, sizeof(*ranked));
	for (uint32_t i = 0; i < held; i++)
		ranked[i] = (uint64_t)gpc_maglev_rank(order, slots[i]) << 32 | slots[i];
	qsort(ranked, held, sizeof(*ranked), by_number);
	for (uint32_t i = 0; i < held; i++)
		slots[i] = (uint32_t)ranked[i];
	free(ranked);
}

/* Writes what stays into the table. What endpoints want beyond it is left in counts; returns its sum. */
static uint32_t keep(const struct counting *c, const uint32_t *before, const uint32_t *held,
		     uint64_t *taken, uint16_t *table)
{
	struct holdings holdings = list_holdings(before, c->size, held, c->count);
	uint32_t free_slots = c->size;

	for (size_t i = 0; i < c->count; i++) {
		uint32_t *slots = holdings.slots + holdings.first[i];
		uint32_t kept = held[i] < c->counts[i] ? held[i] : c->counts[i];

		sort_out(c->endpoints[i].id, slots, held[i], kept, c->size);
		for (uint32_t k = 0; k < kept; k++) {
			taken[slots[k] / 64] |= 1ull << (slots[k] % 64);
			table[slots[k]] = c->endpoints[i].value;
		}
		c->counts[i] -= kept;
		free_slots -= kept;
	}
	free(holdings.slots);
	free(holdings.first);
	return free_slots;
}

uint32_t gpc_rebalance(const struct gpc_maglev_endpoint *endpoints, size_t count,
		       const uint32_t *before, uint16_t *table, uint32_t size)
{
	struct gpc_fair *fair = allocate(count, sizeof(*fair));
	struct counting counting = {endpoints, fair, count, size,
				    allocate(count, sizeof(uint32_t))};
	uint32_t *held = allocate(count, sizeof(*held)), moved;
	uint64_t *taken = allocate(size / 64 + 1, sizeof(*taken));

	assert(count && size >= GPC_MIN_TABLE_SIZE && size <= GPC_MAX_TABLE_SIZE);
	for (uint32_t slot = 0; slot < size; slot++)
		if (before[slot] != GPC_SLOT_NOBODY)
			held[before[slot]]++;
	gpc_rebalance_fair(endpoints, count, size, fair);
	choose_counts(&counting, held);
	moved = keep(&counting, before, held, taken, table);
	gpc_maglev_complete(endpoints, count, counting.counts, taken, table, size);
	free(taken);
	free(held);
	free(counting.counts);
	free(fair);
	return moved;
}
