// SPDX-License-Identifier: MIT
/*
 * Ports of `snat`: no two flows that live have one of them to the same endpoint, whatever their listener; when none
 * is found the packet is dropped and counted; those of flows that are over are given again.
 */
#include "loader/sim/engine.h"
#include "sim_rig.h"

#define FIRST 1024u
#define PORTS 31744u
#define SECOND 1000000000ull

static const char plane[] =
	"apiVersion: gpc/v1\nkind: Plane\nmetadata: {name: ports}\n"
	"defaults: {flow-inserts: 1000000/s, timeouts: {closed: 10s, syn: 60s, udp-new: 30s}}\n"
	"interfaces: [{name: wan0}, {name: lan0}]\n"
	"backends: [{name: web, endpoints: [{name: a, address: 10.0.0.1}]}]\n"
	"listeners:\n"
	"  - {name: one, address: 203.0.113.1, protocol: TCP, port: 80, backend: web, forward: nat, snat: auto}\n"
	"  - {name: two, address: 203.0.113.2, protocol: TCP, port: 80, backend: web, forward: nat, snat: auto}\n"
	"  - {name: udp, address: 203.0.113.1, protocol: UDP, port: 80, backend: web, forward: nat, snat: auto}\n";
enum { ONE, TWO, UDP };	/* listeners */

/* The flow, plus 1, that has each port to the endpoint. */
static uint32_t owner[65536];

/* Number i of a listener's flows: 1000 of each client. */
static struct gpc_sim_outcome flow(uint32_t listener, uint32_t i, uint8_t flags)
{
	static char from[32];

	snprintf(from, sizeof(from), "198.51.100.%u", 1 + i / 1000);
	return sent(&(const struct packet){.from = from,
					   .to = listener == TWO ? "203.0.113.2" : "203.0.113.1",
					   .protocol = listener == UDP ? IPPROTO_UDP : IPPROTO_TCP,
					   .sport = (uint16_t)(20000 + i % 1000),
					   .flags = flags});
}

/* The source port of what goes to the endpoint. */
static uint32_t port_of(const struct gpc_sim_outcome *o)
{
	CU_ASSERT_FATAL(o->out_size >= 38);
	return (uint32_t)o->out[34] << 8 | o->out[35];
}

static void must_be_free(uint32_t port, uint32_t flow_number)
{
	CU_ASSERT_FATAL(port >= FIRST && port < FIRST + PORTS);
	if (owner[port])
		printf("flow %u has port %u, as flow %u\n", flow_number, port, owner[port] - 1);
	CU_ASSERT_EQUAL_FATAL(owner[port], 0);
	owner[port] = flow_number + 1;
}

/* Opens flows until none is let in: the number of them. */
static uint32_t open_all(uint32_t listener, uint32_t first)
{
	for (uint32_t i = first;; i++) {
		struct gpc_sim_outcome o = flow(listener, i, GPC_ASK_SYN);

		CU_ASSERT_FATAL(i < first + PORTS + 1);
		if (o.reason == GPC_REASON_SNAT_FULL) {
			CU_ASSERT_EQUAL(o.verdict, GPC_VERDICT_DROP);
			return i - first;
		}
		CU_ASSERT_EQUAL_FATAL(o.reason, GPC_REASON_FORWARDED);
		must_be_free(port_of(&o), i);
	}
}

static void begin(void)
{
	open_plane(plane);
	memset(owner, 0, sizeof(owner));
}

static uint64_t counted(enum gpc_reason reason)
{
	struct gpc_counter counter;

	CU_ASSERT(!sim->engine->counter(sim, GPC_HOOK_ID_XDP * GPC_REASON_MAX + reason, &counter,
					&failure));
	return counter.packets;
}

static uint64_t dropped_of(uint32_t listener)
{
	struct gpc_counter counter;

	CU_ASSERT(!sim->engine->counter(sim, gpc_sim_listener_counter(listener), &counter, &failure));
	return counter.dropped;
}

static void ports_are_one_flows_each_until_none_is_left(void)
{
	uint32_t opened, last;

	begin();
	opened = open_all(ONE, 0);
	printf("%u flows have a port of %u\n", opened, PORTS);
	CU_ASSERT(opened > PORTS / 3 * 2);
	CU_ASSERT_EQUAL(counted(GPC_REASON_SNAT_FULL), 1);
	CU_ASSERT_EQUAL(dropped_of(ONE), 1);
	/* Another listener has the same endpoint's ports: what is left of them is no other flow's. */
	last = open_all(TWO, 40000);
	CU_ASSERT(last < PORTS - opened);
	CU_ASSERT_EQUAL(dropped_of(TWO), 1);
	/* Known flows keep theirs, and another protocol has its own. */
	for (uint32_t i = 0; i < opened; i += 997) {
		struct gpc_sim_outcome o = flow(ONE, i, GPC_ASK_ACK);

		CU_ASSERT_EQUAL(o.reason, GPC_REASON_FORWARDED);
		CU_ASSERT_EQUAL(owner[port_of(&o)], i + 1);
	}
	CU_ASSERT_EQUAL(flow(UDP, 0, 0).reason, GPC_REASON_FORWARDED);
	CU_ASSERT_EQUAL(counted(GPC_REASON_SNAT_FULL), 2);
}

static void a_reply_finds_the_flow_that_has_the_port(void)
{
	const uint8_t client[4] = {198, 51, 100, 3}, vip[4] = {203, 0, 113, 1};
	struct gpc_sim_outcome o;
	uint32_t port;

	begin();
	open_all(ONE, 0);
	o = flow(ONE, 2345, GPC_ASK_ACK);
	port = port_of(&o);
	o = sent(&(const struct packet){.from = "10.0.0.1",
					.to = "10.255.255.254",
					.sport = 80,
					.dport = (uint16_t)port,
					.flags = GPC_ASK_ACK});
	CU_ASSERT_EQUAL(o.reason, GPC_REASON_TRANSLATED);
	CU_ASSERT_EQUAL(memcmp(o.out + 26, vip, 4), 0);
	CU_ASSERT_EQUAL(memcmp(o.out + 30, client, 4), 0);
	CU_ASSERT_EQUAL((uint32_t)o.out[36] << 8 | o.out[37], 20000 + 345);
}

/* Of flows that are over by time the ports are given again, of the others none. */
static void time_gives_ports_back(void)
{
	uint32_t opened, kept = 0, again;

	begin();
	opened = open_all(ONE, 0);
	gpc_sim_advance(sim, 50 * SECOND);
	for (uint32_t i = 0; i < opened; i += 2, kept++)
		CU_ASSERT_EQUAL(flow(ONE, i, GPC_ASK_ACK).reason, GPC_REASON_FORWARDED);
	gpc_sim_advance(sim, 50 * SECOND);
	for (uint32_t port = 0; port < 65536; port++)
		if (owner[port] && (owner[port] - 1) % 2)
			owner[port] = 0;
	again = open_all(TWO, 40000);
	printf("%u flows kept theirs, %u have one anew\n", kept, again);
	CU_ASSERT(again > (PORTS - kept) / 2);
}

static void a_reset_gives_ports_back(void)
{
	uint32_t opened;

	begin();
	opened = open_all(ONE, 0);
	for (uint32_t i = 0; i < opened; i++)
		CU_ASSERT_EQUAL(flow(ONE, i, i < 1000 ? GPC_ASK_ACK : GPC_ASK_RST).reason,
				GPC_REASON_FORWARDED);
	open_all(TWO, 40000);	/* but not at once */
	gpc_sim_advance(sim, 15 * SECOND);
	for (uint32_t port = 0; port < 65536; port++)
		if (owner[port] > 1000 && owner[port] <= opened)
			owner[port] = 0;
	CU_ASSERT(open_all(TWO, 50000) > opened / 2);
	close_plane();
}

GPC_UNIT_MAIN("sim/snat",
	      {"ports_are_one_flows_each_until_none_is_left",
	       ports_are_one_flows_each_until_none_is_left},
	      {"a_reply_finds_the_flow_that_has_the_port", a_reply_finds_the_flow_that_has_the_port},
	      {"time_gives_ports_back", time_gives_ports_back},
	      {"a_reset_gives_ports_back", a_reset_gives_ports_back})
