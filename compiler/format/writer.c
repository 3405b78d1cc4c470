/* SPDX-License-Identifier: MIT */
#include "writer.h"

#include <string.h>

#include "../base/utf8.h"
#include "format.h"
#include "spelling.h"

#define LONGEST_KEY 1000u /* YAML 1.1 finds the colon of a key within 1024 characters */
#define FLOW_BYTES (4u * GPC_FORMAT_WIDTH)

struct writer {
	struct gpc_diags *diags;
	struct gpc_arena *arena;
	bool one_line;
	GPC_VEC(char) out;
	size_t line;	  /* where the current line starts */
	bool fresh;	  /* nothing stands in this collection yet: no blank line */
	bool after_blank;
	char flow[FLOW_BYTES];
	size_t flow_size;
};

/* ---- bytes ---------------------------------------------------------------------------------- */

static void put(struct writer *w, const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		*GPC_PUSH(w->arena, &w->out) = text[i];
}

static void put_text(struct writer *w, const char *text)
{
	put(w, text, strlen(text));
}

static void put_spaces(struct writer *w, size_t count)
{
	while (count-- > 0)
		put(w, " ", 1);
}

static void end_line(struct writer *w)
{
	put(w, "\n", 1);
	w->line = w->out.n;
	w->fresh = false;
	w->after_blank = false;
}

static void blank_line(struct writer *w, bool wanted)
{
	if (!wanted || w->fresh || w->after_blank)
		return;
	end_line(w);
	w->after_blank = true;
}

/* ---- comments ------------------------------------------------------------------------------- */

static void put_comments(struct writer *w, const struct gpc_comment *comment, size_t indent)
{
	for (; comment; comment = comment->next) {
		blank_line(w, comment->blank);
		put_spaces(w, indent);
		put(w, comment->text, comment->size);
		end_line(w);
	}
}

/* The end of a line, with the first of the comments that stand behind it. */
static void end_line_of(struct writer *w, const struct gpc_element *element)
{
	const struct gpc_comment *comment = element->line.first;
	size_t width;

	if (comment) {
		width = gpc_utf8_count(w->out.items + w->line, w->out.n - w->line);
		put_spaces(w, width + 2 > GPC_FORMAT_COMMENT_COLUMN ?
				      2 :
				      GPC_FORMAT_COMMENT_COLUMN - width);
		put(w, comment->text, comment->size);
	}
	end_line(w);
}

/* ---- scalars -------------------------------------------------------------------------------- */

enum shape {
	NOTHING,  /* `key:` */
	ONE_LINE,
	LINES,	  /* plain or in quotes, over several lines */
	LITERAL,
	FOLDED
};

static bool has_odd_line_end(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (gpc_line_end(text + i, size - i) > 1)
			return true;
	return false;
}

static bool is_shown(const char *text, size_t size)
{
	return memchr(text, '\t', size) || gpc_utf8_is_printable(text, size);
}

/* Can it stand as the lines of a block without an indentation indicator, and keep its end? */
static bool fits_block(const struct gpc_node *node)
{
	const char *text = node->scalar.text, *end = text + node->scalar.size;

	if (text == end || strchr(" \t\n", *text) ||
	    (node->scalar.size > 1 && end[-1] == '\n' && end[-2] == '\n'))
		return false;
	for (const char *stop; text < end; text = stop + 1) {
		stop = memchr(text, '\n', (size_t)(end - text));
		stop = stop ? stop : end;
		if ((size_t)(stop - text) != 0 &&
		    (strspn(text, " \t") >= (size_t)(stop - text) ||
		     !is_shown(text, (size_t)(stop - text))))
			return false;
	}
	return true;
}

static size_t skip_line(const char *raw, size_t size, size_t at)
{
	const char *stop = memchr(raw + at, '\n', size - at);

	return stop ? (size_t)(stop - raw) + 1 : size;
}

static size_t spaces_at(const char *raw, size_t size, size_t at)
{
	size_t count = 0;

	while (at + count < size && raw[at + count] == ' ')
		count++;
	return count;
}

/* A `>` whose lines all start in one column can be moved as it is. *ret_column: that column. */
static bool folds_evenly(const char *raw, size_t size, size_t *ret_column)
{
	size_t at = skip_line(raw, size, 0), column = spaces_at(raw, size, at);

	for (size_t i = 1; i < size && !strchr(" \t#\n", raw[i]); i++)
		if (raw[i] != '-')
			return false;
	for (; at < size; at = skip_line(raw, size, at)) {
		size_t spaces = spaces_at(raw, size, at);

		if (at + spaces >= size || raw[at + spaces] == '\n')
			continue;
		if (spaces != column || raw[at + spaces] == '\t')
			return false;
	}
	*ret_column = column;
	return true;
}

static enum shape shape_of(const struct writer *w, const struct gpc_node *node)
{
	size_t size, column;
	const char *raw = gpc_source_text(w->diags, node->place, &size);

	if (!size)
		return NOTHING;
	if (w->one_line || !memchr(raw, '\n', size) || has_odd_line_end(raw, size))
		return ONE_LINE;
	if (node->quoted && *raw == '|')
		return fits_block(node) ? LITERAL : ONE_LINE;
	if (node->quoted && *raw == '>')
		return fits_block(node) && folds_evenly(raw, size, &column) ? FOLDED : ONE_LINE;
	return *raw == '"' && memchr(raw, '\\', size) ? ONE_LINE : LINES;
}

static const char *spell_node(const struct writer *w, const struct gpc_node *node, bool in_brackets,
			      size_t *ret_size)
{
	return gpc_spell(w->arena,
			 &(struct gpc_spelling){node->scalar.text, node->scalar.size, node->quoted,
						in_brackets},
			 ret_size);
}

static const char *spell_key(const struct writer *w, const struct gpc_pair *pair, bool in_brackets,
			     size_t *ret_size)
{
	size_t size;
	const char *raw = gpc_source_text(w->diags, pair->key_place, &size);

	return gpc_spell(w->arena,
			 &(struct gpc_spelling){pair->key, pair->key_size,
						size && (*raw == '"' || *raw == '\''), in_brackets},
			 ret_size);
}

/* Its own lines, without the blanks around them. */
static void put_lines(struct writer *w, const struct gpc_element *element, size_t indent)
{
	size_t size;
	const char *raw = gpc_source_text(w->diags, element->node->place, &size);

	for (size_t at = 0, next; at < size; at = next) {
		size_t start = at, end = next = skip_line(raw, size, at);

		while (start < end && strchr(" \t\n", raw[start]))
			start++;
		while (end > start && strchr(" \t\n", raw[end - 1]))
			end--;
		if (at && start < end)
			put_spaces(w, indent);
		put(w, raw + start, end - start);
		if (next < size)
			end_line(w);
	}
	end_line_of(w, element);
}

static void put_block_line(struct writer *w, const char *text, size_t size, size_t indent)
{
	if (size)
		put_spaces(w, indent);
	put(w, text, size);
	end_line(w);
}

static void put_literal(struct writer *w, const struct gpc_element *element, size_t indent)
{
	const char *text = element->node->scalar.text, *end = text + element->node->scalar.size;

	put_text(w, end[-1] == '\n' ? "|" : "|-");
	end_line_of(w, element);
	for (const char *stop; text < end; text = stop + 1) {
		stop = memchr(text, '\n', (size_t)(end - text));
		stop = stop ? stop : end;
		put_block_line(w, text, (size_t)(stop - text), indent);
	}
}

static void put_folded(struct writer *w, const struct gpc_element *element, size_t indent)
{
	const struct gpc_node *node = element->node;
	size_t size, column = 0;
	const char *raw = gpc_source_text(w->diags, node->place, &size);

	folds_evenly(raw, size, &column);
	put_text(w, node->scalar.text[node->scalar.size - 1] == '\n' ? ">" : ">-");
	end_line_of(w, element);
	while (size && strchr(" \n", raw[size - 1]))
		size--;
	for (size_t at = skip_line(raw, size, 0), next; at < size; at = next) {
		size_t end = next = skip_line(raw, size, at);

		end -= raw[end - 1] == '\n';
		if (spaces_at(raw, end, at) == end - at)
			end_line(w);
		else
			put_block_line(w, raw + at + column, end - at - column, indent);
	}
}

static void put_scalar(struct writer *w, const struct gpc_element *element, size_t indent)
{
	enum shape shape = shape_of(w, element->node);
	const char *text;
	size_t size;

	if (shape != NOTHING)
		put(w, " ", 1);
	switch (shape) {
	case LINES:
		put_lines(w, element, indent + 2);
		return;
	case LITERAL:
		put_literal(w, element, indent + 2);
		return;
	case FOLDED:
		put_folded(w, element, indent + 2);
		return;
	case ONE_LINE:
		text = spell_node(w, element->node, false, &size);
		put(w, text, size);
		break;
	case NOTHING:
		break;
	}
	end_line_of(w, element);
	put_comments(w, element->tail.first, indent + 2);
}

/* ---- on one line, in brackets --------------------------------------------------------------- */

static bool put_flow(struct writer *w, const char *text, size_t size)
{
	if (size > FLOW_BYTES - w->flow_size)
		return false;
	memcpy(w->flow + w->flow_size, text, size);
	w->flow_size += size;
	return true;
}

static bool key_is_simple(const struct gpc_pair *pair)
{
	return pair->key_size <= LONGEST_KEY / 4 && !memchr(pair->key, '\n', pair->key_size);
}

static bool put_flow_key(struct writer *w, const struct gpc_pair *pair)
{
	const char *text;
	size_t size;

	if (!key_is_simple(pair))
		return false;
	text = spell_key(w, pair, true, &size);
	return put_flow(w, text, size) && put_flow(w, ": ", 2);
}

static bool put_flow_element(struct writer *w, const struct gpc_element *element)
{
	const struct gpc_node *node = element->node;
	bool list = node->kind == GPC_NODE_LIST;
	const char *text;
	size_t size;

	if (node->kind == GPC_NODE_SCALAR) {
		if (shape_of(w, node) != ONE_LINE || node->scalar.size > FLOW_BYTES)
			return false;
		text = spell_node(w, node, true, &size);
		return put_flow(w, text, size);
	}
	if (element->tail.first || !put_flow(w, list ? "[" : "{", 1))
		return false;
	for (size_t i = 0; i < element->children.n; i++) {
		const struct gpc_element *child = element->children.items[i];

		if (child->before.first || child->line.first || (i && !put_flow(w, ", ", 2)) ||
		    (!list && !put_flow_key(w, child->pair)) || !put_flow_element(w, child))
			return false;
	}
	return put_flow(w, list ? "]" : "}", 1);
}

/* Is the collection written on one line, which has `column` characters already? w->flow has it. */
static bool is_on_one_line(struct writer *w, const struct gpc_element *element, size_t column)
{
	if (!element->children.n) {
		memcpy(w->flow, element->node->kind == GPC_NODE_LIST ? "[]" : "{}", 2);
		w->flow_size = 2;
		return true;
	}
	w->flow_size = 0;
	return element->flow && put_flow_element(w, element) &&
	       column + gpc_utf8_count(w->flow, w->flow_size) <= GPC_FORMAT_WIDTH;
}

/* ---- elements ------------------------------------------------------------------------------- */

static void put_children(struct writer *w, const struct gpc_element *parent, size_t indent,
			 bool first_is_begun);

/* An item whose collection begins on the line of the dash. */
static bool is_hung(struct writer *w, const struct gpc_element *element, size_t indent)
{
	return !element->pair && element->node->kind != GPC_NODE_SCALAR &&
	       !is_on_one_line(w, element, indent + 2);
}

/* What belongs behind an element and finds no place there. */
static void put_surplus(struct writer *w, const struct gpc_element *element, size_t indent,
			bool hung)
{
	const struct gpc_comment *line = element->line.first;

	put_comments(w, line && !hung ? line->next : line, indent);
	if (element->node->kind != GPC_NODE_SCALAR && !element->children.n)
		put_comments(w, element->tail.first, indent);
}

/* All that stands on lines above an element; of an item, also what would come behind its dash. */
static void put_above(struct writer *w, const struct gpc_element *element, size_t indent)
{
	size_t inner = indent;
	bool hung = is_hung(w, element, inner);

	put_comments(w, element->before.first, indent);
	blank_line(w, element->blank);
	put_surplus(w, element, indent, hung);
	while (hung) {
		element = element->children.items[0];
		inner += 2;
		hung = is_hung(w, element, inner);
		put_comments(w, element->before.first, indent);
		put_surplus(w, element, indent, hung);
	}
	w->fresh = false;
}

static void put_key(struct writer *w, const struct gpc_pair *pair, size_t indent)
{
	size_t size;
	const char *text = spell_key(w, pair, false, &size);
	bool simple = key_is_simple(pair);

	if (!simple)
		put_text(w, "? ");
	put(w, text, size);
	if (!simple) {
		end_line(w);
		put_spaces(w, indent);
	}
	put(w, ":", 1);
}

static void put_collection(struct writer *w, const struct gpc_element *element, size_t indent)
{
	size_t column = gpc_utf8_count(w->out.items + w->line, w->out.n - w->line) + 1;

	if (is_on_one_line(w, element, column)) {
		put(w, " ", 1);
		put(w, w->flow, w->flow_size);
		end_line_of(w, element);
	} else if (element->pair) {
		end_line_of(w, element);
		w->fresh = true;
		put_children(w, element, indent + 2, false);
	} else {
		put(w, " ", 1);
		put_children(w, element, indent + 2, true);
	}
}

static void put_children(struct writer *w, const struct gpc_element *parent, size_t indent,
			 bool first_is_begun)
{
	for (size_t i = 0; i < parent->children.n; i++) {
		const struct gpc_element *child = parent->children.items[i];

		if (i || !first_is_begun) {
			put_above(w, child, indent);
			put_spaces(w, indent);
		}
		if (child->pair)
			put_key(w, child->pair, indent);
		else
			put(w, "-", 1);
		if (child->node->kind == GPC_NODE_SCALAR)
			put_scalar(w, child, indent);
		else
			put_collection(w, child, indent);
	}
	put_comments(w, parent->tail.first, indent);
}

/* ---- documents ------------------------------------------------------------------------------ */

static void put_root(struct writer *w, const struct gpc_element *root)
{
	const char *text;
	size_t size;

	if (root->children.n) {
		put_children(w, root, 0, false);
		return;
	}
	if (root->node->kind == GPC_NODE_SCALAR)
		text = spell_node(w, root->node, false, &size);
	else
		text = root->node->kind == GPC_NODE_LIST ? "[]" : "{}", size = 2;
	put(w, text, size);
	end_line(w);
	put_comments(w, root->tail.first, 0);
}

static void put_sheet(struct writer *w, const struct gpc_sheet *sheet)
{
	const struct gpc_element *root = sheet->root;

	w->fresh = true;
	put_comments(w, sheet->head.first, 0);
	if (!root)
		return;
	if (sheet->head.first)
		blank_line(w, sheet->blank || (root->children.n &&
					       root->children.items[0]->before.first));
	w->fresh = true;
	put_root(w, root);
	put_comments(w, root->line.first, 0);
}

struct gpc_written gpc_elements_write(struct gpc_diags *diags, const struct gpc_elements *elements,
				      bool one_line)
{
	struct writer w = {.diags = diags, .arena = diags->arena, .one_line = one_line};

	for (size_t i = 0; i < elements->count; i++) {
		if (i) {
			put_text(&w, "---");
			end_line(&w);
		}
		put_sheet(&w, &elements->sheets[i]);
	}
	return (struct gpc_written){w.out.items, w.out.n};
}
