/* SPDX-License-Identifier: MIT */
/*
 * Sets, services and boxes of compiler/classify against plain rules: gpc_boxes_first(), which small
 * jobs of the compiler rely on, and what the sets hold.
 */
#include <string.h>

#include "rule_questions.h"
#include "tests/unit/unit.h"

struct tally {
	unsigned long asked, matched, wrong;
};

static void say_wrong(const struct rule_set *set, const struct gpc_question *q, uint32_t want, uint32_t got)
{
	printf("boxes: %s: want %d, got %d: ", set->name, (int)want, (int)got);
	rule_question_say(q, stdout);
	printf("\n");
}

/* The set is released. */
static void judge(struct rule_set *set, unsigned int count, struct tally *t)
{
	struct gpc_arena arena = {0};
	struct gpc_space space = rule_library_space(&arena, set);
	struct gpc_box_list list = rule_library_list(&arena, set, NULL, 0);
	struct rule_questions questions;
	struct rule_linear linear;
	struct gpc_question q;

	rule_questions_init(&questions, set, 3);
	rule_linear_init(&linear, set);
	for (unsigned int i = 0; i < count; i++) {
		uint32_t want, got;

		rule_questions_next(&questions, &q);
		want = rule_linear_first(&linear, &q);
		got = gpc_boxes_first(&space, &list, &q);
		t->asked++;
		t->matched += want != UINT32_MAX;
		if (want != got && t->wrong++ < 5)
			say_wrong(set, &q, want, got);
	}
	rule_linear_release(&linear);
	gpc_arena_release(&arena);
	rule_set_release(set);
}

static void done(const char *what, const struct tally *t)
{
	printf("boxes: %s: %lu asked, %lu matched, %lu wrong\n", what, t->asked, t->matched, t->wrong);
	CU_ASSERT_EQUAL(t->wrong, 0);
	CU_ASSERT(t->matched > t->asked / 20);
}

static void tiny_sets_agree(void)
{
	struct tally t = {0};
	struct rule_set set;

	for (unsigned int i = 0; i < 3000; i++) {
		rule_sets_tiny(&set, i);
		judge(&set, 200, &t);
	}
	done("3000 tiny sets", &t);
}

static void odd_sets_agree(void)
{
	struct tally t = {0};
	struct rule_set set;

	for (size_t i = 0; rule_sets_odd_names[i]; i++) {
		rule_sets_odd(&set, rule_sets_odd_names[i], 30 + i);
		judge(&set, 20000, &t);
	}
	done("odd sets", &t);
}

static void shapes_of_classbench_agree(void)
{
	struct tally t = {0};
	struct rule_set set;

	for (int shape = RULE_ACL; shape <= RULE_GEN; shape++) {
		rule_sets_shaped(&set, "shape", (enum rule_shape)shape, RULE_BOTH, 500, 40 + (uint64_t)shape);
		judge(&set, 50000, &t);
	}
	rule_sets_segments(&set, "segments", RULE_BOTH, 500, 50);
	judge(&set, 50000, &t);
	done("shapes and segments", &t);
}

/* A generator must give the same rules on every machine: the figures of benchmarks hang on it. */
static void sets_are_the_same_for_the_same_seed(void)
{
	struct rule_set a, b;

	rule_sets_shaped(&a, "a", RULE_GEN, RULE_BOTH, 1000, 5);
	rule_sets_shaped(&b, "a", RULE_GEN, RULE_BOTH, 1000, 5);
	CU_ASSERT_EQUAL(rule_set_rules(&a), 1000);
	CU_ASSERT_EQUAL_FATAL(a.box_count, b.box_count);
	CU_ASSERT_EQUAL(memcmp(a.boxes, b.boxes, a.box_count * sizeof(*a.boxes)), 0);
	rule_set_release(&b);
	rule_sets_shaped(&b, "a", RULE_GEN, RULE_BOTH, 1000, 6);
	CU_ASSERT_NOT_EQUAL(memcmp(a.boxes, b.boxes, a.box_count * sizeof(*a.boxes)), 0);
	rule_set_release(&a);
	rule_set_release(&b);
}

GPC_UNIT_MAIN("oracle/boxes",
	      {"tiny_sets_agree", tiny_sets_agree},
	      {"odd_sets_agree", odd_sets_agree},
	      {"shapes_of_classbench_agree", shapes_of_classbench_agree},
	      {"sets_are_the_same_for_the_same_seed", sets_are_the_same_for_the_same_seed})
