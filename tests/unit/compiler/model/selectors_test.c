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

GPC_UNIT_MAIN("model/selectors",
	      {"except_takes_the_final_set_of_other_segments",
	       except_takes_the_final_set_of_other_segments},
	      {"a_circle_of_except_is_named", a_circle_of_except_is_named},
	      {"a_long_chain_of_except_needs_no_stack", a_long_chain_of_except_needs_no_stack},
	      {"labels_select_the_union_of_segments_that_have_all",
	       labels_select_the_union_of_segments_that_have_all},
	      {"what_selects_nothing_is_an_error", what_selects_nothing_is_an_error},
	      {"listeners_mean_address_protocol_and_port",
	       listeners_mean_address_protocol_and_port},
	      {"listeners_with_ports_mean_their_addresses",
	       listeners_with_ports_mean_their_addresses},
	      {"equal_sets_and_services_are_shared", equal_sets_and_services_are_shared},
	      {"only_what_boxes_need_is_in_the_space", only_what_boxes_need_is_in_the_space})
