/* SPDX-License-Identifier: MIT */
/* The semantic diff of small planes that one knows by heart. */
#include <stdlib.h>

#include "diff_pair.h"

#define HEAD                                                                                       \
	"apiVersion: gpc/v1\nkind: Plane\nmetadata: {name: p}\ndefaults: {on-fail: pass}\n"            \
	"interfaces:\n"                                                                                \
	"  - {name: wan0, mode: any, hooks: [xdp, tc-egress]}\n"                                       \
	"  - {name: wan1, mode: any, hooks: [xdp, tc-egress]}\n"                                       \
	"segments:\n"                                                                                  \
	"  - {name: app, cidrs: [10.0.1.0/24, \"2001:db8:1::/64\"]}\n"                                 \
	"  - {name: db, cidrs: [10.0.9.0/24]}\n"                                                       \
	"  - {name: bad, cidrs: [198.51.100.0/24, 203.0.113.7]}\n"
#define RULES(rules, names, more)                                                                  \
	"rules:\n" rules "policies:\n  - {name: in, interfaces: \"*\", direction: ingress, rules: ["   \
	names "]" more "}\n"
#define BASE "  - {name: web, to: app, ports: [tcp/443], action: allow}\n"

static void says(const char *a, const char *b, const char *wanted)
{
	struct pair pair;
	const char *text;

	compare(&pair, a, b);
	text = spaces_of(&pair);
	if (strcmp(text, wanted))
		fprintf(stderr, "said:\n%s\nwanted:\n%s\n", text, wanted);
	CU_ASSERT_STRING_EQUAL(text, wanted);
	release(&pair);
}

static void spaces_are_named_by_segments(void)
{
	const char *base = HEAD RULES(BASE, "web", "");

	says(base, HEAD RULES(BASE "  - {name: x, from: app, to: db, ports: [tcp/5432, tcp/5433, udp/53], action: allow}\n", "web, x", ""),
	     "allowed app -> db tcp/5432-5433,udp/53");
	says(base, HEAD RULES(BASE "  - {name: x, from: bad, action: deny}\n", "x, web", ""),
	     "denied bad -> app tcp/443");
	says(base, HEAD RULES("  - {name: web, to: app, ports: [tcp/443-445], action: allow}\n  - {name: x, from: bad, action: deny}\n", "x, web", ""),
	     "allowed any but bad -> app tcp/444-445\ndenied bad -> app tcp/443");
	says(base, HEAD RULES(BASE "  - {name: x, from: 10.0.1.0/25, to: db, ports: [icmp/echo-request], action: allow}\n", "web, x", ""),
	     "allowed 10.0.1.0/25 -> db icmp/8");
	says(base, HEAD RULES(BASE, "web", ", default: pass"),
	     "allowed any -> any but app any\nallowed any -> app any but tcp/443");
	says(HEAD RULES("  - {name: web, to: app, action: allow}\n", "web", ""),
	     HEAD RULES("  - {name: web, to: app, action: allow}\n", "web", ", default: pass"),
	     "allowed any -> any but app any");
}

static void logs_and_answers_are_told(void)
{
	const char *base = HEAD RULES(BASE, "web", "");

	says(base, HEAD RULES(BASE "  - {name: x, from: app, to: db, action: log}\n", "x, web", ""),
	     "logged app -> db any");
	says(base, HEAD RULES(BASE "  - {name: x, from: app, to: db, ports: [tcp/1], action: reject}\n", "web, x", ""),
	     "answered app -> db tcp/1");
	says(base, HEAD RULES(BASE, "web", ", mode: audit"),
	     "allowed any -> any but app any\nallowed any -> app any but tcp/443");
	says(HEAD RULES(BASE, "web", ", mode: audit"),
	     HEAD RULES(BASE "  - {name: x, from: bad, to: db, action: allow}\n", "web, x", ", mode: audit"),
	     "allowed later bad -> db any");
}

#define RULE(keys) HEAD RULES("  - {name: r, " keys "}\n", "r", "")

/* Of a stateful chain, in which rules are asked about more than what opens a flow. */
static void what_opens_no_flow_is_told(void)
{
	says(RULE("ports: [icmp], action: allow"), RULE("ports: [icmp/8], action: allow"),
	     "denied any -> any icmp/0-7,icmp/9-255,icmp later fragments (opens no flow)");
	says(RULE("ports: [tcp/0-65535], action: allow"), RULE("ports: [tcp], action: allow"),
	     "allowed any -> any tcp later fragments (opens no flow)");
	says(RULE("ports: [udp/53], action: allow"), RULE("ports: [udp], action: allow"),
	     "allowed any -> any udp/0-52,udp/54-65535,udp later fragments");
	says(RULE("ports: [udp], match: {fragments: first}, action: deny"),
	     RULE("ports: [udp], match: {fragments: first}, action: allow"),
	     "allowed any -> any udp/0-65535 first fragments");
	says(RULE("ports: [tcp/22], action: deny"),
	     RULE("ports: [tcp/22], match: {tcp-flags: [ack]}, action: reject"),
	     "answered any -> any tcp/22 flags ack (opens no flow)");
	says(RULE("ports: [tcp/22], action: deny"), RULE("ports: [tcp/22], action: allow"),
	     "allowed any -> any tcp/22");
}

#define DNS(action, rate) HEAD RULES("  - {name: dns, ports: [udp/53], action: " action rate "}\n", "dns", "")
#define RATE(exceed) ", rate: {limit: 2/s, exceed: " exceed "}"

static void what_exceeds_a_rate_is_told(void)
{
	says(DNS("deny", RATE("allow")), DNS("deny", RATE("reject")), "denied any -> any udp/53");
	says(DNS("deny", RATE("allow")), DNS("deny", ""), "denied any -> any udp/53");
	says(DNS("deny", ""), DNS("reject", RATE("allow")), "allowed any -> any udp/53");
	says(DNS("deny", RATE("reject")), DNS("deny", ""), "limited any -> any udp/53");
	says(DNS("deny", RATE("allow")), DNS("allow", RATE("allow")), "limited any -> any udp/53");
	says(DNS("deny", RATE("allow")), DNS("reject", RATE("allow")), "limited any -> any udp/53");
}

#define ONE(interfaces, of) "apiVersion: gpc/v1\nkind: Plane\nmetadata: {name: p}\ndefaults: {on-fail: pass}\n" \
	"interfaces:\n" interfaces \
	"policies:\n  - {name: in, interfaces: [" of "], direction: ingress, stateful: false, rules: []}\n"
#define ITEM(name) "  - {name: \"" name "\", mode: any, hooks: [xdp, tc-egress]}\n"

/* A name and a pattern that takes the same device are one place. */
static void devices_are_compared(void)
{
	struct pair pair;

	says(ONE(ITEM("lan*"), "\"lan*\""), ONE(ITEM("lan*") ITEM("lan0"), "\"lan*\""), "allowed any -> any any");
	says(ONE(ITEM("lan*") ITEM("lan0"), "\"lan*\", lan0"), ONE(ITEM("lan*"), "\"lan*\""), "");
	compare(&pair, ONE(ITEM("lan0"), "lan0"), ONE(ITEM("lan*"), "\"lan*\""));
	CU_ASSERT_EQUAL_FATAL(pair.diff.space_count, 1);
	CU_ASSERT_EQUAL(pair.diff.spaces[0].effect, GPC_DIFF_DENIED);
	CU_ASSERT_EQUAL_FATAL(pair.diff.spaces[0].place_count, 1);
	CU_ASSERT_STRING_EQUAL(pair.diff.places[pair.diff.spaces[0].places[0]].interface, "lan*");
	release(&pair);
}

#define WEB(ports, a, b) \
	"apiVersion: gpc/v1\nkind: Plane\nmetadata: {name: p}\ndefaults: {on-fail: pass}\n" \
	"interfaces:\n" ITEM("a0") ITEM("z0") "rules:\n  - {name: r, to: 10.0.0.1, ports: [" ports "], action: allow}\n" \
	"policies:\n  - {name: p, interfaces: [" a "], direction: ingress, rules: [r]}\n" \
	"  - {name: q, interfaces: [" b "], direction: ingress, rules: [r], mode: audit}\n"

/* What is so now at one place is told of the other one only. */
static void audit_is_told_by_place(void)
{
	static const char *const planes[2][2] = {{WEB("tcp/80", "a0", "z0"), WEB("tcp/80-81", "a0", "z0")},
						 {WEB("tcp/80", "z0", "a0"), WEB("tcp/80-81", "z0", "a0")}};

	for (int i = 0; i < 2; i++) {
		struct pair pair;

		compare(&pair, planes[i][0], planes[i][1]);
		CU_ASSERT_EQUAL_FATAL(pair.diff.space_count, 2);
		for (int later = 0; later < 2; later++) {
			const struct gpc_diff_space *space = &pair.diff.spaces[later];

			CU_ASSERT_EQUAL(space->enforced, later);
			CU_ASSERT_EQUAL_FATAL(space->place_count, 1);
			CU_ASSERT_STRING_EQUAL(pair.diff.places[space->places[0]].interface,
					       i == later ? "a0" : "z0");
		}
		release(&pair);
	}
}

#define LISTENING(second, rules) \
	"apiVersion: gpc/v1\nkind: Plane\nmetadata: {name: p}\ndefaults: {on-fail: pass}\ninterfaces:\n" ITEM("a0") \
	"listeners:\n  - {name: l1, address: 192.0.2.0/24, protocol: TCP, port: any, forward: pass}\n" \
	"  - {name: l2, address: 192.0.2.10, " second ", forward: pass}\n" rules
#define RULED(keys) "rules:\n  - {name: r, " keys "}\n" \
	"policies:\n  - {name: p, interfaces: [a0], direction: ingress, stateful: false, rules: [r]}\n"
#define L2 "protocol: TCP, port: 443"

/* From one listener to another, each move for itself. */
static void moves_are_told_apart(void)
{
	says(LISTENING("protocol: TCP, port: 400-500", ""), LISTENING("protocol: UDP, port: 400-500", ""),
	     "listener any -> 192.0.2.10 tcp/400-500 no fragments\n"
	     "listener any -> 192.0.2.10 udp/400-500 no fragments");
	says(HEAD RULES("  - {name: r, ports: [tcp/1, udp/1], action: allow, rate: {limit: 100/s}}\n", "r", ""),
	     HEAD RULES("  - {name: r, ports: [tcp/1], action: allow, rate: {limit: 200/s}}\n"
			"  - {name: s, ports: [udp/1], action: allow, rate: {limit: 300/s}}\n", "r, s", ""),
	     "limited any -> any tcp/1\nlimited any -> any udp/1");
}

/* Whoever decides, whichever listener takes it, however it was cut. */
static void lines_are_few(void)
{
	says(LISTENING(L2, RULED("ports: [tcp/22], action: allow")), LISTENING(L2, RULED("ports: [tcp], action: allow")),
	     "allowed any -> any tcp/0-21,tcp/23-65535,tcp later fragments");
	says(LISTENING(L2, RULED("ports: [tcp/22], action: allow")),
	     LISTENING(L2, RULED("action: allow")), "allowed any -> any any but tcp/22");
	says(RULE("ports: [tcp/22], match: {tcp-flags: [syn, ack]}, action: allow"),
	     RULE("ports: [tcp/22], action: allow"), "allowed any -> any tcp/22");
	says(LISTENING(L2, RULED("ports: [tcp/22], match: {tcp-flags: [syn, ack]}, action: allow")),
	     LISTENING(L2, RULED("ports: [tcp/22], action: allow")), "allowed any -> any tcp/22 flags any but syn,ack");
	says(HEAD RULES("  - {name: r, to: [10.0.0.0/24, \"2001:db8::/64\"], action: allow}\n", "r", ""),
	     HEAD RULES("  - {name: r, action: deny}\n", "r", ""),
	     "denied any -> 10.0.0.0/24, 2001:db8::/64 any");
}

static void a_refactoring_is_no_difference(void)
{
	struct pair pair;

	compare(&pair, HEAD RULES(BASE "  - {name: x, from: app, to: db, ports: [tcp/1-10], action: allow}\n", "web, x", ""),
		HEAD RULES("  - {name: w, to: app, ports: [tcp/443], action: allow}\n"
			   "  - {name: x1, from: app, to: db, ports: [tcp/1-4], action: allow}\n"
			   "  - {name: x2, from: app, to: 10.0.9.0/24, ports: [tcp/5-10], action: allow}\n",
			   "x2, w, x1", ""));
	CU_ASSERT(pair.diff.same);
	CU_ASSERT(pair.diff.equivalent);
	CU_ASSERT_FALSE(pair.diff.same_bytes);
	release(&pair);
	compare(&pair, HEAD RULES(BASE, "web", ""), "# a comment\n" HEAD RULES(BASE, "web", ""));
	CU_ASSERT(pair.diff.same_bytes);
	release(&pair);
	compare(&pair, HEAD RULES(BASE, "web", ", stateful: true"), HEAD RULES(BASE, "web", ", stateful: false"));
	CU_ASSERT_FALSE(pair.diff.same);
	release(&pair);
}

static void guards_and_logs_are_differences(void)
{
	static const char guard[] = "invariants:\n  - {name: i, never: {from: bad, ports: [tcp/22]}}\n";
	struct pair pair;
	char *with;

	CU_ASSERT_FATAL(asprintf(&with, "%s%s", HEAD RULES(BASE, "web", ""), guard) > 0);
	compare(&pair, with, HEAD RULES(BASE, "web", ""));
	CU_ASSERT(pair.diff.same);
	CU_ASSERT_FALSE(pair.diff.equivalent);
	release(&pair);
	free(with);
	compare(&pair, RULE("log: {sample: 1/10}, ports: [tcp/1], action: allow"),
		RULE("log: {sample: 1/20}, expires: 2036-01-31, ports: [tcp/1], action: allow"));
	CU_ASSERT_FALSE(pair.diff.same);
	CU_ASSERT_EQUAL(pair.diff.space_count, 0);
	CU_ASSERT_EQUAL_FATAL(pair.diff.changes.counts[GPC_CHANGE_RULE][GPC_CHANGE_CHANGED], 1);
	for (size_t i = 0; i < pair.diff.changes.count; i++)
		if (pair.diff.changes.items[i].object == GPC_CHANGE_RULE)
			CU_ASSERT_STRING_EQUAL(pair.diff.changes.items[i].text,
					       "log sample 1/10 -> 1/20, expires never -> 2036-02-01T00:00:00Z");
	release(&pair);
}

#define BACKEND(endpoints)                                                                         \
	HEAD "listeners:\n  - {name: http, address: 192.0.2.10, protocol: TCP, port: 80, forward: dsr, "    \
	     "backend: web}\nbackends:\n  - {name: web, endpoints: [" endpoints "]}\n"

#define LED(name, others)                                                                          \
	HEAD "listeners:\n  - {name: http, address: 192.0.2.10, protocol: TCP, port: 80, forward: dsr, "    \
	     "backend: " name "}\nbackends:\n" others
#define TWO(name) "  - {name: " name ", endpoints: [{name: a, address: 10.1.0.1}, {name: b, address: 10.1.0.2}]}\n"

static void another_backend_moves_all_slots(void)
{
	struct pair pair;

	compare(&pair, LED("web", TWO("web")), LED("www", TWO("www")));
	CU_ASSERT_EQUAL_FATAL(pair.diff.pool_count, 1);
	CU_ASSERT_STRING_EQUAL(pair.diff.pools[0].backend, "web -> www");
	CU_ASSERT_EQUAL(pair.diff.pools[0].moved, pair.diff.pools[0].size[1]);
	CU_ASSERT_EQUAL_FATAL(pair.diff.pools[0].share_count, 4);
	CU_ASSERT_STRING_EQUAL(pair.diff.pools[0].shares[0].name, "web/a");
	CU_ASSERT_STRING_EQUAL(pair.diff.pools[0].shares[3].name, "www/b");
	release(&pair);
}

static void slots_and_identity_are_told(void)
{
	struct pair pair;

	compare(&pair, BACKEND("{name: a, address: 10.1.0.1}, {name: b, address: 10.1.0.2}"),
		BACKEND("{name: a, address: 10.1.0.1}, {name: c, address: 10.1.0.2}"));
	CU_ASSERT_EQUAL_FATAL(pair.diff.pool_count, 1);
	CU_ASSERT(pair.diff.pools[0].moved >= pair.diff.pools[0].least);
	CU_ASSERT(pair.diff.pools[0].least >= pair.diff.pools[0].size[1] / 2 - 1);
	CU_ASSERT_EQUAL(pair.diff.pools[0].share_count, 3);
	CU_ASSERT_EQUAL_FATAL(pair.diff.warning_count, 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(pair.diff.warnings[0], "web/c is b under another name"));
	release(&pair);
	compare(&pair, BACKEND("{name: a, address: 10.1.0.1}"), BACKEND("{name: a, address: 10.1.0.2}"));
	CU_ASSERT_EQUAL(pair.diff.pool_count, 0);
	CU_ASSERT_FALSE(pair.diff.same);
	CU_ASSERT_EQUAL_FATAL(pair.diff.warning_count, 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(pair.diff.warnings[0], "another address under its old name"));
	release(&pair);
}

GPC_UNIT_MAIN("analyze/diff", {"spaces_are_named_by_segments", spaces_are_named_by_segments},
	      {"logs_and_answers_are_told", logs_and_answers_are_told},
	      {"what_opens_no_flow_is_told", what_opens_no_flow_is_told},
	      {"what_exceeds_a_rate_is_told", what_exceeds_a_rate_is_told},
	      {"devices_are_compared", devices_are_compared},
	      {"audit_is_told_by_place", audit_is_told_by_place},
	      {"moves_are_told_apart", moves_are_told_apart},
	      {"lines_are_few", lines_are_few},
	      {"guards_and_logs_are_differences", guards_and_logs_are_differences},
	      {"a_refactoring_is_no_difference", a_refactoring_is_no_difference},
	      {"another_backend_moves_all_slots", another_backend_moves_all_slots},
	      {"slots_and_identity_are_told", slots_and_identity_are_told})
