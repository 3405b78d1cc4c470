/* SPDX-License-Identifier: MIT */
/* listener_places.h: where a listener takes packets, as the VIP table of an image says. */
#ifndef GPC_ANALYZE_LISTENER_PLACES_H
#define GPC_ANALYZE_LISTENER_PLACES_H

#include "../base/arena.h"
#include "../image/image_file.h"

/* "192.0.2.10, 2001:db8::/64", in the arena; *ret_interfaces: bits, by index of INTERFACE. */
const char *gpc_listener_places(struct gpc_arena *arena, const struct gpc_image *image, uint32_t listener,
				uint64_t *ret_interfaces);

#endif
