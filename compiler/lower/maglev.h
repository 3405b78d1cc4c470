/* SPDX-License-Identifier: MIT */
/*
 * maglev.h: the Maglev lookup table (Eisenbud et al., NSDI 2016, section 3.4) with weights.
 *
 * Every endpoint has a permutation of the M slots: slot j of it is (offset + j * skip) mod M, with
 * offset = low 32 bits of its stable id mod M, skip = high 32 bits mod (M - 1) + 1; M is prime. The
 * stable id is 64 bits of SHA-256, so its halves are independent hash values already.
 *
 * Weights are cumulative (as in Katran's second version; its first ignores them). Endpoints take
 * turns in ascending id order; W is the greatest weight. At its turn an endpoint adds its weight to
 * its credit, which starts at 0; if the credit is then at least W, W is taken off and the endpoint
 * takes the next free slot of its permutation. Turns go round until all M slots are taken. So with
 * equal weights each endpoint takes a slot at every turn, as in the paper.
 *
 * All arithmetic is 64-bit. The table depends only on M and the set of (id, weight).
 */
#ifndef GPC_LOWER_MAGLEV_H
#define GPC_LOWER_MAGLEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../model/table_size.h"

struct gpc_maglev_endpoint {
	uint64_t id;
	uint32_t weight;	/* 1..65535 */
	uint16_t value;		/* what its slots hold */
};

/*
 * Fills table[0..size). `size` is a prime in [GPC_MIN_TABLE_SIZE, GPC_MAX_TABLE_SIZE]; `endpoints`
 * stand in ascending id order, count >= 1 (more endpoints than slots: the last ones get
 * none). Allocates scratch memory of O(count + size) bytes with malloc; aborts when there is none.
 */
void gpc_maglev_fill(const struct gpc_maglev_endpoint *endpoints, size_t count, uint16_t *table,
		     uint32_t size);

/* How many slots gpc_maglev_fill() gives each of the same endpoints, without filling a table. */
void gpc_maglev_count(const struct gpc_maglev_endpoint *endpoints, size_t count, uint32_t size,
		      uint32_t *ret_counts);

/* Where `slot` stands in an endpoint's permutation: 0 is the slot it asks for first. */
struct gpc_maglev_order {
	uint32_t offset, inverse, size;
};
struct gpc_maglev_order gpc_maglev_order(uint64_t id, uint32_t size);
static inline uint32_t gpc_maglev_rank(struct gpc_maglev_order order, uint32_t slot)
{
	uint64_t distance = slot + (slot < order.offset ? order.size : 0u) - order.offset;

	return (uint32_t)(distance * order.inverse % order.size);
}

/*
 * Gives the slots that are not `taken` (a bitmap of size / 64 + 1 words, bits behind `size` do not
 * matter) away: endpoints take turns in ascending id order, and at its turn one that still wants slots
 * takes the next free one of its permutation. The wants, which are used up, add up to the free slots.
 */
void gpc_maglev_complete(const struct gpc_maglev_endpoint *endpoints, size_t count, uint32_t *wants,
			 uint64_t *taken, uint16_t *table, uint32_t size);

#endif
