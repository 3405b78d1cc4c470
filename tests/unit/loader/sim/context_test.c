/* SPDX-License-Identifier: MIT */
/* The helpers that change a frame: what they do to it, and where they refuse. */
#include <string.h>

#include "loader/sim/context.h"
#include "tests/unit/unit.h"

static struct gpc_sim_context ctx;
static uint8_t bytes[100];

static void set(void)
{
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i + 1);
	gpc_sim_context_set(&ctx, bytes, sizeof(bytes), 7, 4);
}

static const uint8_t *data(void)
{
	return (const uint8_t *)(uintptr_t)ctx.data;
}

static size_t size(void)
{
	return ctx.data_end - ctx.data;
}

static void the_frame_is_there(void)
{
	set();
	CU_ASSERT_EQUAL(size(), sizeof(bytes));
	CU_ASSERT(!memcmp(data(), bytes, sizeof(bytes)));
	CU_ASSERT_EQUAL(ctx.ingress_ifindex, 7);
	CU_ASSERT_EQUAL(ctx.ifindex, 7);
	CU_ASSERT_EQUAL(ctx.len, sizeof(bytes));
	CU_ASSERT_EQUAL(ctx.data_meta, ctx.data);
	CU_ASSERT_EQUAL(gpc_sim_redirect(1, 0), 4);
}

static void the_head_moves(void)
{
	set();
	CU_ASSERT_EQUAL(gpc_sim_adjust_head(&ctx, -20), 0);
	CU_ASSERT_EQUAL(size(), sizeof(bytes) + 20);
	CU_ASSERT(!memcmp(data() + 20, bytes, sizeof(bytes)));
	CU_ASSERT_EQUAL(gpc_sim_adjust_head(&ctx, 24), 0);
	CU_ASSERT_EQUAL(data()[0], 5);
	CU_ASSERT(gpc_sim_adjust_head(&ctx, 83) < 0);
	set();
	CU_ASSERT_EQUAL(gpc_sim_adjust_head(&ctx, -(int)GPC_SIM_HEADROOM), 0);
	CU_ASSERT(gpc_sim_adjust_head(&ctx, -1) < 0);
}

static void the_tail_moves(void)
{
	set();
	CU_ASSERT_EQUAL(gpc_sim_adjust_tail(&ctx, -60), 0);
	CU_ASSERT_EQUAL(size(), 40);
	CU_ASSERT_EQUAL(gpc_sim_change_tail(&ctx, 50), 0);
	CU_ASSERT_EQUAL(data()[39], 40);
	CU_ASSERT_EQUAL(data()[40], 0);
	CU_ASSERT_EQUAL(ctx.len, 50);
	CU_ASSERT(gpc_sim_adjust_tail(&ctx, -37) < 0);
	CU_ASSERT(gpc_sim_change_tail(&ctx, 1u << 20) < 0);
}

static void metadata_stands_in_front(void)
{
	uint64_t value = 0x1122334455667788;

	set();
	CU_ASSERT_EQUAL(gpc_sim_adjust_meta(&ctx, -8), 0);
	CU_ASSERT_EQUAL(ctx.data - ctx.data_meta, 8);
	CU_ASSERT(gpc_sim_adjust_meta(&ctx, -28) < 0);
	CU_ASSERT(gpc_sim_adjust_meta(&ctx, 12) < 0);
	gpc_sim_context_meta(&ctx, &value, sizeof(value));
	CU_ASSERT(!memcmp(data() - 8, &value, 8));
}

static void bytes_are_read_and_written_inside(void)
{
	uint8_t four[4];

	set();
	CU_ASSERT_EQUAL(gpc_sim_load(&ctx, 96, four, 4), 0);
	CU_ASSERT_EQUAL(four[0], 97);
	CU_ASSERT(gpc_sim_load(&ctx, 97, four, 4) < 0);
	CU_ASSERT(gpc_sim_load(&ctx, 0xffffffff, four, 4) < 0);
	CU_ASSERT_EQUAL(gpc_sim_store(&ctx, 0, "abcd", 4), 0);
	CU_ASSERT(!memcmp(data(), "abcd", 4));
	CU_ASSERT(gpc_sim_store(&ctx, 98, "abcd", 4) < 0);
}

static void room_is_taken_behind_ethernet(void)
{
	set();
	CU_ASSERT_EQUAL(gpc_sim_adjust_room(&ctx, -10), 0);
	CU_ASSERT_EQUAL(size(), 90);
	CU_ASSERT(!memcmp(data(), bytes, 14));
	CU_ASSERT_EQUAL(data()[14], 25);
	CU_ASSERT(gpc_sim_adjust_room(&ctx, -80) < 0);
	CU_ASSERT(gpc_sim_adjust_room(&ctx, 4) < 0);
}

GPC_UNIT_MAIN("sim/context", {"the_frame_is_there", the_frame_is_there},
	      {"the_head_moves", the_head_moves}, {"the_tail_moves", the_tail_moves},
	      {"metadata_stands_in_front", metadata_stands_in_front},
	      {"bytes_are_read_and_written_inside", bytes_are_read_and_written_inside},
	      {"room_is_taken_behind_ethernet", room_is_taken_behind_ethernet})
