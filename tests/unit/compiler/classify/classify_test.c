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

GPC_UNIT_MAIN("classify/classify", {"random_spaces_of_every_kind_are_answered_right",
				    random_spaces_of_every_kind_are_answered_right})
