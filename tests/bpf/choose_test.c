// SPDX-License-Identifier: MIT
/*
 * Who gets a new flow, and who keeps a known one, under what operators and checkers say (SEMANTICS 6.3, 7):
 * RIG_MANY's ten endpoints behind 203.0.113.30:80; the endpoint is told by the MAC of its next hop.
 */
#include <arpa/inet.h>
#include <linux/bpf.h>
#include <string.h>
#include <time.h>

#include "gpc/lookup/state.h"
#include "rig.h"
#include "tests/unit/unit.h"

#define VIP "203.0.113.30"
#define LISTENER 19u
#define NOBODY 99u
#define FLOWS 20000u

static struct rig rig;

static uint32_t coarse_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (uint32_t)(((uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec) >> 30);
}

/* The endpoint's number among RIG_MANY's; another backend's: 100 + its index; NOBODY: dropped. */
static uint32_t ask_frame(struct frame *frame, uint32_t source)
{
	uint8_t out[KERNEL_FRAME_MAX];
	struct kernel_run run = {.in = frame->bytes, .in_size = frame->size, .out = out};
	uint32_t endpoint;

	source = htonl(0x0b000000u + source);
	memcpy(frame->bytes + frame->l3 + 12, &source, 4);
	kernel_run(&rig.kernel, KERNEL_XDP, &run);
	if (run.action == XDP_DROP)
		return NOBODY;
	endpoint = (uint32_t)(out[5] - 0x40) / 2;
	return endpoint >= RIG_MANY ? endpoint - RIG_MANY : 100 + endpoint;
}

static uint32_t send_new(const struct frame_spec *spec, uint32_t source)
{
	struct frame frame;

	frame_build(spec, &frame);
	return ask_frame(&frame, source);
}

static const struct frame_spec opening = {.to = VIP, .flags = SYN}, later = {.to = VIP};

static void state_of(uint32_t endpoint, struct gpc_endpoint_state state)
{
	kernel_endpoint_state(&rig.kernel, rig.endpoints[RIG_MANY + endpoint].counter, &state);
}

static void backend_is(struct gpc_backend_state state)
{
	kernel_backend_state(&rig.kernel, plane_backend_slot(RIG_MANY), &state);
}

static void nothing_is_said(void)
{
	for (uint32_t i = 0; i < RIG_MANY_COUNT; i++)
		state_of(i, (struct gpc_endpoint_state){0});
	backend_is((struct gpc_backend_state){0});
	kernel_forget_flows(&rig.kernel);
	rig_install(&rig, 0);
}

static void shares(uint32_t flows, uint32_t ret[RIG_MANY_COUNT + 1])
{
	struct frame frame;

	memset(ret, 0, (RIG_MANY_COUNT + 1) * sizeof(*ret));
	frame_build(&opening, &frame);
	for (uint32_t i = 0; i < flows; i++) {
		uint32_t got = ask_frame(&frame, i);

		ret[got < RIG_MANY_COUNT ? got : RIG_MANY_COUNT]++;
	}
}

static void a_drained_endpoint_gets_no_new_flows_and_keeps_its_own(void)
{
	uint32_t mine, got[RIG_MANY_COUNT + 1], source = 7;

	nothing_is_said();
	mine = send_new(&opening, source);
	CU_ASSERT_FATAL(mine < RIG_MANY_COUNT);
	state_of(mine, (struct gpc_endpoint_state){.state = 1 + GPC_STATE_DRAIN});
	backend_is((struct gpc_backend_state){.flags = GPC_BACKEND_ACTIVE});
	CU_ASSERT_EQUAL(send_new(&later, source), mine);
	shares(2000, got);
	CU_ASSERT(got[mine] <= 1); /* the flow itself is one of these sources */
	state_of(mine, (struct gpc_endpoint_state){.state = 1 + GPC_STATE_MAINT});
	CU_ASSERT_NOT_EQUAL(send_new(&later, source), mine);
}

static void an_override_ends_at_its_time(void)
{
	uint32_t got[RIG_MANY_COUNT + 1];

	nothing_is_said();
	state_of(3, (struct gpc_endpoint_state){.state = 1 + GPC_STATE_DRAIN,
						.until = coarse_now() - 1});
	backend_is((struct gpc_backend_state){.flags = GPC_BACKEND_ACTIVE});
	shares(2000, got);
	CU_ASSERT(got[3] > 0);
	nothing_is_said();
	state_of(3, (struct gpc_endpoint_state){.state = 1 + GPC_STATE_DRAIN,
						.until = coarse_now() + 1000});
	backend_is((struct gpc_backend_state){.flags = GPC_BACKEND_ACTIVE});
	shares(2000, got);
	CU_ASSERT_EQUAL(got[3], 0);
}

static struct gpc_backend_state backend_now(void)
{
	return kernel_backend_state_now(&rig.kernel, plane_backend_slot(RIG_MANY));
}

/* No process is there when it ends: the first packet that finds it over takes the mark away. */
static void a_backend_is_settled_by_a_packet(void)
{
	static const struct frame_spec *const packets[] = {&opening, &later};

	for (int i = 0; i < 2; i++) {
		uint32_t mine;

		nothing_is_said();
		mine = send_new(&opening, 7);
		state_of(mine, (struct gpc_endpoint_state){.state = 1 + GPC_STATE_MAINT,
							   .until = coarse_now() - 1});
		backend_is((struct gpc_backend_state){.flags = GPC_BACKEND_ACTIVE, .version = 9});
		CU_ASSERT_EQUAL(send_new(packets[i], 7), mine);
		CU_ASSERT_EQUAL(backend_now().flags, GPC_BACKEND_ACTIVE);
		backend_is((struct gpc_backend_state){.flags = GPC_BACKEND_ACTIVE,
						      .version = 9,
						      .settled = coarse_now() + 1000});
		CU_ASSERT_EQUAL(send_new(packets[i], 7), mine);
		CU_ASSERT_EQUAL(backend_now().flags, GPC_BACKEND_ACTIVE);
		backend_is((struct gpc_backend_state){.flags = GPC_BACKEND_ACTIVE,
						      .state = 1 + GPC_STATE_DRAIN,
						      .until = coarse_now() - 2,
						      .version = 9,
						      .settled = coarse_now() - 1});
		CU_ASSERT_EQUAL(send_new(packets[i], 7), mine);
		CU_ASSERT_EQUAL(backend_now().flags, 0);
		CU_ASSERT_EQUAL(backend_now().version, 9);
		CU_ASSERT_EQUAL(send_new(packets[i], 7), mine);
	}
}

static void the_endpoint_goes_before_the_backend(void)
{
	uint32_t got[RIG_MANY_COUNT + 1];

	nothing_is_said();
	state_of(4, (struct gpc_endpoint_state){.state = 1 + GPC_STATE_READY});
	for (uint32_t i = 0; i < RIG_MANY_COUNT; i++)
		if (i != 4)
			state_of(i, (struct gpc_endpoint_state){0});
	/* the spare of number 0 in name order is number 4 */
	state_of(0, (struct gpc_endpoint_state){.spare = 4});
	backend_is((struct gpc_backend_state){
		.flags = GPC_BACKEND_ACTIVE, .state = 1 + GPC_STATE_DRAIN, .spares = 1});
	shares(500, got);
	CU_ASSERT_EQUAL(got[4], 500);
	backend_is((struct gpc_backend_state){
		.flags = GPC_BACKEND_ACTIVE, .state = 1 + GPC_STATE_DRAIN});
	state_of(4, (struct gpc_endpoint_state){0});
	CU_ASSERT_EQUAL(send_new(&opening, 90000), NOBODY);
}

static void a_weight_override_moves_its_share(void)
{
	uint32_t got[RIG_MANY_COUNT + 1];
	double share;

	nothing_is_said();
	state_of(2, (struct gpc_endpoint_state){.flags = GPC_STATE_WEIGHTED,
						.ratio = GPC_RATIO_ONE / 2});
	backend_is((struct gpc_backend_state){.flags = GPC_BACKEND_ACTIVE,
					      .step = {{0, GPC_RATIO_ONE}}});
	shares(FLOWS, got);
	share = (double)got[2] * 9 / (FLOWS - got[2]);
	printf("half a weight: %.3f of the others' share\n", share);
	CU_ASSERT(share > 0.4 && share < 0.6);
	nothing_is_said();
	state_of(2, (struct gpc_endpoint_state){.flags = GPC_STATE_WEIGHTED,
						.ratio = 3 * GPC_RATIO_ONE});
	backend_is((struct gpc_backend_state){.flags = GPC_BACKEND_ACTIVE,
					      .step = {{0, 3 * GPC_RATIO_ONE}}});
	shares(FLOWS, got);
	share = (double)got[2] * 9 / (FLOWS - got[2]);
	printf("three times the weight: %.3f of the others' share\n", share);
	CU_ASSERT(share > 2.6 && share < 3.4);
}

static void tcp_stays_with_an_endpoint_that_is_down_and_udp_moves(void)
{
	static const struct frame_spec udp = {.to = VIP, .protocol = UDP, .port = 53};
	uint32_t tcp_at, udp_at;

	nothing_is_said();
	tcp_at = send_new(&opening, 1);
	CU_ASSERT_EQUAL(send_new(&later, 1), tcp_at);
	udp_at = send_new(&udp, 1);
	state_of(tcp_at, (struct gpc_endpoint_state){.flags = GPC_STATE_DOWN});
	state_of(udp_at, (struct gpc_endpoint_state){.flags = GPC_STATE_DOWN});
	backend_is((struct gpc_backend_state){.flags = GPC_BACKEND_ACTIVE | GPC_BACKEND_PANIC});
	CU_ASSERT_EQUAL(send_new(&udp, 1), udp_at);
	backend_is((struct gpc_backend_state){.flags = GPC_BACKEND_ACTIVE});
	CU_ASSERT_EQUAL(send_new(&later, 1), tcp_at);
	CU_ASSERT_NOT_EQUAL(send_new(&udp, 1), udp_at);
}

/* Pools behind the listener's own, in an image of the test's own. */
static struct gpc_pool *pools(uint32_t count)
{
	struct gpc_view view = rig_view(&rig);
	struct gpc_listener *listener = (void *)(uintptr_t)gpc_listener_at(view, LISTENER);

	listener->flags |= GPC_LISTENER_POOLS;
	listener->pools = (uint16_t)count;
	return (void *)(uintptr_t)gpc_pool_at(view, listener->first_pool);
}

/* Pool i + 1 is another listener's: RIG_BOTH's by 24. */
static void a_split_has_its_shares(void)
{
	struct gpc_pool *pool, *canary;
	uint32_t hits = 0, flows = 1000000;
	struct frame frame;

	nothing_is_said();
	pool = pools(2);
	canary = (void *)(uintptr_t)gpc_pool_at(rig_view(&rig), 24);
	pool[1] = *canary;
	pool[0].until = 90;
	pool[1].until = pool[0].total = pool[1].total = 100;
	kernel_install(&rig.kernel, 0, rig.image);
	frame_build(&opening, &frame);
	for (uint32_t i = 0; i < flows; i++)
		hits += ask_frame(&frame, i) == 100 + RIG_BOTH;
	printf("a canary of 10 %%: %.3f %% of %u flows\n", 100.0 * hits / flows, flows);
	CU_ASSERT(hits > flows / 1000 * 95 && hits < flows / 1000 * 105);
	nothing_is_said();
}

static void nobody_left_fails_over(void)
{
	struct gpc_pool *pool;

	nothing_is_said();
	pool = pools(1);
	pool[0].failover = 24;
	kernel_install(&rig.kernel, 0, rig.image);
	CU_ASSERT(send_new(&opening, 5) < RIG_MANY_COUNT);
	backend_is((struct gpc_backend_state){
		.flags = GPC_BACKEND_ACTIVE, .state = 1 + GPC_STATE_DRAIN});
	CU_ASSERT_EQUAL(send_new(&opening, 6), 100 + RIG_BOTH);
	CU_ASSERT(send_new(&later, 5) < RIG_MANY_COUNT);
	nothing_is_said();
}

static void clients_keep_their_endpoint(void)
{
	struct frame_spec other = opening;
	struct gpc_listener *listener;
	uint32_t mine;

	nothing_is_said();
	listener = (void *)(uintptr_t)gpc_listener_at(rig_view(&rig), LISTENER);
	listener->affinity = GPC_AFFINITY_SOURCE_IP;
	listener->hash = GPC_HASH_SOURCE_IP;
	listener->affinity_timeout = 600;
	listener->id = 4711;
	kernel_install(&rig.kernel, 0, rig.image);
	mine = send_new(&opening, 77);
	other.source_port = 41000;
	CU_ASSERT_EQUAL(send_new(&other, 77), mine);
	state_of(mine, (struct gpc_endpoint_state){.state = 1 + GPC_STATE_DRAIN});
	backend_is((struct gpc_backend_state){.flags = GPC_BACKEND_ACTIVE});
	other.source_port = 42000;
	CU_ASSERT_EQUAL(send_new(&other, 77), mine);
	state_of(mine, (struct gpc_endpoint_state){.state = 1 + GPC_STATE_MAINT});
	other.source_port = 43000;
	CU_ASSERT_NOT_EQUAL(send_new(&other, 77), mine);
	nothing_is_said();
}

static void hashes_look_at_what_they_are_told(void)
{
	struct frame_spec other = opening;
	struct gpc_listener *listener;
	uint32_t mine, same = 0;

	nothing_is_said();
	listener = (void *)(uintptr_t)gpc_listener_at(rig_view(&rig), LISTENER);
	listener->hash = GPC_HASH_SOURCE_IP;
	kernel_install(&rig.kernel, 0, rig.image);
	mine = send_new(&opening, 78);
	for (uint16_t i = 1; i <= 50; i++) {
		other.source_port = (uint16_t)(50000 + i);
		same += send_new(&other, 78) == mine;
	}
	CU_ASSERT_EQUAL(same, 50);
	listener->hash = GPC_HASH_DESTINATION_PORT;
	kernel_install(&rig.kernel, 0, rig.image);
	kernel_forget_flows(&rig.kernel);
	mine = send_new(&opening, 1000);
	for (uint32_t i = 1; i <= 50; i++)
		CU_ASSERT_EQUAL(send_new(&opening, 1000 + i), mine);
	nothing_is_said();
}

/* Past flow-inserts SYNs leave no entry; the first ACK has a budget of its own. */
static void a_flood_of_syns_leaves_room_for_who_answers(void)
{
	uint32_t before;

	rig.plane.flow_inserts = 1;
	nothing_is_said();
	for (uint32_t i = 0; i < 1000; i++)
		CU_ASSERT(send_new(&opening, 5000 + i) < RIG_MANY_COUNT);
	before = kernel_flow_count(&rig.kernel, false);
	CU_ASSERT(before < 50);
	send_new(&later, 6500);
	CU_ASSERT_EQUAL(kernel_flow_count(&rig.kernel, false), before + 1);
	rig.plane.flow_inserts = 1u << 31;
	nothing_is_said();
}

static void a_listeners_rate_is_charged_by_what_opens(void)
{
	struct gpc_listener *listener;
	uint32_t slot = plane_listener_counter(LISTENER), let = 0;
	struct gpc_link_listener *link;
	struct gpc_view view;
	uint64_t dropped;

	nothing_is_said();
	CU_ASSERT(send_new(&opening, 8999) < RIG_MANY_COUNT);
	view = rig_view(&rig);
	listener = (void *)(uintptr_t)gpc_listener_at(view, LISTENER);
	listener->flags |= GPC_LISTENER_RATE;
	listener->rate_cost = 1000000000;
	listener->rate_burst = 5000000000ull;
	listener->rate_entries = 1;
	listener->rate_exceed = GPC_ACTION_DENY;
	link = (void *)(uintptr_t)gpc_link_listener_at(view, gpc_view_link(view), LISTENER);
	link->rate = 0;
	kernel_full_buckets(&rig.kernel);
	kernel_install(&rig.kernel, 0, rig.image);
	dropped = kernel_counter(&rig.kernel, slot).dropped;
	for (uint32_t i = 0; i < 50; i++)
		let += send_new(&opening, 9000 + i) != NOBODY;
	CU_ASSERT(let >= 5 && let < 10);
	CU_ASSERT_EQUAL(kernel_counter(&rig.kernel, slot).dropped, dropped + 50 - let);
	CU_ASSERT(send_new(&later, 8999) < RIG_MANY_COUNT);
	nothing_is_said();
}

static void start(void)
{
	rig_start(&rig, 1u << 16);
}

static void stop(void)
{
	rig_stop(&rig);
}

GPC_UNIT_MAIN("bpf/choose", {"start", start},
	      {"a_drained_endpoint_gets_no_new_flows_and_keeps_its_own",
	       a_drained_endpoint_gets_no_new_flows_and_keeps_its_own},
	      {"an_override_ends_at_its_time", an_override_ends_at_its_time},
	      {"a_backend_is_settled_by_a_packet", a_backend_is_settled_by_a_packet},
	      {"the_endpoint_goes_before_the_backend", the_endpoint_goes_before_the_backend},
	      {"a_weight_override_moves_its_share", a_weight_override_moves_its_share},
	      {"tcp_stays_with_an_endpoint_that_is_down_and_udp_moves",
	       tcp_stays_with_an_endpoint_that_is_down_and_udp_moves},
	      {"a_split_has_its_shares", a_split_has_its_shares},
	      {"nobody_left_fails_over", nobody_left_fails_over},
	      {"clients_keep_their_endpoint", clients_keep_their_endpoint},
	      {"hashes_look_at_what_they_are_told", hashes_look_at_what_they_are_told},
	      {"a_flood_of_syns_leaves_room_for_who_answers",
	       a_flood_of_syns_leaves_room_for_who_answers},
	      {"a_listeners_rate_is_charged_by_what_opens",
	       a_listeners_rate_is_charged_by_what_opens},
	      {"stop", stop})
