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

static bool segment_holds(const struct gpc_model *model, const char *name, const char *address)
{
	struct gpc_ip ip = {{0}};

	gpc_ip_parse(address, strlen(address), &ip);
	for (size_t i = 0; i < model->segment_count; i++)
		if (!strcmp(model->segments[i].name, name))
			return gpc_set_holds(model->segments[i].set, &ip);
	CU_FAIL_FATAL("no such segment");
	return false;
}

/* ---- segments ---- */

static void except_takes_the_final_set_of_other_segments(void)
{
	struct gpc_model model;
	struct fixture f;

	fixture_init(&f);
	fixture_segment(&f, "all", "0.0.0.0/0", "some 192.0.2.0/24", NULL);
	fixture_segment(&f, "some", "10.0.0.0/8", "few", NULL);
	fixture_segment(&f, "few", "10.1.0.0/16", NULL, NULL);
	CU_ASSERT_FATAL(build(&f, &model));
	CU_ASSERT(segment_holds(&model, "all", "8.8.8.8"));
	CU_ASSERT(segment_holds(&model, "all", "10.1.2.3"));
	CU_ASSERT(!segment_holds(&model, "all", "10.2.2.3"));
	CU_ASSERT(!segment_holds(&model, "all", "192.0.2.9"));
	CU_ASSERT(!segment_holds(&model, "all", "2001:db8::1"));
	CU_ASSERT(!segment_holds(&model, "some", "10.1.2.3"));
	CU_ASSERT_STRING_EQUAL(model.segments[1].name, "few");
	CU_ASSERT(model.segments[1].used && model.segments[2].used);
	CU_ASSERT(!model.segments[0].used);
	fixture_release(&f);
}

static void a_circle_of_except_is_named(void)
{
	struct gpc_model model;
	struct fixture f;

	fixture_init(&f);
	fixture_segment(&f, "a", "10.0.0.0/8", "b", NULL);
	fixture_segment(&f, "b", "10.1.0.0/16", "c", NULL);
	fixture_segment(&f, "c", "10.1.0.0/16", "b", NULL);
	CU_ASSERT_FALSE(build(&f, &model));
	CU_ASSERT_EQUAL(f.diags.errors, 1);
	CU_ASSERT_PTR_NOT_NULL_FATAL(fixture_find(&f, GPC_E0322));
	CU_ASSERT_STRING_EQUAL(fixture_find(&f, GPC_E0322)->message,
			       "`except` of segment `b` leads back to it: b -> c -> b");
	fixture_release(&f);
}

static void a_long_chain_of_except_needs_no_stack(void)
{
	struct gpc_model model;
	struct fixture f;
	char name[16], below[16];

	fixture_init(&f);
	for (int i = 0; i < 60000; i++) {
		snprintf(name, sizeof(name), "s%05d", i);
		snprintf(below, sizeof(below), "s%05d", i + 1);
		fixture_segment(&f, name, "10.0.0.0/8", i < 59999 ? below : NULL, NULL);
	}
	CU_ASSERT_FATAL(build(&f, &model));
	CU_ASSERT(segment_holds(&model, "s59999", "10.1.1.1"));
	CU_ASSERT(!segment_holds(&model, "s59998", "10.1.1.1"));
	CU_ASSERT(segment_holds(&model, "s59997", "10.1.1.1"));
	fixture_release(&f);
}

static void labels_select_the_union_of_segments_that_have_all(void)
{
	struct gpc_model model;
	struct fixture f;
	struct gpc_rule_intent *rule;
	const struct gpc_box *box;

	fixture_init(&f);
	fixture_segment(&f, "a", "10.1.0.0/16", NULL, "role=app");
	fixture_segment(&f, "b", "10.2.0.0/16", NULL, "role=app");
	*GPC_PUSH(&f.arena, &f.intent.segments.items[1].labels) = fixture_label(&f, "env=prod");
	fixture_segment(&f, "c", "10.3.0.0/16", NULL, "env=prod");
	fixture_rule(&f, "one", GPC_ACTION_ALLOW, "role=app", "env=prod");
	rule = fixture_rule(&f, "two", GPC_ACTION_ALLOW, "role=app", "env=prod");
	*GPC_PUSH(&f.arena, &rule->from.items.items[0].labels) = fixture_label(&f, "env=prod");
	CU_ASSERT_FATAL(build(&f, &model));
	box = rule_named(&model, "one")->boxes;
	CU_ASSERT(fixture_holds(&model, box->source, "10.1.0.1"));
	CU_ASSERT(fixture_holds(&model, box->source, "10.2.0.1"));
	CU_ASSERT(!fixture_holds(&model, box->source, "10.3.0.1"));
	CU_ASSERT(fixture_holds(&model, box->destination, "10.3.0.1"));
	box = rule_named(&model, "two")->boxes;
	CU_ASSERT(!fixture_holds(&model, box->source, "10.1.0.1"));
	CU_ASSERT(fixture_holds(&model, box->source, "10.2.0.1"));
	fixture_release(&f);
}

static void what_selects_nothing_is_an_error(void)
{
	struct gpc_model model;
	struct fixture f;

	fixture_small_plane(&f);
	fixture_segment(&f, "app", "10.1.0.0/16", NULL, "role=app");
	fixture_rule(&f, "a", GPC_ACTION_ALLOW, "role=db", NULL);
	fixture_rule(&f, "b", GPC_ACTION_ALLOW, "apps", NULL);
	fixture_rule(&f, "c", GPC_ACTION_ALLOW, NULL, "*smtp*");
	fixture_rule(&f, "d", GPC_ACTION_ALLOW, NULL, "*http");
	CU_ASSERT_FALSE(build(&f, &model));
	CU_ASSERT_STRING_EQUAL(fixture_find(&f, GPC_E0323)->message,
			       "no segment has the labels {role: db} of rule `a`");
	CU_ASSERT_STRING_EQUAL(fixture_find(&f, GPC_E0321)->message,
			       "unknown segment `apps` in rule `b`");
	CU_ASSERT_STRING_EQUAL(fixture_find(&f, GPC_E0321)->hint, "did you mean `app`?");
	CU_ASSERT_STRING_EQUAL(fixture_find(&f, GPC_E0324)->message,
			       "no listener matches `smtp*` in rule `c`");
	CU_ASSERT_EQUAL(f.diags.errors, 4);
	fixture_release(&f);
}

/* ---- services ---- */

static const struct gpc_service *service_of(const struct gpc_model *model, const char *rule)
{
	return &model->space.services[rule_named(model, rule)->boxes[0].service];
}

static void expect_item(const struct gpc_service_item *item, uint8_t protocol, uint32_t first,
			uint32_t last)
{
	CU_ASSERT_EQUAL(item->protocol_first, protocol);
	CU_ASSERT_EQUAL(item->protocol_last, protocol);
	CU_ASSERT_EQUAL(item->source.first, 0);
	CU_ASSERT_EQUAL(item->source.last, GPC_PORT_NONE);
	CU_ASSERT_EQUAL(item->destination.first, first);
	CU_ASSERT_EQUAL(item->destination.last, last);
}

static void ports_become_sorted_joined_items(void)
{
	struct gpc_model model;
	struct fixture f;
	struct gpc_rule_intent *rule;
	const struct gpc_service *service;

	fixture_init(&f);
	rule = fixture_rule(&f, "r", GPC_ACTION_ALLOW, NULL, NULL);
	fixture_ports(&f, &rule->ports, IPPROTO_UDP, FIXTURE_ALL_PORTS);
	fixture_ports(&f, &rule->ports, IPPROTO_TCP, 443, 443);
	fixture_ports(&f, &rule->ports, IPPROTO_TCP, 80, 89);
	fixture_ports(&f, &rule->ports, IPPROTO_TCP, 85, 100);
	fixture_ports(&f, &rule->ports, IPPROTO_TCP, 101, 101);
	fixture_ports(&f, &rule->ports, IPPROTO_ICMP, 8 << 8, 8 << 8 | 255);
	fixture_rule(&f, "any", GPC_ACTION_ALLOW, NULL, NULL);
	CU_ASSERT_FATAL(build(&f, &model));
	service = service_of(&model, "r");
	CU_ASSERT_EQUAL_FATAL(service->count, 4);
	expect_item(&service->items[0], IPPROTO_ICMP, 0x800, 0x8ff);
	expect_item(&service->items[1], IPPROTO_TCP, 80, 101);
	expect_item(&service->items[2], IPPROTO_TCP, 443, 443);
	expect_item(&service->items[3], IPPROTO_UDP, 0, GPC_PORT_NONE);
	service = service_of(&model, "any");
	CU_ASSERT_EQUAL_FATAL(service->count, 1);
	CU_ASSERT_EQUAL(service->items[0].protocol_first, 0);
	CU_ASSERT_EQUAL(service->items[0].protocol_last, 255);
	fixture_release(&f);
}

static struct gpc_match_intent *new_match(struct fixture *f, struct gpc_rule_intent *rule)
{
	rule->match = GPC_NEW(&f->arena, struct gpc_match_intent);
	return rule->match;
}

static void tcp_flags_leave_tcp_only(void)
{
	struct gpc_model model;
	struct fixture f;
	struct gpc_rule_intent *rule;

	fixture_init(&f);
	rule = fixture_rule(&f, "r", GPC_ACTION_ALLOW, NULL, NULL);
	new_match(&f, rule)->tcp_flags = fixture_number(&f, 1u << GPC_ASK_SYN);
	rule = fixture_rule(&f, "never", GPC_ACTION_ALLOW, NULL, NULL);
	new_match(&f, rule)->tcp_flags = fixture_number(&f, 1u << GPC_ASK_SYN);
	fixture_ports(&f, &rule->ports, IPPROTO_UDP, FIXTURE_ALL_PORTS);
	CU_ASSERT_FATAL(build(&f, &model));
	CU_ASSERT_EQUAL(service_of(&model, "r")->match.tcp_flags, 1u << GPC_ASK_SYN);
	expect_item(&service_of(&model, "r")->items[0], IPPROTO_TCP, 0, GPC_PORT_NONE);
	CU_ASSERT_EQUAL(rule_named(&model, "never")->box_count, 0);
	CU_ASSERT_EQUAL(rule_named(&model, "never")->never, GPC_NEVER_TCP_FLAGS);
	fixture_release(&f);
}

static void what_no_packet_can_match_has_no_boxes(void)
{
	struct gpc_model model;
	struct fixture f;
	struct gpc_rule_intent *rule;

	fixture_init(&f);
	fixture_segment(&f, "nobody", "10.0.0.0/8", "10.0.0.0/7", NULL);
	fixture_rule(&f, "families", GPC_ACTION_ALLOW, "10.0.0.0/8", "2001:db8::/32");
	fixture_rule(&f, "from", GPC_ACTION_ALLOW, "nobody", NULL);
	fixture_rule(&f, "to", GPC_ACTION_ALLOW, NULL, "nobody");
	rule = fixture_rule(&f, "fragments", GPC_ACTION_ALLOW, NULL, NULL);
	new_match(&f, rule)->fragments = fixture_number(&f, 1u << GPC_FRAGMENT_LATER);
	fixture_ports(&f, &rule->ports, IPPROTO_TCP, 0, 65535);
	rule = fixture_rule(&f, "possible", GPC_ACTION_ALLOW, NULL, NULL);
	new_match(&f, rule)->fragments = fixture_number(&f, 1u << GPC_FRAGMENT_LATER);
	fixture_ports(&f, &rule->ports, IPPROTO_TCP, FIXTURE_ALL_PORTS);
	CU_ASSERT_FATAL(build(&f, &model));
	CU_ASSERT_EQUAL(rule_named(&model, "families")->never, GPC_NEVER_FAMILIES);
	CU_ASSERT_EQUAL(rule_named(&model, "from")->never, GPC_NEVER_FROM);
	CU_ASSERT_EQUAL(rule_named(&model, "to")->never, GPC_NEVER_TO);
	CU_ASSERT_EQUAL(rule_named(&model, "fragments")->never, GPC_NEVER_FRAGMENTS);
	CU_ASSERT_EQUAL(rule_named(&model, "possible")->never, GPC_NEVER_NOT);
	for (size_t i = 0; i < model.rule_count; i++)
		CU_ASSERT_EQUAL(model.rules[i].box_count, model.rules[i].never == GPC_NEVER_NOT);
	fixture_release(&f);
}

/* ---- listeners ---- */

static struct gpc_question ask(const char *to, uint8_t protocol, uint32_t port)
{
	struct gpc_question question = {.source_port = 40000,
					.destination_port = port,
					.protocol = protocol,
					.vlan = GPC_VLAN_NONE};
	struct gpc_ip ip = {{0}};

	gpc_ip_parse("8.8.8.8", 7, &ip);
	memcpy(question.source, &ip, sizeof(ip));
	gpc_ip_parse(to, strlen(to), &ip);
	memcpy(question.destination, &ip, sizeof(ip));
	return question;
}

static bool matches(const struct gpc_model *model, const char *name, struct gpc_question question)
{
	const struct gpc_model_rule *rule = rule_named(model, name);
	struct gpc_box_list list = {rule->boxes, rule->box_count};

	return gpc_boxes_first(&model->space, &list, &question) == 0;
}

static void listeners_mean_address_protocol_and_port(void)
{
	struct gpc_model model;
	struct fixture f;
	struct gpc_question later;

	fixture_small_plane(&f);
	fixture_rule(&f, "vips", GPC_ACTION_ALLOW, NULL, "**");
	fixture_rule(&f, "web", GPC_ACTION_ALLOW, NULL, "*https 192.0.2.0/24");
	CU_ASSERT_FATAL(build(&f, &model));
	CU_ASSERT_EQUAL(rule_named(&model, "vips")->box_count, 2);
	CU_ASSERT(matches(&model, "vips", ask("203.0.113.10", IPPROTO_TCP, 443)));
	CU_ASSERT(matches(&model, "vips", ask("203.0.113.11", IPPROTO_UDP, 27000)));
	CU_ASSERT(!matches(&model, "vips", ask("203.0.113.11", IPPROTO_UDP, 443)));
	CU_ASSERT(!matches(&model, "vips", ask("203.0.113.11", IPPROTO_TCP, 443)));
	CU_ASSERT(!matches(&model, "vips", ask("203.0.113.10", IPPROTO_TCP, 80)));
	CU_ASSERT(!matches(&model, "web", ask("203.0.113.11", IPPROTO_UDP, 27000)));
	CU_ASSERT(matches(&model, "web", ask("203.0.113.10", IPPROTO_TCP, 443)));
	CU_ASSERT(matches(&model, "web", ask("192.0.2.1", IPPROTO_UDP, 5)));
	later = ask("203.0.113.10", IPPROTO_TCP, GPC_PORT_NONE);
	later.fragment = GPC_FRAGMENT_LATER;
	CU_ASSERT(matches(&model, "vips", later));
	later.protocol = IPPROTO_UDP;
	CU_ASSERT(!matches(&model, "vips", later));
	fixture_release(&f);
}

static void listeners_with_ports_mean_their_addresses(void)
{
	struct gpc_model model;
	struct fixture f;
	struct gpc_rule_intent *rule;

	fixture_small_plane(&f);
	rule = fixture_rule(&f, "ping", GPC_ACTION_ALLOW, NULL, "**");
	fixture_ports(&f, &rule->ports, IPPROTO_ICMP, 8 << 8, 8 << 8 | 255);
	CU_ASSERT_FATAL(build(&f, &model));
	CU_ASSERT_EQUAL(rule_named(&model, "ping")->box_count, 1);
	CU_ASSERT(matches(&model, "ping", ask("203.0.113.11", IPPROTO_ICMP, 0x800)));
	CU_ASSERT(!matches(&model, "ping", ask("203.0.113.10", IPPROTO_TCP, 443)));
	fixture_release(&f);
}

/* ---- sharing ---- */

static void equal_sets_and_services_are_shared(void)
{
	struct gpc_model model;
	struct fixture f;
	char name[16];

	fixture_init(&f);
	fixture_segment(&f, "a", "10.0.0.0/8", NULL, NULL);
	fixture_segment(&f, "same", "10.0.0.0/8", NULL, NULL);
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "r%d", i);
		fixture_rule(&f, name, GPC_ACTION_ALLOW, i % 2 ? "a" : "10.0.0.0/8",
			     i % 3 ? "same" : "a same");
	}
	CU_ASSERT_FATAL(build(&f, &model));
	CU_ASSERT_EQUAL(model.space.set_count, 2);
	CU_ASSERT_EQUAL(model.space.service_count, 1);
	CU_ASSERT_EQUAL(model.space.sets[0].count, 3);
	fixture_release(&f);
}

static void only_what_boxes_need_is_in_the_space(void)
{
	struct gpc_model model;
	struct fixture f;

	fixture_init(&f);
	fixture_segment(&f, "unused", "10.0.0.0/8", NULL, NULL);
	fixture_segment(&f, "outer", "0.0.0.0/0", "192.0.2.0/24", NULL);
	fixture_rule(&f, "r", GPC_ACTION_ALLOW, "outer", NULL);
	CU_ASSERT_FATAL(build(&f, &model));
	CU_ASSERT_EQUAL(model.space.set_count, 2);
	CU_ASSERT(fixture_holds(&model, 1, "192.0.3.0"));
	CU_ASSERT(!fixture_holds(&model, 1, "192.0.2.0"));
	fixture_release(&f);
}

/* ---- rates and logs ---- */

static struct gpc_rate_intent *new_rate(struct fixture *f, struct gpc_rule_intent *rule,
					uint64_t limit, uint32_t period)
{
	rule->rate = GPC_NEW(&f->arena, struct gpc_rate_intent);
	rule->rate->limit = fixture_number(f, limit);
	rule->rate->period = period;
	rule->rate->at = fixture_place(f);
	return rule->rate;
}

static void a_rate_becomes_credit_in_ns(void)
{
	struct gpc_model model;
	struct fixture f;
	struct gpc_rate_intent *rate;
	const struct gpc_model_rule *rule;

	fixture_init(&f);
	rate = new_rate(&f, fixture_rule(&f, "a", GPC_ACTION_ALLOW, NULL, NULL), 500, 1);
	rate->burst = fixture_number(&f, 1000);
	rate->per_source = fixture_number(&f, 1);
	rate->entries = fixture_number(&f, 262144);
	rate = new_rate(&f, fixture_rule(&f, "b", GPC_ACTION_ALLOW, NULL, NULL), 7, 3600);
	rate->exceed = fixture_number(&f, GPC_ACTION_REJECT);
	rate = new_rate(&f, fixture_rule(&f, "c", GPC_ACTION_ALLOW, NULL, NULL), 1000000, 1);
	rate->bytes = true;
	rate = new_rate(&f, fixture_rule(&f, "d", GPC_ACTION_ALLOW, NULL, NULL), 3, 1);
	rate->per_source = fixture_number(&f, 1);
	rate->entries = fixture_number(&f, 1000);
	CU_ASSERT_FATAL(build(&f, &model));
	rule = rule_named(&model, "a");
	CU_ASSERT(rule->limited && rule->per_source && !rule->rate_bytes);
	CU_ASSERT_EQUAL(rule->rate_cost, 2000000);
	CU_ASSERT_EQUAL(rule->rate_burst, 2000000000);
	CU_ASSERT_EQUAL(rule->rate_entries, 262144);
	CU_ASSERT_EQUAL(rule->exceed, GPC_ACTION_DENY);
	rule = rule_named(&model, "b");
	CU_ASSERT_EQUAL(rule->rate_cost, 3600000000000 / 7);
	CU_ASSERT_EQUAL(rule->rate_burst, rule->rate_cost);
	CU_ASSERT_EQUAL(rule->rate_entries, 1);
	CU_ASSERT_EQUAL(rule->exceed, GPC_ACTION_REJECT);
	rule = rule_named(&model, "c");
	CU_ASSERT_EQUAL(rule->rate_cost, 1000000);
	CU_ASSERT_EQUAL(rule->rate_burst, 1000000000);
	rule = rule_named(&model, "d");
	CU_ASSERT_EQUAL(rule->rate_cost, 333333333);
	CU_ASSERT_EQUAL(rule->rate_burst, 999999999);
	CU_ASSERT_EQUAL(rule->rate_entries, 1024);
	fixture_release(&f);
}

static void a_burst_that_never_fills_up_is_an_error(void)
{
	struct gpc_model model;
	struct fixture f;
	struct gpc_rate_intent *rate;

	fixture_init(&f);
	rate = new_rate(&f, fixture_rule(&f, "a", GPC_ACTION_ALLOW, NULL, NULL), 1, 3600);
	rate->burst = fixture_number(&f, 320000);
	rate = new_rate(&f, fixture_rule(&f, "b", GPC_ACTION_ALLOW, NULL, NULL), 1, 3600);
	rate->burst = fixture_number(&f, UINT64_MAX);
	CU_ASSERT_FALSE(build(&f, &model));
	CU_ASSERT_EQUAL(f.diags.errors, 1);
	CU_ASSERT_PTR_NOT_NULL(fixture_find(&f, GPC_E0420));
	fixture_release(&f);
}

static void logs_have_a_usual_rate(void)
{
	struct gpc_model model;
	struct fixture f;
	struct gpc_rule_intent *rule;

	fixture_init(&f);
	fixture_rule(&f, "none", GPC_ACTION_DENY, NULL, NULL);
	fixture_rule(&f, "action", GPC_ACTION_LOG, NULL, NULL);
	rule = fixture_rule(&f, "some", GPC_ACTION_DENY, NULL, NULL);
	rule->log = GPC_NEW(&f.arena, struct gpc_log_intent);
	rule->log->sample = 1000;
	rule->log->rate = fixture_number(&f, 5);
	CU_ASSERT_FATAL(build(&f, &model));
	CU_ASSERT_EQUAL(rule_named(&model, "none")->log_sample, 0);
	CU_ASSERT_EQUAL(rule_named(&model, "action")->log_sample, 1);
	CU_ASSERT_EQUAL(rule_named(&model, "action")->log_rate, 100);
	CU_ASSERT_EQUAL(rule_named(&model, "some")->log_sample, 1000);
	CU_ASSERT_EQUAL(rule_named(&model, "some")->log_rate, 5);
	fixture_release(&f);
}

/* ---- policies, protect, chains ---- */

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
	expect_item(&service->items[0], IPPROTO_ICMP, 0x800, 0x8ff);
	CU_ASSERT_EQUAL(service->items[1].source.first, 22);
	CU_ASSERT_EQUAL(service->items[1].source.last, 22);
	CU_ASSERT_EQUAL(service->items[1].destination.last, GPC_PORT_NONE);
	/* Both interfaces have `xdp` alone. */
	CU_ASSERT_EQUAL(model.chain_count, 2);
	CU_ASSERT_EQUAL(model.chains[0].policy_count, 0);
	CU_ASSERT_EQUAL(model.chains[0].direction, GPC_INGRESS);
	fixture_release(&f);
}

GPC_UNIT_MAIN(
	"model/policies",
	{"except_takes_the_final_set_of_other_segments",
	 except_takes_the_final_set_of_other_segments},
	{"a_circle_of_except_is_named", a_circle_of_except_is_named},
	{"a_long_chain_of_except_needs_no_stack", a_long_chain_of_except_needs_no_stack},
	{"labels_select_the_union_of_segments_that_have_all",
	 labels_select_the_union_of_segments_that_have_all},
	{"what_selects_nothing_is_an_error", what_selects_nothing_is_an_error},
	{"ports_become_sorted_joined_items", ports_become_sorted_joined_items},
	{"tcp_flags_leave_tcp_only", tcp_flags_leave_tcp_only},
	{"what_no_packet_can_match_has_no_boxes", what_no_packet_can_match_has_no_boxes},
	{"listeners_mean_address_protocol_and_port", listeners_mean_address_protocol_and_port},
	{"listeners_with_ports_mean_their_addresses", listeners_with_ports_mean_their_addresses},
	{"equal_sets_and_services_are_shared", equal_sets_and_services_are_shared},
	{"only_what_boxes_need_is_in_the_space", only_what_boxes_need_is_in_the_space},
	{"a_rate_becomes_credit_in_ns", a_rate_becomes_credit_in_ns},
	{"a_burst_that_never_fills_up_is_an_error", a_burst_that_never_fills_up_is_an_error},
	{"logs_have_a_usual_rate", logs_have_a_usual_rate},
	{"a_policy_has_the_defaults_of_the_semantics", a_policy_has_the_defaults_of_the_semantics},
	{"rules_with_priorities_stand_by_them", rules_with_priorities_stand_by_them},
	{"a_policy_may_not_be_ambiguous", a_policy_may_not_be_ambiguous},
	{"chains_stand_by_interface_and_in_the_order_of_asking",
	 chains_stand_by_interface_and_in_the_order_of_asking},
	{"nine_policies_are_one_too_many", nine_policies_are_one_too_many},
	{"protect_has_both_directions", protect_has_both_directions})
