/* SPDX-License-Identifier: MIT */
#include "syntax/keys.h"

#include "tests/unit/unit.h"

#define MANY 5000u

static struct gpc_arena arena;
static struct gpc_pair pairs[MANY];
static size_t reported;

static void fill(size_t count, unsigned int distinct)
{
	for (size_t i = 0; i < count; i++) {
		pairs[i] = (struct gpc_pair){.key = gpc_arena_printf(&arena, "k%zu", i % distinct)};
		pairs[i].key_size = strlen(pairs[i].key);
		pairs[i].key_place.start = (uint32_t)i;
	}
	reported = 0;
}

/* context: how many distinct keys there are; the first pair of each key is among those. */
static void count_duplicate(void *context, const struct gpc_pair *first,
			    const struct gpc_pair *again)
{
	const unsigned int *distinct = context;

	reported++;
	CU_ASSERT(first->key_place.start < *distinct);
	CU_ASSERT_EQUAL(again->key_place.start % *distinct, first->key_place.start);
	CU_ASSERT_NOT_EQUAL(again->key_place.start, first->key_place.start);
}

static void check(size_t count, unsigned int distinct)
{
	size_t kept;

	fill(count, distinct);
	kept = gpc_keys_unite(&arena, pairs, count, count_duplicate, &distinct);
	CU_ASSERT_EQUAL(kept, count < distinct ? count : distinct);
	CU_ASSERT_EQUAL(reported, count - kept);
	for (size_t i = 0; i < kept; i++)
		CU_ASSERT_EQUAL(pairs[i].key_place.start, i);
	gpc_arena_release(&arena);
}

static void first_of_equal_keys_stays_in_order(void)
{
	check(0, 1);
	check(1, 1);
	check(2, 1);
	check(12, 12);
	check(12, 5);
	check(13, 13);
	check(13, 1);
	check(MANY, MANY);
	check(MANY, 7);
	check(MANY, MANY - 1);
}

static void keys_of_one_length_and_prefix_differ(void)
{
	pairs[0] = (struct gpc_pair){.key = "abc", .key_size = 3};
	pairs[1] = (struct gpc_pair){.key = "abd", .key_size = 3};
	pairs[2] = (struct gpc_pair){.key = "ab", .key_size = 2};
	reported = 0;
	CU_ASSERT_EQUAL(gpc_keys_unite(&arena, pairs, 3, count_duplicate, NULL), 3);
	CU_ASSERT_EQUAL(reported, 0);
	gpc_arena_release(&arena);
}

GPC_UNIT_MAIN("syntax/keys",
	      {"first_of_equal_keys_stays_in_order", first_of_equal_keys_stays_in_order},
	      {"keys_of_one_length_and_prefix_differ", keys_of_one_length_and_prefix_differ})
