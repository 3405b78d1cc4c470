/* SPDX-License-Identifier: MIT */
#include "trie.h"

#include "trie_node.h"

#define V4_FIRST 0xffff00000000ull /* ::ffff:0:0 */
#define V4_LAST 0xffffffffffffull
#define NARROW_CLASSES 65536u

uint32_t gpc_trie_piece(struct gpc_trie *trie, const uint32_t *keys, const uint32_t *leaves,
			uint32_t count, uint32_t shift)
{
	uint32_t full = count > GPC_PIECE_HALF, key_words = full ? 4 : 2;
	uint32_t slots = full ? GPC_PIECE_FULL : GPC_PIECE_HALF, words[24] = {0}, size;
	enum gpc_trie_kind kind = full ? GPC_TRIE_FULL : GPC_TRIE_HALF;

	for (uint32_t w = 0; w < key_words; w++) {
		uint64_t lanes = 0;

		for (uint32_t k = 0; k < 3; k++) {
			uint64_t key = 3 * w + k + 1 < count ? keys[3 * w + k] : GPC_PIECE_PAD;

			lanes |= key << k * 21;
		}
		words[2 * w] = (uint32_t)lanes;
		words[2 * w + 1] = (uint32_t)(lanes >> 32);
	}
	for (uint32_t i = 0; i < slots; i++) {
		uint32_t class = leaves[i < count ? i : count - 1] & GPC_TRIE_CLASS;

		if (trie->wide)
			words[2 * key_words + i] = class;
		else
			words[2 * key_words + i / 2] |= class << i % 2 * 16;
	}
	size = trie->wide ? (full ? 24 : 16) : (full ? 16 : 8);
	return gpc_trie_entry(kind, shift, gpc_words_share(trie->words, words, size, full && !trie->wide ? 16 : 8));
}

static bool is_v4(const struct gpc_interval *interval)
{
	return !interval->first.high && interval->first.low >= V4_FIRST &&
	       interval->first.low <= V4_LAST;
}

/* Intervals of the v4 block, as 32 bits; the first begins at 0. */
static uint32_t build4(struct gpc_trie *trie, const struct gpc_partition *p)
{
	uint32_t *starts = GPC_NEW_ARRAY(trie->scratch, uint32_t, p->interval_count + 1);
	uint32_t *classes = GPC_NEW_ARRAY(trie->scratch, uint32_t, p->interval_count + 1);
	size_t n = 1;

	for (size_t i = 0; i < p->interval_count; i++) {
		const struct gpc_interval *interval = &p->intervals[i];

		if (!interval->first.high && interval->first.low <= V4_FIRST) {
			classes[0] = interval->class;
		} else if (is_v4(interval)) {
			starts[n] = (uint32_t)interval->first.low;
			classes[n++] = interval->class;
		}
	}
	return gpc_trie4_build(trie, starts, classes, n);
}

/* All intervals but those of the v4 block, which no v6 packet asks for: the one before it goes on. */
static uint32_t build6(struct gpc_trie *trie, const struct gpc_partition *p)
{
	struct gpc_interval *intervals =
		GPC_NEW_ARRAY(trie->scratch, struct gpc_interval, p->interval_count + 1);
	struct gpc_point behind = {0, V4_LAST + 1};
	uint32_t class = 0;
	size_t n = 0;
	bool passed = false;

	for (size_t i = 0; i <= p->interval_count; i++) {
		const struct gpc_interval *interval = &p->intervals[i];
		bool past = i == p->interval_count || interval->first.high ||
			    interval->first.low > V4_LAST;

		if (past && !passed) {
			passed = true;
			if ((i == p->interval_count || interval->first.high ||
			     interval->first.low > behind.low) && (!n || intervals[n - 1].class != class))
				intervals[n++] = (struct gpc_interval){behind, class};
		}
		if (i == p->interval_count)
			break;
		class = interval->class;
		if (!is_v4(interval) && (!n || intervals[n - 1].class != class))
			intervals[n++] = *interval;
	}
	return gpc_trie6_build(trie, intervals, n);
}

uint32_t gpc_trie_build(struct gpc_arena *scratch, struct gpc_words *words,
			const struct gpc_partition *partition, uint32_t side, struct gpc_tries *tries)
{
	struct gpc_trie trie = {.scratch = scratch,
				.words = words,
				.wide = partition->class_count > NARROW_CLASSES};

	tries->root4[side] = build4(&trie, partition);
	tries->root6[side] = build6(&trie, partition);
	tries->wide[side] = trie.wide;
	tries->classes[side] = partition->class_count;
	return trie.depth;
}
