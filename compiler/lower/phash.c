/* SPDX-License-Identifier: MIT */
#include "phash.h"

#include <string.h>

#define SEEDS_TRIED 256
#define KEYS_PER_BUCKET 2 /* on average, at most */
#define SLOTS_PER_KEY 2 /* at least */

struct work {
	const void *keys;
	size_t count;
	gpc_phash_key *hash;
	struct gpc_phash_table table;
	uint64_t *hashes;
	uint32_t *order; /* keys, grouped by bucket */
	uint32_t *first; /* by bucket: start in order; one more at the end */
	uint32_t *by_size; /* buckets, largest first */
};

static uint32_t power_of_two(size_t at_least)
{
	uint32_t n = 1;

	while (n < at_least)
		n *= 2;
	return n;
}

static uint32_t bucket_of(const struct work *work, uint32_t key)
{
	return (uint32_t)(work->hashes[key] >> 32) & work->table.hash.bucket_mask;
}

static uint32_t slot_of(const struct work *work, uint32_t key, uint32_t displacement)
{
	return ((uint32_t)work->hashes[key] ^ displacement) & work->table.hash.slot_mask;
}

/* Counting sort of the keys by bucket; keys of one bucket keep their order. */
static void group_by_bucket(struct work *work)
{
	uint32_t buckets = work->table.hash.bucket_mask + 1;

	memset(work->first, 0, (buckets + 1) * sizeof(*work->first));
	for (uint32_t key = 0; key < work->count; key++)
		work->first[bucket_of(work, key) + 1]++;
	for (uint32_t b = 0; b < buckets; b++)
		work->first[b + 1] += work->first[b];
	for (uint32_t key = (uint32_t)work->count; key-- > 0;)
		work->order[--work->first[bucket_of(work, key) + 1]] = key;
	/* The loop above moved every start one bucket up. */
	memmove(work->first, work->first + 1, buckets * sizeof(*work->first));
	work->first[buckets] = (uint32_t)work->count;
}

/* A seed that fills a bucket so far is not worth a try; the bound keeps hostile keys cheap. */
#define LARGEST_BUCKET 64u

/* Counting sort of the buckets by size, equal sizes by number. False if a bucket is too large. */
static bool order_by_size(struct work *work)
{
	uint32_t buckets = work->table.hash.bucket_mask + 1, largest = 0, next = 0;

	for (uint32_t b = 0; b < buckets; b++) {
		uint32_t size = work->first[b + 1] - work->first[b];

		if (size > largest)
			largest = size;
	}
	if (largest > LARGEST_BUCKET)
		return false;
	for (uint32_t size = largest + 1; size-- > 0;)
		for (uint32_t b = 0; b < buckets; b++)
			if (work->first[b + 1] - work->first[b] == size)
				work->by_size[next++] = b;
	return true;
}

/* Puts keys order[from..to) under the displacement; takes back those placed when one finds its slot taken. */
static bool place(struct work *work, uint32_t from, uint32_t to, uint32_t displacement)
{
	uint32_t *slots = work->table.slots, i;

	for (i = from; i < to; i++) {
		uint32_t slot = slot_of(work, work->order[i], displacement);

		if (slots[slot])
			break;
		slots[slot] = work->order[i] + 1;
	}
	if (i == to)
		return true;
	while (i-- > from)
		slots[slot_of(work, work->order[i], displacement)] = 0;
	return false;
}

/* Keys whose low halves are equal meet under every displacement. */
static bool separable(const struct work *work, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++)
		for (uint32_t k = i + 1; k < to; k++)
			if (slot_of(work, work->order[i], 0) == slot_of(work, work->order[k], 0))
				return false;
	return true;
}

static bool place_all(struct work *work)
{
	uint32_t buckets = work->table.hash.bucket_mask + 1;

	memset(work->table.slots, 0, (work->table.hash.slot_mask + 1ull) * sizeof(uint32_t));
	for (uint32_t i = 0; i < buckets; i++) {
		uint32_t bucket = work->by_size[i], displacement = 0;
		uint32_t from = work->first[bucket], to = work->first[bucket + 1];

		if (!separable(work, from, to))
			return false;
		while (!place(work, from, to, displacement))
			if (displacement++ == work->table.hash.slot_mask)
				return false;
		work->table.displacements[bucket] = displacement;
	}
	return true;
}

bool gpc_phash_build(struct gpc_arena *arena, const void *keys, size_t count, gpc_phash_key *hash,
		     struct gpc_phash_table *ret)
{
	uint32_t buckets = power_of_two((count + KEYS_PER_BUCKET - 1) / KEYS_PER_BUCKET);
	uint32_t slots = power_of_two(count * SLOTS_PER_KEY);
	struct work work = {
		.keys = keys,
		.count = count,
		.hash = hash,
		.table = {.hash = {.bucket_mask = buckets - 1, .slot_mask = slots - 1},
			  .displacements = GPC_NEW_ARRAY(arena, uint32_t, buckets),
			  .slots = GPC_NEW_ARRAY(arena, uint32_t, slots)},
		.hashes = GPC_NEW_ARRAY(arena, uint64_t, count),
		.order = GPC_NEW_ARRAY(arena, uint32_t, count),
		.first = GPC_NEW_ARRAY(arena, uint32_t, buckets + 1),
		.by_size = GPC_NEW_ARRAY(arena, uint32_t, buckets),
	};

	for (uint64_t attempt = 1; attempt <= SEEDS_TRIED; attempt++) {
		work.table.hash.seed = attempt * 0x9e3779b97f4a7c15ull;
		for (size_t i = 0; i < count; i++)
			work.hashes[i] = hash(work.table.hash.seed, keys, i);
		group_by_bucket(&work);
		if (order_by_size(&work) && place_all(&work)) {
			*ret = work.table;
			return true;
		}
	}
	return false;
}
