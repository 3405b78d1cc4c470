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

	for (size_t i = 0; i < 6; i++)
		gpc_names_add(&arena, &names, words[i]);
	gpc_names_sort(&names);
	CU_ASSERT_EQUAL(gpc_names_find(&names, "a"), 1);
	CU_ASSERT_EQUAL(gpc_names_find(&names, "b"), 2);
	CU_ASSERT_EQUAL(gpc_names_find(&names, "c"), 0);
	CU_ASSERT_EQUAL(gpc_names_find(&names, ""), SIZE_MAX);
	CU_ASSERT_EQUAL(gpc_names_find(&names, "d"), SIZE_MAX);
	for (size_t i = 0; i < 6; i++) {
		size_t first, again;

		if (!gpc_names_repeat(&names, i, &first, &again))
			continue;
		CU_ASSERT_STRING_EQUAL(words[first], words[again]);
		CU_ASSERT_TRUE(first < again);
		CU_ASSERT_EQUAL(first, words[again][0] == 'a' ? 1 : 0);
		repeats++;
	}
	CU_ASSERT_EQUAL(repeats, 3);
	gpc_arena_release(&arena);
}

static void an_empty_index_finds_nothing(void)
{
	struct gpc_names names = {0};

	gpc_names_sort(&names);
	CU_ASSERT_EQUAL(gpc_names_find(&names, "a"), SIZE_MAX);
}

GPC_UNIT_MAIN("intent/names",
	      {"the_first_of_equal_names_is_found", the_first_of_equal_names_is_found},
	      {"an_empty_index_finds_nothing", an_empty_index_finds_nothing})
