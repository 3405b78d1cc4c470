/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * parse.bpf.h: from frame to struct gpc_packet; structure only (SEMANTICS 4.1, steps 2 and 3).
 *
 * parse_plain() is inlined and takes the frames that matter for speed: untagged, no IPv4 options,
 * no extension headers, no fragment, TCP or UDP. It declines every other frame, well-formed or not,
 * and gpc_parse_any() judges those.
 */
#ifndef GPC_PARSE_BPF_H
#define GPC_PARSE_BPF_H

#include <bpf/bpf_endian.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/in6.h>

#include "slot.bpf.h"

#define GPC_ETH_SIZE 14u
#define GPC_IPV4_SIZE 20u
#define GPC_IPV6_SIZE 40u
#define GPC_TCP_SIZE 20u
#define GPC_MAX_TAGS 2u
#define GPC_MAX_EXTENSIONS 6u
#define GPC_OFFSET_MASK 0x7fffu /* above any offset that two times 6 extension headers can reach   \
				 */

#define GPC_TCP_FIN 0x01u
#define GPC_TCP_SYN 0x02u
#define GPC_TCP_RST 0x04u
#define GPC_TCP_ACK 0x10u

/* What parsing says when the packet has ports and nothing is wrong with it; else a reason. */
#define GPC_PARSED ((__u32)GPC_REASON_COUNT)

struct gpc_packet {
	struct gpc_tuple tuple; /* destination is :: while unknown: no listener has that */
	__u32 frame;		/* bytes of the frame as it came in */
	__u32 length;		/* bytes of the IP packet, by its own word */
	__u32 word; /* as loaded: v4 id and fragment field, v6 version, class and label */
	__u32 tag[GPC_MAX_TAGS]; /* as loaded: EtherType of the tag and its TCI */
	__u32 l4;		 /* gpc_parse_any() only: offset of what follows the IP headers */
	__u8 tags;
	__u8 family; /* enum gpc_family */
	__u8 tos;    /* or traffic class */
	__u8 tcp_flags;
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

/* 1: *p is complete. 0: gpc_parse_any() has to look. */
static __always_inline int parse_plain(struct xdp_md *ctx, struct gpc_packet *p)
{
	const __u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	const __u8 *ip = data + GPC_ETH_SIZE;
	__u16 type;

	p->frame = frame_size(ctx);
	p->tags = 0;
	if (ip + GPC_IPV4_SIZE + GPC_TCP_SIZE > end)
		return 0;
	type = load16(data + 12);
	if (type == bpf_htons(ETH_P_IP)) {
		read_v4(p, ip);
		if (ip[0] != 0x45 || p->word & bpf_htonl(0x3fff) ||
		    p->length + GPC_ETH_SIZE > p->frame)
			return 0;
		return plain_l4(p, ip + GPC_IPV4_SIZE, p->length - GPC_IPV4_SIZE) &&
		       p->length >= GPC_IPV4_SIZE;
	}
	if (type != bpf_htons(ETH_P_IPV6) || ip + GPC_IPV6_SIZE + GPC_TCP_SIZE > end)
		return 0;
	read_v6(p, ip);
	if (ip[0] >> 4 != 6 || p->length + GPC_ETH_SIZE > p->frame)
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

/* L4 header at offset `at`; `limit` is where the IP packet ends, `first` says it is a first
 * fragment. */
static __always_inline __u32 parse_l4(struct xdp_md *ctx, struct gpc_packet *p, __u32 at,
				      __u32 limit, int first)
{
	const __u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	const __u8 *l4 = data + (at & GPC_OFFSET_MASK);
	__u32 cut = first ? GPC_REASON_MALFORMED_FRAGMENT : GPC_REASON_MALFORMED_SHORT;
	__u8 protocol = p->tuple.protocol;
	__u32 size = l4_size(protocol);

	p->l4 = at;
	if (at + size > limit)
		return cut;
	if (protocol == IPPROTO_TCP) {
		if (l4 + GPC_TCP_SIZE > end)
			return cut;
		size = (__u32)(l4[12] >> 4) * 4;
		if (size < GPC_TCP_SIZE)
			return GPC_REASON_MALFORMED_TCP;
		if (at + size > limit)
			return cut;
		p->tcp_flags = l4[13];
	}
	if (first)
		return GPC_REASON_FRAGMENT;
	if (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP)
		return GPC_REASON_NO_LISTENER;
	if (l4 + 4 > end)
		return cut;
	p->tuple.source_port = load16(l4);
	p->tuple.destination_port = load16(l4 + 2);
	return GPC_PARSED;
}

/* A fragment that is not the first, at `offset` units of 8 bytes. */
static __always_inline __u32 parse_later_fragment(__u8 protocol, __u32 offset)
{
	return protocol == IPPROTO_TCP && offset == 1 ? GPC_REASON_MALFORMED_FRAGMENT
						      : GPC_REASON_FRAGMENT;
}

static __always_inline __u32 parse_v4(struct xdp_md *ctx, struct gpc_packet *p, __u32 at)
{
	const __u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
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
	if (p->length < header || at + p->length > p->frame)
		return GPC_REASON_MALFORMED_SHORT;
	fragment = load_be16(ip + 6);
	if (fragment & 0x1fff)
		return parse_later_fragment(p->tuple.protocol, fragment & 0x1fff);
	return parse_l4(ctx, p, at + header, at + p->length, fragment & 0x2000);
}

static __always_inline int is_extension(__u8 next)
{
	return next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_FRAGMENT ||
	       next == IPPROTO_AH || next == IPPROTO_DSTOPTS;
}

static __always_inline __u32 parse_v6(struct xdp_md *ctx, struct gpc_packet *p, __u32 at)
{
	const __u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	const __u8 *ip = data + (at & GPC_OFFSET_MASK);
	__u32 limit, i, first = 0;

	if (ip + GPC_IPV6_SIZE > end)
		return GPC_REASON_MALFORMED_SHORT;
	read_v6(p, ip);
	if (ip[0] >> 4 != 6)
		return GPC_REASON_MALFORMED_VERSION;
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
			if (fragment >> 3)
				return parse_later_fragment(extension[0], fragment >> 3);
			first |= fragment & 1;
		}
		at += size;
		if (at > limit)
			goto cut;
	}
	return parse_l4(ctx, p, at, limit, first);
cut:
	return first ? GPC_REASON_MALFORMED_FRAGMENT : GPC_REASON_MALFORMED_SHORT;
}

static __always_inline int is_tag(__u16 type)
{
	return type == bpf_htons(ETH_P_8021Q) || type == bpf_htons(ETH_P_8021AD);
}

/*
 * The packet inside another, from offset `at`: v6 if p->family says so. p->frame is the offset
 * where the outer packet ends.
 */
__noinline int gpc_parse_inner(struct xdp_md *ctx, struct gpc_packet *p, __u32 at)
{
	if (!ctx || !p)
		return GPC_REASON_NON_IP;
	return p->family == GPC_V4 ? parse_v4(ctx, p, at) : parse_v6(ctx, p, at);
}

/*
 * A global function, so that its states are not multiplied with those of what follows. *p is zero but for
 * p->frame: see parse_other().
 */
__noinline int gpc_parse_any(struct xdp_md *ctx, struct gpc_packet *p)
{
	const __u8 *data, *end;
	__u32 at = GPC_ETH_SIZE;
	__u16 type;

	if (!ctx || !p)
		return GPC_REASON_NON_IP;
	data = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	if (data + GPC_ETH_SIZE > end)
		return GPC_REASON_MALFORMED_SHORT;
	type = load16(data + 12);
	if (is_tag(type)) {
		if (data + GPC_ETH_SIZE + 4 > end)
			return GPC_REASON_MALFORMED_SHORT;
		p->tag[0] = load32(data + 12);
		p->tags = 1;
		type = load16(data + 16);
		at += 4;
		if (is_tag(type)) {
			if (data + GPC_ETH_SIZE + 8 > end)
				return GPC_REASON_MALFORMED_SHORT;
			p->tag[1] = load32(data + 16);
			p->tags = 2;
			type = load16(data + 20);
			at += 4;
		}
	}
	if (type == bpf_htons(ETH_P_IP))
		return parse_v4(ctx, p, at);
	if (type == bpf_htons(ETH_P_IPV6))
		return parse_v6(ctx, p, at);
	return type == bpf_htons(ETH_P_ARP) ? GPC_REASON_ARP : GPC_REASON_NON_IP;
}

/* Kernels before 6.3 let a global function see only memory of which every byte was written. */
static __always_inline __u32 parse_other(struct xdp_md *ctx, struct gpc_packet *p)
{
	__builtin_memset(p, 0, sizeof(*p));
	p->frame = frame_size(ctx);
	return gpc_parse_any(ctx, p);
}

#endif
