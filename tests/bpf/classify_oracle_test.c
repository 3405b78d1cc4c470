/* SPDX-License-Identifier: MIT */
/*
 * The classifier in the kernel: for every packet that oracle/classify holds against the rules one by one,
 * it must say what user space says; and for one packet of each sixteen (all with GPC_CHECK_LONG) it is
 * held against the rules itself.
 */
#include <stdlib.h>
#include <string.h>

#include "classify_rig.h"
#include "tests/oracle/rule_suite.h"
#include "tests/unit/unit.h"

#define MAX_BYTES (64u << 20)
#define BATCH CLASSIFY_RIG_QUESTIONS

struct tally {
	unsigned long asked, judged, matched, wrong;
};

static void say_wrong(const struct rule_set *set, const struct gpc_question *q, const char *who, uint32_t want,
		      uint32_t got)
{
	printf("classify: %s: %s says %d, the kernel %d: ", set->name, who, (int)want, (int)got);
	rule_question_say(q, stdout);
	printf("\n");
}

static void compare(const struct rule_set *set, const struct rule_compiled *compiled, struct rule_linear *linear,
		    const struct gpc_question *questions, const uint32_t *answers, uint32_t count, struct tally *t)
{
	unsigned int step = getenv("GPC_CHECK_LONG") && *getenv("GPC_CHECK_LONG") ? 1 : 16;

	for (uint32_t i = 0; i < count; i++, t->asked++) {
		uint32_t user = rule_compiled_ask(compiled, 0, &questions[i]);

		t->matched += user != GPC_NONE;
		if (user != answers[i] && t->wrong++ < 5)
			say_wrong(set, &questions[i], "user space", user, answers[i]);
		if (i % step)
			continue;
		t->judged++;
		user = rule_linear_first(linear, &questions[i]);
		if (user != answers[i] && t->wrong++ < 5)
			say_wrong(set, &questions[i], "the oracle", user, answers[i]);
	}
}

static void ask(const struct rule_set *set, const struct rule_compiled *compiled, unsigned long count, struct tally *t)
{
	static struct gpc_question questions[BATCH];
	static uint32_t answers[BATCH];
	struct rule_questions source;
	struct rule_linear linear;
	struct classify_image image;
	struct classify_rig rig;

	classify_image_make(&compiled->classified, 1, &image);
	classify_rig_start(&rig, &image);
	rule_questions_init(&source, set, RULE_SUITE_SEED);
	rule_linear_init(&linear, set);
	while (count) {
		uint32_t batch = count < BATCH ? (uint32_t)count : BATCH;

		for (uint32_t i = 0; i < batch; i++)
			rule_questions_next(&source, &questions[i]);
		classify_rig_run(&rig, 0, questions, batch, 1, answers);
		compare(set, compiled, &linear, questions, answers, batch, t);
		count -= batch;
	}
	rule_linear_release(&linear);
	classify_rig_stop(&rig);
	classify_image_free(&image);
}

static void the_kernel_agrees(void)
{
	for (size_t i = 0; i < rule_suite_count(); i++) {
		struct rule_compiled compiled;
		struct tally t = {0};
		struct rule_set set;
		unsigned long count;

		if (!rule_suite_make(i, &set, &count)) {
			printf("classify: no ClassBench set %s in %s: going on without\n", rule_suite_name(i),
			       rule_sets_classbench_folder());
			continue;
		}
		rule_compile(&compiled, &set, MAX_BYTES);
		CU_ASSERT_EQUAL(compiled.status, GPC_CLASSIFY_OK);
		if (compiled.status == GPC_CLASSIFY_OK)
			ask(&set, &compiled, count, &t);
		printf("classify: %-16s %lu asked, %lu matched, %lu judged by the oracle, %lu wrong\n", set.name,
		       t.asked, t.matched, t.judged, t.wrong);
		CU_ASSERT_EQUAL(t.wrong, 0);
		rule_compiled_release(&compiled);
		rule_set_release(&set);
	}
}

GPC_UNIT_MAIN("bpf/classify_oracle", {"the_kernel_agrees", the_kernel_agrees})
