/* SPDX-License-Identifier: MIT */
/*
 * slots.h: numbers given out by identity. An identity that an image still held uses keeps its slot;
 * a new one gets the lowest slot that no held image uses. Order of calls: init, hold..., take...
 */
#ifndef GPC_LOADER_LINK_SLOTS_H
#define GPC_LOADER_LINK_SLOTS_H

#include <stdbool.h>
#include <stdint.h>

struct gpc_slot_entry {
	uint64_t key[2];	/* never both 0 */
	uint32_t slot;
};

struct gpc_slots {
	struct gpc_slot_entry *entries;	/* open addressing */
	uint64_t *used;			/* bit per slot */
	uint32_t mask, entry_count;
	uint32_t first, capacity, lowest;
};

/* Slots first..capacity-1. -ENOMEM. */
int gpc_slots_init(struct gpc_slots *slots, uint32_t first, uint32_t capacity);
void gpc_slots_release(struct gpc_slots *slots);

/* A held image uses `slot` for `key`. The first to say so counts; slots out of range are ignored. */
int gpc_slots_hold(struct gpc_slots *slots, const uint64_t key[2], uint32_t slot);

/* The slot of `key`; *ret_fresh: it was given out by this call. -ENOSPC, -ENOMEM. */
int gpc_slots_take(struct gpc_slots *slots, const uint64_t key[2], uint32_t *ret_slot,
		   bool *ret_fresh);

#endif
