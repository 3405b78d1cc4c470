/* SPDX-License-Identifier: MIT */
#include "offload.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../compiler/base/cleanup.h"

static bool ask(const char *device, void *value)
{
	GPC_AUTO_CLOSE int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = {.ifr_data = value};

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", device);
	return fd >= 0 && !ioctl(fd, SIOCETHTOOL, &request);
}

static uint32_t number(const char *device, uint32_t command)
{
	struct ethtool_value value = {.cmd = command};

	return ask(device, &value) ? value.data : 0;
}

void gpc_device_driver(const char *device, char out[GPC_DRIVER_TEXT])
{
	struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};

	if (ask(device, &info) && info.driver[0])
		snprintf(out, GPC_DRIVER_TEXT, "%.*s", (int)sizeof(info.driver), info.driver);
	else
		snprintf(out, GPC_DRIVER_TEXT, "unknown");
}

struct gpc_offloads gpc_device_merging(const char *device)
{
	char driver[GPC_DRIVER_TEXT];

	gpc_device_driver(device, driver);
	return (struct gpc_offloads){
		.gro = number(device, ETHTOOL_GGRO),
		.lro = number(device, ETHTOOL_GFLAGS) & ETH_FLAG_LRO,
		.tso = !strcmp(driver, "veth") && number(device, ETHTOOL_GTSO),
	};
}

bool gpc_device_leaves_checksums(const char *device)
{
	char driver[GPC_DRIVER_TEXT];

	gpc_device_driver(device, driver);
	return !strcmp(driver, "veth") && number(device, ETHTOOL_GTXCSUM);
}

bool gpc_device_takes_tags(const char *device)
{
	return number(device, ETHTOOL_GFLAGS) & ETH_FLAG_RXVLAN;
}
