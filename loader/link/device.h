/* SPDX-License-Identifier: MIT */
/*
 * device.h: the network devices of this namespace, and which interface item of an image each takes:
 * the item with its exact name, else the pattern with the longest head (SEMANTICS 2.1).
 */
#ifndef GPC_LOADER_LINK_DEVICE_H
#define GPC_LOADER_LINK_DEVICE_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../compiler/image/image_file.h"
#include "../notice.h"
#include "netlink.h"

struct gpc_device {
	uint32_t ifindex;
	char name[IFNAMSIZ];
	uint8_t mac[6];
	uint32_t mtu;
	uint32_t below;			/* of a VLAN device: ifindex of the one that it lies on, else 0 */
	uint16_t interface;		/* index of the image's item, GPC_NONE16: not ours */
	bool ethernet, up, needed;	/* needed: bound, or a known next hop leaves by it */
	uint32_t xdp_native, xdp_generic, xdp_offloaded;	/* ids of attached programs, 0: none */
};

struct gpc_devices {
	struct gpc_device *items;	/* by ifindex, ascending */
	size_t count;
};

int gpc_devices_read(struct gpc_netlink *netlink, struct gpc_devices *ret,
		     struct gpc_failure *failure);
void gpc_devices_release(struct gpc_devices *devices);
struct gpc_device *gpc_devices_find(const struct gpc_devices *devices, uint32_t ifindex);

/* Index of the interface item that takes a device of this name, GPC_NONE16 if none does. */
uint16_t gpc_device_interface(const struct gpc_image *image, const char *name);

/* Has the host a device of this role? Balancers and the hosts that unwrap may share a plane: items of the other's
 * role need no device here. */
bool gpc_role_is_here(const struct gpc_devices *devices, const struct gpc_image *image, uint8_t role);

/*
 * Sets `interface` of every device and returns how many are bound. lo and non-Ethernet: never. Warns of items
 * without a device if their role is here.
 */
size_t gpc_devices_match(struct gpc_devices *devices, const struct gpc_image *image,
			 const struct gpc_notice_sink *notices);

#endif
