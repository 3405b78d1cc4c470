/* SPDX-License-Identifier: MIT */
/*
 * emit.h: cells and vectors of one list as words.
 */
#ifndef GPC_CLASSIFY_EMIT_H
#define GPC_CLASSIFY_EMIT_H

#include "cells.h"
#include "words.h"

/*
 * All that a classifier needs; fills in *ret. `trie_loads`: dependent loads of the tries, at worst. False if a
 * cell cannot be told: more range records meet in it than a tree of GPC_TREE_STEPS tests parts.
 */
bool gpc_classifier_emit(struct gpc_arena *scratch, const struct gpc_pairs *pairs, const struct gpc_l4 *l4,
			 struct gpc_cells *cells, struct gpc_words *words, uint32_t trie_loads,
			 struct gpc_classifier *ret);

#endif
