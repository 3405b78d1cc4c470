/* SPDX-License-Identifier: MIT */
/*
 * Rules that no table is small for: nested prefixes on both sides, ranges of both ports at random, wildcards
 * among them. They compile, and are answered as by going through all boxes.
 */
#include <stdlib.h>

#include "../../unit.h"
#include "classify/verify.h"
#include "gpc/lookup/classify.h"
#include "spaces.h"

#define RULES 10000u
#define ROOM (64u * 1024 * 1024)
#define LITTLE_ROOM (2u * 1024 * 1024)

enum ports { ONE_PORT, RANGES };

struct pathological {
	struct gpc_arena arena;
	struct gpc_space space;
	struct gpc_box_list list;
	struct gpc_classified classified;
	struct gpc_classify_refusal refusal;
	enum gpc_classify_status status;
};

/* 10.0.0.0/8 to /24. */
static struct gpc_set nested_set(struct gpc_arena *arena, struct spaces_random *r)
{
	struct gpc_prefix p = {.v4 = true, .length = (uint8_t)(8 + spaces_number(r, 17))};
	uint32_t host = spaces_number(r, 1u << 24) & ~((1u << (32 - p.length)) - 1);

	p.ip.bytes[10] = p.ip.bytes[11] = 0xff;
	p.ip.bytes[12] = 10;
	for (int i = 0; i < 3; i++)
		p.ip.bytes[13 + i] = (uint8_t)(host >> (16 - 8 * i));
	return gpc_set_of_prefixes(arena, &p, 1);
}

static struct gpc_port_range random_range(struct spaces_random *r)
{
	uint32_t a = spaces_number(r, 65536), b = spaces_number(r, 65536);

	return (struct gpc_port_range){a < b ? a : b, a < b ? b : a};
}

static struct gpc_service_item random_item(struct spaces_random *r, enum ports ports)
{
	struct gpc_service_item item = {6, 6, GPC_ANY_PORT, {0, 0}};

	if (ports == RANGES) {
		item.protocol_first = item.protocol_last = spaces_number(r, 2) ? 6 : 17;
		item.source = random_range(r);
		item.destination = random_range(r);
	} else {
		item.destination.first = item.destination.last = 1 + spaces_number(r, 40);
	}
	return item;
}

/* One of `apart` rules is between any addresses. */
static void make(struct pathological *p, uint32_t rules, enum ports ports, uint32_t apart, uint64_t room)
{
	struct spaces_random r = {.state = 99};
	struct gpc_set *sets = GPC_NEW_ARRAY(&p->arena, struct gpc_set, 2 * rules);
	struct gpc_service *services = GPC_NEW_ARRAY(&p->arena, struct gpc_service, rules);
	struct gpc_service_item *items = GPC_NEW_ARRAY(&p->arena, struct gpc_service_item, rules);
	struct gpc_box *boxes = GPC_NEW_ARRAY(&p->arena, struct gpc_box, rules);

	for (uint32_t i = 0; i < rules; i++) {
		bool any = i % apart == apart / 2;

		sets[2 * i] = any ? gpc_set_all(&p->arena) : nested_set(&p->arena, &r);
		sets[2 * i + 1] = any ? sets[2 * i] : nested_set(&p->arena, &r);
		items[i] = random_item(&r, ports);
		services[i] = (struct gpc_service){&items[i], 1, GPC_MATCH_ANY};
		boxes[i] = (struct gpc_box){2 * i, 2 * i + 1, i, i};
	}
	p->space = (struct gpc_space){sets, 2 * rules, services, rules};
	p->list = (struct gpc_box_list){boxes, rules};
	p->status = gpc_classify_compile(&p->arena, &p->space, &p->list, 1, room, &p->classified, &p->refusal);
}

static void release(struct pathological *p)
{
	gpc_arena_release(&p->arena);
}

/* What the reader of an image would say of it. */
static void check_words(struct pathological *p)
{
	uint32_t positions = (uint32_t)p->list.count;
	struct gpc_classified_view view = {&p->classified.tries, p->classified.classifiers, &positions, 1,
					   p->classified.words, p->classified.word_count};
	size_t at;
	const char *wrong = gpc_classified_check(&p->arena, &view, &at);

	if (wrong)
		printf("%s\n", wrong);
	CU_ASSERT_PTR_NULL(wrong);
}

static void check_answers(struct pathological *p, uint32_t questions)
{
	size_t size = GPC_WORDS_OFFSET + p->classified.word_count * 4, bytes = 4096;
	struct spaces_random r = {.state = 7};
	uint32_t wrong = 0, hits = 0;
	struct gpc_view view;
	char *base;

	while (bytes < size)
		bytes *= 2;
	base = aligned_alloc(64, bytes);
	memset(base, 0, bytes);
	((struct gpc_plane *)(base + sizeof(struct gpc_image_head)))->tries = p->classified.tries;
	memcpy(base + GPC_WORDS_OFFSET, p->classified.words, p->classified.word_count * 4);
	view = (struct gpc_view){base, bytes - 1};
	for (uint32_t i = 0; i < questions; i++) {
		struct gpc_question q = spaces_question(&r, &p->space, &p->list);
		uint32_t want = gpc_boxes_first(&p->space, &p->list, &q);

		wrong += gpc_classify(view, p->classified.classifiers, &q, gpc_address_classes(view, &q)) != want;
		hits += want != UINT32_MAX;
	}
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT(hits > questions / 10);
	free(base);
}

static void check(uint32_t rules, enum ports ports, uint32_t apart)
{
	struct pathological p = {0};

	make(&p, rules, ports, apart, ROOM);
	CU_ASSERT_EQUAL(p.status, GPC_CLASSIFY_OK);
	if (p.status == GPC_CLASSIFY_OK) {
		check_words(&p);
		check_answers(&p, 4000);
	}
	release(&p);
}

static void prefixes_nested_on_both_sides(void)
{
	check(RULES, ONE_PORT, UINT32_MAX);
}

static void wildcards_among_nested_prefixes(void)
{
	check(RULES, ONE_PORT, RULES / 6);
}

/* All of them meet in one cell: a tree tells them apart. */
static void ranges_of_both_ports_between_any_addresses(void)
{
	struct pathological p = {0};

	check(RULES, RANGES, 1);
	make(&p, RULES, RANGES, 1, ROOM);
	CU_ASSERT_FATAL(p.status == GPC_CLASSIFY_OK);
	CU_ASSERT(p.classified.classifiers[0].flags & GPC_CLASSIFIER_RANGES);
	CU_ASSERT(p.classified.classifiers[0].loads > GPC_RANGE_LIST_MAX);
	release(&p);
}

static void ranges_of_both_ports_between_nested_prefixes(void)
{
	check(1000, RANGES, UINT32_MAX);
	check(3000, RANGES, 500);
}

/* A tree with a leaf that names too much, or without an end, is refused. */
static void trees_that_are_none_are_seen(void)
{
	struct pathological p = {0};
	uint32_t *cell, *words, positions = 2000;
	struct gpc_classifier *c;
	size_t at;

	make(&p, 2000, RANGES, 1, ROOM);
	CU_ASSERT_FATAL(p.status == GPC_CLASSIFY_OK);
	c = p.classified.classifiers;
	words = p.classified.words - GPC_WORDS_OFFSET / 4;
	cell = &words[c->cells];
	while (cell[0] >> GPC_CELL_KIND_SHIFT != GPC_CELL_TREE)
		cell += 4;
	for (int fault = 0; fault < 3; fault++) {
		struct gpc_classified_view view = {&p.classified.tries, c, &positions, 1, p.classified.words,
						   p.classified.word_count};
		uint32_t node[2] = {words[cell[2]], words[cell[2] + 1]}, test = cell[1];

		check_words(&p);
		if (fault == 0)
			cell[1] = GPC_TREE_LEAF | (GPC_RANGE_LIST_MAX + 1);
		else if (fault == 1)
			words[cell[2]] = test & GPC_TREE_VALUE, words[cell[2] + 1] = cell[2];
		else
			words[cell[2]] = test & GPC_TREE_VALUE, words[cell[2] + 1] = UINT32_MAX;
		CU_ASSERT_PTR_NOT_NULL(gpc_classified_check(&p.arena, &view, &at));
		cell[1] = test;
		memcpy(&words[cell[2]], node, sizeof(node));
	}
	release(&p);
}

static void too_little_room_is_refused_and_names_the_costliest(void)
{
	struct pathological p = {0};

	make(&p, RULES, ONE_PORT, RULES / 6, LITTLE_ROOM);
	CU_ASSERT_EQUAL(p.status, GPC_CLASSIFY_TOO_LARGE);
	CU_ASSERT_EQUAL(p.refusal.cost_count, 8);
	for (size_t i = 1; i < p.refusal.cost_count; i++)
		CU_ASSERT(p.refusal.costs[i - 1].pairs >= p.refusal.costs[i].pairs);
	CU_ASSERT(p.refusal.bytes > LITTLE_ROOM);
	release(&p);
}

GPC_UNIT_MAIN("classify/fallback",
	      {"prefixes_nested_on_both_sides", prefixes_nested_on_both_sides},
	      {"wildcards_among_nested_prefixes", wildcards_among_nested_prefixes},
	      {"ranges_of_both_ports_between_any_addresses", ranges_of_both_ports_between_any_addresses},
	      {"ranges_of_both_ports_between_nested_prefixes", ranges_of_both_ports_between_nested_prefixes},
	      {"trees_that_are_none_are_seen", trees_that_are_none_are_seen},
	      {"too_little_room_is_refused_and_names_the_costliest", too_little_room_is_refused_and_names_the_costliest})
