/* SPDX-License-Identifier: MIT */
#include "../base/words.h"
#include "check.h"

/* ---- one policy ---- */

static void check_keys(struct gpc_diags *diags, const struct gpc_model_policy *policy)
{
	struct gpc_place keys[] = {policy->existing_at, policy->mid_stream_at};
	static const char *const names[] = {"existing", "mid-stream"};

	for (size_t i = 0; i < 2 && !policy->stateful; i++)
		if (keys[i].source != GPC_NO_SOURCE)
			gpc_diag_place(gpc_diag(diags, GPC_E0332, keys[i],
						"`%s` in policy `%s`, which is not stateful",
						names[i], policy->name),
				       policy->stateful_at, "not stateful");
}

static void check_byte_rates(struct gpc_diags *diags, const struct gpc_model *model,
			     const struct gpc_model_policy *policy)
{
	for (size_t i = 0; i < policy->rule_count && policy->stateful; i++) {
		const struct gpc_model_rule *rule = &model->rules[policy->rules[i]];

		if (rule->rate.limited && rule->rate.bytes)
			gpc_diag_place(
				gpc_diag(diags, GPC_E0331, policy->rules_at[i],
					 "rule `%s` with a rate in bytes in stateful policy `%s`",
					 rule->name, policy->name),
				rule->rate.at, "the rate");
	}
}

/* ---- hooks (SEMANTICS 3) ---- */

#define ARRIVES (GPC_HOOK_XDP | GPC_HOOK_TC_INGRESS)

/* The rule that sets a mark, GPC_NONE if there is none. */
static uint32_t marking_rule(const struct gpc_model *model, const struct gpc_model_policy *policy)
{
	for (uint32_t i = 0; i < policy->rule_count; i++)
		if (model->rules[policy->rules[i]].mark)
			return i;
	return GPC_NONE;
}

static const char *lacking_hook(const struct gpc_model_policy *policy, uint8_t hooks)
{
	if (!(hooks & ARRIVES) && (policy->direction == GPC_INGRESS || policy->stateful))
		return "neither hook `xdp` nor `tc-ingress`";
	if (!(hooks & GPC_HOOK_TC_EGRESS) && (policy->direction == GPC_EGRESS || policy->stateful))
		return "no hook `tc-egress`";
	return NULL;
}

static void check_hooks(struct gpc_diags *diags, const struct gpc_model *model,
			const struct gpc_model_policy *policy)
{
	uint32_t mark = policy->direction == GPC_INGRESS ? marking_rule(model, policy) : GPC_NONE;

	if (!policy->interfaces)
		gpc_diag(diags, GPC_E0333, policy->interfaces_at,
			 "no interface for policy `%s`: the plane has none", policy->name);
	for (size_t i = 0; i < model->interface_count; i++) {
		const struct gpc_model_interface *interface = &model->interfaces[i];
		const char *lacking = lacking_hook(policy, interface->hooks);

		if (!(policy->interfaces >> i & 1))
			continue;
		if (lacking)
			gpc_diag_place(gpc_diag(diags, GPC_E0333, policy->interfaces_at,
						"%s on interface `%s` for %s %s policy `%s`",
						lacking, interface->name,
						policy->stateful ? "stateful" : "stateless",
						gpc_direction_name(policy->direction), policy->name),
				       interface->at, "the interface");
		if (mark != GPC_NONE && !(interface->hooks & GPC_HOOK_TC_INGRESS))
			gpc_diag_place(gpc_diag(diags, GPC_E0333, policy->rules_at[mark],
						"interface `%s` has no hook `tc-ingress` for the "
						"mark of rule `%s`",
						interface->name,
						model->rules[policy->rules[mark]].name),
				       interface->at, "the interface");
	}
}

/* ---- chains ---- */

/* The key in which they differ, NULL if they agree. */
static const char *difference(const struct gpc_model_policy *a, const struct gpc_model_policy *b)
{
	if (a->stateful != b->stateful)
		return "stateful";
	if (!a->stateful)
		return NULL;
	if (a->keep != b->keep)
		return "existing";
	return a->mid_stream != b->mid_stream ? "mid-stream" : NULL;
}

static struct gpc_place place_of_key(const struct gpc_model_policy *policy, const char *key)
{
	struct gpc_place at = *key == 's'   ? policy->stateful_at
			      : *key == 'e' ? policy->existing_at
					    : policy->mid_stream_at;

	return at.source == GPC_NO_SOURCE ? policy->at : at;
}

/* `told`: a bit for each policy that was complained about, so that many interfaces make one error.
 */
static void check_agreement(struct gpc_diags *diags, const struct gpc_model *model,
			    const struct gpc_model_chain *chain, uint64_t *told)
{
	for (size_t i = 1; i < chain->policy_count; i++) {
		const struct gpc_model_policy *first = &model->policies[chain->policies[0]];
		const struct gpc_model_policy *other = &model->policies[chain->policies[i]];
		const char *key = difference(first, other);

		if (!key || *told >> chain->policies[i] & 1)
			continue;
		*told |= 1ull << chain->policies[i];
		gpc_diag_place(gpc_diag(diags, GPC_E0334, place_of_key(other, key),
					"policies `%s` and `%s` on interface `%s` differ in `%s`",
					other->name, first->name,
					model->interfaces[chain->interface].name, key),
			       place_of_key(first, key), "the other one");
	}
}

/* ---- on-fail ---- */

static bool is_closed(const struct gpc_model_policy *policy)
{
	return policy->mode == GPC_POLICY_ENFORCE &&
	       (policy->fallback == GPC_ACTION_DENY || policy->fallback == GPC_ACTION_REJECT);
}

static void check_on_fail(struct gpc_diags *diags, const struct gpc_model *model)
{
	for (size_t i = 0; i < model->policy_count && !model->on_fail_given; i++) {
		const struct gpc_model_policy *policy = &model->policies[i];
		struct gpc_diag *diag;

		if (!is_closed(policy))
			continue;
		diag = gpc_diag(diags, GPC_W0342, policy->at,
				"policy `%s` denies by default, but `on-fail` is not written",
				policy->name);
		gpc_diag_hint(diags, diag,
			      "write `defaults: {on-fail: pass}`, which is what happens now, or `drop`");
		return;
	}
}

void gpc_check_policies(struct gpc_diags *diags, const struct gpc_model *model)
{
	uint64_t told = 0;

	for (size_t i = 0; i < model->policy_count; i++) {
		check_keys(diags, &model->policies[i]);
		check_byte_rates(diags, model, &model->policies[i]);
		check_hooks(diags, model, &model->policies[i]);
	}
	for (size_t i = 0; i < model->chain_count; i++)
		check_agreement(diags, model, &model->chains[i], &told);
	check_on_fail(diags, model);
}
