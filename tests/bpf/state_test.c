// SPDX-License-Identifier: MIT
/* State of policies in the kernel: each row of SEMANTICS 5.4, 5.5, 6.5, built-ins, answers. */
#include <linux/bpf.h>
#include <sched.h>
#include <string.h>
#include <time.h>

#include "gpc/image.h"
#include "policy_rig.h"
#include "tests/unit/unit.h"

#define HEAD                                                                                       \
	"apiVersion: gpc/v1\n"                                                                     \
	"kind: Plane\n"                                                                            \
	"metadata: {name: test}\n"                                                                 \
	"interfaces:\n"                                                                            \
	"  - {name: wan0, hooks: [xdp, tc-ingress, tc-egress]}\n"                                  \
	"  - {name: \"lan*\", hooks: [xdp, tc-egress]}\n"                                          \
	"  - {name: dmz0, hooks: [tc-ingress, tc-egress]}\n"                                       \
	"rules:\n"                                                                                 \
	"  - {name: web, to: 10.0.0.0/8, ports: [tcp/80, udp/53, sctp/9, icmp/echo-request,\n"     \
	"     icmp6/echo-request, proto/gre], action: allow}\n"                                    \
	"  - {name: web6, to: \"2001:db8:9::/48\", ports: [tcp/80], action: allow}\n"              \
	"  - {name: no, to: 10.66.0.0/16, ports: [tcp, udp], action: reject}\n"                    \
	"  - {name: out, to: 192.0.2.0/24, action: allow}\n"

#define POLICY(name, on, direction, rest)                                                          \
	"  - {name: " name ", interfaces: [\"" on "\"], direction: " direction ", " rest "}\n"

/* One stateful chain on wan0, ingress. */
#define ONE(defaults, rest)                                                                        \
	HEAD "defaults: {on-fail: pass, " defaults "}\n"                                           \
	     "policies:\n" POLICY("p", "wan0", "ingress", "rules: [no, web, web6]" rest)

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
#define R(id) GPC_REASON_##id

#define A "198.51.100.1"
#define B "10.0.0.1"
/* From A to B, back; with ports 40000 and 80. */
#define THERE(f) {.from = A, .source_port = 40000, .to = B, .port = 80, .flags = f}
#define BACK(f) {.from = B, .source_port = 80, .to = A, .port = 40000, .flags = f}
#define UDP_THERE {.from = A, .source_port = 40000, .to = B, .port = 53, .protocol = UDP}
#define UDP_BACK {.from = B, .source_port = 53, .to = A, .port = 40000, .protocol = UDP}

#define ASKED(f) {IN, WAN, THERE(f), PASS, R(NO_LISTENER), "p/web", NULL, 0}
#define KNOWN(f) {IN, WAN, THERE(f), PASS, R(NO_LISTENER), NULL, NULL, 0}
#define REPLIES(f) {OUT, WAN, BACK(f), PASS, R(COUNTED), NULL, NULL, 0}
#define DENIED(f, why) {IN, WAN, THERE(f), DROP, R(why), "p/default", NULL, 0}

/* ---- the one entry ---- */

static struct gpc_flow entry;
static unsigned int seen;
static uint8_t state;
static uint32_t idle;

static bool read_entry(struct gpc_flow *flow)
{
	entry = *flow;
	seen++;
	return false;
}

static bool change_entry(struct gpc_flow *flow)
{
	if (state != 0xff)
		flow->state = state;
	flow->last_seen -= idle;
	return true;
}

/* State of the only entry; 0xff if there is none or more than one. */
static uint8_t state_now(void)
{
	seen = 0;
	kernel_each_flow(policy_kernel(), false, read_entry);
	return seen == 1 ? entry.state : 0xff;
}

static void make_idle(uint8_t new_state, uint32_t seconds)
{
	state = new_state;
	idle = (uint32_t)((uint64_t)seconds * 1000000000ull >> 30);
	kernel_each_flow(policy_kernel(), false, change_entry);
}

static void fresh(const char *yaml)
{
	policy_use(yaml);
	policy_reset(3600);
}

/* ---- TCP ---- */

static void tcp_both_sides(void)
{
	fresh(ONE("pickup: never", ""));
	STEPS("opens", DENIED(ACK, MID_STREAM), ASKED(SYN), KNOWN(SYN), KNOWN(ACK));
	CU_ASSERT_EQUAL(state_now(), GPC_FLOW_SYN);
	STEPS("answer", REPLIES(SYN | ACK));
	CU_ASSERT_EQUAL(state_now(), GPC_FLOW_ESTABLISHED);
	STEPS("goes on", KNOWN(ACK), REPLIES(ACK), KNOWN(SYN));
	CU_ASSERT_EQUAL(state_now(), GPC_FLOW_ESTABLISHED);
	STEPS("closes", REPLIES(FIN | ACK), KNOWN(ACK));
	CU_ASSERT_EQUAL(state_now(), GPC_FLOW_CLOSING);
	STEPS("anew", ASKED(SYN));
	CU_ASSERT_EQUAL(state_now(), GPC_FLOW_SYN);
	STEPS("reset", REPLIES(RST | ACK), KNOWN(ACK));
	CU_ASSERT_EQUAL(state_now(), GPC_FLOW_CLOSED);
	STEPS("anew after a reset", ASKED(SYN));
	/* Both open at once: a reply, and after it they answer each other. */
	STEPS("simultaneous", REPLIES(SYN));
	CU_ASSERT_EQUAL(state_now(), GPC_FLOW_SYN);
	STEPS("answers", REPLIES(SYN | ACK));
	CU_ASSERT_EQUAL(state_now(), GPC_FLOW_ESTABLISHED);
	CU_ASSERT_EQUAL(entry.tcp_flags, 1);
}

static void what_a_syn_is(void)
{
	static const uint8_t no[] = {SYN | ACK, SYN | FIN, SYN | RST, FIN, RST, ACK, RST | ACK};

	fresh(ONE("pickup: never", ""));
	for (size_t i = 0; i < sizeof(no); i++)
		STEPS("opens not", DENIED(no[i], MID_STREAM));
	CU_ASSERT_EQUAL(kernel_flow_count(policy_kernel(), false), 0);
	STEPS("opens", ASKED(SYN | PSH));
}

static void timeouts(void)
{
	static const struct {
		uint8_t state;
		uint32_t seconds;
	} rows[] = {{GPC_FLOW_SYN, 60},
		    {GPC_FLOW_ESTABLISHED, 7440},
		    {GPC_FLOW_CLOSING, 120},
		    {GPC_FLOW_CLOSED, 10}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		fresh(ONE("pickup: never", ""));
		STEPS("opens", ASKED(SYN));
		make_idle(rows[i].state, rows[i].seconds);
		STEPS("lives", KNOWN(ACK));
		make_idle(rows[i].state, rows[i].seconds + 5);
		STEPS("is over", DENIED(ACK, MID_STREAM));
		STEPS("opens again", ASKED(SYN));
	}
}

/* ---- other protocols ---- */

static void others(void)
{
	fresh(ONE("pickup: never", ""));
	STEPS("udp", {IN, WAN, UDP_THERE, PASS, R(NO_LISTENER), "p/web", NULL, 0},
	      {IN, WAN, UDP_THERE, PASS, R(NO_LISTENER), NULL, NULL, 0});
	CU_ASSERT_EQUAL(state_now(), GPC_FLOW_UDP_NEW);
	STEPS("udp, answered", {OUT, WAN, UDP_BACK, PASS, R(COUNTED), NULL, NULL, 0});
	CU_ASSERT_EQUAL(state_now(), GPC_FLOW_UDP);
	policy_reset(3600);
	STEPS("echo",
	      {IN, WAN, {.from = A, .to = B, .protocol = ICMP}, PASS, R(NO_LISTENER), "p/web", NULL, 0},
	      {IN, WAN, {.from = A, .to = B, .protocol = ICMP}, PASS, R(NO_LISTENER), NULL, NULL, 0},
	      {OUT, WAN, {.from = B, .to = A, .protocol = ICMP, .icmp = 0x0001}, PASS, R(COUNTED),
	       NULL, NULL, 0});
	CU_ASSERT_EQUAL(state_now(), GPC_FLOW_ICMP);
	STEPS("echo reply of nobody", {IN, WAN, {.from = "198.51.100.2", .to = B, .protocol = ICMP,
						 .icmp = 0x0001},
				       DROP, R(POLICY), "p/default", NULL, 0});
	policy_reset(3600);
	STEPS("gre", {IN, WAN, {.from = A, .to = B, .protocol = GRE}, PASS, R(NO_LISTENER), "p/web",
		      NULL, 0},
	      {IN, WAN, {.from = A, .to = B, .protocol = GRE}, PASS, R(NO_LISTENER), NULL, NULL, 0});
	CU_ASSERT_EQUAL(state_now(), GPC_FLOW_OTHER);
	policy_reset(3600);
	STEPS("icmp that is no echo", {IN, WAN, {.from = A, .to = B, .protocol = ICMP, .icmp = 0x0d00},
				       DROP, R(POLICY), "p/default", NULL, 0});
	STEPS("replies to what the host asked",
	      {OUT, DMZ, UDP_BACK, PASS, R(COUNTED), NULL, NULL, 0},
	      {IN, WAN, UDP_THERE, PASS, R(NO_LISTENER), NULL, NULL, 0});
	CU_ASSERT_EQUAL(state_now(), GPC_FLOW_UDP);
	policy_reset(3600);
	STEPS("multicast makes no entry",
	      {OUT, DMZ, {.from = B, .to = "224.0.0.5", .protocol = UDP}, PASS, R(COUNTED), NULL,
	       NULL, 0});
	CU_ASSERT_EQUAL(kernel_flow_count(policy_kernel(), false), 0);
}

/* ---- mid-stream ---- */

static void mid_stream(void)
{
	fresh(ONE("pickup: never", ", mid-stream: allow"));
	STEPS("allow", ASKED(ACK), KNOWN(ACK), REPLIES(ACK));
	CU_ASSERT_EQUAL(state_now(), GPC_FLOW_ESTABLISHED);
	fresh(ONE("pickup: never", ", mode: audit"));
	STEPS("audit", ASKED(ACK), KNOWN(ACK));
	CU_ASSERT_EQUAL(state_now(), GPC_FLOW_ESTABLISHED);
	policy_reset(3600);
	STEPS("audit, not allowed",
	      {IN, WAN, {.from = A, .to = "192.0.2.1", .flags = ACK}, PASS, R(NO_LISTENER), "p/default",
	       "p/default", 0},
	      {IN, WAN, {.from = A, .to = "192.0.2.1", .flags = ACK}, PASS, R(NO_LISTENER), NULL, NULL,
	       0});
	CU_ASSERT_EQUAL(state_now(), GPC_FLOW_ESTABLISHED | GPC_FLOW_WOULD_DENY);
	fresh(ONE("pickup: never", ", default: allow"));
	STEPS("default allow", {IN, WAN, THERE(ACK), PASS, R(NO_LISTENER), "p/default", NULL, 0});
	CU_ASSERT_EQUAL(kernel_flow_count(policy_kernel(), false), 0);
	STEPS("a rule that rejects", {IN, WAN, {.from = A, .to = "10.66.0.1", .flags = ACK}, REJECT,
				      R(MID_STREAM), "p/no", NULL, 0});
}

/* Chains of both directions: what neither would have let open is not picked up. */
#define CLOSED_BOTH                                                                                \
	HEAD "defaults: {on-fail: pass, pickup: 5m}\n"                                             \
	     "policies:\n" POLICY("p", "wan0", "ingress", "rules: [no, web, web6]")                \
	     POLICY("q", "wan0", "egress", "rules: [out]")

static void pickup(void)
{
	const struct policy_step of_host = {IN, WAN, {.from = "192.0.2.1", .source_port = 443, .to = B,
						       .port = 50000, .flags = ACK},
					    PASS, R(NO_LISTENER), NULL, NULL, 0};

	policy_use(CLOSED_BOTH);
	policy_reset(10);
	STEPS("in its own direction", KNOWN(ACK));
	CU_ASSERT_EQUAL(state_now(), GPC_FLOW_ESTABLISHED);
	CU_ASSERT_EQUAL(entry.tcp_flags, 1);
	STEPS("its other side", REPLIES(ACK));
	policy_reset(10);
	CU_ASSERT(policy_step("in the other direction", &of_host));
	CU_ASSERT_EQUAL(state_now(), GPC_FLOW_ESTABLISHED);
	CU_ASSERT(entry.chain[GPC_EGRESS] != 0 && entry.chain[GPC_INGRESS] == 0);
	CU_ASSERT(policy_step("again", &of_host));
	STEPS("in neither", {IN, WAN, {.from = A, .to = B, .port = 81, .flags = ACK}, DROP,
			     R(MID_STREAM), "p/default", NULL, 0});
	policy_reset(301);
	STEPS("too late", DENIED(ACK, MID_STREAM));
	/* Behind a chain for one direction anything may be a flow of the host, but none opens that way. */
	policy_use(ONE("pickup: 5m", ""));
	policy_reset(10);
	CU_ASSERT(policy_step("as a flow of the host", &of_host));
	STEPS("opens nothing", {IN, WAN, {.from = "192.0.2.1", .source_port = 443, .to = B, .port = 50000,
					  .flags = SYN},
				DROP, R(POLICY), "p/default", NULL, 0});
	CU_ASSERT(policy_step("which lives on", &of_host));
	fresh(ONE("pickup: always", ""));
	STEPS("always", KNOWN(ACK));
	CU_ASSERT_EQUAL(state_now(), GPC_FLOW_ESTABLISHED);
}

/* ---- chains on the way ---- */

static void asked_where_it_leaves(void)
{
	const char *plane = HEAD "defaults: {on-fail: pass, pickup: never}\n"
				 "policies:\n" POLICY("p", "wan0", "ingress", "rules: [web]")
				 POLICY("q", "dmz0", "egress", "rules: [no, web]");

	fresh(plane);
	STEPS("routed on", ASKED(SYN),
	      {OUT, DMZ, THERE(SYN), PASS, R(COUNTED), "q/web", NULL, 0},
	      {OUT, DMZ, THERE(ACK), PASS, R(COUNTED), NULL, NULL, 0},
	      {IN, DMZ, BACK(SYN | ACK), PASS, R(NO_LISTENER), NULL, NULL, 0},
	      {TC_IN, DMZ, BACK(ACK), PASS, R(COUNTED), NULL, NULL, 0});
	policy_reset(3600);
	STEPS("asked late as for its first packet", ASKED(SYN),
	      {OUT, DMZ, THERE(ACK), PASS, R(COUNTED), "q/web", NULL, 0},
	      {OUT, DMZ, THERE(ACK), PASS, R(COUNTED), NULL, NULL, 0});
	STEPS("denied where it leaves",
	      {IN, WAN, {.from = A, .to = "10.66.0.1", .flags = SYN}, PASS, R(NO_LISTENER), "p/web",
	       NULL, 0},
	      {OUT, DMZ, {.from = A, .to = "10.66.0.1", .flags = SYN}, REJECT, R(POLICY), "q/no", NULL,
	       0},
	      {OUT, DMZ, {.from = A, .to = "10.66.0.1", .flags = ACK}, REJECT, R(POLICY), "q/no", NULL,
	       0});
}

/* ---- revoked flows ---- */

static void revoked(void)
{
	const char *open = ONE("pickup: never", ""),
		   *shut = HEAD "defaults: {on-fail: pass, pickup: never}\n"
				"policies:\n" POLICY("p", "wan0", "ingress", "rules: [web6]"),
		   *rejecting = HEAD
		"defaults: {on-fail: pass, pickup: never}\n"
		"policies:\n" POLICY("p", "wan0", "ingress", "default: reject, rules: [web6]");

	fresh(open);
	STEPS("opens", ASKED(SYN), REPLIES(SYN | ACK));
	policy_use(shut);
	STEPS("both directions", {OUT, WAN, BACK(ACK), DROP, R(REVOKED), NULL, NULL, 0},
	      {IN, WAN, THERE(ACK), DROP, R(REVOKED), NULL, NULL, 0},
	      {IN, WAN, THERE(SYN), DROP, R(REVOKED), "p/default", NULL, 0},
	      {OUT, WAN, BACK(SYN), DROP, R(REVOKED), NULL, NULL, 0});
	make_idle(0xff, 50);
	STEPS("not yet unknown", {IN, WAN, THERE(ACK), DROP, R(REVOKED), NULL, NULL, 0});
	make_idle(0xff, 65);
	STEPS("unknown", DENIED(ACK, MID_STREAM));
	STEPS("the host opens one itself", {OUT, WAN, BACK(SYN), PASS, R(COUNTED), NULL, NULL, 0},
	      {IN, WAN, THERE(SYN | ACK), PASS, R(NO_LISTENER), NULL, NULL, 0});
	/* UDP: the other end's next packet opens nothing. */
	fresh(open);
	STEPS("udp opens", {IN, WAN, UDP_THERE, PASS, R(NO_LISTENER), "p/web", NULL, 0});
	policy_use(shut);
	STEPS("udp", {OUT, WAN, UDP_BACK, DROP, R(REVOKED), NULL, NULL, 0},
	      {IN, WAN, UDP_THERE, DROP, R(REVOKED), "p/default", NULL, 0});
	policy_use(open);
	STEPS("udp, allowed again", {IN, WAN, UDP_THERE, PASS, R(NO_LISTENER), NULL, NULL, 0});
	fresh(open);
	STEPS("opens", ASKED(SYN));
	policy_use(rejecting);
	STEPS("rejected", {IN, WAN, THERE(ACK), REJECT, R(REVOKED), NULL, NULL, 0});
}

/* An opening packet that the rules allow begins a new flow, even while the old one is revoked. */
static void reopened(void)
{
	fresh(ONE("pickup: never", ""));
	STEPS("opens", ASKED(SYN));
	make_idle(GPC_FLOW_ESTABLISHED | GPC_FLOW_REVOKED, 0);
	STEPS("reopens", {IN, WAN, THERE(ACK), DROP, R(REVOKED), NULL, NULL, 0}, ASKED(SYN),
	      KNOWN(ACK));
	CU_ASSERT_EQUAL(state_now(), GPC_FLOW_SYN);
}

/* ---- audit by the control word ---- */

static void audit_of_all(void)
{
	fresh(ONE("pickup: never", ""));
	policy_control(GPC_CTL_AUDIT);
	STEPS("audit", {IN, WAN, {.from = A, .to = B, .port = 81, .flags = SYN}, PASS, R(NO_LISTENER),
			"p/default", "p/default", 0},
	      {IN, WAN, {.from = A, .to = B, .port = 81, .flags = ACK}, PASS, R(NO_LISTENER), NULL, NULL,
	       0},
	      {IN, WAN, {.from = A, .to = B, .data_offset = 4}, PASS, R(MALFORMED_TCP), NULL, NULL, 0});
	CU_ASSERT(state_now() & GPC_FLOW_WOULD_DENY);
	policy_control(0);
	STEPS("enforced", {IN, WAN, {.from = A, .to = B, .port = 81, .flags = ACK}, DROP, R(REVOKED),
			   NULL, NULL, 0},
	      {IN, WAN, {.from = A, .to = B, .data_offset = 4}, DROP, R(MALFORMED_TCP), NULL, NULL, 0});
}

/* ---- built-ins ---- */

#define ND(type, from_, hops_)                                                                     \
	{.from = from_, .to = "2001:db8:9::1", .protocol = ICMP6, .icmp = (type) << 8, .hops = hops_}

static void builtins(void)
{
	static const struct {
		uint8_t type;
		const char *from;
		uint8_t hops;
		const char *rule;
	} rows[] = {
		{135, "2001:db8::1", 255, "builtin/nd"}, {136, "fe80::1", 255, "builtin/nd"},
		{135, "2001:db8::1", 254, NULL},	 {133, "::", 255, "builtin/ra"},
		{134, "fe80::1", 255, "builtin/ra"},	 {134, "2001:db8::1", 255, NULL},
		{134, "fe80::1", 64, NULL},		 {130, "fe80::1", 1, "builtin/mld"},
		{143, "::", 1, "builtin/mld"},		 {131, "2001:db8::1", 1, NULL},
		{137, "fe80::1", 255, NULL},
	};

	for (int deny = 0; deny < 3; deny++) {
		fresh(!deny ? ONE("pickup: never", "")
		      : deny == 1
			      ? ONE("pickup: never, builtin: {nd: deny, ra: deny, mld: deny, arp: deny}", "")
			      : ONE("pickup: never, builtin: {nd: rules, ra: rules, mld: rules}", ""));
		for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
			bool held = rows[i].rule && deny < 2;
			struct policy_step step = {IN, WAN, ND(rows[i].type, rows[i].from, rows[i].hops),
						   held && !deny ? PASS : DROP,
						   held ? R(BUILTIN) : R(POLICY),
						   held ? rows[i].rule : "p/default", NULL, 0};

			CU_ASSERT(policy_step("built-in", &step));
			step.hook = OUT;
			step.interface = DMZ;
			step.verdict = held && deny ? DROP : PASS;
			step.reason = held ? R(BUILTIN) : R(COUNTED);
			step.rule = held ? rows[i].rule : NULL;
			CU_ASSERT(policy_step("built-in, leaving", &step));
		}
		STEPS("arp", {IN, WAN, {.to = B, .type = 0x0806}, deny == 1 ? DROP : PASS,
			      deny == 1 ? R(BUILTIN) : R(ARP), "builtin/arp", NULL, 0});
	}
}

/* ---- floods ---- */

/* Sends 50 packets of as many flows on one CPU; those that have an entry now. */
static uint32_t send_many(enum policy_hook hook, uint8_t flags)
{
	struct frame_spec spec = THERE(flags);
	cpu_set_t one, all;

	sched_getaffinity(0, sizeof(all), &all);
	CPU_ZERO(&one);
	for (int cpu = 0; cpu < CPU_SETSIZE && !CPU_COUNT(&one); cpu++)
		if (CPU_ISSET(cpu, &all))
			CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
	for (uint16_t i = 0; i < 50; i++) {
		spec.source_port = (uint16_t)(20000 + i);
		policy_send(hook, WAN, &spec);
	}
	sched_setaffinity(0, sizeof(all), &all);
	return kernel_flow_count(policy_kernel(), false);
}

/* A flow that cannot be entered is not let in, W-in and W-out have a budget each. */
static void beyond_the_inserts(void)
{
	uint64_t limited;
	uint32_t entries;

	fresh(ONE("pickup: never, flow-inserts: 1/s", ""));
	limited = kernel_reason(policy_kernel(), GPC_HOOK_ID_XDP, R(FLOW_LIMIT));
	entries = send_many(IN, SYN);
	limited = kernel_reason(policy_kernel(), GPC_HOOK_ID_XDP, R(FLOW_LIMIT)) - limited;
	CU_ASSERT_EQUAL(entries + limited, 50);
	CU_ASSERT(limited > 0);
	policy_reset(3600);
	CU_ASSERT(send_many(OUT, SYN) > 0);
	CU_ASSERT_EQUAL(kernel_reason(policy_kernel(), GPC_HOOK_ID_TC_EGRESS, R(FLOW_LIMIT)), 0);
}

static void start(void)
{
	policy_start();
}

static void stop(void)
{
	policy_stop();
}

GPC_UNIT_MAIN("bpf/state", {"start", start}, {"tcp_both_sides", tcp_both_sides},
	      {"what_a_syn_is", what_a_syn_is}, {"timeouts", timeouts}, {"others", others},
	      {"mid_stream", mid_stream}, {"pickup", pickup},
	      {"asked_where_it_leaves", asked_where_it_leaves}, {"revoked", revoked},
	      {"reopened", reopened}, {"audit_of_all", audit_of_all}, {"builtins", builtins},
	      {"beyond_the_inserts", beyond_the_inserts}, {"stop", stop})
