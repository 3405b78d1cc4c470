/* SPDX-License-Identifier: MIT */
/*
 * offload.h: what a device's driver says by ethtool's ioctl, which asks in this network namespace,
 * whatever /sys shows.
 */
#ifndef GPC_LOADER_LINK_OFFLOAD_H
#define GPC_LOADER_LINK_OFFLOAD_H

#include <stdbool.h>
#include <stddef.h>

#define GPC_DRIVER_TEXT 33
/* "veth", "virtio_net"; "unknown" if the device does not say. */
void gpc_device_driver(const char *device, char out[GPC_DRIVER_TEXT]);

/*
 * What lets merged packets come in: GRO and LRO of the device itself; on a veth, TSO too, since its
 * other end hands over what was never cut. Both ends have TSO from the start, so this end is asked.
 */
struct gpc_offloads {
	bool gro, lro, tso;
};
struct gpc_offloads gpc_device_merging(const char *device);

/*
 * May packets come in whose checksums are still to be filled in? From the other end of a veth, which leaves that to
 * whoever needs them; both ends do so from the start, so this end is asked.
 */
bool gpc_device_leaves_checksums(const char *device);

/* Does the driver take VLAN tags off before anybody sees the frame? */
bool gpc_device_takes_tags(const char *device);

#endif
