/* SPDX-License-Identifier: MIT */
#include "lines.h"

#include <string.h>

static bool starts_at(const struct gpc_diags *diags, const struct gpc_node *node,
		      struct gpc_line_column at)
{
	struct gpc_line_column start;

	if (node->kind == GPC_NODE_SCALAR)
		return false;
	start = gpc_place_position(diags, node->place);
	return start.line == at.line && start.column == at.column;
}

static const struct gpc_node *find(const struct gpc_diags *diags, const struct gpc_node *node,
				   struct gpc_line_column at)
{
	const struct gpc_node *found = starts_at(diags, node, at) ? node : NULL;

	if (node->kind == GPC_NODE_MAP)
		for (size_t i = 0; i < node->map.count && !found; i++)
			found = find(diags, node->map.pairs[i].value, at);
	if (node->kind == GPC_NODE_LIST)
		for (size_t i = 0; i < node->list.count && !found; i++)
			found = find(diags, node->list.items[i], at);
	return found;
}

/* What the scanner takes for the end of a block of text can be the start of what comes next. */
static struct gpc_place trimmed(const struct gpc_diags *diags, struct gpc_place place)
{
	const char *text = diags->sources.items[place.source].text;

	while (place.end > place.start + 1 && strchr(" \t\r\n", text[place.end - 1]))
		place.end--;
	return place;
}

/* Nodes are met as they are written, so their lines ascend. */
static void add_place(struct gpc_diags *diags, struct gpc_place place, struct gpc_lines *lines)
{
	struct gpc_place text = trimmed(diags, place);
	uint32_t line = gpc_place_position(diags, text).line;
	uint32_t last = gpc_place_end_position(diags, text).line;

	if (lines->numbers.n && lines->numbers.items[lines->numbers.n - 1] >= line)
		line = lines->numbers.items[lines->numbers.n - 1] + 1;
	for (; line <= last; line++)
		*GPC_PUSH(diags->arena, &lines->numbers) = line;
}

static void add_node(struct gpc_diags *diags, const struct gpc_node *node, struct gpc_lines *lines)
{
	switch (node->kind) {
	case GPC_NODE_SCALAR:
		add_place(diags, node->place, lines);
		break;
	case GPC_NODE_MAP:
		for (size_t i = 0; i < node->map.count; i++) {
			add_place(diags, node->map.pairs[i].key_place, lines);
			add_node(diags, node->map.pairs[i].value, lines);
		}
		break;
	case GPC_NODE_LIST:
		for (size_t i = 0; i < node->list.count; i++)
			add_node(diags, node->list.items[i], lines);
		break;
	}
}

void gpc_lines_find(struct gpc_diags *diags, const struct gpc_documents *documents,
		    struct gpc_line_column at, struct gpc_lines *ret)
{
	const struct gpc_node *found = NULL;

	*ret = (struct gpc_lines){0};
	for (size_t i = 0; i < documents->count && !found; i++)
		found = find(diags, documents->roots[i], at);
	if (found)
		add_node(diags, found, ret);
}
