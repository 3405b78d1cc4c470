/* SPDX-License-Identifier: MIT */
/*
 * policy_fixture.h: segments, rules and policies made by hand. A selector is a text: a prefix, `*`
 * and a listener pattern behind it, `key=value`, or a segment's name; several behind each other
 * with spaces.
 */
#ifndef GPC_TESTS_POLICY_FIXTURE_H
#define GPC_TESTS_POLICY_FIXTURE_H

#include "fixture.h"

static inline struct gpc_label fixture_label(struct fixture *fixture, const char *text)
{
	const char *equals = strchr(text, '=');

	return (struct gpc_label){gpc_arena_strndup(&fixture->arena, text, (size_t)(equals - text)),
				  equals + 1, fixture_place(fixture)};
}

static inline void fixture_select(struct fixture *fixture, struct gpc_selector_intent *selector,
				  const char *texts)
{
	char *copy = gpc_arena_strdup(&fixture->arena, texts), *rest = copy, *text;

	selector->at = fixture_place(fixture);
	while ((text = strsep(&rest, " "))) {
		struct gpc_selector_item *item = GPC_PUSH(&fixture->arena, &selector->items);

		item->at = fixture_place(fixture);
		item->text = text;
		if (*text == '*') {
			item->kind = GPC_SELECT_LISTENERS;
			item->text = text + 1;
		} else if (strchr(text, '=')) {
			item->kind = GPC_SELECT_LABELS;
			*GPC_PUSH(&fixture->arena, &item->labels) = fixture_label(fixture, text);
		} else if (gpc_prefix_parse(text, strlen(text), &item->prefix) == GPC_IP_OK) {
			item->kind = GPC_SELECT_PREFIX;
		} else {
			item->kind = GPC_SELECT_SEGMENT;
		}
	}
}

/* `except` and `label` may be NULL. */
static inline struct gpc_segment_intent *fixture_segment(struct fixture *fixture, const char *name,
							 const char *cidr, const char *except,
							 const char *label)
{
	struct gpc_segment_intent *segment = GPC_PUSH(&fixture->arena, &fixture->intent.segments);

	segment->name = fixture_text(fixture, name);
	segment->at = segment->name.at;
	*GPC_PUSH(&fixture->arena, &segment->cidrs) = fixture_address(fixture, cidr);
	if (except)
		fixture_select(fixture, &segment->except, except);
	if (label)
		*GPC_PUSH(&fixture->arena, &segment->labels) = fixture_label(fixture, label);
	return segment;
}

/* `from` and `to` may be NULL. */
static inline struct gpc_rule_intent *fixture_rule(struct fixture *fixture, const char *name,
						   enum gpc_action action, const char *from,
						   const char *to)
{
	struct gpc_rule_intent *rule = GPC_PUSH(&fixture->arena, &fixture->intent.rules);

	rule->name = fixture_text(fixture, name);
	rule->at = rule->name.at;
	rule->action = fixture_number(fixture, action);
	if (from)
		fixture_select(fixture, &rule->from, from);
	if (to)
		fixture_select(fixture, &rule->to, to);
	return rule;
}

static inline void fixture_ports(struct fixture *fixture, gpc_ports_list *ports, uint8_t protocol,
				 uint32_t first, uint32_t last)
{
	*GPC_PUSH(&fixture->arena, ports) = (struct gpc_ports_item){
		.protocol = protocol,
		.ranged = first <= last,
		.first = first,
		.last = last,
		.at = fixture_place(fixture),
	};
}
#define FIXTURE_ALL_PORTS 1, 0

/* `rules`: names with spaces between. */
static inline struct gpc_policy_intent *fixture_policy(struct fixture *fixture, const char *name,
						       const char *interface,
						       enum gpc_direction direction,
						       const char *rules)
{
	struct gpc_policy_intent *policy = GPC_PUSH(&fixture->arena, &fixture->intent.policies);
	char *copy = gpc_arena_strdup(&fixture->arena, rules), *rest = copy, *text;

	policy->name = fixture_text(fixture, name);
	policy->at = policy->name.at;
	policy->direction = fixture_number(fixture, direction);
	*GPC_PUSH(&fixture->arena, &policy->interfaces) = fixture_text(fixture, interface);
	while (*rules && (text = strsep(&rest, " ")))
		*GPC_PUSH(&fixture->arena, &policy->rules) = fixture_text(fixture, text);
	return policy;
}

static inline struct gpc_protect_intent *fixture_protect(struct fixture *fixture, const char *name,
							 const char *from, const char *to)
{
	struct gpc_protect_intent *protect = GPC_PUSH(&fixture->arena, &fixture->intent.protect);

	protect->name = fixture_text(fixture, name);
	protect->at = protect->name.at;
	if (from)
		fixture_select(fixture, &protect->from, from);
	if (to)
		fixture_select(fixture, &protect->to, to);
	return protect;
}

/*
 * The small plane with two policies on both interfaces, `guard` in ingress (enforced, with decide, log
 * and mark rules, one of them limited) and `watch` in egress of lan* (audit), and two protect items.
 */
static inline void fixture_policed_plane(struct fixture *fixture)
{
	const uint64_t hooks = GPC_HOOK_XDP | GPC_HOOK_TC_INGRESS | GPC_HOOK_TC_EGRESS;
	struct gpc_policy_intent *guard, *watch;
	struct gpc_rule_intent *rule;
	struct gpc_rate_intent *rate;

	fixture_small_plane(fixture);
	for (size_t i = 0; i < fixture->intent.interfaces.n; i++)
		fixture->intent.interfaces.items[i].hooks = fixture_number(fixture, hooks);
	fixture_segment(fixture, "office", "198.51.100.0/24", "198.51.100.64/26", NULL);
	fixture_segment(fixture, "app", "10.0.1.0/24", NULL, NULL);
	fixture_rule(fixture, "seen", GPC_ACTION_LOG, "office", NULL);
	rule = fixture_rule(fixture, "tag", GPC_ACTION_MARK, NULL, "app");
	rule->mark = fixture_number(fixture, 7);
	rule = fixture_rule(fixture, "ssh", GPC_ACTION_ALLOW, "office", "app");
	fixture_ports(fixture, &rule->ports, IPPROTO_TCP, 22, 22);
	rate = GPC_NEW(&fixture->arena, struct gpc_rate_intent);
	rate->limit = fixture_number(fixture, 100);
	rate->period = 1;
	rate->per_source = fixture_number(fixture, 1);
	rate->entries = fixture_number(fixture, 64);
	rate->exceed = fixture_number(fixture, GPC_ACTION_DENY);
	rate->at = fixture_place(fixture);
	rule->rate = rate;
	fixture_rule(fixture, "vips", GPC_ACTION_ALLOW, "2001:db8:7::/48 10.0.0.0/8", "**");
	rule = fixture_rule(fixture, "low", GPC_ACTION_REJECT, "2001:db8::/32", NULL);
	fixture_ports(fixture, &rule->ports, IPPROTO_UDP, 1, 1023);
	guard = fixture_policy(fixture, "guard", "wan0", GPC_INGRESS, "seen tag ssh vips low");
	*GPC_PUSH(&fixture->arena, &guard->interfaces) = fixture_text(fixture, "lan*");
	watch = fixture_policy(fixture, "watch", "lan*", GPC_EGRESS, "ssh low");
	watch->mode = fixture_number(fixture, GPC_POLICY_AUDIT);
	fixture_ports(fixture, &fixture_protect(fixture, "mgmt", "office", "10.0.0.1")->ports,
		      IPPROTO_TCP, 22, 22);
	fixture_protect(fixture, "admin", "203.0.113.77", NULL);
}

/* The set that a box names holds the address. */
static inline bool fixture_holds(const struct gpc_model *model, uint32_t set, const char *address)
{
	struct gpc_ip ip = {{0}};

	CU_ASSERT_EQUAL_FATAL(gpc_ip_parse(address, strlen(address), &ip), GPC_IP_OK);
	return gpc_set_holds(model->space.sets[set], &ip);
}

#endif
