/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a text to be laid out. What must hold: what parses can be laid out, as the same
 * documents but for the order of keys, with the same comments, in lines that end with no blank; laying
 * it out again changes nothing; what does not parse is refused with a diagnostic.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/format.h"
#include "syntax/yaml.h"

struct layout {
	struct gpc_arena arena;
	struct gpc_diags diags;
	struct gpc_documents documents;
	const char *text;
	size_t size;
	bool parsed, laid_out;
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void require(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "format_fuzz: %s\n", what);
	abort();
}

static const struct gpc_node *find(const struct gpc_node *map, const struct gpc_pair *wanted)
{
	for (size_t i = 0; i < map->map.count; i++)
		if (map->map.pairs[i].key_size == wanted->key_size &&
		    memcmp(map->map.pairs[i].key, wanted->key, wanted->key_size) == 0)
			return map->map.pairs[i].value;
	return NULL;
}

static bool same(const struct gpc_node *a, const struct gpc_node *b)
{
	if (!b || a->kind != b->kind)
		return false;
	switch (a->kind) {
	case GPC_NODE_SCALAR:
		return a->scalar.size == b->scalar.size &&
		       memcmp(a->scalar.text, b->scalar.text, a->scalar.size) == 0;
	case GPC_NODE_LIST:
		for (size_t i = 0; a->list.count == b->list.count && i < a->list.count; i++)
			if (!same(a->list.items[i], b->list.items[i]))
				return false;
		return a->list.count == b->list.count;
	case GPC_NODE_MAP:
		for (size_t i = 0; a->map.count == b->map.count && i < a->map.count; i++)
			if (!same(a->map.pairs[i].value, find(b, &a->map.pairs[i])))
				return false;
		return a->map.count == b->map.count;
	}
	return false;
}

static void lay_out(struct layout *layout, const char *text, size_t size)
{
	*layout = (struct layout){0};
	gpc_diags_init(&layout->diags, &layout->arena, false);
	gpc_diags_add_source(&layout->diags, "in.yaml", text, size);
	layout->parsed = gpc_yaml_parse(&layout->diags, &layout->arena, 0, &layout->documents);
	layout->diags.nodes = 0;
	layout->laid_out =
		layout->parsed &&
		gpc_format_yaml(&layout->diags, 0, &layout->text, &layout->size);
}

static void check_lines(const struct layout *layout)
{
	const char *text = layout->text;

	for (size_t i = 0; i < layout->size; i++)
		require(text[i] != '\r', "lines end with line feeds");
	require(layout->size == 0 || text[layout->size - 1] == '\n', "the last line ends");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct layout first, second;

	lay_out(&first, (const char *)bytes, size);
	require(first.parsed == first.laid_out, "what parses can be laid out");
	require(first.laid_out == (first.diags.errors == 0), "what is refused has an error");
	if (first.laid_out) {
		check_lines(&first);
		lay_out(&second, first.text, first.size);
		require(second.laid_out, "a layout can be laid out");
		require(first.documents.count == second.documents.count, "documents stay");
		for (size_t i = 0; i < first.documents.count; i++)
			require(same(first.documents.roots[i], second.documents.roots[i]),
				"the meaning stays");
		require(first.size == second.size &&
				memcmp(first.text, second.text, first.size) == 0,
			"laying out twice changes nothing");
		gpc_arena_release(&second.arena);
	}
	gpc_arena_release(&first.arena);
	return 0;
}
