/* SPDX-License-Identifier: MIT */
#include "../../unit.h"
#include "../policy_fixture.h"

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
	CU_ASSERT(rule->rate.limited && rule->rate.per_source && !rule->rate.bytes);
	CU_ASSERT_EQUAL(rule->rate.cost, 2000000);
	CU_ASSERT_EQUAL(rule->rate.burst, 2000000000);
	CU_ASSERT_EQUAL(rule->rate.entries, 262144);
	CU_ASSERT_EQUAL(rule->rate.exceed, GPC_ACTION_DENY);
	rule = rule_named(&model, "b");
	CU_ASSERT_EQUAL(rule->rate.cost, 3600000000000 / 7);
	CU_ASSERT_EQUAL(rule->rate.burst, rule->rate.cost);
	CU_ASSERT_EQUAL(rule->rate.entries, 1);
	CU_ASSERT_EQUAL(rule->rate.exceed, GPC_ACTION_REJECT);
	rule = rule_named(&model, "c");
	CU_ASSERT_EQUAL(rule->rate.cost, 1000000);
	CU_ASSERT_EQUAL(rule->rate.burst, 1000000000);
	rule = rule_named(&model, "d");
	CU_ASSERT_EQUAL(rule->rate.cost, 333333333);
	CU_ASSERT_EQUAL(rule->rate.burst, 999999999);
	CU_ASSERT_EQUAL(rule->rate.entries, 1024);
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

GPC_UNIT_MAIN("model/rules", {"ports_become_sorted_joined_items", ports_become_sorted_joined_items},
	      {"tcp_flags_leave_tcp_only", tcp_flags_leave_tcp_only},
	      {"what_no_packet_can_match_has_no_boxes", what_no_packet_can_match_has_no_boxes},
	      {"a_rate_becomes_credit_in_ns", a_rate_becomes_credit_in_ns},
	      {"a_burst_that_never_fills_up_is_an_error", a_burst_that_never_fills_up_is_an_error},
	      {"logs_have_a_usual_rate", logs_have_a_usual_rate})
