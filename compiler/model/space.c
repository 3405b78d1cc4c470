/* SPDX-License-Identifier: MIT */
#include "space.h"

#include <stdlib.h>
#include <string.h>

#include "gpc/image.h"

/* ---- sets ---- */

struct set_key {
	const struct gpc_space_builder *builder;
	struct gpc_set set;
};

static bool same_set(const void *context, uint32_t number)
{
	const struct set_key *key = context;

	return gpc_set_equal(key->builder->sets.items[number], key->set);
}

static uint8_t families_of(const struct gpc_space_builder *builder, struct gpc_set set)
{
	bool v6 = set.count && (!gpc_ip_is_v4(&set.ranges[0].first) ||
				!gpc_ip_is_v4(&set.ranges[set.count - 1].first));

	return (uint8_t)(gpc_set_overlaps(set, builder->v4) << GPC_V4 | v6 << GPC_V6);
}

uint32_t gpc_space_set(struct gpc_space_builder *builder, struct gpc_set set)
{
	struct set_key key = {builder, set};
	uint64_t hash = gpc_intern_mix_bytes(1, set.ranges, set.count * sizeof(*set.ranges));
	uint32_t number = gpc_intern_find(&builder->set_index, hash, same_set, &key);

	if (number != GPC_NONE)
		return number;
	number = (uint32_t)builder->sets.n;
	*GPC_PUSH(builder->arena, &builder->sets) = set;
	*GPC_PUSH(builder->arena, &builder->families) = families_of(builder, set);
	gpc_intern_add(builder->arena, &builder->set_index, hash, number);
	return number;
}

void gpc_space_init(struct gpc_space_builder *builder, struct gpc_arena *arena)
{
	struct gpc_set every = gpc_set_all(arena);

	*builder = (struct gpc_space_builder){.arena = arena};
	for (size_t i = 0; i < every.count; i++)
		if (gpc_ip_is_v4(&every.ranges[i].first))
			builder->v4 = (struct gpc_set){&every.ranges[i], 1};
	gpc_space_set(builder, every);
}

bool gpc_space_spend(struct gpc_space_builder *builder, size_t ranges)
{
	if (ranges > GPC_MAX_SET_RANGES - builder->ranges)
		builder->full = true;
	else
		builder->ranges += ranges;
	return !builder->full;
}

/* ---- prefixes ---- */

struct prefix_key {
	const struct gpc_space_builder *builder;
	const struct gpc_prefix *prefix;
};

static bool same_prefix(const void *context, uint32_t number)
{
	const struct prefix_key *key = context;
	const struct gpc_prefix *other = &key->builder->prefixes.items[number].prefix;

	return other->length == key->prefix->length && other->v4 == key->prefix->v4 &&
	       !gpc_ip_compare(&other->ip, &key->prefix->ip);
}

uint32_t gpc_space_prefix(struct gpc_space_builder *builder, const struct gpc_prefix *prefix)
{
	struct prefix_key key = {builder, prefix};
	uint64_t hash = gpc_intern_mix_bytes(prefix->length, &prefix->ip, sizeof(prefix->ip));
	uint32_t number = gpc_intern_find(&builder->prefix_index, hash, same_prefix, &key), set;

	if (number != GPC_NONE)
		return builder->prefixes.items[number].set;
	set = gpc_space_set(builder, gpc_set_of_prefixes(builder->arena, prefix, 1));
	gpc_intern_add(builder->arena, &builder->prefix_index, hash, (uint32_t)builder->prefixes.n);
	*GPC_PUSH(builder->arena, &builder->prefixes) = (struct gpc_space_prefix){*prefix, set};
	return set;
}

/* ---- unions ---- */

struct union_key {
	const struct gpc_space_builder *builder;
	const uint32_t *parts;
	size_t count;
};

static bool same_union(const void *context, uint32_t number)
{
	const struct union_key *key = context;
	const struct gpc_space_union *other = &key->builder->unions.items[number];

	return other->count == key->count &&
	       !memcmp(other->parts, key->parts, key->count * sizeof(*key->parts));
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static size_t sort_parts(uint32_t *parts, size_t count)
{
	size_t kept = 1;

	qsort(parts, count, sizeof(*parts), by_number);
	for (size_t i = 1; i < count; i++)
		if (parts[i] != parts[kept - 1])
			parts[kept++] = parts[i];
	return kept;
}

static uint32_t make_union(struct gpc_space_builder *builder, const uint32_t *parts, size_t count)
{
	struct gpc_set *sets = GPC_NEW_ARRAY(builder->arena, struct gpc_set, count);
	size_t ranges = 0;

	for (size_t i = 0; i < count; i++) {
		sets[i] = builder->sets.items[parts[i]];
		ranges += sets[i].count;
	}
	if (!gpc_space_spend(builder, ranges))
		return 0;
	return gpc_space_set(builder, gpc_set_union(builder->arena, sets, count));
}

uint32_t gpc_space_union(struct gpc_space_builder *builder, uint32_t *parts, size_t count)
{
	struct union_key key = {builder, parts, count};
	uint32_t number, set, *kept;
	uint64_t hash;

	if (count > 1)
		key.count = count = sort_parts(parts, count);
	/* Number 0 is every address. */
	if (count == 1 || !parts[0])
		return parts[0];
	hash = gpc_intern_mix_bytes(2, parts, count * sizeof(*parts));
	number = gpc_intern_find(&builder->union_index, hash, same_union, &key);
	if (number != GPC_NONE)
		return builder->unions.items[number].set;
	kept = GPC_NEW_ARRAY(builder->arena, uint32_t, count);
	memcpy(kept, parts, count * sizeof(*parts));
	set = make_union(builder, kept, count);
	gpc_intern_add(builder->arena, &builder->union_index, hash, (uint32_t)builder->unions.n);
	*GPC_PUSH(builder->arena, &builder->unions) = (struct gpc_space_union){kept, count, set};
	return set;
}

/* ---- services ---- */

struct service_key {
	const struct gpc_space_builder *builder;
	const struct gpc_service *service;
};

static bool same_service(const void *context, uint32_t number)
{
	const struct service_key *key = context;

	return gpc_service_equal(&key->builder->services.items[number], key->service);
}

static uint64_t hash_service(const struct gpc_service *service)
{
	uint64_t hash = gpc_intern_mix(service->count, service->match.dscp);

	hash = gpc_intern_mix(hash, (uint64_t)service->match.tcp_flags << 32 |
					    (uint32_t)service->match.vlan << 8 |
					    service->match.fragments);
	for (size_t i = 0; i < service->count; i++) {
		const struct gpc_service_item *item = &service->items[i];

		hash = gpc_intern_mix(hash, item->protocol_first << 8 | item->protocol_last);
		hash = gpc_intern_mix(hash, (uint64_t)item->source.first << 32 | item->source.last);
		hash = gpc_intern_mix(hash, (uint64_t)item->destination.first << 32 |
						    item->destination.last);
	}
	return hash;
}

uint32_t gpc_space_service(struct gpc_space_builder *builder, const struct gpc_service *service)
{
	struct service_key key = {builder, service};
	uint64_t hash = hash_service(service);
	uint32_t number = gpc_intern_find(&builder->service_index, hash, same_service, &key);
	struct gpc_service_item *items;

	if (number != GPC_NONE)
		return number;
	items = GPC_NEW_ARRAY(builder->arena, struct gpc_service_item, service->count);
	if (service->count)
		memcpy(items, service->items, service->count * sizeof(*items));
	number = (uint32_t)builder->services.n;
	*GPC_PUSH(builder->arena, &builder->services) =
		(struct gpc_service){items, service->count, service->match};
	gpc_intern_add(builder->arena, &builder->service_index, hash, number);
	return number;
}
