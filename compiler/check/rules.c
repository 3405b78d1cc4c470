/* SPDX-License-Identifier: MIT */
#include "check.h"

static void check_rate(struct gpc_diags *diags, const struct gpc_model_rule *rule)
{
	if (rule->action == GPC_ACTION_LOG || rule->action == GPC_ACTION_MARK)
		gpc_diag(diags, GPC_E0330, rule->rate.at,
			 "rate on rule `%s`, which only %s and does not decide", rule->name,
			 rule->action == GPC_ACTION_LOG ? "logs" : "marks");
	else if (rule->action != GPC_ACTION_ALLOW && rule->action == rule->rate.exceed)
		gpc_diag(diags, GPC_E0330, rule->rate.at,
			 "rate of rule `%s` changes nothing: `action` and `exceed` are both `%s`",
			 rule->name, rule->action == GPC_ACTION_DENY ? "deny" : "reject");
}

/* Two places where two are to blame. */
static void warn_never(struct gpc_diags *diags, enum gpc_never never, const char *kind,
		       const char *name, struct gpc_place at, struct gpc_place first,
		       struct gpc_place second)
{
	static const char *const causes[] = {
		[GPC_NEVER_FROM] = "`from` holds no address",
		[GPC_NEVER_TO] = "`to` holds no address",
		[GPC_NEVER_FAMILIES] =
			"of `from` and `to` one holds IPv4 addresses only, the other IPv6 only",
		[GPC_NEVER_TCP_FLAGS] = "`tcp-flags`, but no TCP",
		[GPC_NEVER_FRAGMENTS] = "a later fragment has neither ports nor flags",
	};
	struct gpc_diag *diag =
		gpc_diag(diags, GPC_W0339, first.source == GPC_NO_SOURCE ? at : first,
			 "%s `%s` can never match: %s", kind, name, causes[never]);

	if (second.source != GPC_NO_SOURCE)
		gpc_diag_place(diag, second, "and this");
}

static void check_never(struct gpc_diags *diags, const struct gpc_model_rule *rule)
{
	struct gpc_place first = rule->match_at, second = GPC_NOWHERE;

	switch (rule->never) {
	case GPC_NEVER_NOT:
		return;
	case GPC_NEVER_FROM:
		first = rule->from_at;
		break;
	case GPC_NEVER_TO:
		first = rule->to_at;
		break;
	case GPC_NEVER_FAMILIES:
		first = rule->from_at;
		second = rule->to_at;
		break;
	case GPC_NEVER_TCP_FLAGS:
	case GPC_NEVER_FRAGMENTS:
		second = rule->ports_at;
		break;
	}
	warn_never(diags, rule->never, "rule", rule->name, rule->at, first, second);
}

void gpc_check_rules(struct gpc_diags *diags, const struct gpc_model *model)
{
	for (size_t i = 0; i < model->rule_count; i++) {
		const struct gpc_model_rule *rule = &model->rules[i];

		if (rule->rate.limited)
			check_rate(diags, rule);
		check_never(diags, rule);
		if (!rule->used)
			gpc_diag(diags, GPC_W0341, rule->at, "rule `%s` is not used by any policy",
				 rule->name);
	}
	for (size_t i = 0; i < model->protect_count; i++) {
		const struct gpc_model_protect *protect = &model->protects[i];

		if (protect->never != GPC_NEVER_NOT)
			warn_never(diags, protect->never, "protect", protect->name, protect->at,
				   GPC_NOWHERE, GPC_NOWHERE);
	}
	for (size_t i = 0; i < model->segment_count; i++)
		if (!model->segments[i].used)
			gpc_diag(diags, GPC_W0340, model->segments[i].at,
				 "segment `%s` is not used", model->segments[i].name);
}

/* ---- expiry (SEMANTICS 5.6) ---- */

#define DAY 86400u
#define SOON (30u * DAY)

bool gpc_check_expiry(struct gpc_diags *diags, const struct gpc_model *model, uint64_t today,
		      bool allow_expired)
{
	size_t errors = diags->errors;

	for (size_t i = 0; i < model->rule_count; i++) {
		const struct gpc_model_rule *rule = &model->rules[i];
		uint64_t left;

		if (!today || !rule->expires)
			continue;
		left = rule->expires > today ? rule->expires - today : 0;
		if (!left && !allow_expired)
			gpc_diag(diags, GPC_E0337, rule->expires_at, "rule `%s` has expired",
				 rule->name);
		else if (left && left <= DAY)
			gpc_diag(diags, GPC_W0338, rule->expires_at,
				 "rule `%s` expires within a day", rule->name);
		else if (left && left <= SOON)
			gpc_diag(diags, GPC_W0338, rule->expires_at,
				 "rule `%s` expires within %u days", rule->name,
				 (unsigned int)((left + DAY - 1) / DAY));
	}
	return diags->errors == errors;
}
