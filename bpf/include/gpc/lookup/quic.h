/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * quic.h: from a QUIC connection id to an endpoint (QUIC-LB, plaintext: the server id follows the id's
 * first octet, whose upper three bits tell configurations apart; all ones: not to be routed by).
 */
#ifndef GPC_LOOKUP_QUIC_H
#define GPC_LOOKUP_QUIC_H

#include "endpoint.h"

#define GPC_QUIC_LONG		0x80u	/* of the first byte */
#define GPC_QUIC_HEAD		7u	/* bytes that gpc_quic_server_id() looks at */
#define GPC_QUIC_CID_MAX	20u
#define GPC_QUIC_UNROUTABLE	7u

/*
 * Offset of a server id of `length` bytes in a datagram that begins with `head`; 0: it has none. That the
 * datagram is long enough is left to the caller.
 */
GPC_INLINE __u32 gpc_quic_server_id(const __u8 head[GPC_QUIC_HEAD], __u8 length)
{
	__u8 first = head[1], at = 2;

	if (head[0] & GPC_QUIC_LONG) {
		if (head[5] <= length || head[5] > GPC_QUIC_CID_MAX)
			return 0;
		first = head[6];
		at = 7;
	}
	return first >> 5 == GPC_QUIC_UNROUTABLE ? 0 : at;
}

/* Index of the backend's endpoint with this server id (zero behind its end), GPC_NONE. */
GPC_INLINE __u32 gpc_quic_endpoint(struct gpc_view view, const __u64 id[2], __u32 backend)
{
	const struct gpc_plane *plane = gpc_view_plane(view);
	__u64 h = gpc_phash_mix(plane->quic.seed, id[0], id[1], backend);
	__u32 bucket = (__u32)(h >> 32) & plane->quic.bucket_mask;
	const __u32 *displacement =
		gpc_record(view, plane->section[GPC_SEC_QUIC_DISP].offset, bucket, sizeof(__u32));
	__u32 slot = ((__u32)h ^ *displacement) & plane->quic.slot_mask;
	const struct gpc_quic *entry =
		gpc_record(view, plane->section[GPC_SEC_QUIC].offset, slot, sizeof(*entry));

	if (!entry->endpoint || entry->id[0] != id[0] || entry->id[1] != id[1] ||
	    entry->backend != backend)
		return GPC_NONE;
	return entry->endpoint - 1;
}

#endif
