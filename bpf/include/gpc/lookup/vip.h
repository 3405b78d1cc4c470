/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * vip.h: which listener takes a packet (SEMANTICS 6.1), and what listeners say about an address.
 *
 * `interface_bit` is exactly one bit, or ~0 for any interface. A whole address with one port takes two
 * dependent loads: the bucket's displacement and the entry. Only planes with GPC_PLANE_VIP_PORTS pay for
 * more: two loads for each length of prefix, and a binary search where the prefix is a listener's.
 */
#ifndef GPC_LOOKUP_VIP_H
#define GPC_LOOKUP_VIP_H

#include "vip_entry.h"

/* The kernel's verifier follows loops inside of loops too far: there these are functions of their own. */
#ifndef GPC_VIP_INTERVAL
#define GPC_VIP_PREFIX		gpc_vip_prefix
#define GPC_VIP_INTERVAL	gpc_vip_interval
#define GPC_VIP_SAYS_FORWARDS	gpc_vip_says_forwards
#endif

/* What the PORTS entry says of a port. */
GPC_INLINE struct gpc_vip_says gpc_vip_says_port(struct gpc_view view, const struct gpc_vip *vip,
						 __be16 port)
{
	__u32 index = GPC_VIP_INTERVAL(view, vip->listener, (__u32)vip->ports,
				       __builtin_bswap16(port));
	const struct gpc_vip_ports *ports =
		gpc_record(view, gpc_view_plane(view)->section[GPC_SEC_VIP_PORTS].offset, index,
			   sizeof(*ports));

	return (struct gpc_vip_says){ports->interfaces, ports->listener, ports->flags};
}

/* What prefixes and ranges of ports say of a destination, for who has no exact listener. */
GPC_INLINE struct gpc_vip_says gpc_vip_says_wide(struct gpc_view view, __u64 address0,
						 __u64 address1, __be16 port, __u8 protocol,
						 __u64 interface_bit)
{
	enum gpc_family family = gpc_vip_family(address0, address1);
	struct gpc_vip_says says = {};
	__u32 i;

#ifdef __clang__
#pragma clang loop unroll(disable)
#endif
	for (i = 0; i < GPC_MAX_VIP_LENGTHS; i++) {
		__u32 length = gpc_vip_length(view, family, i);
		__u32 slot;

		if (!length)
			break;
		slot = GPC_VIP_PREFIX(view, address0, address1, length - 1, protocol,
				      GPC_VIP_PORTS);
		if (slot == GPC_NONE)
			continue;
		says = gpc_vip_says_port(view, gpc_vip_at(view, slot), port);
		if (says.interfaces & interface_bit)
			break;
	}
	return says;
}

/*
 * Index of the listener that takes this destination: longest prefix, then the fewest ports; GPC_NONE: none.
 */
GPC_INLINE __u32 gpc_vip_listener(struct gpc_view view, __u64 address0, __u64 address1, __be16 port,
				  __u8 protocol, __u64 interface_bit)
{
	const struct gpc_vip *vip =
		gpc_vip_entry(view, address0, address1, port, protocol, GPC_VIP_EXACT);
	struct gpc_vip_says says = {};

	if (vip && vip->interfaces & interface_bit)
		says = gpc_vip_says_entry(vip);
	else if (gpc_view_plane(view)->flags & GPC_PLANE_VIP_PORTS)
		says = gpc_vip_says_wide(view, address0, address1, port, protocol, interface_bit);
	return gpc_vip_chosen(view, says, interface_bit);
}

/*
 * The listener that takes a packet whose ports are not known: the only one of all that hold the address on
 * the interface (one bit); GPC_NONE: none, or several.
 */
GPC_INLINE __u32 gpc_vip_sole_listener(struct gpc_view view, __u64 address0, __u64 address1,
				       __u8 protocol, __u64 interface_bit)
{
	enum gpc_family family = gpc_vip_family(address0, address1);
	struct gpc_vip_says says = {};
	__u32 i;

#ifdef __clang__
#pragma clang loop unroll(disable)
#endif
	for (i = 0; i < GPC_MAX_VIP_LENGTHS; i++) {
		__u32 length = gpc_vip_length(view, family, i);
		__u32 slot;

		if (!length)
			break;
		slot = GPC_VIP_PREFIX(view, address0, address1, length - 1, protocol,
				      GPC_VIP_SOLE);
		if (slot == GPC_NONE)
			continue;
		/* The longest prefix counts those that cover it: nothing shorter is asked. */
		says = gpc_vip_says_entry(gpc_vip_at(view, slot));
		break;
	}
	return gpc_vip_chosen(view, says, interface_bit);
}

/*
 * What the listeners of the most specific prefix that holds the address on the interface agree about:
 * GPC_VIP_ADDRESS_*. GPC_NONE: this is no listener's address.
 */
GPC_INLINE __u32 gpc_vip_address(struct gpc_view view, __u64 address0, __u64 address1,
				 __u64 interface_bit)
{
	enum gpc_family family = gpc_vip_family(address0, address1);
	__u32 i;

#ifdef __clang__
#pragma clang loop unroll(disable)
#endif
	for (i = 0; i < GPC_MAX_VIP_LENGTHS; i++) {
		__u32 length = gpc_vip_length(view, family, i);
		const struct gpc_vip *vip;
		__u32 slot;

		if (!length)
			break;
		slot = GPC_VIP_PREFIX(view, address0, address1, length - 1, GPC_IPPROTO_ADDRESS,
				      GPC_VIP_ADDRESS);
		if (slot == GPC_NONE)
			continue;
		vip = gpc_vip_at(view, slot);
		if (vip->interfaces & interface_bit)
			return vip->listener;
	}
	return GPC_NONE;
}

/* Is this any listener's address on the interface? For what has no port: fragments, malformed packets. */
GPC_INLINE int gpc_vip_is_address(struct gpc_view view, __u64 address0, __u64 address1,
				  __u64 interface_bit)
{
	return gpc_vip_address(view, address0, address1, interface_bit) != GPC_NONE;
}

/* What to do with an echo request to the address: enum gpc_ping; -1: it is no listener's. */
GPC_INLINE int gpc_vip_ping(struct gpc_view view, __u64 address0, __u64 address1,
			    __u64 interface_bit)
{
	__u32 says = gpc_vip_address(view, address0, address1, interface_bit);

	return says == GPC_NONE ? -1 : (int)GPC_VIP_ADDRESS_PING(says);
}

/* ---- decap: interfaces do not count, the balancer's are not the backend's ---- */

/*
 * Does the listener that takes this (inner) destination, on whatever interface, send by `forward`, with `gue`
 * to that port?
 */
GPC_INLINE int gpc_vip_forwards(struct gpc_view view, __u64 address0, __u64 address1, __be16 port,
				__u8 protocol, __u8 forward, __be16 gue_port)
{
	const struct gpc_vip *vip =
		gpc_vip_entry(view, address0, address1, port, protocol, GPC_VIP_EXACT);
	enum gpc_family family = gpc_vip_family(address0, address1);
	struct gpc_vip_says says = {};
	__u64 left = ~0ull;	/* interfaces on which nobody more specific takes it */
	__u32 i, slot;

	if (vip)
		says = gpc_vip_says_entry(vip);
	if (GPC_VIP_SAYS_FORWARDS(view, says, left, forward, gue_port))
		return 1;
	left &= ~says.interfaces;
	if (!(gpc_view_plane(view)->flags & GPC_PLANE_VIP_PORTS))
		return 0;
#ifdef __clang__
#pragma clang loop unroll(disable)
#endif
	for (i = 0; i < GPC_MAX_VIP_LENGTHS; i++) {
		__u32 length = gpc_vip_length(view, family, i);

		if (!length)
			break;
		slot = GPC_VIP_PREFIX(view, address0, address1, length - 1, protocol,
				      GPC_VIP_PORTS);
		if (slot == GPC_NONE)
			continue;
		says = gpc_vip_says_port(view, gpc_vip_at(view, slot), port);
		if (GPC_VIP_SAYS_FORWARDS(view, says, left, forward, gue_port))
			return 1;
		left &= ~says.interfaces;
	}
	return 0;
}

/*
 * The same for a packet without ports (a fragment, an ICMP message): does any listener send so whose prefix
 * holds the address?
 */
GPC_INLINE int gpc_vip_address_forwards(struct gpc_view view, __u64 address0, __u64 address1,
					__u8 forward, __be16 gue_port)
{
	enum gpc_family family = gpc_vip_family(address0, address1);
	__u32 i;

#ifdef __clang__
#pragma clang loop unroll(disable)
#endif
	for (i = 0; i < GPC_MAX_VIP_LENGTHS; i++) {
		__u32 length = gpc_vip_length(view, family, i);
		__u32 slot, says;

		if (!length)
			break;
		slot = GPC_VIP_PREFIX(view, address0, address1, length - 1, GPC_IPPROTO_ADDRESS,
				      GPC_VIP_ADDRESS);
		if (slot == GPC_NONE)
			continue;
		says = gpc_vip_at(view, slot)->listener;
		if (GPC_VIP_ADDRESS_FORWARDS(says) >> forward & 1 &&
		    (forward != GPC_FORWARD_GUE || GPC_VIP_ADDRESS_GUE_PORT(says) == gue_port))
			return 1;
	}
	return 0;
}

#endif
