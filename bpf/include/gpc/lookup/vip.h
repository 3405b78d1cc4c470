/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * vip.h: from (destination, port, protocol, interface) to a listener. Two dependent loads: the
 * bucket's displacement and the entry.
 */
#ifndef GPC_LOOKUP_VIP_H
#define GPC_LOOKUP_VIP_H

#include "hash.h"

#define GPC_VIP_CHOICES_MAX GPC_MAX_INTERFACES	/* listeners of one key are on disjoint interfaces */

GPC_INLINE __u64 gpc_vip_hash(__u64 seed, __u64 address0, __u64 address1, __be16 port, __u8 protocol,
			      enum gpc_vip_kind kind)
{
	return gpc_phash_mix(seed, address1, address0,
			     (__u64)kind << 24 | (__u64)port << 8 | protocol);
}

GPC_INLINE enum gpc_vip_kind gpc_vip_kind(const struct gpc_vip *vip)
{
	return (enum gpc_vip_kind)(vip->flags & GPC_VIP_KIND);
}

GPC_INLINE const struct gpc_listener *gpc_listener_at(struct gpc_view view, __u32 index)
{
	const struct gpc_plane *plane = gpc_view_plane(view);

	return gpc_record(view, plane->section[GPC_SEC_LISTENER].offset, index,
			  sizeof(struct gpc_listener));
}

/* The entry of the key, or the entry that occupies its place: the caller sees NULL if it is another's. */
GPC_INLINE const struct gpc_vip *gpc_vip_entry(struct gpc_view view, __u64 address0, __u64 address1,
					       __be16 port, __u8 protocol,
					       enum gpc_vip_kind kind)
{
	const struct gpc_plane *plane = gpc_view_plane(view);
	__u64 h = gpc_vip_hash(plane->vip.seed, address0, address1, port, protocol, kind);
	__u32 bucket = (__u32)(h >> 32) & plane->vip.bucket_mask;
	const __u32 *displacement =
		gpc_record(view, plane->section[GPC_SEC_VIP_DISP].offset, bucket, sizeof(__u32));
	__u32 slot = ((__u32)h ^ *displacement) & plane->vip.slot_mask;
	const struct gpc_vip *vip =
		gpc_record(view, plane->section[GPC_SEC_VIP].offset, slot, sizeof(*vip));

	if (vip->address_be[1] != address1 || vip->address_be[0] != address0 ||
	    vip->port_be != port || vip->protocol != protocol || gpc_vip_kind(vip) != kind)
		return 0;
	return vip;
}

/*
 * Index of the listener that takes this destination on the interfaces of `interface_bit` (exactly
 * one bit; ~0 asks for any), or GPC_NONE.
 */
GPC_INLINE __u32 gpc_vip_listener(struct gpc_view view, __u64 address0, __u64 address1, __be16 port,
				  __u8 protocol, __u64 interface_bit)
{
	const struct gpc_vip *vip = gpc_vip_entry(view, address0, address1, port, protocol,
						  GPC_VIP_EXACT);
	const struct gpc_plane *plane = gpc_view_plane(view);
	__u32 i;

	if (!vip || !(vip->interfaces & interface_bit))
		return GPC_NONE;
	if (!(vip->flags & GPC_VIP_CHOICE))
		return vip->listener;
#ifdef __clang__
#pragma clang loop unroll(disable)
#endif
	for (i = 0; i < GPC_VIP_CHOICES_MAX; i++) {
		const struct gpc_vip_choice *choice =
			gpc_record(view, plane->section[GPC_SEC_VIP_CHOICE].offset,
				   vip->listener + i, sizeof(*choice));

		if (choice->interfaces & interface_bit)
			return choice->listener;
		if (choice->last)
			break;
	}
	return GPC_NONE;
}

/* Does the listener send by `forward`, with `gue` to that port? */
GPC_INLINE int gpc_listener_forwards(struct gpc_view view, __u32 index, __u8 forward, __be16 gue_port)
{
	const struct gpc_listener *listener = gpc_listener_at(view, index);

	return listener->forward == forward &&
	       (forward != GPC_FORWARD_GUE || listener->gue_port_be == gue_port);
}

/*
 * Does any listener of this key, on whatever interface, send by `forward`? What a decap role asks: the
 * balancer's interfaces are not the backend's.
 */
GPC_INLINE int gpc_vip_forwards(struct gpc_view view, __u64 address0, __u64 address1, __be16 port,
				__u8 protocol, __u8 forward, __be16 gue_port)
{
	const struct gpc_vip *vip = gpc_vip_entry(view, address0, address1, port, protocol,
						  GPC_VIP_EXACT);
	const struct gpc_plane *plane = gpc_view_plane(view);
	const struct gpc_vip_choice *choice;
	__u32 i;

	if (!vip || !vip->interfaces)
		return 0;
	if (!(vip->flags & GPC_VIP_CHOICE))
		return gpc_listener_forwards(view, vip->listener, forward, gue_port);
#ifdef __clang__
#pragma clang loop unroll(disable)
#endif
	for (i = 0; i < GPC_VIP_CHOICES_MAX; i++) {
		choice = gpc_record(view, plane->section[GPC_SEC_VIP_CHOICE].offset,
				    vip->listener + i, sizeof(*choice));
		if (gpc_listener_forwards(view, choice->listener, forward, gue_port))
			return 1;
		if (choice->last)
			break;
	}
	return 0;
}

/* Is this any listener's address on the interface? For what has no port: fragments, malformed packets. */
GPC_INLINE int gpc_vip_is_address(struct gpc_view view, __u64 address0, __u64 address1,
				  __u64 interface_bit)
{
	const struct gpc_vip *vip = gpc_vip_entry(view, address0, address1, 128,
						  GPC_IPPROTO_ADDRESS, GPC_VIP_ADDRESS);

	return vip && vip->interfaces & interface_bit;
}

#endif
