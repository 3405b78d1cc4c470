/* SPDX-License-Identifier: MIT */
/*
 * emit.h: cells and vectors of one list as words.
 */
#ifndef GPC_CLASSIFY_EMIT_H
#define GPC_CLASSIFY_EMIT_H

#include "cells.h"
#include "words.h"

/*
 * All that a classifier needs; fills in *ret. False if a cell is too long to be told: more range records
 * than GPC_RANGE_LIST_MAX, and no L4 class to tell them by. Then *ret_content is that cell's content.
 */
bool gpc_classifier_emit(struct gpc_arena *scratch, const struct gpc_pairs *pairs, const struct gpc_l4 *l4,
			 struct gpc_cells *cells, struct gpc_words *words, struct gpc_classifier *ret,
			 uint32_t *ret_content);

#endif
