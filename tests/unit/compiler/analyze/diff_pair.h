/* SPDX-License-Identifier: MIT */
/* diff_pair.h: two planes from text, compiled and compared. */
#ifndef GPC_TESTS_DIFF_PAIR_H
#define GPC_TESTS_DIFF_PAIR_H

#include <string.h>

#include "../../unit.h"
#include "analyze/diff.h"
#include "base/memfiles.h"
#include "pipeline.h"

struct pair {
	struct gpc_arena arena;
	struct gpc_diags diags;
	struct gpc_image image[2];
	struct gpc_diff diff;
};

static bool open_plane(struct pair *pair, const char *text, struct gpc_image *ret)
{
	const char *path = "gpc.yaml";
	struct gpc_compile_options options = {.inputs = {&path, 1, NULL}, .tool_version = "test"};
	struct gpc_memfiles files;
	struct gpc_provider provider;
	struct gpc_compiled compiled;

	gpc_memfiles_init(&files, &pair->arena);
	gpc_memfiles_add(&files, path, text, strlen(text));
	provider = gpc_memfiles_provider(&files);
	if (gpc_compile(&pair->diags, &provider, &options, &compiled) &&
	    gpc_image_open_written(&pair->diags, path, compiled.bytes, compiled.size, ret))
		return true;
	fprintf(stderr, "%s\n%s\n", pair->diags.records.items[0].message, text);
	return false;
}

static void compare(struct pair *pair, const char *a, const char *b)
{
	memset(pair, 0, sizeof(*pair));
	gpc_diags_init(&pair->diags, &pair->arena, false);
	CU_ASSERT_FATAL(open_plane(pair, a, &pair->image[0]));
	CU_ASSERT_FATAL(open_plane(pair, b, &pair->image[1]));
	gpc_diff_images(&pair->arena, &pair->image[0], &pair->image[1], &pair->diff);
	CU_ASSERT_PTR_NULL(pair->diff.fault);
}

static void release(struct pair *pair)
{
	gpc_diff_release(&pair->diff);
	gpc_image_release(&pair->image[0]);
	gpc_image_release(&pair->image[1]);
	gpc_arena_release(&pair->arena);
}

/* "newly allowed app -> db tcp/80,udp", each on a line */
static const char *spaces_of(struct pair *pair)
{
	const char *text = "";

	for (size_t i = 0; i < pair->diff.space_count; i++) {
		const struct gpc_diff_space *s = &pair->diff.spaces[i];

		text = gpc_arena_printf(&pair->arena, "%s%s%s%s %s -> %s ", text, i ? "\n" : "",
					gpc_diff_effect_name(s->effect), s->enforced ? " later" : "",
					gpc_party_text(&pair->arena, &s->from, 0),
					gpc_party_text(&pair->arena, &s->to, 0));
		if (s->services_but)
			text = gpc_arena_printf(&pair->arena, "%sany but ", text);
		for (size_t k = 0; k < s->service_count; k++)
			text = gpc_arena_printf(&pair->arena, "%s%s%s", text, k ? "," : "", s->services[k]);
		if (!s->opens)
			text = gpc_arena_printf(&pair->arena, "%s (opens no flow)", text);
	}
	return text;
}

#endif
