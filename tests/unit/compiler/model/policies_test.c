/* SPDX-License-Identifier: MIT */
#include "../../unit.h"
#include "../policy_fixture.h"
#include "model/id.h"

static bool build(struct fixture *f, struct gpc_model *model)
{
	return gpc_model_build(&f->diags, &f->intent, model);
}

static const struct gpc_model_rule *rule_named(const struct gpc_model *model, const char *name)
{
	for (size_t i = 0; i < model->rule_count; i++)
		if (!strcmp(model->rules[i].name, name))
			return &model->rules[i];
	CU_FAIL_FATAL("no such rule");
	return NULL;
}

static void a_policy_has_the_defaults_of_the_semantics(void)
{
	struct gpc_model model;
	struct fixture f;
	const struct gpc_model_policy *policy;

	fixture_small_plane(&f);
	fixture_rule(&f, "z", GPC_ACTION_ALLOW, NULL, NULL);
	fixture_rule(&f, "a", GPC_ACTION_DENY, NULL, NULL);
	fixture_rule(&f, "unused", GPC_ACTION_DENY, NULL, NULL);
	fixture_policy(&f, "p", "wan0", GPC_INGRESS, "z a");
	CU_ASSERT_FATAL(build(&f, &model));
	policy = &model.policies[0];
	CU_ASSERT(policy->stateful && !policy->keep && !policy->mid_stream);
	CU_ASSERT_EQUAL(policy->fallback, GPC_ACTION_DENY);
	CU_ASSERT_EQUAL(policy->mode, GPC_POLICY_ENFORCE);
	CU_ASSERT_EQUAL(policy->priority, 100);
	CU_ASSERT_EQUAL(policy->interfaces, 2);
	CU_ASSERT_EQUAL(policy->stateful_at.source, GPC_NO_SOURCE);
	CU_ASSERT_EQUAL_FATAL(policy->rule_count, 2);
	CU_ASSERT_STRING_EQUAL(model.rules[policy->rules[0]].name, "z");
	CU_ASSERT_STRING_EQUAL(model.rules[policy->rules[1]].name, "a");
	CU_ASSERT_EQUAL(policy->id, gpc_stable_id("policy", NULL, "p"));
	CU_ASSERT_EQUAL(policy->rule_ids[0], gpc_stable_id("policy-rule", "p", "z"));
	CU_ASSERT_EQUAL(policy->default_id, gpc_stable_id("policy-rule", "p", "default"));
	CU_ASSERT(rule_named(&model, "a")->used && !rule_named(&model, "unused")->used);
	CU_ASSERT_EQUAL(model.pickup, 300);
	CU_ASSERT_EQUAL(model.builtin[GPC_BUILTIN_ND], GPC_BUILTIN_ALLOW);
	CU_ASSERT_EQUAL(model.builtin_ids[GPC_BUILTIN_ICMP_ERROR],
			gpc_stable_id("builtin", NULL, "icmp-error"));
	CU_ASSERT_FALSE(model.on_fail_given);
	fixture_release(&f);
}

static void rules_with_priorities_stand_by_them(void)
{
	struct gpc_model model;
	struct fixture f;
	const struct gpc_model_policy *policy;

	fixture_small_plane(&f);
	fixture_rule(&f, "a", GPC_ACTION_ALLOW, NULL, NULL)->priority = fixture_number(&f, 9);
	fixture_rule(&f, "b", GPC_ACTION_ALLOW, NULL, NULL)->priority = fixture_number(&f, 0);
	fixture_rule(&f, "c", GPC_ACTION_ALLOW, NULL, NULL)->priority = fixture_number(&f, 9);
	fixture_policy(&f, "p", "wan0", GPC_INGRESS, "c a b");
	CU_ASSERT_FATAL(build(&f, &model));
	policy = &model.policies[0];
	CU_ASSERT_STRING_EQUAL(model.rules[policy->rules[0]].name, "b");
	CU_ASSERT_STRING_EQUAL(model.rules[policy->rules[1]].name, "c");
	CU_ASSERT_STRING_EQUAL(model.rules[policy->rules[2]].name, "a");
	fixture_release(&f);
}

static void a_policy_may_not_be_ambiguous(void)
{
	struct gpc_model model;
	struct fixture f;

	fixture_small_plane(&f);
	fixture_rule(&f, "a", GPC_ACTION_ALLOW, NULL, NULL)->priority = fixture_number(&f, 9);
	fixture_rule(&f, "b", GPC_ACTION_ALLOW, NULL, NULL);
	fixture_policy(&f, "p", "wan0", GPC_INGRESS, "a b missing");
	fixture_policy(&f, "q", "nowhere", GPC_INGRESS, "");
	fixture_policy(&f, "r", "wan0", GPC_INGRESS, "")->document = 1;
	CU_ASSERT_FALSE(build(&f, &model));
	CU_ASSERT_PTR_NOT_NULL(fixture_find(&f, GPC_E0302));
	CU_ASSERT_PTR_NOT_NULL(fixture_find(&f, GPC_E0325));
	CU_ASSERT_PTR_NOT_NULL(fixture_find(&f, GPC_E0327));
	CU_ASSERT_PTR_NOT_NULL(fixture_find(&f, GPC_E0335));
	CU_ASSERT_EQUAL(f.diags.errors, 4);
	fixture_release(&f);
}

static void chains_stand_by_interface_and_in_the_order_of_asking(void)
{
	struct gpc_model model;
	struct fixture f;

	fixture_small_plane(&f);
	fixture_policy(&f, "late", "*", GPC_INGRESS, "");
	fixture_policy(&f, "also-late", "wan0", GPC_INGRESS, "");
	fixture_policy(&f, "first", "wan0", GPC_INGRESS, "")->priority = fixture_number(&f, 1);
	fixture_policy(&f, "out", "wan0", GPC_EGRESS, "");
	CU_ASSERT_FATAL(build(&f, &model));
	CU_ASSERT_EQUAL_FATAL(model.chain_count, 3);
	CU_ASSERT_EQUAL(model.chains[0].interface, 0);
	CU_ASSERT_EQUAL(model.chains[0].policy_count, 1);
	CU_ASSERT_EQUAL(model.chains[1].interface, 1);
	CU_ASSERT_EQUAL(model.chains[1].direction, GPC_INGRESS);
	CU_ASSERT_EQUAL_FATAL(model.chains[1].policy_count, 3);
	CU_ASSERT_STRING_EQUAL(model.policies[model.chains[1].policies[0]].name, "first");
	CU_ASSERT_STRING_EQUAL(model.policies[model.chains[1].policies[1]].name, "late");
	CU_ASSERT_STRING_EQUAL(model.policies[model.chains[1].policies[2]].name, "also-late");
	CU_ASSERT_EQUAL(model.chains[2].direction, GPC_EGRESS);
	fixture_release(&f);
}

static void nine_policies_are_one_too_many(void)
{
	struct gpc_model model;
	struct fixture f;
	char name[8];

	fixture_small_plane(&f);
	for (int i = 0; i < 9; i++) {
		snprintf(name, sizeof(name), "p%d", i);
		fixture_policy(&f, name, "wan0", GPC_INGRESS, "");
	}
	CU_ASSERT_FALSE(build(&f, &model));
	CU_ASSERT_PTR_NOT_NULL(fixture_find(&f, GPC_E0416));
	fixture_release(&f);
}

static void protect_has_both_directions(void)
{
	struct gpc_model model;
	struct fixture f;
	struct gpc_protect_intent *intent;
	const struct gpc_model_protect *protect;
	const struct gpc_service *service;

	fixture_small_plane(&f);
	intent = fixture_protect(&f, "mgmt", "198.51.100.0/24", "203.0.113.2");
	fixture_ports(&f, &intent->ports, IPPROTO_TCP, 22, 22);
	fixture_ports(&f, &intent->ports, IPPROTO_ICMP, 8 << 8, 8 << 8 | 255);
	CU_ASSERT_FATAL(build(&f, &model));
	protect = &model.protects[0];
	CU_ASSERT_EQUAL(protect->id, gpc_stable_id("protect", NULL, "mgmt"));
	CU_ASSERT_EQUAL(protect->interfaces, 3);
	CU_ASSERT_EQUAL(protect->direction, GPC_INGRESS);
	CU_ASSERT_EQUAL_FATAL(protect->exchanged_count, 1);
	CU_ASSERT(fixture_holds(&model, protect->exchanged[0].source, "203.0.113.2"));
	CU_ASSERT(fixture_holds(&model, protect->exchanged[0].destination, "198.51.100.9"));
	service = &model.space.services[protect->exchanged[0].service];
	CU_ASSERT_EQUAL_FATAL(service->count, 2);
	CU_ASSERT_EQUAL(service->items[0].protocol_first, IPPROTO_ICMP);
	CU_ASSERT_EQUAL(service->items[0].source.last, GPC_PORT_NONE);
	CU_ASSERT_EQUAL(service->items[0].destination.first, 0x800);
	CU_ASSERT_EQUAL(service->items[0].destination.last, 0x8ff);
	CU_ASSERT_EQUAL(service->items[1].source.first, 22);
	CU_ASSERT_EQUAL(service->items[1].source.last, 22);
	CU_ASSERT_EQUAL(service->items[1].destination.last, GPC_PORT_NONE);
	/* Both interfaces have `xdp` alone. */
	CU_ASSERT_EQUAL(model.chain_count, 2);
	CU_ASSERT_EQUAL(model.chains[0].policy_count, 0);
	CU_ASSERT_EQUAL(model.chains[0].direction, GPC_INGRESS);
	fixture_release(&f);
}

GPC_UNIT_MAIN("model/policies",
	      {"a_policy_has_the_defaults_of_the_semantics",
	       a_policy_has_the_defaults_of_the_semantics},
	      {"rules_with_priorities_stand_by_them", rules_with_priorities_stand_by_them},
	      {"a_policy_may_not_be_ambiguous", a_policy_may_not_be_ambiguous},
	      {"chains_stand_by_interface_and_in_the_order_of_asking",
	       chains_stand_by_interface_and_in_the_order_of_asking},
	      {"nine_policies_are_one_too_many", nine_policies_are_one_too_many},
	      {"protect_has_both_directions", protect_has_both_directions})
