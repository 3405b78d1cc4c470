/* SPDX-License-Identifier: MIT */
/*
 * words.h: the growing WORDS section. Offsets count words from byte 0 of the image. Equal pieces that
 * are put in as shared stand in it once.
 */
#ifndef GPC_CLASSIFY_WORDS_H
#define GPC_CLASSIFY_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/arena.h"
#include "gpc/image.h"

#define GPC_WORDS_BASE ((uint32_t)(GPC_WORDS_OFFSET / 4))

struct gpc_shared_piece {
	uint32_t hash, offset, count;	/* count 0: free */
};

struct gpc_words {
	struct gpc_arena *arena;
	uint32_t *items;
	size_t n, cap;
	struct gpc_shared_piece *pieces;	/* open addressing, a power of two */
	size_t piece_count, piece_cap;
	size_t limit;			/* in words; beyond it nothing is stored and `over` is set */
	bool over;
};

void gpc_words_init(struct gpc_words *words, struct gpc_arena *arena, uint64_t max_bytes);

/* Room for `count` zeroed words at a multiple of `align` words (a power of two); 0 when it is over. */
uint32_t gpc_words_reserve(struct gpc_words *words, size_t count, uint32_t align);

/* A copy of the piece, or an equal one that was put in before with the same or a greater alignment. */
uint32_t gpc_words_share(struct gpc_words *words, const uint32_t *piece, size_t count, uint32_t align);

/* The words at an offset; valid until the next reservation. */
uint32_t *gpc_words_at(struct gpc_words *words, uint32_t offset);

#endif
