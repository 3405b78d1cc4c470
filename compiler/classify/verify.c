/* SPDX-License-Identifier: MIT */
#include "verify.h"

#include <stdbool.h>
#include <string.h>

#include "gpc/lookup/classify.h"
#include "words.h"

#define UNITS 4u	/* words that an offset of a trie entry counts */
#define IN_PROGRESS 255u
#define WINDOW_TAG 0x100u
#define BLOCK_TAG 0x200u
#define KNOWN_NODES (1u << 31)	/* in `tables`: two nodes of a cell's tree stand there; with their height */
#define KNOWN_FLAGS                                                                                \
	(GPC_CLASSIFIER_INDIRECT_SOURCE | GPC_CLASSIFIER_INDIRECT_DESTINATION |                    \
	 GPC_CLASSIFIER_RANGES | GPC_CLASSIFIER_MATCH | GPC_CLASSIFIER_L4)

struct check {
	const struct gpc_classified_view *v;
	const struct gpc_classifier *c;
	uint32_t limit;		/* of positions */
	uint32_t classes;	/* of the side */
	bool wide;
	uint16_t *nodes;	/* by unit: tag | height of the branch that stands there */
	uint64_t steps;		/* left; more would be needed only by what overlaps itself */
	uint32_t *tables;	/* by word: 1 + how many ranks the table of a cell has that stands there, or
				 * how many positions were checked */
	const char *wrong;
};

static bool refuse(struct check *c, const char *what)
{
	c->wrong = what;
	return false;
}

static bool inside(const struct check *c, uint64_t offset, uint64_t count)
{
	return offset >= GPC_WORDS_BASE && count <= c->v->word_count &&
	       offset - GPC_WORDS_BASE <= c->v->word_count - count;
}

static uint32_t word(const struct check *c, uint64_t offset)
{
	return c->v->words[offset - GPC_WORDS_BASE];
}

static uint32_t half(const struct check *c, uint64_t offset)
{
	return word(c, offset / 2) >> offset % 2 * 16 & 0xffff;
}

static bool halves_inside(const struct check *c, uint64_t offset, uint64_t count)
{
	return inside(c, offset / 2, (offset % 2 + count + 1) / 2);
}

static bool step(struct check *c)
{
	if (!c->steps)
		return refuse(c, "tables overlap");
	c->steps--;
	return true;
}

/* ---- tries ---- */

static bool check_piece(struct check *c, uint32_t entry, uint32_t at)
{
	bool full = entry >> GPC_TRIE_KIND_SHIFT & 1;
	uint32_t keys = full ? 8 : 4, count = full ? GPC_PIECE_FULL : GPC_PIECE_HALF;

	if (at % 8 || !inside(c, at, full || c->wide ? 16 : 8) ||
	    !inside(c, at, keys + (c->wide ? count : (count + 1) / 2)))
		return refuse(c, "a piece of a trie lies outside of the words");
	for (uint32_t i = 0; i < count; i++)
		if ((c->wide ? word(c, at + keys + i) : half(c, 2ull * (at + keys) + i)) >= c->classes)
			return refuse(c, "a piece of a trie names a class that is not there");
	return true;
}

static bool check_entry(struct check *c, uint32_t entry, bool v6, uint32_t depth, uint32_t *height);

static bool check_entries(struct check *c, uint32_t first, uint32_t count, bool v6, uint32_t depth,
			  uint32_t *height)
{
	if (!inside(c, first, count))
		return refuse(c, "a branch of a trie lies outside of the words");
	for (uint32_t i = 0; i < count; i++)
		if (!step(c) || !check_entry(c, word(c, first + i), v6, depth, height))
			return false;
	return true;
}

/* Entries of the branch at `at`; each branch is entered once. */
static bool check_branch(struct check *c, uint32_t at, uint32_t tag, uint32_t first, uint32_t count,
			 uint32_t depth, uint32_t *height)
{
	uint32_t own = 0;
	uint16_t *node;

	if (!inside(c, at, 1))
		return refuse(c, "a branch of a trie lies outside of the words");
	node = &c->nodes[at / UNITS - GPC_WORDS_BASE / UNITS];
	if (*node && (*node & ~255u) != tag)
		return refuse(c, "a branch of a trie is two things at once");
	if ((*node & 255) == IN_PROGRESS)
		return refuse(c, "a trie does not end");
	if (!*node) {
		*node = (uint16_t)(tag | IN_PROGRESS);
		if (!check_entries(c, first, count, tag & WINDOW_TAG, depth + 1, &own))
			return false;
		*node = (uint16_t)(tag | own);
	}
	own = (*node & 255) + 1;
	if (own + depth > ((tag & WINDOW_TAG) ? GPC_TRIE6_STEPS : GPC_TRIE4_STEPS))
		return refuse(c, "a trie is too deep");
	*height = own > *height ? own : *height;
	return true;
}

static bool check_window(struct check *c, uint32_t at, uint32_t depth, uint32_t *height)
{
	uint32_t bits;

	if (!inside(c, at, GPC_WINDOW_HEAD))
		return refuse(c, "a branch of a trie lies outside of the words");
	bits = word(c, at + 2) >> 8 & 31;
	if ((word(c, at + 2) & 63) + bits > 64)
		return refuse(c, "a window of a trie is wider than an address");
	return check_branch(c, at, WINDOW_TAG | bits << 10, at + GPC_WINDOW_HEAD, (1u << bits) + 2, depth,
			    height);
}

static bool check_entry(struct check *c, uint32_t entry, bool v6, uint32_t depth, uint32_t *height)
{
	uint32_t at = (entry & GPC_TRIE_OFFSET) * UNITS, bits;

	if (entry & GPC_TRIE_LEAF)
		return (entry & GPC_TRIE_CLASS) < c->classes ||
		       refuse(c, "a trie names a class that is not there");
	if (!gpc_entry_branches(entry))
		return check_piece(c, entry, at);
	if (depth > GPC_TRIE6_STEPS)
		return refuse(c, "a trie is too deep");
	if (v6)
		return check_window(c, at, depth, height);
	if (entry >> GPC_TRIE_KIND_SHIFT != GPC_TRIE_BRANCH)
		return refuse(c, "a trie of IPv4 has a branch of IPv6");
	bits = (entry >> GPC_TRIE_ARGUMENT_SHIFT & 7) + 1;
	return check_branch(c, at, BLOCK_TAG | bits << 10, at, 1u << bits, depth, height);
}

static bool check_side(struct check *c, int side)
{
	const struct gpc_tries *tries = c->v->tries;
	size_t units = c->v->word_count / UNITS + 2;
	uint32_t height = 0;

	if (tries->wide[side] > 1 || !tries->classes[side] || tries->classes[side] > GPC_TRIE_CLASS)
		return refuse(c, "a trie has no classes");
	c->wide = tries->wide[side];
	c->classes = tries->classes[side];
	c->steps = 2 * c->v->word_count + (1u << 17);
	memset(c->nodes, 0, units * sizeof(*c->nodes));
	return check_entries(c, tries->root4[side], 1u << 16, false, 0, &height) &&
	       (tries->root6[side] % UNITS == 0 || refuse(c, "a trie begins between two units")) &&
	       check_window(c, tries->root6[side], 0, &height);
}

/* ---- classifiers ---- */

static bool check_position(struct check *c, uint32_t position)
{
	return position < c->limit || refuse(c, "a cell names a position beyond the list");
}

static bool check_name(struct check *c, uint32_t name)
{
	uint64_t record = c->c->ranges + 4ull * name;

	if (!(c->c->flags & GPC_CLASSIFIER_RANGES)) {
		if (name >> GPC_NAME_SPEC_SHIFT >= 32ull * c->c->bit_words)
			return refuse(c, "a cell names a service that is not there");
		return name == GPC_NAME_NONE || check_position(c, name & GPC_NAME_POSITION);
	}
	if (!inside(c, record, 4) || !inside(c, (uint64_t)c->c->range_match + name, 1))
		return refuse(c, "a range record lies outside of the words");
	return !name || check_position(c, word(c, record + 1) >> (GPC_FIELDS_POSITION - 32));
}

static bool check_names(struct check *c, uint32_t first, uint32_t count)
{
	if (count && !inside(c, first, count))
		return refuse(c, "names of a cell lie outside of the words");
	for (uint32_t i = 0; i < count; i++)
		if (!step(c) || !check_name(c, word(c, first + i)))
			return false;
	return true;
}

/* A node of a tree; the two behind it are read once. */
static bool check_node(struct check *c, uint32_t test, uint32_t next, uint32_t depth, uint32_t *ret_height)
{
	uint32_t *known, count = test & ~GPC_TREE_LEAF, height[2];

	*ret_height = 0;
	if (test & GPC_TREE_LEAF)
		return count <= GPC_RANGE_LIST_MAX ? check_names(c, next, count) :
						     refuse(c, "a leaf of a cell's tree has too many names");
	if (!step(c) || !inside(c, next, 4))
		return refuse(c, "a cell's tree lies outside of the words");
	known = &c->tables[next - GPC_WORDS_BASE];
	if (!(*known & KNOWN_NODES)) {
		for (uint32_t i = 0; i < 2; i++)
			if (depth == GPC_TREE_STEPS ||
			    !check_node(c, word(c, next + 2 * i), word(c, next + 2 * i + 1), depth + 1, &height[i]))
				return c->wrong ? false : refuse(c, "a cell's tree is too deep");
		*known = KNOWN_NODES | (height[0] > height[1] ? height[0] : height[1]);
	}
	*ret_height = 1 + (*known & ~KNOWN_NODES);
	return depth + *ret_height <= GPC_TREE_STEPS || refuse(c, "a cell's tree is too deep");
}

/* Greatest rank of a table; each table is read once. */
static bool table_ranks(struct check *c, uint32_t at, uint32_t *ret_count)
{
	uint32_t *known, classes = c->c->l4_classes;

	if (at % 2 || !halves_inside(c, at, classes))
		return refuse(c, "a cell's table lies outside of the words");
	known = &c->tables[at / 2 - GPC_WORDS_BASE];
	if (!*known) {
		*known = 1;
		for (uint32_t i = 0; i < classes; i++) {
			uint32_t rank = half(c, (uint64_t)at + i);

			if (!step(c))
				return false;
			if (rank != GPC_NONE16 && rank + 2 > *known)
				*known = rank + 2;
		}
	}
	*ret_count = *known - 1;
	return true;
}

static bool check_cell(struct check *c, uint32_t at)
{
	uint32_t kind = word(c, at) >> GPC_CELL_KIND_SHIFT, a = word(c, at + 1), b = word(c, at + 2), n;
	uint32_t most = c->c->flags & GPC_CLASSIFIER_RANGES ? GPC_RANGE_LIST_MAX : GPC_BIT_LIST_MAX;

	if ((word(c, at) & GPC_VECTOR_ROW) == GPC_VECTOR_ROW)
		return true; /* of no row */
	if (kind == GPC_CELL_INLINE)
		return check_names(c, at + 1, 3);
	if (kind <= most)
		return check_names(c, a, kind);
	if (kind == GPC_CELL_TREE && c->c->flags & GPC_CLASSIFIER_RANGES)
		return check_node(c, a, b, 0, &n);
	if (kind != GPC_CELL_TABLE || !(c->c->flags & GPC_CLASSIFIER_L4))
		return refuse(c, "a cell is of no known kind");
	if (!table_ranks(c, a, &n))
		return false;
	if (n && !inside(c, b, n))
		return refuse(c, "positions of a cell lie outside of the words");
	if (!n || c->tables[b - GPC_WORDS_BASE] > n)
		return true;
	c->tables[b - GPC_WORDS_BASE] = n + 1; /* a list of positions is no table; each is read once */
	for (uint32_t i = 0; i < n; i++)
		if (!step(c) || !check_position(c, word(c, b + i)))
			return false;
	return true;
}

static bool check_cells(struct check *c)
{
	const struct gpc_classifier *k = c->c;

	if (k->cells % 4 || !k->cell_count || !inside(c, k->cells, 4ull * k->cell_count))
		return refuse(c, "cells lie outside of the words");
	for (uint32_t i = 0; i < k->cell_count; i++)
		if (!check_cell(c, k->cells + 4 * i))
			return false;
	return true;
}

static bool check_vector(struct check *c, uint32_t vectors, uint64_t number)
{
	uint64_t at = vectors + (number << c->c->vector_shift);

	if (!inside(c, at, 1u << c->c->vector_shift))
		return refuse(c, "a vector lies outside of the words");
	if (word(c, at) >> GPC_VECTOR_GROUPS_SHIFT >> c->c->groups)
		return refuse(c, "a vector names a group that is not there");
	for (uint32_t g = 0; g < c->c->groups; g++)
		if ((word(c, at + g) & GPC_VECTOR_ROW) >= c->c->cell_count)
			return refuse(c, "a vector names a row or column beyond the cells");
	return true;
}

static bool check_vectors(struct check *c, int side)
{
	const struct gpc_classifier *k = c->c;
	uint32_t map = side ? k->destination_map : k->source_map, classes = c->v->tries->classes[side];
	uint32_t vectors = side ? k->destination_vector : k->source_vector;
	bool indirect = k->flags & (side ? GPC_CLASSIFIER_INDIRECT_DESTINATION :
					   GPC_CLASSIFIER_INDIRECT_SOURCE);

	for (uint32_t class = 0; class < classes; class++) {
		uint64_t number = class, at = 2ull * map + (class >> GPC_MAP_BLOCK_SHIFT);

		if (indirect) {
			if (!halves_inside(c, at, 1))
				return refuse(c, "a map of vectors lies outside of the words");
			at = 2ull * map + ((uint64_t)half(c, at) << GPC_MAP_BLOCK_SHIFT) +
			     (class & ((1u << GPC_MAP_BLOCK_SHIFT) - 1));
			if (!halves_inside(c, at, 1))
				return refuse(c, "a map of vectors lies outside of the words");
			number = half(c, at);
		}
		if (!check_vector(c, vectors, number))
			return false;
	}
	return true;
}

static bool greatest_half(struct check *c, uint64_t first, uint32_t count, uint32_t *greatest)
{
	if (!halves_inside(c, first, count))
		return refuse(c, "a table of the L4 stage lies outside of the words");
	for (uint32_t i = 0; i < count; i++) {
		uint32_t value = half(c, first + i);

		*greatest = value > *greatest ? value : *greatest;
	}
	return true;
}

static bool greatest_port(struct check *c, uint32_t table, uint32_t *greatest)
{
	uint64_t first = 2ull * table;

	if (!halves_inside(c, first, GPC_PORT_BLOCKS))
		return refuse(c, "a table of ports lies outside of the words");
	for (uint32_t i = 0; i <= GPC_PORT_NONE >> 8; i++)
		if (!greatest_half(c, first + GPC_PORT_BLOCKS + 256ull * half(c, first + i), 256, greatest))
			return false;
	return true;
}

static bool greatest_match(struct check *c, uint32_t *ret_class)
{
	uint32_t flags = 0, dscp = 0, vlan = 0;
	uint64_t table = 2ull * c->c->match;

	return greatest_half(c, table, GPC_MATCH_DSCP, &flags) &&
	       greatest_half(c, table + GPC_MATCH_DSCP, 64, &dscp) &&
	       greatest_half(c, table + GPC_MATCH_VLAN, GPC_MATCH_VLANS - 1, &vlan) &&
	       greatest_half(c, table + GPC_MATCH_CLASS, flags + dscp + vlan + 1, ret_class) &&
	       (*ret_class < GPC_MAX_MATCH_CLASSES || refuse(c, "a match class is beyond the last"));
}

static bool check_l4(struct check *c, uint32_t match)
{
	const struct gpc_classifier *k = c->c;
	uint32_t protocol = 0, source = 0, destination = 0, class = 0;
	uint64_t most;

	if (!inside(c, k->protocol, 256))
		return refuse(c, "a table of the L4 stage lies outside of the words");
	for (uint32_t i = 0; i < 256; i++)
		protocol = word(c, k->protocol + i) > protocol ? word(c, k->protocol + i) : protocol;
	if (!greatest_port(c, k->source_port, &source) ||
	    !greatest_port(c, k->destination_port, &destination))
		return false;
	most = protocol + (uint64_t)source * k->source_stride + destination +
	       (uint64_t)match * k->match_stride;
	if (most >= 2 * c->v->word_count)
		return refuse(c, "a sum of L4 classes is beyond its table");
	if (!greatest_half(c, 2ull * k->l4, (uint32_t)most + 1, &class))
		return false;
	return class < k->l4_classes || refuse(c, "an L4 class is not there");
}

/* Bit 0 belongs to names that never match. */
static bool check_bits(struct check *c)
{
	const struct gpc_classifier *k = c->c;

	if (!(k->flags & GPC_CLASSIFIER_L4) || !k->bit_words ||
	    !inside(c, k->bits, (uint64_t)k->bit_words * k->l4_classes))
		return refuse(c, "the bits of the services lie outside of the words");
	for (uint32_t i = 0; i < k->l4_classes; i++)
		if (word(c, k->bits + (uint64_t)i * k->bit_words) & 1)
			return refuse(c, "a service that never matches is in an L4 class");
	return true;
}

static bool check_classifier(struct check *c)
{
	const struct gpc_classifier *k = c->c;
	uint32_t match = 0;

	if (k->flags & ~KNOWN_FLAGS || !k->groups || k->groups > GPC_CLASSIFIER_GROUPS_MAX ||
	    k->vector_shift > 4 || 1u << k->vector_shift < k->groups + !!k->residuals ||
	    k->none != GPC_NONE || k->residuals > GPC_RESIDUAL_MAX)
		return refuse(c, "its head is not that of a classifier");
	c->steps = 16ull * c->v->word_count + 4096;
	if (k->flags & GPC_CLASSIFIER_MATCH && !greatest_match(c, &match))
		return false;
	if (k->flags & GPC_CLASSIFIER_L4 && !check_l4(c, match))
		return false;
	if (!(k->flags & GPC_CLASSIFIER_RANGES) && !check_bits(c))
		return false;
	return check_vectors(c, 0) && check_vectors(c, 1) && check_cells(c) &&
	       check_names(c, k->residual, k->residuals);
}

const char *gpc_classified_check(struct gpc_arena *scratch, const struct gpc_classified_view *view,
				 size_t *ret_classifier)
{
	static const struct gpc_classifier nothing;
	static const struct gpc_tries no_tries;
	struct check c = {.v = view,
			  .nodes = GPC_NEW_ARRAY(scratch, uint16_t, view->word_count / UNITS + 2),
			  .tables = GPC_NEW_ARRAY(scratch, uint32_t, view->word_count + 1)};
	bool tries = memcmp(view->tries, &no_tries, sizeof(no_tries));

	*ret_classifier = SIZE_MAX;
	if (tries && (!check_side(&c, 0) || !check_side(&c, 1)))
		return c.wrong;
	for (size_t i = 0; i < view->classifier_count; i++) {
		c.c = &view->classifiers[i];
		c.limit = view->positions[i];
		if (!memcmp(c.c, &nothing, sizeof(nothing)))
			continue;
		*ret_classifier = i;
		if (!tries)
			return "there are no tries";
		memset(c.tables, 0, view->word_count * sizeof(*c.tables));
		if (!check_classifier(&c))
			return c.wrong;
	}
	return NULL;
}
