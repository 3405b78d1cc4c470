/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * device.h: the link part as the programs read it: its head, the device table, the records of
 * listeners and endpoints.
 */
#ifndef GPC_LOOKUP_DEVICE_H
#define GPC_LOOKUP_DEVICE_H

#include "view.h"

GPC_INLINE const struct gpc_link_head *gpc_view_link(struct gpc_view view)
{
	const struct gpc_image_head *head = (const struct gpc_image_head *)view.base;

	return gpc_at(view, head->link_offset, sizeof(struct gpc_link_head));
}

/* Where a device stands by preference; it may stand up to GPC_DEVICE_PROBES - 1 slots behind. */
GPC_INLINE __u32 gpc_device_home(__u32 mult, __u32 ifindex)
{
	return (ifindex * mult) >> 22;
}

GPC_INLINE const struct gpc_link_device *
gpc_device_slot(struct gpc_view view, const struct gpc_link_head *link, __u32 slot)
{
	return gpc_record(view, link->device_offset, slot & (GPC_DEVICE_SLOTS - 1),
			  sizeof(struct gpc_link_device));
}

/* The record of a device, NULL if the plane does not know it. */
GPC_INLINE const struct gpc_link_device *
gpc_device_by_ifindex(struct gpc_view view, const struct gpc_link_head *link, __u32 ifindex)
{
	__u32 home = gpc_device_home(link->device_mult, ifindex), i;

#ifdef __clang__
#pragma clang loop unroll(full)
#endif
	for (i = 0; i < GPC_DEVICE_PROBES; i++) {
		const struct gpc_link_device *device = gpc_device_slot(view, link, home + i);

		if (device->ifindex == ifindex)
			return device;
	}
	return 0;
}

GPC_INLINE const struct gpc_link_listener *
gpc_link_listener_at(struct gpc_view view, const struct gpc_link_head *link, __u32 index)
{
	return gpc_record(view, link->listener_offset, index, sizeof(struct gpc_link_listener));
}

GPC_INLINE const struct gpc_link_endpoint *
gpc_link_endpoint_at(struct gpc_view view, const struct gpc_link_head *link, __u32 index)
{
	return gpc_record(view, link->endpoint_offset, index, sizeof(struct gpc_link_endpoint));
}

GPC_INLINE const struct gpc_link_backend *
gpc_link_backend_at(struct gpc_view view, const struct gpc_link_head *link, __u32 index)
{
	return gpc_record(view, link->backend_offset, index, sizeof(struct gpc_link_backend));
}

#endif
