/* SPDX-License-Identifier: MIT */
/* What the golden cases of policies do not show: the borders, where nothing may be said. */
#include "../../unit.h"
#include "../policy_fixture.h"

static void expect(struct fixture *f, size_t errors, size_t warnings)
{
	struct gpc_model model;

	CU_ASSERT_FATAL(gpc_model_build(&f->diags, &f->intent, &model));
	gpc_check_rules(&f->diags, &model);
	gpc_check_policies(&f->diags, &model);
	CU_ASSERT_EQUAL(f->diags.errors, errors);
	CU_ASSERT_EQUAL(f->diags.warnings, warnings);
	if (f->diags.errors != errors || f->diags.warnings != warnings)
		for (size_t i = 0; i < f->diags.records.n; i++)
			printf("said: %s\n", f->diags.records.items[i].message);
	fixture_release(f);
}

static void start(struct fixture *f, uint64_t hooks)
{
	fixture_init(f);
	fixture_interface(f, "wan0")->hooks = fixture_number(f, hooks);
	f->intent.defaults.on_fail_drop = fixture_number(f, 0);
}

static void each_kind_of_policy_needs_its_hooks(void)
{
	static const struct {
		uint64_t hooks;
		enum gpc_direction direction;
		bool stateful;
		size_t errors;
	} rows[] = {
		{GPC_HOOK_XDP, GPC_INGRESS, false, 0},
		{GPC_HOOK_TC_INGRESS, GPC_INGRESS, false, 0},
		{GPC_HOOK_TC_EGRESS, GPC_INGRESS, false, 1},
		{GPC_HOOK_TC_EGRESS, GPC_EGRESS, false, 0},
		{GPC_HOOK_XDP | GPC_HOOK_TC_INGRESS, GPC_EGRESS, false, 1},
		{GPC_HOOK_XDP, GPC_INGRESS, true, 1},
		{GPC_HOOK_TC_EGRESS, GPC_INGRESS, true, 1},
		{GPC_HOOK_TC_EGRESS, GPC_EGRESS, true, 1},
		{GPC_HOOK_XDP | GPC_HOOK_TC_EGRESS, GPC_INGRESS, true, 0},
		{GPC_HOOK_TC_INGRESS | GPC_HOOK_TC_EGRESS, GPC_EGRESS, true, 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct gpc_policy_intent *policy;
		struct fixture f;

		start(&f, rows[i].hooks);
		policy = fixture_policy(&f, "p", "wan0", rows[i].direction, "");
		policy->stateful = fixture_number(&f, rows[i].stateful);
		expect(&f, rows[i].errors, 0);
	}
}

static void a_mark_on_ingress_needs_tc_ingress(void)
{
	for (int kind = 0; kind < 8; kind++) {
		uint64_t hooks = GPC_HOOK_XDP | GPC_HOOK_TC_EGRESS;
		bool ruled = kind & 1, egress = kind & 2, hooked = kind & 4;
		struct gpc_rule_intent *rule;
		struct fixture f;

		start(&f, hooked ? hooks | GPC_HOOK_TC_INGRESS : hooks);
		rule = fixture_rule(&f, "m", ruled ? GPC_ACTION_ALLOW : GPC_ACTION_MARK, NULL,
				    NULL);
		rule->mark = fixture_number(&f, 7);
		fixture_policy(&f, "p", "wan0", egress ? GPC_EGRESS : GPC_INGRESS, "m");
		expect(&f, !egress && !hooked, 0);
	}
}

static void a_chain_may_differ_from_its_other_direction(void)
{
	struct fixture f;

	start(&f, GPC_HOOK_XDP | GPC_HOOK_TC_EGRESS);
	fixture_policy(&f, "in", "wan0", GPC_INGRESS, "");
	fixture_policy(&f, "out", "wan0", GPC_EGRESS, "")->stateful = fixture_number(&f, 0);
	fixture_policy(&f, "same", "wan0", GPC_INGRESS, "")->keep = fixture_number(&f, 0);
	expect(&f, 0, 0);
}

static void on_fail_is_asked_for_once_where_something_is_closed(void)
{
	static const struct {
		enum gpc_action fallback;
		enum gpc_policy_mode mode;
		size_t warnings;
	} rows[] = {
		{GPC_ACTION_DENY, GPC_POLICY_ENFORCE, 1},
		{GPC_ACTION_REJECT, GPC_POLICY_ENFORCE, 1},
		{GPC_ACTION_ALLOW, GPC_POLICY_ENFORCE, 0},
		{GPC_ACTION_PASS, GPC_POLICY_ENFORCE, 0},
		{GPC_ACTION_DENY, GPC_POLICY_AUDIT, 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture f;

		start(&f, GPC_HOOK_XDP | GPC_HOOK_TC_EGRESS);
		f.intent.defaults.on_fail_drop.set = false;
		for (int k = 0; k < 2; k++) {
			struct gpc_policy_intent *policy =
				fixture_policy(&f, k ? "q" : "p", "wan0", GPC_INGRESS, "");

			policy->fallback = fixture_number(&f, rows[i].fallback);
			policy->mode = fixture_number(&f, rows[i].mode);
		}
		expect(&f, 0, rows[i].warnings);
	}
}

static void a_rate_in_bytes_is_for_stateless_policies(void)
{
	for (uint64_t stateful = 0; stateful < 2; stateful++) {
		struct gpc_rule_intent *rule;
		struct fixture f;

		start(&f, GPC_HOOK_XDP | GPC_HOOK_TC_EGRESS);
		rule = fixture_rule(&f, "slow", GPC_ACTION_ALLOW, NULL, NULL);
		rule->rate = GPC_NEW(&f.arena, struct gpc_rate_intent);
		rule->rate->limit = fixture_number(&f, 1000);
		rule->rate->period = 1;
		rule->rate->bytes = true;
		fixture_policy(&f, "p", "wan0", GPC_INGRESS, "slow")->stateful =
			fixture_number(&f, stateful);
		expect(&f, stateful, 0);
	}
}

GPC_UNIT_MAIN("check/policies",
	      {"each_kind_of_policy_needs_its_hooks", each_kind_of_policy_needs_its_hooks},
	      {"a_mark_on_ingress_needs_tc_ingress", a_mark_on_ingress_needs_tc_ingress},
	      {"a_chain_may_differ_from_its_other_direction",
	       a_chain_may_differ_from_its_other_direction},
	      {"on_fail_is_asked_for_once_where_something_is_closed",
	       on_fail_is_asked_for_once_where_something_is_closed},
	      {"a_rate_in_bytes_is_for_stateless_policies",
	       a_rate_in_bytes_is_for_stateless_policies})
