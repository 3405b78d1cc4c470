/* SPDX-License-Identifier: MIT */
#include "../../../../loader/link/place.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../unit.h"
#include "gpc/lookup/device.h"

/* What the programs do: GPC_DEVICE_PROBES slots from the home of the index. */
static const struct gpc_link_device *look_up(const struct gpc_link_device *table, uint32_t mult,
					     uint32_t ifindex)
{
	for (uint32_t i = 0; i < GPC_DEVICE_PROBES; i++) {
		const struct gpc_link_device *device =
			&table[(gpc_device_home(mult, ifindex) + i) % GPC_DEVICE_SLOTS];

		if (device->ifindex == ifindex)
			return device;
	}
	return NULL;
}

static void check_all(const struct gpc_link_device *devices, size_t count)
{
	static struct gpc_link_device table[GPC_DEVICE_SLOTS];
	size_t found = 0, used = 0, i;
	uint32_t mult = 0;

	CU_ASSERT_EQUAL_FATAL(gpc_devices_place(devices, count, table, &mult), 0);
	CU_ASSERT_TRUE(mult & 1);
	for (i = 0; i < count; i++) {
		const struct gpc_link_device *device = look_up(table, mult, devices[i].ifindex);

		found += device && device->interface == devices[i].interface;
	}
	for (i = 0; i < GPC_DEVICE_SLOTS; i++)
		used += table[i].ifindex != 0;
	CU_ASSERT_EQUAL(found, count);
	CU_ASSERT_EQUAL(used, count);
}

static void every_device_is_found_within_the_probes(void)
{
	static struct gpc_link_device devices[GPC_MAX_DEVICES];
	unsigned int seed = 1, round, i;

	for (round = 0; round < 200; round++) {
		unsigned int count = 1 + (unsigned int)rand_r(&seed) % GPC_MAX_DEVICES;
		unsigned int at = 0;

		for (i = 0; i < count; i++) {
			at += 1 + (unsigned int)rand_r(&seed) % (round % 2 ? 3 : 200);
			devices[i] =
				(struct gpc_link_device){.ifindex = at, .interface = (uint16_t)i};
		}
		check_all(devices, count);
	}
}

static void neighbouring_indexes_fit(void)
{
	static struct gpc_link_device devices[GPC_MAX_DEVICES];

	for (uint32_t i = 0; i < GPC_MAX_DEVICES; i++)
		devices[i] = (struct gpc_link_device){.ifindex = 0xffffff00u + i,
						      .interface = (uint16_t)i};
	check_all(devices, GPC_MAX_DEVICES);
}

static void no_device_is_a_table_of_zeros(void)
{
	check_all(NULL, 0);
}

static void too_many_devices_are_refused(void)
{
	static struct gpc_link_device devices[GPC_DEVICE_SLOTS + 1], table[GPC_DEVICE_SLOTS];
	uint32_t mult;

	for (uint32_t i = 0; i <= GPC_DEVICE_SLOTS; i++)
		devices[i].ifindex = i + 1;
	CU_ASSERT_EQUAL(gpc_devices_place(devices, GPC_DEVICE_SLOTS + 1, table, &mult), -ENOSPC);
}

GPC_UNIT_MAIN("link/place",
	      {"every_device_is_found_within_the_probes", every_device_is_found_within_the_probes},
	      {"neighbouring_indexes_fit", neighbouring_indexes_fit},
	      {"no_device_is_a_table_of_zeros", no_device_is_a_table_of_zeros},
	      {"too_many_devices_are_refused", too_many_devices_are_refused})
