/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * gue.bpf.h: the one's complement sum of a packet that is put behind a UDP header, for that header's
 * checksum. Sums are of 16-bit words as loaded.
 *
 * Where the packet's own checksum covers all behind its IP header, that part is not read: with its pseudo
 * header it sums up to all ones, so it is the complement of that. A packet whose own checksum is wrong gets
 * an outer one that is wrong, too. What has no such checksum (fragments, IPv4 UDP without, other protocols)
 * or where it covers other addresses (options, extension headers) is read in full.
 */
#ifndef GPC_GUE_BPF_H
#define GPC_GUE_BPF_H

#include "policy.bpf.h"

#define GPC_UDP_SIZE 8u
#define GPC_GUE_SOURCE 0x8000u /* the first of the source ports */

#define GPC_SUM_CHUNK 64u
#define GPC_SUM_CHUNKS 160u /* longer packets are not read */

static __always_inline __u64 sum_word(__u64 sum, __u64 word)
{
	return sum + (__u32)word + (word >> 32);
}

static __always_inline __u32 sum_folded(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

/*
 * Two functions of their own, so that the verifier does not follow the second loop for each end of the first.
 *
 * All whole chunks of `size` bytes at offset `at`; negative: too many.
 */
__noinline int gpc_sum_chunks(struct xdp_md *ctx, __u32 at, __u32 size)
{
	const __u8 *data, *end;
	__u32 sum = 0, i;

	if (!ctx)
		return -1;
	data = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
#pragma clang loop unroll(disable)
	for (i = 0; i < GPC_SUM_CHUNKS && size >= GPC_SUM_CHUNK; i++) {
		const __u8 *p = data + (at & GPC_OFFSET_MASK);

		if (p + GPC_SUM_CHUNK > end)
			return -1;
		sum = bpf_csum_diff(0, 0, (void *)p, GPC_SUM_CHUNK, sum);
		at += GPC_SUM_CHUNK;
		size -= GPC_SUM_CHUNK;
	}
	return size < GPC_SUM_CHUNK ? (int)sum_folded(sum) : -1;
}

/* The `size` bytes at offset `at`, less than a chunk. */
__noinline int gpc_sum_rest(struct xdp_md *ctx, __u32 at, __u32 size)
{
	const __u8 *data, *end;
	__u64 sum = 0;
	__u32 i;

	if (!ctx)
		return 0;
	data = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
#pragma clang loop unroll(disable)
	for (i = 0; i < GPC_SUM_CHUNK / 2; i++) {
		const __u8 *p = data + (at & GPC_OFFSET_MASK);

		if (!size || p + 1 > end)
			break;
		if (size == 1 || p + 2 > end) {
			sum += p[0];
			break;
		}
		sum += load16(p);
		at += 2;
		size -= 2;
	}
	return sum_folded(sum);
}

/* Does the L4 checksum cover all that follows the IP header at `l3`, with that header's addresses? */
static __always_inline int is_summed(const struct gpc_packet *p, const __u8 *l4, const __u8 *end,
				     __u32 l3)
{
	__u32 head = p->family == GPC_V4 ? GPC_IPV4_SIZE : GPC_IPV6_SIZE;

	if (p->fragment || p->l4 != l3 + head || l4 + GPC_UDP_SIZE > end)
		return 0;
	if (p->tuple.protocol == IPPROTO_UDP)
		return load16(l4 + 6) && load_be16(l4 + 4) == p->length - head;
	return p->tuple.protocol == IPPROTO_TCP ||
	       (p->tuple.protocol == IPPROTO_ICMPV6 && p->family == GPC_V6);
}

/* Sum of the packet that is to be sent inside another; negative: it cannot be told. */
__noinline int gpc_sum_inner(struct xdp_md *ctx, const struct gpc_case *c)
{
	const struct gpc_packet *p;
	const __u8 *data, *end, *ip;
	__u32 l3, head;
	__u64 sum;

	if (!ctx || !c)
		return -1;
	data = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	p = &c->packet;
	l3 = GPC_ETH_SIZE + 4 * (p->tags & 3);
	ip = data + l3;
	if (ip + GPC_IPV4_SIZE > end)
		return -1;
	if (!is_summed(p, data + (p->l4 & GPC_OFFSET_MASK), end, l3)) {
		__u32 rest = p->length % GPC_SUM_CHUNK;
		__s32 chunks = gpc_sum_chunks(ctx, l3, p->length);

		return chunks < 0 ? chunks
				  : (__s32)sum_folded(chunks + gpc_sum_rest(ctx, l3 + p->length - rest,
									     rest));
	}
	/* The addresses stand in the header and, complemented, in what follows it. */
	sum = (__u64)load32(ip) + load32(ip + 4);
	head = GPC_IPV6_SIZE;
	if (p->family == GPC_V4) {
		sum += load32(ip + 8);
		head = GPC_IPV4_SIZE;
	}
	return sum_folded(sum + 2 * 0xffffu - bpf_htons(p->length - head) -
			  bpf_htons(p->tuple.protocol));
}

#endif
