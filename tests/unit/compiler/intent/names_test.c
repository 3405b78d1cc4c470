/* SPDX-License-Identifier: MIT */
#include "intent/names.h"

#include <stdint.h>

#include "tests/unit/unit.h"

static void the_first_of_equal_names_is_found(void)
{
	static const char *const words[] = {"c", "a", "b", "a", "c", "a"};
	struct gpc_arena arena = {0};
	struct gpc_names names = {0};
	size_t repeats = 0;

	gpc_names_start(&arena, &names, 6);
	for (size_t i = 0; i < 6; i++)
		gpc_names_add(&names, words[i]);
	gpc_names_sort(&arena, &names);
	CU_ASSERT_EQUAL(gpc_names_find(&names, "a"), 1);
	CU_ASSERT_EQUAL(gpc_names_find(&names, "b"), 2);
	CU_ASSERT_EQUAL(gpc_names_find(&names, "c"), 0);
	CU_ASSERT_EQUAL(gpc_names_find(&names, ""), SIZE_MAX);
	CU_ASSERT_EQUAL(gpc_names_find(&names, "d"), SIZE_MAX);
	for (size_t i = 0; i < 6; i++) {
		size_t first = gpc_names_first(&names, i);

		CU_ASSERT_STRING_EQUAL(words[first], words[i]);
		CU_ASSERT_TRUE(first <= i);
		CU_ASSERT_EQUAL(first, (size_t)(words[i][0] == 'a'   ? 1
						: words[i][0] == 'b' ? 2
								     : 0));
		repeats += first != i;
	}
	CU_ASSERT_EQUAL(repeats, 3);
	gpc_arena_release(&arena);
}

static void an_empty_index_finds_nothing(void)
{
	struct gpc_arena arena = {0};
	struct gpc_names names;

	gpc_names_start(&arena, &names, 0);
	gpc_names_sort(&arena, &names);
	CU_ASSERT_EQUAL(gpc_names_find(&names, "a"), SIZE_MAX);
	gpc_arena_release(&arena);
}

static void many_names_are_told_apart(void)
{
	const size_t count = 20000;
	struct gpc_arena arena = {0};
	struct gpc_names names;
	char name[16];

	gpc_names_start(&arena, &names, count + 1);
	for (size_t i = 0; i < count; i++)
		gpc_names_add(&names, gpc_arena_printf(&arena, "rule-%zu", i));
	gpc_names_add(&names, "rule-7");
	gpc_names_sort(&arena, &names);
	for (size_t i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "rule-%zu", i);
		if (gpc_names_find(&names, name) != i || gpc_names_first(&names, i) != i)
			CU_FAIL("a name is found where it was added");
	}
	CU_ASSERT_EQUAL(gpc_names_first(&names, count), 7);
	CU_ASSERT_EQUAL(gpc_names_find(&names, "rule-20000"), SIZE_MAX);
	gpc_arena_release(&arena);
}

static void the_order_is_that_of_the_names_bytes(void)
{
	static const char *const names_by_bytes[] = {
		"a",
		"a-very-long-name-of-a-rule-1",
		"a-very-long-name-of-a-rule-2",
		"a.b",
		"a.b",
		"a0",
		"aB",
		"ab",
		"aba",
		"ba-very-long-name",
		"b\xc3\xa4",
	};
	const size_t count = sizeof(names_by_bytes) / sizeof(names_by_bytes[0]);
	static const uint32_t scattered[] = {3, 10, 0, 7, 1, 9, 4, 2, 8, 6, 5};
	struct gpc_arena arena = {0};
	struct gpc_names names;
	const uint32_t *order;

	gpc_names_start(&arena, &names, count);
	for (size_t i = 0; i < count; i++)
		gpc_names_add(&names, names_by_bytes[scattered[i]]);
	gpc_names_sort(&arena, &names);
	order = gpc_names_order(&arena, &names);
	for (size_t i = 0; i < count; i++) {
		CU_ASSERT_STRING_EQUAL(names_by_bytes[scattered[order[i]]], names_by_bytes[i]);
		if (i && !strcmp(names_by_bytes[i], names_by_bytes[i - 1]))
			CU_ASSERT(order[i] > order[i - 1]);
	}
	gpc_arena_release(&arena);
}

static void a_shared_head_and_many_names_keep_the_order(void)
{
	const size_t count = 5000;
	struct gpc_arena arena = {0};
	struct gpc_names names;
	const uint32_t *order;

	gpc_names_start(&arena, &names, count);
	for (size_t i = 0; i < count; i++)
		gpc_names_add(&names, gpc_arena_printf(&arena, "shared-head-%zu-%zu-tail",
						       i * 7919 % count, i % 3));
	gpc_names_sort(&arena, &names);
	order = gpc_names_order(&arena, &names);
	for (size_t i = 1; i < count; i++)
		CU_ASSERT(strcmp(names.added[order[i - 1]].name, names.added[order[i]].name) < 0);
	gpc_arena_release(&arena);
}

GPC_UNIT_MAIN("intent/names",
	      {"the_first_of_equal_names_is_found", the_first_of_equal_names_is_found},
	      {"an_empty_index_finds_nothing", an_empty_index_finds_nothing},
	      {"many_names_are_told_apart", many_names_are_told_apart},
	      {"the_order_is_that_of_the_names_bytes", the_order_is_that_of_the_names_bytes},
	      {"a_shared_head_and_many_names_keep_the_order",
	       a_shared_head_and_many_names_keep_the_order})
