/* SPDX-License-Identifier: MIT */
/*
 * The classifier against going through the rules one by one: the words that the library compiles, asked
 * by the lookup that the kernel runs, must name the same first rule for every packet.
 *
 *   classify_oracle           a million packets for each set, fewer where a set is large
 *   GPC_CHECK_LONG=1          a million for every set, and more of the small ones
 */
#include <stdlib.h>
#include <string.h>

#include "rule_suite.h"
#include "tests/unit/unit.h"

#define MAX_BYTES (64u << 20)

static bool checking_long(void)
{
	const char *text = getenv("GPC_CHECK_LONG");

	return text && *text;
}

struct tally {
	unsigned long asked, matched, wrong;
};

static void say_wrong(const struct rule_set *set, const struct gpc_question *q, uint32_t want, uint32_t got)
{
	printf("classify: %s: want %d, got %d: ", set->name, (int)want, (int)got);
	rule_question_say(q, stdout);
	printf("\n");
}

static void ask(const struct rule_set *set, const struct rule_compiled *compiled, unsigned long count, uint64_t seed,
		struct tally *t)
{
	struct rule_questions questions;
	struct rule_linear linear;
	struct gpc_question q;

	rule_questions_init(&questions, set, seed);
	rule_linear_init(&linear, set);
	for (unsigned long i = 0; i < count; i++) {
		uint32_t want, got;

		rule_questions_next(&questions, &q);
		want = rule_linear_first(&linear, &q);
		got = rule_compiled_ask(compiled, 0, &q);
		t->asked++;
		t->matched += want != UINT32_MAX;
		if (want != got && t->wrong++ < 5)
			say_wrong(set, &q, want, got);
	}
	rule_linear_release(&linear);
}

/* The set is released. */
static void judge(struct rule_set *set, unsigned long count)
{
	struct rule_compiled compiled;
	struct tally t = {0};

	rule_compile(&compiled, set, MAX_BYTES);
	if (compiled.status != GPC_CLASSIFY_OK) {
		printf("classify: %s: refused (status %d, %llu bytes)\n", set->name, (int)compiled.status,
		       (unsigned long long)compiled.refusal.bytes);
		CU_FAIL("a set was refused");
	} else {
		ask(set, &compiled, count, RULE_SUITE_SEED, &t);
		printf("classify: %-16s %6u rules %9zu bytes: %lu asked, %lu matched, %lu wrong\n", set->name,
		       rule_set_rules(set), compiled.classified.word_count * sizeof(uint32_t), t.asked, t.matched,
		       t.wrong);
		CU_ASSERT_EQUAL(t.wrong, 0);
		CU_ASSERT(t.matched > 0 || rule_set_rules(set) == 0);
	}
	rule_compiled_release(&compiled);
	rule_set_release(set);
}

static void sets_agree(void)
{
	struct rule_set set;
	unsigned long count;

	for (size_t i = 0; i < rule_suite_count(); i++)
		if (rule_suite_make(i, &set, &count))
			judge(&set, count);
		else
			printf("classify: no ClassBench set %s in %s: going on without\n", rule_suite_name(i),
			       rule_sets_classbench_folder());
}

static void tiny_sets_agree(void)
{
	unsigned long sets = checking_long() ? 100000 : 2000;
	struct tally t = {0};

	for (unsigned long i = 0; i < sets; i++) {
		struct rule_compiled compiled;
		struct rule_set set;

		rule_sets_tiny(&set, i);
		rule_compile(&compiled, &set, MAX_BYTES);
		CU_ASSERT_EQUAL_FATAL(compiled.status, GPC_CLASSIFY_OK);
		ask(&set, &compiled, 200, i, &t);
		rule_compiled_release(&compiled);
		rule_set_release(&set);
	}
	printf("classify: %lu tiny sets: %lu asked, %lu matched, %lu wrong\n", sets, t.asked, t.matched, t.wrong);
	CU_ASSERT_EQUAL(t.wrong, 0);
	CU_ASSERT(t.matched > t.asked / 10);
}

/* The boxes of a set by their list, in as many sets as there are lists. */
static void ask_lists(const struct rule_set *set, const uint8_t *list_of, size_t lists,
		      const struct rule_compiled *compiled, struct tally *t)
{
	for (size_t list = 0; list < lists; list++) {
		struct rule_set part = *set;
		struct rule_questions questions;
		struct rule_linear linear;
		struct gpc_question q;

		part.boxes = calloc(set->box_count, sizeof(*part.boxes));
		part.box_count = 0;
		for (size_t i = 0; i < set->box_count; i++)
			if (list_of[i] == list)
				part.boxes[part.box_count++] = set->boxes[i];
		rule_questions_init(&questions, set, list);
		rule_linear_init(&linear, &part);
		for (int i = 0; i < 300; i++) {
			uint32_t want, got;

			rule_questions_next(&questions, &q);
			want = rule_linear_first(&linear, &q);
			got = rule_compiled_ask(compiled, list, &q);
			t->asked++;
			t->matched += want != UINT32_MAX;
			if (want != got && t->wrong++ < 5)
				say_wrong(&part, &q, want, got);
		}
		rule_linear_release(&linear);
		free(part.boxes);
	}
}

/* Several lists over the same sets of addresses: the policies of a plane. One of them is empty. */
static void lists_that_share_sets_agree(void)
{
	struct random_source r = {17};
	struct tally t = {0};

	for (unsigned int i = 0; i < 150; i++) {
		size_t lists = random_between(&r, 2, 8);
		struct rule_compiled compiled;
		struct rule_set set;
		uint8_t *list_of;

		if (i % 10)
			rule_sets_tiny(&set, 1000000 + i);
		else
			rule_sets_shaped(&set, "lists", RULE_GEN, RULE_BOTH, 300, i);
		list_of = calloc(set.box_count, 1);
		for (size_t b = 0; b < set.box_count; b++)
			list_of[b] = (uint8_t)random_below(&r, lists - 1);
		rule_compile_lists(&compiled, &set, list_of, lists, MAX_BYTES);
		CU_ASSERT_EQUAL_FATAL(compiled.status, GPC_CLASSIFY_OK);
		ask_lists(&set, list_of, lists, &compiled, &t);
		free(list_of);
		rule_compiled_release(&compiled);
		rule_set_release(&set);
	}
	printf("classify: 150 planes of 2 to 8 lists: %lu asked, %lu matched, %lu wrong\n", t.asked, t.matched, t.wrong);
	CU_ASSERT_EQUAL(t.wrong, 0);
}

/* Same input, same words. */
static void words_do_not_depend_on_the_run(void)
{
	struct rule_compiled first, second;
	struct rule_set set;

	rule_sets_shaped(&set, "again", RULE_GEN, RULE_BOTH, 3000, 18);
	rule_compile(&first, &set, MAX_BYTES);
	rule_compile(&second, &set, MAX_BYTES);
	CU_ASSERT_EQUAL_FATAL(first.status, GPC_CLASSIFY_OK);
	CU_ASSERT_EQUAL_FATAL(second.status, GPC_CLASSIFY_OK);
	CU_ASSERT_EQUAL_FATAL(first.classified.word_count, second.classified.word_count);
	CU_ASSERT_EQUAL(memcmp(first.image, second.image, (size_t)1 << first.log2), 0);
	CU_ASSERT_EQUAL(memcmp(first.classified.classifiers, second.classified.classifiers,
			       sizeof(struct gpc_classifier)),
			0);
	rule_compiled_release(&first);
	rule_compiled_release(&second);
	rule_set_release(&set);
}

/* What does not fit is refused, what fits stays below the cap and is right. */
static void the_cap_is_kept(void)
{
	unsigned int refused = 0;
	struct tally t = {0};
	struct rule_set set;

	rule_sets_shaped(&set, "capped", RULE_GEN, RULE_ONLY_V4, 5000, 19);
	for (unsigned int cap = 1u << 12; cap <= 1u << 24; cap <<= 1) {
		struct rule_compiled compiled;

		rule_compile(&compiled, &set, cap);
		if (compiled.status == GPC_CLASSIFY_OK) {
			CU_ASSERT(compiled.classified.word_count * sizeof(uint32_t) <= cap);
			ask(&set, &compiled, 2000, cap, &t);
		} else {
			CU_ASSERT_EQUAL(compiled.status, GPC_CLASSIFY_TOO_LARGE);
			refused++;
		}
		rule_compiled_release(&compiled);
	}
	CU_ASSERT(refused >= 4 && refused <= 11);
	CU_ASSERT_EQUAL(t.wrong, 0);
	rule_set_release(&set);
}

GPC_UNIT_MAIN("oracle/classify",
	      {"tiny_sets_agree", tiny_sets_agree},
	      {"lists_that_share_sets_agree", lists_that_share_sets_agree},
	      {"sets_agree", sets_agree},
	      {"words_do_not_depend_on_the_run", words_do_not_depend_on_the_run},
	      {"the_cap_is_kept", the_cap_is_kept})
