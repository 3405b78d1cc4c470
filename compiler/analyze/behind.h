/* SPDX-License-Identifier: MIT */
/* behind.h: the rules of a policy that hold a packet besides the one that decides it. */
#ifndef GPC_ANALYZE_BEHIND_H
#define GPC_ANALYZE_BEHIND_H

#include "../model/model.h"

/*
 * The first position from `from` on whose rule holds the packet, whatever its action; GPC_NONE: none.
 * Goes through the rules one by one.
 */
uint32_t gpc_holding_rule(const struct gpc_model *model, const struct gpc_model_policy *policy,
			  uint32_t from, const struct gpc_question *packet);

#endif
