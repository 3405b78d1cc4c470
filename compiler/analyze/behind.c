/* SPDX-License-Identifier: MIT */
#include "behind.h"

#include "region.h"

static bool holds(const struct gpc_model *model, const struct gpc_model_rule *rule,
		  const struct gpc_question *packet)
{
	for (size_t i = 0; i < rule->box_count; i++)
		if (gpc_box_holds(&model->space, &rule->boxes[i], packet))
			return true;
	return false;
}

uint32_t gpc_holding_rule(const struct gpc_model *model, const struct gpc_model_policy *policy,
			  uint32_t from, const struct gpc_question *packet)
{
	for (uint32_t p = from; p < policy->rule_count; p++)
		if (holds(model, &model->rules[policy->rules[p]], packet))
			return p;
	return GPC_NONE;
}
