// SPDX-License-Identifier: (MIT OR GPL-2.0-only)
/*
 * What packet_bench runs instead of the program itself: it takes off what the run before put in
 * front of the frame, writes the next flow's addresses, and tail-calls the program under test, an
 * empty one, or the peer: the kernel's own LRU hash with the same flows.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "packet_wrapper.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct packet_wrapper_state);
} wrapper_state SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, PACKET_WRAPPER_PROGRAMS);
	__type(key, __u32);
	__type(value, __u32);
} wrapper_programs SEC(".maps");

struct peer_key {
	__u64 addresses;
	__u64 ports;
};
struct peer_value {
	__u64 word[6];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, PACKET_WRAPPER_PEER_ENTRIES);
	__type(key, struct peer_key);
	__type(value, struct peer_value);
} wrapper_peer SEC(".maps");

struct line {
	__u64 word[8];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PACKET_WRAPPER_PEER_ENTRIES);
	__type(key, __u32);
	__type(value, struct line);
} wrapper_lines SEC(".maps");

/* 0: not a frame of the bench. */
static __always_inline int peer_key(struct xdp_md *ctx, struct peer_key *ret)
{
	const __u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;

	if (data + PACKET_WRAPPER_FRAME_MIN > end)
		return 0;
	ret->addresses = *(__u32 *)(data + 26) | (__u64) * (__u32 *)(data + 30) << 32;
	ret->ports = *(__u32 *)(data + 34) | (__u64)data[23] << 32;
	return 1;
}

SEC("xdp")
int wrapper_find(struct xdp_md *ctx)
{
	struct peer_key key;

	return peer_key(ctx, &key) && bpf_map_lookup_elem(&wrapper_peer, &key) ? XDP_TX : XDP_PASS;
}

SEC("xdp")
int wrapper_insert(struct xdp_md *ctx)
{
	struct peer_value value = {};
	struct peer_key key;

	if (!peer_key(ctx, &key) || bpf_map_update_elem(&wrapper_peer, &key, &value, BPF_ANY))
		return XDP_ABORTED;
	return XDP_TX;
}

SEC("xdp")
int wrapper_line(struct xdp_md *ctx)
{
	struct peer_key key;
	struct line *line;
	__u32 at;

	if (!peer_key(ctx, &key))
		return XDP_ABORTED;
	at = (__u32)key.addresses * 0x9e3779b1u >> (32 - PACKET_WRAPPER_PEER_LOG2);
	line = bpf_map_lookup_elem(&wrapper_lines, &at);
	return line && *(volatile __u64 *)line->word ? XDP_ABORTED : XDP_TX;
}

SEC("xdp")
int wrapper_empty(struct xdp_md *ctx __attribute__((unused)))
{
	return XDP_TX;
}

SEC("xdp")
int wrapper(struct xdp_md *ctx)
{
	__u32 zero = 0, mixed, source, vip, i;
	struct packet_wrapper_state *state = bpf_map_lookup_elem(&wrapper_state, &zero);
	__u8 *data, *end;
	__u64 size;

	if (!state)
		return XDP_ABORTED;
	size = (__u64)(long)ctx->data_end - (__u64)(long)ctx->data;
	asm volatile("" : "+r"(size));
	if (bpf_xdp_adjust_head(ctx, (int)size - (int)state->frame))
		return XDP_ABORTED;
	data = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	if (data + PACKET_WRAPPER_FRAME_MIN > end)
		return XDP_ABORTED;
	if (state->whole) {
#pragma clang loop unroll(full)
		for (i = 0; i < PACKET_WRAPPER_WORDS; i++)
			((__u64 *)data)[i] = state->bytes[i];
	} else {
		*(__u64 *)data = state->bytes[0];
		*(__u32 *)(data + 8) = (__u32)state->bytes[1];
		*(__u16 *)(data + 12) = (__u16)(state->bytes[1] >> 32);
	}
	mixed = (__u32)state->run++ * 0x9e3779b1u; /* a permutation of 32 bits */
	source = (__u32)((__u64)mixed >> (state->source_shift & 63));
	vip = ((__u64)mixed * state->vips >> 32) % PACKET_WRAPPER_VIPS;
	/* Each store as wide as the loads to come: these would wait for a narrower one. */
	if (state->v6) {
		*(__u64 *)(data + 30) = state->source + ((__u64)source << 32);
		*(__u64 *)(data + 46) = state->destination[vip];
	} else {
		*(__u32 *)(data + 26) = (__u32)(state->source >> 32) + source;
		*(__u32 *)(data + 30) = (__u32)(state->destination[vip] >> 32);
	}
	bpf_tail_call(ctx, &wrapper_programs, state->program);
	return XDP_ABORTED;
}

char wrapper_license[] SEC("license") = "Dual MIT/GPL";
