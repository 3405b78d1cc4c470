/* SPDX-License-Identifier: MIT */
#include "../../../../loader/link/ranges.h"

#include <errno.h>

#include "../../unit.h"

#define KEY(id, n) ((const uint64_t[2]){(id), (n)})

static uint32_t take(struct gpc_ranges *ranges, uint64_t id, uint32_t count, bool *ret_fresh)
{
	struct gpc_range range = {UINT32_MAX, 0};

	CU_ASSERT_EQUAL(gpc_ranges_take(ranges, KEY(id, count), count, &range, ret_fresh), 0);
	CU_ASSERT_EQUAL(range.count, count);
	return range.first;
}

static void hold(struct gpc_ranges *ranges, uint64_t id, uint32_t first, uint32_t count)
{
	CU_ASSERT_EQUAL(
		gpc_ranges_hold(ranges, KEY(id, count), (struct gpc_range){first, count}), 0);
}

static void a_held_identity_keeps_its_stretch(void)
{
	struct gpc_ranges ranges;
	bool fresh = true;

	gpc_ranges_init(&ranges, 4096);
	hold(&ranges, 7, 1000, 64);
	hold(&ranges, 8, 0, 8);
	CU_ASSERT_EQUAL(take(&ranges, 7, 64, &fresh), 1000);
	CU_ASSERT_FALSE(fresh);
	CU_ASSERT_EQUAL(take(&ranges, 8, 8, &fresh), 0);
	CU_ASSERT_FALSE(fresh);
	gpc_ranges_release(&ranges);
}

static void another_length_is_another_stretch(void)
{
	struct gpc_ranges ranges;
	bool fresh = false;

	gpc_ranges_init(&ranges, 4096);
	hold(&ranges, 7, 0, 64);
	CU_ASSERT_EQUAL(take(&ranges, 7, 128, &fresh), 64);
	CU_ASSERT_TRUE(fresh);
	gpc_ranges_release(&ranges);
}

static void a_new_identity_gets_the_first_hole_that_is_large_enough(void)
{
	struct gpc_ranges ranges;
	bool fresh;

	gpc_ranges_init(&ranges, 1024);
	hold(&ranges, 1, 0, 16);
	hold(&ranges, 2, 32, 16);
	hold(&ranges, 3, 112, 16);
	CU_ASSERT_EQUAL(take(&ranges, 10, 64, &fresh), 48);
	CU_ASSERT_EQUAL(take(&ranges, 11, 16, &fresh), 16);
	CU_ASSERT_EQUAL(take(&ranges, 12, 64, &fresh), 128);
	CU_ASSERT_EQUAL(take(&ranges, 13, 1, &fresh), 192);
	CU_ASSERT_TRUE(fresh);
	gpc_ranges_release(&ranges);
}

static void images_that_disagree_block_both_stretches(void)
{
	struct gpc_ranges ranges;
	bool fresh;

	gpc_ranges_init(&ranges, 64);
	hold(&ranges, 1, 16, 16);
	hold(&ranges, 1, 8, 16);
	CU_ASSERT_EQUAL(take(&ranges, 1, 16, &fresh), 16);
	CU_ASSERT_EQUAL(take(&ranges, 2, 16, &fresh), 32);
	CU_ASSERT_EQUAL(take(&ranges, 3, 8, &fresh), 0);
	gpc_ranges_release(&ranges);
}

static void what_is_out_of_range_is_not_believed(void)
{
	struct gpc_ranges ranges;
	bool fresh = false;

	gpc_ranges_init(&ranges, 64);
	hold(&ranges, 1, 60, 8);
	hold(&ranges, 2, UINT32_MAX, 8);
	CU_ASSERT_EQUAL(take(&ranges, 1, 8, &fresh), 0);
	CU_ASSERT_TRUE(fresh);
	gpc_ranges_release(&ranges);
}

static void a_full_array_is_said(void)
{
	struct gpc_ranges ranges;
	struct gpc_range range = {9, 9};
	bool fresh;

	gpc_ranges_init(&ranges, 64);
	CU_ASSERT_EQUAL(take(&ranges, 1, 32, &fresh), 0);
	CU_ASSERT_EQUAL(gpc_ranges_take(&ranges, KEY(2, 64), 64, &range, &fresh), -ENOSPC);
	CU_ASSERT_EQUAL(range.first, 9);
	CU_ASSERT_EQUAL(take(&ranges, 3, 32, &fresh), 32);
	CU_ASSERT_EQUAL(gpc_ranges_take(&ranges, KEY(4, 1), 1, &range, &fresh), -ENOSPC);
	gpc_ranges_release(&ranges);
}

static void many_stretches_never_overlap(void)
{
	enum { COUNT = 3000 };
	static uint8_t used[1u << 20];
	struct gpc_ranges ranges;
	uint32_t overlaps = 0, i, k;

	gpc_ranges_init(&ranges, sizeof(used));
	for (i = 0; i < COUNT; i += 3)
		hold(&ranges, i, i * 300, 1u << i % 8);
	for (i = 0; i < COUNT; i++) {
		uint32_t count = 1u << i % 8, first;
		bool fresh;

		first = take(&ranges, i, count, &fresh);
		for (k = 0; k < count; k++)
			overlaps += used[first + k]++;
	}
	CU_ASSERT_EQUAL(overlaps, 0);
	gpc_ranges_release(&ranges);
}

GPC_UNIT_MAIN("link/ranges",
	      {"a_held_identity_keeps_its_stretch",
	       a_held_identity_keeps_its_stretch},
	      {"another_length_is_another_stretch",
	       another_length_is_another_stretch},
	      {"a_new_identity_gets_the_first_hole_that_is_large_enough",
	       a_new_identity_gets_the_first_hole_that_is_large_enough},
	      {"images_that_disagree_block_both_stretches",
	       images_that_disagree_block_both_stretches},
	      {"what_is_out_of_range_is_not_believed",
	       what_is_out_of_range_is_not_believed},
	      {"a_full_array_is_said",
	       a_full_array_is_said},
	      {"many_stretches_never_overlap",
	       many_stretches_never_overlap})
