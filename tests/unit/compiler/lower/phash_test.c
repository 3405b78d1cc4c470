/* SPDX-License-Identifier: MIT */
#include "../../unit.h"
#include "gpc/lookup/hash.h"
#include "lower/phash.h"

static uint64_t number_key(uint64_t seed, const void *keys, size_t index)
{
	return gpc_phash_mix(seed, ((const uint64_t *)keys)[index], 0, 0);
}

static uint64_t constant_key(uint64_t seed, const void *keys, size_t index)
{
	(void)keys;
	(void)index;
	return seed;
}

/* Index of the key, as the data plane finds it. */
static uint32_t find(const struct gpc_phash_table *table, uint64_t key)
{
	uint64_t hash = gpc_phash_mix(table->hash.seed, key, 0, 0);
	uint32_t bucket = (uint32_t)(hash >> 32) & table->hash.bucket_mask;

	return table
		->slots[((uint32_t)hash ^ table->displacements[bucket]) & table->hash.slot_mask];
}

static void every_key_is_found_in_sets_of_any_size(void)
{
	static const size_t sizes[] = {1, 2, 3, 4, 5, 7, 8, 9, 100, 1000, 4097, 30000};

	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		struct gpc_arena arena = {0};
		uint64_t *keys = GPC_NEW_ARRAY(&arena, uint64_t, sizes[s]);
		struct gpc_phash_table table;
		uint32_t used = 0;

		for (size_t i = 0; i < sizes[s]; i++)
			keys[i] = (i + 1) * 0x10001;
		CU_ASSERT_FATAL(gpc_phash_build(&arena, keys, sizes[s], number_key, &table));
		CU_ASSERT(table.hash.slot_mask + 1 >= 2 * sizes[s]);
		for (size_t i = 0; i < sizes[s]; i++)
			CU_ASSERT_EQUAL_FATAL(find(&table, keys[i]), i + 1);
		for (uint32_t slot = 0; slot <= table.hash.slot_mask; slot++)
			used += table.slots[slot] != 0;
		CU_ASSERT_EQUAL(used, sizes[s]);
		gpc_arena_release(&arena);
	}
}

static void an_empty_set_has_one_bucket_and_one_empty_slot(void)
{
	struct gpc_arena arena = {0};
	struct gpc_phash_table table;

	CU_ASSERT_FATAL(gpc_phash_build(&arena, NULL, 0, number_key, &table));
	CU_ASSERT_EQUAL(table.hash.bucket_mask, 0);
	CU_ASSERT_EQUAL(table.hash.slot_mask, 0);
	CU_ASSERT_EQUAL(table.displacements[0], 0);
	CU_ASSERT_EQUAL(table.slots[0], 0);
	gpc_arena_release(&arena);
}

static void keys_that_always_meet_end_in_a_refusal(void)
{
	struct gpc_phash_table table = {.hash = {.seed = 5}};
	struct gpc_arena arena = {0};

	CU_ASSERT_FALSE(gpc_phash_build(&arena, NULL, 2, constant_key, &table));
	CU_ASSERT_FALSE(gpc_phash_build(&arena, NULL, 100000, constant_key, &table));
	CU_ASSERT_EQUAL(table.hash.seed, 5);
	gpc_arena_release(&arena);
}

GPC_UNIT_MAIN("lower/phash",
	      {"every_key_is_found_in_sets_of_any_size", every_key_is_found_in_sets_of_any_size},
	      {"an_empty_set_has_one_bucket_and_one_empty_slot",
	       an_empty_set_has_one_bucket_and_one_empty_slot},
	      {"keys_that_always_meet_end_in_a_refusal", keys_that_always_meet_end_in_a_refusal})
