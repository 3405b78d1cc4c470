/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * parse.bpf.h: from frame to struct gpc_packet; structure only (SEMANTICS 4.1, steps 2 and 3).
 *
 * parse_plain() is inlined and takes the frames that matter for speed: untagged, no IPv4 options,
 * no extension headers, no fragment, TCP or UDP. It declines every other frame, well-formed or not,
 * and the rest of this file judges those.
 */
#ifndef GPC_PARSE_BPF_H
#define GPC_PARSE_BPF_H

#include <bpf/bpf_endian.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/in6.h>

#include "gpc/lookup/question.h"
#include "slot.bpf.h"

#define GPC_ETH_SIZE 14u
#define GPC_IPV4_SIZE 20u
#define GPC_IPV6_SIZE 40u
#define GPC_TCP_SIZE 20u
#define GPC_MAX_TAGS 2u
#define GPC_MAX_EXTENSIONS 6u
#define GPC_OFFSET_MASK 0x7fffu /* above any offset that two times 6 extension headers can reach   \
				 */

#define GPC_VLAN_ID_MASK 0xfffu

#define GPC_ICMP_ECHO_REPLY 0u
#define GPC_ICMP_ECHO 8u
#define GPC_ICMP6_ECHO 128u
#define GPC_ICMP6_ECHO_REPLY 129u

#define GPC_TCP_FIN 0x01u
#define GPC_TCP_SYN 0x02u
#define GPC_TCP_RST 0x04u
#define GPC_TCP_ACK 0x10u

/* What parsing says of an IP packet with which nothing is wrong; else a reason. */
#define GPC_PARSED ((__u32)GPC_REASON_COUNT)

/*
 * What a packet is. Its destination is :: while unknown: no listener has that. Ports are 0 where there are
 * none; those of an ICMP echo are both its identifier, so that they name a flow like any other's.
 */
struct gpc_packet {
	struct gpc_tuple tuple;
	__u32 frame;  /* bytes of the frame as it came in */
	__u32 length; /* bytes of the IP packet, by its own word */
	__u32 word;   /* as loaded: v4 id and fragment field, v6 version, class and label */
	__u32 tag[GPC_MAX_TAGS]; /* as loaded: EtherType of the tag and its TCI */
	__u32 l4;		 /* offset of what follows the IP headers */
	__u32 fragment_id;	 /* of a fragment */
	__u8 tags;		 /* in the frame: a tag that the kernel took out is not counted */
	__u8 family;		 /* enum gpc_family */
	__u8 tos;		 /* or traffic class */
	__u8 tcp_flags;
	__u16 vlan;    /* id of the outermost tag, GPC_VLAN_NONE */
	__u8 fragment; /* enum gpc_fragment */
	__u8 hops;     /* v6: hop limit, if parse_plain() declined */
	__u16 icmp;    /* type << 8 | code, likewise */
	__u8 aggregate; /* of several segments: its own word of the length may be 0, for too many */
	__u8 fragment_protocol; /* of what is fragmented */
};

static __always_inline __u64 load64(const void *p)
{
	return *(const __u64 *)p;
}
static __always_inline __u32 load32(const void *p)
{
	return *(const __u32 *)p;
}
static __always_inline __u16 load16(const void *p)
{
	return *(const __u16 *)p;
}
static __always_inline __u16 load_be16(const void *p)
{
	return bpf_ntohs(*(const __u16 *)p);
}

static __always_inline __u32 frame_size(struct xdp_md *ctx)
{
	__u64 size = (__u64)(long)ctx->data_end - (__u64)(long)ctx->data;

	opaque(size); /* a difference of 32-bit halves is refused by the verifier */
	return size;
}

/* Reads the header at `ip`, 20 bytes of which are in the frame; what it says is not yet judged. */
static __always_inline void read_v4(struct gpc_packet *p, const __u8 *ip)
{
	p->family = GPC_V4;
	p->tos = ip[1];
	p->length = load_be16(ip + 2);
	p->word = load32(ip + 4);
	p->tuple.source[0] = 0;
	p->tuple.source[1] = gpc_mapped_v4(load32(ip + 12));
	p->tuple.destination[0] = 0;
	p->tuple.destination[1] = gpc_mapped_v4(load32(ip + 16));
	p->tuple.protocol = ip[9];
}

/* Likewise, 40 bytes. */
static __always_inline void read_v6(struct gpc_packet *p, const __u8 *ip)
{
	p->family = GPC_V6;
	p->word = load32(ip);
	p->tos = bpf_ntohl(p->word) >> 20;
	p->length = GPC_IPV6_SIZE + load_be16(ip + 4);
	p->tuple.source[0] = load64(ip + 8);
	p->tuple.source[1] = load64(ip + 16);
	p->tuple.destination[0] = load64(ip + 24);
	p->tuple.destination[1] = load64(ip + 32);
	p->tuple.protocol = ip[6];
}

/* TCP or UDP header of a whole packet with `room` bytes behind the IP header, 20 of them readable.
 */
static __always_inline int plain_l4(struct gpc_packet *p, const __u8 *l4, __u32 room)
{
	if (p->tuple.protocol == IPPROTO_TCP) {
		__u32 header = (__u32)(l4[12] >> 4) * 4;

		if (header < GPC_TCP_SIZE || header > room)
			return 0;
		p->tcp_flags = l4[13];
	} else {
		if (p->tuple.protocol != IPPROTO_UDP || room < 8)
			return 0;
		p->tcp_flags = 0;
	}
	p->tuple.source_port = load16(l4);
	p->tuple.destination_port = load16(l4 + 2);
	return 1;
}

/* 1: *p is complete. 0: the rest of this file has to look. p->frame and p->vlan are set. */
static __always_inline int parse_plain(const __u8 *data, const __u8 *end, struct gpc_packet *p)
{
	const __u8 *ip = data + GPC_ETH_SIZE;
	__u16 type;

	p->tags = 0;
	p->fragment = GPC_FRAGMENT_NONE;
	if (ip + GPC_IPV4_SIZE + GPC_TCP_SIZE > end)
		return 0;
	type = load16(data + 12);
	if (type == bpf_htons(ETH_P_IP)) {
		read_v4(p, ip);
		p->l4 = GPC_ETH_SIZE + GPC_IPV4_SIZE;
		if (ip[0] != 0x45 || p->word & bpf_htonl(0x3fff) ||
		    p->length + GPC_ETH_SIZE > p->frame)
			return 0;
		return plain_l4(p, ip + GPC_IPV4_SIZE, p->length - GPC_IPV4_SIZE) &&
		       p->length >= GPC_IPV4_SIZE;
	}
	if (type != bpf_htons(ETH_P_IPV6) || ip + GPC_IPV6_SIZE + GPC_TCP_SIZE > end)
		return 0;
	read_v6(p, ip);
	p->l4 = GPC_ETH_SIZE + GPC_IPV6_SIZE;
	if (ip[0] >> 4 != 6 || p->length + GPC_ETH_SIZE > p->frame)
		return 0;
	/* May be v4-mapped. */
	if (!p->tuple.source[0] || !p->tuple.destination[0])
		return 0;
	return plain_l4(p, ip + GPC_IPV6_SIZE, p->length - GPC_IPV6_SIZE);
}

/* ---- every other frame ---- */

/* Bytes that the L4 header has at least; 0: a protocol whose headers gpc does not read. */
static __always_inline __u32 l4_size(__u8 protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return GPC_TCP_SIZE;
	case IPPROTO_SCTP:
		return 12;
	case IPPROTO_UDP:
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return 8;
	default:
		return 0;
	}
}

static __always_inline int is_icmp(__u8 protocol)
{
	return protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;
}

/* Echo request or reply: has an identifier, and a flow. */
static __always_inline int is_echo(__u8 protocol, __u8 type)
{
	if (protocol == IPPROTO_ICMP)
		return type == GPC_ICMP_ECHO || type == GPC_ICMP_ECHO_REPLY;
	return protocol == IPPROTO_ICMPV6 &&
	       (type == GPC_ICMP6_ECHO || type == GPC_ICMP6_ECHO_REPLY);
}

/* Ports, ICMP type and identifier; 12 bytes are readable if the protocol has so many. */
static __always_inline void read_l4(struct gpc_packet *p, const __u8 *l4)
{
	__u8 protocol = p->tuple.protocol;

	if (is_icmp(protocol)) {
		p->icmp = load_be16(l4);
		if (is_echo(protocol, l4[0]))
			p->tuple.source_port = p->tuple.destination_port = load16(l4 + 4);
	} else {
		p->tuple.source_port = load16(l4);
		p->tuple.destination_port = load16(l4 + 2);
	}
}

/* L4 header at offset `at`; `limit` is where the IP packet ends, `first` says it is a first
 * fragment. */
static __always_inline __u32 parse_l4(const __u8 *data, const __u8 *end, struct gpc_packet *p,
				      __u32 at, __u32 limit, int first)
{
	const __u8 *l4 = data + (at & GPC_OFFSET_MASK);
	__u32 cut = first ? GPC_REASON_MALFORMED_FRAGMENT : GPC_REASON_MALFORMED_SHORT;
	__u32 size = l4_size(p->tuple.protocol);

	p->l4 = at;
	p->fragment = first ? GPC_FRAGMENT_FIRST : GPC_FRAGMENT_NONE;
	if (at + size > limit)
		return cut;
	if (!size)
		return GPC_PARSED;
	if (l4 + 8 > end)
		return cut;
	if (p->tuple.protocol == IPPROTO_TCP) {
		if (l4 + GPC_TCP_SIZE > end)
			return cut;
		size = (__u32)(l4[12] >> 4) * 4;
		if (size < GPC_TCP_SIZE)
			return GPC_REASON_MALFORMED_TCP;
		if (at + size > limit)
			return cut;
		p->tcp_flags = l4[13];
	}
	read_l4(p, l4);
	return GPC_PARSED;
}

/* A fragment that is not the first, at `offset` units of 8 bytes. */
static __always_inline __u32 parse_later_fragment(struct gpc_packet *p, __u8 protocol, __u32 offset)
{
	p->fragment = GPC_FRAGMENT_LATER;
	return protocol == IPPROTO_TCP && offset == 1 ? GPC_REASON_MALFORMED_FRAGMENT : GPC_PARSED;
}

static __always_inline __u32 parse_v4(const __u8 *data, const __u8 *end, struct gpc_packet *p,
				      __u32 at)
{
	const __u8 *ip = data + (at & GPC_OFFSET_MASK);
	__u32 header, fragment;

	if (ip + GPC_IPV4_SIZE > end)
		return GPC_REASON_MALFORMED_SHORT;
	read_v4(p, ip);
	if (ip[0] >> 4 != 4)
		return GPC_REASON_MALFORMED_VERSION;
	header = (__u32)(ip[0] & 15) * 4;
	if (header < GPC_IPV4_SIZE)
		return GPC_REASON_MALFORMED_IHL;
	if (p->aggregate && !p->length)
		p->length = p->frame - at;
	if (p->length < header || at + p->length > p->frame)
		return GPC_REASON_MALFORMED_SHORT;
	fragment = load_be16(ip + 6);
	p->fragment_id = p->word & 0xffff;
	p->fragment_protocol = p->tuple.protocol;
	if (fragment & 0x1fff)
		return parse_later_fragment(p, p->tuple.protocol, fragment & 0x1fff);
	return parse_l4(data, end, p, at + header, at + p->length, fragment & 0x2000);
}

static __always_inline int is_extension(__u8 next)
{
	return next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_FRAGMENT ||
	       next == IPPROTO_AH || next == IPPROTO_DSTOPTS;
}

/* ::ffff:a.b.c.d, which is how a v4 address stands in tables. */
static __always_inline int is_v4_mapped(const __u64 address[2])
{
	return !address[0] && (__u32)address[1] == bpf_htonl(0xffff);
}

static __always_inline __u32 parse_v6(const __u8 *data, const __u8 *end, struct gpc_packet *p,
				      __u32 at)
{
	const __u8 *ip = data + (at & GPC_OFFSET_MASK);
	__u32 limit, i, first = 0;

	if (ip + GPC_IPV6_SIZE > end)
		return GPC_REASON_MALFORMED_SHORT;
	read_v6(p, ip);
	p->hops = ip[7];
	/* A mapped address in a v6 header would meet the rules and listeners of the v4 one. */
	if (ip[0] >> 4 != 6 || is_v4_mapped(p->tuple.source) || is_v4_mapped(p->tuple.destination))
		return GPC_REASON_MALFORMED_VERSION;
	if (p->aggregate && p->length == GPC_IPV6_SIZE)
		p->length = p->frame - at;
	limit = at + p->length;
	if (limit > p->frame)
		return GPC_REASON_MALFORMED_SHORT;
	at += GPC_IPV6_SIZE;
#pragma clang loop unroll(disable)
	for (i = 0; is_extension(p->tuple.protocol); i++) {
		const __u8 *extension = data + (at & GPC_OFFSET_MASK);
		__u8 kind = p->tuple.protocol;
		__u32 size, fragment;

		if (i == GPC_MAX_EXTENSIONS || (kind == IPPROTO_HOPOPTS && i))
			return GPC_REASON_MALFORMED_EXTENSION;
		if (at + 8 > limit || extension + 8 > end)
			goto cut;
		p->tuple.protocol = extension[0];
		size = (extension[1] + 1u) * 8;
		if (kind == IPPROTO_AH)
			size = (extension[1] + 2u) * 4;
		if (kind == IPPROTO_ROUTING && extension[2] == 0)
			return GPC_REASON_MALFORMED_EXTENSION;
		if (kind == IPPROTO_FRAGMENT) {
			size = 8;
			fragment = load_be16(extension + 2);
			p->fragment_id = load32(extension + 4);
			p->fragment_protocol = extension[0];
			if (fragment >> 3)
				return parse_later_fragment(p, extension[0], fragment >> 3);
			first |= fragment & 1;
		}
		at += size;
		if (at > limit)
			goto cut;
	}
	return parse_l4(data, end, p, at, limit, first);
cut:
	return first ? GPC_REASON_MALFORMED_FRAGMENT : GPC_REASON_MALFORMED_SHORT;
}

static __always_inline int is_tag(__u16 type)
{
	return type == bpf_htons(ETH_P_8021Q) || type == bpf_htons(ETH_P_8021AD);
}

/*
 * Global functions, so that their states are not multiplied with those of what follows; one for each
 * context.
 *
 * An IP packet from offset `at`, v6 if p->family says so. p->frame is the offset where it has to end, all
 * that says what it is is zero yet.
 */
__noinline int gpc_parse_ip_xdp(struct xdp_md *ctx, struct gpc_packet *p, __u32 at)
{
	const __u8 *data, *end;

	if (!ctx || !p)
		return GPC_REASON_NON_IP;
	data = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	return p->family == GPC_V4 ? parse_v4(data, end, p, at) : parse_v6(data, end, p, at);
}

__noinline int gpc_parse_ip_skb(struct __sk_buff *skb, struct gpc_packet *p, __u32 at)
{
	const __u8 *data, *end;

	if (!skb || !p)
		return GPC_REASON_NON_IP;
	data = (void *)(long)skb->data;
	end = (void *)(long)skb->data_end;
	return p->family == GPC_V4 ? parse_v4(data, end, p, at) : parse_v6(data, end, p, at);
}

/*
 * Ethernet header and tags; `out` of them the kernel has taken out of the frame. GPC_PARSED: p->l4 is
 * where the IP packet begins, and p->family is set.
 */
static __always_inline __u32 parse_ethernet(const __u8 *data, const __u8 *end,
					    struct gpc_packet *p, __u32 out)
{
	__u16 type;

	if (data + GPC_ETH_SIZE > end)
		return GPC_REASON_MALFORMED_SHORT;
	p->l4 = GPC_ETH_SIZE;
	type = load16(data + 12);
	if (is_tag(type)) {
		if (data + GPC_ETH_SIZE + 4 > end)
			return GPC_REASON_MALFORMED_SHORT;
		p->tag[0] = load32(data + 12);
		if (!out)
			p->vlan = load_be16(data + 14) & GPC_VLAN_ID_MASK;
		p->tags = 1;
		p->l4 = GPC_ETH_SIZE + 4;
		type = load16(data + 16);
		if (is_tag(type) && !out) {
			if (data + GPC_ETH_SIZE + 8 > end)
				return GPC_REASON_MALFORMED_SHORT;
			p->tag[1] = load32(data + 16);
			p->tags = 2;
			p->l4 = GPC_ETH_SIZE + 8;
			type = load16(data + 20);
		}
	}
	p->family = type == bpf_htons(ETH_P_IPV6);
	if (p->family || type == bpf_htons(ETH_P_IP))
		return GPC_PARSED;
	return type == bpf_htons(ETH_P_ARP) ? GPC_REASON_ARP : GPC_REASON_NON_IP;
}

/* Kernels before 6.3 let a global function see only memory of which every byte was written. */
static __always_inline void parse_prepare(struct gpc_packet *p, __u32 frame, __u16 vlan)
{
	__builtin_memset(p, 0, sizeof(*p));
	p->frame = frame;
	p->vlan = vlan;
}

/* ---- the two contexts ---- */

/* GPC_PARSED or the reason why the frame is none that rules and listeners see. */
static __always_inline __u32 parse_xdp(struct xdp_md *ctx, struct gpc_packet *p)
{
	__u32 reason;

	p->frame = frame_size(ctx);
	p->vlan = GPC_VLAN_NONE;
	if (likely(parse_plain((void *)(long)ctx->data, (void *)(long)ctx->data_end, p)))
		return GPC_PARSED;
	parse_prepare(p, frame_size(ctx), GPC_VLAN_NONE);
	reason = parse_ethernet((void *)(long)ctx->data, (void *)(long)ctx->data_end, p, 0);
	return reason == GPC_PARSED ? (__u32)gpc_parse_ip_xdp(ctx, p, p->l4) : reason;
}

#define GPC_SKB_PULL 256u /* bytes that hold the headers of nearly every frame */

static __always_inline __u32 parse_linear(struct __sk_buff *skb, struct gpc_packet *p)
{
	__u16 vlan = skb->vlan_present ? skb->vlan_tci & GPC_VLAN_ID_MASK : GPC_VLAN_NONE;
	__u32 reason;

	parse_prepare(p, skb->len, vlan);
	p->aggregate = skb->gso_segs > 1;
	reason = parse_ethernet((void *)(long)skb->data, (void *)(long)skb->data_end, p,
				skb->vlan_present);
	return reason == GPC_PARSED ? (__u32)gpc_parse_ip_skb(skb, p, p->l4) : reason;
}

/* A frame whose headers do not lie in the linear part is pulled there, at last all of it. */
static __always_inline __u32 parse_skb(struct __sk_buff *skb, struct gpc_packet *p)
{
	__u32 frame = skb->len, reason;

	p->frame = frame;
	p->vlan = skb->vlan_present ? skb->vlan_tci & GPC_VLAN_ID_MASK : GPC_VLAN_NONE;
	if (likely(parse_plain((void *)(long)skb->data, (void *)(long)skb->data_end, p)))
		return GPC_PARSED;
	(void)bpf_skb_pull_data(skb, frame < GPC_SKB_PULL ? frame : GPC_SKB_PULL);
	reason = parse_linear(skb, p);
	if (likely(reason != GPC_REASON_MALFORMED_SHORT &&
		   reason != GPC_REASON_MALFORMED_FRAGMENT))
		return reason;
	if (frame <= GPC_SKB_PULL || bpf_skb_pull_data(skb, frame))
		return reason;
	return parse_linear(skb, p);
}

#endif
