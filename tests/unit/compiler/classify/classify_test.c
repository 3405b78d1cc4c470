/* SPDX-License-Identifier: MIT */
/*
 * The compiled classifier against going through all boxes.
 */
#include <stdlib.h>

#include "../../unit.h"
#include "gpc/lookup/classify.h"
#include "spaces.h"

#define QUESTIONS 400
#define ROOM (64u * 1024 * 1024)

/* An image with nothing but words and tries. */
static struct gpc_view image_of(const struct gpc_classified *c)
{
	size_t size = GPC_WORDS_OFFSET + c->word_count * 4, bytes = 4096;
	char *base;

	while (bytes < size)
		bytes *= 2;
	base = aligned_alloc(64, bytes);
	memset(base, 0, bytes);
	((struct gpc_plane *)(base + sizeof(struct gpc_image_head)))->tries = c->tries;
	memcpy(base + GPC_WORDS_OFFSET, c->words, c->word_count * 4);
	return (struct gpc_view){base, bytes - 1};
}

static uint32_t ask(struct gpc_view view, const struct gpc_classifier *classifier,
		    const struct gpc_question *question)
{
	return gpc_classify(view, classifier, question, gpc_address_classes(view, question));
}

/* How many of the questions are answered wrongly. */
static uint32_t differences(struct spaces_random *r, const struct spaces_space *s, uint32_t questions,
			    uint32_t *hits)
{
	struct gpc_classify_refusal refusal;
	struct gpc_arena arena = {0};
	struct gpc_classified c;
	uint32_t wrong = 0;
	struct gpc_view view;

	if (gpc_classify_compile(&arena, &s->space, s->lists, s->list_count, ROOM, &c, &refusal)) {
		gpc_arena_release(&arena);
		return UINT32_MAX;
	}
	view = image_of(&c);
	for (uint32_t i = 0; i < questions; i++) {
		size_t l = i % s->list_count;
		struct gpc_question q = spaces_question(r, &s->space, &s->lists[l]);
		uint32_t want = gpc_boxes_first(&s->space, &s->lists[l], &q);

		wrong += ask(view, &c.classifiers[l], &q) != want;
		*hits += want != UINT32_MAX;
	}
	free((void *)(uintptr_t)view.base);
	gpc_arena_release(&arena);
	return wrong;
}

static void check_kind(enum spaces_kind kind, uint32_t spaces, uint32_t boxes)
{
	struct spaces_random r = {.state = 1000003ull * (kind + 1) + boxes};
	uint32_t hits = 0;

	for (uint32_t i = 0; i < spaces; i++) {
		struct gpc_arena arena = {0};
		struct spaces_space s = spaces_make(&arena, &r, kind, 1 + spaces_number(&r, boxes));

		CU_ASSERT_EQUAL(differences(&r, &s, QUESTIONS, &hits), 0);
		gpc_arena_release(&arena);
	}
	CU_ASSERT(hits > spaces * QUESTIONS / 10);
}

static void random_spaces_of_every_kind_are_answered_right(void)
{
	for (int kind = 0; kind < SPACES_KINDS; kind++) {
		check_kind(kind, 40, 8);
		check_kind(kind, 20, 60);
		check_kind(kind, 4, 400);
	}
}

static void check_space(struct spaces_random *r, const struct spaces_space *s)
{
	uint32_t hits = 0;

	CU_ASSERT_EQUAL(differences(r, s, QUESTIONS, &hits), 0);
	CU_ASSERT(hits > 0);
}

/* Prefixes of every length in both families; each but the first few lies inside another. */
static void prefixes_of_every_length_inside_each_other(void)
{
	struct gpc_arena arena = {0};
	struct spaces_random r = {.state = 4711};
	struct gpc_set sets[160];
	struct gpc_box boxes[160];
	struct gpc_service_item item = {0, 255, GPC_ANY_PORT, GPC_ANY_PORT};
	struct gpc_service service = {&item, 1, GPC_MATCH_ANY};
	struct spaces_space s = {{sets, 160, &service, 1}, {{boxes, 160}}, 1};
	uint32_t n = 0;

	for (int v4 = 0; v4 < 2; v4++)
		for (int length = v4 ? 32 : 128; length > 0; length--, n++) {
			struct gpc_prefix p = {.v4 = v4, .length = (uint8_t)length};
			uint32_t last = (v4 ? 96u : 0) + (uint32_t)length - 1;

			if (v4)
				p.ip.bytes[10] = p.ip.bytes[11] = 0xff;
			if (length > 1 && n % 2)
				p.ip.bytes[last / 8] |= (uint8_t)(0x80 >> last % 8);
			sets[n] = gpc_set_of_prefixes(&arena, &p, 1);
			boxes[n] = (struct gpc_box){n, n * 7 % (n + 1), 0, n};
		}
	for (int i = 0; i < 20; i++)
		check_space(&r, &s);
	gpc_arena_release(&arena);
}

/* Rules over the ports of one protocol between two sets: boxes as in many, a cell with a table. */
static void many_services_between_two_sets(void)
{
	enum { RULES = 3000 };
	struct gpc_arena arena = {0};
	struct spaces_random r = {.state = 815};
	struct gpc_set all = gpc_set_all(&arena);
	struct gpc_service_item *items = GPC_NEW_ARRAY(&arena, struct gpc_service_item, RULES);
	struct gpc_service *services = GPC_NEW_ARRAY(&arena, struct gpc_service, RULES);
	struct gpc_box *boxes = GPC_NEW_ARRAY(&arena, struct gpc_box, RULES);
	struct spaces_space s = {{&all, 1, services, RULES}, {{boxes, RULES}}, 1};

	for (uint32_t i = 0; i < RULES; i++) {
		uint32_t first = spaces_number(&r, 65000);

		items[i] = (struct gpc_service_item){6, 6, GPC_ANY_PORT, {first, first + i / 16}};
		services[i] = (struct gpc_service){&items[i], 1, GPC_MATCH_ANY};
		boxes[i] = (struct gpc_box){0, 0, i, i};
	}
	for (int i = 0; i < 5; i++)
		check_space(&r, &s);
	gpc_arena_release(&arena);
}

/* Services in two dimensions that have too many classes: cells name range records. */
static void services_without_classes_are_told_by_ranges(void)
{
	enum { RULES = 1600 };
	struct gpc_arena arena = {0};
	struct spaces_random r = {.state = 20};
	struct gpc_set *sets = GPC_NEW_ARRAY(&arena, struct gpc_set, RULES);
	struct gpc_service_item *items = GPC_NEW_ARRAY(&arena, struct gpc_service_item, RULES);
	struct gpc_service *services = GPC_NEW_ARRAY(&arena, struct gpc_service, RULES);
	struct gpc_box *boxes = GPC_NEW_ARRAY(&arena, struct gpc_box, RULES);
	struct spaces_space s = {{sets, RULES, services, RULES}, {{boxes, RULES}}, 1};
	struct gpc_classify_refusal refusal;
	struct gpc_classified c;

	for (uint32_t i = 0; i < RULES; i++) {
		uint32_t a = spaces_number(&r, 65000), b = spaces_number(&r, 65000);
		struct gpc_prefix p = {.v4 = true, .length = 24};

		p.ip.bytes[10] = p.ip.bytes[11] = 0xff;
		p.ip.bytes[13] = (uint8_t)(i / 4 >> 8);
		p.ip.bytes[14] = (uint8_t)(i / 4);
		sets[i] = gpc_set_of_prefixes(&arena, &p, 1);
		items[i] = (struct gpc_service_item){6, 17, {a, a + 500}, {b, b + 300}};
		services[i] = (struct gpc_service){&items[i], 1, GPC_MATCH_ANY};
		boxes[i] = (struct gpc_box){i, i / 4 * 4, i, i};
	}
	CU_ASSERT_EQUAL_FATAL(gpc_classify_compile(&arena, &s.space, s.lists, 1, ROOM, &c, &refusal),
			      GPC_CLASSIFY_OK);
	CU_ASSERT(c.classifiers[0].flags & GPC_CLASSIFIER_RANGES);
	CU_ASSERT_FALSE(c.classifiers[0].flags & GPC_CLASSIFIER_L4);
	for (int i = 0; i < 5; i++)
		check_space(&r, &s);
	gpc_arena_release(&arena);
}

static void the_same_boxes_give_the_same_words(void)
{
	struct gpc_classify_refusal refusal;
	struct gpc_classified c[2];

	for (int kind = 0; kind < SPACES_KINDS; kind++) {
		struct gpc_arena arena = {0};
		struct spaces_random r = {.state = 99};
		struct spaces_space s = spaces_make(&arena, &r, kind, 100);

		for (int i = 0; i < 2; i++)
			CU_ASSERT_EQUAL_FATAL(gpc_classify_compile(&arena, &s.space, s.lists, s.list_count,
								   ROOM, &c[i], &refusal),
					      GPC_CLASSIFY_OK);
		CU_ASSERT_EQUAL_FATAL(c[0].word_count, c[1].word_count);
		CU_ASSERT_EQUAL(memcmp(c[0].words, c[1].words, c[0].word_count * 4), 0);
		CU_ASSERT_EQUAL(memcmp(c[0].classifiers, c[1].classifiers,
				       s.list_count * sizeof(*c[0].classifiers)), 0);
		gpc_arena_release(&arena);
	}
}

static void nothing_to_ask_is_no_words(void)
{
	static const struct gpc_classifier zero;
	struct gpc_arena arena = {0};
	struct gpc_box box = {0, 0, 0, 0};
	struct gpc_set empty = {0};
	struct gpc_service none = {NULL, 0, GPC_MATCH_ANY};
	struct gpc_space space = {&empty, 1, &none, 1};
	struct gpc_box_list lists[2] = {{NULL, 0}, {&box, 1}};
	struct gpc_classify_refusal refusal;
	struct gpc_classified c;

	CU_ASSERT_EQUAL_FATAL(gpc_classify_compile(&arena, &space, lists, 2, ROOM, &c, &refusal),
			      GPC_CLASSIFY_OK);
	CU_ASSERT_EQUAL(c.word_count, 0);
	CU_ASSERT_EQUAL(memcmp(&c.classifiers[0], &zero, sizeof(zero)), 0);
	CU_ASSERT_EQUAL(memcmp(&c.classifiers[1], &zero, sizeof(zero)), 0);
	gpc_arena_release(&arena);
}

/* Too large for the room given: the costliest positions are named. */
static void a_refusal_names_the_costliest(void)
{
	struct gpc_arena arena = {0};
	struct spaces_random r = {.state = 7};
	struct spaces_space s = spaces_make(&arena, &r, SPACES_UNIONS, 300);
	struct gpc_classify_refusal refusal;
	struct gpc_classified c = {.word_count = 12345}, fits;

	CU_ASSERT_EQUAL_FATAL(gpc_classify_compile(&arena, &s.space, s.lists, 1, ROOM, &fits, &refusal),
			      GPC_CLASSIFY_OK);
	CU_ASSERT_EQUAL(gpc_classify_compile(&arena, &s.space, s.lists, 1, 4 * fits.word_count - 4, &c,
					     &refusal),
			GPC_CLASSIFY_TOO_LARGE);
	CU_ASSERT_EQUAL(c.word_count, 12345);
	CU_ASSERT(refusal.bytes > 0);
	CU_ASSERT_EQUAL_FATAL(refusal.cost_count, 8);
	for (size_t i = 1; i < refusal.cost_count; i++)
		CU_ASSERT(refusal.costs[i - 1].pairs >= refusal.costs[i].pairs);
	gpc_arena_release(&arena);
}

static void more_match_classes_than_there_may_be_are_refused(void)
{
	enum { RULES = 33 };
	struct gpc_arena arena = {0};
	struct gpc_set all = gpc_set_all(&arena);
	struct gpc_service_item item = {0, 255, GPC_ANY_PORT, GPC_ANY_PORT};
	struct gpc_service services[RULES];
	struct gpc_box boxes[RULES];
	struct gpc_space space = {&all, 1, services, RULES};
	struct gpc_box_list list = {boxes, RULES};
	struct gpc_classify_refusal refusal;
	struct gpc_classified c;

	for (uint32_t i = 0; i < RULES; i++) {
		services[i] = (struct gpc_service){&item, 1, GPC_MATCH_ANY};
		services[i].match.vlan = (uint16_t)(i + 1);
		boxes[i] = (struct gpc_box){0, 0, i, i};
	}
	CU_ASSERT_EQUAL(gpc_classify_compile(&arena, &space, &list, 1, ROOM, &c, &refusal),
			GPC_CLASSIFY_MATCHES);
	list.count = 31; /* with "none of them" these are 32 */
	CU_ASSERT_EQUAL(gpc_classify_compile(&arena, &space, &list, 1, ROOM, &c, &refusal),
			GPC_CLASSIFY_OK);
	gpc_arena_release(&arena);
}

GPC_UNIT_MAIN("classify/classify",
	      {"random_spaces_of_every_kind_are_answered_right", random_spaces_of_every_kind_are_answered_right},
	      {"prefixes_of_every_length_inside_each_other", prefixes_of_every_length_inside_each_other},
	      {"many_services_between_two_sets", many_services_between_two_sets},
	      {"services_without_classes_are_told_by_ranges", services_without_classes_are_told_by_ranges},
	      {"the_same_boxes_give_the_same_words", the_same_boxes_give_the_same_words},
	      {"nothing_to_ask_is_no_words", nothing_to_ask_is_no_words},
	      {"a_refusal_names_the_costliest", a_refusal_names_the_costliest},
	      {"more_match_classes_than_there_may_be_are_refused", more_match_classes_than_there_may_be_are_refused})
