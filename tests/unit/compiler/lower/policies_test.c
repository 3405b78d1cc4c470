/* SPDX-License-Identifier: MIT */
/* Rules, policies and chains in the order that image.h promises, and what a stamp depends on. */
#include "../../unit.h"
#include "../policy_fixture.h"
#include "model/id.h"

#define HOOKS (GPC_HOOK_XDP | GPC_HOOK_TC_INGRESS | GPC_HOOK_TC_EGRESS)

/* What the stamps are asked about; the rest of the plane is always the same. */
struct variant {
	const char *suffix; /* of every name that a user gives */
	const char *office; /* a segment's prefix */
	const char *rules;  /* of the policy, %s is the suffix */
	const char *listener; /* an address */
	uint32_t port, protect_port;
	enum gpc_action action, fallback;
	enum gpc_policy_mode mode;
	enum gpc_builtin_action nd;
	uint32_t weight, mark;
	uint64_t rate;
	bool stateless, keep, mid_stream, log;
};

static const struct variant usual = {
	.suffix = "",
	.office = "198.51.100.0/24",
	.rules = "ssh%1$s web%1$s tag%1$s%2$s",
	.listener = "203.0.113.10",
	.port = 22,
	.protect_port = 22,
	.action = GPC_ACTION_ALLOW,
	.fallback = GPC_ACTION_DENY,
	.weight = 1,
	.mark = 7,
};

struct lowered {
	struct fixture fixture;
	struct gpc_model model;
	struct gpc_tables tables;
};

static const char *named(struct lowered *l, const struct variant *v, const char *format)
{
	return gpc_arena_printf(&l->fixture.arena, "%s%s", format, v->suffix);
}

static void add_rules(struct lowered *l, const struct variant *v)
{
	struct fixture *f = &l->fixture;
	struct gpc_rule_intent *rule;

	fixture_segment(f, named(l, v, "office"), v->office, NULL, NULL);
	fixture_segment(f, named(l, v, "app"), "10.0.1.0/24", NULL, NULL);
	rule = fixture_rule(f, named(l, v, "ssh"), v->action, named(l, v, "office"),
			    named(l, v, "app"));
	fixture_ports(f, &rule->ports, IPPROTO_TCP, v->port, v->port);
	fixture_rule(f, named(l, v, "web"), GPC_ACTION_ALLOW, NULL, "**");
	rule = fixture_rule(f, named(l, v, "tag"), GPC_ACTION_MARK, NULL, named(l, v, "app"));
	rule->mark = fixture_number(f, v->mark);
	fixture_rule(f, "note", GPC_ACTION_LOG, NULL, NULL);
}

static void add_policy(struct lowered *l, const struct variant *v)
{
	struct fixture *f = &l->fixture;
	struct gpc_policy_intent *policy;
	char rules[128];

	snprintf(rules, sizeof(rules), v->rules, v->suffix, v->log ? " note" : "");
	policy = fixture_policy(f, named(l, v, "edge"), "wan0", GPC_INGRESS, rules);
	*GPC_PUSH(&f->arena, &policy->interfaces) = fixture_text(f, "lan*");
	policy->stateful = fixture_number(f, !v->stateless);
	policy->fallback = fixture_number(f, v->fallback);
	policy->mode = fixture_number(f, v->mode);
	policy->keep = fixture_number(f, v->keep);
	policy->mid_stream = fixture_number(f, v->mid_stream);
}

static void lower(struct lowered *l, const struct variant *v)
{
	struct fixture *f = &l->fixture;
	struct gpc_backend_intent *backend;
	struct gpc_protect_intent *protect;

	fixture_init(f);
	fixture_interface(f, "wan0")->hooks = fixture_number(f, HOOKS);
	fixture_interface(f, "lan*")->hooks = fixture_number(f, HOOKS);
	backend = fixture_backend(f, named(l, v, "pool"));
	fixture_endpoint(f, backend, "a", "10.0.1.11", NULL)->weight =
		fixture_number(f, v->weight);
	fixture_listener(f, named(l, v, "https"), v->listener, IPPROTO_TCP, 443,
			 named(l, v, "pool"));
	fixture_listener(f, v->suffix[0] ? "a-name-before-https" : "other", "203.0.113.11",
			 IPPROTO_UDP, 53, named(l, v, "pool"));
	add_rules(l, v);
	add_policy(l, v);
	protect = fixture_protect(f, named(l, v, "mgmt"), named(l, v, "office"), "10.0.0.1");
	fixture_ports(f, &protect->ports, IPPROTO_TCP, v->protect_port, v->protect_port);
	f->intent.defaults.builtin[GPC_BUILTIN_ND] = fixture_number(f, v->nd);
	CU_ASSERT_FATAL(gpc_model_build(&f->diags, &f->intent, &l->model));
	CU_ASSERT_FATAL(gpc_lower(&f->diags, &l->model, NULL, &l->tables));
}

static const char *name_of(const struct lowered *l, uint32_t name)
{
	return l->tables.names + name;
}

static void rules_stand_in_the_promised_order(void)
{
	static const char *const names[] = {"arp", "nd",  "ra",	 "mld", "icmp-error",
					    "mgmt", "ssh", "web", "tag", "default"};
	static const enum gpc_action actions[] = {
		GPC_ACTION_ALLOW, GPC_ACTION_PASS,  GPC_ACTION_ALLOW, GPC_ACTION_ALLOW,
		GPC_ACTION_ALLOW, GPC_ACTION_ALLOW, GPC_ACTION_ALLOW, GPC_ACTION_ALLOW,
		GPC_ACTION_MARK,  GPC_ACTION_DENY};
	struct variant v = usual;
	struct lowered l;

	v.nd = GPC_BUILTIN_RULES;
	lower(&l, &v);
	CU_ASSERT_EQUAL_FATAL(l.tables.rule_count, sizeof(names) / sizeof(names[0]));
	for (size_t i = 0; i < l.tables.rule_count; i++) {
		const struct gpc_rule *rule = &l.tables.rules[i];

		CU_ASSERT_STRING_EQUAL(name_of(&l, rule->name), names[i]);
		CU_ASSERT_EQUAL(rule->action, actions[i]);
		CU_ASSERT_EQUAL(rule->policy, i < 6 ? GPC_NONE : 0);
	}
	CU_ASSERT_EQUAL(l.tables.rules[0].flags, GPC_RULE_BUILTIN);
	CU_ASSERT_EQUAL(l.tables.rules[5].flags, GPC_RULE_PROTECT);
	CU_ASSERT_EQUAL(l.tables.rules[9].flags, GPC_RULE_DEFAULT);
	CU_ASSERT_EQUAL(l.tables.rules[6].id, gpc_stable_id("policy-rule", "edge", "ssh"));
	CU_ASSERT_EQUAL(l.tables.rules[9].id, gpc_stable_id("policy-rule", "edge", "default"));
	CU_ASSERT_EQUAL(l.tables.rules[8].mark, 7);
	fixture_release(&l.fixture);
}

static void a_policy_names_its_rules_and_classifiers(void)
{
	struct lowered l;
	const struct gpc_policy *policy;

	lower(&l, &usual);
	policy = &l.tables.policies[0];
	CU_ASSERT_STRING_EQUAL(name_of(&l, policy->name), "edge");
	CU_ASSERT_EQUAL(policy->first_rule, 6);
	CU_ASSERT_EQUAL(policy->rules, 3);
	CU_ASSERT_EQUAL(policy->fallback, GPC_ACTION_DENY);
	CU_ASSERT_EQUAL(policy->decide, 0);
	CU_ASSERT_EQUAL(policy->log, GPC_NONE);
	CU_ASSERT_EQUAL(policy->mark, 1);
	/* ssh, and a box for each listener */
	CU_ASSERT_EQUAL(l.tables.classifiers[0].boxes, 3);
	CU_ASSERT_EQUAL(l.tables.classifiers[1].boxes, 1);
	fixture_release(&l.fixture);
}

/* By interface (lan*, wan0) and direction; those of one direction share the classifier of `protect`. */
static void chains_share_policies_and_protect(void)
{
	const struct gpc_chain *chains;
	struct lowered l;

	lower(&l, &usual);
	chains = l.tables.chains;
	CU_ASSERT_EQUAL_FATAL(l.tables.chain_count, 4);
	for (int i = 0; i < 4; i++) {
		CU_ASSERT_EQUAL(chains[i].interface, i / 2);
		CU_ASSERT_EQUAL(chains[i].direction, i % 2);
		CU_ASSERT_EQUAL(chains[i].protect, 2u + (unsigned int)i % 2);
		CU_ASSERT_EQUAL(chains[i].protect_base, 5);
		CU_ASSERT_EQUAL(chains[i].policies, 1 - i % 2);
		CU_ASSERT_EQUAL(chains[i].flags, i % 2 ? 0 : GPC_CHAIN_STATEFUL);
	}
	CU_ASSERT_EQUAL(chains[0].stamp, chains[2].stamp);
	CU_ASSERT_EQUAL(chains[1].stamp, chains[3].stamp);
	CU_ASSERT_NOT_EQUAL(chains[0].stamp, chains[1].stamp);
	CU_ASSERT_EQUAL(chains[0].tag, chains[1].tag);
	CU_ASSERT_NOT_EQUAL(chains[0].tag, chains[2].tag);
	CU_ASSERT_EQUAL(chains[2].tag, (uint16_t)gpc_stable_id("interface", NULL, "wan0"));
	CU_ASSERT_EQUAL(l.tables.classifier_count, 4);
	fixture_release(&l.fixture);
}

/* Interfaces whose ids end alike, or in zeros, still have tags of their own. */
static void tags_are_distinct_and_not_zero(void)
{
	static const uint64_t ids[] = {0x10000, 0x20000, 0x30001, 0xffff, 0x4ffff, 0x5ffff};
	static const uint16_t tags[] = {1, 2, 3, 0xffff, 4, 5};
	struct gpc_model_interface interfaces[6] = {0};
	struct gpc_model_chain chains[6] = {0};
	struct gpc_model model = {.name = "tags",
				  .interfaces = interfaces,
				  .interface_count = 6,
				  .chains = chains,
				  .chain_count = 6};
	struct gpc_tables tables;
	struct fixture f;

	fixture_init(&f);
	for (uint32_t i = 0; i < 6; i++) {
		interfaces[i] = (struct gpc_model_interface){.id = ids[i], .name = "x"};
		chains[i].interface = i;
	}
	CU_ASSERT_FATAL(gpc_lower(&f.diags, &model, NULL, &tables));
	for (uint32_t i = 0; i < 6; i++)
		CU_ASSERT_EQUAL(tables.chains[i].tag, tags[i]);
	fixture_release(&f);
}

static void a_rate_and_a_log_reach_the_record(void)
{
	struct gpc_model_rule rule = {.name = "r",
				      .action = GPC_ACTION_ALLOW,
				      .rate.exceed = GPC_ACTION_REJECT,
				      .mark = 9,
				      .log_sample = 10,
				      .log_rate = 5,
				      .rate.limited = true,
				      .rate.per_source = true,
				      .rate.cost = 2000,
				      .rate.burst = 4000,
				      .rate.entries = 64,
				      .expires = 77};
	const uint32_t rules[] = {0};
	const uint64_t ids[] = {1};
	struct gpc_model_policy policy = {
		.name = "p", .rules = rules, .rule_ids = ids, .rule_count = 1};
	struct gpc_model model = {.name = "rate",
				  .rules = &rule,
				  .rule_count = 1,
				  .policies = &policy,
				  .policy_count = 1};
	const struct gpc_rule *record;
	struct gpc_tables tables;
	struct fixture f;

	fixture_init(&f);
	CU_ASSERT_FATAL(gpc_lower(&f.diags, &model, NULL, &tables));
	record = &tables.rules[GPC_BUILTIN_COUNT];
	CU_ASSERT_EQUAL(record->flags, GPC_RULE_RATE | GPC_RULE_RATE_SOURCE);
	CU_ASSERT_EQUAL(record->exceed, GPC_ACTION_REJECT);
	CU_ASSERT_EQUAL(record->mark, 9);
	CU_ASSERT_EQUAL(record->log_sample, 10);
	CU_ASSERT_EQUAL(record->log_rate, 5);
	CU_ASSERT_EQUAL(record->rate_cost, 2000);
	CU_ASSERT_EQUAL(record->rate_burst, 4000);
	CU_ASSERT_EQUAL(record->rate_entries, 64);
	CU_ASSERT_EQUAL(record->expires, 77);
	CU_ASSERT_EQUAL(tables.policies[0].decide, GPC_NONE); /* it matches nothing */
	fixture_release(&f);
}

/* ---- stamps ---- */

/* Of the ingress chain of lan*. */
static uint64_t stamp(struct variant v)
{
	struct lowered l;
	uint64_t stamp;

	lower(&l, &v);
	stamp = l.tables.chains[0].stamp;
	CU_ASSERT_NOT_EQUAL(stamp, 0);
	fixture_release(&l.fixture);
	return stamp;
}

#define VARIANT(...)                                                                               \
	({                                                                                         \
		struct variant v_ = usual;                                                         \
		v_.__VA_ARGS__;                                                                    \
		stamp(v_);                                                                         \
	})

static void a_stamp_stays_when_the_meaning_does(void)
{
	uint64_t plain = stamp(usual);

	CU_ASSERT_EQUAL(stamp(usual), plain);
	CU_ASSERT_EQUAL(VARIANT(suffix = "-renamed"), plain);
	CU_ASSERT_EQUAL(VARIANT(mode = GPC_POLICY_AUDIT), plain);
	CU_ASSERT_EQUAL(VARIANT(keep = true), plain);
	CU_ASSERT_EQUAL(VARIANT(weight = 9), plain);
	CU_ASSERT_EQUAL(VARIANT(log = true), plain);
}

static void a_stamp_changes_with_the_meaning(void)
{
	const uint64_t stamps[] = {
		stamp(usual),
		VARIANT(office = "198.51.101.0/24"),
		VARIANT(office = "198.51.100.0/25"),
		VARIANT(rules = "web%1$s ssh%1$s tag%1$s"),
		VARIANT(rules = "ssh%1$s web%1$s"),
		VARIANT(listener = "203.0.113.12"),
		VARIANT(port = 23),
		VARIANT(protect_port = 23),
		VARIANT(action = GPC_ACTION_DENY),
		VARIANT(action = GPC_ACTION_REJECT),
		VARIANT(fallback = GPC_ACTION_PASS),
		VARIANT(nd = GPC_BUILTIN_DENY),
		VARIANT(mark = 8),
		VARIANT(stateless = true),
		VARIANT(mid_stream = true),
	};
	size_t count = sizeof(stamps) / sizeof(stamps[0]);

	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < i; k++)
			CU_ASSERT_NOT_EQUAL(stamps[i], stamps[k]);
}

GPC_UNIT_MAIN("lower/policies",
	      {"rules_stand_in_the_promised_order", rules_stand_in_the_promised_order},
	      {"a_policy_names_its_rules_and_classifiers",
	       a_policy_names_its_rules_and_classifiers},
	      {"chains_share_policies_and_protect", chains_share_policies_and_protect},
	      {"tags_are_distinct_and_not_zero", tags_are_distinct_and_not_zero},
	      {"a_rate_and_a_log_reach_the_record", a_rate_and_a_log_reach_the_record},
	      {"a_stamp_stays_when_the_meaning_does", a_stamp_stays_when_the_meaning_does},
	      {"a_stamp_changes_with_the_meaning", a_stamp_changes_with_the_meaning})
