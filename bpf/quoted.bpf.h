/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * quoted.bpf.h: the packet that an ICMP or ICMPv6 error quotes (SEMANTICS 4.4), read for its tuple.
 *
 * Only what identifies the flow is asked for: the IP header, what options and extension headers it
 * has, and 8 bytes behind them. Neither its length nor its checksum is judged: routers cut quotes
 * short and have changed TTL and checksum.
 */
#ifndef GPC_QUOTED_BPF_H
#define GPC_QUOTED_BPF_H

#include "frame.bpf.h"
#include "parse.bpf.h"

#define GPC_QUOTED_L4 8u
#define GPC_ICMP_HEAD 8u	/* bytes of an error in front of the packet that it quotes */

/*
 * Ports of the tuple from the first 8 bytes of an L4 header; an echo's identifier stands for both. 0:
 * the quoted packet belongs to no flow (an ICMP message that is no echo).
 */
static __always_inline int quoted_ports(struct gpc_packet *q, const __u8 *l4)
{
	switch (q->tuple.protocol) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_SCTP:
		q->tuple.source_port = load16(l4);
		q->tuple.destination_port = load16(l4 + 2);
		return 1;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		q->icmp = load_be16(l4);
		q->tuple.source_port = load16(l4 + 4);
		q->tuple.destination_port = load16(l4 + 4);
		return is_echo(q->tuple.protocol, l4[0]);
	default:
		return 1;
	}
}

/* The offset behind the v4 header at `at`, 0: no packet of which the ports are quoted. */
static __always_inline __u32 quoted_v4(void *ctx, enum gpc_context kind, struct gpc_packet *q,
				       __u32 at)
{
	__u64 header[3];
	const __u8 *ip = (const __u8 *)header;

	header[2] = 0;
	if (frame_load(ctx, kind, at, header, GPC_IPV4_SIZE))
		return 0;
	read_v4(q, ip);
	if (ip[0] >> 4 != 4 || (ip[0] & 15) < 5 || load_be16(ip + 6) & 0x1fff)
		return 0;
	return at + (__u32)(ip[0] & 15) * 4;
}

static __always_inline __u32 quoted_v6(void *ctx, enum gpc_context kind, struct gpc_packet *q,
				       __u32 at)
{
	__u64 header[5];
	__u32 i;

	if (frame_load(ctx, kind, at, header, GPC_IPV6_SIZE))
		return 0;
	read_v6(q, (const __u8 *)header);
	if (((const __u8 *)header)[0] >> 4 != 6)
		return 0;
	at += GPC_IPV6_SIZE;
	/* Unrolled: old verifiers refuse a loop whose way back is no jump, and this one came out so. */
#pragma clang loop unroll(full)
	for (i = 0; i <= GPC_MAX_EXTENSIONS; i++) {
		__u8 extension[8], kind_of = q->tuple.protocol;

		if (!is_extension(kind_of))
			return at;
		if (i == GPC_MAX_EXTENSIONS ||
		    frame_load(ctx, kind, at, extension, sizeof(extension)))
			return 0;
		if (kind_of == IPPROTO_FRAGMENT) {
			if (load_be16(extension + 2) >> 3)
				return 0;
			at += 8;
		} else if (kind_of == IPPROTO_AH) {
			at += (extension[1] + 2u) * 4;
		} else {
			at += (extension[1] + 1u) * 8;
		}
		q->tuple.protocol = extension[0];
	}
	return 0;
}

static __always_inline int quoted(void *ctx, enum gpc_context kind, struct gpc_packet *q, __u32 at,
				  __u32 limit)
{
	__u8 l4[GPC_QUOTED_L4];

	at = q->family == GPC_V4 ? quoted_v4(ctx, kind, q, at) : quoted_v6(ctx, kind, q, at);
	q->tcp_flags = 0;
	q->l4 = at;
	if (!at || at + GPC_QUOTED_L4 > limit || frame_load(ctx, kind, at, l4, sizeof(l4)))
		return 0;
	return quoted_ports(q, l4);
}

/*
 * The packet quoted at offset `at` of a frame whose IP packet ends at `limit`: v6 if q->family says
 * so, all else of *q is zero. 1: q->tuple, tos, word, length and l4 are those of the quoted packet as
 * it was sent. 0: it names no flow; *q is not to be used. Global functions, one for each context.
 */
__noinline int gpc_quoted_xdp(struct xdp_md *ctx, struct gpc_packet *q, __u32 at, __u32 limit)
{
	if (!ctx || !q)
		return 0;
	return quoted(ctx, GPC_CONTEXT_XDP, q, at, limit);
}

__noinline int gpc_quoted_skb(struct __sk_buff *ctx, struct gpc_packet *q, __u32 at, __u32 limit)
{
	if (!ctx || !q)
		return 0;
	return quoted(ctx, GPC_CONTEXT_SKB, q, at, limit);
}

#endif
