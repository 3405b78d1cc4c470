/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * vip_entry.h: how entries of the VIP table are found and read. Each kind of entry is found by its key with
 * one probe; for a prefix the key holds the masked address and the length, so an address is looked up once
 * for each length of gpc_plane.vip_lengths, longest first.
 */
#ifndef GPC_LOOKUP_VIP_ENTRY_H
#define GPC_LOOKUP_VIP_ENTRY_H

#include "hash.h"

#define GPC_VIP_CHOICES_MAX	GPC_MAX_INTERFACES	/* listeners of one key are on disjoint interfaces */
#define GPC_VIP_PORTS_STEPS	14u			/* halvings that leave one of GPC_VIP_INTERVALS_MAX */

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

GPC_INLINE const struct gpc_vip *gpc_vip_at(struct gpc_view view, __u32 slot)
{
	return gpc_record(view, gpc_view_plane(view)->section[GPC_SEC_VIP].offset, slot,
			  sizeof(struct gpc_vip));
}

/* The slot where the key has its place; *ret_differs: 0 if its entry stands there. */
GPC_INLINE __u32 gpc_vip_slot(struct gpc_view view, __u64 address0, __u64 address1, __be16 port,
			      __u8 protocol, enum gpc_vip_kind kind, __u64 *ret_differs)
{
	const struct gpc_plane *plane = gpc_view_plane(view);
	__u64 h = gpc_vip_hash(plane->vip.seed, address0, address1, port, protocol, kind);
	__u32 bucket = (__u32)(h >> 32) & plane->vip.bucket_mask;
	const __u32 *displacement =
		gpc_record(view, plane->section[GPC_SEC_VIP_DISP].offset, bucket, sizeof(__u32));
	__u32 slot = ((__u32)h ^ *displacement) & plane->vip.slot_mask;
	const struct gpc_vip *vip = gpc_vip_at(view, slot);

	*ret_differs = (vip->address_be[1] ^ address1) | (vip->address_be[0] ^ address0) |
		       (__u64)(vip->port_be ^ port) | (__u64)(vip->protocol ^ protocol) |
		       (__u64)(gpc_vip_kind(vip) ^ kind);
	return slot;
}

/* The entry of the key; NULL if there is none. An empty slot is the entry of ::, 0, 0, EXACT. */
GPC_INLINE const struct gpc_vip *gpc_vip_entry(struct gpc_view view, __u64 address0, __u64 address1,
					       __be16 port, __u8 protocol,
					       enum gpc_vip_kind kind)
{
	__u64 differs;
	__u32 slot = gpc_vip_slot(view, address0, address1, port, protocol, kind, &differs);

	return differs ? 0 : gpc_vip_at(view, slot);
}

/* The family by whose lengths an address is looked up. */
GPC_INLINE enum gpc_family gpc_vip_family(__u64 address0, __u64 address1)
{
	__u64 differs = address0 | ((__u32)address1 ^ 0xffff0000u);

	return (enum gpc_family)((differs | (0 - differs)) >> 63);
}

/* The first `bits` (0 to 64) of 8 bytes of an address, as they stand in memory. */
GPC_INLINE __u64 gpc_vip_mask(__u32 bits)
{
	__u32 rest = 64 - bits;

	return __builtin_bswap64(~0ull << (rest >> 1) << (rest - (rest >> 1)));
}

/* Slot of the entry of a kind for the prefix of `length` bits that holds the address; GPC_NONE: none. */
GPC_INLINE __u32 gpc_vip_prefix(struct gpc_view view, __u64 address0, __u64 address1, __u32 length,
				__u8 protocol, enum gpc_vip_kind kind)
{
	__u32 low = (length - 64) & (((length - 64) >> 31) - 1), slot;
	__u64 differs;

	slot = gpc_vip_slot(view, address0 & gpc_vip_mask(length - low),
			    address1 & gpc_vip_mask(low), (__be16)length, protocol, kind, &differs);
	return differs ? GPC_NONE : slot;
}

/* Place i of the list of lengths: the length plus one, 0 behind the last. */
GPC_INLINE __u32 gpc_vip_length(struct gpc_view view, enum gpc_family family, __u32 i)
{
	return gpc_view_plane(view)->vip_lengths.length[family & 1][i];
}

/* Index of the interval that holds the port (host order), of `count` intervals from `first` on. */
GPC_INLINE __u32 gpc_vip_interval(struct gpc_view view, __u32 first, __u32 count, __u32 port)
{
	__u32 section = gpc_view_plane(view)->section[GPC_SEC_VIP_PORTS].offset, i;

#ifdef __clang__
#pragma clang loop unroll(disable)
#endif
	for (i = 0; i < GPC_VIP_PORTS_STEPS && count > 1; i++) {
		__u32 half = count >> 1;
		const struct gpc_vip_ports *middle =
			gpc_record(view, section, first + half, sizeof(*middle));
		__u32 above = (port - middle->first) >> 31;

		gpc_opaque(above);
		first += half & (above - 1);
		count -= half;
	}
	return first;
}

/* What an entry or an interval says: one listener, or a run of them on disjoint interfaces. */
struct gpc_vip_says {
	__u64 interfaces;
	__u32 listener;
	__u32 flags;
};

GPC_INLINE struct gpc_vip_says gpc_vip_says_entry(const struct gpc_vip *vip)
{
	return (struct gpc_vip_says){vip->interfaces, vip->listener, vip->flags};
}

/* The listener on the interface; GPC_NONE: none. */
GPC_INLINE __u32 gpc_vip_chosen(struct gpc_view view, struct gpc_vip_says says, __u64 interface_bit)
{
	__u32 section = gpc_view_plane(view)->section[GPC_SEC_VIP_CHOICE].offset, i;

	if (!(says.interfaces & interface_bit))
		return GPC_NONE;
	if (!(says.flags & GPC_VIP_CHOICE))
		return says.listener;
#ifdef __clang__
#pragma clang loop unroll(disable)
#endif
	for (i = 0; i < GPC_VIP_CHOICES_MAX; i++) {
		const struct gpc_vip_choice *choice =
			gpc_record(view, section, says.listener + i, sizeof(*choice));

		if (choice->interfaces & interface_bit)
			return choice->listener;
		if (choice->last)
			break;
	}
	return GPC_NONE;
}

GPC_INLINE const struct gpc_listener *gpc_listener_at(struct gpc_view view, __u32 index)
{
	const struct gpc_plane *plane = gpc_view_plane(view);

	return gpc_record(view, plane->section[GPC_SEC_LISTENER].offset, index,
			  sizeof(struct gpc_listener));
}

/* Does the listener send by `forward`, with `gue` to that port? */
GPC_INLINE int gpc_listener_forwards(const struct gpc_listener *listener, __u8 forward, __be16 gue_port)
{
	return listener->forward == forward &&
	       (forward != GPC_FORWARD_GUE || listener->gue_port_be == gue_port);
}

/* Does one of the listeners that are said for one of `interfaces` send so? */
GPC_INLINE int gpc_vip_says_forwards(struct gpc_view view, struct gpc_vip_says says,
				     __u64 interfaces, __u8 forward, __be16 gue_port)
{
	__u32 section = gpc_view_plane(view)->section[GPC_SEC_VIP_CHOICE].offset, i;

	if (!(says.interfaces & interfaces))
		return 0;
	if (!(says.flags & GPC_VIP_CHOICE))
		return gpc_listener_forwards(gpc_listener_at(view, says.listener), forward,
					     gue_port);
#ifdef __clang__
#pragma clang loop unroll(disable)
#endif
	for (i = 0; i < GPC_VIP_CHOICES_MAX; i++) {
		const struct gpc_vip_choice *choice =
			gpc_record(view, section, says.listener + i, sizeof(*choice));

		if (choice->interfaces & interfaces &&
		    gpc_listener_forwards(gpc_listener_at(view, choice->listener), forward,
					  gue_port))
			return 1;
		if (choice->last)
			break;
	}
	return 0;
}

#endif
