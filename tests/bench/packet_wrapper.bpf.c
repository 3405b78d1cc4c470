// SPDX-License-Identifier: (MIT OR GPL-2.0-only)
/*
 * What packet_bench runs instead of the program itself: it takes off what the run before put in
 * front of the frame, writes the next flow's addresses, and tail-calls the program under test, or
 * an empty one.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "gpc/abi.h"
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

/* gpc_flows4 of the program under test; the bench hands it over. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1);
	__type(key, struct gpc_flow_key4);
	__type(value, struct gpc_flow);
} wrapper_flows SEC(".maps");

/* What the kernel's own map costs: finds the entry of the frame's flow and does nothing with it. */
SEC("xdp")
int wrapper_lookup(struct xdp_md *ctx)
{
	const __u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u64 key[2], source, destination, low, high;

	if (data + PACKET_WRAPPER_FRAME_MIN > end)
		return XDP_ABORTED;
	source = (__u64) * (__u32 *)(data + 26) << 16 | *(__u16 *)(data + 34);
	destination = (__u64) * (__u32 *)(data + 30) << 16 | *(__u16 *)(data + 36);
	low = source < destination ? source : destination;
	high = source ^ destination ^ low;
	key[0] = low >> 16 | (high >> 16) << 32;
	key[1] = (low & 0xffff) | (high & 0xffff) << 16 | (__u64)data[23] << 32;
	return bpf_map_lookup_elem(&wrapper_flows, key) ? XDP_TX : XDP_ABORTED;
}

SEC("xdp")
int wrapper_empty(struct xdp_md *ctx __attribute__((unused)))
{
	return XDP_TX;
}

SEC("xdp")
int wrapper(struct xdp_md *ctx)
{
	__u32 zero = 0, mixed, source, vip;
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
	*(__u64 *)data = state->ethernet[0];
	*(__u32 *)(data + 8) = (__u32)state->ethernet[1];
	*(__u16 *)(data + 12) = (__u16)(state->ethernet[1] >> 32);
	mixed = (__u32)state->run++ * 0x9e3779b1u; /* a permutation of 32 bits */
	source = (__u32)((__u64)mixed >> (state->source_shift & 63));
	vip = ((__u64)mixed * state->vips >> 32) % PACKET_WRAPPER_VIPS;
	if (state->v6) {
		*(__u32 *)(data + 34) = state->source + source;
		*(__u32 *)(data + 50) = state->destination[vip];
	} else {
		*(__u32 *)(data + 26) = state->source + source;
		*(__u32 *)(data + 30) = state->destination[vip];
	}
	bpf_tail_call(ctx, &wrapper_programs, state->program);
	return XDP_ABORTED;
}

char wrapper_license[] SEC("license") = "Dual MIT/GPL";
