/* SPDX-License-Identifier: MIT */
#include "check.h"

static bool sends_wrapped(const struct gpc_model *model)
{
	for (size_t i = 0; i < model->listener_count; i++)
		if (model->listeners[i].forward == GPC_FORWARD_IPIP ||
		    model->listeners[i].forward == GPC_FORWARD_GUE)
			return true;
	return false;
}

void gpc_check_interfaces(struct gpc_diags *diags, const struct gpc_model *model)
{
	for (size_t i = 0; i < model->interface_count; i++) {
		const struct gpc_model_interface *interface = &model->interfaces[i];

		if (interface->role != GPC_ROLE_DECAP)
			continue;
		if (!(interface->hooks & GPC_HOOK_XDP))
			gpc_diag(diags, GPC_E0312, interface->at,
				 "role `decap` without hook `xdp` on interface `%s`",
				 interface->name);
		else if (!sends_wrapped(model))
			gpc_diag(diags, GPC_W0315, interface->at,
				 "no `ipip` or `gue` listener for interface `%s` with role `decap`",
				 interface->name);
	}
}
