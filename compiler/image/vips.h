/* SPDX-License-Identifier: MIT */
/* vips.h: an entry of the VIP table as people see it: to which listeners it leads, and for what. */
#ifndef GPC_IMAGE_VIPS_H
#define GPC_IMAGE_VIPS_H

#include "../base/ip.h"
#include "image_file.h"

/* An empty slot has no kind. */
bool gpc_vip_is_used(const struct gpc_vip *vip);
const char *gpc_vip_kind_name(const struct gpc_vip *vip);

/*
 * Calls `see` for each listener to which the entry leads, and where: a listener of several intervals of
 * ports is seen several times. Nothing is seen of an ADDRESS entry, or of SOLE where there are several.
 */
typedef void gpc_vip_see(void *user, uint32_t listener, uint64_t interfaces);
void gpc_image_vip_listeners(const struct gpc_image *image, const struct gpc_vip *vip,
			     gpc_vip_see *see, void *user);

/* The prefix of the entry; for EXACT the whole address. */
void gpc_vip_prefix_of(const struct gpc_vip *vip, struct gpc_prefix *ret_prefix);

#endif
