/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * count.bpf.h: per-CPU counters. A slot that the loader did not provide is not counted.
 */
#ifndef GPC_COUNT_BPF_H
#define GPC_COUNT_BPF_H

#include "maps.bpf.h"

static __always_inline void count(__u32 slot, __u64 packets, __u64 bytes, __u64 flows)
{
	struct gpc_counter *counter = bpf_map_lookup_elem(&gpc_counters, &slot);

	if (!counter)
		return;
	counter->packets += packets;
	counter->bytes += bytes;
	counter->flows += flows;
}

/* A packet for an object that is not served. */
static __always_inline void count_dropped(__u32 slot)
{
	struct gpc_counter *counter = bpf_map_lookup_elem(&gpc_counters, &slot);

	if (counter)
		counter->dropped++;
}

static __always_inline void count_reason(enum gpc_hook hook, __u32 reason, __u64 packets,
					 __u64 bytes)
{
	count(hook * GPC_REASON_MAX + (reason & (GPC_REASON_MAX - 1)), packets, bytes, 0);
}

#endif
