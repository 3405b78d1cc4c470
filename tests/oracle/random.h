/* SPDX-License-Identifier: MIT */
/*
 * random.h: repeatable random numbers for the oracles (splitmix64). Same seed, same run on every
 * machine; a failure is reproduced by its printed seed.
 */
#ifndef GPC_ORACLE_RANDOM_H
#define GPC_ORACLE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct random_source {
	uint64_t state;
};

static inline uint64_t random_u64(struct random_source *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

/* 0 <= result < bound; the bias is below 2^-40 for the bounds used here. */
static inline uint64_t random_below(struct random_source *r, uint64_t bound)
{
	return random_u64(r) % bound;
}

static inline uint64_t random_between(struct random_source *r, uint64_t low, uint64_t high)
{
	return low + random_below(r, high - low + 1);
}

/* True `percent` times in a hundred. */
static inline int random_chance(struct random_source *r, unsigned int percent)
{
	return random_below(r, 100) < percent;
}

/* Log-uniform: small values as often as large ones. */
static inline uint64_t random_scale(struct random_source *r, uint64_t low, uint64_t high)
{
	uint64_t top = low;

	while (top < high && random_chance(r, 80))
		top = top * 2 + 1 < high ? top * 2 + 1 : high;
	return random_between(r, low, top);
}

static inline void random_shuffle(struct random_source *r, uint32_t *items, size_t count)
{
	for (size_t i = count; i > 1; i--) {
		size_t j = random_below(r, i);
		uint32_t t = items[i - 1];

		items[i - 1] = items[j];
		items[j] = t;
	}
}

#endif
