// SPDX-License-Identifier: MIT
/*
 * The classifier in the kernel gives the answers of user space, for questions on the edges of random spaces
 * of every kind, and those are the answers of going through all boxes.
 */
#include <stdlib.h>

#include "classify_rig.h"
#include "kernel.h"
#include "tests/unit/compiler/classify/spaces.h"
#include "tests/unit/unit.h"

#define QUESTIONS 8192u
#define BOXES 300u
#define ROUNDS 2
#define ROOM (24u * 1024 * 1024)
#define MOST_INSNS 45000u

static struct gpc_question questions[QUESTIONS];
static uint32_t answers[QUESTIONS];
static uint32_t asked, matched;

/* Holds one list of the space against both others; returns how many answers differ. */
static uint32_t differences(struct classify_rig *rig, struct spaces_random *r, const struct spaces_space *s,
			    uint32_t list)
{
	uint32_t wrong = 0;

	for (uint32_t i = 0; i < QUESTIONS; i++)
		questions[i] = spaces_question(r, &s->space, &s->lists[list]);
	classify_rig_run(rig, list, questions, QUESTIONS, 1, answers);
	for (uint32_t i = 0; i < QUESTIONS; i++) {
		uint32_t user = classify_image_ask(rig->image, list, &questions[i]);

		wrong += answers[i] != user ||
			 user != gpc_boxes_first(&s->space, &s->lists[list], &questions[i]);
		matched += user != UINT32_MAX;
	}
	asked += QUESTIONS;
	return wrong;
}

static void check(struct spaces_random *r, enum spaces_kind kind)
{
	struct gpc_classify_refusal refusal;
	struct gpc_arena arena = {0};
	struct spaces_space s = spaces_make(&arena, r, kind, BOXES);
	struct classify_image image;
	struct gpc_classified c;
	struct classify_rig rig;

	CU_ASSERT_EQUAL_FATAL(gpc_classify_compile(&arena, &s.space, s.lists, s.list_count, ROOM, &c,
						   &refusal),
			      GPC_CLASSIFY_OK);
	classify_image_make(&c, s.list_count, &image);
	classify_rig_start(&rig, &image);
	for (uint32_t list = 0; list < s.list_count; list++)
		CU_ASSERT_EQUAL(differences(&rig, r, &s, list), 0);
	classify_rig_stop(&rig);
	classify_image_free(&image);
	gpc_arena_release(&arena);
}

static void kernel_and_user_space_agree_with_all_boxes(void)
{
	struct spaces_random r = {.state = 20260101};

	for (int round = 0; round < ROUNDS; round++)
		for (int kind = 0; kind < SPACES_KINDS; kind++)
			check(&r, kind);
	printf("%u questions, %u matched\n", asked, matched);
	CU_ASSERT(matched > asked / 10);
}

static void the_programs_are_within_their_budget(void)
{
	struct gpc_classifier none = {0};
	uint32_t word = 0;
	struct gpc_classified nothing = {.classifiers = &none, .words = &word};
	struct classify_image image;
	struct classify_insns insns;
	struct classify_rig rig;

	classify_image_make(&nothing, 1, &image);
	classify_rig_start(&rig, &image);
	insns = classify_rig_insns(&rig);
	printf("verified instructions: classify %u, of these addresses %u\n", insns.classify,
	       insns.addresses);
	CU_ASSERT(insns.classify <= MOST_INSNS * kernel_insns_factor());
	classify_rig_stop(&rig);
	classify_image_free(&image);
}

GPC_UNIT_MAIN("bpf/classify",
	      {"the_programs_are_within_their_budget", the_programs_are_within_their_budget},
	      {"kernel_and_user_space_agree_with_all_boxes", kernel_and_user_space_agree_with_all_boxes})
