/* SPDX-License-Identifier: MIT */
#include "kinds.h"

const uint64_t *gpc_kinds_set(const struct gpc_kinds *kinds, uint32_t set)
{
	return (const uint64_t *)(const void *)kinds->sets.items.items[set].words;
}

uint32_t gpc_kinds_number(struct gpc_kinds *kinds, const uint64_t *bits)
{
	return gpc_intern(&kinds->sets, (const uint32_t *)(const void *)bits, kinds->words);
}

static uint32_t combined(struct gpc_kinds *kinds, uint32_t a, uint32_t b, uint64_t flip)
{
	const uint64_t *x = gpc_kinds_set(kinds, a), *y = gpc_kinds_set(kinds, b);
	uint64_t bits[GPC_KINDS_MAX / 64];

	for (uint32_t i = 0; i < kinds->words / 2; i++)
		bits[i] = x[i] & (y[i] ^ flip);
	return gpc_kinds_number(kinds, bits);
}

uint32_t gpc_kinds_and(struct gpc_kinds *kinds, uint32_t a, uint32_t b)
{
	return a == b || b == kinds->all ? a : combined(kinds, a, b, 0);
}

uint32_t gpc_kinds_minus(struct gpc_kinds *kinds, uint32_t a, uint32_t b)
{
	return b == kinds->nothing ? a : combined(kinds, a, b, UINT64_MAX);
}

uint32_t gpc_kinds_of_service(struct gpc_kinds *kinds, const struct gpc_service *service)
{
	uint64_t bits[GPC_KINDS_MAX / 64] = {0};

	for (uint32_t i = 0; i < kinds->count; i++)
		bits[i / 64] |= (uint64_t)gpc_service_matches(service, &kinds->packets[i]) << i % 64;
	return gpc_kinds_number(kinds, bits);
}

uint32_t gpc_kinds_lowest(const struct gpc_kinds *kinds, uint32_t set)
{
	const uint64_t *bits = gpc_kinds_set(kinds, set);
	uint32_t best = GPC_NONE;

	for (uint32_t i = 0; i < kinds->count; i++)
		if (bits[i / 64] >> i % 64 & 1 && (best == GPC_NONE || kinds->ranks[i] < kinds->ranks[best]))
			best = i;
	return best;
}
