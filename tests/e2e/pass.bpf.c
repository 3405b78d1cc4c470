/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * Passes every frame. The tests attach it to the far ends of veth pairs: a native XDP_TX into a veth
 * whose peer carries no XDP program is thrown away without a trace.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp") int pass(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
