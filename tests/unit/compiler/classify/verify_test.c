/* SPDX-License-Identifier: MIT */
/*
 * What the compiler makes is right; whatever else passes the check answers within the list.
 */
#include <stdlib.h>

#include "../../unit.h"
#include "classify/verify.h"
#include "gpc/lookup/classify.h"
#include "spaces.h"

#define ROOM (64u * 1024 * 1024)
#define CHANGES 300
#define QUESTIONS 200

static uint32_t position_limit(const struct gpc_box_list *list)
{
	return list->boxes[list->count - 1].position + 1;
}

struct doctored {
	struct gpc_classified c;
	uint32_t positions[4];
	const char *wrong;
	size_t classifier;
};

static void check(struct doctored *d, size_t lists)
{
	struct gpc_arena scratch = {0};
	struct gpc_classified_view view = {&d->c.tries, d->c.classifiers, d->positions, lists,
					   d->c.words, d->c.word_count};

	d->wrong = gpc_classified_check(&scratch, &view, &d->classifier);
	gpc_arena_release(&scratch);
}

static void make(struct gpc_arena *arena, struct spaces_random *r, struct spaces_space *s,
		 enum spaces_kind kind, struct doctored *d)
{
	struct gpc_classify_refusal refusal;

	*s = spaces_make(arena, r, kind, 60);
	CU_ASSERT_EQUAL_FATAL(gpc_classify_compile(arena, &s->space, s->lists, s->list_count, ROOM, &d->c,
						   &refusal), GPC_CLASSIFY_OK);
	for (size_t l = 0; l < s->list_count; l++)
		d->positions[l] = position_limit(&s->lists[l]);
}

static void what_the_compiler_makes_is_right(void)
{
	struct spaces_random r = {.state = 31};

	for (int i = 0; i < 5 * SPACES_KINDS; i++) {
		struct gpc_arena arena = {0};
		struct spaces_space s;
		struct doctored d;

		make(&arena, &r, &s, i % SPACES_KINDS, &d);
		check(&d, s.list_count);
		CU_ASSERT_PTR_NULL(d.wrong);
		if (d.wrong)
			printf("kind %d: %s\n", i % SPACES_KINDS, d.wrong);
		d.positions[0] = 0;
		check(&d, s.list_count);
		CU_ASSERT_PTR_NOT_NULL(d.wrong);
		CU_ASSERT_EQUAL(d.classifier, 0);
		gpc_arena_release(&arena);
	}
}

static char *image_of(const struct gpc_classified *c, size_t *ret_size)
{
	size_t size = 4096;
	char *base;

	while (size < GPC_WORDS_OFFSET + c->word_count * 4)
		size *= 2;
	base = aligned_alloc(64, size);
	memset(base, 0, size);
	((struct gpc_plane *)(base + sizeof(struct gpc_image_head)))->tries = c->tries;
	memcpy(base + GPC_WORDS_OFFSET, c->words, c->word_count * 4);
	*ret_size = size;
	return base;
}

/* Answers outside of the lists to questions about it. */
static uint32_t strays(struct spaces_random *r, const struct spaces_space *s, const struct doctored *d)
{
	size_t size;
	char *base = image_of(&d->c, &size);
	struct gpc_view view = {base, size - 1};
	uint32_t strays = 0;

	for (uint32_t i = 0; i < QUESTIONS; i++) {
		size_t l = i % s->list_count;
		struct gpc_question q = spaces_question(r, &s->space, &s->lists[l]);
		uint32_t position = gpc_classify(view, &d->c.classifiers[l], &q,
						 gpc_address_classes(view, &q));

		strays += position != GPC_NONE && position >= d->positions[l];
	}
	free(base);
	return strays;
}

/* One word of the tables, the tries or a classifier becomes another. */
static void change(struct spaces_random *r, const struct spaces_space *s, struct doctored *d)
{
	uint32_t value = spaces_number(r, 2) ? spaces_number(r, 64) : spaces_number(r, UINT32_MAX);
	uint32_t *words = d->c.words;
	size_t n = d->c.word_count;

	switch (spaces_number(r, 8)) {
	case 0:
		words = (uint32_t *)&d->c.tries;
		n = 8;
		break;
	case 1:
		words = (uint32_t *)&d->c.classifiers[spaces_number(r, (uint32_t)s->list_count)];
		n = sizeof(struct gpc_classifier) / 4;
		break;
	case 2: /* the roots are most of the words, the rest stands behind them */
		words += n > 140000 ? 131072 : 0;
		n -= n > 140000 ? 131072 : 0;
		break;
	}
	words += spaces_number(r, (uint32_t)n);
	*words = spaces_number(r, 2) ? value : *words + spaces_number(r, 5) - 2;
}

static void what_passes_the_check_answers_within_the_list(void)
{
	struct spaces_random r = {.state = 77};
	uint32_t refused = 0, passed = 0, outside = 0;

	for (int kind = 0; kind < SPACES_KINDS; kind++) {
		struct gpc_arena arena = {0};
		struct spaces_space s;
		struct doctored d;
		uint32_t *words;

		make(&arena, &r, &s, kind, &d);
		words = GPC_NEW_ARRAY(&arena, uint32_t, d.c.word_count);
		memcpy(words, d.c.words, d.c.word_count * 4);
		for (int i = 0; i < CHANGES; i++) {
			struct gpc_classifier classifiers[4];
			struct doctored changed = d;

			memcpy(classifiers, d.c.classifiers, s.list_count * sizeof(*classifiers));
			memcpy(words, d.c.words, d.c.word_count * 4);
			changed.c.words = words;
			changed.c.classifiers = classifiers;
			change(&r, &s, &changed);
			check(&changed, s.list_count);
			refused += changed.wrong != NULL;
			passed += changed.wrong == NULL;
			if (!changed.wrong)
				outside += strays(&r, &s, &changed);
		}
		gpc_arena_release(&arena);
	}
	printf("%u refused, %u passed\n", refused, passed);
	CU_ASSERT_EQUAL(outside, 0);
	CU_ASSERT(refused > SPACES_KINDS * CHANGES / 8);
}

/* A branch whose entries are itself, and one that has more below it than a lookup follows. */
static void tries_that_do_not_end_are_refused(void)
{
	struct gpc_arena arena = {0};
	struct spaces_random r = {.state = 5};
	struct spaces_space s;
	struct doctored d;
	uint32_t offset, *root;

	make(&arena, &r, &s, SPACES_SIMPLE, &d);
	root = d.c.words + (d.c.tries.root4[0] - GPC_WORDS_OFFSET / 4);
	offset = d.c.tries.root4[0] / 4;
	root[0] = (uint32_t)GPC_TRIE_BRANCH << GPC_TRIE_KIND_SHIFT | offset;
	check(&d, s.list_count);
	CU_ASSERT_PTR_NOT_NULL_FATAL(d.wrong);
	CU_ASSERT_STRING_EQUAL(d.wrong, "a trie does not end");
	for (uint32_t i = 0; i < 6; i++)
		root[16 * i] = (uint32_t)GPC_TRIE_BRANCH << GPC_TRIE_KIND_SHIFT | (offset + 4 * (i + 1));
	check(&d, s.list_count);
	CU_ASSERT_PTR_NOT_NULL_FATAL(d.wrong);
	CU_ASSERT_STRING_EQUAL(d.wrong, "a trie is too deep");
	gpc_arena_release(&arena);
}

GPC_UNIT_MAIN("classify/verify", {"what_the_compiler_makes_is_right", what_the_compiler_makes_is_right},
	      {"what_passes_the_check_answers_within_the_list", what_passes_the_check_answers_within_the_list},
	      {"tries_that_do_not_end_are_refused", tries_that_do_not_end_are_refused})
