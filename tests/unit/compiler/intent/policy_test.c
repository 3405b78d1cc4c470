/* SPDX-License-Identifier: MIT */
/* What policies and tests are bound to. */
#include "intent/load.h"

#include <netinet/in.h>

#include "base/memfiles.h"
#include "base/sha256.h"
#include "gpc/abi.h"
#include "tests/unit/unit.h"

#define HEAD "apiVersion: gpc/v1\nkind: Plane\n"
#define NAMED HEAD "metadata: {name: plane}\n"
#define OVERLAY "apiVersion: gpc/v1\nkind: Overlay\n"
#define TESTS "apiVersion: gpc/v1\nkind: Tests\n"

static struct gpc_arena arena;
static struct gpc_diags diags;
static struct gpc_memfiles files;
static struct gpc_intent intent;

static void begin(void)
{
	gpc_arena_release(&arena);
	gpc_diags_init(&diags, &arena, false);
	gpc_memfiles_init(&files, &arena);
	intent = (struct gpc_intent){0};
}

static void add(const char *path, const char *text)
{
	gpc_memfiles_add(&files, path, text, strlen(text));
}

static bool load_as(const char *environment)
{
	static const char *const path = "gpc.yaml";
	struct gpc_provider provider = gpc_memfiles_provider(&files);
	struct gpc_inputs inputs = {.paths = &path, .count = 1, .environment = environment};
	bool good = gpc_intent_load(&diags, &provider, &inputs, &intent);

	if (!good && diags.records.n)
		fprintf(stderr, "%s\n", diags.records.items[0].message);
	return good;
}

static bool load(const char *text)
{
	begin();
	add("gpc.yaml", text);
	return load_as(NULL);
}

static const struct gpc_rule_intent *load_rule(const char *rest)
{
	begin();
	add("gpc.yaml",
	    gpc_arena_printf(&arena, NAMED "rules: [{name: r, action: allow, %s}]\n", rest));
	CU_ASSERT_TRUE_FATAL(load_as(NULL));
	CU_ASSERT_EQUAL_FATAL(intent.rules.n, 1);
	return &intent.rules.items[0];
}

static void segments_keep_prefixes_and_labels(void)
{
	const struct gpc_segment_intent *segment;

	CU_ASSERT_TRUE_FATAL(load(NAMED "segments:\n"
					"  - {name: most, cidrs: [0.0.0.0/0, \"::/0\", 0.0.0.0/0], "
					"except: [b, 10.0.0.0/8],\n"
					"     labels: {role: web, empty: \"\"}}\n"
					"  - {name: b, cidrs: 192.0.2.1}\n"));
	CU_ASSERT_EQUAL_FATAL(intent.segments.n, 2);
	segment = &intent.segments.items[0];
	CU_ASSERT_EQUAL_FATAL(segment->cidrs.n, 3);
	CU_ASSERT_EQUAL(segment->cidrs.items[1].prefix.length, 0);
	CU_ASSERT_FALSE(segment->cidrs.items[1].prefix.v4);
	CU_ASSERT_PTR_NULL(segment->from);
	CU_ASSERT_EQUAL_FATAL(segment->except.items.n, 2);
	CU_ASSERT_EQUAL(segment->except.items.items[0].kind, GPC_SELECT_SEGMENT);
	CU_ASSERT_STRING_EQUAL(segment->except.items.items[0].text, "b");
	CU_ASSERT_EQUAL(segment->except.items.items[1].kind, GPC_SELECT_PREFIX);
	CU_ASSERT_EQUAL_FATAL(segment->labels.n, 2);
	CU_ASSERT_STRING_EQUAL(segment->labels.items[0].key, "role");
	CU_ASSERT_STRING_EQUAL(segment->labels.items[0].value, "web");
	CU_ASSERT_STRING_EQUAL(segment->labels.items[1].value, "");
	CU_ASSERT_EQUAL(intent.segments.items[1].cidrs.items[0].prefix.length, 32);
	CU_ASSERT_EQUAL(intent.segments.items[1].labels.n, 0);
}

static void selectors_mix(void)
{
	const struct gpc_rule_intent *rule =
		load_rule("from: fe80, to: [fe80::/10, a.b, {labels: {x: y, z: \"1\"}}, "
			  "{listeners: [web, \"w*\"]}, {listeners: \"*\"}]");

	CU_ASSERT_EQUAL_FATAL(rule->from.items.n, 1);
	CU_ASSERT_EQUAL(rule->from.items.items[0].kind, GPC_SELECT_SEGMENT);
	CU_ASSERT_EQUAL_FATAL(rule->to.items.n, 6);
	CU_ASSERT_EQUAL(rule->to.items.items[0].kind, GPC_SELECT_PREFIX);
	CU_ASSERT_EQUAL(rule->to.items.items[0].prefix.length, 10);
	CU_ASSERT_EQUAL(rule->to.items.items[1].kind, GPC_SELECT_SEGMENT);
	CU_ASSERT_EQUAL(rule->to.items.items[2].kind, GPC_SELECT_LABELS);
	CU_ASSERT_EQUAL(rule->to.items.items[2].labels.n, 2);
	CU_ASSERT_EQUAL(rule->to.items.items[3].kind, GPC_SELECT_LISTENERS);
	CU_ASSERT_STRING_EQUAL(rule->to.items.items[4].text, "w*");
	CU_ASSERT_STRING_EQUAL(rule->to.items.items[5].text, "*");
}

static void what_a_rule_does_not_say_is_null(void)
{
	const struct gpc_rule_intent *rule = load_rule("note: none");

	CU_ASSERT_EQUAL(rule->from.items.n, 0);
	CU_ASSERT_EQUAL(rule->ports.n, 0);
	CU_ASSERT_EQUAL(rule->ports_at.source, GPC_NO_SOURCE);
	CU_ASSERT_PTR_NULL(rule->match);
	CU_ASSERT_PTR_NULL(rule->log);
	CU_ASSERT_PTR_NULL(rule->rate);
	CU_ASSERT_FALSE(rule->mark.set);
	CU_ASSERT_FALSE(rule->expires.set);
	CU_ASSERT_STRING_EQUAL(rule->note.text, "none");
	CU_ASSERT_PTR_NULL(rule->owner.text);
}

static void rules_keep_all_that_they_say(void)
{
	const struct gpc_rule_intent *rule = load_rule(
		"ports: [tcp/443, any], mark: 0xffffffff, priority: 0, expires: 2026-12-31, owner: "
		"x,\n"
		"log: {sample: 1/1000, rate: 60/m}, match: {vlan: none, dscp: 46, fragments: "
		"later},\n"
		"rate: {limit: 6000/h, burst: 10, per: source-ip, entries: 1Mi, exceed: reject}");

	CU_ASSERT_EQUAL_FATAL(rule->ports.n, 2);
	CU_ASSERT_TRUE(rule->ports.items[1].any);
	CU_ASSERT_EQUAL(rule->mark.value, UINT32_MAX);
	CU_ASSERT_TRUE(rule->priority.set);
	CU_ASSERT_EQUAL(rule->expires.value, 1798761600); /* 2027-01-01T00:00:00Z */
	CU_ASSERT_EQUAL(rule->log->sample, 1000);
	CU_ASSERT_EQUAL(rule->log->rate.value, 1);
	CU_ASSERT_EQUAL(rule->match->vlan.value, GPC_VLAN_NONE);
	CU_ASSERT_EQUAL(rule->match->dscp.value, 46);
	CU_ASSERT_EQUAL(rule->match->fragments.value, 1u << GPC_FRAGMENT_LATER);
	CU_ASSERT_FALSE(rule->match->tcp_flags.set);
	CU_ASSERT_EQUAL(rule->rate->limit.value, 6000);
	CU_ASSERT_EQUAL(rule->rate->period, 3600);
	CU_ASSERT_FALSE(rule->rate->bytes);
	CU_ASSERT_EQUAL(rule->rate->burst.value, 10);
	CU_ASSERT_EQUAL(rule->rate->per_source.value, 1);
	CU_ASSERT_EQUAL(rule->rate->entries.value, 1048576);
	CU_ASSERT_EQUAL(rule->rate->exceed.value, GPC_ACTION_REJECT);
	rule = load_rule("log: all, rate: {limit: 10MiB/s, burst: 64KB}, match: {fragments: any}");
	CU_ASSERT_EQUAL(rule->log->sample, 1);
	CU_ASSERT_FALSE(rule->log->rate.set);
	CU_ASSERT_TRUE(rule->rate->bytes);
	CU_ASSERT_EQUAL(rule->rate->limit.value, 10485760);
	CU_ASSERT_EQUAL(rule->rate->burst.value, 64000);
	CU_ASSERT_EQUAL(rule->match->fragments.value, 7);
}

static void flags_are_a_bitmap_of_combinations(void)
{
	for (unsigned int flags = 0; flags < 16; flags++) {
		uint64_t syn = load_rule("match: {tcp-flags: syn}")->match->tcp_flags.value;

		CU_ASSERT_EQUAL(syn >> flags & 1,
				(flags & GPC_ASK_SYN) && !(flags & GPC_ASK_ACK) ? 1 : 0);
	}
	CU_ASSERT_EQUAL(load_rule("match: {tcp-flags: [syn]}")->match->tcp_flags.value,
			1u << GPC_ASK_SYN);
	CU_ASSERT_EQUAL(load_rule("match: {tcp-flags: [ack, rst]}")->match->tcp_flags.value,
			1u << (GPC_ASK_ACK | GPC_ASK_RST));
}

static void policies_know_their_document(void)
{
	begin();
	add("gpc.yaml", NAMED
	    "include: [b.yaml]\n"
	    "policies:\n"
	    "  - {name: p, interfaces: [lan0, \"w*\"], direction: egress, rules: []}\n"
	    "---\n" HEAD
	    "policies: [{name: q, interfaces: \"*\", direction: ingress, rules: [b, a], "
	    "stateful: false,\n"
	    "  default: pass, mode: audit, existing: keep, mid-stream: allow, priority: 7}]\n");
	add("b.yaml", HEAD "policies:\n"
			   "  - {name: r, interfaces: lan0, direction: ingress, rules: []}\n"
			   "  - {name: s, interfaces: lan0, direction: ingress, rules: []}\n");
	CU_ASSERT_TRUE_FATAL(load_as(NULL));
	CU_ASSERT_EQUAL_FATAL(intent.policies.n, 4);
	for (size_t i = 0; i < 4; i++) {
		const struct gpc_policy_intent *policy = &intent.policies.items[i];

		if (!strcmp(policy->name.text, "p")) {
			CU_ASSERT_EQUAL(policy->direction.value, GPC_EGRESS);
			CU_ASSERT_EQUAL(policy->interfaces.n, 2);
			CU_ASSERT_FALSE(policy->stateful.set);
		} else if (!strcmp(policy->name.text, "q")) {
			CU_ASSERT_EQUAL(policy->rules.n, 2);
			CU_ASSERT_EQUAL(policy->stateful.value, 0);
			CU_ASSERT_EQUAL(policy->fallback.value, GPC_ACTION_PASS);
			CU_ASSERT_EQUAL(policy->mode.value, GPC_POLICY_AUDIT);
			CU_ASSERT_EQUAL(policy->keep.value, 1);
			CU_ASSERT_EQUAL(policy->mid_stream.value, 1);
			CU_ASSERT_EQUAL(policy->priority.value, 7);
		}
		for (size_t j = 0; j < i; j++) {
			bool same = policy->name.text[0] == 's' || policy->name.text[0] == 'r';

			same = same && intent.policies.items[j].name.text[0] >= 'r';
			CU_ASSERT_EQUAL(policy->document == intent.policies.items[j].document,
					same);
		}
	}
}

static void defaults_are_bound(void)
{
	CU_ASSERT_TRUE_FATAL(load(
		NAMED "defaults: {pickup: 1500ms, builtin: {arp: deny, icmp-error: rules}}\n"));
	CU_ASSERT_EQUAL(intent.defaults.pickup.value, 2);
	CU_ASSERT_EQUAL(intent.defaults.builtin[GPC_BUILTIN_ARP].value, GPC_BUILTIN_DENY);
	CU_ASSERT_EQUAL(intent.defaults.builtin[GPC_BUILTIN_ICMP_ERROR].value, GPC_BUILTIN_RULES);
	CU_ASSERT_FALSE(intent.defaults.builtin[GPC_BUILTIN_ND].set);
	CU_ASSERT_TRUE(load(NAMED "defaults: {pickup: never}\n"));
	CU_ASSERT_EQUAL(intent.defaults.pickup.value, 0);
	CU_ASSERT_TRUE(load(NAMED "defaults: {pickup: always}\n"));
	CU_ASSERT_EQUAL(intent.defaults.pickup.value, GPC_NONE);
}

static void tests_come_from_documents_of_their_own(void)
{
	const struct gpc_test_intent *test;

	begin();
	add("gpc.yaml", NAMED "values: {port: \"443\"}\ninclude: [t.yaml]\n");
	add("t.yaml", TESTS
	    "tests:\n"
	    "  - name: https, and $ {a} \"quote\"\n"
	    "    send: {in: wan0, from: 192.0.2.1, to: 192.0.2.2, dport: \"${port}\", tcp-flags: "
	    "[ack]}\n"
	    "    before: [{out: wan0, from: 192.0.2.2, to: 192.0.2.1, proto: udp, dport: 5},\n"
	    "             {in: wan0, from: 192.0.2.2, to: 192.0.2.1, proto: udp, fragment: "
	    "later}]\n"
	    "    expect: {verdict: drop, policy: p, rule: default, would: reject, reason: "
	    "mid-stream, "
	    "mark: 5}\n"
	    "---\n" TESTS "tests:\n"
	    "  - name: echo\n"
	    "    send: {out: wan0, from: \"2001:db8::1\", to: \"2001:db8::2\", icmp-type: "
	    "echo-reply, "
	    "proto: icmp6}\n"
	    "    expect: {verdict: forward}\n");
	CU_ASSERT_TRUE_FATAL(load_as(NULL));
	CU_ASSERT_EQUAL_FATAL(intent.tests.n, 2);
	test = &intent.tests.items[0];
	CU_ASSERT_STRING_EQUAL(test->send.in.text, "wan0");
	CU_ASSERT_PTR_NULL(test->send.out.text);
	CU_ASSERT_EQUAL(test->send.dport.value, 443);
	CU_ASSERT_FALSE(test->send.sport.set);
	CU_ASSERT_EQUAL(test->send.tcp_flags.value, GPC_ASK_ACK);
	CU_ASSERT_EQUAL_FATAL(test->before.n, 2);
	CU_ASSERT_EQUAL(test->before.items[0].protocol.value, IPPROTO_UDP);
	CU_ASSERT_EQUAL(test->before.items[1].fragment.value, GPC_FRAGMENT_LATER);
	CU_ASSERT_EQUAL(test->expect.verdict.value, GPC_VERDICT_DROP);
	CU_ASSERT_EQUAL(test->expect.would.value, GPC_ACTION_REJECT);
	CU_ASSERT_STRING_EQUAL(test->expect.rule.text, "default");
	CU_ASSERT_STRING_EQUAL(test->expect.reason.text, "mid-stream");
	CU_ASSERT_PTR_NULL(test->expect.listener.text);
	test = &intent.tests.items[1];
	CU_ASSERT_EQUAL(test->send.icmp_type.value, 129);
	CU_ASSERT_EQUAL(test->send.protocol.value, IPPROTO_ICMPV6);
}

static void an_overlay_merges_policies_by_name(void)
{
	begin();
	add("gpc.yaml", NAMED
	    "segments: [{name: a, cidrs: [10.0.0.0/8], labels: {x: y}}]\n"
	    "rules: [{name: r, action: allow, ports: [tcp/1, tcp/2], rate: {limit: 5/s, burst: "
	    "9}},\n"
	    "  {name: s, action: deny}]\n"
	    "policies: [{name: p, interfaces: [lan0], direction: ingress, rules: [r, s]}]\n"
	    "tests: [{name: a test, send: {in: lan0, from: 192.0.2.1, to: 192.0.2.2, dport: 1},\n"
	    "  expect: {verdict: drop}}]\n");
	add("overlays/prod.yaml", OVERLAY
	    "segments: [{name: a, cidrs: [11.0.0.0/8], labels: {z: w}}]\n"
	    "rules: [{name: r, ports: [udp/3], rate: {limit: 7/s}}, {name: s, $delete: true}]\n"
	    "policies: [{name: p, rules: [r], mode: audit}]\n"
	    "tests: [{name: a test, expect: {verdict: pass}}]\n");
	CU_ASSERT_TRUE_FATAL(load_as("prod"));
	CU_ASSERT_EQUAL_FATAL(intent.segments.n, 1);
	CU_ASSERT_EQUAL(intent.segments.items[0].cidrs.n, 1);
	CU_ASSERT_EQUAL(intent.segments.items[0].labels.n, 2);
	CU_ASSERT_EQUAL_FATAL(intent.rules.n, 1);
	CU_ASSERT_EQUAL(intent.rules.items[0].ports.n, 1);
	CU_ASSERT_EQUAL(intent.rules.items[0].rate->limit.value, 7);
	CU_ASSERT_EQUAL(intent.rules.items[0].rate->burst.value, 9);
	CU_ASSERT_EQUAL_FATAL(intent.policies.n, 1);
	CU_ASSERT_EQUAL(intent.policies.items[0].rules.n, 1);
	CU_ASSERT_EQUAL(intent.policies.items[0].mode.value, GPC_POLICY_AUDIT);
	CU_ASSERT_EQUAL_FATAL(intent.tests.n, 1);
	CU_ASSERT_EQUAL(intent.tests.items[0].expect.verdict.value, GPC_VERDICT_PASS);
	CU_ASSERT_EQUAL(intent.tests.items[0].send.dport.value, 1);
}

static const char *digest_of(const char *text)
{
	uint8_t digest[GPC_SHA256_BYTES];

	gpc_sha256(text, strlen(text), digest);
	return gpc_sha256_format(digest, gpc_arena_alloc(&arena, GPC_SHA256_TEXT));
}

static void feeds_are_sources_of_the_plane(void)
{
	static const char text[] =
		"# comment\r\n\n10.0.0.0/8\r\n\t2001:db8::1 # host\n192.0.2.0/24;x";
	const struct gpc_feed_intent *from;
	bool found = false;

	begin();
	add("gpc.yaml", NAMED "include: [parts/a.yaml]\n");
	add("parts/a.yaml",
	    gpc_arena_printf(&arena,
			     HEAD
			     "segments:\n"
			     "  - {name: a, from: {file: ./feeds/x.txt, sha256: %s, max: 3}}\n"
			     "  - {name: b, from: {file: feeds/x.txt, sha256: %s, max: 1000000}}\n",
			     digest_of(text), digest_of(text)));
	add("parts/feeds/x.txt", text);
	CU_ASSERT_TRUE_FATAL(load_as(NULL));
	from = intent.segments.items[0].from;
	CU_ASSERT_EQUAL_FATAL(from->prefix_count, 3);
	CU_ASSERT_EQUAL(from->prefixes[0].length, 8);
	CU_ASSERT_EQUAL(from->prefixes[1].length, 128);
	CU_ASSERT_FALSE(from->prefixes[1].v4);
	CU_ASSERT_EQUAL(from->prefixes[2].length, 24);
	CU_ASSERT_PTR_EQUAL(intent.segments.items[1].from->prefixes, from->prefixes);
	CU_ASSERT_EQUAL(diags.sources.n, 3);
	for (size_t i = 0; i < diags.sources.n; i++)
		found |= !strcmp(diags.sources.items[i].path, "parts/feeds/x.txt") &&
			 diags.sources.items[i].size == strlen(text);
	CU_ASSERT_TRUE(found);
}

static void an_empty_feed_is_a_feed(void)
{
	begin();
	add("gpc.yaml",
	    gpc_arena_printf(&arena,
			     NAMED "segments: [{name: a, from: {file: x, sha256: %s, max: 1}}]\n",
			     digest_of("")));
	add("x", "");
	CU_ASSERT_TRUE_FATAL(load_as(NULL));
	CU_ASSERT_EQUAL(intent.segments.items[0].from->prefix_count, 0);
}

GPC_UNIT_MAIN("intent/policy",
	      {"segments_keep_prefixes_and_labels", segments_keep_prefixes_and_labels},
	      {"selectors_mix", selectors_mix},
	      {"what_a_rule_does_not_say_is_null", what_a_rule_does_not_say_is_null},
	      {"rules_keep_all_that_they_say", rules_keep_all_that_they_say},
	      {"flags_are_a_bitmap_of_combinations", flags_are_a_bitmap_of_combinations},
	      {"policies_know_their_document", policies_know_their_document},
	      {"defaults_are_bound", defaults_are_bound},
	      {"tests_come_from_documents_of_their_own", tests_come_from_documents_of_their_own},
	      {"an_overlay_merges_policies_by_name", an_overlay_merges_policies_by_name},
	      {"feeds_are_sources_of_the_plane", feeds_are_sources_of_the_plane},
	      {"an_empty_feed_is_a_feed", an_empty_feed_is_a_feed})
