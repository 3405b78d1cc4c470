/* SPDX-License-Identifier: MIT */
#include "slots.h"

#include <errno.h>
#include <stdlib.h>

#include "../../compiler/base/cleanup.h"

int gpc_slots_init(struct gpc_slots *slots, uint32_t first, uint32_t capacity)
{
	*slots = (struct gpc_slots){.first = first, .capacity = capacity, .lowest = first};
	slots->mask = 63;
	slots->entries = calloc(slots->mask + 1, sizeof(*slots->entries));
	slots->used = calloc(capacity / 64 + 1, sizeof(*slots->used));
	if (!slots->entries || !slots->used) {
		gpc_slots_release(slots);
		return -ENOMEM;
	}
	return 0;
}

void gpc_slots_release(struct gpc_slots *slots)
{
	free(slots->entries);
	free(slots->used);
	*slots = (struct gpc_slots){0};
}

static bool is_used(const struct gpc_slots *slots, uint32_t slot)
{
	return slots->used[slot / 64] >> slot % 64 & 1;
}

/* The entry of the key, or the empty one where it belongs. */
static struct gpc_slot_entry *find(const struct gpc_slots *slots, const uint64_t key[2])
{
	uint64_t hash = (key[0] ^ key[1] * 0x9e3779b97f4a7c15ull) * 0xd6e8feb86659fd93ull;
	uint32_t at = (uint32_t)(hash >> 32) & slots->mask;

	for (;; at = (at + 1) & slots->mask) {
		struct gpc_slot_entry *entry = &slots->entries[at];

		if ((!entry->key[0] && !entry->key[1]) ||
		    (entry->key[0] == key[0] && entry->key[1] == key[1]))
			return entry;
	}
}

static int grow(struct gpc_slots *slots)
{
	struct gpc_slots bigger = *slots;
	uint32_t i;

	if (2 * slots->entry_count <= slots->mask)
		return 0;
	bigger.mask = 2 * slots->mask + 1;
	bigger.entries = calloc((size_t)bigger.mask + 1, sizeof(*bigger.entries));
	if (!bigger.entries)
		return -ENOMEM;
	for (i = 0; i <= slots->mask; i++)
		if (slots->entries[i].key[0] || slots->entries[i].key[1])
			*find(&bigger, slots->entries[i].key) = slots->entries[i];
	free(slots->entries);
	*slots = bigger;
	return 0;
}

static void enter(struct gpc_slots *slots, struct gpc_slot_entry *entry, const uint64_t key[2],
		  uint32_t slot)
{
	*entry = (struct gpc_slot_entry){.key = {key[0], key[1]}, .slot = slot};
	slots->entry_count++;
	slots->used[slot / 64] |= 1ull << slot % 64;
}

int gpc_slots_hold(struct gpc_slots *slots, const uint64_t key[2], uint32_t slot)
{
	struct gpc_slot_entry *entry;

	if (slot < slots->first || slot >= slots->capacity || is_used(slots, slot))
		return 0;
	if (grow(slots))
		return -ENOMEM;
	entry = find(slots, key);
	if (entry->key[0] || entry->key[1])
		slots->used[slot / 64] |= 1ull << slot % 64;
	else
		enter(slots, entry, key, slot);
	return 0;
}

int gpc_slots_take(struct gpc_slots *slots, const uint64_t key[2], uint32_t *ret_slot,
		   bool *ret_fresh)
{
	struct gpc_slot_entry *entry;

	if (grow(slots))
		return -ENOMEM;
	entry = find(slots, key);
	*ret_fresh = !entry->key[0] && !entry->key[1];
	if (*ret_fresh) {
		while (slots->lowest < slots->capacity && is_used(slots, slots->lowest))
			slots->lowest++;
		if (slots->lowest == slots->capacity)
			return -ENOSPC;
		enter(slots, entry, key, slots->lowest);
	}
	*ret_slot = entry->slot;
	return 0;
}
