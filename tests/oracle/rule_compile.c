/* SPDX-License-Identifier: MIT */
/* The set compiled by the library and laid out as in an image. */
#include "rule_set.h"

#include <stdlib.h>
#include <string.h>

#include "gpc/lookup/classify.h"

/* Only what lookup/classify.h reads: the tries of the plane and the words. */
static void lay_out(struct rule_compiled *c)
{
	size_t bytes = c->classified.word_count * sizeof(uint32_t);
	struct gpc_plane *plane;

	c->log2 = 12;
	while ((size_t)1 << c->log2 < GPC_WORDS_OFFSET + bytes)
		c->log2++;
	c->image = calloc(1, (size_t)1 << c->log2);
	if (!c->image)
		abort();
	plane = (struct gpc_plane *)(c->image + sizeof(struct gpc_image_head));
	plane->tries = c->classified.tries;
	if (bytes)
		memcpy(c->image + GPC_WORDS_OFFSET, c->classified.words, bytes);
}

void rule_compile_lists(struct rule_compiled *compiled, const struct rule_set *set, const uint8_t *list_of,
			size_t lists, uint64_t max_bytes)
{
	struct gpc_arena *arena = &compiled->arena;
	struct gpc_box_list *library_lists;
	struct gpc_space space;

	*compiled = (struct rule_compiled){0};
	space = rule_library_space(arena, set);
	library_lists = GPC_NEW_ARRAY(arena, struct gpc_box_list, lists);
	for (size_t i = 0; i < lists; i++)
		library_lists[i] = rule_library_list(arena, set, list_of, i);
	compiled->status = gpc_classify_compile(arena, &space, library_lists, lists, max_bytes,
						&compiled->classified, &compiled->refusal);
	if (compiled->status == GPC_CLASSIFY_OK)
		lay_out(compiled);
}

void rule_compile(struct rule_compiled *compiled, const struct rule_set *set, uint64_t max_bytes)
{
	rule_compile_lists(compiled, set, NULL, 1, max_bytes);
}

void rule_compiled_release(struct rule_compiled *compiled)
{
	gpc_arena_release(&compiled->arena);
	free(compiled->image);
	*compiled = (struct rule_compiled){0};
}

uint32_t rule_compiled_ask(const struct rule_compiled *compiled, size_t list, const struct gpc_question *question)
{
	struct gpc_view view = {compiled->image, ((uint64_t)1 << compiled->log2) - 1};
	struct gpc_classes classes = gpc_address_classes(view, question);

	return gpc_classify(view, &compiled->classified.classifiers[list], question, classes);
}
