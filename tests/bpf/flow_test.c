// SPDX-License-Identifier: MIT
/* Flow entries: what makes one, its states and timeouts, what it keeps and what moves it, the
 * budget. */
#include <arpa/inet.h>
#include <linux/bpf.h>
#include <string.h>
#include <time.h>

#include "rig.h"
#include "tests/flow_entry.h"
#include "tests/unit/unit.h"

static struct rig rig;

#define MANY4 "203.0.113.30"
#define MANY6 "2001:db8:ff::30"
#define CLIENT4 "198.51.100.50"
#define CLIENT6 "2001:db8:10::50"

/* ---- keys and entries ---- */

union key {
	struct gpc_flow_key4 v4;
	struct gpc_flow_key6 v6;
};

/* Written again from abi.h: sides sorted as (address, port) read as little-endian numbers. */
static union key key_of(const char *from, uint16_t source_port, const char *to, uint16_t port,
			uint8_t protocol, bool *reversed)
{
	struct plane_address side[2] = {plane_address(from), plane_address(to)};
	uint16_t ports[2] = {htons(source_port), htons(port)};
	union key key = {};
	uint64_t word[2][2];
	uint32_t v4[2];
	int low;

	memcpy(word, side, sizeof(word));
	for (int i = 0; i < 2; i++)
		memcpy(&v4[i], side[i].bytes + 12, 4);
	if (!strchr(to, ':')) {
		low = v4[0] != v4[1] ? v4[0] > v4[1] : ports[0] > ports[1];
		key.v4 = (struct gpc_flow_key4){.address = {v4[low], v4[!low]},
						.port = {ports[low], ports[!low]},
						.protocol = protocol};
	} else {
		low = word[0][0] != word[1][0]	 ? word[0][0] > word[1][0]
		      : word[0][1] != word[1][1] ? word[0][1] > word[1][1]
						 : ports[0] > ports[1];
		key.v6.protocol = protocol;
		for (int i = 0; i < 2; i++) {
			memcpy(key.v6.address[i], word[i ? !low : low], 16);
			key.v6.port[i] = ports[i ? !low : low];
		}
	}
	if (reversed)
		*reversed = low;
	return key;
}

static union key key_of_spec(const struct frame_spec *spec, bool *reversed)
{
	bool v6 = strchr(spec->to, ':');

	return key_of(spec->from ? spec->from
		      : v6	 ? "2001:db8:10::7"
				 : "198.51.100.7",
		      spec->source_port ? spec->source_port : 40000, spec->to,
		      spec->port ? spec->port : 80, spec->protocol ? spec->protocol : TCP,
		      reversed);
}

static bool entry(const struct frame_spec *spec, struct gpc_flow *ret)
{
	union key key = key_of_spec(spec, NULL);

	return kernel_flow(&rig.kernel, strchr(spec->to, ':'), &key, ret);
}

static void set_entry(const struct frame_spec *spec, const struct gpc_flow *flow)
{
	union key key = key_of_spec(spec, NULL);

	kernel_set_flow(&rig.kernel, strchr(spec->to, ':'), &key, flow);
}

static uint32_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (uint32_t)(((uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec) >> 30);
}

/* ---- which endpoint a frame went to ---- */

static uint32_t endpoint_of(const struct frame_spec *spec)
{
	return rig_sent_to(&rig, spec);
}

/* What the table gives; reads the same image by the same headers, in user space. */
static uint32_t table_endpoint(const struct frame_spec *spec)
{
	struct gpc_view view = rig_view(&rig);
	struct plane_address from = plane_address(spec->from), to = plane_address(spec->to);
	struct gpc_tuple t = {.source_port = htons(spec->source_port ? spec->source_port : 40000),
			      .destination_port = htons(spec->port ? spec->port : 80),
			      .protocol = spec->protocol ? spec->protocol : TCP};
	uint32_t listener;

	memcpy(t.source, from.bytes, 16);
	memcpy(t.destination, to.bytes, 16);
	listener = gpc_vip_listener(view, t.destination[0], t.destination[1], t.destination_port,
				    t.protocol, 1);
	return gpc_endpoint_by_hash(
		view, &gpc_listener_at(view, listener)->table[strchr(spec->to, ':') != NULL],
		gpc_flow_hash(gpc_view_plane(view)->hash_seed, &t, 0));
}

static uint64_t id_of(uint32_t endpoint)
{
	return rig.endpoints[endpoint].id;
}

static uint64_t new_flows(const char *to)
{
	return kernel_counter(&rig.kernel, plane_listener_counter(strchr(to, ':') ? 20 : 19)).flows;
}

/* An endpoint of RIG_MANY that is not this one. */
static uint32_t another(uint32_t endpoint)
{
	return endpoint == RIG_MANY ? RIG_MANY + 1 : RIG_MANY;
}

/* Orientation and tag that the program gives the flow's entry. */
static uint8_t flags_of(const struct frame_spec *spec)
{
	struct gpc_flow flow = {};

	kernel_forget_flows(&rig.kernel);
	endpoint_of(spec);
	CU_ASSERT_FATAL(entry(spec, &flow));
	return flow.flags;
}

/* ---- what makes an entry ---- */

static void first_packet(const char *to, uint8_t protocol, uint8_t flags, enum gpc_flow_state state)
{
	struct frame_spec spec = {.from = strchr(to, ':') ? CLIENT6 : CLIENT4,
				  .to = to,
				  .flags = flags,
				  .protocol = protocol,
				  .port = protocol == UDP ? 53 : 80};
	struct gpc_flow flow = {};
	bool reversed;

	key_of_spec(&spec, &reversed);
	kernel_forget_flows(&rig.kernel);
	CU_ASSERT_EQUAL(endpoint_of(&spec), table_endpoint(&spec));
	CU_ASSERT_FATAL(entry(&spec, &flow));
	CU_ASSERT_EQUAL(flow.endpoint, id_of(table_endpoint(&spec)));
	CU_ASSERT_EQUAL(flow.state, state);
	CU_ASSERT_EQUAL(flow.flags & GPC_FLOW_REVERSED, reversed ? GPC_FLOW_REVERSED : 0);
	CU_ASSERT(now() - flow.last_seen <= 1);
	CU_ASSERT_EQUAL(flow.stamp[0] | flow.stamp[1] | flow.chains | flow.skb_mark, 0);
	CU_ASSERT_EQUAL(flow.hint, table_endpoint(&spec));
}

static void first_packets(void)
{
	first_packet(MANY4, TCP, SYN, GPC_FLOW_SYN);
	first_packet(MANY6, TCP, SYN, GPC_FLOW_SYN);
	first_packet(MANY4, TCP, SYN | 0xc0, GPC_FLOW_SYN);
	first_packet(MANY4, TCP, ACK, GPC_FLOW_ESTABLISHED);
	first_packet(MANY6, TCP, ACK | PSH, GPC_FLOW_ESTABLISHED);
	first_packet(MANY4, TCP, SYN | ACK, GPC_FLOW_ESTABLISHED);
	first_packet(MANY4, TCP, FIN | ACK, GPC_FLOW_CLOSING);
	first_packet(MANY4, TCP, RST, GPC_FLOW_CLOSED);
	first_packet(MANY4, TCP, SYN | RST, GPC_FLOW_CLOSED);
	first_packet(MANY4, TCP, SYN | FIN, GPC_FLOW_CLOSING);
	first_packet(MANY4, UDP, 0, GPC_FLOW_UDP);
}

/* ---- states ---- */

static void transitions(void)
{
	static const struct {
		uint8_t from, flags, to;
		bool picks;
	} rows[] = {
		{GPC_FLOW_SYN, SYN, GPC_FLOW_SYN, false},
		{GPC_FLOW_SYN, ACK, GPC_FLOW_ESTABLISHED, false},
		{GPC_FLOW_SYN, FIN | ACK, GPC_FLOW_CLOSING, false},
		{GPC_FLOW_SYN, RST, GPC_FLOW_CLOSED, false},
		{GPC_FLOW_SYN, SYN | ACK, GPC_FLOW_SYN, false},
		{GPC_FLOW_ESTABLISHED, SYN, GPC_FLOW_ESTABLISHED, false},
		{GPC_FLOW_ESTABLISHED, ACK, GPC_FLOW_ESTABLISHED, false},
		{GPC_FLOW_ESTABLISHED, FIN | ACK, GPC_FLOW_CLOSING, false},
		{GPC_FLOW_ESTABLISHED, RST | ACK, GPC_FLOW_CLOSED, false},
		{GPC_FLOW_CLOSING, ACK, GPC_FLOW_CLOSING, false},
		{GPC_FLOW_CLOSING, FIN | ACK, GPC_FLOW_CLOSING, false},
		{GPC_FLOW_CLOSING, RST, GPC_FLOW_CLOSED, false},
		{GPC_FLOW_CLOSING, SYN, GPC_FLOW_SYN, true},
		{GPC_FLOW_CLOSED, ACK, GPC_FLOW_CLOSED, false},
		{GPC_FLOW_CLOSED, FIN, GPC_FLOW_CLOSED, false},
		{GPC_FLOW_CLOSED, RST, GPC_FLOW_CLOSED, false},
		{GPC_FLOW_CLOSED, SYN, GPC_FLOW_SYN, true},
		{GPC_FLOW_CLOSED, SYN | ACK, GPC_FLOW_CLOSED, false},
	};

	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(*rows); i++) {
		bool v6 = i % 2;
		struct frame_spec spec = {.from = v6 ? CLIENT6 : CLIENT4,
					  .to = v6 ? MANY6 : MANY4,
					  .flags = rows[i / 2].flags};
		uint32_t table = table_endpoint(&spec), kept = another(table);
		struct gpc_flow flow = {
			.endpoint = id_of(kept), .state = rows[i / 2].from, .last_seen = now(),
			.flags = flags_of(&spec)};
		uint64_t flows = new_flows(spec.to);
		set_entry(&spec, &flow);
		CU_ASSERT_EQUAL(endpoint_of(&spec), rows[i / 2].picks ? table : kept);
		CU_ASSERT(entry(&spec, &flow));
		CU_ASSERT_EQUAL(flow.state, rows[i / 2].to);
		CU_ASSERT_EQUAL(flow.endpoint, id_of(rows[i / 2].picks ? table : kept));
		CU_ASSERT_EQUAL(new_flows(spec.to) - flows, rows[i / 2].picks);
	}
}

/* The element that a lookup found may be another flow's a moment later: it is not believed then. */
static void an_entry_with_another_tag_is_another_flows(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct frame_spec spec = {.from = v6 ? CLIENT6 : CLIENT4,
					  .to = v6 ? MANY6 : MANY4,
					  .flags = FIN | ACK};
		uint32_t table = table_endpoint(&spec), kept = another(table);
		struct gpc_flow flow = {.endpoint = id_of(kept),
					.state = GPC_FLOW_ESTABLISHED,
					.last_seen = now() - 5,
					.flags = flags_of(&spec)},
				after;

		for (uint8_t bit = GPC_FLOW_REVERSED << 1; bit; bit = (uint8_t)(bit << 1)) {
			struct gpc_flow foreign = flow;

			foreign.flags ^= bit;
			set_entry(&spec, &foreign);
			CU_ASSERT_EQUAL(endpoint_of(&spec), table);
			CU_ASSERT(entry(&spec, &after));
			CU_ASSERT_EQUAL(after.flags, flow.flags);
			CU_ASSERT_EQUAL(after.endpoint, id_of(table));
		}
		set_entry(&spec, &flow);
		CU_ASSERT_EQUAL(endpoint_of(&spec), kept);
		CU_ASSERT(entry(&spec, &after) && after.state == GPC_FLOW_CLOSING);
	}
}

static void tags_tell_flows_apart(void)
{
	bool seen[256] = {false};
	unsigned int distinct = 0;

	for (uint16_t port = 1; port <= 512; port++) {
		struct frame_spec spec = {.from = CLIENT4, .to = MANY4,
					  .source_port = (uint16_t)(1024 + port)};
		uint8_t tag = flags_of(&spec) >> GPC_FLOW_TAG_SHIFT;

		distinct += !seen[tag];
		seen[tag] = true;
	}
	CU_ASSERT(distinct > 100);
}

/* ---- timeouts ---- */

/* Another CPU may have read the clock a unit later and stored it first. */
static void a_stamp_from_the_future_is_no_long_idle_time(void)
{
	for (uint32_t ahead = 1; ahead <= 3; ahead++) {
		struct frame_spec spec = {.from = CLIENT4, .to = MANY4};
		uint32_t kept = another(table_endpoint(&spec));
		struct gpc_flow flow = {.endpoint = id_of(kept), .state = GPC_FLOW_ESTABLISHED,
					.flags = flags_of(&spec)};
		uint32_t stamp = now() + ahead;

		flow.last_seen = stamp;
		set_entry(&spec, &flow);
		CU_ASSERT_EQUAL(endpoint_of(&spec), kept);
		CU_ASSERT(entry(&spec, &flow) && flow.last_seen >= stamp);
	}
}

/* An entry idle for that long: is it still followed? */
static bool follows(enum gpc_flow_state state, uint8_t protocol, uint32_t idle_units)
{
	struct frame_spec spec = {.from = CLIENT4,
				  .to = MANY4,
				  .protocol = protocol,
				  .port = protocol == UDP ? 53 : 80};
	uint32_t table = table_endpoint(&spec), kept = another(table), got;
	struct gpc_flow flow = {
		.endpoint = id_of(kept), .state = (uint8_t)state, .flags = flags_of(&spec)};

	flow.last_seen = now() - idle_units;
	set_entry(&spec, &flow);
	got = endpoint_of(&spec);
	CU_ASSERT(got == kept || got == table);
	CU_ASSERT(entry(&spec, &flow));
	CU_ASSERT(now() - flow.last_seen <= 1);
	if (got == table && protocol == TCP)
		CU_ASSERT_EQUAL(flow.state, GPC_FLOW_ESTABLISHED);
	return got == kept;
}

/* last_seen counts 2^30 ns: never over before its time, at most three units later. */
static void timeouts(void)
{
	static const uint32_t seconds[] = {60, 7440, 120, 10, 30, 180};

	for (int state = GPC_FLOW_SYN; state <= GPC_FLOW_UDP; state++) {
		uint8_t protocol = state >= GPC_FLOW_UDP_NEW ? UDP : TCP;
		uint32_t units = (uint32_t)(seconds[state] * 1000000000ull >> 30);

		CU_ASSERT(follows((enum gpc_flow_state)state, protocol, 0));
		CU_ASSERT(follows((enum gpc_flow_state)state, protocol, units / 2));
		CU_ASSERT(follows((enum gpc_flow_state)state, protocol, units));
		CU_ASSERT(!follows((enum gpc_flow_state)state, protocol, units + 4));
		CU_ASSERT(!follows((enum gpc_flow_state)state, protocol, units * 2 + 100));
	}
}

/* ---- what a flow keeps ---- */

static void reinstall(void)
{
	rig_install(&rig, 0);
}

/* Where 60 known flows go when one endpoint changes its state. */
static void endpoint_states(void)
{
	struct frame_spec specs[60] = {};
	uint32_t before[60], on_changed = 0;

	kernel_forget_flows(&rig.kernel);
	for (int i = 0; i < 60; i++) {
		specs[i] = (struct frame_spec){.from = i % 2 ? CLIENT6 : CLIENT4,
					       .to = i % 2 ? MANY6 : MANY4,
					       .source_port = (uint16_t)(2000 + i)};
		before[i] = endpoint_of(&specs[i]);
		on_changed += before[i] == RIG_MANY + 3;
	}
	CU_ASSERT(on_changed > 0);
	rig.endpoints[RIG_MANY + 3].state = GPC_STATE_DRAIN;
	reinstall();
	for (int i = 0; i < 60; i++)
		CU_ASSERT_EQUAL(endpoint_of(&specs[i]), before[i]);
	for (int i = 0; i < 200; i++) {
		struct frame_spec fresh = {
			.from = CLIENT4, .to = MANY4, .source_port = (uint16_t)(9000 + i)};

		CU_ASSERT_NOT_EQUAL(endpoint_of(&fresh), RIG_MANY + 3);
	}
	rig.endpoints[RIG_MANY + 3].state = GPC_STATE_MAINT;
	reinstall();
	for (int i = 0; i < 60; i++) {
		if (before[i] != RIG_MANY + 3) {
			CU_ASSERT_EQUAL(endpoint_of(&specs[i]), before[i]);
			continue;
		}
		uint64_t flows = new_flows(specs[i].to);
		uint32_t moved = endpoint_of(&specs[i]);
		struct gpc_flow flow;

		CU_ASSERT_NOT_EQUAL(moved, RIG_MANY + 3);
		CU_ASSERT_EQUAL(moved, table_endpoint(&specs[i]));
		CU_ASSERT(entry(&specs[i], &flow) && flow.endpoint == id_of(moved));
		CU_ASSERT_EQUAL(new_flows(specs[i].to) - flows, 1);
	}
	/* Back again: those that moved stay where they are. */
	rig.endpoints[RIG_MANY + 3].state = GPC_STATE_READY;
	reinstall();
	for (int i = 0; i < 60; i++)
		CU_ASSERT_NOT_EQUAL(endpoint_of(&specs[i]),
				    before[i] == RIG_MANY + 3 ? before[i] : GPC_NONE);
}

/* An endpoint stands elsewhere in the new image, with the same id: its flows stay with it. */
static void reordered(void)
{
	struct plane_endpoint saved[RIG_MANY + RIG_MANY_COUNT];
	struct frame_spec specs[40] = {};
	uint32_t before[40];

	kernel_forget_flows(&rig.kernel);
	for (int i = 0; i < 40; i++) {
		specs[i] = (struct frame_spec){
			.from = CLIENT4, .to = MANY4, .source_port = (uint16_t)(3000 + i)};
		before[i] = endpoint_of(&specs[i]);
	}
	memcpy(saved, rig.endpoints, sizeof(saved));
	for (uint32_t i = 0; i < RIG_MANY_COUNT; i++)
		rig.endpoints[RIG_MANY + i] = saved[RIG_MANY + RIG_MANY_COUNT - 1 - i];
	reinstall();
	for (int i = 0; i < 40; i++)
		CU_ASSERT_EQUAL(endpoint_of(&specs[i]), before[i]); /* the MAC tells who it is */
	/* One that is gone: its flows are picked anew. */
	rig.endpoints[RIG_MANY].id = 12345;
	reinstall();
	for (int i = 0; i < 40; i++) {
		struct gpc_flow flow;

		endpoint_of(&specs[i]);
		CU_ASSERT(entry(&specs[i], &flow));
		CU_ASSERT_NOT_EQUAL(flow.endpoint, saved[RIG_MANY + RIG_MANY_COUNT - 1].id);
	}
	memcpy(rig.endpoints, saved, sizeof(saved));
	reinstall();
}

/* The listener's ways of forwarding no longer fit the endpoint: v6 by ipip needs a v6 address. */
static void unusable(void)
{
	struct frame_spec spec = {.from = CLIENT6, .to = MANY6};
	struct gpc_flow flow = {
		.endpoint = id_of(RIG_V4), .state = GPC_FLOW_ESTABLISHED, .last_seen = now()};

	flow.flags = flags_of(&spec);
	set_entry(&spec, &flow);
	CU_ASSERT_EQUAL(endpoint_of(&spec), table_endpoint(&spec));
	/* An endpoint of another backend is kept: flows hang on endpoints, not on listeners. */
	flow.endpoint = id_of(RIG_V6);
	set_entry(&spec, &flow);
	CU_ASSERT_EQUAL(endpoint_of(&spec), RIG_V6);
}

/* Nobody takes new flows, but the known one stays. */
static void drained_backend(void)
{
	struct frame_spec known = {.from = CLIENT4, .to = MANY4},
			  fresh = {.from = CLIENT4, .to = MANY4, .source_port = 7};
	uint32_t before;

	kernel_forget_flows(&rig.kernel);
	before = endpoint_of(&known);
	for (uint32_t i = 0; i < RIG_MANY_COUNT; i++)
		rig.endpoints[RIG_MANY + i].state = GPC_STATE_DRAIN;
	reinstall();
	CU_ASSERT_EQUAL(endpoint_of(&known), before);
	CU_ASSERT_EQUAL(endpoint_of(&fresh), GPC_NONE);
	for (uint32_t i = 0; i < RIG_MANY_COUNT; i++)
		rig.endpoints[RIG_MANY + i].state = GPC_STATE_READY;
	reinstall();
}

/* The two ends of one entry are both listeners' addresses: each direction has its own endpoint. */
static void two_listeners_talk(void)
{
	struct frame_spec there = {
		.from = "198.51.100.7", .source_port = 40000, .to = MANY4, .port = 80};
	struct frame_spec back = {
		.from = MANY4, .source_port = 80, .to = "198.51.100.7", .port = 40000};
	struct gpc_flow before, after;

	kernel_forget_flows(&rig.kernel);
	CU_ASSERT_EQUAL(endpoint_of(&there), table_endpoint(&there));
	CU_ASSERT(entry(&there, &before));
	CU_ASSERT_EQUAL(endpoint_of(&back), table_endpoint(&back));
	CU_ASSERT(entry(&there, &after) && !memcmp(&before, &after, sizeof(before)));
	CU_ASSERT_EQUAL(kernel_flow_count(&rig.kernel, false), 1);
}

/* ---- a full table ---- */

enum { STEADY = 100, FLOOD = 6000, ROUNDS = 5 };

static struct frame_spec client(uint32_t number)
{
	static char from[32];

	snprintf(from, sizeof(from), "198.18.%u.%u", number >> 8 & 0xff, number & 0xff);
	return (struct frame_spec){.from = from,
				   .to = MANY4,
				   .source_port = (uint16_t)(20000 + (number >> 16)),
				   .flags = number < STEADY ? ACK : SYN};
}

/* Who sends every ten seconds keeps his entry, while more flows come than there are entries for. */
static void a_flood_takes_nobody_who_sends(void)
{
	struct gpc_flow_table *table = &rig.kernel.flows[GPC_V4];
	uint32_t number = STEADY, flooded = 0;

	kernel_forget_flows(&rig.kernel);
	for (uint32_t round = 0; round < ROUNDS; round++) {
		for (uint32_t i = 0; i < STEADY; i++) {
			struct frame_spec spec = client(i);
			struct gpc_flow flow;

			CU_ASSERT_EQUAL(entry(&spec, &flow), round > 0);
			endpoint_of(&spec);
			CU_ASSERT_TRUE(entry(&spec, &flow));
		}
		for (uint32_t i = 0; i < FLOOD; i++) {
			struct frame_spec spec = client(number++);

			endpoint_of(&spec);
		}
		flooded = kernel_flow_count(&rig.kernel, false);
		CU_ASSERT_TRUE(flooded > 4096 * 9 / 10);
		flow_entry_rewind(table, 9);
	}
	flow_entry_rewind(table, 20);
	/* Then all are old, and the next ones take their places. */
	for (uint32_t i = 0; i < FLOOD; i++) {
		struct frame_spec spec = client(number++);

		endpoint_of(&spec);
	}
	flooded = 0;
	for (uint32_t i = 0; i < STEADY; i++) {
		struct frame_spec spec = client(i);
		struct gpc_flow flow;

		flooded += !entry(&spec, &flow);
	}
	CU_ASSERT_TRUE(flooded > STEADY / 4);
}

/* ---- the budget ---- */

static uint32_t entered(uint32_t flows, const char *to)
{
	uint32_t sent = 0;

	kernel_forget_flows(&rig.kernel);
	for (uint32_t i = 0; i < flows; i++) {
		struct frame_spec spec = {.from = strchr(to, ':') ? CLIENT6 : CLIENT4,
					  .to = to,
					  .flags = SYN,
					  .source_port = (uint16_t)(10000 + i)};

		sent += endpoint_of(&spec) == table_endpoint(&spec);
	}
	CU_ASSERT_EQUAL(sent, flows); /* the hash decides past the budget */
	return kernel_flow_count(&rig.kernel, strchr(to, ':'));
}

/* 400 flows in a few ms on one or few CPUs: about a CPU's share of a second's worth is entered. */
static void inserts_are_limited(void)
{
	uint64_t flows;
	uint32_t got;

	rig.plane.flow_inserts = 0;
	reinstall();
	flows = new_flows(MANY4);
	CU_ASSERT_EQUAL(entered(400, MANY4), 0);
	CU_ASSERT_EQUAL(new_flows(MANY4) - flows, 400);
	CU_ASSERT_EQUAL(entered(100, MANY6), 0);
	rig.plane.flow_inserts = 100 * rig.kernel.cpus;
	reinstall();
	got = entered(400, MANY4);
	CU_ASSERT(got > 0 && got < 400);
	rig.plane.flow_inserts = 1u << 31;
	reinstall();
	CU_ASSERT_EQUAL(entered(400, MANY4), 400);
	CU_ASSERT_EQUAL(entered(400, MANY6), 400);
}

/* Known flows are never touched by it. */
static void the_budget_spares_known_flows(void)
{
	struct frame_spec spec = {.from = CLIENT4, .to = MANY4};
	uint32_t kept = another(table_endpoint(&spec));
	struct gpc_flow flow = {.endpoint = id_of(kept), .state = GPC_FLOW_SYN, .last_seen = now(),
				.flags = flags_of(&spec)};

	rig.plane.flow_inserts = 0;
	reinstall();
	set_entry(&spec, &flow);
	CU_ASSERT_EQUAL(endpoint_of(&spec), kept);
	CU_ASSERT(entry(&spec, &flow) && flow.state == GPC_FLOW_ESTABLISHED);
	rig.plane.flow_inserts = 1u << 31;
	reinstall();
}

/* Past the budget a flow that opens anew loses its entry, or its ACK would go where it was before. */
static void a_flow_that_cannot_be_renewed_is_forgotten(void)
{
	struct frame_spec spec = {.from = CLIENT4, .to = MANY4, .flags = SYN};
	uint32_t table = table_endpoint(&spec);
	struct gpc_flow flow = {.endpoint = id_of(another(table)),
				.state = GPC_FLOW_CLOSED,
				.last_seen = now(),
				.flags = flags_of(&spec)};

	rig.plane.flow_inserts = 0;
	reinstall();
	set_entry(&spec, &flow);
	CU_ASSERT_EQUAL(endpoint_of(&spec), table);
	CU_ASSERT_FALSE(entry(&spec, &flow));
	spec.flags = ACK;
	CU_ASSERT_EQUAL(endpoint_of(&spec), table);
	rig.plane.flow_inserts = 1u << 31;
	reinstall();
}

static void start(void)
{
	rig_start(&rig, 4096);
}

static void stop(void)
{
	rig_stop(&rig);
}

GPC_UNIT_MAIN("bpf/flow", {"start", start}, {"first_packets", first_packets},
	      {"transitions", transitions},
	      {"an_entry_with_another_tag_is_another_flows",
	       an_entry_with_another_tag_is_another_flows},
	      {"a_flow_that_cannot_be_renewed_is_forgotten",
	       a_flow_that_cannot_be_renewed_is_forgotten},
	      {"tags_tell_flows_apart", tags_tell_flows_apart},
	      {"a_stamp_from_the_future_is_no_long_idle_time",
	       a_stamp_from_the_future_is_no_long_idle_time},
	      {"timeouts", timeouts},
	      {"endpoint_states", endpoint_states}, {"reordered", reordered},
	      {"unusable", unusable}, {"drained_backend", drained_backend},
	      {"two_listeners_talk", two_listeners_talk},
	      {"a_flood_takes_nobody_who_sends", a_flood_takes_nobody_who_sends},
	      {"inserts_are_limited", inserts_are_limited},
	      {"the_budget_spares_known_flows", the_budget_spares_known_flows}, {"stop", stop})
