/* SPDX-License-Identifier: MIT */
/*
 * trie_node.h: what both tries are made of.
 */
#ifndef GPC_CLASSIFY_TRIE_NODE_H
#define GPC_CLASSIFY_TRIE_NODE_H

#include "gpc/lookup/address.h"
#include "partition.h"
#include "words.h"

struct gpc_trie {
	struct gpc_arena *scratch;
	struct gpc_words *words;
	uint32_t wide;
	uint32_t depth;			/* greatest number of dependent loads so far */
};

static inline uint32_t gpc_trie_leaf(uint32_t class)
{
	return GPC_TRIE_LEAF | class;
}

static inline uint32_t gpc_trie_entry(enum gpc_trie_kind kind, uint32_t argument, uint32_t offset)
{
	return (uint32_t)kind << GPC_TRIE_KIND_SHIFT | argument << GPC_TRIE_ARGUMENT_SHIFT | offset / 4;
}

static inline void gpc_trie_reached(struct gpc_trie *trie, uint32_t loads)
{
	if (loads > trie->depth)
		trie->depth = loads;
}

/*
 * A piece of `count` intervals: keys[i] is where interval i + 1 begins, in bits `shift`.. of the address;
 * leaves are entries that are leaves.
 */
uint32_t gpc_trie_piece(struct gpc_trie *trie, const uint32_t *keys, const uint32_t *leaves,
			uint32_t count, uint32_t shift);

/* The root of 65,536 entries; starts[0] is 0. */
uint32_t gpc_trie4_build(struct gpc_trie *trie, const uint32_t *starts, const uint32_t *classes,
			 size_t count);

/* The word of the first window; intervals ascending, the first at 0. */
uint32_t gpc_trie6_build(struct gpc_trie *trie, const struct gpc_interval *intervals, size_t count);

#endif
