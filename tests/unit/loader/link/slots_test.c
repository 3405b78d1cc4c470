/* SPDX-License-Identifier: MIT */
#include "../../../../loader/link/slots.h"

#include <errno.h>

#include "../../unit.h"

#define KEY(n) ((const uint64_t[2]){(n), 1})

static uint32_t take(struct gpc_slots *slots, uint64_t id, bool *ret_fresh)
{
	uint32_t slot = UINT32_MAX;

	CU_ASSERT_EQUAL(gpc_slots_take(slots, KEY(id), &slot, ret_fresh), 0);
	return slot;
}

static void a_held_identity_keeps_its_slot(void)
{
	struct gpc_slots slots;
	bool fresh = true;

	gpc_slots_init(&slots, 256, 300);
	CU_ASSERT_EQUAL(gpc_slots_hold(&slots, KEY(7), 270), 0);
	CU_ASSERT_EQUAL(take(&slots, 7, &fresh), 270);
	CU_ASSERT_FALSE(fresh);
	gpc_slots_release(&slots);
}

static void a_new_identity_gets_a_slot_that_nobody_holds(void)
{
	struct gpc_slots slots;
	bool fresh = false;

	gpc_slots_init(&slots, 256, 300);
	gpc_slots_hold(&slots, KEY(1), 256);
	gpc_slots_hold(&slots, KEY(2), 258);
	CU_ASSERT_EQUAL(take(&slots, 3, &fresh), 257);
	CU_ASSERT_TRUE(fresh);
	CU_ASSERT_EQUAL(take(&slots, 4, &fresh), 259);
	CU_ASSERT_EQUAL(take(&slots, 3, &fresh), 257);
	CU_ASSERT_FALSE(fresh);
	gpc_slots_release(&slots);
}

static void two_images_that_disagree_block_both_slots(void)
{
	struct gpc_slots slots;
	bool fresh;

	gpc_slots_init(&slots, 0, 4);
	gpc_slots_hold(&slots, KEY(1), 0);
	gpc_slots_hold(&slots, KEY(1), 1);
	CU_ASSERT_EQUAL(take(&slots, 1, &fresh), 0);
	CU_ASSERT_EQUAL(take(&slots, 2, &fresh), 2);
	gpc_slots_release(&slots);
}

static void slots_out_of_range_are_not_believed(void)
{
	struct gpc_slots slots;
	bool fresh;

	gpc_slots_init(&slots, 256, 300);
	gpc_slots_hold(&slots, KEY(1), 10);
	gpc_slots_hold(&slots, KEY(2), 300);
	gpc_slots_hold(&slots, KEY(3), UINT32_MAX);
	CU_ASSERT_EQUAL(take(&slots, 1, &fresh), 256);
	CU_ASSERT_TRUE(fresh);
	gpc_slots_release(&slots);
}

static void a_full_table_says_so(void)
{
	struct gpc_slots slots;
	uint32_t slot = 99;
	bool fresh;

	gpc_slots_init(&slots, 0, 2);
	take(&slots, 1, &fresh);
	take(&slots, 2, &fresh);
	CU_ASSERT_EQUAL(gpc_slots_take(&slots, KEY(3), &slot, &fresh), -ENOSPC);
	CU_ASSERT_EQUAL(slot, 99);
	CU_ASSERT_EQUAL(take(&slots, 2, &fresh), 1);
	gpc_slots_release(&slots);
}

static void a_hundred_thousand_identities_get_distinct_slots(void)
{
	enum { N = 100000 };
	static uint8_t seen[N];
	struct gpc_slots slots;
	uint32_t repeated = 0, i;
	bool fresh;

	gpc_slots_init(&slots, 0, N);
	for (i = 0; i < N; i++) {
		uint32_t slot = take(&slots, 0x9e3779b97f4a7c15ull * (i + 1), &fresh);

		repeated += slot >= N || seen[slot];
		if (slot < N)
			seen[slot] = 1;
	}
	CU_ASSERT_EQUAL(repeated, 0);
	gpc_slots_release(&slots);
}

GPC_UNIT_MAIN("link/slots", {"a_held_identity_keeps_its_slot", a_held_identity_keeps_its_slot},
	      {"a_new_identity_gets_a_slot_that_nobody_holds",
	       a_new_identity_gets_a_slot_that_nobody_holds},
	      {"two_images_that_disagree_block_both_slots",
	       two_images_that_disagree_block_both_slots},
	      {"slots_out_of_range_are_not_believed", slots_out_of_range_are_not_believed},
	      {"a_full_table_says_so", a_full_table_says_so},
	      {"a_hundred_thousand_identities_get_distinct_slots",
	       a_hundred_thousand_identities_get_distinct_slots})
