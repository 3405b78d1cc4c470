/* SPDX-License-Identifier: MIT */
#include "../../../../loader/link/rules.h"

#include <errno.h>
#include <string.h>

#include "../../../../compiler/image/layout.h"
#include "../../unit.h"

#define IMAGE_SIZE 65536u
#define RULES_AT 4096u
#define LINK_AT 32768u
#define ROOM ((struct gpc_rule_room){64, 65536})

struct rule {
	uint64_t id;
	uint32_t entries;
};

/* An image of nothing but rules, and room for their link records. */
struct image {
	_Alignas(64) char bytes[IMAGE_SIZE];
	struct gpc_view view;
	struct gpc_link_rule *links;
};

static void make(struct image *image, const struct rule *rules, uint32_t count)
{
	struct gpc_image_head *head = (struct gpc_image_head *)image->bytes;
	struct gpc_plane *plane = (struct gpc_plane *)(head + 1);
	struct gpc_rule *records = (struct gpc_rule *)(image->bytes + RULES_AT);
	struct gpc_link_head *link = (struct gpc_link_head *)(image->bytes + LINK_AT);
	uint32_t i;

	memset(image, 0, sizeof(*image));
	head->link_offset = LINK_AT;
	link->rule_offset = LINK_AT + sizeof(*link);
	plane->section[GPC_SEC_RULE] = (struct gpc_section){
		RULES_AT, count * sizeof(*records), count, sizeof(*records)};
	gpc_link_describe(plane->section, link);
	for (i = 0; i < count; i++)
		records[i] = (struct gpc_rule){.id = rules[i].id,
					       .rate_entries = rules[i].entries};
	image->view = (struct gpc_view){image->bytes, IMAGE_SIZE - 1};
	image->links = (struct gpc_link_rule *)(link + 1);
}
#define MAKE(image, ...)                                                                           \
	make(image, (const struct rule[]){__VA_ARGS__},                                            \
	     sizeof((const struct rule[]){__VA_ARGS__}) / sizeof(struct rule))

/* Links beside one held image (NULL: none). */
static int link_beside(struct image *image, const struct image *held, struct gpc_rule_fresh *fresh)
{
	return gpc_rules_link(image->view, held ? &held->view : NULL, held != NULL, ROOM,
			      (struct gpc_rule_records){image->links, NULL}, fresh);
}

static struct image a, b;

static void a_rule_keeps_its_counter_wherever_it_stands(void)
{
	struct gpc_rule_fresh fresh;

	MAKE(&a, {11, 0}, {12, 0}, {13, 0});
	CU_ASSERT_EQUAL(link_beside(&a, NULL, &fresh), 0);
	CU_ASSERT_EQUAL(fresh.counter_count, 3);
	gpc_rule_fresh_release(&fresh);
	MAKE(&b, {13, 0}, {20, 0}, {11, 0});
	CU_ASSERT_EQUAL(link_beside(&b, &a, &fresh), 0);
	CU_ASSERT_EQUAL(b.links[0].counter, a.links[2].counter);
	CU_ASSERT_EQUAL(b.links[2].counter, a.links[0].counter);
	CU_ASSERT_EQUAL(b.links[1].counter, 3);
	CU_ASSERT_EQUAL(fresh.counter_count, 1);
	CU_ASSERT_EQUAL(fresh.counters[0], 3);
	gpc_rule_fresh_release(&fresh);
}

static void a_rule_without_a_rate_has_no_buckets(void)
{
	struct gpc_rule_fresh fresh;

	MAKE(&a, {11, 0});
	CU_ASSERT_EQUAL(link_beside(&a, NULL, &fresh), 0);
	CU_ASSERT_EQUAL(a.links[0].rate, GPC_NONE);
	CU_ASSERT_EQUAL(fresh.bucket_count, 0);
	gpc_rule_fresh_release(&fresh);
}

static void a_rule_whose_entries_stayed_keeps_its_buckets(void)
{
	struct gpc_rule_fresh fresh;

	MAKE(&a, {11, 1024}, {12, 1}, {13, 256});
	CU_ASSERT_EQUAL(link_beside(&a, NULL, &fresh), 0);
	CU_ASSERT_EQUAL(a.links[0].rate, 0);
	CU_ASSERT_EQUAL(a.links[1].rate, 1024);
	CU_ASSERT_EQUAL(a.links[2].rate, 1025);
	CU_ASSERT_EQUAL(fresh.bucket_count, 3);
	gpc_rule_fresh_release(&fresh);
	MAKE(&b, {9, 4}, {13, 256}, {11, 2048});
	CU_ASSERT_EQUAL(link_beside(&b, &a, &fresh), 0);
	CU_ASSERT_EQUAL(b.links[0].rate, 1281);
	CU_ASSERT_EQUAL(b.links[1].rate, 1025);
	CU_ASSERT_EQUAL(b.links[2].rate, 1285);
	CU_ASSERT_EQUAL(fresh.bucket_count, 2);
	gpc_rule_fresh_release(&fresh);
}

static void two_held_images_keep_what_they_have(void)
{
	struct gpc_view held[2];
	struct gpc_rule_fresh fresh;
	static struct image c;

	MAKE(&a, {11, 16});
	CU_ASSERT_EQUAL(link_beside(&a, NULL, &fresh), 0);
	gpc_rule_fresh_release(&fresh);
	MAKE(&b, {12, 16});
	CU_ASSERT_EQUAL(link_beside(&b, &a, &fresh), 0);
	gpc_rule_fresh_release(&fresh);
	MAKE(&c, {13, 16}, {11, 16});
	held[0] = b.view;
	held[1] = a.view;
	CU_ASSERT_EQUAL(gpc_rules_link(c.view, held, 2, ROOM, (struct gpc_rule_records){c.links, NULL}, &fresh), 0);
	CU_ASSERT_EQUAL(c.links[0].counter, 2);
	CU_ASSERT_EQUAL(c.links[0].rate, 32);
	CU_ASSERT_EQUAL(c.links[1].counter, a.links[0].counter);
	CU_ASSERT_EQUAL(c.links[1].rate, a.links[0].rate);
	gpc_rule_fresh_release(&fresh);
}

static void what_is_needed_is_enough_and_no_more(void)
{
	struct gpc_rule_room need;
	struct gpc_rule_fresh fresh;

	MAKE(&a, {11, 16}, {12, 0}, {13, 64});
	CU_ASSERT_EQUAL(gpc_rules_need(a.view, NULL, 0, (struct gpc_rule_room){0}, &need), 0);
	CU_ASSERT_EQUAL(need.counters, 3);
	CU_ASSERT_EQUAL(need.buckets, 80);
	CU_ASSERT_EQUAL(gpc_rules_link(a.view, NULL, 0, need, (struct gpc_rule_records){a.links, NULL}, &fresh), 0);
	gpc_rule_fresh_release(&fresh);
	need.buckets--;
	CU_ASSERT_EQUAL(gpc_rules_link(a.view, NULL, 0, need, (struct gpc_rule_records){a.links, NULL}, &fresh), -ENOSPC);
}

static void more_than_a_map_holds_is_said(void)
{
	struct gpc_rule_room need;

	MAKE(&a, {11, 0x80000000u}, {12, 0x80000000u}, {13, 0x80000000u});
	CU_ASSERT_EQUAL(gpc_rules_need(a.view, NULL, 0, (struct gpc_rule_room){0}, &need), -ENOSPC);
}

static void a_count_beyond_the_image_is_not_followed(void)
{
	struct gpc_plane *plane = (struct gpc_plane *)(a.bytes + sizeof(struct gpc_image_head));

	MAKE(&a, {11, 0});
	plane->section[GPC_SEC_RULE].count = UINT32_MAX;
	CU_ASSERT_EQUAL(gpc_rule_count(a.view), IMAGE_SIZE / sizeof(struct gpc_rule));
}

GPC_UNIT_MAIN("link/rules",
	      {"a_rule_keeps_its_counter_wherever_it_stands",
	       a_rule_keeps_its_counter_wherever_it_stands},
	      {"a_rule_without_a_rate_has_no_buckets", a_rule_without_a_rate_has_no_buckets},
	      {"a_rule_whose_entries_stayed_keeps_its_buckets",
	       a_rule_whose_entries_stayed_keeps_its_buckets},
	      {"two_held_images_keep_what_they_have", two_held_images_keep_what_they_have},
	      {"what_is_needed_is_enough_and_no_more", what_is_needed_is_enough_and_no_more},
	      {"more_than_a_map_holds_is_said", more_than_a_map_holds_is_said},
	      {"a_count_beyond_the_image_is_not_followed",
	       a_count_beyond_the_image_is_not_followed})
