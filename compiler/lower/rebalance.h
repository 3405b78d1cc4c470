/* SPDX-License-Identifier: MIT */
/*
 * rebalance.h: a Maglev table made from the one before with the fewest moves (`rebalance: minimal`).
 *
 * A number of slots is fair to an endpoint if it is its exact share of the table (size x weight / sum of
 * weights) rounded down or up, or lies between that and what a fresh table gives it. A table is fair if
 * it is to everybody; fresh ones are. Of all fair tables one with the fewest slots that have another
 * endpoint than before is made:
 *
 *   counts  each endpoint keeps the slots it holds, as far as that is fair, and gets at least what is. If
 *           slots are then left, they go one at a time to whoever is furthest below its exact share; if
 *           too many are held, whoever is furthest above gives one.
 *   slots   who holds too many keeps those that come first in its permutation (maglev.h). What is free is
 *           given as in a fresh table: in turns, by permutations.
 *
 * So the table depends on the one before and the set of (id, weight), and the same set as before moves
 * nothing. Counts are fair whatever came before: balance does not decay over generations.
 */
#ifndef GPC_LOWER_REBALANCE_H
#define GPC_LOWER_REBALANCE_H

#include "maglev.h"

#define GPC_SLOT_NOBODY UINT32_MAX	/* its endpoint is no longer there */

/*
 * Fills table[0..size) as gpc_maglev_fill() does, from before[0..size): an index of `endpoints` by slot, or
 * GPC_SLOT_NOBODY. Returns the number of slots whose endpoint is another. Same limits.
 */
uint32_t gpc_rebalance(const struct gpc_maglev_endpoint *endpoints, size_t count,
		       const uint32_t *before, uint16_t *table, uint32_t size);

/* The numbers of slots that are fair to each endpoint. */
struct gpc_fair {
	uint32_t least, most;
};
void gpc_rebalance_fair(const struct gpc_maglev_endpoint *endpoints, size_t count, uint32_t size,
			struct gpc_fair *ret_fair);

/*
 * The fewest slots that must move to a fair table, by the counts alone: what endpoints hold beyond what is
 * fair and what nobody holds must be given away; and what endpoints lack must be given to them. The
 * greater of the two.
 */
uint32_t gpc_rebalance_least(const struct gpc_fair *fair, const uint32_t *held, size_t count,
			     uint32_t size);

#endif
