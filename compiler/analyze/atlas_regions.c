/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "atlas_sheet.h"

bool gpc_atlas_opens(const struct gpc_atlas *atlas, size_t place, uint32_t region)
{
	const struct gpc_kinds *kinds = &atlas->sheets[atlas->places[place].alike]->kinds;
	const uint64_t *held = gpc_kinds_set(kinds, region);
	const uint64_t *opening = gpc_kinds_set(kinds, kinds->opening);
	uint64_t any = 0;

	for (size_t i = 0; i < kinds->words / 2; i++)
		any |= held[i] & opening[i];
	return any;
}

uint32_t gpc_atlas_nothing(const struct gpc_atlas *atlas, size_t place)
{
	return atlas->sheets[place]->kinds.nothing;
}

uint32_t gpc_atlas_both(struct gpc_atlas *atlas, size_t place, uint32_t a, uint32_t b)
{
	return gpc_kinds_and(&atlas->sheets[place]->kinds, a, b);
}

uint32_t gpc_atlas_without(struct gpc_atlas *atlas, size_t place, uint32_t a, uint32_t b)
{
	return gpc_kinds_minus(&atlas->sheets[place]->kinds, a, b);
}

static bool holds_all(const uint64_t *outer, const uint64_t *inner, size_t words)
{
	for (size_t i = 0; i < words; i++)
		if (inner[i] & ~outer[i])
			return false;
	return true;
}

uint32_t gpc_atlas_either(struct gpc_atlas *atlas, size_t place, uint32_t a, uint32_t b)
{
	struct gpc_kinds *kinds = &atlas->sheets[place]->kinds;
	size_t words = kinds->words / 2;
	const uint64_t *x, *y;
	uint64_t *bits;

	x = gpc_kinds_set(kinds, a);
	y = gpc_kinds_set(kinds, b);
	if (holds_all(x, y, words))
		return a;
	if (holds_all(y, x, words))
		return b;
	bits = GPC_NEW_ARRAY(atlas->arena, uint64_t, words);
	for (size_t i = 0; i < words; i++)
		bits[i] = x[i] | y[i];
	return gpc_kinds_number(kinds, bits);
}

uint32_t gpc_atlas_region_of(struct gpc_atlas *atlas, size_t place, const struct gpc_atlas *other, uint32_t region)
{
	return gpc_kinds_number(&atlas->sheets[place]->kinds, gpc_kinds_set(&other->sheets[place]->kinds, region));
}

struct gpc_question gpc_atlas_lowest(const struct gpc_atlas *atlas, size_t place, uint32_t region)
{
	const struct gpc_kinds *kinds = &atlas->sheets[place]->kinds;

	return kinds->packets[gpc_kinds_lowest(kinds, region)];
}
