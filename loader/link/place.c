/* SPDX-License-Identifier: MIT */
#include "place.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define FIRST_MULT 0x9e3779b1u
#define NEXT_MULT 0x85ebca6au /* even: an odd number stays odd */
#define TRIES 100000u

static bool place_one(const struct gpc_link_device *device, struct gpc_link_device *table,
		      __u32 mult)
{
	__u32 home = (device->ifindex * mult) >> 22, i;

	for (i = 0; i < GPC_DEVICE_PROBES; i++) {
		struct gpc_link_device *slot = &table[(home + i) & (GPC_DEVICE_SLOTS - 1)];

		if (slot->ifindex)
			continue;
		*slot = *device;
		return true;
	}
	return false;
}

int gpc_devices_place(const struct gpc_link_device *devices, size_t count,
		      struct gpc_link_device *table, __u32 *ret_mult)
{
	__u32 mult = FIRST_MULT, try;

	if (count > GPC_DEVICE_SLOTS)
		return -ENOSPC;
	for (try = 0; try < TRIES; try++, mult += NEXT_MULT) {
		size_t i;

		memset(table, 0, GPC_DEVICE_SLOTS * sizeof(*table));
		for (i = 0; i < count && place_one(&devices[i], table, mult); i++)
			;
		if (i == count) {
			*ret_mult = mult;
			return 0;
		}
	}
	return -ENOSPC;
}
