/* SPDX-License-Identifier: MIT */
/*
 * phash.h: builds the perfect hashes of the image (struct gpc_phash): seeds are tried in a fixed
 * order, buckets are placed largest first, each with the smallest displacement that fits, so the
 * result depends on the keys and their order alone.
 */
#ifndef GPC_LOWER_PHASH_H
#define GPC_LOWER_PHASH_H

#include "../base/arena.h"
#include "gpc/image.h"

#include <stdbool.h>
#include <stdint.h>

/* Hash of key number `index` under `seed`. Keys must be distinct. */
typedef uint64_t gpc_phash_key(uint64_t seed, const void *keys, size_t index);

struct gpc_phash_table {
	struct gpc_phash hash;
	uint32_t *displacements;	/* hash.bucket_mask + 1 */
	uint32_t *slots;		/* hash.slot_mask + 1: index + 1 of the key, 0: empty */
};

/* False if no seed of many gives a perfect table (keys made to collide); *ret is then untouched. */
bool gpc_phash_build(struct gpc_arena *arena, const void *keys, size_t count, gpc_phash_key *hash,
		     struct gpc_phash_table *ret);

#endif
