/* SPDX-License-Identifier: MIT */
/*
 * keys.h: finds keys that a mapping holds twice, in n log n steps whatever the keys are (a hash
 * table could be flooded by chosen keys).
 */
#ifndef GPC_SYNTAX_KEYS_H
#define GPC_SYNTAX_KEYS_H

#include "node.h"

typedef void gpc_duplicate_key(void *context, const struct gpc_pair *first,
			       const struct gpc_pair *again);

/*
 * Calls `duplicate` for every pair whose key an earlier pair has, and removes it; order is kept.
 * Returns how many pairs are left.
 */
size_t gpc_keys_unite(struct gpc_arena *scratch, struct gpc_pair *pairs, size_t count,
		      gpc_duplicate_key *duplicate, void *context);

#endif
