// SPDX-License-Identifier: (MIT OR GPL-2.0-only)
/* Puts 8 bytes of its map in front of each frame, as gpc_xdp would; for tests of what TC believes.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} meta_value SEC(".maps");

SEC("xdp")
int meta_writer(struct xdp_md *ctx)
{
	__u32 zero = 0;
	__u64 *value = bpf_map_lookup_elem(&meta_value, &zero), *meta;

	if (!value || bpf_xdp_adjust_meta(ctx, -(int)sizeof(*meta)))
		return XDP_ABORTED;
	meta = (void *)(long)ctx->data_meta;
	if ((void *)(meta + 1) > (void *)(long)ctx->data)
		return XDP_ABORTED;
	*meta = *value;
	return XDP_PASS;
}

char meta_license[] SEC("license") = "Dual MIT/GPL";
