/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * hop.bpf.h: the MAC addresses and the device by which an endpoint is reached.
 *
 * gpc_next holds what the loader found out; the program asks the kernel's tables again at most once
 * a second per entry. What XDP sends never makes the kernel look for a neighbour, and it forgets those that
 * nobody else uses: where it has the route and no neighbour, the MAC address held stays, if the route still
 * leaves by its device. Where the kernel would not send there at all, the entry is not gone by until the kernel
 * says better (GPC_NEXT_REFUSED); it is kept, for a link that comes back has no neighbours. With
 * `next-hop: fib` the kernel is asked for each packet. That it answers at all, the device where the packet
 * came in must have forwarding enabled; else `auto` goes by what it holds.
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

/* What the kernel says about a way. */
enum gpc_fib {
	GPC_FIB_SILENT,	    /* nothing: forwarding is off, say */
	GPC_FIB_KNOWN,	    /* all of it */
	GPC_FIB_UNRESOLVED, /* the device, and no neighbour */
	GPC_FIB_REFUSED,    /* there is none */
};

static __always_inline __u64 mac_of(const __u8 *mac)
{
	return (__u64)mac[0] | (__u64)mac[1] << 8 | (__u64)mac[2] << 16 | (__u64)mac[3] << 24 |
	       (__u64)mac[4] << 32 | (__u64)mac[5] << 40;
}

/* Asks the kernel for route->to: enum gpc_fib. KNOWN sets all of *route, UNRESOLVED its ifindex. */
__noinline int gpc_ask_fib(struct xdp_md *ctx, struct gpc_route *route)
{
	struct bpf_fib_lookup fib = {};
	long r;

	if (!ctx || !route)
		return GPC_FIB_SILENT;
	fib.ifindex = ctx->ingress_ifindex;
	if (route->family == GPC_V4) {
		fib.family = GPC_AF_INET;
		fib.ipv4_dst = route->to[1] >> 32;
	} else {
		fib.family = GPC_AF_INET6;
		__builtin_memcpy(fib.ipv6_dst, route->to, sizeof(route->to));
	}
	r = bpf_fib_lookup(ctx, &fib, sizeof(fib), 0);
	if (r >= BPF_FIB_LKUP_RET_BLACKHOLE && r <= BPF_FIB_LKUP_RET_NOT_FWDED)
		return GPC_FIB_REFUSED;
	if (r != BPF_FIB_LKUP_RET_SUCCESS && r != BPF_FIB_LKUP_RET_NO_NEIGH)
		return GPC_FIB_SILENT;
	route->ifindex = fib.ifindex;
	if (r == BPF_FIB_LKUP_RET_NO_NEIGH)
		return GPC_FIB_UNRESOLVED;
	route->destination_mac = mac_of(fib.dmac);
	route->source_mac = mac_of(fib.smac);
	route->mtu = fib.mtu_result;
	return GPC_FIB_KNOWN;
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

/* May `hop` be gone by after this answer? */
static __always_inline int hop_stands(int asked, const struct gpc_route *route, __u64 hop)
{
	return asked == GPC_FIB_UNRESOLVED ? route->ifindex == hop >> 48 : asked != GPC_FIB_REFUSED;
}

/* The hop to go by, after asking the kernel if that is due; 0: none. */
static __always_inline __u64 refreshed_hop(struct xdp_md *ctx, struct gpc_view view,
					   const struct gpc_endpoint *endpoint,
					   struct gpc_next *next, __u32 family, __u64 now,
					   struct gpc_route *route)
{
	__u64 hop = READ_ONCE(next->hop), checked = READ_ONCE(next->checked), turn;
	int asked;

	turn = (now & ~GPC_NEXT_REFUSED) | (checked & GPC_NEXT_REFUSED);
	if (likely((checked && (__s64)(now - checked) < (__s64)GPC_SECOND) ||
		   __sync_val_compare_and_swap(&next->checked, checked, turn) != checked))
		return checked & GPC_NEXT_REFUSED ? 0 : hop;
	route_target(view, route, endpoint, family);
	asked = gpc_ask_fib(ctx, route);
	if (asked == GPC_FIB_KNOWN && route->ifindex <= 0xffff) {
		hop = route->destination_mac | (__u64)route->ifindex << 48;
		WRITE_ONCE(next->hop, hop);
	}
	if (hop_stands(asked, route, hop)) {
		WRITE_ONCE(next->checked, turn & ~GPC_NEXT_REFUSED);
		return hop;
	}
	WRITE_ONCE(next->checked, turn | GPC_NEXT_REFUSED);
	return 0;
}

/* Asks the kernel for each packet; *hop: what is to be gone by instead, 0: nothing. 1: *route is set. */
static __always_inline int ask_each_time(struct xdp_md *ctx, struct gpc_view view,
					 const struct gpc_endpoint *endpoint, struct gpc_next *next,
					 __u32 family, struct gpc_route *route, __u64 *hop)
{
	__u64 held = next ? READ_ONCE(next->hop) : 0, found;
	int asked;

	route_target(view, route, endpoint, family);
	asked = gpc_ask_fib(ctx, route);
	if (asked != GPC_FIB_KNOWN) {
		*hop = asked == GPC_FIB_UNRESOLVED && hop_stands(asked, route, held) ? held : 0;
		return 0;
	}
	found = route->destination_mac | (__u64)route->ifindex << 48;
	if (next && route->ifindex <= 0xffff && held != found)
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
	__u64 hop = 0;

	if (unlikely(endpoint->flags & GPC_ENDPOINT_FIB)) {
		if (ask_each_time(ctx, view, endpoint, next, family, route, &hop))
			return 1;
	} else if (next) {
		hop = refreshed_hop(ctx, view, endpoint, next, family, now, route);
	}
	if (likely(hop)) {
		if (likely(route_of(view, link, in, hop, route)))
			return 1;
	} else {
		return 0;
	}
	route_target(view, route, endpoint, family);
	return gpc_ask_fib(ctx, route) == GPC_FIB_KNOWN;
}

#endif
