// SPDX-License-Identifier: MIT
/*
 * The table of busy flows: it says for a second what the flow's entry said, and no longer than that entry, the
 * image and the operator say the same.
 */
#include <arpa/inet.h>
#include <err.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "rig.h"
#include "tests/unit/unit.h"

#define VIP "203.0.113.30" /* of RIG_MANY, TCP and UDP */
#define CLIENT "198.51.100.50"
#define WAYS 4u

/* Of a line: keys, then what is said of them, above 16 bits what is no claim. */
struct line {
	uint64_t key[WAYS], what[WAYS];
};

static struct rig rig;
static const struct frame_spec data = {.from = CLIENT, .to = VIP};
static const struct frame_spec opening = {.from = CLIENT, .to = VIP, .flags = SYN};
static const struct frame_spec closing = {.from = CLIENT, .to = VIP, .flags = FIN | ACK};
static const struct frame_spec reset = {.from = CLIENT, .to = VIP, .flags = RST};

#define SECOND (1ull << 30) /* of the programs' clock, ns */

static uint64_t coarse_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static void end_second(void)
{
	const struct timespec pause = {.tv_nsec = 5000000};
	uint64_t before = coarse_now() / SECOND;

	while (coarse_now() / SECOND == before)
		nanosleep(&pause, NULL);
}

/* What follows, some packets, has most of a second. */
static void have_time(void)
{
	if (coarse_now() % SECOND > SECOND / 3)
		end_second();
}

/* The endpoint's number among RIG_MANY's; GPC_NONE: the packet went nowhere. */
static uint32_t sent_to(const struct frame_spec *spec)
{
	uint32_t endpoint = rig_sent_to(&rig, spec);

	return endpoint == GPC_NONE ? GPC_NONE : endpoint - RIG_MANY;
}

static uint32_t shown(void)
{
	const struct line *lines = rig.kernel.busy;
	uint32_t count = 0;

	for (size_t i = 0; i < rig.kernel.busy_size / sizeof(*lines); i++)
		for (uint32_t way = 0; way < WAYS; way++)
			count += lines[i].what[way] >> 16 != 0;
	return count;
}

static uint32_t claimed(void)
{
	const struct line *lines = rig.kernel.busy;
	uint32_t count = 0;

	for (size_t i = 0; i < rig.kernel.busy_size / sizeof(*lines); i++)
		for (uint32_t way = 0; way < WAYS; way++)
			count += lines[i].what[way] && !(lines[i].what[way] >> 16);
	return count;
}

/* The only flow's entry. */
static struct gpc_flow *the_entry(void)
{
	const struct gpc_flow_table *table = &rig.kernel.flows[GPC_V4];

	for (uint32_t set = 0; set < table->sets; set++)
		for (uint32_t way = 0; way < GPC_FLOW_WAYS; way++) {
			struct gpc_flow *flow = gpc_flow_table_value(table, set, way);

			if (flow)
				return flow;
		}
	errx(1, "no flow has an entry");
}

static void state_of(uint32_t endpoint, struct gpc_endpoint_state state)
{
	kernel_endpoint_state(&rig.kernel, rig.endpoints[RIG_MANY + endpoint].counter, &state);
}

static void backend_is(struct gpc_backend_state state)
{
	kernel_backend_state(&rig.kernel, plane_backend_slot(RIG_MANY), &state);
}

static void begin(void)
{
	for (uint32_t i = 0; i < RIG_MANY_COUNT; i++)
		state_of(i, (struct gpc_endpoint_state){0});
	backend_is((struct gpc_backend_state){0});
	rig.plane.flow_inserts = 1u << 31;
	rig_install(&rig, 0);
	kernel_control(&rig.kernel, 0);
	kernel_forget_flows(&rig.kernel);
	have_time();
}

/* The flow is known, and busy. */
static uint32_t keep_busy(void)
{
	uint32_t mine = sent_to(&data);

	CU_ASSERT_FATAL(mine < RIG_MANY_COUNT);
	CU_ASSERT_EQUAL(sent_to(&data), mine);
	CU_ASSERT_EQUAL(shown(), 1);
	CU_ASSERT_EQUAL(sent_to(&data), mine);
	CU_ASSERT_EQUAL(shown(), 1);
	return mine;
}

/* As nobody may write it: who asks the entry goes to another endpoint from now on. */
static uint32_t turn_entry(uint32_t mine)
{
	uint32_t other = (mine + 1) % RIG_MANY_COUNT;
	struct gpc_flow *flow = the_entry();

	flow->endpoint = rig.endpoints[RIG_MANY + other].id;
	flow->hint = (uint16_t)(RIG_MANY + other);
	return other;
}

/* ---- the second ---- */

static void it_is_believed_for_the_second(void)
{
	uint32_t mine, other;

	begin();
	mine = keep_busy();
	other = turn_entry(mine);
	CU_ASSERT_EQUAL(sent_to(&data), mine);
	end_second();
	CU_ASSERT_EQUAL(sent_to(&data), other);
	CU_ASSERT_EQUAL(the_entry()->last_seen, coarse_now() / SECOND);
	CU_ASSERT_EQUAL(sent_to(&data), other);
	CU_ASSERT_EQUAL(shown(), 1);
	turn_entry(other);
	CU_ASSERT_EQUAL(sent_to(&data), other);
}

static void what_opens_or_ends_a_flow_asks_the_entry(void)
{
	uint32_t mine;

	begin();
	mine = keep_busy();
	CU_ASSERT_EQUAL(sent_to(&closing), mine);
	CU_ASSERT_EQUAL(the_entry()->state, GPC_FLOW_CLOSING);
	CU_ASSERT_EQUAL(sent_to(&data), mine);
	CU_ASSERT_EQUAL(sent_to(&reset), mine);
	CU_ASSERT_EQUAL(the_entry()->state, GPC_FLOW_CLOSED);
}

static void the_first_answer_to_a_syn_establishes(void)
{
	begin();
	sent_to(&opening);
	CU_ASSERT_EQUAL(the_entry()->state, GPC_FLOW_SYN);
	sent_to(&opening);
	CU_ASSERT_EQUAL(shown(), 0);
	sent_to(&data);
	CU_ASSERT_EQUAL(the_entry()->state, GPC_FLOW_ESTABLISHED);
	sent_to(&data);
	CU_ASSERT_EQUAL(shown(), 1);
}

/* ---- what takes it back ---- */

static void a_flow_that_opens_again_is_forgotten(void)
{
	begin();
	keep_busy();
	sent_to(&closing);
	CU_ASSERT_EQUAL(shown(), 1);
	sent_to(&opening);
	CU_ASSERT_EQUAL(shown(), 0);
}

static void a_flow_that_moves_is_forgotten(void)
{
	uint32_t mine, other;

	begin();
	mine = keep_busy();
	state_of(mine, (struct gpc_endpoint_state){.state = 1 + GPC_STATE_MAINT});
	backend_is((struct gpc_backend_state){.flags = GPC_BACKEND_ACTIVE});
	other = sent_to(&data);
	CU_ASSERT_NOT_EQUAL(other, mine);
	CU_ASSERT_EQUAL(shown(), 0);
	state_of(mine, (struct gpc_endpoint_state){0});
	backend_is((struct gpc_backend_state){0});
	CU_ASSERT_EQUAL(sent_to(&data), other);
}

static void a_flow_whose_entry_is_deleted_is_forgotten(void)
{
	uint32_t mine, other;

	begin();
	mine = sent_to(&data);
	rig.plane.flow_inserts = 0; /* there is no entry for another endpoint */
	rig_install(&rig, 0);
	CU_ASSERT_EQUAL(sent_to(&data), mine);
	CU_ASSERT_EQUAL(shown(), 1);
	state_of(mine, (struct gpc_endpoint_state){.state = 1 + GPC_STATE_MAINT});
	backend_is((struct gpc_backend_state){.flags = GPC_BACKEND_ACTIVE});
	other = sent_to(&data);
	CU_ASSERT_NOT_EQUAL(other, mine);
	CU_ASSERT_EQUAL(kernel_flow_count(&rig.kernel, false), 0);
	CU_ASSERT_EQUAL(shown(), 0);
}

static void what_an_operator_says_counts_at_once(void)
{
	uint32_t mine;

	begin();
	mine = keep_busy();
	state_of(mine, (struct gpc_endpoint_state){.state = 1 + GPC_STATE_DRAIN});
	backend_is((struct gpc_backend_state){.flags = GPC_BACKEND_ACTIVE});
	CU_ASSERT_EQUAL(sent_to(&data), mine);
	state_of(mine, (struct gpc_endpoint_state){.state = 1 + GPC_STATE_MAINT});
	CU_ASSERT_NOT_EQUAL(sent_to(&data), mine);
}

static void another_image_asks_the_entry(void)
{
	uint32_t mine, other;

	begin();
	mine = keep_busy();
	rig.plane.generation++;
	rig_install(&rig, 1);
	CU_ASSERT_EQUAL(shown(), 0); /* the rig forgets */
	CU_ASSERT_EQUAL(sent_to(&data), mine);
	CU_ASSERT_EQUAL(shown(), 1);
	other = turn_entry(mine);
	CU_ASSERT_EQUAL(sent_to(&data), mine);
	kernel_control(&rig.kernel, 1ull << GPC_CTL_ACTIVE_SHIFT);
	CU_ASSERT_EQUAL(sent_to(&data), other);
	CU_ASSERT_EQUAL(sent_to(&data), other);
	rig.plane.generation--;
}

/* ---- many flows ---- */

enum { CLIENTS = 40, PORTS = 64, PACKETS = 200000 };

/* More flows than there are ways, alike but for one part: each keeps its endpoint, also where its line is full. */
static void flows_are_told_apart(void)
{
	static uint32_t had[CLIENTS][PORTS][2];
	uint64_t state = 7;
	uint32_t wrong = 0, most = 0;

	begin();
	memset(had, 0xff, sizeof(had));
	for (uint32_t i = 0; i < PACKETS; i++) {
		uint32_t client, port, udp, got, *known;
		struct frame_spec spec = data;
		char from[32];

		state = state * 6364136223846793005ull + 1442695040888963407ull;
		client = (uint32_t)(state >> 33) % CLIENTS;
		port = (uint32_t)(state >> 43) % PORTS;
		udp = state >> 63;
		snprintf(from, sizeof(from), "198.51.100.%u", 100 + client);
		spec.from = from;
		spec.source_port = (uint16_t)(30000 + port);
		spec.protocol = udp ? UDP : TCP;
		spec.port = udp ? 53 : 80;
		got = sent_to(&spec);
		known = &had[client][port][udp];
		if (*known == GPC_NONE)
			*known = got;
		wrong += got >= RIG_MANY_COUNT || got != *known;
		if (i % 20000 == 0) {
			uint32_t count = shown();

			most = count > most ? count : most;
		}
	}
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT(most > 100);
	CU_ASSERT_EQUAL(claimed(), 0);
}

/* ---- several CPUs ---- */

enum { SENDERS = 2, ROUNDS = 1500, MOVES = 6, PACKETS_A_ROUND = 30 };
static pthread_barrier_t barrier;

static void *send_along(void *unused)
{
	for (uint32_t round = 0; round < ROUNDS; round++) {
		pthread_barrier_wait(&barrier);
		for (int i = 0; i < PACKETS_A_ROUND; i++)
			sent_to(&data);
		pthread_barrier_wait(&barrier);
	}
	return unused;
}

static void move_about(void)
{
	for (int i = 0; i < MOVES; i++) {
		uint32_t mine = sent_to(&data);

		state_of(mine, (struct gpc_endpoint_state){.state = 1 + GPC_STATE_MAINT});
		backend_is((struct gpc_backend_state){.flags = GPC_BACKEND_ACTIVE});
		sent_to(&data);
		backend_is((struct gpc_backend_state){0});
		state_of(mine, (struct gpc_endpoint_state){0});
	}
}

/* Packets move a flow while others note where it goes: afterwards nothing else is noted than what the entry says. */
static void what_is_noted_while_it_changes_is_taken_back(void)
{
	pthread_t threads[SENDERS];
	uint32_t stale = 0, noted = 0;

	begin();
	sent_to(&data);
	pthread_barrier_init(&barrier, NULL, SENDERS + 1);
	for (int i = 0; i < SENDERS; i++)
		if (pthread_create(&threads[i], NULL, send_along, NULL))
			errx(1, "no thread");
	for (uint32_t round = 0; round < ROUNDS; round++) {
		pthread_barrier_wait(&barrier);
		move_about();
		pthread_barrier_wait(&barrier);
		noted += shown() != 0;
		stale += sent_to(&data) + RIG_MANY != the_entry()->hint;
	}
	for (int i = 0; i < SENDERS; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&barrier);
	CU_ASSERT_EQUAL(stale, 0);
	CU_ASSERT(noted > 0);
	CU_ASSERT_EQUAL(claimed(), 0);
}

static void start(void)
{
	rig_start(&rig, 4096);
}

static void stop(void)
{
	rig_stop(&rig);
}

GPC_UNIT_MAIN("bpf/busy", {"start", start},
	      {"it_is_believed_for_the_second", it_is_believed_for_the_second},
	      {"what_opens_or_ends_a_flow_asks_the_entry", what_opens_or_ends_a_flow_asks_the_entry},
	      {"the_first_answer_to_a_syn_establishes", the_first_answer_to_a_syn_establishes},
	      {"a_flow_that_opens_again_is_forgotten", a_flow_that_opens_again_is_forgotten},
	      {"a_flow_that_moves_is_forgotten", a_flow_that_moves_is_forgotten},
	      {"a_flow_whose_entry_is_deleted_is_forgotten",
	       a_flow_whose_entry_is_deleted_is_forgotten},
	      {"what_an_operator_says_counts_at_once", what_an_operator_says_counts_at_once},
	      {"another_image_asks_the_entry", another_image_asks_the_entry},
	      {"flows_are_told_apart", flows_are_told_apart},
	      {"what_is_noted_while_it_changes_is_taken_back",
	       what_is_noted_while_it_changes_is_taken_back},
	      {"stop", stop})
