/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * encap.bpf.h: turns a frame into the one that goes to the endpoint (SEMANTICS 6.2): an outer IP
 * header for `ipip`, other MAC addresses only for `dsr`.
 *
 * Outer header: TTL 64; the whole TOS byte copied, so DSCP and ECN; DF copied; identification 0
 * with DF, else the inner one; flow label copied from IPv6, and for an IPv4 packet a keyed hash of
 * its flow, so that routers and receive queues can spread flows. The inner packet is not touched.
 * Padding behind it is cut off first: the outer length does not cover it, and the frame is long
 * enough without.
 */
#ifndef GPC_ENCAP_BPF_H
#define GPC_ENCAP_BPF_H

#include "hop.bpf.h"

#define GPC_OUTER_TTL 64u
#define GPC_IP_LENGTH_MAX 0xffffu
#define GPC_IPV4_DF 0x40ull /* of the fragment field's first byte */

/* An outer header in registers: 20 or 40 bytes as loaded. */
struct gpc_outer {
	__u64 word[5];
	__u32 size;  /* 0: none (dsr) */
	__be16 type; /* EtherType of the frame to send */
};

static __always_inline void outer_v4(struct gpc_outer *outer, const struct gpc_packet *p,
				     __be32 source, __be32 destination)
{
	__u64 fragment = (p->word >> 16) & GPC_IPV4_DF;
	__u64 id = fragment ? 0 : p->word & 0xffff;
	__u64 first = 0x45 | (__u64)p->tos << 8 |
		      (__u64)bpf_htons(p->length + GPC_IPV4_SIZE) << 16 | id << 32 | fragment << 48;
	__u64 second = GPC_OUTER_TTL | IPPROTO_IPIP << 8;
	__u64 sum = (first & 0xffffffff) + (first >> 32) + second + source + destination;

	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	outer->word[0] = first;
	outer->word[1] = second | (~sum & 0xffff) << 16 | (__u64)source << 32;
	outer->word[2] = destination;
	outer->size = GPC_IPV4_SIZE;
	outer->type = bpf_htons(ETH_P_IP);
}

static __always_inline __u32 flow_label(const struct gpc_plane *plane, const struct gpc_packet *p)
{
	__u64 ports = (__u64)p->tuple.source_port << 16 | p->tuple.destination_port;

	return gpc_phash_mix(plane->hash_seed[0], p->tuple.source[1], p->tuple.destination[1],
			     ports) &
	       0xfffff;
}

static __always_inline void outer_v6(struct gpc_outer *outer, const struct gpc_plane *plane,
				     const struct gpc_packet *p, const __u64 source[2],
				     const __u64 destination[2])
{
	__u32 protocol = IPPROTO_IPV6, word = p->word;

	if (p->family == GPC_V4) {
		protocol = IPPROTO_IPIP;
		word = bpf_htonl(6u << 28 | (__u32)p->tos << 20 | flow_label(plane, p));
	}
	outer->word[0] = word | (__u64)bpf_htons(p->length) << 32 | (__u64)protocol << 48 |
			 (__u64)GPC_OUTER_TTL << 56;
	outer->word[1] = source[0];
	outer->word[2] = source[1];
	outer->word[3] = destination[0];
	outer->word[4] = destination[1];
	outer->size = GPC_IPV6_SIZE;
	outer->type = bpf_htons(ETH_P_IPV6);
}

/*
 * Does the outer header make it larger than its way takes? An IPv4 packet without DF is sent all the
 * same, its outer header without DF. (Telling the sender comes with the rest of load balancing.)
 */
static __always_inline int too_big(const struct gpc_packet *p, const struct gpc_outer *outer,
				   __u32 mtu)
{
	__u32 length = p->length + outer->size;

	if (!outer->size)
		return 0;
	if (unlikely(length > GPC_IP_LENGTH_MAX))
		return 1;
	return mtu && length > mtu && (p->family == GPC_V6 || p->word >> 16 & GPC_IPV4_DF);
}

/* Writes the frame's new head: MAC addresses, the `tags` that stay, EtherType, outer header. */
static __always_inline int write_head(struct xdp_md *ctx, const struct gpc_packet *p,
				      const struct gpc_route *route, const struct gpc_outer *outer,
				      __u32 tags)
{
	__u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end, *l2, *ip;

	l2 = data + (tags & 3) * 4;
	ip = l2 + GPC_ETH_SIZE;
	if (data + GPC_ETH_SIZE + 4 > end || ip + GPC_IPV4_SIZE > end)
		return 0;
	*(__u64 *)data = route->destination_mac | route->source_mac << 48;
	*(__u32 *)(data + 8) = route->source_mac >> 16;
	if (unlikely(tags)) {
		*(__u32 *)(data + 12) = p->tag[0];
		if (tags > 1 && l2 + 12 <= end)
			*(__u32 *)(l2 + 8) = p->tag[1];
	}
	*(__be16 *)(l2 + 12) = outer->type;
	if (!outer->size)
		return 1;
	*(__u64 *)ip = outer->word[0];
	*(__u64 *)(ip + 8) = outer->word[1];
	*(__u32 *)(ip + 16) = outer->word[2];
	if (outer->size == GPC_IPV4_SIZE)
		return 1;
	if (ip + GPC_IPV6_SIZE > end)
		return 0;
	*(__u64 *)(ip + 16) = outer->word[2];
	*(__u64 *)(ip + 24) = outer->word[3];
	*(__u64 *)(ip + 32) = outer->word[4];
	return 1;
}

/*
 * Makes the frame and sends it: the XDP action, or -1 if there was no room in front of it.
 */
static __always_inline int send(struct xdp_md *ctx, const struct gpc_packet *p,
				const struct gpc_link_device *in, const struct gpc_route *route,
				const struct gpc_outer *outer)
{
	int back = route->ifindex == in->ifindex;
	__u32 tags = back ? p->tags : 0;
	int grow = (int)outer->size - 4 * (int)(p->tags - tags);
	int padding = (int)(p->frame - GPC_ETH_SIZE - 4 * p->tags - p->length);

	if (outer->size && padding > 0 && bpf_xdp_adjust_tail(ctx, -padding))
		return -1;
	if (grow && bpf_xdp_adjust_head(ctx, -grow))
		return -1;
	if (!write_head(ctx, p, route, outer, tags))
		return -1;
	return back ? XDP_TX : bpf_redirect(route->ifindex, 0);
}

#endif
