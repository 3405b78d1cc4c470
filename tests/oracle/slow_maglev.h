/* SPDX-License-Identifier: MIT */
/*
 * slow_maglev.h: Maglev hashing as the paper describes it (Eisenbud et al., NSDI 2016, section 3.4:
 * one preference list per endpoint, endpoints take turns, each takes its most preferred free
 * entry), with the cumulative weights that compiler/lower/maglev.h specifies. Written from the
 * description alone, for being obviously right; nothing here is fast.
 */
#ifndef GPC_ORACLE_SLOW_MAGLEV_H
#define GPC_ORACLE_SLOW_MAGLEV_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

struct slow_endpoint {
	uint64_t id;
	uint64_t weight;
};

#define SLOW_EMPTY UINT32_MAX

static inline void *slow_alloc(size_t count, size_t size)
{
	void *p = calloc(count ? count : 1, size);

	if (!p)
		abort();
	return p;
}

/* Entry j of the endpoint's preference list. */
static inline uint64_t slow_preference(const struct slow_endpoint *e, uint64_t j, uint64_t slots)
{
	uint64_t offset = (e->id & 0xffffffffull) % slots;
	uint64_t skip = (e->id >> 32) % (slots - 1) + 1;

	return (offset + j * skip) % slots;
}

static inline uint64_t slow_greatest_weight(const struct slow_endpoint *endpoints, size_t count)
{
	uint64_t greatest = 0;

	for (size_t i = 0; i < count; i++)
		greatest = endpoints[i].weight > greatest ? endpoints[i].weight : greatest;
	return greatest;
}

struct slow_filling {
	const struct slow_endpoint *endpoints;
	uint64_t slots;
	uint64_t *next;	 /* by endpoint: first entry of its list that it has not looked at */
	uint32_t *owner; /* by slot: index of the endpoint, SLOW_EMPTY while free */
	uint64_t taken;
};

static inline void slow_take_one(struct slow_filling *f, size_t i)
{
	uint64_t slot;

	do
		slot = slow_preference(&f->endpoints[i], f->next[i]++, f->slots);
	while (f->owner[slot] != SLOW_EMPTY);
	f->owner[slot] = (uint32_t)i;
	f->taken++;
}

static inline struct slow_filling slow_begin(const struct slow_endpoint *endpoints, size_t count,
					     uint64_t slots, uint32_t *owner)
{
	for (uint64_t s = 0; s < slots; s++)
		owner[s] = SLOW_EMPTY;
	return (struct slow_filling){endpoints, slots, slow_alloc(count, sizeof(uint64_t)), owner,
				     0};
}

/* owner[s] = index of the endpoint that owns slot s; endpoints stand in ascending id order. */
static inline void slow_maglev(const struct slow_endpoint *endpoints, size_t count, uint64_t slots,
			       uint32_t *owner)
{
	struct slow_filling f = slow_begin(endpoints, count, slots, owner);
	uint64_t greatest = slow_greatest_weight(endpoints, count);
	uint64_t *credit = slow_alloc(count, sizeof(*credit));

	while (f.taken < slots)
		for (size_t i = 0; i < count && f.taken < slots; i++) {
			credit[i] += endpoints[i].weight;
			if (credit[i] < greatest)
				continue;
			credit[i] -= greatest;
			slow_take_one(&f, i);
		}
	free(credit);
	free(f.next);
}

static inline int slow_compare_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/*
 * The same table in another way, for pools in which most turns take nothing (one heavy endpoint
 * among thousands of light ones). An endpoint of weight w takes its k-th slot in round ceil(k * W /
 * w), so all takings are written down as (round, index), sorted, and done in that order.
 */
static inline void slow_maglev_by_rounds(const struct slow_endpoint *endpoints, size_t count,
					 uint64_t slots, uint32_t *owner)
{
	struct slow_filling f = slow_begin(endpoints, count, slots, owner);
	uint64_t greatest = slow_greatest_weight(endpoints, count), sum = 0, rounds, n = 0;
	uint64_t *takings;

	for (size_t i = 0; i < count; i++)
		sum += endpoints[i].weight;
	/* after so many rounds at least slots + count - count slots are taken */
	rounds = (slots + count) * greatest / sum + 1;
	takings = slow_alloc(rounds * sum / greatest + 1, sizeof(*takings));
	for (size_t i = 0; i < count; i++) {
		uint64_t weight = endpoints[i].weight;

		for (uint64_t k = 1; k * greatest <= rounds * weight; k++)
			takings[n++] = ((k * greatest + weight - 1) / weight) << 32 | i;
	}
	qsort(takings, n, sizeof(*takings), slow_compare_u64);
	for (uint64_t t = 0; f.taken < slots; t++)
		slow_take_one(&f, (uint32_t)takings[t]);
	free(takings);
	free(f.next);
}

#endif
