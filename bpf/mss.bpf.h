/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * mss.bpf.h: `mss-clamp` (SEMANTICS 2.2): the MSS option of a SYN is lowered to what the path takes. A SYN
 * without one stays without: its sender is sent 536 or 1220 bytes (RFC 9293, 3.7.1).
 */
#ifndef GPC_MSS_BPF_H
#define GPC_MSS_BPF_H

#include "translate.bpf.h"

#define GPC_TCP_OPTION_END 0
#define GPC_TCP_OPTION_NONE 1
#define GPC_TCP_OPTION_MSS 2

static __always_inline int is_syn(const struct gpc_packet *p)
{
	return p->tuple.protocol == IPPROTO_TCP && p->fragment != GPC_FRAGMENT_LATER &&
	       p->tcp_flags & GPC_TCP_SYN;
}

/* The largest MSS for packets of `mtu` bytes; 0: no bound. */
static __always_inline __u32 mss_of(__u32 mtu, __u32 family)
{
	__u32 heads = (family == GPC_V4 ? GPC_IPV4_SIZE : GPC_IPV6_SIZE) + GPC_TCP_SIZE;

	return mtu > heads ? mtu - heads : 0;
}

/* The smaller of two MTUs of which 0 says nothing. */
static __always_inline __u32 narrower(__u32 a, __u32 b)
{
	return !a || (b && b < a) ? b : a;
}

/* Writes the MSS whose two bytes stand at offset `at` of the frame. */
static __always_inline int store_mss(void *ctx, enum gpc_context kind, const struct gpc_packet *p,
				     __u32 at, __u16 was, __u16 now)
{
	__u64 change = change16(was, now);

	if ((at - p->l4) & 1) /* the sum sees its bytes the other way round */
		change = change16(__builtin_bswap16(was), __builtin_bswap16(now));
	return !frame_store(ctx, kind, at, &now, sizeof(now)) &&
	       !store_check(ctx, kind, p->l4 + GPC_TCP_CHECK, IPPROTO_TCP, 0, change);
}

static __always_inline int clamp(void *ctx, enum gpc_context kind, const struct gpc_packet *p,
				 __u32 mss)
{
	__u32 at = p->l4 + GPC_TCP_SIZE, end, i;
	__u8 option[4], words;
	__u16 value;

	if (frame_load(ctx, kind, p->l4 + 12, &words, sizeof(words)))
		return 0;
	end = p->l4 + (__u32)(words >> 4) * 4;
#pragma clang loop unroll(disable)
	for (i = 0; i < GPC_TCP_OPTIONS_MAX && at + sizeof(option) <= end; i++) {
		if (frame_load(ctx, kind, at, option, sizeof(option)) ||
		    option[0] == GPC_TCP_OPTION_END)
			return 0;
		if (option[0] == GPC_TCP_OPTION_NONE) {
			at++;
			continue;
		}
		if (option[0] == GPC_TCP_OPTION_MSS && option[1] == sizeof(option)) {
			value = load16(option + 2);
			return bpf_ntohs(value) > mss &&
			       store_mss(ctx, kind, p, at + 2, value, bpf_htons(mss));
		}
		if (option[1] < 2)
			return 0;
		at += option[1];
	}
	return 0;
}

/* Lowers the MSS of the SYN p to `mss`; 1: it was larger. Global functions, one for each context. */
__noinline int gpc_clamp_xdp(struct xdp_md *ctx, const struct gpc_packet *p, __u32 mss)
{
	if (!ctx || !p || !mss)
		return 0;
	return clamp(ctx, GPC_CONTEXT_XDP, p, mss);
}

__noinline int gpc_clamp_skb(struct __sk_buff *ctx, const struct gpc_packet *p, __u32 mss)
{
	if (!ctx || !p || !mss)
		return 0;
	return clamp(ctx, GPC_CONTEXT_SKB, p, mss);
}

#endif
