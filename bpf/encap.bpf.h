/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * encap.bpf.h: turns a frame into the one that goes to the endpoint (SEMANTICS 6.2): an outer IP
 * header for `ipip`, with UDP behind it for `gue`, other MAC addresses only for `dsr`.
 *
 * Outer header: TTL 64; TOS copied, its DSCP replaced by the listener's outer-dscp if that is a number, ECN
 * always copied; DF copied; identification 0 with DF, else the inner one; flow label copied from IPv6, and
 * for an IPv4 packet a keyed hash of its flow, so that routers and receive queues can spread flows. The
 * inner packet is not touched. Padding behind it is cut off first: the outer length does not cover it, and
 * the frame is long enough without.
 *
 * GUE is its variant 1: the inner packet follows UDP at once, its first four bits say which IP it is. The
 * source port is a keyed hash of the flow; the checksum is 0 in IPv4 (RFC 768), the right one in IPv6.
 */
#ifndef GPC_ENCAP_BPF_H
#define GPC_ENCAP_BPF_H

#include "gue.bpf.h"
#include "hop.bpf.h"

#define GPC_OUTER_TTL 64u
#define GPC_IP_LENGTH_MAX 0xffffu
#define GPC_IPV4_DF 0x40ull /* of the fragment field's first byte */

/* An outer header in registers: 20 or 40 bytes of IP as loaded, 8 of UDP. */
struct gpc_outer {
	__u64 word[5];
	__u64 udp;
	__u32 size;  /* of all of it, 0: none (dsr) */
	__be16 type; /* EtherType of the frame to send */
	__u8 tos;
};

static __always_inline __u8 outer_tos(const struct gpc_listener *listener,
				      const struct gpc_packet *p)
{
	__u8 dscp = listener->outer_dscp;

	return dscp == GPC_DSCP_COPY ? p->tos : dscp << 2 | (p->tos & 3);
}

/* `udp` is the constant GPC_UDP_SIZE or 0, here and below. */
static __always_inline void outer_v4(struct gpc_outer *outer, const struct gpc_packet *p,
				     __be32 source, __be32 destination, __u32 udp)
{
	__u64 fragment = (p->word >> 16) & GPC_IPV4_DF;
	__u64 id = fragment ? 0 : p->word & 0xffff;
	__u64 protocol = udp ? IPPROTO_UDP : IPPROTO_IPIP;
	__u64 first = 0x45 | (__u64)outer->tos << 8 |
		      (__u64)bpf_htons(p->length + GPC_IPV4_SIZE + udp) << 16 | id << 32 |
		      fragment << 48;
	__u64 second = GPC_OUTER_TTL | protocol << 8;
	__u64 sum = (first & 0xffffffff) + (first >> 32) + second + source + destination;

	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	outer->word[0] = first;
	outer->word[1] = second | (~sum & 0xffff) << 16 | (__u64)source << 32;
	outer->word[2] = destination;
	outer->size = GPC_IPV4_SIZE + udp;
	outer->type = bpf_htons(ETH_P_IP);
}

/* A hash of the flow for those on the way who spread flows. */
static __always_inline __u32 flow_entropy(__u64 seed, const struct gpc_packet *p)
{
	__u64 ports = (__u64)p->tuple.source_port << 16 | p->tuple.destination_port;

	return gpc_phash_mix(seed, p->tuple.source[1], p->tuple.destination[1], ports);
}

static __always_inline void outer_v6(struct gpc_outer *outer, __u64 seed,
				     const struct gpc_packet *p, const __u64 source[2],
				     const __u64 destination[2], __u32 udp)
{
	__u32 protocol = IPPROTO_IPV6, label = bpf_ntohl(p->word);

	if (p->family == GPC_V4) {
		protocol = IPPROTO_IPIP;
		label = flow_entropy(seed, p);
	}
	if (udp)
		protocol = IPPROTO_UDP;
	outer->word[0] = bpf_htonl(6u << 28 | (__u32)outer->tos << 20 | (label & 0xfffff)) |
			 (__u64)bpf_htons(p->length + udp) << 32 | (__u64)protocol << 48 |
			 (__u64)GPC_OUTER_TTL << 56;
	outer->word[1] = source[0];
	outer->word[2] = source[1];
	outer->word[3] = destination[0];
	outer->word[4] = destination[1];
	outer->size = GPC_IPV6_SIZE + udp;
	outer->type = bpf_htons(ETH_P_IPV6);
}

/*
 * Does the outer header make it larger than its way takes? An IPv4 packet without DF is sent all the
 * same, its outer header without DF.
 */
static __always_inline int too_big(const struct gpc_packet *p, __u32 grows, __u32 mtu)
{
	__u32 length = p->length + grows;

	if (!grows)
		return 0;
	if (unlikely(length > GPC_IP_LENGTH_MAX))
		return 1;
	return mtu && length > mtu && (p->family == GPC_V6 || p->word >> 16 & GPC_IPV4_DF);
}

/* Writes the frame's new head: MAC addresses, the `tags` that stay, EtherType, outer header. */
static __always_inline int write_head(struct xdp_md *ctx, const struct gpc_packet *p,
				      const struct gpc_route *route, const struct gpc_outer *outer,
				      __u32 tags, __u32 udp)
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
	if (outer->type == bpf_htons(ETH_P_IP)) {
		if (ip + GPC_IPV4_SIZE + udp > end)
			return 0;
		if (udp)
			*(__u64 *)(ip + GPC_IPV4_SIZE) = outer->udp;
		return 1;
	}
	if (ip + GPC_IPV6_SIZE + udp > end)
		return 0;
	*(__u64 *)(ip + 16) = outer->word[2];
	*(__u64 *)(ip + 24) = outer->word[3];
	*(__u64 *)(ip + 32) = outer->word[4];
	if (udp)
		*(__u64 *)(ip + GPC_IPV6_SIZE) = outer->udp;
	return 1;
}

/*
 * Makes the frame, which has `had` tags, and sends it: the XDP action, or -1 if there was no room in front of
 * it.
 */
static __always_inline int send(struct xdp_md *ctx, const struct gpc_packet *p, __u32 had,
				__u32 in, const struct gpc_route *route,
				const struct gpc_outer *outer, __u32 udp)
{
	int back = route->ifindex == in;
	__u32 tags = back ? had : 0;
	int grow = (int)outer->size - 4 * (int)(had - tags);
	int padding = (int)(p->frame - GPC_ETH_SIZE - 4 * had - p->length);

	if (outer->size && padding > 0 && bpf_xdp_adjust_tail(ctx, -padding))
		return -1;
	if (grow && bpf_xdp_adjust_head(ctx, -grow))
		return -1;
	if (!write_head(ctx, p, route, outer, tags, udp))
		return -1;
	return back ? XDP_TX : bpf_redirect(route->ifindex, 0);
}

/* The UDP header of c->wrap, whose IP header is in *outer; 0: the packet cannot be summed up. */
static __always_inline int outer_udp(struct xdp_md *ctx, const struct gpc_case *c,
				     struct gpc_outer *outer)
{
	__u64 length = bpf_htons(c->packet.length + GPC_UDP_SIZE), sum;
	__u16 source = bpf_htons(
		(__u16)(GPC_GUE_SOURCE | flow_entropy(c->wrap.seed, &c->packet)));
	__s32 inner;

	outer->udp = source | (__u64)c->wrap.port << 16 | length << 32;
	if (outer->type == bpf_htons(ETH_P_IP))
		return 1;
	inner = gpc_sum_inner(ctx, c);
	if (inner < 0)
		return 0;
	sum = (__u32)inner + source + c->wrap.port + 2 * length + bpf_htons(IPPROTO_UDP);
	sum = sum_word(sum_word(sum, outer->word[1]), outer->word[2]);
	sum = sum_word(sum_word(sum, outer->word[3]), outer->word[4]);
	sum = ~sum_folded(sum) & 0xffff;
	outer->udp |= (sum ? sum : 0xffff) << 48;
	return 1;
}

/* Like send(), by what c->wrap says. */
__noinline int gpc_send_gue(struct xdp_md *ctx, const struct gpc_case *c)
{
	const struct gpc_packet *p;
	struct gpc_outer outer = {};
	struct gpc_route route;

	if (!ctx || !c)
		return -1;
	p = &c->packet;
	outer.tos = c->wrap.tos;
	if (c->wrap.family == GPC_V4)
		outer_v4(&outer, p, c->wrap.source[1] >> 32, c->wrap.destination[1] >> 32,
			 GPC_UDP_SIZE);
	else
		outer_v6(&outer, c->wrap.seed, p, c->wrap.source, c->wrap.destination,
			 GPC_UDP_SIZE);
	if (!outer_udp(ctx, c, &outer))
		return -1;
	route.destination_mac = c->wrap.destination_mac;
	route.source_mac = c->wrap.source_mac;
	route.ifindex = c->wrap.ifindex;
	return send(ctx, p, p->tags, c->wrap.in, &route, &outer, GPC_UDP_SIZE);
}

#endif
