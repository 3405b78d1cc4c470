/* SPDX-License-Identifier: MIT */
#include "merging.h"

#include <stdio.h>

#include "../link/offload.h"

/* Is one sent on that must not be larger than its way takes? */
static bool sends_whole(const struct gpc_image *image)
{
	uint32_t count, i;
	const struct gpc_listener *listener = gpc_image_section(image, GPC_SEC_LISTENER, &count);

	for (i = 0; i < count; i++)
		if (listener[i].forward == GPC_FORWARD_IPIP ||
		    listener[i].forward == GPC_FORWARD_GUE ||
		    listener[i].forward == GPC_FORWARD_NAT)
			return true;
	return false;
}

static bool is_concerned(const struct gpc_image *image, const struct gpc_binding *binding)
{
	return binding->hook == GPC_HOOK_XDP && binding->generic &&
	       (binding->program == GPC_PROGRAM_DECAP || sends_whole(image));
}

struct gpc_merging gpc_merging_find(const struct gpc_image *image,
				    const struct gpc_binding *binding)
{
	const char *device = binding->device->name;
	struct gpc_merging merging = {.concerned = is_concerned(image, binding)};
	struct gpc_offloads on;

	if (!merging.concerned)
		return merging;
	on = gpc_device_merging(device);
	merging.merges = on.gro || on.lro || on.tso;
	if (!merging.merges) {
		snprintf(merging.found, sizeof(merging.found), "no merged packets come in");
		return merging;
	}
	snprintf(merging.found, sizeof(merging.found),
		 "%s%s%son: in generic mode merged packets cannot be %s", on.gro ? "gro " : "",
		 on.lro ? "lro " : "", on.tso ? "tso " : "",
		 binding->program == GPC_PROGRAM_DECAP ? "unwrapped" : "sent on");
	snprintf(merging.fix, sizeof(merging.fix), "ethtool -K %s%s%s%s%s", device,
		 on.gro ? " gro off" : "", on.lro ? " lro off" : "", on.tso ? " tso off" : "",
		 on.tso ? "  # on both ends of a veth pair" : "");
	return merging;
}

void gpc_merging_warn(const struct gpc_image *image, const struct gpc_bindings *bindings,
		      const struct gpc_notice_sink *notices)
{
	size_t i;

	for (i = 0; i < bindings->count; i++) {
		struct gpc_merging merging = gpc_merging_find(image, &bindings->items[i]);

		if (merging.merges)
			gpc_warn(notices, "device '%s' has %s; run: %s",
				 bindings->items[i].device->name, merging.found, merging.fix);
	}
}
