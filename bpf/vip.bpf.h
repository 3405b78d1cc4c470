/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * vip.bpf.h: lookups in the VIP table (gpc/lookup/vip.h). What every packet asks is inlined; what only planes
 * with prefixes or ranges of ports ask, and what is asked about packets without ports, are functions that
 * the verifier looks at once.
 */
#ifndef GPC_VIP_BPF_H
#define GPC_VIP_BPF_H

#include "slot.bpf.h"
#include "gpc/lookup/vip_entry.h"

/* gpc_vip_prefix(); `what`: length | protocol << 8 | kind << 16 */
__noinline int gpc_find_prefix(__u32 slot, __u64 address0, __u64 address1, __u32 what)
{
	struct gpc_view view = image_of(slot);

	if (!view.base)
		return GPC_NONE;
	return gpc_vip_prefix(view, address0, address1, what & 0xff, what >> 8 & 0xff,
			      what >> 16 & GPC_VIP_KIND);
}

/* gpc_vip_interval() */
__noinline int gpc_find_interval(__u32 slot, __u32 first, __u32 count, __u32 port)
{
	struct gpc_view view = image_of(slot);

	return view.base ? gpc_vip_interval(view, first, count, port) : 0;
}

/* gpc_vip_says_forwards(); `how`: forward | gue_port << 16 */
__noinline int gpc_find_forward(__u32 slot, __u32 listener, __u32 flags, __u64 interfaces, __u32 how)
{
	struct gpc_vip_says says = {interfaces, listener, flags};
	struct gpc_view view = image_of(slot);

	return view.base && gpc_vip_says_forwards(view, says, interfaces, how & 0xff, how >> 16);
}

#define GPC_VIP_PREFIX(view, address0, address1, length, protocol, kind)                           \
	(__u32)gpc_find_prefix((view).slot, address0, address1,                                    \
			       (length) | (__u32)(protocol) << 8 | (__u32)(kind) << 16)
#define GPC_VIP_INTERVAL(view, first, count, port) gpc_find_interval((view).slot, first, count, port)
#define GPC_VIP_SAYS_FORWARDS(view, says, left, forward, gue_port)                                 \
	((says).interfaces & (left) &&                                                             \
	 gpc_find_forward((view).slot, (says).listener, (says).flags, (says).interfaces & (left),  \
			  (forward) | (__u32)(gue_port) << 16))

#include "gpc/lookup/vip.h"

/* gpc_vip_listener(); `what`: port as in the packet | protocol << 16 */
__noinline int gpc_find_listener(__u32 slot, __u64 address0, __u64 address1, __u32 what,
				 __u64 interface_bit)
{
	struct gpc_view view = image_of(slot);

	if (!view.base)
		return GPC_NONE;
	return gpc_vip_listener(view, address0, address1, (__be16)what, what >> 16 & 0xff,
				interface_bit);
}

/* The same, at once for a whole address with one port that has one listener. */
static __always_inline __u32 find_listener_at(struct gpc_view view, const __u64 address[2],
					      __be16 port, __u8 protocol, __u64 interface_bit)
{
	__u64 differs;
	const struct gpc_vip *vip =
		gpc_vip_at(view, gpc_vip_slot(view, address[0], address[1], port, protocol,
					      GPC_VIP_EXACT, &differs));
	__u32 index = vip->listener, miss, odd;

	/* Numbers instead of branches: whatever is found is the same to the verifier. */
	miss = differs || !(vip->interfaces & interface_bit);
	opaque(miss);
	odd = (gpc_view_plane(view)->flags & GPC_PLANE_VIP_PORTS & (0 - miss)) |
	      (vip->flags & GPC_VIP_CHOICE & (miss - 1));
	index |= 0 - miss;
	if (unlikely(odd))
		index = gpc_find_listener(view.slot, address[0], address[1],
					  port | (__u32)protocol << 16, interface_bit);
	return index;
}

/* gpc_vip_sole_listener() */
__noinline int gpc_find_sole(__u32 slot, __u64 address0, __u64 address1, __u32 protocol,
			     __u64 interface_bit)
{
	struct gpc_view view = image_of(slot);

	if (!view.base)
		return GPC_NONE;
	return gpc_vip_sole_listener(view, address0, address1, protocol, interface_bit);
}

/* gpc_vip_address() */
__noinline int gpc_find_address(__u32 slot, __u64 address0, __u64 address1, __u64 interface_bit)
{
	struct gpc_view view = image_of(slot);

	return view.base ? gpc_vip_address(view, address0, address1, interface_bit) : GPC_NONE;
}

/* gpc_vip_forwards(); `what`: port | protocol << 16, `how`: forward | gue_port << 16 */
__noinline int gpc_find_forwards(__u32 slot, __u64 address0, __u64 address1, __u32 what, __u32 how)
{
	struct gpc_view view = image_of(slot);

	return view.base && gpc_vip_forwards(view, address0, address1, (__be16)what,
					     what >> 16 & 0xff, how & 0xff, how >> 16);
}

/* gpc_vip_address_forwards(); `how`: forward | gue_port << 16 */
__noinline int gpc_find_address_forwards(__u32 slot, __u64 address0, __u64 address1, __u32 how)
{
	struct gpc_view view = image_of(slot);

	return view.base && gpc_vip_address_forwards(view, address0, address1, how & 0xff,
						     how >> 16);
}

#endif
