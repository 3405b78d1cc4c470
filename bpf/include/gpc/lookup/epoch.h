/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * epoch.h: one number for all that a flow entry may hold against the image (abi.h, struct gpc_flow).
 */
#ifndef GPC_LOOKUP_EPOCH_H
#define GPC_LOOKUP_EPOCH_H

#include "hash.h"

/*
 * What gpc_plane.epoch is: it changes when a chain's tag, direction, flags or stamp changes, or a policy's
 * mode. Even, because flow entries keep GPC_EPOCH_AUDIT beside it.
 */
GPC_INLINE __u32 gpc_policies_epoch(const struct gpc_chain *chains, __u32 chain_count,
				    const struct gpc_policy *policies)
{
	__u64 h = chain_count;
	__u32 i, k;

	for (i = 0; i < chain_count; i++) {
		h = gpc_phash_mix(h, chains[i].stamp, chains[i].tag,
				  chains[i].direction | (__u64)chains[i].flags << 8);
		for (k = 0; k < chains[i].policies; k++)
			h = gpc_phash_mix(h, k, policies[chains[i].policy[k]].mode, 0);
	}
	return (__u32)h & ~1u;
}

#endif
