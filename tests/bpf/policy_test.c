// SPDX-License-Identifier: MIT
/* Policies in the kernel: the worked examples of SEMANTICS section 10 and the rows of 4.4, 5.4, 5.5. */
#include <string.h>
#include <time.h>

#include "policy_rig.h"
#include "tests/unit/unit.h"

#define HEAD                                                                                       \
	"apiVersion: gpc/v1\n"                                                                     \
	"kind: Plane\n"                                                                            \
	"metadata: {name: test}\n"
#define INTERFACES                                                                                 \
	"interfaces:\n"                                                                            \
	"  - {name: wan0, hooks: [xdp, tc-ingress, tc-egress]}\n"                                  \
	"  - {name: \"lan*\", hooks: [xdp, tc-egress]}\n"                                          \
	"  - {name: dmz0, hooks: [tc-ingress, tc-egress]}\n"

/* example.yaml without what later issues bring; `policies` follow. */
#define EXAMPLE(defaults, extra_rules, segmentation, extra_policies)                               \
	HEAD "defaults: {on-fail: pass" defaults "}\n" INTERFACES                                  \
	"segments:\n"                                                                              \
	"  - {name: internet, cidrs: [0.0.0.0/0, \"::/0\"], except: [office, app, db, edge]}\n"    \
	"  - {name: office, cidrs: [198.51.100.0/24, \"2001:db8:10::/48\"]}\n"                     \
	"  - {name: edge, cidrs: [203.0.113.2/32, 10.0.1.1/32]}\n"                                 \
	"  - {name: app, cidrs: [10.0.1.0/24], labels: {role: app}}\n"                             \
	"  - {name: db, cidrs: [10.0.9.0/28], labels: {role: db}}\n"                               \
	"backends:\n"                                                                              \
	"  - name: web\n"                                                                          \
	"    endpoints:\n"                                                                         \
	"      - {name: web-1, address: [10.0.1.11, \"2001:db8:1::11\"]}\n"                        \
	"      - {name: web-2, address: [10.0.1.12, \"2001:db8:1::12\"]}\n"                        \
	"listeners:\n"                                                                             \
	"  - {name: web-https, address: [203.0.113.10, \"2001:db8:ff::10\"], protocol: TCP,\n"     \
	"     port: 443, interfaces: [wan0], backend: web}\n"                                      \
	"rules:\n"                                                                                 \
	"  - {name: to-vips, to: {listeners: \"*\"}, action: allow}\n"                             \
	"  - {name: admin-ssh, from: office, to: app, ports: [tcp/22], action: allow, log: all}\n" \
	"  - {name: app-to-db, from: {labels: {role: app}}, to: {labels: {role: db}},\n"           \
	"     ports: [tcp/5432], action: allow}\n"                                                 \
	"  - {name: syn-limit, from: internet, to: {listeners: \"*\"}, match: {tcp-flags: syn},\n" \
	"     action: allow, rate: {limit: 1/m, burst: 1000, per: source-ip, entries: 4096,\n"     \
	"     exceed: deny}}\n"                                                                    \
	"  - {name: vendor-vpn, from: 192.0.2.7/32, to: app, ports: [tcp/8443], action: allow}\n"  \
	extra_rules                                                                                \
	"policies:\n"                                                                              \
	"  - {name: edge-in, interfaces: [wan0], direction: ingress, stateful: true,\n"            \
	"     default: deny, rules: [syn-limit, to-vips, admin-ssh, vendor-vpn]}\n"                \
	segmentation extra_policies                                                                \
	"protect:\n"                                                                               \
	"  - {name: mgmt, from: office, to: edge, ports: [tcp/22]}\n"

#define SEGMENTATION(mode, existing, rules)                                                        \
	"  - {name: segmentation, interfaces: [\"lan*\"], direction: ingress, stateful: true,\n"   \
	"     existing: " existing ", default: deny, mode: " mode ", rules: [" rules "]}\n"
#define BOTH_RULES "admin-ssh, app-to-db"

/* `pickup: never`, so that mid-stream is what it is after five minutes. */
static const char example[] =
	EXAMPLE(", pickup: never", "", SEGMENTATION("audit", "recheck", BOTH_RULES), "");
static const char enforced[] =
	EXAMPLE(", pickup: never", "", SEGMENTATION("enforce", "recheck", BOTH_RULES), "");

#define VIP "203.0.113.10"
#define VIP6 "2001:db8:ff::10"
#define HOST "203.0.113.2"

static bool steps(const char *name, const struct policy_step *rows, size_t count)
{
	bool ok = true;
	char label[128];

	for (size_t i = 0; i < count; i++) {
		snprintf(label, sizeof(label), "%s, step %zu", name, i + 1);
		ok &= policy_step(label, &rows[i]);
	}
	return ok;
}
#define STEPS(name, ...)                                                                           \
	CU_ASSERT(steps(name, (const struct policy_step[]){__VA_ARGS__},                           \
			sizeof((const struct policy_step[]){__VA_ARGS__}) /                        \
				sizeof(struct policy_step)))

/* Shorthands of rows. */
#define R(id) GPC_REASON_##id
#define TCP_FROM(a, ap, b, bp, f)                                                                  \
	{.from = a, .source_port = ap, .to = b, .port = bp, .flags = f}
#define UDP_FROM(a, ap, b, bp)                                                                     \
	{.from = a, .source_port = ap, .to = b, .port = bp, .protocol = UDP}

/* ---- section 10 ---- */

static void balanced_and_limited(void)
{
	struct policy_step syn = {IN, WAN, TCP_FROM("8.8.8.8", 40000, VIP, 443, SYN), FORWARD,
				  R(FORWARDED), "edge-in/syn-limit", NULL, 0};

	policy_use(example);
	policy_reset(3600);
	STEPS("1", {IN, WAN, TCP_FROM("8.8.8.8", 40000, VIP, 443, SYN), FORWARD, R(FORWARDED),
		    "edge-in/syn-limit", NULL, 0},
	      {IN, WAN, TCP_FROM("8.8.8.8", 40000, VIP, 443, SYN), FORWARD, R(FORWARDED), NULL,
	       NULL, 0},
	      {IN, WAN, TCP_FROM("8.8.8.8", 40000, VIP, 443, ACK), FORWARD, R(FORWARDED), NULL,
	       NULL, 0});
	STEPS("2", {IN, WAN, TCP_FROM("8.8.4.4", 40000, VIP, 443, ACK), FORWARD, R(FORWARDED),
		    "edge-in/to-vips", NULL, 0},
	      {IN, WAN, TCP_FROM("8.8.4.4", 40000, VIP, 443, ACK), FORWARD, R(FORWARDED), NULL,
	       NULL, 0});
	STEPS("4", {IN, WAN, TCP_FROM("8.8.8.8", 40000, VIP, 80, SYN), DROP, R(POLICY),
		    "edge-in/default", NULL, 0});
	policy_reset(3600);
	for (uint16_t i = 0; i < 1000; i++) {
		syn.frame.source_port = (uint16_t)(30000 + i);
		CU_ASSERT(policy_step("3", &syn));
	}
	syn.frame.source_port = 31000;
	syn.verdict = DROP;
	syn.reason = R(RATE);
	CU_ASSERT(policy_step("3, the last", &syn));
}

static void protect_and_expiring(void)
{
	policy_use(example);
	policy_reset(3600);
	STEPS("5", {IN, WAN, TCP_FROM("198.51.100.9", 40000, HOST, 22, SYN), PASS, R(NO_LISTENER),
		    "protect/mgmt", NULL, 0},
	      {IN, WAN, TCP_FROM("198.51.100.9", 40000, HOST, 22, ACK), PASS, R(NO_LISTENER),
	       "protect/mgmt", NULL, 0});
	CU_ASSERT_EQUAL(kernel_flow_count(policy_kernel(), false), 0);
	STEPS("7", {IN, WAN, TCP_FROM("192.0.2.7", 40000, "10.0.1.11", 8443, SYN), PASS,
		    R(NO_LISTENER), "edge-in/vendor-vpn", NULL, 0});
}

static void stateless_egress(void)
{
	policy_use(EXAMPLE(", pickup: never", "", SEGMENTATION("audit", "recheck", BOTH_RULES),
			   "  - {name: out, interfaces: [wan0], direction: egress, stateful: false,\n"
			   "     default: deny, rules: []}\n"));
	policy_reset(3600);
	STEPS("6", {OUT, WAN, TCP_FROM(HOST, 22, "198.51.100.9", 5000, ACK), PASS, R(COUNTED),
		    "protect/mgmt", NULL, 0},
	      {OUT, WAN, TCP_FROM(HOST, 80, "198.51.100.9", 5000, ACK), DROP, R(POLICY),
	       "out/default", NULL, 0});
}

static void replies(void)
{
	policy_use(example);
	for (unsigned int by = WAN; by <= LAN; by++) {
		policy_reset(3600);
		STEPS("8", {IN, WAN, TCP_FROM("198.18.0.1", 443, HOST, 40000, SYN | ACK), DROP,
			    R(MID_STREAM), "edge-in/default", NULL, 0},
		      {OUT, by, TCP_FROM(HOST, 40000, "198.18.0.1", 443, SYN), PASS, R(COUNTED),
		       NULL, NULL, 0},
		      {IN, WAN, TCP_FROM("198.18.0.1", 443, HOST, 40000, SYN | ACK), PASS,
		       R(NO_LISTENER), NULL, NULL, 0},
		      {IN, WAN, TCP_FROM("198.18.0.1", 443, HOST, 40001, SYN | ACK), DROP,
		       R(MID_STREAM), "edge-in/default", NULL, 0});
	}
}

static void fragments(void)
{
	policy_use(enforced);
	policy_reset(3600);
	STEPS("10", {IN, LAN, {.from = "10.0.1.5", .to = "10.0.9.3", .fragment = 0x0009, .id = 7},
		     DROP, R(POLICY), "segmentation/default", NULL, 0},
	      {IN, LAN,
	       {.from = "10.0.1.5", .to = "10.0.9.3", .port = 5432, .flags = SYN,
		.fragment = 0x2000, .id = 7},
	       PASS, R(NO_LISTENER), "segmentation/app-to-db", NULL, 0},
	      {IN, LAN, {.from = "10.0.1.5", .to = "10.0.9.3", .fragment = 0x0009, .id = 7}, PASS,
	       R(NO_LISTENER), NULL, NULL, 0},
	      {IN, LAN, {.from = "10.0.1.5", .to = "10.0.9.3", .fragment = 0x0009, .id = 8}, DROP,
	       R(POLICY), "segmentation/default", NULL, 0});
	STEPS("9", {IN, WAN,
		    {.from = "8.8.8.8", .to = VIP, .fragment = 0x0009, .id = 9},
		    FORWARD, R(FORWARDED), "edge-in/to-vips", NULL, 0});
}

static void audit_and_what_follows(void)
{
	const struct policy_step flow = {IN, LAN, TCP_FROM("10.0.5.5", 40000, "10.0.9.3", 5432, SYN),
					 PASS, R(NO_LISTENER), "segmentation/default",
					 "segmentation/default", 0};

	for (unsigned int there = 0; there < 2; there++) {
		policy_use(example);
		policy_reset(3600);
		CU_ASSERT(policy_step("11", &flow));
		STEPS("11", {IN, LAN, TCP_FROM("10.0.5.5", 40000, "10.0.9.3", 5432, ACK), PASS,
			     R(NO_LISTENER), NULL, NULL, 0},
		      {IN, LAN, TCP_FROM("10.0.9.3", 5432, "10.0.5.5", 40000, ACK), PASS,
		       R(NO_LISTENER), NULL, NULL, 0});
		policy_use(EXAMPLE(", pickup: never", "",
				   SEGMENTATION("enforce", "keep", BOTH_RULES), ""));
		if (there)
			STEPS("12", {IN, LAN, TCP_FROM("10.0.5.5", 40000, "10.0.9.3", 5432, ACK),
				     DROP, R(REVOKED), NULL, NULL, 0});
		STEPS("12", {IN, LAN, TCP_FROM("10.0.9.3", 5432, "10.0.5.5", 40000, ACK), DROP,
			     R(REVOKED), NULL, NULL, 0},
		      {IN, LAN, TCP_FROM("10.0.5.5", 40000, "10.0.9.3", 5432, ACK), DROP,
		       R(REVOKED), NULL, NULL, 0},
		      {OUT, LAN, TCP_FROM("10.0.9.3", 5432, "10.0.5.5", 40000, ACK), DROP,
		       R(REVOKED), NULL, NULL, 0},
		      {IN, LAN, TCP_FROM("10.0.5.5", 40000, "10.0.9.3", 5432, SYN), DROP,
		       R(REVOKED), "segmentation/default", NULL, 0});
	}
}

static void recheck_and_keep(void)
{
	const struct policy_step open = {IN, LAN, TCP_FROM("10.0.1.5", 40000, "10.0.9.3", 5432, SYN),
					 PASS, R(NO_LISTENER), "segmentation/app-to-db", NULL, 0};
	const struct policy_step back = {IN, LAN, TCP_FROM("10.0.9.3", 5432, "10.0.1.5", 40000, ACK),
					 PASS, R(NO_LISTENER), NULL, NULL, 0};
	struct policy_step revoked = back;

	revoked.verdict = DROP;
	revoked.reason = R(REVOKED);
	policy_use(enforced);
	policy_reset(3600);
	CU_ASSERT(policy_step("13, opens", &open));
	CU_ASSERT(policy_step("13, answer", &back));
	policy_use(EXAMPLE(", pickup: never", "", SEGMENTATION("enforce", "recheck", "admin-ssh"),
			   ""));
	CU_ASSERT(policy_step("13, recheck", &revoked));
	CU_ASSERT(policy_step("13, still revoked", &revoked));
	/* Another stamp: the rule is back. */
	policy_use(enforced);
	CU_ASSERT(policy_step("13, allowed again", &back));
	/* Keep. */
	policy_use(EXAMPLE(", pickup: never", "", SEGMENTATION("enforce", "keep", BOTH_RULES), ""));
	policy_reset(3600);
	CU_ASSERT(policy_step("13, keep", &open));
	policy_use(EXAMPLE(", pickup: never", "", SEGMENTATION("enforce", "keep", "admin-ssh"), ""));
	CU_ASSERT(policy_step("13, kept", &back));
	CU_ASSERT(policy_step("13, kept still", &back));
	STEPS("13, but a new one is not let in",
	      {IN, LAN, TCP_FROM("10.0.1.5", 40001, "10.0.9.3", 5432, SYN), DROP, R(POLICY),
	       "segmentation/default", NULL, 0});
	/* The chain is gone: nobody asks. */
	policy_use(EXAMPLE(", pickup: never", "", "", ""));
	CU_ASSERT(policy_step("13, no chain", &back));
}

static void chains_of_several(void)
{
#define TWO(fallback)                                                                              \
	HEAD INTERFACES                                                                            \
	"rules:\n  - {name: every, action: allow}\n  - {name: some, from: 10.9.9.9/32, action: deny}\n" \
	"policies:\n"                                                                              \
	"  - {name: a, interfaces: [\"lan*\"], direction: ingress, stateful: false, priority: 1,\n" \
	"     mode: audit, rules: [every]}\n"                                                        \
	"  - {name: b, interfaces: [\"lan*\"], direction: ingress, stateful: false, priority: 2,\n" \
	"     default: " fallback ", rules: [some]}\n"
	policy_use(TWO("deny"));
	policy_reset(3600);
	STEPS("14", {IN, LAN, TCP_FROM("10.1.1.1", 1, "10.2.2.2", 2, SYN), DROP, R(POLICY),
		     "a/every b/default", NULL, 0},
	      {IN, DMZ, TCP_FROM("10.1.1.1", 1, "10.2.2.2", 2, SYN), PASS, R(NO_LISTENER), NULL,
	       NULL, 0});
	policy_use(TWO("pass"));
	STEPS("14, default pass", {IN, LAN, TCP_FROM("10.1.1.1", 1, "10.2.2.2", 2, SYN), PASS,
				   R(NO_LISTENER), "a/every", NULL, 0});
}

static void logs_and_marks(void)
{
	const char *plane =
		HEAD INTERFACES
		"rules:\n"
		"  - {name: log-all, action: log, log: all}\n"
		"  - {name: m7, action: mark, mark: 7, ports: [tcp/80]}\n"
		"  - {name: m9, action: mark, mark: 9}\n"
		"  - {name: ok, action: allow}\n"
		"policies:\n"
		"  - {name: p, interfaces: [wan0], direction: ingress, stateful: true, rules: [log-all, m7, m9, ok]}\n"
		"  - {name: q, interfaces: [dmz0], direction: egress, stateful: true, rules: [m9, ok]}\n";

	policy_use(plane);
	policy_reset(3600);
	STEPS("15", {IN, WAN, TCP_FROM("10.1.1.1", 1, "10.2.2.2", 80, SYN), PASS, R(NO_LISTENER),
		     "p/log-all p/m7 p/ok", NULL, 7});
	STEPS("15, kept for the flow", {IN, WAN, TCP_FROM("10.1.1.1", 1, "10.2.2.2", 80, ACK), PASS,
					R(NO_LISTENER), NULL, NULL, 7},
	      {IN, WAN, TCP_FROM("10.2.2.2", 80, "10.1.1.1", 1, ACK), PASS, R(NO_LISTENER), NULL,
	       NULL, 0});
}

static void mid_stream_default(void)
{
	policy_use(HEAD "defaults: {pickup: never}\n" INTERFACES
			"rules:\n  - {name: dns, ports: [udp/53], action: deny}\n"
			"policies:\n"
			"  - {name: p, interfaces: [dmz0], direction: ingress, default: allow, rules: [dns]}\n");
	policy_reset(3600);
	STEPS("16", {TC_IN, DMZ, TCP_FROM("10.1.1.1", 1, "10.2.2.2", 2, ACK), PASS, R(COUNTED),
		     "p/default", NULL, 0},
	      {TC_IN, DMZ, UDP_FROM("10.1.1.1", 1, "10.2.2.2", 53), DROP, R(POLICY), "p/dns", NULL,
	       0});
	CU_ASSERT_EQUAL(kernel_flow_count(policy_kernel(), false), 0);
}

static void icmp_errors(void)
{
	static const struct frame_spec answer = TCP_FROM(VIP, 443, "8.8.8.8", 40000, ACK),
				       stray = TCP_FROM("203.0.113.99", 1, "8.8.8.8", 2, ACK),
				       own = TCP_FROM(HOST, 40000, "198.18.0.1", 443, SYN),
				       ssh = TCP_FROM(HOST, 22, "198.51.100.9", 5000, ACK);
#define ERROR(dst, q) {.from = "9.9.9.9", .to = dst, .protocol = ICMP, .icmp = 0x0304, .quote = q}

	policy_use(example);
	policy_reset(3600);
	STEPS("20, without an entry", {IN, WAN, ERROR(VIP, &answer), FORWARD, R(FORWARDED),
				       "builtin/icmp-error", NULL, 0},
	      {IN, WAN, ERROR("203.0.113.99", &stray), DROP, R(POLICY), "edge-in/default", NULL, 0},
	      {IN, WAN, ERROR("203.0.113.98", &answer), DROP, R(POLICY), "edge-in/default", NULL,
	       0});
	STEPS("20, of what the host opened",
	      {IN, WAN, ERROR(HOST, &own), DROP, R(POLICY), "edge-in/default", NULL, 0},
	      {OUT, WAN, TCP_FROM(HOST, 40000, "198.18.0.1", 443, SYN), PASS, R(COUNTED), NULL, NULL,
	       0},
	      {IN, WAN, ERROR(HOST, &own), PASS, R(BUILTIN), "builtin/icmp-error", NULL, 0});
	STEPS("20, of what protect holds",
	      {IN, WAN, ERROR(HOST, &ssh), PASS, R(BUILTIN), "builtin/icmp-error", NULL, 0});
	policy_use(EXAMPLE(", pickup: never, builtin: {icmp-error: rules}", "",
			   SEGMENTATION("audit", "recheck", BOTH_RULES), ""));
	STEPS("20, by rules", {IN, WAN, ERROR(HOST, &own), DROP, R(POLICY), "edge-in/default", NULL,
			       0});
	STEPS("20, by rules, to a listener",
	      {IN, WAN, ERROR(VIP, &answer), DROP, R(POLICY), "edge-in/default", NULL, 0});
	/* What they let through goes to the flow's endpoint. */
	policy_use(EXAMPLE(", pickup: never, builtin: {icmp-error: rules}",
			   "  - {name: unreachable, ports: [icmp/destination-unreachable], action: allow}\n",
			   SEGMENTATION("audit", "recheck", BOTH_RULES),
			   "  - {name: errors, interfaces: [wan0], direction: ingress, stateful: true,\n"
			   "     priority: 50, default: pass, rules: [unreachable]}\n"));
	STEPS("20, let through by rules",
	      {IN, WAN, ERROR(VIP, &answer), FORWARD, R(FORWARDED), "errors/unreachable", NULL, 0},
	      {IN, WAN, ERROR(HOST, &own), PASS, R(NO_LISTENER), "errors/unreachable", NULL, 0},
	      {IN, WAN, ERROR("203.0.113.98", &answer), PASS, R(NO_LISTENER), "errors/unreachable",
	       NULL, 0});
	policy_use(EXAMPLE(", pickup: never, builtin: {icmp-error: deny}", "",
			   SEGMENTATION("audit", "recheck", BOTH_RULES), ""));
	STEPS("20, denied", {IN, WAN, ERROR(HOST, &own), DROP, R(BUILTIN), "builtin/icmp-error", NULL,
			     0});
}

static void shapes(void)
{
	policy_use(example);
	policy_reset(3600);
	STEPS("24",
	      {IN, WAN,
	       {.from = "2001:db8:1::1", .to = VIP6, .port = 443, .flags = SYN,
		.extensions = {HOP_BY_HOP, DESTINATION}},
	       FORWARD, R(FORWARDED), "edge-in/syn-limit", NULL, 0},
	      {IN, WAN,
	       {.from = "2001:db8:1::1", .to = VIP6, .port = 443, .flags = SYN,
		.extensions = {DESTINATION, DESTINATION, DESTINATION, DESTINATION, DESTINATION,
			       DESTINATION, DESTINATION}},
	       DROP, R(MALFORMED_EXTENSION), NULL, NULL, 0},
	      {IN, WAN, {.to = VIP, .fragment = 0x2001}, DROP, R(MALFORMED_FRAGMENT), NULL, NULL, 0},
	      {IN, WAN, {.to = VIP, .tags = 3}, PASS, R(NON_IP), NULL, NULL, 0},
	      {IN, WAN, {.to = "192.0.2.1", .data_offset = 4}, DROP, R(MALFORMED_TCP), NULL, NULL,
	       0},
	      {IN, DMZ, {.to = "192.0.2.1", .data_offset = 4}, PASS, R(MALFORMED_TCP), NULL, NULL,
	       0});
}

/* Who was picked up in mid-stream, as if this host had opened the flow, does not open it so. */
static void no_way_in_by_pickup(void)
{
	policy_use(EXAMPLE("", "", SEGMENTATION("enforce", "recheck", BOTH_RULES), ""));
	policy_reset(10);
	STEPS("pickup", {IN, WAN, TCP_FROM("8.8.8.8", 40000, HOST, 80, ACK), PASS, R(NO_LISTENER),
			 NULL, NULL, 0},
	      {IN, WAN, TCP_FROM("8.8.8.8", 40000, HOST, 80, SYN), DROP, R(POLICY),
	       "edge-in/default", NULL, 0},
	      {IN, WAN, TCP_FROM("8.8.8.8", 40000, HOST, 80, ACK), PASS, R(NO_LISTENER), NULL, NULL,
	       0});
}

static void answers_through_this_host(void)
{
	policy_use(enforced);
	policy_reset(3600);
	STEPS("26", {IN, LAN, TCP_FROM(VIP, 443, "8.8.8.8", 40000, SYN | ACK), DROP, R(MID_STREAM),
		     "segmentation/default", NULL, 0},
	      {IN, WAN, TCP_FROM("8.8.8.8", 40000, VIP, 443, SYN), FORWARD, R(FORWARDED),
	       "edge-in/syn-limit", NULL, 0},
	      {IN, LAN, TCP_FROM(VIP, 443, "8.8.8.8", 40000, SYN | ACK), PASS, R(NO_LISTENER), NULL,
	       NULL, 0});
}

static void start(void)
{
	policy_start();
}

static void stop(void)
{
	policy_stop();
}

GPC_UNIT_MAIN("bpf/policy", {"start", start}, {"balanced_and_limited", balanced_and_limited},
	      {"protect_and_expiring", protect_and_expiring},
	      {"stateless_egress", stateless_egress}, {"replies", replies},
	      {"fragments", fragments}, {"audit_and_what_follows", audit_and_what_follows},
	      {"recheck_and_keep", recheck_and_keep}, {"chains_of_several", chains_of_several},
	      {"logs_and_marks", logs_and_marks}, {"mid_stream_default", mid_stream_default},
	      {"icmp_errors", icmp_errors}, {"shapes", shapes},
	      {"no_way_in_by_pickup", no_way_in_by_pickup},
	      {"answers_through_this_host", answers_through_this_host}, {"stop", stop})
