/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * Both ends of the live measurement: `generate` makes every frame anew (live frames of
 * BPF_PROG_TEST_RUN recycle their pages with whatever the last receiver left in them), `sink` counts
 * what arrives and drops it.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "live.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct live_traffic);
} traffic SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} arrived SEC(".maps");

static __u16 ip_checksum(const struct iphdr *ip)
{
	const __u16 *half = (const void *)ip;
	__u32 sum = 0;

#pragma unroll
	for (int i = 0; i < 10; i++)
		sum += half[i];
	sum = (sum & 0xffff) + (sum >> 16);
	return ~(sum + (sum >> 16));
}

SEC("xdp") int generate(struct xdp_md *ctx)
{
	struct ethhdr *eth = (void *)(long)ctx->data;
	struct iphdr *ip = (void *)(eth + 1);
	struct udphdr *udp = (void *)(ip + 1);
	__u32 zero = 0;
	struct live_traffic *t = bpf_map_lookup_elem(&traffic, &zero);

	if (!t || (void *)(udp + 1) > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	t->next++;
	__builtin_memcpy(eth->h_dest, t->destination, ETH_ALEN);
	__builtin_memcpy(eth->h_source, t->source, ETH_ALEN);
	eth->h_proto = bpf_htons(ETH_P_IP);
	*ip = (struct iphdr){.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP, .tot_len = bpf_htons(46),
			     .saddr = t->from_be, .daddr = t->to_be};
	ip->check = ip_checksum(ip);
	*udp = (struct udphdr){.source = bpf_htons(1024 + t->next % LIVE_FLOWS), .dest = t->port_be,
			       .len = bpf_htons(26)};
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
