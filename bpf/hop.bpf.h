/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * hop.bpf.h: the MAC addresses and the device by which an endpoint is reached.
 *
 * gpc_next holds what the loader found out; the program asks the kernel's tables again at most once
 * a second per entry and keeps what it held if they know no better. With `next-hop: fib` it asks for each
 * packet, and goes by gpc_next only where the kernel has the route but no neighbour: what XDP sends never
 * makes it look for one, and it forgets those that nobody else uses. That the kernel answers at all, the
 * device where the packet came in must have forwarding enabled.
 */
#ifndef GPC_HOP_BPF_H
#define GPC_HOP_BPF_H

#include "flow.bpf.h"

#define GPC_AF_INET 2
#define GPC_AF_INET6 10
#define GPC_MAC_MASK 0xffffffffffffull

/* MAC addresses in bytes 0..5 of memory, as gpc_next has them; the two bytes above are 0. */
struct gpc_route {
	__u64 destination_mac;
	__u64 source_mac;
	__u64 to[2];  /* address asked for, v4 as ::ffff:a.b.c.d */
	__u32 family; /* enum gpc_family of it */
	__u32 ifindex;
	__u32 mtu; /* of the IP packet; 0: not known */
	__u32 pad;
};

static __always_inline __u64 mac_of(const __u8 *mac)
{
	return (__u64)mac[0] | (__u64)mac[1] << 8 | (__u64)mac[2] << 16 | (__u64)mac[3] << 24 |
	       (__u64)mac[4] << 32 | (__u64)mac[5] << 40;
}

/* Asks the kernel for route->to: 1 and all of *route if it knows a neighbour, -1 if only that is missing, 0: no way. */
__noinline int gpc_ask_fib(struct xdp_md *ctx, struct gpc_route *route)
{
	struct bpf_fib_lookup fib = {};
	long r;

	if (!ctx || !route)
		return 0;
	fib.ifindex = ctx->ingress_ifindex;
	if (route->family == GPC_V4) {
		fib.family = GPC_AF_INET;
		fib.ipv4_dst = route->to[1] >> 32;
	} else {
		fib.family = GPC_AF_INET6;
		__builtin_memcpy(fib.ipv6_dst, route->to, sizeof(route->to));
	}
	r = bpf_fib_lookup(ctx, &fib, sizeof(fib), 0);
	if (r != BPF_FIB_LKUP_RET_SUCCESS)
		return r == BPF_FIB_LKUP_RET_NO_NEIGH ? -1 : 0;
	route->destination_mac = mac_of(fib.dmac);
	route->source_mac = mac_of(fib.smac);
	route->ifindex = fib.ifindex;
	route->mtu = fib.mtu_result;
	return 1;
}

/* What the route leads to: the endpoint itself or its backend's gateway. */
static __always_inline void route_target(struct gpc_view view, struct gpc_route *route,
					 const struct gpc_endpoint *endpoint, __u32 family)
{
	const struct gpc_backend *backend =
		gpc_record(view, gpc_view_plane(view)->section[GPC_SEC_BACKEND].offset,
			   endpoint->backend, sizeof(*backend));

	__builtin_memset(route, 0, sizeof(*route));
	route->family = family;
	if (backend->next_hop == GPC_NEXT_HOP_ADDRESS) {
		route->to[0] = backend->next_hop_be[0];
		route->to[1] = backend->next_hop_be[1];
		route->family = route->to[0] || (__u32)route->to[1] != 0xffff0000u;
	} else if (family == GPC_V4) {
		route->to[0] = 0;
		route->to[1] = gpc_mapped_v4(endpoint->address4_be);
	} else {
		route->to[0] = endpoint->address6_be[0];
		route->to[1] = endpoint->address6_be[1];
	}
}

/* Is it this invocation's turn to ask the kernel about the entry? */
static __always_inline int hop_take_turn(struct gpc_next *next, __u64 now)
{
	__u64 checked = READ_ONCE(next->checked);

	return unlikely((__s64)(now - checked) >= (__s64)GPC_SECOND || !checked) &&
	       __sync_val_compare_and_swap(&next->checked, checked, now) == checked;
}

/* The way that gpc_next.hop says; 0: by a device that the plane does not know. */
static __always_inline int route_of(struct gpc_view view, const struct gpc_link_head *link,
				    const struct gpc_link_device *in, __u64 hop,
				    struct gpc_route *route)
{
	route->ifindex = hop >> 48;
	route->destination_mac = hop & GPC_MAC_MASK;
	if (route->ifindex != in->ifindex)
		in = gpc_device_by_ifindex(view, link, route->ifindex);
	if (unlikely(!in))
		return 0;
	route->source_mac = load64(in->mac) & GPC_MAC_MASK;
	route->mtu = in->mtu;
	return 1;
}

/* The family by whose address the endpoint is sent to: the packet's own if it has that, else the other. */
static __always_inline __u32 family_to(const struct gpc_endpoint *endpoint, __u32 family)
{
	if (!(endpoint->flags & (family == GPC_V4 ? GPC_ENDPOINT_V4 : GPC_ENDPOINT_V6)))
		family ^= 1;
	return family;
}

/* Asks the kernel for each packet; *hop: what was known before, 0 if that is not to be gone by. 1: *route is set. */
static __always_inline int ask_each_time(struct xdp_md *ctx, struct gpc_view view,
					 const struct gpc_endpoint *endpoint, struct gpc_next *next,
					 __u32 family, struct gpc_route *route, __u64 *hop)
{
	__u64 found;
	int asked;

	route_target(view, route, endpoint, family);
	asked = gpc_ask_fib(ctx, route);
	if (asked >= 0)
		*hop = 0;
	if (asked <= 0)
		return 0;
	found = route->destination_mac | (__u64)route->ifindex << 48;
	if (next && route->ifindex <= 0xffff && READ_ONCE(next->hop) != found)
		WRITE_ONCE(next->hop, found);
	return 1;
}

/*
 * The way to an endpoint that is sent to by `family`. 0: none known.
 */
static __always_inline int find_route(struct xdp_md *ctx, struct gpc_view view,
				      const struct gpc_link_head *link,
				      const struct gpc_link_device *in,
				      const struct gpc_endpoint *endpoint, __u32 slot, __u32 family,
				      __u64 now, struct gpc_route *route)
{
	struct gpc_next *next = bpf_map_lookup_elem(&gpc_next, &slot);
	__u64 hop = next ? READ_ONCE(next->hop) : 0;

	if (unlikely(endpoint->flags & GPC_ENDPOINT_FIB)) {
		if (ask_each_time(ctx, view, endpoint, next, family, route, &hop))
			return 1;
	} else if (next && hop_take_turn(next, now)) {
		route_target(view, route, endpoint, family);
		if (gpc_ask_fib(ctx, route) > 0 && route->ifindex <= 0xffff) {
			hop = route->destination_mac | (__u64)route->ifindex << 48;
			WRITE_ONCE(next->hop, hop);
		}
	}
	if (likely(hop)) {
		if (likely(route_of(view, link, in, hop, route)))
			return 1;
	} else {
		return 0;
	}
	route_target(view, route, endpoint, family);
	return gpc_ask_fib(ctx, route) > 0;
}

#endif
