/* SPDX-License-Identifier: MIT */
/*
 * host.h: a made-up host for an image: devices as the tests name them, every next hop known, counters
 * and buckets by index. Nothing of the real host is asked.
 */
#ifndef GPC_LOADER_SIM_HOST_H
#define GPC_LOADER_SIM_HOST_H

#include "../../compiler/image/image_file.h"
#include "gpc/abi.h"

#define GPC_SIM_OUT 60000u	/* ifindex of the device behind which all endpoints are */
#define GPC_SIM_MTU 1500u	/* of the way there */
#define GPC_SIM_NONCE 0x5349e7a1c0ffee01ull

struct gpc_sim_device {
	uint32_t ifindex;
	uint16_t interface;	/* index of the image's item that takes it */
};

/* Entries that the maps need. */
struct gpc_sim_need {
	uint32_t counters, next, rules, rate;
};

/* Slots of gpc_counters. */
uint32_t gpc_sim_listener_counter(uint32_t listener);
uint32_t gpc_sim_endpoint_counter(const struct gpc_image *image, uint32_t endpoint);
uint32_t gpc_sim_backend_counter(const struct gpc_image *image, uint32_t backend);

/*
 * Writes the link part into `bytes`, a copy of the image. -ENOSPC: more devices than a plane may have.
 * Endpoints whose next hop is asked of the kernel have one that is known, too.
 */
int gpc_sim_link(const struct gpc_image *image, const struct gpc_sim_device *devices, size_t count,
		 char *bytes, struct gpc_sim_need *ret_need);

/* What stands in gpc_next, in every slot. */
struct gpc_next gpc_sim_hop(void);
/* MAC addresses of the made-up neighbour and of a device. */
void gpc_sim_mac(uint32_t ifindex, uint8_t mac[6]);
#define GPC_SIM_NEIGHBOUR 0u	/* instead of an ifindex */

#endif
