/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * endpoint.h: endpoints by identity (known flows) and by Maglev slot (new flows).
 */
#ifndef GPC_LOOKUP_ENDPOINT_H
#define GPC_LOOKUP_ENDPOINT_H

#include "hash.h"

GPC_INLINE const struct gpc_endpoint *gpc_endpoint_at(struct gpc_view view, __u32 index)
{
	const struct gpc_plane *plane = gpc_view_plane(view);

	return gpc_record(view, plane->section[GPC_SEC_ENDPOINT].offset, index,
			  sizeof(struct gpc_endpoint));
}

/*
 * Index of the endpoint with this stable id, GPC_NONE when the image has none. Three dependent
 * loads: displacement, index, record (whose id is compared).
 */
GPC_INLINE __u32 gpc_endpoint_by_id(struct gpc_view view, __u64 id)
{
	const struct gpc_plane *plane = gpc_view_plane(view);
	__u64 h = gpc_phash_mix(plane->endpoint.seed, id, 0, 0);
	__u32 bucket = (__u32)(h >> 32) & plane->endpoint.bucket_mask;
	const __u32 *displacement =
		gpc_record(view, plane->section[GPC_SEC_EP_DISP].offset, bucket, sizeof(__u32));
	__u32 slot = ((__u32)h ^ *displacement) & plane->endpoint.slot_mask;
	const __u32 *entry =
		gpc_record(view, plane->section[GPC_SEC_EP_INDEX].offset, slot, sizeof(__u32));
	__u32 index = *entry;	/* index + 1; 0: empty */

	if (!index || gpc_endpoint_at(view, index - 1)->id != id)
		return GPC_NONE;
	return index - 1;
}

/* Maglev slot of a hash in a table of `size` slots: multiply-shift, no division. */
GPC_INLINE __u32 gpc_maglev_slot(__u64 hash, __u32 size)
{
	return (__u32)(((hash & 0xffffffffull) * size) >> 32);
}

/* Index of the endpoint that a new flow with this hash gets from the table, GPC_NONE if it is empty. */
GPC_INLINE __u32 gpc_endpoint_by_hash(struct gpc_view view, const struct gpc_table_ref *table,
				      __u64 hash)
{
	const __u16 *slot;

	if (!table->size || table->offset == GPC_NONE)
		return GPC_NONE;
	slot = gpc_at(view, (__u64)table->offset + 2ull * gpc_maglev_slot(hash, table->size), 2);
	return table->first_endpoint + *slot;
}

#endif
