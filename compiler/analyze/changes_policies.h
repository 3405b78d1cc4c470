/* SPDX-License-Identifier: MIT */
/*
 * changes_policies.h: what differs in policies. Rules and policies by identity, as their records say;
 * what they match stands in the classifiers, and whether it means the same in the stamps of the chains.
 */
#ifndef GPC_LOADER_HISTORY_CHANGES_POLICIES_H
#define GPC_LOADER_HISTORY_CHANGES_POLICIES_H

#include "change_text.h"

/* Defaults and built-ins change with their policy, with the plane. */
bool gpc_change_counts_rule(const void *rule);

void gpc_changes_policy_differ(const struct gpc_image *before, const struct gpc_policy *a,
			       const struct gpc_image *after, const struct gpc_policy *b,
			       struct gpc_change_text *out);
void gpc_changes_rule_differ(const struct gpc_rule *a, const struct gpc_rule *b,
			     struct gpc_change_text *out);

/* Added, removed, or of another meaning; `before` may be NULL. */
void gpc_changes_compare_chains(struct gpc_changes *changes, const struct gpc_image *before,
				const struct gpc_image *after);

#endif
