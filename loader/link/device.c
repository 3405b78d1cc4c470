/* SPDX-License-Identifier: MIT */
#include "device.h"

#include <errno.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

static int take_xdp(const struct nlattr *attribute, void *context)
{
	struct gpc_device *device = context;

	switch (mnl_attr_get_type(attribute)) {
	case IFLA_XDP_DRV_PROG_ID:
		device->xdp_native = mnl_attr_get_u32(attribute);
		break;
	case IFLA_XDP_SKB_PROG_ID:
		device->xdp_generic = mnl_attr_get_u32(attribute);
		break;
	case IFLA_XDP_HW_PROG_ID:
		device->xdp_offloaded = mnl_attr_get_u32(attribute);
		break;
	}
	return MNL_CB_OK;
}

/* IFLA_LINKINFO: what kind of device it is. */
static int take_kind(const struct nlattr *attribute, void *context)
{
	bool *is_vlan = context;

	if (mnl_attr_get_type(attribute) == IFLA_INFO_KIND)
		*is_vlan = !strcmp(mnl_attr_get_str(attribute), "vlan");
	return MNL_CB_OK;
}

struct taken {
	struct gpc_device *device;
	uint32_t link;
	bool is_vlan;
};

static int take_attribute(const struct nlattr *attribute, void *context)
{
	struct taken *taken = context;
	struct gpc_device *device = taken->device;

	switch (mnl_attr_get_type(attribute)) {
	case IFLA_LINK:
		taken->link = mnl_attr_get_u32(attribute);
		break;
	case IFLA_LINKINFO:
		return mnl_attr_parse_nested(attribute, take_kind, &taken->is_vlan);
	case IFLA_IFNAME:
		snprintf(device->name, sizeof(device->name), "%s", mnl_attr_get_str(attribute));
		break;
	case IFLA_MTU:
		device->mtu = mnl_attr_get_u32(attribute);
		break;
	case IFLA_ADDRESS:
		if (mnl_attr_get_payload_len(attribute) == sizeof(device->mac))
			memcpy(device->mac, mnl_attr_get_payload(attribute), sizeof(device->mac));
		break;
	case IFLA_XDP:
		return mnl_attr_parse_nested(attribute, take_xdp, device);
	}
	return MNL_CB_OK;
}

static int take_device(const struct nlmsghdr *message, void *context)
{
	const struct ifinfomsg *body = mnl_nlmsg_get_payload(message);
	struct gpc_devices *devices = context;
	struct gpc_device *device;
	struct taken taken = {0};
	int r;

	/* Room for 2^k devices is made whenever the count is a power of two. */
	if ((devices->count & (devices->count - 1)) == 0) {
		size_t room = devices->count ? 2 * devices->count : 1;
		struct gpc_device *items = realloc(devices->items, room * sizeof(*items));

		if (!items) {
			errno = ENOMEM;
			return MNL_CB_ERROR;
		}
		devices->items = items;
	}
	device = &devices->items[devices->count++];
	*device = (struct gpc_device){
		.ifindex = (uint32_t)body->ifi_index,
		.interface = GPC_NONE16,
		.ethernet = body->ifi_type == ARPHRD_ETHER,
		.up = body->ifi_flags & IFF_UP,
	};
	taken.device = device;
	r = mnl_attr_parse(message, sizeof(*body), take_attribute, &taken);
	device->below = taken.is_vlan ? taken.link : 0;
	return r;
}

static int by_ifindex(const void *a, const void *b)
{
	uint32_t x = ((const struct gpc_device *)a)->ifindex;
	uint32_t y = ((const struct gpc_device *)b)->ifindex;

	return (x > y) - (x < y);
}

static void forget_devices(void *context)
{
	((struct gpc_devices *)context)->count = 0;
}

int gpc_devices_read(struct gpc_netlink *netlink, struct gpc_devices *ret,
		     struct gpc_failure *failure)
{
	struct gpc_devices devices = {0};
	const struct gpc_netlink_dump dump = {
		.type = RTM_GETLINK,
		.body_size = sizeof(struct ifinfomsg),
		.each = take_device,
		.reset = forget_devices,
		.context = &devices,
	};

	if (gpc_netlink_dump(netlink, &dump, failure)) {
		gpc_devices_release(&devices);
		return -1;
	}
	if (devices.count)
		qsort(devices.items, devices.count, sizeof(*devices.items), by_ifindex);
	*ret = devices;
	return 0;
}

void gpc_devices_release(struct gpc_devices *devices)
{
	free(devices->items);
	*devices = (struct gpc_devices){0};
}

struct gpc_device *gpc_devices_find(const struct gpc_devices *devices, uint32_t ifindex)
{
	struct gpc_device key = {.ifindex = ifindex};

	if (!devices->count)
		return NULL;
	return bsearch(&key, devices->items, devices->count, sizeof(key), by_ifindex);
}

uint16_t gpc_device_interface(const struct gpc_image *image, const char *name)
{
	uint32_t interface = gpc_image_interface(image, name);

	_Static_assert(GPC_MAX_INTERFACES < GPC_NONE16, "an index fits");
	return interface == GPC_NONE ? GPC_NONE16 : (uint16_t)interface;
}

bool gpc_role_is_here(const struct gpc_devices *devices, const struct gpc_image *image, uint8_t role)
{
	uint32_t count;
	const struct gpc_interface *item = gpc_image_section(image, GPC_SEC_INTERFACE, &count);
	size_t d;

	for (d = 0; d < devices->count; d++) {
		uint16_t interface = devices->items[d].interface;

		if (interface < count && item[interface].role == role)
			return true;
	}
	return false;
}

static void warn_unmatched(const struct gpc_devices *devices, const struct gpc_image *image,
			   const struct gpc_notice_sink *notices)
{
	uint32_t count, i;
	const struct gpc_interface *item = gpc_image_section(image, GPC_SEC_INTERFACE, &count);

	for (i = 0; i < count; i++) {
		bool found = false;
		size_t d;

		for (d = 0; d < devices->count && !found; d++)
			found = devices->items[d].interface == i;
		if (!found && gpc_role_is_here(devices, image, item[i].role))
			gpc_warn(notices,
				 "interface '%s' has no device here; it is bound by the next apply "
				 "after one appears",
				 gpc_image_name(image, item[i].name));
	}
}

size_t gpc_devices_match(struct gpc_devices *devices, const struct gpc_image *image,
			 const struct gpc_notice_sink *notices)
{
	size_t bound = 0, d;

	for (d = 0; d < devices->count; d++) {
		struct gpc_device *device = &devices->items[d];
		uint16_t interface = strcmp(device->name, "lo")
					     ? gpc_device_interface(image, device->name)
					     : GPC_NONE16;

		if (interface != GPC_NONE16 && !device->ethernet) {
			gpc_warn(notices, "device '%s' is no Ethernet device, skipped",
				 device->name);
			interface = GPC_NONE16;
		}
		device->interface = interface;
		device->needed = interface != GPC_NONE16;
		bound += device->needed;
	}
	warn_unmatched(devices, image, notices);
	return bound;
}
