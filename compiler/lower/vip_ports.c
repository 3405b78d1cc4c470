/* SPDX-License-Identifier: MIT */
#include "vip_ports.h"

#include <stdlib.h>
#include <string.h>

/* ---- listeners of one key ---- */

void gpc_vip_takers_add(struct gpc_vip_takers *takers, uint32_t listener, uint64_t interfaces)
{
	uint64_t free = interfaces & ~takers->interfaces;

	if (!free)
		return;
	takers->items[takers->count++] =
		(struct gpc_vip_choice){.interfaces = free, .listener = listener};
	takers->interfaces |= free;
}

uint32_t gpc_vip_takers_put(struct gpc_vip_parts *parts, const struct gpc_vip_takers *takers,
			    uint8_t *ret_flags)
{
	uint32_t first = (uint32_t)parts->choices.n;

	*ret_flags = takers->count > 1 ? GPC_VIP_CHOICE : 0;
	if (!takers->count)
		return GPC_NONE;
	if (takers->count == 1)
		return takers->items[0].listener;
	for (uint32_t i = 0; i < takers->count; i++) {
		struct gpc_vip_choice *choice = GPC_PUSH(parts->arena, &parts->choices);

		*choice = takers->items[i];
		choice->last = i + 1 == takers->count;
	}
	return first;
}

static bool same_takers(const struct gpc_vip_takers *a, const struct gpc_vip_takers *b)
{
	return a->count == b->count && !memcmp(a->items, b->items, a->count * sizeof(*a->items));
}

/* ---- intervals of ports: a sweep from port 0 upwards ---- */

struct sweep {
	const struct gpc_way **open; /* ways that hold the port, the most specific first */
	size_t open_count;
	const struct gpc_way *ways;
	size_t count, next; /* the ways before `next` have been opened */
};

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* The ports at which another set of ways begins, 0 first. */
static uint32_t *list_cuts(struct gpc_arena *arena, const struct gpc_way *ways, size_t count,
			   size_t *ret_count)
{
	uint32_t *cuts = GPC_NEW_ARRAY(arena, uint32_t, 2 * count + 1);
	size_t n = 1, kept = 1;

	for (size_t i = 0; i < count; i++) {
		cuts[n++] = ways[i].first;
		if (ways[i].last < UINT16_MAX)
			cuts[n++] = ways[i].last + 1u;
	}
	qsort(cuts, n, sizeof(*cuts), by_value);
	for (size_t i = 1; i < n; i++)
		if (cuts[i] != cuts[kept - 1])
			cuts[kept++] = cuts[i];
	*ret_count = kept;
	return cuts;
}

static bool is_narrower(const struct gpc_way *a, const struct gpc_way *b)
{
	unsigned int x = a->last - a->first, y = b->last - b->first;

	return x != y ? x < y : a->listener < b->listener;
}

static void open_ways(struct sweep *sweep, uint32_t port)
{
	for (; sweep->next < sweep->count && sweep->ways[sweep->next].first == port; sweep->next++) {
		const struct gpc_way *way = &sweep->ways[sweep->next];
		size_t at = sweep->open_count++;

		for (; at && is_narrower(way, sweep->open[at - 1]); at--)
			sweep->open[at] = sweep->open[at - 1];
		sweep->open[at] = way;
	}
}

static void close_ways(struct sweep *sweep, uint32_t port)
{
	size_t kept = 0;

	for (size_t i = 0; i < sweep->open_count; i++)
		if (sweep->open[i]->last >= port)
			sweep->open[kept++] = sweep->open[i];
	sweep->open_count = kept;
}

static void put_interval(struct gpc_vip_parts *parts, uint32_t first,
			 const struct gpc_vip_takers *takers)
{
	struct gpc_vip_ports *interval = GPC_PUSH(parts->arena, &parts->ports);

	*interval = (struct gpc_vip_ports){.interfaces = takers->interfaces, .first = (uint16_t)first};
	interval->listener = gpc_vip_takers_put(parts, takers, &interval->flags);
}

void gpc_vip_ports_add(struct gpc_vip_parts *parts, const struct gpc_way *ways, size_t count,
		       struct gpc_vip *vip)
{
	struct sweep sweep = {.open = GPC_NEW_ARRAY(parts->arena, const struct gpc_way *, count),
			      .ways = ways,
			      .count = count};
	size_t cut_count, first = parts->ports.n;
	uint32_t *cuts = list_cuts(parts->arena, ways, count, &cut_count);
	struct gpc_vip_takers before = {0};

	for (size_t i = 0; i < cut_count; i++) {
		struct gpc_vip_takers takers = {0};

		close_ways(&sweep, cuts[i]);
		open_ways(&sweep, cuts[i]);
		for (size_t k = 0; k < sweep.open_count; k++)
			gpc_vip_takers_add(&takers, sweep.open[k]->listener,
					   sweep.open[k]->interfaces);
		if (i && same_takers(&before, &takers))
			continue;
		put_interval(parts, cuts[i], &takers);
		before = takers;
	}
	parts->ports.items[parts->ports.n - 1].last = 1;
	vip->listener = (uint32_t)first;
	vip->ports = parts->ports.n - first;
}
