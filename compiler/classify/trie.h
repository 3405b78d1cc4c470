/* SPDX-License-Identifier: MIT */
/*
 * trie.h: the address classes of one side -> the two tries of lookup/address.h.
 */
#ifndef GPC_CLASSIFY_TRIE_H
#define GPC_CLASSIFY_TRIE_H

#include "partition.h"
#include "words.h"

/*
 * Both tries of the partition of one side (0 source, 1 destination). Fills in the side's fields of *tries.
 * Returns the worst number of dependent loads.
 */
uint32_t gpc_trie_build(struct gpc_arena *scratch, struct gpc_words *words,
			const struct gpc_partition *partition, uint32_t side, struct gpc_tries *tries);

#endif
