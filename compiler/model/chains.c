/* SPDX-License-Identifier: MIT */
/* Policies of one interface and direction, in the order in which they are asked (SEMANTICS 4.3). */
#include <stdlib.h>

#include "../base/words.h"
#include "build.h"

static int by_order(const void *a, const void *b)
{
	const struct gpc_model_policy *const *x = a, *const *y = b;

	if ((*x)->priority != (*y)->priority)
		return (*x)->priority < (*y)->priority ? -1 : 1;
	return (*x)->position < (*y)->position ? -1 : (*x)->position > (*y)->position;
}

/* `protect` stands wherever there is a hook to ask it at. */
static bool is_protected(const struct gpc_model *model, uint32_t interface,
			 enum gpc_direction direction)
{
	uint8_t hooks =
		direction == GPC_INGRESS ? GPC_HOOK_XDP | GPC_HOOK_TC_INGRESS : GPC_HOOK_TC_EGRESS;

	if (!(model->interfaces[interface].hooks & hooks))
		return false;
	for (size_t i = 0; i < model->protect_count; i++)
		if (model->protects[i].interfaces >> interface & 1)
			return true;
	return false;
}

static void check_order(struct gpc_diags *diags, const struct gpc_model *model,
			const struct gpc_model_policy **policies, size_t count, uint32_t interface)
{
	for (size_t i = 1; i < count; i++)
		if (policies[i]->priority == policies[i - 1]->priority &&
		    policies[i]->document != policies[i - 1]->document)
			gpc_diag_place(gpc_diag(diags, GPC_E0335, policies[i]->at,
						"policies `%s` and `%s` on interface `%s` have the "
						"same priority %u",
						policies[i]->name, policies[i - 1]->name,
						model->interfaces[interface].name,
						policies[i]->priority),
				       policies[i - 1]->at, "stands in another document");
}

/* All policies of one interface and direction, sorted. */
static size_t collect(const struct gpc_model *model, uint32_t interface,
		      enum gpc_direction direction, const struct gpc_model_policy **ret)
{
	size_t count = 0;

	for (size_t i = 0; i < model->policy_count; i++)
		if (model->policies[i].interfaces >> interface & 1 &&
		    model->policies[i].direction == direction)
			ret[count++] = &model->policies[i];
	if (count)
		qsort(ret, count, sizeof(*ret), by_order);
	return count;
}

static void build_chain(struct gpc_diags *diags, struct gpc_model *model, uint32_t interface,
			enum gpc_direction direction, const struct gpc_model_policy **policies)
{
	struct gpc_model_chain chain = {.interface = interface, .direction = direction};
	size_t count = collect(model, interface, direction, policies);

	if (!count && !is_protected(model, interface, direction))
		return;
	check_order(diags, model, policies, count, interface);
	if (count > GPC_MAX_CHAIN_POLICIES) {
		gpc_diag(diags, GPC_E0416, policies[GPC_MAX_CHAIN_POLICIES]->at,
			 "%zu %s policies on interface `%s`, the most is %u", count,
			 gpc_direction_name(direction),
			 model->interfaces[interface].name, GPC_MAX_CHAIN_POLICIES);
		count = GPC_MAX_CHAIN_POLICIES;
	}
	for (size_t i = 0; i < count; i++)
		chain.policies[i] = (uint32_t)(policies[i] - model->policies);
	chain.policy_count = count;
	model->chains[model->chain_count++] = chain;
}

void gpc_model_chains(struct gpc_diags *diags, struct gpc_model *model)
{
	const struct gpc_model_policy **policies =
		GPC_NEW_ARRAY(diags->arena, const struct gpc_model_policy *, model->policy_count);

	model->chains =
		GPC_NEW_ARRAY(diags->arena, struct gpc_model_chain, 2 * model->interface_count);
	for (uint32_t i = 0; i < model->interface_count; i++) {
		build_chain(diags, model, i, GPC_INGRESS, policies);
		build_chain(diags, model, i, GPC_EGRESS, policies);
	}
}
