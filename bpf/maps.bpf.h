/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * maps.bpf.h: the maps of the data plane. The loader sets max_entries of the flow tables, gpc_next,
 * gpc_counters, gpc_rules and gpc_rate before loading; the figures here are only large enough for tests.
 */
#ifndef GPC_MAPS_BPF_H
#define GPC_MAPS_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "gpc/abi.h"
#include "gpc/lookup/view.h"

struct gpc_image_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_RDONLY_PROG | BPF_F_MMAPABLE);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, 1u << GPC_IMAGE_LOG2);
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, GPC_CTL_ENTRIES);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, __u64);
} gpc_ctl SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, GPC_IMAGE_SLOTS);
	__type(key, __u32);
	__array(values, struct gpc_image_map);
} gpc_images SEC(".maps");

/* Each instance of the programs has its own; the loader fills it. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, GPC_TAIL_COUNT);
	__type(key, __u32);
	__type(value, __u32);
} gpc_programs SEC(".maps");

/* Flow tables lie in memory that can be mapped because only that begins at a page, so that no element crosses a
 * cache line more than it must. */
#ifndef GPC_FLOWS
#define GPC_FLOWS GPC_MIN_FLOWS
#endif
#define GPC_FLOW_SETS (GPC_FLOWS / GPC_FLOW_WAYS)

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, GPC_FLOWS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct gpc_flow_element4);
} gpc_flows4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, GPC_FLOWS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct gpc_flow_element6);
} gpc_flows6 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2 * GPC_FLOW_SETS + GPC_FLOW_SECRET_WORDS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, __u64);
} gpc_heads4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2 * GPC_FLOW_SETS + GPC_FLOW_SECRET_WORDS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, __u64);
} gpc_heads6 SEC(".maps");

/* The loader fills it before it loads the programs. */
const volatile struct gpc_flow_seed gpc_flow_seeds[2] SEC(".rodata.flows") = {
	{.mask = GPC_FLOW_SETS - 1}, {.mask = GPC_FLOW_SETS - 1}};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct gpc_next);
} gpc_next SEC(".maps");

/* As many as gpc_counters. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, GPC_COUNTER_FIRST_OBJECT);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct gpc_endpoint_state);
} gpc_endpoints SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, GPC_COUNTER_FIRST_OBJECT);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct gpc_backend_state);
} gpc_backends SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, GPC_MIN_FLOWS);
	__type(key, struct gpc_client_key);
	__type(value, struct gpc_client);
} gpc_clients SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, GPC_COUNTER_FIRST_OBJECT);
	__type(key, __u32);
	__type(value, struct gpc_counter);
} gpc_counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct gpc_rule_counter);
} gpc_rules SEC(".maps");

/*
 * What smaller gpc_counters and gpc_rules counted before these: added by whoever reads. Nobody can add to a
 * per-CPU value while packets do. As many as there; no program looks at it.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, GPC_COUNTER_FIRST_OBJECT);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct gpc_counter);
} gpc_carried SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct gpc_rule_counter);
} gpc_carried_rules SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, __u64);
} gpc_rate SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, GPC_LIMIT_COUNT);
	__type(key, __u32);
	__type(value, struct gpc_limiter);
} gpc_limits SEC(".maps");

#define GPC_EVENTS_BYTES (1u << 20)

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, GPC_EVENTS_BYTES);
} gpc_events SEC(".maps");

/* What a CPU may still enter into the flow tables; the program's own, of no interest to the loader. */
enum gpc_budget_kind {
	GPC_BUDGET_IN, /* W-in: what opens */
	GPC_BUDGET_OUT,
	GPC_BUDGET_IN_LATER, /* TCP in mid-stream */
	GPC_BUDGET_OUT_LATER,
	GPC_BUDGET_PROVED, /* W-in: what opens beyond the first, with a cookie that came back */
	GPC_BUDGET_COOKIE, /* none: its time is that of the last cookie */
	GPC_BUDGET_COUNT
};
struct gpc_budget {
	__u64 credit; /* units: entry * CPU * second / 10^9 */
	__u64 filled; /* coarse ktime of the last refill, 0: never */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, GPC_BUDGET_COUNT);
	__type(key, __u32);
	__type(value, struct gpc_budget);
} gpc_budget SEC(".maps");

#endif
