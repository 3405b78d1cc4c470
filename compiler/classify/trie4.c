/* SPDX-License-Identifier: MIT */
#include "trie_node.h"

#define ROOT_BITS 16u
#define BRANCH_BITS_MAX 8u
#define DEEP_BITS_MIN 4u /* of a block that leads to further blocks: bounds their number */
#define BYTES_PER_INTERVAL 9u /* of a bucket that needs a block of its own; only an estimate */

struct run {
	const uint32_t *starts, *classes;
	uint32_t first, end; /* intervals; the first may begin before the region */
};

static uint32_t leaf_or_piece(struct gpc_trie *trie, const struct run *run, uint32_t loads)
{
	uint32_t keys[GPC_PIECE_FULL], leaves[GPC_PIECE_FULL], n = 0;

	if (run->end - run->first == 1) {
		gpc_trie_reached(trie, loads);
		return gpc_trie_leaf(run->classes[run->first]);
	}
	for (uint32_t i = run->first; i < run->end; i++) {
		if (n)
			keys[n - 1] = run->starts[i] & 0xffff;
		leaves[n++] = gpc_trie_leaf(run->classes[i]);
	}
	gpc_trie_reached(trie, loads + 2);
	return gpc_trie_piece(trie, keys, leaves, n, 0);
}

/* What buckets of some width hold: intervals that begin at their first address, and inside. */
struct buckets {
	uint32_t at[1 << BRANCH_BITS_MAX], inside[1 << BRANCH_BITS_MAX];
};

static void count_buckets(const struct run *run, uint32_t base, uint32_t shift, struct buckets *b)
{
	for (uint32_t i = run->first + 1; i < run->end; i++) {
		uint32_t within = run->starts[i] - base;

		if (within & ((1u << shift) - 1))
			b->inside[within >> shift]++;
		else
			b->at[within >> shift]++;
	}
}

static void halve_buckets(struct buckets *b, uint32_t count)
{
	for (uint32_t i = 0; i < count / 2; i++) {
		b->inside[i] = b->inside[2 * i] + b->inside[2 * i + 1] + b->at[2 * i + 1];
		b->at[i] = b->at[2 * i];
	}
}

/* Bytes of a block, or UINT32_MAX where it must not be so narrow. */
static uint32_t block_bytes(const struct gpc_trie *trie, const struct buckets *b, uint32_t bits,
			    uint32_t rest)
{
	uint32_t bytes = 4u << bits, half = trie->wide ? 64 : 32, full = trie->wide ? 96 : 64;

	for (uint32_t i = 0; i < 1u << bits; i++) {
		uint32_t count = b->inside[i] + 1;

		if (count > GPC_PIECE_FULL && bits < DEEP_BITS_MIN && bits < rest)
			return UINT32_MAX;
		if (count > GPC_PIECE_FULL)
			bytes += count * BYTES_PER_INTERVAL;
		else if (count > 1)
			bytes += count > GPC_PIECE_HALF ? full : half;
	}
	return bytes;
}

static uint32_t best_bits(const struct gpc_trie *trie, const struct run *run, uint32_t base, uint32_t rest)
{
	uint32_t bits = rest < BRANCH_BITS_MAX ? rest : BRANCH_BITS_MAX, best = bits;
	uint32_t least = UINT32_MAX;
	struct buckets b = {0};

	count_buckets(run, base, rest - bits, &b);
	for (; bits > 0; bits--) {
		uint32_t bytes = block_bytes(trie, &b, bits, rest);

		if (bytes < least) {
			least = bytes;
			best = bits;
		}
		halve_buckets(&b, 1u << bits);
	}
	return best;
}

/* Cuts off the part of the run that lies below `end` (0: all); the next part begins in the last interval
 * of it, or with the next one if that begins right at `end`. */
static struct run cut(struct run *run, uint32_t end)
{
	struct run part = *run;
	uint32_t i = run->first + 1;

	if (end)
		while (i < run->end && run->starts[i] < end)
			i++;
	else
		i = run->end;
	part.end = i;
	run->first = i < run->end && run->starts[i] == end ? i : i - 1;
	return part;
}

static uint32_t entry_of(struct gpc_trie *trie, struct run run, uint32_t base, uint32_t rest,
			 uint32_t loads)
{
	uint32_t entries[1 << BRANCH_BITS_MAX], bits, shift;

	if (run.end - run.first <= GPC_PIECE_FULL)
		return leaf_or_piece(trie, &run, loads);
	bits = best_bits(trie, &run, base, rest);
	shift = rest - bits;
	for (uint32_t i = 0; i < 1u << bits; i++) {
		struct run part = cut(&run, base + ((i + 1) << shift));

		entries[i] = entry_of(trie, part, base + (i << shift), shift, loads + 1);
	}
	return gpc_trie_entry(GPC_TRIE_BRANCH, shift << 3 | (bits - 1),
			      gpc_words_share(trie->words, entries, 1u << bits, 4));
}

uint32_t gpc_trie4_build(struct gpc_trie *trie, const uint32_t *starts, const uint32_t *classes,
			 size_t count)
{
	struct run run = {starts, classes, 0, (uint32_t)count};
	uint32_t *root = GPC_NEW_ARRAY(trie->scratch, uint32_t, 1u << ROOT_BITS);

	for (uint32_t i = 0; i < 1u << ROOT_BITS; i++) {
		struct run part = cut(&run, (i + 1) << (32 - ROOT_BITS));

		root[i] = entry_of(trie, part, i << (32 - ROOT_BITS), 32 - ROOT_BITS, 1);
	}
	return gpc_words_share(trie->words, root, 1u << ROOT_BITS, 16);
}
