/* SPDX-License-Identifier: MIT */
#include "table_size.h"

#include <stddef.h>

#include "gpc/limits.h"

/* The greatest prime below each power of two from 2^8 to 2^21. */
static const uint32_t default_sizes[] = {
	251,   509,   1021,   2039,   4093,   8191,    16381,
	32749, 65521, 131071, 262139, 524287, 1048573, 2097143,
};
#define DEFAULT_SIZES (sizeof(default_sizes) / sizeof(default_sizes[0]))
_Static_assert(GPC_MAX_TABLE_SIZE == 2097143, "the last default size is the limit");

uint32_t gpc_maglev_default_size(uint64_t endpoints)
{
	for (size_t i = 0; i < DEFAULT_SIZES; i++)
		if (default_sizes[i] / GPC_TABLE_PER_ENDPOINT >= endpoints)
			return default_sizes[i];
	return default_sizes[DEFAULT_SIZES - 1];
}

bool gpc_is_prime(uint64_t n)
{
	if (n < 4)
		return n >= 2;
	if (n % 2 == 0)
		return false;
	for (uint64_t d = 3; d <= n / d; d += 2)
		if (n % d == 0)
			return false;
	return true;
}

void gpc_nearest_primes(uint64_t n, uint64_t *ret_below, uint64_t *ret_above)
{
	uint64_t below = n, above = n;

	do
		below = below ? below - 1 : 0;
	while (below >= 2 && !gpc_is_prime(below));
	do
		above++;
	while (!gpc_is_prime(above));
	*ret_below = below >= 2 ? below : 0;
	*ret_above = above;
}
