/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "trie_node.h"

/* The depth is bounded: at most 3 windows of 6 bits and 6 of 8 for each half, and the root. */
#define WINDOW_BITS_MIN 6u
#define DEEP_BITS_MIN 8u
#define DEEP_LOADS 6u
#define WINDOW_BITS_MAX 12u
#define WINDOW_LOADS 2u

/* One half of the addresses: where intervals begin, and an entry for each: a leaf or a window of the other
 * half. The first begins at 0 or before the region that is looked at. */
struct line {
	uint64_t *keys;
	uint32_t *entries;
	size_t count;
};

struct run {
	const struct line *line;
	size_t first, end;
};

static uint32_t trailing_zeros(uint64_t x)
{
	return x ? (uint32_t)__builtin_ctzll(x) : 64;
}

static uint32_t bit_length(uint64_t x)
{
	return x ? 64 - (uint32_t)__builtin_clzll(x) : 0;
}

/* Can the run stand in one piece? Then *shift are the low bits that no key uses. */
static bool fits_piece(const struct run *run, uint32_t region_bits, uint32_t *shift)
{
	uint64_t used = 0;

	if (run->end - run->first > GPC_PIECE_FULL)
		return false;
	for (size_t i = run->first; i < run->end; i++) {
		if (!(run->line->entries[i] & GPC_TRIE_LEAF))
			return false;
		if (i > run->first)
			used |= run->line->keys[i];
	}
	*shift = trailing_zeros(used);
	return region_bits <= *shift + GPC_PIECE_KEY_BITS;
}

static uint32_t piece_of(struct gpc_trie *trie, const struct run *run, uint32_t shift, uint32_t loads)
{
	uint32_t keys[GPC_PIECE_FULL];
	size_t n = run->end - run->first;

	for (size_t i = 1; i < n; i++)
		keys[i - 1] = run->line->keys[run->first + i] >> shift &
			      ((1u << GPC_PIECE_KEY_BITS) - 1);
	gpc_trie_reached(trie, loads + 2);
	return gpc_trie_piece(trie, keys, run->line->entries + run->first, (uint32_t)n, shift);
}

/* Cuts off what lies up to `last`; what is left begins in the interval that holds last + 1. */
static struct run cut(struct run *run, uint64_t last)
{
	struct run part = *run;
	size_t i = run->first + 1;

	while (i < run->end && run->line->keys[i] <= last)
		i++;
	part.end = i;
	run->first = i < run->end && run->line->keys[i] == last + 1 ? i : i - 1;
	return part;
}

struct window {
	uint64_t base;
	uint32_t shift, bits;
};

static uint32_t entry_of(struct gpc_trie *trie, struct run run, uint32_t region_bits, uint32_t loads);

/* The word where the window stands. */
static uint32_t put_window(struct gpc_trie *trie, struct run run, const struct window *w, uint32_t loads)
{
	uint32_t count = 1u << w->bits, *words, n = GPC_WINDOW_HEAD + 2 + count;
	uint64_t last = w->base - 1;

	words = GPC_NEW_ARRAY(trie->scratch, uint32_t, n);
	words[0] = (uint32_t)w->base;
	words[1] = (uint32_t)(w->base >> 32);
	words[2] = w->shift | w->bits << 8;
	words[4] = run.line->entries[run.first];
	if (w->base)
		words[4] = entry_of(trie, cut(&run, last), 64, loads + WINDOW_LOADS);
	for (uint32_t i = 0; i < count; i++) {
		last = w->base + (((uint64_t)i + 1) << w->shift) - 1;
		words[6 + i] = entry_of(trie, cut(&run, last), w->shift, loads + WINDOW_LOADS);
	}
	words[5] = last == UINT64_MAX ? words[5 + count] : entry_of(trie, run, 64, loads + WINDOW_LOADS);
	return gpc_words_share(trie->words, words, n, 4);
}

/* The smallest aligned block that holds all keys but the first. */
static struct window tight_window(const struct run *run, uint32_t loads)
{
	uint32_t least = loads < DEEP_LOADS ? WINDOW_BITS_MIN : DEEP_BITS_MIN;
	uint64_t low = run->line->keys[run->first + 1], high = run->line->keys[run->end - 1];
	uint32_t block = bit_length(low ^ high), bits = bit_length(run->end - run->first) + 1;
	struct window w;

	if (bits < least)
		bits = least;
	if (bits > WINDOW_BITS_MAX)
		bits = WINDOW_BITS_MAX;
	w.bits = bits < block ? bits : block;
	w.shift = block - w.bits;
	w.base = block == 64 ? 0 : low >> block << block;
	return w;
}

static uint32_t entry_of(struct gpc_trie *trie, struct run run, uint32_t region_bits, uint32_t loads)
{
	struct window w;
	uint32_t shift;

	if (run.end - run.first == 1) {
		gpc_trie_reached(trie, loads);
		return run.line->entries[run.first];
	}
	if (fits_piece(&run, region_bits, &shift))
		return piece_of(trie, &run, shift, loads);
	w = tight_window(&run, loads);
	return gpc_trie_entry(GPC_TRIE_BRANCH, 0, put_window(trie, run, &w, loads));
}

/* Sum of squares of what the buckets of a window would hold, in keys; what lies outside counts as two
 * buckets more. Keys `first`.. are those in the window. */
static uint64_t window_cost(const struct line *line, size_t first, size_t end, uint32_t shift)
{
	uint64_t below = first, above = line->count - end, cost = below * below + above * above;

	for (size_t i = first; i < end;) {
		size_t from = i;

		while (i < end && line->keys[i] >> shift == line->keys[from] >> shift)
			i++;
		cost += (i - from) * (i - from);
	}
	return cost;
}

/* Of the aligned windows with an eighth of the keys or more, the one that spreads them best. */
static struct window root_window(const struct line *line)
{
	uint32_t bits = bit_length(line->count) + 2;
	uint64_t least = UINT64_MAX;
	struct window best = {0};

	if (bits > WINDOW_BITS_MAX)
		bits = WINDOW_BITS_MAX;
	for (uint32_t shift = 64 - bits;; shift -= 4) {
		uint32_t block = shift + bits;

		for (size_t i = 0; i < line->count;) {
			size_t from = i;
			uint64_t cost;

			while (i < line->count && (block == 64 || line->keys[i] >> block == line->keys[from] >> block))
				i++;
			if (8 * (i - from) < line->count)
				continue;
			cost = window_cost(line, from, i, shift);
			if (cost < least) {
				least = cost;
				best = (struct window){block == 64 ? 0 : line->keys[from] >> block << block,
						       shift, bits};
			}
		}
		if (shift < 4)
			return best;
	}
}

/* The intervals that begin inside one value of the high half, as an entry. */
static uint32_t low_entry(struct gpc_trie *trie, const struct gpc_interval *intervals, size_t count,
			  uint32_t class_before)
{
	struct line line = {.keys = GPC_NEW_ARRAY(trie->scratch, uint64_t, count + 1),
			    .entries = GPC_NEW_ARRAY(trie->scratch, uint32_t, count + 1)};
	struct window w;
	struct run run;

	line.entries[line.count++] = gpc_trie_leaf(class_before);
	for (size_t i = 0; i < count; i++) {
		if (intervals[i].first.low)
			line.keys[line.count++] = intervals[i].first.low;
		line.entries[line.count - 1] = gpc_trie_leaf(intervals[i].class);
	}
	run = (struct run){&line, 0, line.count};
	w = tight_window(&run, 0);
	return gpc_trie_entry(GPC_TRIE_LOW, 0, put_window(trie, run, &w, 0));
}

static void push(struct line *line, uint64_t key, uint32_t entry)
{
	line->keys[line->count] = key;
	line->entries[line->count++] = entry;
}

/* The line of high halves; windows of low halves are built on the way. */
static struct line high_line(struct gpc_trie *trie, const struct gpc_interval *intervals, size_t count)
{
	struct line line = {.keys = GPC_NEW_ARRAY(trie->scratch, uint64_t, 2 * count + 2),
			    .entries = GPC_NEW_ARRAY(trie->scratch, uint32_t, 2 * count + 2)};

	for (size_t i = 0; i < count;) {
		uint64_t high = intervals[i].first.high;
		size_t from = i;

		while (i < count && intervals[i].first.high == high)
			i++;
		if (i - from == 1 && !intervals[from].first.low) {
			push(&line, high, gpc_trie_leaf(intervals[from].class));
			continue;
		}
		push(&line, high, low_entry(trie, intervals + from, i - from,
					    intervals[from ? from - 1 : 0].class));
		if (high != UINT64_MAX && (i == count || intervals[i].first.high != high + 1 ||
					   intervals[i].first.low))
			push(&line, high + 1, gpc_trie_leaf(intervals[i - 1].class));
	}
	return line;
}

uint32_t gpc_trie6_build(struct gpc_trie *trie, const struct gpc_interval *intervals, size_t count)
{
	uint32_t before = trie->depth, low, root;
	struct line line;
	struct window w;

	trie->depth = 0;
	line = high_line(trie, intervals, count);
	low = trie->depth;
	trie->depth = 0;
	w = root_window(&line);
	root = put_window(trie, (struct run){&line, 0, line.count}, &w, 0);
	trie->depth += low;
	gpc_trie_reached(trie, before);
	return root;
}
