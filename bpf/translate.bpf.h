/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * translate.bpf.h: gives a packet the addresses and ports that it is to have (SEMANTICS 6.2, `nat`), and one
 * hop less, or as many if the stack is to take that one. Checksums change by what changed (RFC 1624); a UDP checksum of 0 stays, one that becomes 0 is
 * written as 0xffff.
 *
 * XDP works on the frame. An skb may hold only part of a checksum, or the sum of all its bytes: there the
 * kernel's helpers keep both right. The IP header is stored with BPF_F_RECOMPUTE_CSUM, so what the addresses add
 * to the pseudo-header is all that bpf_l4_csum_replace() must be told apart, in either family.
 */
#ifndef GPC_TRANSLATE_BPF_H
#define GPC_TRANSLATE_BPF_H

#include "frame.bpf.h"
#include "parse.bpf.h"

#define GPC_TCP_OPTIONS_MAX 40u
#define GPC_TCP_CHECK 16u
#define GPC_UDP_CHECK 6u
#define GPC_ICMP_CHECK 2u
#define GPC_ICMP_QUOTE 8u /* where the packet that an ICMP error quotes begins */

/* What a packet becomes. */
struct gpc_translation {
	struct gpc_tuple outer; /* its addresses, and ports if it has any */
	struct gpc_tuple inner; /* of an ICMP error: those of the packet that it quotes */
	__u64 hops; /* how many fewer it gets */
};

enum gpc_translated {
	GPC_TRANSLATED,
	GPC_TRANSLATED_NO_HOPS, /* its hops are used up: nothing was written */
	GPC_TRANSLATED_CUT,	/* the frame does not hold what it should */
};

/* ---- checksums: sums as loaded, whatever the byte order ---- */

static __always_inline __u64 change16(__u16 from, __u16 to)
{
	return (__u64)(__u16)~from + to;
}

static __always_inline __u64 change32(__u32 from, __u32 to)
{
	return (__u64)(__u32)~from + to;
}

static __always_inline __u64 change64(__u64 from, __u64 to)
{
	return change32(from, to) + change32(from >> 32, to >> 32);
}

static __always_inline __u32 fold32(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	return (sum & 0xffffffff) + (sum >> 32);
}

static __always_inline __u16 fold16(__u64 sum)
{
	sum = fold32(sum);
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

static __always_inline __u16 changed(__u16 check, __u64 change)
{
	return ~fold16((__u16)~check + change);
}

/* A checksum of L4. */
static __always_inline __u16 changed_l4(__u16 check, __u64 change, __u8 protocol)
{
	__u16 now = changed(check, change);

	if (protocol != IPPROTO_UDP)
		return now;
	if (!check)
		return 0;
	return now ? now : 0xffff;
}

static __always_inline __u32 check_offset(__u8 protocol)
{
	return protocol == IPPROTO_TCP ? GPC_TCP_CHECK
	       : protocol == IPPROTO_UDP ? GPC_UDP_CHECK
					 : GPC_ICMP_CHECK;
}

/* ---- headers, in the frame or copied from it ---- */

/* Each gives what the new addresses add to the sum of a pseudo-header; `hops` is how many fewer there will be. */
static __always_inline __u64 translate_v4(__u8 *ip, const struct gpc_tuple *to, __u32 hops)
{
	__u32 source = to->source[1] >> 32, destination = to->destination[1] >> 32;
	__u64 change = change32(load32(ip + 12), source) + change32(load32(ip + 16), destination);
	__u16 word = load16(ip + 8);

	*(__u32 *)(ip + 12) = source;
	*(__u32 *)(ip + 16) = destination;
	*(__u16 *)(ip + 8) = word - hops;
	*(__u16 *)(ip + 10) = changed(load16(ip + 10), change + change16(word, word - hops));
	return change;
}

static __always_inline __u64 translate_v6(__u8 *ip, const struct gpc_tuple *to, __u32 hops)
{
	__u64 change = change64(load64(ip + 8), to->source[0]) +
		       change64(load64(ip + 16), to->source[1]) +
		       change64(load64(ip + 24), to->destination[0]) +
		       change64(load64(ip + 32), to->destination[1]);

	*(__u64 *)(ip + 8) = to->source[0];
	*(__u64 *)(ip + 16) = to->source[1];
	*(__u64 *)(ip + 24) = to->destination[0];
	*(__u64 *)(ip + 32) = to->destination[1];
	ip[7] -= hops;
	return change;
}

static __always_inline __u64 translate_ports(__u8 *l4, const struct gpc_tuple *to)
{
	__u32 was = load32(l4), now = to->source_port | (__u32)to->destination_port << 16;

	*(__u32 *)l4 = now;
	return change32(was, now);
}

static __always_inline __u32 l3_offset(const struct gpc_packet *p)
{
	return GPC_ETH_SIZE + 4 * (p->tags & 3);
}

/* ---- whole packets and fragments of TCP and UDP ---- */

__noinline int gpc_translate_xdp(struct xdp_md *ctx, const struct gpc_packet *p,
				 const struct gpc_translation *t)
{
	__u8 *data, *end, *ip, *l4, *check;
	__u64 change;

	if (!ctx || !p || !t)
		return GPC_TRANSLATED_CUT;
	data = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	ip = data + l3_offset(p);
	l4 = data + (p->l4 & GPC_OFFSET_MASK);
	check = l4 + check_offset(p->tuple.protocol);
	/* Of a later fragment p->l4 is where its IP header begins, so this holds. */
	if (ip + GPC_IPV4_SIZE > end || l4 + 4 > end || check + 2 > end)
		return GPC_TRANSLATED_CUT;
	if (p->family == GPC_V4) {
		if (ip[8] < 2)
			return GPC_TRANSLATED_NO_HOPS;
		change = translate_v4(ip, &t->outer, t->hops);
	} else {
		if (ip + GPC_IPV6_SIZE > end)
			return GPC_TRANSLATED_CUT;
		if (ip[7] < 2)
			return GPC_TRANSLATED_NO_HOPS;
		change = translate_v6(ip, &t->outer, t->hops);
	}
	if (p->fragment == GPC_FRAGMENT_LATER)
		return GPC_TRANSLATED;
	change += translate_ports(l4, &t->outer);
	*(__u16 *)check = changed_l4(load16(check), change, p->tuple.protocol);
	return GPC_TRANSLATED;
}

/* ---- by way of copies: what is too rare for packet pointers, and all of TC ---- */

/* An IP header: of an skb the sum of all bytes is kept right. */
static __always_inline long store_head(void *ctx, enum gpc_context kind, __u32 at, void *from,
				       __u32 size)
{
	return kind == GPC_CONTEXT_XDP
		       ? bpf_xdp_store_bytes(ctx, at, from, size)
		       : bpf_skb_store_bytes(ctx, at, from, size, BPF_F_RECOMPUTE_CSUM);
}

/* The checksum at `at`, after `pseudo` was added to its pseudo-header and `change` to what follows. */
static __always_inline long store_check(void *ctx, enum gpc_context kind, __u32 at, __u8 protocol,
					__u64 pseudo, __u64 change)
{
	__u64 zero = protocol == IPPROTO_UDP ? BPF_F_MARK_MANGLED_0 : 0;
	__u16 check;

	if (kind == GPC_CONTEXT_SKB) {
		if (pseudo && bpf_l4_csum_replace(ctx, at, 0, fold32(pseudo),
						  BPF_F_PSEUDO_HDR | zero))
			return -1;
		return bpf_l4_csum_replace(ctx, at, 0, fold32(change), zero);
	}
	if (bpf_xdp_load_bytes(ctx, at, &check, sizeof(check)))
		return -1;
	check = changed_l4(check, pseudo + change, protocol);
	return bpf_xdp_store_bytes(ctx, at, &check, sizeof(check));
}

/* The outer IP header; *ret_pseudo is what its new addresses add to a pseudo-header. */
static __always_inline int translate_head(void *ctx, enum gpc_context kind,
					  const struct gpc_packet *p,
					  const struct gpc_translation *t, __u64 *ret_pseudo)
{
	__u32 at = l3_offset(p);
	__u64 head[5];
	__u8 *ip = (__u8 *)head;

	if (p->family == GPC_V4) {
		head[2] = 0;
		if (frame_load(ctx, kind, at, head, GPC_IPV4_SIZE))
			return GPC_TRANSLATED_CUT;
		if (ip[8] < 2)
			return GPC_TRANSLATED_NO_HOPS;
		*ret_pseudo = translate_v4(ip, &t->outer, t->hops);
		return store_head(ctx, kind, at, head, GPC_IPV4_SIZE) ? GPC_TRANSLATED_CUT
								       : GPC_TRANSLATED;
	}
	if (frame_load(ctx, kind, at, head, GPC_IPV6_SIZE))
		return GPC_TRANSLATED_CUT;
	if (ip[7] < 2)
		return GPC_TRANSLATED_NO_HOPS;
	*ret_pseudo = translate_v6(ip, &t->outer, t->hops);
	return store_head(ctx, kind, at, head, GPC_IPV6_SIZE) ? GPC_TRANSLATED_CUT
							       : GPC_TRANSLATED;
}

/* Ports at offset `at`; 0: they cannot be. */
static __always_inline int store_ports(void *ctx, enum gpc_context kind, __u32 at,
				       const struct gpc_tuple *to, __u64 *ret_change)
{
	__u32 ports;

	if (frame_load(ctx, kind, at, &ports, sizeof(ports)))
		return 0;
	*ret_change = translate_ports((__u8 *)&ports, to);
	return !frame_store(ctx, kind, at, &ports, sizeof(ports));
}

__noinline int gpc_translate_skb(struct __sk_buff *skb, const struct gpc_packet *p,
				 const struct gpc_translation *t)
{
	__u64 pseudo = 0, change = 0;
	__u8 protocol;
	int r;

	if (!skb || !p || !t)
		return GPC_TRANSLATED_CUT;
	protocol = p->tuple.protocol;
	r = translate_head(skb, GPC_CONTEXT_SKB, p, t, &pseudo);
	if (r != GPC_TRANSLATED || p->fragment == GPC_FRAGMENT_LATER)
		return r;
	if (!store_ports(skb, GPC_CONTEXT_SKB, p->l4, &t->outer, &change) ||
	    store_check(skb, GPC_CONTEXT_SKB, p->l4 + check_offset(protocol), protocol, pseudo,
			change))
		return GPC_TRANSLATED_CUT;
	return GPC_TRANSLATED;
}

/* ---- ICMP errors ---- */

/*
 * The quoted packet q, and its checksums as far as they are quoted; *ret_change is what that adds to the
 * error's sum. What an IPv4 header's addresses add to that, its own checksum takes away.
 */
static __always_inline int translate_quoted(void *ctx, enum gpc_context kind,
					    const struct gpc_packet *p, const struct gpc_packet *q,
					    const struct gpc_tuple *to, __u64 *ret_change)
{
	__u32 at = p->l4 + GPC_ICMP_QUOTE, limit = l3_offset(p) + p->length;
	__u32 check_at = q->l4 + check_offset(q->tuple.protocol);
	__u64 head[5], pseudo, ports = 0;
	__u16 check, now;

	if (q->family == GPC_V4) {
		head[2] = 0;
		if (frame_load(ctx, kind, at, head, GPC_IPV4_SIZE))
			return 0;
		pseudo = translate_v4((__u8 *)head, to, 0);
		if (frame_store(ctx, kind, at, head, GPC_IPV4_SIZE))
			return 0;
	} else {
		if (frame_load(ctx, kind, at, head, GPC_IPV6_SIZE))
			return 0;
		pseudo = translate_v6((__u8 *)head, to, 0);
		if (frame_store(ctx, kind, at, head, GPC_IPV6_SIZE))
			return 0;
	}
	if (!store_ports(ctx, kind, q->l4, to, &ports))
		return 0;
	*ret_change = ports + (q->family == GPC_V4 ? 0 : pseudo);
	if (check_at + sizeof(check) > limit || frame_load(ctx, kind, check_at, &check, sizeof(check)))
		return 1;
	now = changed_l4(check, pseudo + ports, q->tuple.protocol);
	*ret_change += change16(check, now);
	return !frame_store(ctx, kind, check_at, &now, sizeof(now));
}

static __always_inline int translate_error(void *ctx, enum gpc_context kind,
					   const struct gpc_packet *p, const struct gpc_packet *q,
					   const struct gpc_translation *t)
{
	__u8 protocol = p->tuple.protocol;
	__u64 pseudo = 0, change = 0;
	int r = translate_head(ctx, kind, p, t, &pseudo);

	if (r != GPC_TRANSLATED)
		return r;
	if (!translate_quoted(ctx, kind, p, q, &t->inner, &change) ||
	    store_check(ctx, kind, p->l4 + GPC_ICMP_CHECK, protocol,
			protocol == IPPROTO_ICMPV6 ? pseudo : 0, change))
		return GPC_TRANSLATED_CUT;
	return GPC_TRANSLATED;
}

/* The error p about q, that quotes TCP or UDP. Global functions, one for each context. */
__noinline int gpc_translate_error_xdp(struct xdp_md *ctx, const struct gpc_packet *p,
				       const struct gpc_packet *q, const struct gpc_translation *t)
{
	if (!ctx || !p || !q || !t)
		return GPC_TRANSLATED_CUT;
	return translate_error(ctx, GPC_CONTEXT_XDP, p, q, t);
}

__noinline int gpc_translate_error_skb(struct __sk_buff *ctx, const struct gpc_packet *p,
				       const struct gpc_packet *q, const struct gpc_translation *t)
{
	if (!ctx || !p || !q || !t)
		return GPC_TRANSLATED_CUT;
	return translate_error(ctx, GPC_CONTEXT_SKB, p, q, t);
}

#endif
