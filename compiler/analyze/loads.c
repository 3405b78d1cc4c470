/* SPDX-License-Identifier: MIT */
#include "loads.h"

#include "gpc/lookup/chain.h"

#define PROBE_LOADS 2u		/* displacement, entry */
#define ENDPOINT_LOADS 3u	/* listener, Maglev slot, endpoint */

static uint32_t max(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static uint32_t loads_of(const struct gpc_image *image, uint32_t classifier)
{
	return classifier == GPC_NONE ? 0 : gpc_classifier_at(image->view, classifier)->loads;
}

static uint32_t chain_loads(const struct gpc_image *image, const struct gpc_chain *chain)
{
	uint32_t worst = loads_of(image, chain->protect);

	for (uint32_t i = 0; i < chain->policies; i++) {
		const struct gpc_policy *policy = gpc_policy_at(image->view, chain->policy[i]);

		worst = max(worst, loads_of(image, policy->decide));
		worst = max(worst, loads_of(image, policy->log));
		worst = max(worst, loads_of(image, policy->mark));
	}
	return worst;
}

/* Of a binary search for one of `intervals`. */
static uint32_t search_loads(uint64_t intervals)
{
	uint32_t loads = 0;

	while (1ull << loads < intervals)
		loads++;
	return loads;
}

/* Behind the exact entry: for each length a probe, then the most intervals that one of them has. */
static uint32_t wide_loads(const struct gpc_image *image)
{
	uint32_t count, longest = 0, intervals = 0;
	const struct gpc_vip *vips = gpc_image_section(image, GPC_SEC_VIP, &count);

	if (!(image->plane->flags & GPC_PLANE_VIP_PORTS))
		return 0;
	for (uint32_t i = 0; i < count; i++)
		if (vips[i].interfaces && (vips[i].flags & GPC_VIP_KIND) == GPC_VIP_PORTS)
			intervals = max(intervals, search_loads(vips[i].ports) + 1);
	for (int family = GPC_V4; family <= GPC_V6; family++) {
		uint32_t lengths = 0;

		while (lengths < GPC_MAX_VIP_LENGTHS &&
		       image->plane->vip_lengths.length[family][lengths])
			lengths++;
		longest = max(longest, lengths);
	}
	return longest * PROBE_LOADS + intervals;
}

static uint32_t listener_loads(const struct gpc_image *image)
{
	uint32_t count, choices, loads;
	const struct gpc_listener *listeners = gpc_image_section(image, GPC_SEC_LISTENER, &count);
	bool pools = false;

	if (!count)
		return 0;
	for (uint32_t i = 0; i < count; i++)
		pools |= (listeners[i].flags & GPC_LISTENER_POOLS) != 0;
	gpc_image_section(image, GPC_SEC_VIP_CHOICE, &choices);
	loads = PROBE_LOADS + wide_loads(image) + ENDPOINT_LOADS;
	return loads + (choices != 0) + pools;
}

uint32_t gpc_worst_loads(const struct gpc_image *image)
{
	uint32_t count, worst[2] = {0, 0};
	const struct gpc_chain *chains = gpc_image_section(image, GPC_SEC_CHAIN, &count);

	for (uint32_t i = 0; i < count; i++)
		worst[chains[i].direction] =
			max(worst[chains[i].direction], chain_loads(image, &chains[i]));
	return max(worst[GPC_INGRESS] + listener_loads(image), worst[GPC_EGRESS]);
}
