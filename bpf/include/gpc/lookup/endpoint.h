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

/* Can the endpoint take a packet of this family by this way of forwarding? */
GPC_INLINE int gpc_endpoint_takes(const struct gpc_endpoint *endpoint, __u8 forward, __u32 family)
{
	__u8 families = GPC_ENDPOINT_V4 | GPC_ENDPOINT_V6;

	if (forward != GPC_FORWARD_DSR && family == GPC_V6)
		families = GPC_ENDPOINT_V6;
	else if (forward == GPC_FORWARD_NAT)
		families = GPC_ENDPOINT_V4;
	return endpoint->flags & families;
}

GPC_INLINE const struct gpc_backend *gpc_backend_at(struct gpc_view view, __u32 index)
{
	const struct gpc_plane *plane = gpc_view_plane(view);

	return gpc_record(view, plane->section[GPC_SEC_BACKEND].offset, index,
			  sizeof(struct gpc_backend));
}

/* Index of the backend's endpoint that is number `at` in name order. */
GPC_INLINE __u32 gpc_endpoint_by_name(struct gpc_view view, const struct gpc_backend *backend,
				      __u32 at)
{
	return backend->first_endpoint +
	       gpc_endpoint_at(view, backend->first_endpoint + at)->by_name;
}

GPC_INLINE const struct gpc_pool *gpc_pool_at(struct gpc_view view, __u32 index)
{
	const struct gpc_plane *plane = gpc_view_plane(view);

	return gpc_record(view, plane->section[GPC_SEC_POOL].offset, index,
			  sizeof(struct gpc_pool));
}

/* Index of the pool of the listener's split that takes a flow with this hash (of draw GPC_DRAW_SPLIT). */
GPC_INLINE __u32 gpc_pool_by_hash(struct gpc_view view, const struct gpc_listener *listener,
				  __u64 hash)
{
	__u32 first = listener->first_pool, i;
	__u32 at = gpc_maglev_slot(hash, gpc_pool_at(view, first)->total);

#ifdef __clang__
#pragma clang loop unroll(disable)
#endif
	for (i = 0; i + 1 < listener->pools && i < GPC_MAX_SPLIT; i++)
		if (at < gpc_pool_at(view, first + i)->until)
			break;
	return first + i;
}

#endif
