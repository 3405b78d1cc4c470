/* SPDX-License-Identifier: MIT */
/*
 * intern.h: numbers of things that have been seen, found by their hash; whether two things are the
 * same is asked of their owner. Start with all zero bytes.
 */
#ifndef GPC_MODEL_INTERN_H
#define GPC_MODEL_INTERN_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/arena.h"

struct gpc_intern_slot {
	uint64_t hash;
	uint32_t number;
	bool taken;
};

struct gpc_intern {
	struct gpc_intern_slot *slots;
	size_t capacity, used;
};

/* Is the thing looked for, which `context` knows, the one of that number? */
typedef bool gpc_intern_same(const void *context, uint32_t number);

/* Room for so many, if that is known. */
void gpc_intern_reserve(struct gpc_arena *arena, struct gpc_intern *intern, size_t count);

/* GPC_NONE if it is not there. */
uint32_t gpc_intern_find(const struct gpc_intern *intern, uint64_t hash, gpc_intern_same *same,
			 const void *context);
void gpc_intern_add(struct gpc_arena *arena, struct gpc_intern *intern, uint64_t hash,
		    uint32_t number);

/* Hash of what was hashed so far and one more word; start with any constant. */
uint64_t gpc_intern_mix(uint64_t hash, uint64_t word);
uint64_t gpc_intern_mix_bytes(uint64_t hash, const void *bytes, size_t size);

#endif
