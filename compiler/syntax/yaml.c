/* SPDX-License-Identifier: MIT */
#include "yaml.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "../base/utf8.h"
#include "gpc/limits.h"
#include "keys.h"
#include "problem.h"
#include "text.h"

/* A collection whose end has not come yet. Its children lie on the reader's stacks from `base` on.
 */
struct frame {
	struct gpc_node *node;
	size_t base;
	bool key_is_next; /* map */
};

/* Documents have few different keys: each is kept once, as long as none with its hash comes
 * between. */
#define KNOWN_KEYS 64u
struct known_key {
	const char *text;
	size_t size;
};

#define TEXT_BYTES (32u * 1024) /* texts lie close together in pieces of this size */

struct reader {
	struct gpc_diags *diags;
	struct gpc_arena *tree;
	char *text;	  /* where the next text goes, */
	size_t text_left; /* and room for it */
	struct known_key known[KNOWN_KEYS];
	struct gpc_arena scratch; /* the stacks, for one source */
	yaml_parser_t parser;
	uint32_t number;
	const struct gpc_source *source;
	bool ascii;
	size_t cursor_index, cursor_byte; /* a character's number and its offset */
	struct frame frames[GPC_MAX_DEPTH];
	unsigned int depth;
	struct gpc_node *root;
	GPC_VEC(struct gpc_pair) pairs;
	GPC_VEC(struct gpc_node *) items;
	GPC_VEC(struct gpc_node *) roots;
};

/* ---- places --------------------------------------------------------------------------------- */

/* libyaml counts characters. Marks hardly ever go back, so stepping from the last one is linear. */
static uint32_t byte_of(struct reader *reader, const yaml_mark_t *mark)
{
	const char *text = reader->source->text;

	if (reader->ascii)
		return (uint32_t)mark->index;
	while (reader->cursor_index < mark->index && reader->cursor_byte < reader->source->size) {
		reader->cursor_byte++;
		while (gpc_utf8_is_continuation(text[reader->cursor_byte]))
			reader->cursor_byte++;
		reader->cursor_index++;
	}
	while (reader->cursor_index > mark->index) {
		reader->cursor_byte--;
		while (gpc_utf8_is_continuation(text[reader->cursor_byte]))
			reader->cursor_byte--;
		reader->cursor_index--;
	}
	return (uint32_t)reader->cursor_byte;
}

static struct gpc_place event_place(struct reader *reader, const yaml_event_t *event)
{
	uint32_t start = byte_of(reader, &event->start_mark);

	return (struct gpc_place){reader->number, start, byte_of(reader, &event->end_mark)};
}

/* A collection is shown by its first line. */
static void close_place(struct reader *reader, struct gpc_place *place, const yaml_event_t *event)
{
	const char *text = reader->source->text;
	uint32_t end = byte_of(reader, &event->end_mark);
	const char *line_end = memchr(text + place->start, '\n', end - place->start);

	if (line_end)
		end = (uint32_t)(line_end - text);
	while (end > place->start + 1 && strchr(" \t\r", text[end - 1]))
		end--;
	place->end = end;
}

static struct gpc_place character_at(struct reader *reader, const yaml_mark_t *mark)
{
	uint32_t start = byte_of(reader, mark);
	const yaml_mark_t next = {.index = mark->index + 1};

	return (struct gpc_place){reader->number, start,
				  start < reader->source->size ? byte_of(reader, &next) : start};
}

/* ---- building the tree ---------------------------------------------------------------------- */

static bool expects_key(const struct reader *reader)
{
	return reader->depth && reader->frames[reader->depth - 1].key_is_next;
}

static bool count_node(struct reader *reader, struct gpc_place place)
{
	if (++reader->diags->nodes <= GPC_MAX_NODES)
		return true;
	gpc_diag(reader->diags, GPC_E0016, place, "more than %u keys and values in all files",
		 GPC_MAX_NODES);
	return false;
}

static struct gpc_node *new_node(struct reader *reader, enum gpc_node_kind kind,
				 struct gpc_place place)
{
	struct gpc_node *node = GPC_NEW(reader->tree, struct gpc_node);

	node->kind = kind;
	node->place = place;
	return node;
}

static const char *keep_text(struct reader *reader, const char *text, size_t size)
{
	char *kept = reader->text;

	if (size >= TEXT_BYTES / 4)
		return gpc_arena_strndup(reader->diags->arena, text, size);
	if (size >= reader->text_left) {
		kept = gpc_arena_alloc(reader->diags->arena, TEXT_BYTES);
		reader->text_left = TEXT_BYTES;
	}
	if (size)
		memcpy(kept, text, size);
	kept[size] = '\0';
	reader->text = kept + size + 1;
	reader->text_left -= size + 1;
	return kept;
}

static const char *keep_key(struct reader *reader, const char *text, size_t size)
{
	unsigned int hash = size ? (unsigned int)(size * 7 + (unsigned char)text[0] * 31 +
						  (unsigned char)text[size - 1])
				 : 0;
	struct known_key *known = &reader->known[hash % KNOWN_KEYS];

	if (!known->text || known->size != size || memcmp(known->text, text, size) != 0)
		*known = (struct known_key){keep_text(reader, text, size), size};
	return known->text;
}

/* Hands a complete node, or a collection that has just begun, to what stands around it. */
static void attach(struct reader *reader, struct gpc_node *node)
{
	struct frame *frame = reader->depth ? &reader->frames[reader->depth - 1] : NULL;

	if (!frame) {
		reader->root = node;
	} else if (frame->node->kind == GPC_NODE_LIST) {
		*GPC_PUSH(&reader->scratch, &reader->items) = node;
	} else {
		reader->pairs.items[reader->pairs.n - 1].value = node;
		frame->key_is_next = true;
	}
}

static void add_key(struct reader *reader, const yaml_event_t *event, struct gpc_place place)
{
	const char *text = (const char *)event->data.scalar.value;
	size_t size = event->data.scalar.length;
	struct gpc_diag *diag;

	if (size == 2 && event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	    memcmp(text, "<<", 2) == 0) {
		diag = gpc_diag(reader->diags, GPC_E0010, place, "merge key `<<` is not used here");
		gpc_diag_hint(reader->diags, diag,
			      "write the keys out, or put them into an overlay");
	}
	*GPC_PUSH(&reader->scratch, &reader->pairs) = (struct gpc_pair){
		.key = keep_key(reader, text, size),
		.key_size = (uint32_t)size,
		.key_place = place,
	};
	reader->frames[reader->depth - 1].key_is_next = false;
}

/* False with an error for a scalar past the limit or with a NUL in it. */
static bool check_scalar(struct reader *reader, const yaml_event_t *event, struct gpc_place place)
{
	size_t size = event->data.scalar.length;

	if (size > GPC_MAX_SCALAR_BYTES)
		gpc_diag(reader->diags, GPC_E0017, place, "value of %zu bytes is longer than %u",
			 size, GPC_MAX_SCALAR_BYTES);
	else if (memchr(event->data.scalar.value, 0, size))
		gpc_diag(reader->diags, GPC_E0006, place, "escaped NUL in a text");
	else
		return true;
	return false;
}

static void on_scalar(struct reader *reader, yaml_event_t *event, struct gpc_place place)
{
	struct gpc_node *node;

	if (!check_scalar(reader, event, place))
		event->data.scalar.length = 0;
	if (expects_key(reader)) {
		add_key(reader, event, place);
		return;
	}
	node = new_node(reader, GPC_NODE_SCALAR, place);
	node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	node->scalar.size = event->data.scalar.length;
	node->scalar.text =
		keep_text(reader, (const char *)event->data.scalar.value, node->scalar.size);
	attach(reader, node);
}

static bool on_start(struct reader *reader, enum gpc_node_kind kind, struct gpc_place place)
{
	struct gpc_node *node;
	struct gpc_diag *diag;

	if (expects_key(reader)) {
		diag = gpc_diag(reader->diags, GPC_E0014, place, "key is a %s, not a word",
				kind == GPC_NODE_MAP ? "mapping" : "list");
		gpc_diag_hint(reader->diags, diag, "quote a value that starts with `{` or `[`");
		return false;
	}
	if (reader->depth == GPC_MAX_DEPTH) {
		gpc_diag(reader->diags, GPC_E0015, place, "nested deeper than %u levels",
			 GPC_MAX_DEPTH);
		return false;
	}
	node = new_node(reader, kind, place);
	attach(reader, node);
	reader->frames[reader->depth++] = (struct frame){
		.node = node,
		.base = kind == GPC_NODE_MAP ? reader->pairs.n : reader->items.n,
		.key_is_next = kind == GPC_NODE_MAP,
	};
	return true;
}

static void report_duplicate(void *context, const struct gpc_pair *first,
			     const struct gpc_pair *again)
{
	struct gpc_diags *diags = context;
	struct gpc_diag *diag = gpc_diag(diags, GPC_E0013, again->key_place,
					 "key `%.60s` is written twice", again->key);

	gpc_diag_place(diag, first->key_place, "first written here");
}

/* The top `count` items of a stack, from `base` on, as an array of their own. */
static void *take(struct gpc_arena *arena, const void *stack, size_t base, size_t count,
		  size_t item_size)
{
	void *own = gpc_arena_calloc(arena, count, item_size);

	if (count)
		memcpy(own, (const char *)stack + base * item_size, count * item_size);
	return own;
}

static void on_end(struct reader *reader, const yaml_event_t *event)
{
	struct frame *frame = &reader->frames[--reader->depth];
	struct gpc_arena *arena = reader->tree;
	struct gpc_node *node = frame->node;

	close_place(reader, &node->place, event);
	if (node->kind == GPC_NODE_LIST) {
		node->list.count = reader->items.n - frame->base;
		node->list.items = take(arena, reader->items.items, frame->base, node->list.count,
					sizeof(*node->list.items));
		reader->items.n = frame->base;
		return;
	}
	node->map.count = reader->pairs.n - frame->base;
	node->map.pairs = take(arena, reader->pairs.items, frame->base, node->map.count,
			       sizeof(*node->map.pairs));
	reader->pairs.n = frame->base;
	node->map.count = gpc_keys_unite(&reader->scratch, node->map.pairs, node->map.count,
					 report_duplicate, reader->diags);
}

/* ---- what is not used ----------------------------------------------------------------------- */

static void refuse_properties(struct reader *reader, const yaml_char_t *anchor,
			      const yaml_char_t *tag, struct gpc_place place)
{
	struct gpc_diag *diag;

	if (anchor) {
		diag = gpc_diag(reader->diags, GPC_E0008, place, "anchor `&%.60s` is not used here",
				(const char *)anchor);
		gpc_diag_hint(reader->diags, diag,
			      "name the value under `values` and write `${name}`");
	}
	if (tag) {
		diag = gpc_diag(reader->diags, GPC_E0011, place, "tag is not used here");
		gpc_diag_hint(reader->diags, diag,
			      "remove the tag, or quote a text that starts with `!`");
	}
}

static void on_alias(struct reader *reader, const yaml_event_t *event, struct gpc_place place)
{
	struct gpc_diag *diag =
		gpc_diag(reader->diags, GPC_E0009, place, "alias `*%.60s` is not used here",
			 (const char *)event->data.alias.anchor);
	yaml_event_t empty = {.type = YAML_SCALAR_EVENT};

	gpc_diag_hint(reader->diags, diag, "quote a text that starts with `*`");
	empty.data.scalar.value = (yaml_char_t *)"";
	on_scalar(reader, &empty, place);
}

/* ---- the loop ------------------------------------------------------------------------------- */

static void end_document(struct reader *reader)
{
	struct gpc_node *root = reader->root;

	reader->root = NULL;
	if (root && (root->kind != GPC_NODE_SCALAR || root->quoted || root->scalar.size))
		*GPC_PUSH(reader->tree, &reader->roots) = root;
}

/* False ends the reading: an error was added behind which no sense can be made. */
static bool on_event(struct reader *reader, yaml_event_t *event)
{
	struct gpc_place place;

	switch (event->type) {
	case YAML_DOCUMENT_END_EVENT:
		end_document(reader);
		return true;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		on_end(reader, event);
		return true;
	case YAML_ALIAS_EVENT:
	case YAML_SCALAR_EVENT:
	case YAML_SEQUENCE_START_EVENT:
	case YAML_MAPPING_START_EVENT:
		break;
	default:
		return true;
	}
	place = event_place(reader, event);
	if (!count_node(reader, place))
		return false;
	switch (event->type) {
	case YAML_ALIAS_EVENT:
		on_alias(reader, event, place);
		return true;
	case YAML_SCALAR_EVENT:
		refuse_properties(reader, event->data.scalar.anchor, event->data.scalar.tag, place);
		on_scalar(reader, event, place);
		return true;
	case YAML_SEQUENCE_START_EVENT:
		refuse_properties(reader, event->data.sequence_start.anchor,
				  event->data.sequence_start.tag, place);
		return on_start(reader, GPC_NODE_LIST, place);
	default:
		refuse_properties(reader, event->data.mapping_start.anchor,
				  event->data.mapping_start.tag, place);
		return on_start(reader, GPC_NODE_MAP, place);
	}
}

static void report_problem(struct reader *reader)
{
	const yaml_parser_t *parser = &reader->parser;

	gpc_yaml_problem_report(
		reader->diags,
		&(struct gpc_yaml_problem){
			.problem = parser->problem ? parser->problem : "unknown problem",
			.context = parser->context,
			.at = character_at(reader, &parser->problem_mark),
			.context_at = parser->context ? character_at(reader, &parser->context_mark)
						      : GPC_NOWHERE,
		});
}

static void read_events(struct reader *reader)
{
	yaml_event_type_t type = YAML_NO_EVENT;
	bool more = true;

	while (more && type != YAML_STREAM_END_EVENT) {
		yaml_event_t event;

		if (!yaml_parser_parse(&reader->parser, &event)) {
			report_problem(reader);
			return;
		}
		type = event.type;
		more = on_event(reader, &event);
		yaml_event_delete(&event);
	}
}

bool gpc_yaml_parse(struct gpc_diags *diags, struct gpc_arena *tree, uint32_t number,
		    struct gpc_documents *ret_documents)
{
	struct reader reader = {.diags = diags, .tree = tree, .number = number};
	size_t errors = diags->errors;

	assert(number < diags->sources.n);
	*ret_documents = (struct gpc_documents){0};
	reader.source = &diags->sources.items[number];
	if (!gpc_text_check(diags, number, &reader.ascii) ||
	    !gpc_text_check_directives(diags, number))
		return false;
	if (!yaml_parser_initialize(&reader.parser))
		gpc_arena_exhausted();
	yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&reader.parser, (const unsigned char *)reader.source->text,
				     reader.source->size);
	read_events(&reader);
	yaml_parser_delete(&reader.parser);
	gpc_arena_release(&reader.scratch);
	ret_documents->roots = reader.roots.items;
	ret_documents->count = reader.roots.n;
	return diags->errors == errors;
}
