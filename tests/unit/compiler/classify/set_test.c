/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "../../unit.h"
#include "classify/set.h"

static struct gpc_prefix prefix(const char *text)
{
	struct gpc_prefix value = {0};

	CU_ASSERT_EQUAL_FATAL(gpc_prefix_parse(text, strlen(text), &value), GPC_IP_OK);
	return value;
}

static struct gpc_ip ip(const char *text)
{
	struct gpc_ip value = {0};

	CU_ASSERT_EQUAL_FATAL(gpc_ip_parse(text, strlen(text), &value), GPC_IP_OK);
	return value;
}

/* ---- the naive oracle: four windows of addresses, one bit per address ---- */

#define WINDOW 64u
#define WINDOWS 4u
#define POINTS (WINDOW * WINDOWS)

/* Point i: the first and last addresses, and those around both ends of the IPv4 block. */
static struct gpc_ip point(unsigned int i)
{
	struct gpc_ip at = {{0}};
	unsigned int low = i % WINDOW;

	switch (i / WINDOW) {
	case 0:
		at.bytes[15] = (uint8_t)low;
		return at;
	case 1: /* ::fffe:ffff:ffe0 .. ::ffff:0:1f */
		memset(at.bytes + 10, low < WINDOW / 2 ? 0xff : 0, 6);
		at.bytes[10] = at.bytes[11] = 0xff;
		if (low < WINDOW / 2)
			at.bytes[11] = 0xfe;
		at.bytes[15] = (uint8_t)(low - WINDOW / 2);
		return at;
	case 2: /* ::ffff:ffff:ffe0 .. ::1:0:0:1f */
		if (low < WINDOW / 2)
			memset(at.bytes + 10, 0xff, 6);
		else
			at.bytes[9] = 1;
		at.bytes[15] = (uint8_t)(low - WINDOW / 2);
		return at;
	default:
		memset(at.bytes, 0xff, 15);
		at.bytes[15] = (uint8_t)(256 - WINDOW + low);
		return at;
	}
}

static bool naive_prefix_holds(const struct gpc_prefix *in, const struct gpc_ip *at)
{
	unsigned int bits = in->v4 ? in->length + 96u : in->length;

	if (in->v4 != gpc_ip_is_v4(at))
		return false;
	for (unsigned int bit = 0; bit < bits; bit++)
		if ((in->ip.bytes[bit / 8] ^ at->bytes[bit / 8]) >> (7 - bit % 8) & 1)
			return false;
	return true;
}

static uint64_t seed = 1;
static unsigned int draw(unsigned int below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned int)(seed >> 33) % below;
}

static struct gpc_prefix random_prefix(void)
{
	struct gpc_prefix out = {.ip = point(draw(POINTS))};
	unsigned int free = draw(8);

	out.v4 = gpc_ip_is_v4(&out.ip);
	if (!draw(40))
		free = draw(129);
	if (free > (out.v4 ? 32 : 128))
		free = 32;
	out.length = (uint8_t)((out.v4 ? 32 : 128) - free);
	for (unsigned int bit = 128 - free; bit < 128; bit++)
		out.ip.bytes[bit / 8] &= (uint8_t) ~(1u << (7 - bit % 8));
	return out;
}

/* A random set and its bits. */
static struct gpc_set random_set(struct gpc_arena *arena, bool bits[POINTS])
{
	struct gpc_prefix prefixes[40];
	unsigned int count = draw(draw(4) ? 6 : 40);

	memset(bits, 0, POINTS);
	for (unsigned int k = 0; k < count; k++)
		prefixes[k] = random_prefix();
	for (unsigned int i = 0; i < POINTS; i++)
		for (unsigned int k = 0; k < count; k++) {
			struct gpc_ip at = point(i);

			bits[i] |= naive_prefix_holds(&prefixes[k], &at);
		}
	return gpc_set_of_prefixes(arena, prefixes, count);
}

/* The next address; false behind the last one. */
static bool next_of(struct gpc_ip *at)
{
	for (int byte = 15; byte >= 0; byte--)
		if (++at->bytes[byte])
			return true;
	return false;
}

/* Sorted, disjoint, joined where one family goes on, and of one family each. */
static void expect_sound(struct gpc_set set)
{
	for (size_t i = 0; i < set.count; i++) {
		const struct gpc_range *range = &set.ranges[i];
		struct gpc_ip behind = range->last;

		CU_ASSERT(gpc_ip_compare(&range->first, &range->last) <= 0);
		CU_ASSERT_EQUAL(gpc_ip_is_v4(&range->first), gpc_ip_is_v4(&range->last));
		if (!gpc_ip_is_v4(&range->first)) {
			struct gpc_ip v4 = ip("0.0.0.0");

			CU_ASSERT_EQUAL(gpc_ip_compare(&range->first, &v4) < 0,
					gpc_ip_compare(&range->last, &v4) < 0);
		}
		if (i + 1 == set.count)
			continue;
		CU_ASSERT_FATAL(next_of(&behind));
		if (gpc_ip_is_v4(&behind) == gpc_ip_is_v4(&range->last))
			CU_ASSERT(gpc_ip_compare(&behind, &set.ranges[i + 1].first) < 0);
		CU_ASSERT(gpc_ip_compare(&range->last, &set.ranges[i + 1].first) < 0);
	}
}

static void expect_bits(struct gpc_set set, const bool bits[POINTS])
{
	expect_sound(set);
	for (unsigned int i = 0; i < POINTS; i++) {
		struct gpc_ip at = point(i);

		CU_ASSERT_EQUAL_FATAL(gpc_set_holds(set, &at), bits[i]);
	}
}

static void random_sets_agree_with_a_bitmap(void)
{
	for (int round = 0; round < 3000; round++) {
		struct gpc_arena arena = {0};
		bool a_bits[POINTS], b_bits[POINTS], bits[POINTS];
		struct gpc_set a = random_set(&arena, a_bits), b = random_set(&arena, b_bits);
		struct gpc_set both[2] = {a, b}, minus, common, joined;

		expect_bits(a, a_bits);
		for (unsigned int i = 0; i < POINTS; i++)
			bits[i] = a_bits[i] || b_bits[i];
		expect_bits(joined = gpc_set_union(&arena, both, 2), bits);
		for (unsigned int i = 0; i < POINTS; i++)
			bits[i] = a_bits[i] && !b_bits[i];
		expect_bits(minus = gpc_set_minus(&arena, a, b), bits);
		for (unsigned int i = 0; i < POINTS; i++)
			bits[i] = a_bits[i] && b_bits[i];
		expect_bits(common = gpc_set_intersection(&arena, a, b), bits);
		CU_ASSERT_EQUAL(gpc_set_overlaps(a, b), common.count > 0);
		CU_ASSERT_EQUAL(gpc_set_overlaps(b, a), common.count > 0);
		CU_ASSERT_EQUAL(gpc_set_covers(b, a), minus.count == 0);
		CU_ASSERT(gpc_set_covers(joined, a) && gpc_set_covers(joined, b));
		both[0] = minus;
		both[1] = common;
		CU_ASSERT(gpc_set_equal(gpc_set_union(&arena, both, 2), a));
		gpc_arena_release(&arena);
	}
}

static void many_prefixes_in_any_order_are_one_set(void)
{
	enum { COUNT = 100000 };
	struct gpc_arena arena = {0};
	struct gpc_prefix *prefixes = calloc(COUNT, sizeof(*prefixes));
	struct gpc_set forward, shuffled;

	/* Each address three times, every second /32 of two blocks and a /64 now and then. */
	for (unsigned int i = 0; i < COUNT; i++) {
		prefixes[i] = i % 10 == 9 ? prefix("2001:db8::/64") : prefix("10.0.0.0/32");
		prefixes[i].ip.bytes[i % 10 == 9 ? 6 : 13] = (uint8_t)((i % 33000) >> 15);
		prefixes[i].ip.bytes[i % 10 == 9 ? 7 : 14] = (uint8_t)((i % 33000) >> 7);
		if (i % 10 != 9)
			prefixes[i].ip.bytes[15] = (uint8_t)((i % 33000) << 1);
	}
	forward = gpc_set_of_prefixes(&arena, prefixes, COUNT);
	for (unsigned int i = COUNT - 1; i; i--) {
		unsigned int other = draw(i + 1);
		struct gpc_prefix moved = prefixes[i];

		prefixes[i] = prefixes[other];
		prefixes[other] = moved;
	}
	shuffled = gpc_set_of_prefixes(&arena, prefixes, COUNT);
	expect_sound(forward);
	CU_ASSERT(forward.count > 20000);
	CU_ASSERT(gpc_set_equal(forward, shuffled));
	free(prefixes);
	gpc_arena_release(&arena);
}

static void everything_is_three_ranges(void)
{
	struct gpc_arena arena = {0};
	struct gpc_prefix all[] = {prefix("::/0"), prefix("0.0.0.0/0")};
	struct gpc_set v6 = gpc_set_of_prefixes(&arena, all, 1);
	struct gpc_set v4 = gpc_set_of_prefixes(&arena, all + 1, 1);
	struct gpc_set both = gpc_set_of_prefixes(&arena, all, 2), every = gpc_set_all(&arena);
	struct gpc_ip first4 = ip("0.0.0.0"), last4 = ip("255.255.255.255");

	CU_ASSERT_EQUAL(v6.count, 2);
	CU_ASSERT_EQUAL(v4.count, 1);
	CU_ASSERT(!gpc_set_holds(v6, &first4) && !gpc_set_holds(v6, &last4));
	CU_ASSERT(gpc_set_holds(v4, &first4) && gpc_set_holds(v4, &last4));
	CU_ASSERT(!gpc_set_overlaps(v4, v6));
	CU_ASSERT(gpc_set_equal(both, every));
	CU_ASSERT_EQUAL(every.count, 3);
	CU_ASSERT(gpc_set_equal(gpc_set_minus(&arena, every, v4), v6));
	CU_ASSERT(gpc_set_equal(gpc_set_minus(&arena, every, v6), v4));
	CU_ASSERT(gpc_set_covers(every, v6) && !gpc_set_covers(v6, every));
	expect_sound(every);
	gpc_arena_release(&arena);
}

static void a_v6_prefix_around_the_v4_block_leaves_it_out(void)
{
	struct gpc_arena arena = {0};
	static const char *const around[] = {"::/64", "::/72", "::/32"};

	for (unsigned int i = 0; i < 3; i++) {
		struct gpc_prefix written = prefix(around[i]);
		struct gpc_set set = gpc_set_of_prefixes(&arena, &written, 1);
		struct gpc_ip v4 = ip("192.0.2.1"), below = ip("::fffe:ffff:ffff"),
			      above = ip("::1:0:0:0");

		CU_ASSERT_EQUAL(set.count, 2);
		CU_ASSERT(!gpc_set_holds(set, &v4));
		CU_ASSERT(gpc_set_holds(set, &below) && gpc_set_holds(set, &above));
		expect_sound(set);
	}
	gpc_arena_release(&arena);
}

static void the_empty_set_is_an_ordinary_one(void)
{
	struct gpc_arena arena = {0};
	struct gpc_set none = gpc_set_of_prefixes(&arena, NULL, 0), every = gpc_set_all(&arena);
	struct gpc_ip any = ip("::");

	CU_ASSERT_EQUAL(none.count, 0);
	CU_ASSERT(!gpc_set_holds(none, &any) && !gpc_set_overlaps(none, every));
	CU_ASSERT(gpc_set_covers(every, none) && gpc_set_covers(none, none));
	CU_ASSERT(gpc_set_equal(gpc_set_minus(&arena, every, every), none));
	CU_ASSERT(gpc_set_equal(gpc_set_minus(&arena, every, none), every));
	CU_ASSERT_EQUAL(gpc_set_union(&arena, NULL, 0).count, 0);
	gpc_arena_release(&arena);
}

/* As prefixes and back; and two that could be one are one. */
static void prefixes_mean_the_set_and_are_few(void)
{
	struct gpc_arena arena = {0};
	bool bits[POINTS];
	size_t count;

	srand(7);
	for (int round = 0; round < 300; round++) {
		struct gpc_set set = random_set(&arena, bits);
		struct gpc_prefix *list = gpc_set_prefixes(&arena, set, &count);

		CU_ASSERT(gpc_set_equal(set, gpc_set_of_prefixes(&arena, list, count)));
		for (size_t i = 0; i + 1 < count; i++) {
			struct gpc_prefix twice = list[i];
			struct gpc_set joined;

			if (!twice.length--)
				continue;
			joined = gpc_set_of_prefixes(&arena, &twice, 1);
			CU_ASSERT(!gpc_set_covers(set, joined));
		}
		gpc_arena_reset(&arena);
	}
	CU_ASSERT_EQUAL(gpc_set_prefixes(&arena, gpc_set_all(&arena), &count)[1].length, 0);
	CU_ASSERT_EQUAL(count, 2);
	gpc_arena_release(&arena);
}

GPC_UNIT_MAIN("classify/set", {"random_sets_agree_with_a_bitmap", random_sets_agree_with_a_bitmap},
	      {"many_prefixes_in_any_order_are_one_set", many_prefixes_in_any_order_are_one_set},
	      {"prefixes_mean_the_set_and_are_few", prefixes_mean_the_set_and_are_few},
	      {"everything_is_three_ranges", everything_is_three_ranges},
	      {"a_v6_prefix_around_the_v4_block_leaves_it_out",
	       a_v6_prefix_around_the_v4_block_leaves_it_out},
	      {"the_empty_set_is_an_ordinary_one", the_empty_set_is_an_ordinary_one})
