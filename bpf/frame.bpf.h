/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * frame.bpf.h: bytes of a frame by offset, in XDP and in TC alike, for what is too rare to be worth
 * packet pointers. Both contexts are passed as void *, and a constant says which it is: so each
 * caller keeps only its own branch, and the verifier sees its own context.
 */
#ifndef GPC_FRAME_BPF_H
#define GPC_FRAME_BPF_H

#include "slot.bpf.h"

enum gpc_context { GPC_CONTEXT_XDP, GPC_CONTEXT_SKB };

/*
 * Is *size from 1 to `most`? The verifier sees it of *size afterwards, and not of a copy; before 6.8 it
 * does not learn from a comparison with 0 that a number is at least 1.
 */
static __always_inline int bounded(__u32 *size, __u32 most)
{
	__u32 less = *size - 1;

	opaque(less);
	if (less >= most)
		return 0;
	*size = less + 1;
	return 1;
}

/* 0, or negative if the frame does not hold all `size` bytes, which the verifier must see to be bounded. */
static __always_inline long frame_load(void *ctx, enum gpc_context kind, __u32 at, void *to,
				       __u32 size)
{
	return kind == GPC_CONTEXT_XDP ? bpf_xdp_load_bytes(ctx, at, to, size)
				       : bpf_skb_load_bytes(ctx, at, to, size);
}

static __always_inline long frame_store(void *ctx, enum gpc_context kind, __u32 at, void *from,
					__u32 size)
{
	return kind == GPC_CONTEXT_XDP ? bpf_xdp_store_bytes(ctx, at, from, size)
				       : bpf_skb_store_bytes(ctx, at, from, size, 0);
}

#endif
