/* SPDX-License-Identifier: MIT */
#include "objects.h"

#include <string.h>

static uint64_t hash_bytes(const void *bytes, size_t size, uint64_t h)
{
	const uint8_t *at = bytes;

	for (; size >= 8; size -= 8, at += 8) {
		uint64_t word;

		memcpy(&word, at, 8);
		h = (h ^ word) * 0x9e3779b97f4a7c15ull;
		h ^= h >> 31;
	}
	for (; size > 0; size--, at++)
		h = (h ^ *at) * 0xd6e8feb86659fd93ull;
	return h ^ h >> 29;
}

static uint64_t hash_set(const struct gpc_set *set)
{
	return hash_bytes(set->ranges, set->count * sizeof(*set->ranges), set->count);
}

static uint64_t hash_service(const struct gpc_service *service)
{
	uint64_t h = service->match.dscp ^ (uint64_t)service->match.tcp_flags << 32 ^
		     (uint64_t)service->match.vlan << 8 ^ service->match.fragments;

	for (size_t i = 0; i < service->count; i++) {
		const struct gpc_service_item *item = &service->items[i];
		uint32_t fields[6] = {item->protocol_first, item->protocol_last,
				      item->source.first,   item->source.last,
				      item->destination.first, item->destination.last};

		h = hash_bytes(fields, sizeof(fields), h);
	}
	return h;
}

/* Numbers of distinct things by hash; open addressing. */
struct numbers {
	uint32_t *table;	/* 1 + number */
	size_t cap;
};

static void numbers_init(struct gpc_arena *arena, struct numbers *numbers, size_t count)
{
	numbers->cap = 16;
	while (numbers->cap < 2 * count)
		numbers->cap *= 2;
	numbers->table = GPC_NEW_ARRAY(arena, uint32_t, numbers->cap);
}

static void add_set(struct gpc_objects *o, struct numbers *numbers, int side, const struct gpc_space *space,
		    uint32_t set)
{
	const struct gpc_set *content = &space->sets[set];
	size_t at;

	if (o->of_set[side][set] || !content->count)
		return;
	at = hash_set(content) & (numbers->cap - 1);
	while (numbers->table[at] && !gpc_set_equal(*o->sets[side][numbers->table[at] - 1], *content))
		at = (at + 1) & (numbers->cap - 1);
	if (!numbers->table[at]) {
		o->sets[side][o->count[side]++] = content;
		numbers->table[at] = o->count[side];
	}
	o->of_set[side][set] = numbers->table[at];
}

static void add_service(struct gpc_objects *o, struct numbers *numbers, const struct gpc_space *space,
			uint32_t service)
{
	const struct gpc_service *content = &space->services[service];
	size_t at;

	if (o->of_service[service] || !content->count)
		return;
	at = hash_service(content) & (numbers->cap - 1);
	while (numbers->table[at] && !gpc_service_equal(o->services[numbers->table[at] - 1], content))
		at = (at + 1) & (numbers->cap - 1);
	if (!numbers->table[at]) {
		o->services[o->service_count++] = content;
		numbers->table[at] = o->service_count;
	}
	o->of_service[service] = numbers->table[at];
}

void gpc_objects_collect(struct gpc_arena *arena, const struct gpc_space *space,
			 const struct gpc_box_list *lists, size_t list_count, struct gpc_objects *ret)
{
	struct gpc_objects o = {.of_service = GPC_NEW_ARRAY(arena, uint32_t, space->service_count),
				.services = GPC_NEW_ARRAY(arena, const struct gpc_service *,
							  space->service_count)};
	struct numbers sets[GPC_SIDES], services;

	numbers_init(arena, &services, space->service_count);
	for (int side = 0; side < GPC_SIDES; side++) {
		o.of_set[side] = GPC_NEW_ARRAY(arena, uint32_t, space->set_count);
		o.sets[side] = GPC_NEW_ARRAY(arena, const struct gpc_set *, space->set_count);
		numbers_init(arena, &sets[side], space->set_count);
	}
	for (size_t l = 0; l < list_count; l++)
		for (size_t i = 0; i < lists[l].count; i++) {
			const struct gpc_box *box = &lists[l].boxes[i];

			add_set(&o, &sets[GPC_SOURCE], GPC_SOURCE, space, box->source);
			add_set(&o, &sets[GPC_DESTINATION], GPC_DESTINATION, space, box->destination);
			add_service(&o, &services, space, box->service);
		}
	*ret = o;
}

static struct gpc_point point_of(const struct gpc_ip *ip)
{
	struct gpc_point point;

	memcpy(&point, ip->bytes, sizeof(point));
	return (struct gpc_point){__builtin_bswap64(point.high), __builtin_bswap64(point.low)};
}

void gpc_objects_partition(struct gpc_arena *arena, const struct gpc_objects *objects, int side,
			   struct gpc_partition *ret)
{
	struct gpc_arena scratch = {0};
	struct gpc_cuts cuts;
	size_t ranges = 0;

	for (uint32_t o = 0; o < objects->count[side]; o++)
		ranges += objects->sets[side][o]->count;
	gpc_cuts_init(&scratch, &cuts, ranges);
	for (uint32_t o = 0; o < objects->count[side]; o++)
		for (size_t i = 0; i < objects->sets[side][o]->count; i++) {
			const struct gpc_range *range = &objects->sets[side][o]->ranges[i];

			gpc_cuts_add(&cuts, point_of(&range->first), point_of(&range->last), o);
		}
	gpc_partition_build(arena, &scratch, &cuts, objects->count[side], ret);
	gpc_arena_release(&scratch);
}
