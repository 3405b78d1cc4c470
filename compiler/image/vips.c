/* SPDX-License-Identifier: MIT */
#include "vips.h"

#include <string.h>

#include "gpc/lookup/vip_entry.h"

#define V4_BITS 96u /* what stands before a v4 address */

bool gpc_vip_is_used(const struct gpc_vip *vip)
{
	return vip->interfaces != 0;
}

const char *gpc_vip_kind_name(const struct gpc_vip *vip)
{
	static const char *const names[] = {
		[GPC_VIP_EXACT] = "exact",
		[GPC_VIP_PORTS] = "ports",
		[GPC_VIP_SOLE] = "sole",
		[GPC_VIP_ADDRESS] = "address",
	};

	return names[gpc_vip_kind(vip)];
}

void gpc_vip_prefix_of(const struct gpc_vip *vip, struct gpc_prefix *ret_prefix)
{
	uint32_t length = gpc_vip_kind(vip) == GPC_VIP_EXACT ? 128 : vip->port_be;

	memcpy(ret_prefix->ip.bytes, vip->address_be, sizeof(ret_prefix->ip.bytes));
	ret_prefix->v4 = length >= V4_BITS && gpc_ip_is_v4(&ret_prefix->ip);
	ret_prefix->length = (uint8_t)(length - (ret_prefix->v4 ? V4_BITS : 0));
}

static void see_said(const struct gpc_image *image, struct gpc_vip_says says, gpc_vip_see *see,
		     void *user)
{
	uint32_t count;
	const struct gpc_vip_choice *choice = gpc_image_section(image, GPC_SEC_VIP_CHOICE, &count);

	if (says.listener == GPC_NONE)
		return;
	if (!(says.flags & GPC_VIP_CHOICE)) {
		see(user, says.listener, says.interfaces);
		return;
	}
	for (choice += says.listener;; choice++) {
		see(user, choice->listener, choice->interfaces);
		if (choice->last)
			return;
	}
}

void gpc_image_vip_listeners(const struct gpc_image *image, const struct gpc_vip *vip,
			     gpc_vip_see *see, void *user)
{
	uint32_t count;
	const struct gpc_vip_ports *ports = gpc_image_section(image, GPC_SEC_VIP_PORTS, &count);

	if (!gpc_vip_is_used(vip) || gpc_vip_kind(vip) == GPC_VIP_ADDRESS)
		return;
	if (gpc_vip_kind(vip) != GPC_VIP_PORTS) {
		see_said(image, gpc_vip_says_entry(vip), see, user);
		return;
	}
	ports += vip->listener;
	for (uint64_t i = 0; i < vip->ports; i++)
		see_said(image,
			 (struct gpc_vip_says){ports[i].interfaces, ports[i].listener, ports[i].flags},
			 see, user);
}
