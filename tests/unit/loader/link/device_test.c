/* SPDX-License-Identifier: MIT */
#include "../../../../loader/link/device.h"

#include "../plane/rig.h"

static struct gpc_image image_with(const char *interfaces)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 RIG_HEAD "interfaces: [%s]\nbackends: [{name: b, endpoints: [{name: e, address: "
			  "10.0.0.1}]}]\n"
			  "listeners: [{name: l, address: 192.0.2.1, protocol: TCP, port: 80, "
			  "forward: dsr, backend: b}]\n",
		 interfaces);
	return rig_image(text);
}

static const char *item_of(const struct gpc_image *image, const char *device)
{
	uint32_t count;
	const struct gpc_interface *item = gpc_image_section(image, GPC_SEC_INTERFACE, &count);
	uint16_t interface = gpc_device_interface(image, device);

	return interface == GPC_NONE16 ? "-" : gpc_image_name(image, item[interface].name);
}

static void the_exact_name_wins_then_the_longest_head(void)
{
	struct gpc_image image =
		image_with("{name: \"lan*\"}, {name: lan1}, {name: \"lan1*\"}, {name: wan}");

	CU_ASSERT_STRING_EQUAL(item_of(&image, "lan1"), "lan1");
	CU_ASSERT_STRING_EQUAL(item_of(&image, "lan12"), "lan1*");
	CU_ASSERT_STRING_EQUAL(item_of(&image, "lan2"), "lan*");
	CU_ASSERT_STRING_EQUAL(item_of(&image, "lan"), "lan*");
	CU_ASSERT_STRING_EQUAL(item_of(&image, "wan"), "wan");
	CU_ASSERT_STRING_EQUAL(item_of(&image, "wan0"), "-");
	CU_ASSERT_STRING_EQUAL(item_of(&image, "la"), "-");
	gpc_image_release(&image);
}

static void lo_and_tunnels_are_never_bound(void)
{
	struct gpc_image image =
		image_with("{name: \"l*\"}, {name: \"t*\"}, {name: eth0}, {name: gone}");
	struct gpc_device items[] = {
		{.ifindex = 1, .name = "lo"},
		{.ifindex = 2, .name = "tun0"},
		{.ifindex = 3, .name = "eth0", .ethernet = true},
	};
	struct gpc_devices devices = {items, 3};

	rig_notices[0] = '\0';
	CU_ASSERT_EQUAL(gpc_devices_match(&devices, &image, &rig_sink), 1);
	CU_ASSERT_EQUAL(items[0].interface, GPC_NONE16);
	CU_ASSERT_EQUAL(items[1].interface, GPC_NONE16);
	CU_ASSERT_NOT_EQUAL(items[2].interface, GPC_NONE16);
	CU_ASSERT_PTR_NOT_NULL(strstr(rig_notices, "warning: device 'tun0' is no Ethernet device"));
	CU_ASSERT_PTR_NOT_NULL(strstr(rig_notices, "warning: interface 'gone' has no device"));
	CU_ASSERT_PTR_NULL(strstr(rig_notices, "'lo'"));
	gpc_image_release(&image);
}

static void devices_of_the_namespace_are_read(void)
{
	struct gpc_netlink netlink;
	struct gpc_devices devices;
	struct gpc_failure failure;
	const struct gpc_device *lo = NULL;
	size_t i;

	CU_ASSERT_EQUAL_FATAL(gpc_netlink_open(&netlink, &failure), 0);
	CU_ASSERT_EQUAL_FATAL(gpc_devices_read(&netlink, &devices, &failure), 0);
	for (i = 0; i < devices.count; i++)
		if (!strcmp(devices.items[i].name, "lo"))
			lo = &devices.items[i];
	CU_ASSERT_PTR_NOT_NULL_FATAL(lo);
	CU_ASSERT_EQUAL(lo->ifindex, if_nametoindex("lo"));
	CU_ASSERT_FALSE(lo->ethernet);
	CU_ASSERT_PTR_EQUAL(gpc_devices_find(&devices, lo->ifindex), lo);
	CU_ASSERT_PTR_NULL(gpc_devices_find(&devices, 0));
	gpc_devices_release(&devices);
	gpc_netlink_close(&netlink);
}

GPC_UNIT_MAIN("link/device",
	      {"the_exact_name_wins_then_the_longest_head",
	       the_exact_name_wins_then_the_longest_head},
	      {"lo_and_tunnels_are_never_bound", lo_and_tunnels_are_never_bound},
	      {"devices_of_the_namespace_are_read", devices_of_the_namespace_are_read})
