/* SPDX-License-Identifier: MIT */
#include "distinct.h"

#include <string.h>

#include "gpc/lookup/hash.h"

static uint64_t key_of_set(const struct gpc_space *space, size_t index)
{
	const struct gpc_set *set = &space->sets[index];
	uint64_t key = set->count;

	for (size_t i = 0; i < set->count; i++) {
		uint64_t words[4];

		_Static_assert(sizeof(set->ranges[i]) == sizeof(words), "a range is four words");
		memcpy(words, &set->ranges[i], sizeof(words));
		key = gpc_phash_mix(key, words[0], words[1], words[3]) ^
		      gpc_phash_mix(key, words[2], words[3], words[1]) << 1;
	}
	return key;
}

static uint64_t range_bits(struct gpc_port_range range)
{
	return (uint64_t)range.first << 32 | range.last;
}

static uint64_t key_of_service(const struct gpc_space *space, size_t index)
{
	const struct gpc_service *service = &space->services[index];
	const struct gpc_match *match = &service->match;
	uint64_t key = gpc_phash_mix(service->count, match->dscp,
				     (uint64_t)match->tcp_flags << 16 | match->vlan,
				     match->fragments);

	for (size_t i = 0; i < service->count; i++) {
		const struct gpc_service_item *item = &service->items[i];

		key = gpc_phash_mix(key, range_bits(item->source), range_bits(item->destination),
				    (uint64_t)item->protocol_first << 8 | item->protocol_last);
	}
	return key;
}

static bool equal_sets(const struct gpc_space *space, size_t a, size_t b)
{
	return gpc_set_equal(space->sets[a], space->sets[b]);
}

static bool equal_services(const struct gpc_space *space, size_t a, size_t b)
{
	return gpc_service_equal(&space->services[a], &space->services[b]);
}

/* Numbers `count` things by a hash table of those seen so far. */
static uint32_t *number(struct gpc_arena *arena, const struct gpc_space *space, size_t count,
			const uint64_t *keys,
			bool (*equal)(const struct gpc_space *space, size_t a, size_t b))
{
	uint32_t *numbers = GPC_NEW_ARRAY(arena, uint32_t, count), *slots;
	size_t size = 16;

	while (size < 2 * count)
		size *= 2;
	slots = GPC_NEW_ARRAY(arena, uint32_t, size); /* index + 1, 0: empty */
	for (size_t i = 0; i < count; i++) {
		size_t at = keys[i] & (size - 1);

		while (slots[at] && (keys[slots[at] - 1] != keys[i] || !equal(space, slots[at] - 1, i)))
			at = (at + 1) & (size - 1);
		if (!slots[at])
			slots[at] = (uint32_t)i + 1;
		numbers[i] = slots[at] - 1;
	}
	return numbers;
}

struct gpc_distinct gpc_distinct_find(struct gpc_arena *arena, const struct gpc_space *space)
{
	struct gpc_distinct distinct = {
		.set_keys = GPC_NEW_ARRAY(arena, uint64_t, space->set_count),
		.service_keys = GPC_NEW_ARRAY(arena, uint64_t, space->service_count),
	};

	for (size_t i = 0; i < space->set_count; i++)
		distinct.set_keys[i] = key_of_set(space, i);
	for (size_t i = 0; i < space->service_count; i++)
		distinct.service_keys[i] = key_of_service(space, i);
	distinct.sets = number(arena, space, space->set_count, distinct.set_keys, equal_sets);
	distinct.services = number(arena, space, space->service_count, distinct.service_keys,
				   equal_services);
	return distinct;
}
