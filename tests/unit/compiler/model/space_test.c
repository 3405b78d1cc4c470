/* SPDX-License-Identifier: MIT */
#include "../../unit.h"
#include "model/space.h"

#include <string.h>

#include "gpc/image.h"

static bool same_value(const void *context, uint32_t number)
{
	return *(const uint32_t *)context == number;
}

/* All hashes alike: only the comparison tells them apart. */
static void things_with_one_hash_are_told_apart(void)
{
	struct gpc_arena arena = {0};
	struct gpc_intern intern = {0};
	uint32_t absent = 1000;

	CU_ASSERT_EQUAL(gpc_intern_find(&intern, 7, same_value, &absent), GPC_NONE);
	for (uint32_t i = 0; i < 1000; i++) {
		CU_ASSERT_EQUAL(gpc_intern_find(&intern, 7, same_value, &i), GPC_NONE);
		gpc_intern_add(&arena, &intern, 7, i);
	}
	for (uint32_t i = 0; i < 1000; i++)
		CU_ASSERT_EQUAL(gpc_intern_find(&intern, 7, same_value, &i), i);
	CU_ASSERT_EQUAL(gpc_intern_find(&intern, 7, same_value, &absent), GPC_NONE);
	CU_ASSERT_EQUAL(gpc_intern_find(&intern, 8, same_value, &absent), GPC_NONE);
	gpc_arena_release(&arena);
}

static void a_hash_depends_on_every_byte_and_on_the_length(void)
{
	uint8_t bytes[20] = {0};
	uint64_t empty = gpc_intern_mix_bytes(1, bytes, sizeof(bytes));

	for (size_t i = 0; i < sizeof(bytes); i++) {
		bytes[i] = 1;
		CU_ASSERT_NOT_EQUAL(gpc_intern_mix_bytes(1, bytes, sizeof(bytes)), empty);
		bytes[i] = 0;
		CU_ASSERT_NOT_EQUAL(gpc_intern_mix_bytes(1, bytes, i), empty);
	}
	CU_ASSERT_NOT_EQUAL(gpc_intern_mix_bytes(2, bytes, sizeof(bytes)), empty);
}

static struct gpc_prefix prefix(const char *text)
{
	struct gpc_prefix value = {0};

	CU_ASSERT_EQUAL_FATAL(gpc_prefix_parse(text, strlen(text), &value), GPC_IP_OK);
	return value;
}

static void a_union_is_made_once_in_whatever_order(void)
{
	struct gpc_prefix ten = prefix("10.0.0.0/8"), eleven = prefix("11.0.0.0/8"),
			  both = prefix("10.0.0.0/7");
	struct gpc_arena arena = {0};
	struct gpc_space_builder builder;
	uint32_t a, b, forth[2], back[3], whole[2];

	gpc_space_init(&builder, &arena);
	a = gpc_space_prefix(&builder, &ten);
	b = gpc_space_prefix(&builder, &eleven);
	CU_ASSERT_EQUAL(gpc_space_prefix(&builder, &ten), a);
	forth[0] = back[1] = back[2] = a;
	forth[1] = back[0] = b;
	a = gpc_space_union(&builder, forth, 2);
	CU_ASSERT_EQUAL(gpc_space_union(&builder, back, 3), a);
	CU_ASSERT_EQUAL(builder.unions.n, 1);
	CU_ASSERT_EQUAL(gpc_space_prefix(&builder, &both), a);
	whole[0] = a;
	whole[1] = 0;
	CU_ASSERT_EQUAL(gpc_space_union(&builder, whole, 2), 0);
	CU_ASSERT_EQUAL(builder.families.items[a], 1u << GPC_V4);
	CU_ASSERT_EQUAL(builder.families.items[0], 1u << GPC_V4 | 1u << GPC_V6);
	gpc_arena_release(&arena);
}

static void the_room_for_ranges_is_limited(void)
{
	struct gpc_arena arena = {0};
	struct gpc_space_builder builder;

	gpc_space_init(&builder, &arena);
	CU_ASSERT(gpc_space_spend(&builder, GPC_MAX_SET_RANGES - 1));
	CU_ASSERT(gpc_space_spend(&builder, 1));
	CU_ASSERT(!builder.full);
	CU_ASSERT(!gpc_space_spend(&builder, 1));
	CU_ASSERT(builder.full && !gpc_space_spend(&builder, 0));
	gpc_arena_release(&arena);
}

GPC_UNIT_MAIN("model/space",
	      {"things_with_one_hash_are_told_apart", things_with_one_hash_are_told_apart},
	      {"a_hash_depends_on_every_byte_and_on_the_length",
	       a_hash_depends_on_every_byte_and_on_the_length},
	      {"a_union_is_made_once_in_whatever_order", a_union_is_made_once_in_whatever_order},
	      {"the_room_for_ranges_is_limited", the_room_for_ranges_is_limited})
