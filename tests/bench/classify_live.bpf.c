/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/* Both ends of the live part of bench-classify: `generate` makes each frame from the next of a list of
 * frames, `sink` counts what arrives and drops it. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "classify_live_frame.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, CLASSIFY_LIVE_FRAMES);
	__type(key, __u32);
	__type(value, struct classify_live_frame);
} frames SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} next SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} arrived SEC(".maps");

SEC("xdp") int generate(struct xdp_md *ctx)
{
	struct classify_live_frame *to = (void *)(long)ctx->data, *from;
	__u32 zero = 0, *n = bpf_map_lookup_elem(&next, &zero), index;

	if (!n || (void *)(to + 1) > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	index = (*n)++ % CLASSIFY_LIVE_FRAMES;
	from = bpf_map_lookup_elem(&frames, &index);
	if (!from)
		return XDP_ABORTED;
	*to = *from;
	return XDP_TX;
}

SEC("xdp") int sink(struct xdp_md *ctx)
{
	__u32 zero = 0;
	__u64 *n = bpf_map_lookup_elem(&arrived, &zero);

	(void)ctx;
	if (n)
		++*n;
	return XDP_DROP;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
