/* SPDX-License-Identifier: MIT */
/*
 * invariants.h: the words of INVARIANT_WORDS as what they say. Of a checked image; everything points
 * into it.
 */
#ifndef GPC_IMAGE_INVARIANTS_H
#define GPC_IMAGE_INVARIANTS_H

#include "../classify/set.h"
#include "gpc/image.h"

#define GPC_INVARIANT_HEAD_WORDS	2u	/* number of sets, number of services */
#define GPC_INVARIANT_ITEM_WORDS	3u
#define GPC_INVARIANT_BOX_WORDS		3u
#define GPC_INVARIANT_RANGE_WORDS	(sizeof(struct gpc_range) / sizeof(uint32_t))

/* Words of a box: where its sets and its service stand. */
struct gpc_invariant_box {
	uint32_t source, destination, service;
};

/* One item of a service; ports as in struct gpc_question. */
struct gpc_invariant_item {
	uint8_t protocol_first, protocol_last;
	uint32_t first, last;
};

static inline struct gpc_set gpc_invariant_set(const uint32_t *words, uint32_t at)
{
	return (struct gpc_set){(const struct gpc_range *)(words + at + 1), words[at]};
}

static inline uint32_t gpc_invariant_items(const uint32_t *words, uint32_t at)
{
	return words[at];
}

static inline struct gpc_invariant_item gpc_invariant_item(const uint32_t *words, uint32_t at,
							   uint32_t i)
{
	const uint32_t *item = words + at + 1 + GPC_INVARIANT_ITEM_WORDS * i;

	return (struct gpc_invariant_item){(uint8_t)item[0], (uint8_t)(item[0] >> 8), item[1],
					   item[2]};
}

static inline struct gpc_invariant_box gpc_invariant_box(const uint32_t *words, uint32_t at,
							 uint32_t i)
{
	const uint32_t *box = words + at + GPC_INVARIANT_BOX_WORDS * i;

	return (struct gpc_invariant_box){box[0], box[1], box[2]};
}

#endif
