/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * classify.h: question -> position of the first matching rule, on the words of the image. The same
 * source for kernel and user space.
 *
 * The boxes of a classifier stand in up to 8 groups. In each group the class of the source has a row, that
 * of the destination a column; row + column (modulo the number of cells) is a cell of one table for all
 * groups, and a cell belongs to the row that its first word names. The answer is the smallest position
 * over all groups.
 *
 *   vector   1 << vector_shift words by class (or by number, found through a map: INDIRECT): the row, or
 *            column, of each group; the top 8 bits of the first word say which groups have one. Behind them,
 *            if there are residual boxes, a bit for each of those.
 *            Map, in half words: vectors' block by class >> 6, then in blocks of 64 the vector by class & 63;
 *            blocks are counted from the map's first half word.
 *   cell     four words {row | kind << 24, a, b, c}
 *            GPC_CELL_INLINE: names a, b, c of boxes, ascending in position
 *            1..GPC_BIT_LIST_MAX or GPC_RANGE_LIST_MAX: so many names at word a
 *            GPC_CELL_TABLE: u16 by L4 class from half word a on, an index of positions at word b;
 *            GPC_NONE16: none
 *            GPC_CELL_TREE (RANGES): {a, b} is a node of a tree
 *   node     {test, next}. A field, test >> GPC_TREE_FIELD_SHIFT bits up in the fields, that is less than the
 *            low 17 bits of the test goes on with the first of the two nodes at word `next`, else with the
 *            second. GPC_TREE_LEAF | n: n names at word `next`
 *   name     spec << GPC_NAME_SPEC_SHIFT | position: the bit `spec` in the L4 class's row of the bit matrix
 *            says whether it matches. GPC_NAME_NONE never does, for spec 0 is in no class.
 *            RANGES: the number of a range record; record 0 never matches
 *   record   two u64, least and greatest fields: source port, destination port, protocol in lanes with a guard
 *            bit above each (GPC_FIELDS_GUARDS, set in the second); position << GPC_FIELDS_POSITION in the
 *            first. range_match: the match classes of a record, a word of bits
 *   L4       u16 at half l4 * 2 + protocol + source_stride * source + destination + match_stride * match
 *            protocol: u32 by protocol. Ports: u16 block by port >> 8, GPC_PORT_BLOCKS in all, then blocks
 *            of 256 u16. Match: u16 by tcp_flags | fragment << 4 (64), by dscp (64), by vlan
 *            (GPC_MATCH_VLANS), then by the sum of these three the match class
 *   residual names of the boxes that touch too many pairs of classes, by bit of the vectors
 */
#ifndef GPC_LOOKUP_CLASSIFY_H
#define GPC_LOOKUP_CLASSIFY_H

#include "address.h"

#define GPC_VECTOR_GROUPS_SHIFT	24
#define GPC_VECTOR_ROW		0xffffffu
#define GPC_MAP_BLOCK_SHIFT	6
#define GPC_CELL_KIND_SHIFT	24
#define GPC_CELL_INLINE		0u
#define GPC_BIT_LIST_MAX	8u
#define GPC_RANGE_LIST_MAX	16u
#define GPC_CELL_TABLE		255u
#define GPC_CELL_TREE		254u
#define GPC_TREE_LEAF		(1u << 31)
#define GPC_TREE_FIELD_SHIFT	24
#define GPC_TREE_VALUE		0x1ffffu
#define GPC_TREE_STEPS		40u	/* most tests one behind the other */
#define GPC_NAME_SPEC_SHIFT	17
#define GPC_NAME_POSITION	0x1ffffu
#define GPC_NAME_NONE		GPC_NAME_POSITION
#define GPC_FIELDS_DESTINATION	18
#define GPC_FIELDS_PROTOCOL	36
#define GPC_FIELDS_POSITION	45
#define GPC_FIELDS_GUARDS	(1ull << 17 | 1ull << 35 | 1ull << 44)
#define GPC_PORT_BLOCKS		272u	/* 257, rounded up */
#define GPC_MATCH_DSCP		64u	/* half words before the tables */
#define GPC_MATCH_VLAN		128u
#define GPC_MATCH_VLANS		4098u
#define GPC_MATCH_CLASS		(GPC_MATCH_VLAN + GPC_MATCH_VLANS)
#define GPC_RESIDUAL_MAX	32u

/* What a classifier asks the question for, made once. */
struct gpc_asked {
	__u64 fields;		/* ports and protocol, in the lanes of a range record */
	__u32 flags;
	__u32 row;		/* word of the bit matrix */
	__u32 table;		/* L4 class */
	__u32 match;		/* match class */
};

/* Word where a class's vector stands. */
GPC_INLINE __u32 gpc_vector(struct gpc_view view, __u32 indirect, __u32 map, __u32 vectors, __u32 shift,
			    __u32 class)
{
	if (indirect) {
		__u32 block = gpc_half(view, 2 * map + (class >> GPC_MAP_BLOCK_SHIFT));

		class = gpc_half(view, 2 * map + (block << GPC_MAP_BLOCK_SHIFT) +
					       (class & ((1u << GPC_MAP_BLOCK_SHIFT) - 1)));
	}
	return vectors + (class << (shift & 7));
}

GPC_INLINE __u32 gpc_port_class(struct gpc_view view, __u32 table, __u32 port)
{
	__u32 block = gpc_half(view, 2 * table + (port >> 8));

	return gpc_half(view, 2 * table + GPC_PORT_BLOCKS + (block << 8) + (port & 255));
}

GPC_INLINE __u32 gpc_match_class(struct gpc_view view, __u32 table, const struct gpc_question *question)
{
	__u32 sum = gpc_half(view, 2 * table + (question->tcp_flags & 15u) +
					   ((question->fragment & 3u) << 4)) +
		    gpc_half(view, 2 * table + GPC_MATCH_DSCP + (question->dscp & 63u)) +
		    gpc_half(view, 2 * table + GPC_MATCH_VLAN + question->vlan);

	return gpc_half(view, 2 * table + GPC_MATCH_CLASS + sum);
}

GPC_INLINE __u64 gpc_fields(__u32 source_port, __u32 destination_port, __u8 protocol)
{
	return source_port | (__u64)destination_port << GPC_FIELDS_DESTINATION |
	       (__u64)protocol << GPC_FIELDS_PROTOCOL;
}

GPC_INLINE struct gpc_asked gpc_ask(struct gpc_view view, const struct gpc_classifier *c,
				    const struct gpc_question *question)
{
	__u32 flags = c->flags, match = 0, table = 0, row = 0;

	if (flags & GPC_CLASSIFIER_MATCH)
		match = gpc_match_class(view, c->match, question) & 31;
	gpc_forget(match, flags);
	if (flags & GPC_CLASSIFIER_L4) {
		__u32 sum = gpc_word(view, c->protocol + question->protocol) +
			    gpc_port_class(view, c->source_port, question->source_port) * c->source_stride +
			    gpc_port_class(view, c->destination_port, question->destination_port) +
			    match * c->match_stride;

		table = gpc_half(view, 2 * c->l4 + sum);
		row = c->bits + table * c->bit_words;
	}
	gpc_forget(table, flags);
	gpc_forget(row, flags);
	return (struct gpc_asked){
		.fields = gpc_fields(question->source_port, question->destination_port, question->protocol),
		.flags = flags,
		.row = row,
		.table = table,
		.match = match};
}

/* Position of a range record that matches, GPC_NONE of one that does not. */
GPC_INLINE __u32 gpc_range_position(struct gpc_view view, const struct gpc_classifier *c,
				    const struct gpc_asked *asked, __u32 number)
{
	const __u64 *record = gpc_at(view, ((__u64)c->ranges << 2) + ((__u64)number << 4), 16);
	__u64 least = record[0], most = record[1], miss;

	miss = ((asked->fields | GPC_FIELDS_GUARDS) - (least & ((1ull << GPC_FIELDS_POSITION) - 1))) &
	       (most - asked->fields) & GPC_FIELDS_GUARDS;
	miss ^= GPC_FIELDS_GUARDS;
	miss |= ~(gpc_word(view, c->range_match + number) >> asked->match) & 1;
	miss = (0 - miss) >> 63;
	gpc_opaque(miss);
	return (__u32)(least >> GPC_FIELDS_POSITION) | (0u - (__u32)miss);
}

/* Position of the named box if it matches, else GPC_NONE. */
GPC_INLINE __u32 gpc_bit_position(struct gpc_view view, __u32 row, __u32 name)
{
	__u32 spec = name >> GPC_NAME_SPEC_SHIFT;
	__u32 bit = gpc_word(view, row + (spec >> 5)) >> (spec & 31) & 1;

	gpc_opaque(bit);
	return (name & GPC_NAME_POSITION) | (bit - 1);
}

/* Tested anew each time: the verifier would tell states apart by a flag that it remembers. */
GPC_INLINE __u32 gpc_by_ranges(const struct gpc_asked *asked)
{
	__u32 flags = asked->flags;

	gpc_opaque(flags);
	return flags & GPC_CLASSIFIER_RANGES;
}

GPC_INLINE __u32 gpc_name_position(struct gpc_view view, const struct gpc_classifier *c,
				   const struct gpc_asked *asked, __u32 name)
{
	if (gpc_by_ranges(asked))
		return gpc_range_position(view, c, asked, name);
	return gpc_bit_position(view, asked->row, name);
}

GPC_INLINE __u32 gpc_least(__u32 a, __u32 b)
{
	__u64 less = (__u64)a - b;

	gpc_opaque(less);
	return b + (__u32)(less & (__u64)((__s64)less >> 63));
}

/* The least position among so many names at a word. Two loops without a branch inside, see gpc_class6. */
GPC_INLINE __u32 gpc_bits_position(struct gpc_view view, __u32 row, __u32 word, __u32 count, __u32 best)
{
	__u32 i;

#ifdef __clang__
#pragma clang loop unroll(disable)
#endif
	for (i = 0; i < GPC_BIT_LIST_MAX; i++) {
		if (i >= count)
			break;
		best = gpc_least(best, gpc_bit_position(view, row, gpc_word(view, word + i)));
	}
	return best;
}

GPC_INLINE __u32 gpc_ranges_position(struct gpc_view view, const struct gpc_classifier *c,
				     const struct gpc_asked *asked, __u32 word, __u32 count, __u32 best)
{
	__u32 i;

#ifdef __clang__
#pragma clang loop unroll(disable)
#endif
	for (i = 0; i < GPC_RANGE_LIST_MAX; i++) {
		if (i >= count)
			break;
		best = gpc_least(best, gpc_range_position(view, c, asked,
							  gpc_word(view, word + i)));
	}
	return best;
}

/* The leaf that the fields belong to. */
GPC_INLINE __u64 gpc_tree_leaf(struct gpc_view view, __u64 fields, __u32 test, __u32 next)
{
	__u32 i;

#ifdef __clang__
#pragma clang loop unroll(disable)
#endif
	for (i = 0; i < GPC_TREE_STEPS; i++) {
		__u64 value = fields >> (test >> GPC_TREE_FIELD_SHIFT & 63) & GPC_TREE_VALUE, second;
		const __u32 *node;

		if (test & GPC_TREE_LEAF)
			break;
		second = ~(value - (test & GPC_TREE_VALUE)) >> 63;
		node = gpc_at(view, ((__u64)next << 2) + (second << 3), 8);
		test = node[0];
		next = node[1];
	}
	return (__u64)next << 32 | test;
}

GPC_INLINE __u32 gpc_cell_position(struct gpc_view view, const struct gpc_classifier *c,
				   const struct gpc_asked *asked, const __u32 *cell)
{
	__u32 kind = cell[0] >> GPC_CELL_KIND_SHIFT, a = cell[1], b = cell[2];

	if (kind == GPC_CELL_INLINE) {
		if (gpc_by_ranges(asked))
			return gpc_least(gpc_least(gpc_range_position(view, c, asked, a),
						   gpc_range_position(view, c, asked, b)),
					 gpc_range_position(view, c, asked, cell[3]));
		return gpc_least(gpc_least(gpc_bit_position(view, asked->row, a),
					   gpc_bit_position(view, asked->row, b)),
				 gpc_bit_position(view, asked->row, cell[3]));
	}
	if (kind == GPC_CELL_TABLE) {
		__u32 rank = gpc_half(view, a + asked->table);

		return rank == GPC_NONE16 ? c->none : gpc_word(view, b + rank);
	}
	if (gpc_by_ranges(asked)) {
		if (kind == GPC_CELL_TREE) {
			__u64 leaf = gpc_tree_leaf(view, asked->fields, a, b);

			kind = (__u32)leaf;
			a = (__u32)(leaf >> 32);
		}
		return gpc_ranges_position(view, c, asked, a, kind & 31, c->none);
	}
	return gpc_bits_position(view, asked->row, a, kind, c->none);
}

/* Position of the first residual box that matches, of those whose bit is set in `boxes`. */
GPC_INLINE __u32 gpc_residual_position(struct gpc_view view, const struct gpc_classifier *c,
				       const struct gpc_asked *asked, __u32 boxes)
{
	__u32 best = c->none, i;

#ifdef __clang__
#pragma clang loop unroll(disable)
#endif
	for (i = 0; i < GPC_RESIDUAL_MAX; i++) {
		__u32 out = (boxes & 1) - 1;

		if (!boxes)
			break;
		gpc_opaque(out);
		best = gpc_least(best, out | gpc_name_position(view, c, asked,
							       gpc_word(view, c->residual + i)));
		boxes >>= 1;
	}
	return best;
}

/* Position of the first rule that matches, GPC_NONE if none does. */
GPC_INLINE __u32 gpc_classify(struct gpc_view view, const struct gpc_classifier *c,
			      const struct gpc_question *question, struct gpc_classes classes)
{
	__u32 source = gpc_vector(view, c->flags & GPC_CLASSIFIER_INDIRECT_SOURCE, c->source_map,
				  c->source_vector, c->vector_shift, classes.source);
	__u32 destination = gpc_vector(view, c->flags & GPC_CLASSIFIER_INDIRECT_DESTINATION,
				       c->destination_map, c->destination_vector, c->vector_shift,
				       classes.destination);
	__u32 groups = (gpc_word(view, source) & gpc_word(view, destination)) >> GPC_VECTOR_GROUPS_SHIFT;
	__u32 best = c->none, residual = 0, g;
	__u64 cells = c->cell_count;
	struct gpc_asked asked;

	if (c->residuals)
		residual = gpc_word(view, source + c->groups) & gpc_word(view, destination + c->groups);
	gpc_forget(residual, source);
	if (!(groups | residual) || !c->groups) /* no groups: the classifier of no boxes, all zero */
		return GPC_NONE;
	asked = gpc_ask(view, c, question);
#ifdef __clang__
#pragma clang loop unroll(disable)
#endif
	for (g = 0; g < GPC_CLASSIFIER_GROUPS_MAX; g++) {
		__u32 in_group = groups & 1;

		if (!groups)
			break;
		groups >>= 1;
		if (in_group) {
			__u32 row = gpc_word(view, source + g) & GPC_VECTOR_ROW;
			__u32 column = gpc_word(view, destination + g) & GPC_VECTOR_ROW;
			__u64 slot = (__u64)row + column - cells;
			const __u32 *cell;

			gpc_opaque(slot);
			slot += cells & (0 - (slot >> 63));
			cell = gpc_at(view, ((__u64)c->cells << 2) + (slot << 4), 16);
			if ((cell[0] & GPC_VECTOR_ROW) == row)
				best = gpc_least(best, gpc_cell_position(view, c, &asked, cell));
		}
	}
	if (residual)
		best = gpc_least(best, gpc_residual_position(view, c, &asked, residual));
	return best;
}

#endif
