/* SPDX-License-Identifier: MIT */
/* A plane in user space: what packets show, time that passes, events, devices that are none of its. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loader/override/words.h"
#include "loader/sim/engine.h"
#include "loader/sim/frame.h"
#include "loader/sim/map.h"
#include "loader/sim/sim.h"
#include "tests/bpf/linked.h"
#include "tests/unit/unit.h"

#define SECOND 1000000000ull

static const char plane[] =
	"apiVersion: gpc/v1\nkind: Plane\nmetadata: {name: simulated}\n"
	"defaults: {on-fail: pass}\n"
	"interfaces:\n"
	"  - {name: wan0, hooks: [xdp, tc-egress]}\n"
	"  - {name: \"lan*\", hooks: [tc-ingress, tc-egress]}\n"
	"  - {name: bare, hooks: [tc-egress]}\n"
	"backends: [{name: web, endpoints: [{name: a, address: 10.0.0.1}, {name: b, address: 10.0.0.2}]}]\n"
	"listeners: [{name: https, address: 203.0.113.10, protocol: TCP, port: 443, backend: web}]\n"
	"rules:\n"
	"  - {name: dns, ports: [udp/53], action: allow}\n"
	"  - {name: slow, ports: [udp/99], action: allow, rate: {limit: 1/s, burst: 2}}\n"
	"  - {name: telnet, ports: [tcp/23], action: reject}\n"
	"  - {name: vips, to: {listeners: \"*\"}, action: allow}\n"
	"policies:\n"
	"  - {name: in, interfaces: [wan0], direction: ingress, default: deny,\n"
	"     rules: [dns, slow, telnet, vips]}\n";

static struct gpc_image image;
static struct gpc_sim *sim;
static struct gpc_failure failure;

enum { WAN0, LAN3, BARE, FOREIGN };

static void start(void)
{
	static const char *const devices[] = {"wan0", "lan3", "bare", "eth9"};

	image = linked_compile(plane);
	CU_ASSERT_FATAL(!gpc_sim_open(GPC_SIM_USER, &image, devices, 4, &sim, &failure));
}

static void stop(void)
{
	gpc_sim_close(sim);
	gpc_image_release(&image);
}

static void reset(void)
{
	CU_ASSERT_FATAL(!gpc_sim_reset(sim, &failure));
}

static struct gpc_prefix_value address(const char *text)
{
	struct gpc_prefix_value value = {0};

	CU_ASSERT_EQUAL(gpc_prefix_parse(text, strlen(text), &value.prefix), GPC_IP_OK);
	return value;
}

static struct gpc_uint_value number(uint64_t value)
{
	return (struct gpc_uint_value){.set = true, .value = value};
}

/* From 198.51.100.1:40000; from there back with the ports exchanged if `back`. */
static struct gpc_sim_outcome pass(size_t device, uint8_t protocol, const char *to, uint16_t port,
				   uint64_t repeat, bool back)
{
	static uint8_t frame[GPC_FRAME_MAX];
	struct gpc_send_intent intent = {.in = {.text = "x"},
					 .from = address(back ? to : "198.51.100.1"),
					 .to = address(back ? "198.51.100.1" : to),
					 .protocol = number(protocol),
					 .sport = number(back ? port : 40000),
					 .dport = number(back ? 40000 : port)};
	struct gpc_sim_send sent = {.frame = frame, .device = device, .repeat = repeat};
	struct gpc_sim_outcome outcome = {0};

	sent.size = gpc_frame_build(&intent, frame);
	CU_ASSERT(!gpc_sim_send(sim, &sent, &outcome, &failure));
	return outcome;
}

static const char *rule_name(uint32_t index)
{
	uint32_t count;
	const struct gpc_rule *rules = gpc_image_section(&image, GPC_SEC_RULE, &count);

	return index < count ? gpc_image_name(&image, rules[index].name) : "-";
}

/* ---- cases ---- */

static void each_verdict(void)
{
	struct gpc_sim_outcome o;

	reset();
	o = pass(WAN0, IPPROTO_UDP, "192.0.2.1", 53, 1, false);
	CU_ASSERT_EQUAL(o.verdict, GPC_VERDICT_PASS);
	CU_ASSERT_STRING_EQUAL(rule_name(o.rule), "dns");
	CU_ASSERT_EQUAL(o.endpoint, GPC_NONE);
	o = pass(WAN0, IPPROTO_UDP, "192.0.2.1", 54, 1, false);
	CU_ASSERT_EQUAL(o.verdict, GPC_VERDICT_DROP);
	CU_ASSERT_EQUAL(o.reason, GPC_REASON_POLICY);
	CU_ASSERT_STRING_EQUAL(rule_name(o.rule), "default");
	o = pass(WAN0, IPPROTO_TCP, "192.0.2.1", 23, 1, false);
	CU_ASSERT_EQUAL(o.verdict, GPC_VERDICT_REJECT);
	CU_ASSERT_EQUAL(o.out_size, 54);
	CU_ASSERT_EQUAL(o.out[47], 0x14);	/* RST, ACK */
	o = pass(WAN0, IPPROTO_TCP, "203.0.113.10", 443, 1, false);
	CU_ASSERT_EQUAL(o.verdict, GPC_VERDICT_FORWARD);
	CU_ASSERT_EQUAL(o.listener, 0);
	CU_ASSERT(o.endpoint < 2);
	CU_ASSERT_EQUAL(o.out_size, 54 + 20);
}

static void a_known_flow_asks_nobody(void)
{
	struct gpc_sim_outcome o;

	reset();
	pass(WAN0, IPPROTO_UDP, "192.0.2.1", 53, 1, false);
	o = pass(WAN0, IPPROTO_UDP, "192.0.2.1", 53, 3, false);
	CU_ASSERT_EQUAL(o.verdict, GPC_VERDICT_PASS);
	CU_ASSERT_EQUAL(o.rule, GPC_NONE);
}

/* A UDP flow without a reply lives for 30 s. */
static void time_ends_flows(void)
{
	reset();
	pass(WAN0, IPPROTO_UDP, "192.0.2.1", 53, 1, false);
	CU_ASSERT_EQUAL(pass(WAN0, IPPROTO_UDP, "192.0.2.1", 53, 1, true).verdict, GPC_VERDICT_PASS);
	reset();
	pass(WAN0, IPPROTO_UDP, "192.0.2.1", 53, 1, false);
	gpc_sim_advance(sim, 60 * SECOND);
	CU_ASSERT_EQUAL(pass(WAN0, IPPROTO_UDP, "192.0.2.1", 53, 1, true).verdict, GPC_VERDICT_DROP);
}

static void time_fills_buckets(void)
{
	static const char *const to[] = {"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"};

	reset();
	for (int i = 0; i < 2; i++)
		CU_ASSERT_EQUAL(pass(WAN0, IPPROTO_UDP, to[i], 99, 1, false).verdict,
				GPC_VERDICT_PASS);
	CU_ASSERT_EQUAL(pass(WAN0, IPPROTO_UDP, to[2], 99, 1, false).reason, GPC_REASON_RATE);
	gpc_sim_advance(sim, SECOND);
	CU_ASSERT_EQUAL(pass(WAN0, IPPROTO_UDP, to[2], 99, 1, false).verdict, GPC_VERDICT_PASS);
	CU_ASSERT_EQUAL(pass(WAN0, IPPROTO_UDP, to[3], 99, 1, false).verdict, GPC_VERDICT_DROP);
	reset();
	CU_ASSERT_EQUAL(pass(WAN0, IPPROTO_UDP, to[3], 99, 1, false).verdict, GPC_VERDICT_PASS);
}

/* Both endpoints are drained for a time; when it is over a packet finds that nothing is said of the backend. */
static void time_settles_a_backend(void)
{
	struct gpc_override drain = {.backend = "web", .kind = GPC_OVERRIDE_DRAIN, .since = 1};
	const uint64_t begin = 400ull * 86400 * SECOND; /* when the engine's clock begins */
	const struct gpc_moment now = {.utc_ms = 1, .ktime_ns = begin};
	uint32_t slot = gpc_sim_backend_counter(&image, 0);
	struct gpc_overrides overrides = {0};
	struct gpc_backend_state *backends;
	struct gpc_words words;

	reset();
	drain.until = 60001;
	gpc_overrides_add(&overrides, &drain);
	CU_ASSERT_FATAL(!gpc_words_make(&image, &overrides, now, NULL, &words));
	gpc_sim_map_make(GPC_SIM_BACKENDS, slot + 1);
	backends = gpc_sim_map_values(GPC_SIM_BACKENDS);
	backends[slot] = words.backends[0];
	CU_ASSERT_EQUAL(pass(WAN0, IPPROTO_TCP, "203.0.113.10", 443, 1, false).reason,
			GPC_REASON_NO_ENDPOINT);
	CU_ASSERT_EQUAL(backends[slot].flags, GPC_BACKEND_ACTIVE);
	gpc_sim_advance(sim, 62 * SECOND);
	CU_ASSERT_EQUAL(pass(WAN0, IPPROTO_TCP, "203.0.113.10", 443, 1, false).verdict,
			GPC_VERDICT_FORWARD);
	CU_ASSERT_EQUAL(backends[slot].flags, 0);
	memset(&backends[slot], 0, sizeof(backends[slot]));
	gpc_words_release(&words);
	gpc_overrides_release(&overrides);
}

static void events_are_kept(void)
{
	const struct gpc_event *events;
	size_t count;

	reset();
	pass(WAN0, IPPROTO_UDP, "192.0.2.1", 53, 1, false);
	pass(WAN0, IPPROTO_UDP, "192.0.2.1", 54, 5, false);
	events = gpc_sim_events(sim, &count);
	CU_ASSERT_EQUAL_FATAL(count, 6);
	CU_ASSERT_EQUAL(events[0].type, GPC_EVENT_FLOW);
	CU_ASSERT_EQUAL(events[5].type, GPC_EVENT_DENY);
	CU_ASSERT_EQUAL(events[5].destination_port, htons(54));
	reset();
	gpc_sim_events(sim, &count);
	CU_ASSERT_EQUAL(count, 0);
}

/* Nobody sees what comes by a device of nobody's, or where no hook is. */
static void unseen_packets_pass(void)
{
	struct gpc_sim_outcome o;

	reset();
	o = pass(FOREIGN, IPPROTO_UDP, "192.0.2.1", 54, 1, false);
	CU_ASSERT_EQUAL(o.verdict, GPC_VERDICT_PASS);
	CU_ASSERT_EQUAL(o.reason, GPC_REASON_COUNT);
	o = pass(BARE, IPPROTO_UDP, "192.0.2.1", 54, 1, false);
	CU_ASSERT_EQUAL(o.reason, GPC_REASON_COUNT);
	o = pass(LAN3, IPPROTO_UDP, "192.0.2.1", 54, 1, false);
	CU_ASSERT_EQUAL(o.verdict, GPC_VERDICT_PASS);
	CU_ASSERT_EQUAL(o.reason, GPC_REASON_COUNTED);
	CU_ASSERT_EQUAL(o.out_size, 42);
}

GPC_UNIT_MAIN("sim/sim", {"start", start}, {"each_verdict", each_verdict},
	      {"a_known_flow_asks_nobody", a_known_flow_asks_nobody},
	      {"time_ends_flows", time_ends_flows}, {"time_fills_buckets", time_fills_buckets},
	      {"time_settles_a_backend", time_settles_a_backend},
	      {"events_are_kept", events_are_kept}, {"unseen_packets_pass", unseen_packets_pass},
	      {"stop", stop})
