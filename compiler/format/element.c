/* SPDX-License-Identifier: MIT */
#include "element.h"

#include <stdlib.h>
#include <string.h>

struct pending {
	struct gpc_comment *comment;
	uint32_t column;
	bool in_brackets;
};

struct reader {
	struct gpc_diags *diags;
	struct gpc_arena *arena;
	const struct gpc_source *source;
	size_t at;		  /* what stands before it was read */
	unsigned int brackets;	  /* open ones */
	struct gpc_sheet *sheet;
	bool at_head;		  /* the document's first element was not met yet */
	struct gpc_element *last; /* what a comment on this line belongs to */
	GPC_VEC(struct pending) pending; /* whose owner depends on what comes next */
	struct gpc_elements *elements;
};

const char *gpc_source_text(const struct gpc_diags *diags, struct gpc_place place, size_t *ret_size)
{
	*ret_size = place.end - place.start;
	return diags->sources.items[place.source].text + place.start;
}

size_t gpc_line_end(const char *text, size_t size)
{
	if (size && (*text == '\n' || *text == '\r'))
		return 1;
	if (size >= 2 && memcmp(text, "\xc2\x85", 2) == 0)
		return 2;
	if (size >= 3 && (memcmp(text, "\xe2\x80\xa8", 3) == 0 || memcmp(text, "\xe2\x80\xa9", 3) == 0))
		return 3;
	return 0;
}

/* ---- lines ---------------------------------------------------------------------------------- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static size_t skip_blanks_back(const struct reader *r, size_t at)
{
	while (at > 0 && is_blank(r->source->text[at - 1]))
		at--;
	return at;
}

/* Length of the line end that stands right before `at`; 0 if there is none. */
static size_t line_end_before(const struct reader *r, size_t at)
{
	for (size_t length = 1; length <= 3 && length <= at; length++)
		if (gpc_line_end(r->source->text + at - length, length) == length)
			return length;
	return 0;
}

static bool is_first_on_line(const struct reader *r, size_t at)
{
	at = skip_blanks_back(r, at);
	return at == 0 || line_end_before(r, at);
}

static bool follows_blank_line(const struct reader *r, size_t at)
{
	at = skip_blanks_back(r, at);
	if (at == 0 || !line_end_before(r, at))
		return false;
	at -= line_end_before(r, at);
	return is_first_on_line(r, at);
}

static uint32_t column_of(const struct reader *r, size_t at)
{
	const uint32_t *lines = r->source->lines;
	size_t low = 0, high = r->source->line_count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (lines[middle] <= at)
			low = middle;
		else
			high = middle;
	}
	return (uint32_t)at - lines[low];
}

/* ---- comments ------------------------------------------------------------------------------- */

static void append(struct gpc_comments *comments, struct gpc_comment *comment)
{
	comment->next = NULL;
	if (comments->last)
		comments->last->next = comment;
	else
		comments->first = comment;
	comments->last = comment;
}

static void count_comment(struct reader *r, const struct gpc_comment *comment)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < comment->size; i++)
		hash = (hash ^ (unsigned char)comment->text[i]) * UINT64_C(0x100000001b3);
	r->elements->comments++;
	r->elements->comments_sum += hash;
}

/* Takes the comment that starts at r->at. */
static void take_comment(struct reader *r)
{
	const char *text = r->source->text;
	size_t start = r->at, end = start;
	struct gpc_comment *comment = GPC_NEW(r->arena, struct gpc_comment);

	while (end < r->source->size && !gpc_line_end(text + end, r->source->size - end))
		end++;
	r->at = end;
	while (is_blank(text[end - 1]))
		end--;
	comment->text = text + start;
	comment->size = end - start;
	count_comment(r, comment);
	if (r->last && !is_first_on_line(r, start)) {
		append(&r->last->line, comment);
		return;
	}
	comment->blank = follows_blank_line(r, start);
	*GPC_PUSH(r->arena, &r->pending) =
		(struct pending){comment, column_of(r, start), r->brackets > 0};
}

static const struct gpc_element *block_child(const struct gpc_element *element)
{
	return element->children.n && !element->flow ? element->children.items[0] : NULL;
}

/* Is there room for a comment of this column behind the last child, before what starts at `next`? */
static bool takes_tail(const struct gpc_element *element, uint32_t column, int64_t next)
{
	const struct gpc_element *child = block_child(element);

	if (child)
		return child->column <= column && child->column > next;
	return element->pair && element->node && element->node->kind == GPC_NODE_SCALAR &&
	       element->node->place.start == element->node->place.end &&
	       element->column < column && element->column >= next;
}

/*
 * The innermost one with such room. A list may start in the column of its key: behind a blank line the
 * comment is then rather the mapping's.
 */
static struct gpc_element *find_tail(struct gpc_element *from, const struct pending *pending,
				     int64_t next)
{
	struct gpc_element *found;

	while (from && !takes_tail(from, pending->column, next))
		from = from->parent;
	found = from;
	while (pending->comment->blank && from) {
		const struct gpc_element *child = block_child(from);

		if (child && child->column == pending->column &&
		    takes_tail(from, pending->column, next))
			found = from;
		from = from->parent;
	}
	return found;
}

/* The pending comments stand before `next`. */
static void settle(struct reader *r, struct gpc_element *next)
{
	struct gpc_element *from = r->last, *tail;
	bool before = false;

	for (size_t i = 0; i < r->pending.n; i++) {
		const struct pending *pending = &r->pending.items[i];

		tail = NULL;
		if (!pending->in_brackets && !before)
			tail = find_tail(from, pending, next->column);
		before = !tail;
		from = tail ? tail : from;
		if (r->at_head)
			append(&r->sheet->head, pending->comment);
		else
			append(tail ? &tail->tail : &next->before, pending->comment);
	}
	r->pending.n = 0;
}

/* The pending comments stand at the end of the document. */
static void settle_end(struct reader *r)
{
	struct gpc_element *from = r->last, *tail;

	for (size_t i = 0; i < r->pending.n; i++) {
		const struct pending *pending = &r->pending.items[i];

		tail = find_tail(from, pending, -1);
		from = tail ? tail : r->sheet->root;
		append(from ? &from->tail : &r->sheet->head, pending->comment);
	}
	r->pending.n = 0;
}

/* ---- between scalars ------------------------------------------------------------------------ */

/* Reads up to `end`, or to a character of `stops` that is no part of a comment. */
static void advance(struct reader *r, size_t end, const char *stops)
{
	while (r->at < end) {
		char c = r->source->text[r->at];

		if (c == '#')
			take_comment(r);
		else if (c && strchr(stops, c))
			return;
		else
			r->at++;
	}
}

static struct gpc_element *begin(struct reader *r, struct gpc_element *parent, size_t at)
{
	struct gpc_element *element = GPC_NEW(r->arena, struct gpc_element);

	element->parent = parent;
	element->column = column_of(r, at);
	element->blank = follows_blank_line(r, at);
	settle(r, element);
	if (r->at_head) {
		r->sheet->blank = element->blank;
		element->blank = false;
	}
	r->at_head = false;
	r->last = element;
	*GPC_PUSH(r->arena, &parent->children) = element;
	return element;
}

/* ---- the tree ------------------------------------------------------------------------------- */

static void read_node(struct reader *r, struct gpc_element *element, const struct gpc_node *node,
		      const struct gpc_object_info *info);

static void read_scalar(struct reader *r, struct gpc_element *element, struct gpc_place place)
{
	char first;

	if (place.start == place.end)
		return;
	advance(r, place.start, "");
	settle(r, element);
	first = r->source->text[place.start];
	r->last = element;
	if ((first == '|' || first == '>') && element->node->quoted) {
		r->at = place.start;
		while (r->at < place.end && r->source->text[r->at] != '#' &&
		       !gpc_line_end(r->source->text + r->at, place.end - r->at))
			r->at++;
		if (r->source->text[r->at] == '#' && r->at < place.end)
			take_comment(r);
	}
	r->at = place.end;
}

/* What a mapping that is the value of `pair` is bound to; NULL: nothing whose keys are known. */
static const struct gpc_object_info *info_below(const struct gpc_object_info *info,
						const struct gpc_pair *pair)
{
	const struct gpc_key *key = info ? gpc_key_find(info, pair->key) : NULL;

	if (!key)
		return NULL;
	switch (key->type) {
	case GPC_TYPE_OBJECT:
	case GPC_TYPE_OBJECTS:
	case GPC_TYPE_ITEMS:
	case GPC_TYPE_HEALTH:
	case GPC_TYPE_LOG:
		return gpc_object_info(key->object);
	default:
		return NULL;
	}
}

struct ranked {
	struct gpc_element *element;
	size_t rank, position;
};

static int compare_ranks(const void *left, const void *right)
{
	const struct ranked *a = left, *b = right;

	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	return (a->position > b->position) - (a->position < b->position);
}

static size_t rank_of(const struct gpc_object_info *info, const char *name)
{
	const struct gpc_key *key = gpc_key_find(info, name);

	if (key)
		return 2 * (size_t)(key - info->keys);
	return strcmp(name, "$delete") ? SIZE_MAX : 1;
}

static void sort_pairs(struct reader *r, struct gpc_element *map,
		       const struct gpc_object_info *info)
{
	struct ranked *ranked = GPC_NEW_ARRAY(r->arena, struct ranked, map->children.n);

	for (size_t i = 0; i < map->children.n; i++) {
		struct gpc_element *child = map->children.items[i];

		ranked[i] = (struct ranked){child, rank_of(info, child->pair->key), i};
	}
	qsort(ranked, map->children.n, sizeof(*ranked), compare_ranks);
	for (size_t i = 0; i < map->children.n; i++)
		map->children.items[i] = ranked[i].element;
}

/* `? key` starts at its question mark. */
static size_t start_of(const struct reader *r, const struct gpc_pair *pair)
{
	size_t back = skip_blanks_back(r, pair->key_place.start);

	return back > r->at && r->source->text[back - 1] == '?' ? back - 1 : pair->key_place.start;
}

static void read_map(struct reader *r, struct gpc_element *map, const struct gpc_object_info *info)
{
	for (size_t i = 0; i < map->node->map.count; i++) {
		const struct gpc_pair *pair = &map->node->map.pairs[i];
		size_t start = start_of(r, pair);
		struct gpc_element *child;

		advance(r, start, "");
		child = begin(r, map, start);
		child->pair = pair;
		if (pair->key_place.end > r->at)
			r->at = pair->key_place.end;
		read_node(r, child, pair->value, info_below(info, pair));
	}
}

static void read_list(struct reader *r, struct gpc_element *list,
		      const struct gpc_object_info *info)
{
	for (size_t i = 0; i < list->node->list.count; i++) {
		const struct gpc_node *item = list->node->list.items[i];
		struct gpc_element *child;

		if (list->flow)
			advance(r, item->place.start, "");
		else
			advance(r, r->source->size, "-");
		child = begin(r, list, r->at);
		r->at += !list->flow && r->at < r->source->size;
		read_node(r, child, item, info);
	}
}

static bool is_bracketed(const struct reader *r, const struct gpc_node *node)
{
	char c = node->place.start < r->source->size ? r->source->text[node->place.start] : '\0';

	return c == (node->kind == GPC_NODE_MAP ? '{' : '[');
}

static void open_bracket(struct reader *r, struct gpc_element *element)
{
	advance(r, element->node->place.start, "");
	settle(r, element);
	r->at = element->node->place.start + 1;
	r->brackets++;
}

static void close_bracket(struct reader *r, struct gpc_element *element)
{
	advance(r, r->source->size, element->node->kind == GPC_NODE_MAP ? "}" : "]");
	for (size_t i = 0; i < r->pending.n; i++)
		append(r->at_head ? &r->sheet->head : &element->tail, r->pending.items[i].comment);
	r->pending.n = 0;
	r->brackets--;
	r->at++;
	r->last = element;
}

/* A pair in a list in brackets is a mapping without brackets of its own: `[a: b]`. */
static void read_node(struct reader *r, struct gpc_element *element, const struct gpc_node *node,
		      const struct gpc_object_info *info)
{
	bool bracketed;

	element->node = node;
	if (node->kind == GPC_NODE_SCALAR) {
		read_scalar(r, element, node->place);
		return;
	}
	bracketed = is_bracketed(r, node);
	if (bracketed)
		open_bracket(r, element);
	element->flow = r->brackets > 0;
	if (node->kind == GPC_NODE_LIST)
		read_list(r, element, info);
	else
		read_map(r, element, info);
	if (node->kind == GPC_NODE_MAP && info)
		sort_pairs(r, element, info);
	if (bracketed)
		close_bracket(r, element);
}

/* ---- documents ------------------------------------------------------------------------------ */

/* `---` or `...` at the start of a line. */
static bool is_marker(const struct reader *r, size_t at)
{
	const char *text = r->source->text + at;
	size_t left = r->source->size - at;

	return left >= 3 && (at == 0 || line_end_before(r, at)) &&
	       (memcmp(text, "---", 3) == 0 || memcmp(text, "...", 3) == 0) &&
	       (left == 3 || is_blank(text[3]) || gpc_line_end(text + 3, left - 3));
}

/* The rest of a document whose root was read, then what stands before the next one, up to `end`. */
static void read_between(struct reader *r, struct gpc_sheet *next, size_t end)
{
	while (r->at < end) {
		advance(r, end, "-.");
		if (r->at >= end)
			break;
		if (!is_marker(r, r->at)) {
			r->at++;
			continue;
		}
		if (r->sheet != next) {
			settle_end(r);
			r->sheet = next ? next : r->sheet;
		}
		r->last = next ? NULL : r->sheet->root;
		r->at += 3;
	}
}

static void read_document(struct reader *r, const struct gpc_node *root)
{
	struct gpc_element *element = GPC_NEW(r->arena, struct gpc_element);

	r->sheet->root = element;
	r->at_head = true;
	read_node(r, element, root, gpc_object_info(GPC_OBJECT_document));
	r->at_head = false;
}

void gpc_elements_read(struct gpc_diags *diags, uint32_t source,
		       const struct gpc_documents *documents, struct gpc_elements *ret)
{
	size_t count = documents->count ? documents->count : 1;
	struct reader r = {
		.diags = diags,
		.arena = diags->arena,
		.source = &diags->sources.items[source],
		.elements = ret,
	};

	*ret = (struct gpc_elements){
		.sheets = GPC_NEW_ARRAY(diags->arena, struct gpc_sheet, count),
		.count = count,
	};
	r.sheet = &ret->sheets[0];
	for (size_t i = 0; i < documents->count; i++) {
		read_between(&r, &ret->sheets[i], documents->roots[i]->place.start);
		read_document(&r, documents->roots[i]);
	}
	read_between(&r, NULL, r.source->size);
	settle_end(&r);
}
