/* SPDX-License-Identifier: MIT */
/*
 * rules.h: what can be said of the rules of each policy together, exactly and over unions: rules that
 * can never act because earlier ones take all of their packets, rules whose removal would change
 * nothing, and rules of equal written priority that disagree about a packet.
 *
 * The compiled tables give the first rule of a packet; what that rule takes is cut off, and another
 * packet of the rest is looked up, until nothing is left or the rule itself is found.
 */
#ifndef GPC_ANALYZE_RULES_H
#define GPC_ANALYZE_RULES_H

#include "../diag/diag.h"
#include "../lower/tables.h"

/*
 * Adds warnings only. `view`: the image that the tables became; its policies stand in the order of the
 * model's.
 */
void gpc_analyze_rules(struct gpc_diags *diags, const struct gpc_model *model, struct gpc_view view);

#endif
