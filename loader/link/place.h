/* SPDX-License-Identifier: MIT */
/*
 * place.h: the device table of the link part. Its hash multiplier is searched so that every device
 * stands within GPC_DEVICE_PROBES of its home; the search is deterministic.
 */
#ifndef GPC_LOADER_LINK_PLACE_H
#define GPC_LOADER_LINK_PLACE_H

#include <stddef.h>

#include "gpc/image.h"

/*
 * Fills `table` (GPC_DEVICE_SLOTS records) with the `count` records and sets *ret_mult (odd).
 * -ENOSPC when there is no such multiplier (far more devices than GPC_MAX_DEVICES).
 */
int gpc_devices_place(const struct gpc_link_device *devices, size_t count,
		      struct gpc_link_device *table, __u32 *ret_mult);

#endif
