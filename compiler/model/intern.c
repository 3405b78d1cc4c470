/* SPDX-License-Identifier: MIT */
#include "intern.h"

#include <string.h>

#include "gpc/image.h"

#define FIRST_CAPACITY 64u

uint32_t gpc_intern_find(const struct gpc_intern *intern, uint64_t hash, gpc_intern_same *same,
			 const void *context)
{
	if (!intern->capacity)
		return GPC_NONE;
	for (size_t i = hash;; i++) {
		const struct gpc_intern_slot *slot = &intern->slots[i & (intern->capacity - 1)];

		if (!slot->taken)
			return GPC_NONE;
		if (slot->hash == hash && same(context, slot->number))
			return slot->number;
	}
}

static void put(struct gpc_intern *intern, uint64_t hash, uint32_t number)
{
	size_t i = hash & (intern->capacity - 1);

	while (intern->slots[i].taken)
		i = (i + 1) & (intern->capacity - 1);
	intern->slots[i] = (struct gpc_intern_slot){hash, number, true};
}

static void resize(struct gpc_arena *arena, struct gpc_intern *intern, size_t capacity)
{
	struct gpc_intern old = *intern;

	intern->capacity = capacity;
	intern->slots = GPC_NEW_ARRAY(arena, struct gpc_intern_slot, intern->capacity);
	for (size_t i = 0; i < old.capacity; i++)
		if (old.slots[i].taken)
			put(intern, old.slots[i].hash, old.slots[i].number);
}

void gpc_intern_reserve(struct gpc_arena *arena, struct gpc_intern *intern, size_t count)
{
	size_t capacity = FIRST_CAPACITY;

	while (capacity < count * 2)
		capacity *= 2;
	resize(arena, intern, capacity);
}

void gpc_intern_add(struct gpc_arena *arena, struct gpc_intern *intern, uint64_t hash,
		    uint32_t number)
{
	if (intern->used * 2 >= intern->capacity)
		resize(arena, intern, intern->capacity ? intern->capacity * 2 : FIRST_CAPACITY);
	put(intern, hash, number);
	intern->used++;
}

uint64_t gpc_intern_mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
	return hash ^ hash >> 32;
}

uint64_t gpc_intern_mix_bytes(uint64_t hash, const void *bytes, size_t size)
{
	const uint8_t *at = bytes;
	uint64_t word = 0;

	for (; size >= sizeof(word); at += sizeof(word), size -= sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		hash = gpc_intern_mix(hash, word);
	}
	word = size;
	for (size_t i = 0; i < size; i++)
		word = word << 8 | at[i];
	return gpc_intern_mix(hash, word);
}
