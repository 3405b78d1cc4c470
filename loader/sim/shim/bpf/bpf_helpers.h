/* SPDX-License-Identifier: MIT */
/*
 * bpf_helpers.h: stands in for libbpf's header of this name when the programs of bpf/ are compiled
 * into gpc itself (../../walk.c). Helpers become functions of map.c and context.c. Both contexts are
 * one struct with addresses of full width, so a frame may lie anywhere.
 */
#ifndef GPC_LOADER_SIM_SHIM_BPF_HELPERS_H
#define GPC_LOADER_SIM_SHIM_BPF_HELPERS_H

#include <linux/bpf.h>
#include <linux/types.h>
#include <stddef.h>

#define SEC(name) __attribute__((unused))
#undef __always_inline
#define __always_inline inline __attribute__((always_inline))
#undef __noinline
#define __noinline __attribute__((noinline))

#define __uint(name, val) int (*name)[val]
#define __type(name, val) __typeof__(val) *name
#define __array(name, val) __typeof__(val) *name[]

struct gpc_sim_context {
	__u64 data, data_end, data_meta;
	__u32 ingress_ifindex, ifindex, rx_queue_index, egress_ifindex;
	__u32 len, mark, gso_segs, protocol, vlan_present, vlan_tci, vlan_proto, pkt_type, hash;
	__u32 cb[5];
	__u64 tstamp;
};
#define xdp_md gpc_sim_context
#define __sk_buff gpc_sim_context

void *gpc_sim_lookup(const void *map, const void *key);
long gpc_sim_update(const void *map, const void *key, const void *value, __u64 flags);
long gpc_sim_delete(const void *map, const void *key);
void *gpc_sim_reserve(const void *map, __u64 size);
__u64 gpc_sim_now(void);

long gpc_sim_adjust_head(struct gpc_sim_context *ctx, int delta);
long gpc_sim_adjust_tail(struct gpc_sim_context *ctx, int delta);
long gpc_sim_adjust_meta(struct gpc_sim_context *ctx, int delta);
long gpc_sim_load(const struct gpc_sim_context *ctx, __u32 at, void *to, __u32 size);
long gpc_sim_store(const struct gpc_sim_context *ctx, __u32 at, const void *from, __u32 size);
long gpc_sim_change_check(struct gpc_sim_context *ctx, __u32 at, __u32 change, __u64 flags);
long gpc_sim_vlan_pop(struct gpc_sim_context *ctx);
long gpc_sim_change_tail(struct gpc_sim_context *ctx, __u32 size);
long gpc_sim_adjust_room(struct gpc_sim_context *ctx, int delta);
long gpc_sim_redirect(__u32 ifindex, __u64 flags);
long gpc_sim_fib(struct bpf_fib_lookup *fib);
__u32 gpc_sim_checksum(const void *bytes, __u32 size, __u32 sum);
int gpc_sim_tail(struct gpc_sim_context *ctx, unsigned int program);

#define bpf_map_lookup_elem(map, key) gpc_sim_lookup(map, key)
#define bpf_map_update_elem(map, key, value, flags) gpc_sim_update(map, key, value, flags)
#define bpf_map_delete_elem(map, key) gpc_sim_delete(map, key)
#define bpf_ringbuf_reserve(map, size, flags) gpc_sim_reserve(map, size)
#define bpf_ringbuf_submit(record, flags) ((void)(record))
#define bpf_ktime_get_coarse_ns() gpc_sim_now()
#define bpf_jiffies64() gpc_sim_now()
#define bpf_xdp_adjust_head(ctx, delta) gpc_sim_adjust_head(ctx, delta)
#define bpf_xdp_adjust_tail(ctx, delta) gpc_sim_adjust_tail(ctx, delta)
#define bpf_xdp_adjust_meta(ctx, delta) gpc_sim_adjust_meta(ctx, delta)
#define bpf_xdp_load_bytes(ctx, at, to, size) gpc_sim_load(ctx, at, to, size)
#define bpf_xdp_store_bytes(ctx, at, from, size) gpc_sim_store(ctx, at, from, size)
#define bpf_skb_load_bytes(ctx, at, to, size) gpc_sim_load(ctx, at, to, size)
#define bpf_skb_store_bytes(ctx, at, from, size, flags) gpc_sim_store(ctx, at, from, size)
#define bpf_l4_csum_replace(ctx, at, from, to, flags) gpc_sim_change_check(ctx, at, to, flags)
#define bpf_skb_vlan_pop(ctx) gpc_sim_vlan_pop(ctx)
#define bpf_skb_change_tail(ctx, size, flags) gpc_sim_change_tail(ctx, size)
#define bpf_skb_adjust_room(ctx, delta, mode, flags) gpc_sim_adjust_room(ctx, delta)
#define bpf_skb_pull_data(ctx, size) ((void)(ctx), 0)
#define bpf_redirect(ifindex, flags) gpc_sim_redirect(ifindex, flags)
#define bpf_csum_diff(from, from_size, to, to_size, seed) gpc_sim_checksum(to, to_size, seed)
#define bpf_fib_lookup(ctx, fib, size, flags) ((void)(ctx), gpc_sim_fib(fib))
/* Only entry points do that, so it is their return. */
#define bpf_tail_call(ctx, map, program) return gpc_sim_tail(ctx, program)

#endif
