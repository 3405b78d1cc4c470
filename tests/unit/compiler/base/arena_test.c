/* SPDX-License-Identifier: MIT */
#include "base/arena.h"

#include <stdint.h>

#include "tests/unit/unit.h"

static void allocations_are_zeroed_and_aligned(void)
{
	struct gpc_arena arena = {0};

	for (size_t size = 0; size < 5000; size += 7) {
		unsigned char *p = gpc_arena_alloc(&arena, size);

		CU_ASSERT_EQUAL((uintptr_t)p % 16, 0);
		for (size_t i = 0; i < size; i++)
			CU_ASSERT_EQUAL_FATAL(p[i], 0);
		memset(p, 0xff, size);
	}
	gpc_arena_release(&arena);
	CU_ASSERT_PTR_NULL(arena.head);
}

static void large_blocks_leave_the_current_block_in_use(void)
{
	struct gpc_arena arena = {0};
	char *a = gpc_arena_alloc(&arena, 16);
	char *large = gpc_arena_alloc(&arena, 10u * 1000 * 1000);
	char *b = gpc_arena_alloc(&arena, 16);

	large[10u * 1000 * 1000 - 1] = 1;
	CU_ASSERT_PTR_EQUAL(b, a + 16);
	gpc_arena_release(&arena);
}

static void vectors_keep_their_items_as_they_grow(void)
{
	struct gpc_arena arena = {0};
	GPC_VEC(uint32_t) numbers = {0};

	for (uint32_t i = 0; i < 10000; i++)
		*GPC_PUSH(&arena, &numbers) = i;
	CU_ASSERT_EQUAL_FATAL(numbers.n, 10000);
	for (uint32_t i = 0; i < 10000; i++)
		CU_ASSERT_EQUAL_FATAL(numbers.items[i], i);
	gpc_arena_release(&arena);
}

static void printf_formats_into_the_arena(void)
{
	struct gpc_arena arena = {0};

	CU_ASSERT_STRING_EQUAL(gpc_arena_printf(&arena, "%s-%d", "web", 7), "web-7");
	CU_ASSERT_STRING_EQUAL(gpc_arena_strndup(&arena, "abcdef", 3), "abc");
	gpc_arena_release(&arena);
}

GPC_UNIT_MAIN("base/arena",
	      {"allocations_are_zeroed_and_aligned", allocations_are_zeroed_and_aligned},
	      {"large_blocks_leave_the_current_block_in_use", large_blocks_leave_the_current_block_in_use},
	      {"vectors_keep_their_items_as_they_grow", vectors_keep_their_items_as_they_grow},
	      {"printf_formats_into_the_arena", printf_formats_into_the_arena})
