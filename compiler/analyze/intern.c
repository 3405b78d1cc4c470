/* SPDX-License-Identifier: MIT */
#include "intern.h"

#include <string.h>

#define TABLE_MIN 64u

static uint32_t hash_of(const uint32_t *words, size_t count)
{
	uint64_t hash = count * 0x9e3779b97f4a7c15ull;

	for (size_t i = 0; i < count; i++) {
		hash = (hash ^ words[i]) * 0xd6e8feb86659fd93ull;
		hash ^= hash >> 32;
	}
	return (uint32_t)hash;
}

/* A table with room for as many again; old ones stay behind in the arena. */
static uint32_t *grown(struct gpc_arena *arena, size_t *size)
{
	*size = *size ? 4 * *size : TABLE_MIN;
	return GPC_NEW_ARRAY(arena, uint32_t, *size);
}

static bool same(const struct gpc_sequence *item, uint32_t hash, const uint32_t *words, size_t count)
{
	return item->hash == hash && item->count == count &&
	       (!count || !memcmp(item->words, words, count * sizeof(*words)));
}

static void put(uint32_t *table, size_t size, uint32_t hash, uint32_t number)
{
	size_t at = hash & (size - 1);

	while (table[at])
		at = (at + 1) & (size - 1);
	table[at] = 1 + number;
}

uint32_t gpc_intern(struct gpc_intern *intern, const uint32_t *words, size_t count)
{
	uint32_t hash = hash_of(words, count), *copy;

	if (2 * intern->items.n >= intern->table_size) {
		intern->table = grown(intern->arena, &intern->table_size);
		for (size_t i = 0; i < intern->items.n; i++)
			put(intern->table, intern->table_size, intern->items.items[i].hash, (uint32_t)i);
	}
	for (size_t at = hash & (intern->table_size - 1); intern->table[at];
	     at = (at + 1) & (intern->table_size - 1))
		if (same(&intern->items.items[intern->table[at] - 1], hash, words, count))
			return intern->table[at] - 1;
	if (count > intern->most - intern->used || intern->items.n >= UINT32_MAX / 2) {
		intern->full = true;
		return 0;
	}
	intern->used += count;
	copy = GPC_NEW_ARRAY(intern->arena, uint32_t, count);
	if (count)
		memcpy(copy, words, count * sizeof(*words));
	*GPC_PUSH(intern->arena, &intern->items) = (struct gpc_sequence){copy, (uint32_t)count, hash};
	put(intern->table, intern->table_size, hash, (uint32_t)intern->items.n - 1);
	return (uint32_t)intern->items.n - 1;
}

static uint32_t hash_step(uint32_t from, uint32_t by)
{
	uint64_t hash = ((uint64_t)from << 32 | by) * 0x9e3779b97f4a7c15ull;

	return (uint32_t)(hash >> 32) ^ (uint32_t)(hash >> 20);
}

uint32_t gpc_step(struct gpc_steps *steps, uint32_t from, uint32_t by)
{
	if (2 * steps->items.n >= steps->table_size) {
		steps->table = grown(steps->arena, &steps->table_size);
		for (size_t i = 0; i < steps->items.n; i++)
			put(steps->table, steps->table_size,
			    hash_step(steps->items.items[i].from, steps->items.items[i].by),
			    (uint32_t)i);
	}
	for (size_t at = hash_step(from, by) & (steps->table_size - 1); steps->table[at];
	     at = (at + 1) & (steps->table_size - 1)) {
		const struct gpc_step *item = &steps->items.items[steps->table[at] - 1];

		if (item->from == from && item->by == by)
			return steps->table[at] - 1;
	}
	*GPC_PUSH(steps->arena, &steps->items) = (struct gpc_step){from, by};
	put(steps->table, steps->table_size, hash_step(from, by), (uint32_t)steps->items.n - 1);
	return (uint32_t)steps->items.n - 1;
}
