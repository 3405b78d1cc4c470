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

#endif
