// SPDX-License-Identifier: MIT
/* Events: every field, the limits of a CPU, a rule's sample and rate, and what is lost. */
#include <arpa/inet.h>
#include <linux/bpf.h>
#include <sched.h>

#include "staged.h"
#include "tests/unit/unit.h"

#define SECOND 1000000000ull

static struct stages *stages;
static struct ring_buffer *ring;
static struct gpc_event last;
static int seen;

static int take(void *context, void *data, size_t size)
{
	(void)context;
	CU_ASSERT_EQUAL(size, sizeof(last));
	memcpy(&last, data, sizeof(last));
	seen++;
	return 0;
}

static void start(void)
{
	stages = staged_open();
	ring = ring_buffer__new(bpf_map__fd(stages->maps.gpc_events), take, NULL, NULL);
	if (!ring)
		err(1, "open the ring");
}

static void stop(void)
{
	ring_buffer__free(ring);
	stages__destroy(stages);
}

/* How many events there were since it was last asked. */
static int consumed(void)
{
	seen = 0;
	if (ring_buffer__consume(ring) < 0)
		err(1, "read the ring");
	return seen;
}

static void run(const struct bpf_program *program, const struct stages_ask *ask)
{
	staged_ask(stages, ask);
	CU_ASSERT_EQUAL(staged_run(program, NULL, NULL), 0);
}

static struct stages_ask full(void)
{
	struct stages_ask ask = {
		.question = {.source = {1, 2},
			     .destination = {3, 4},
			     .source_port = 40000,
			     .destination_port = 443,
			     .vlan = 101,
			     .protocol = TCP,
			     .tcp_flags = GPC_ASK_SYN,
			     .dscp = 46,
			     .fragment = GPC_FRAGMENT_FIRST},
		.rule = {.id = 0x1111, .action = GPC_ACTION_REJECT},
		.policy = 0x2222,
		.now = 1000 * SECOND,
		.frame = 1514,
		.ifindex = 7,
		.generation = 29,
		.hook = GPC_HOOK_ID_TC_EGRESS,
		.tcp_flags = SYN | 0x40,
		.type = GPC_EVENT_WOULD_DENY,
		.reason = GPC_REASON_POLICY,
		.which = GPC_LIMIT_EVENT_DENY,
	};

	return ask;
}

static void every_field_is_told(void)
{
	struct stages_ask ask = full();
	struct gpc_event want = {.time = 1000 * SECOND,
				 .rule = 0x1111,
				 .policy = 0x2222,
				 .source = {[0] = 1, [8] = 2},
				 .destination = {[0] = 3, [8] = 4},
				 .source_port = htons(40000),
				 .destination_port = htons(443),
				 .ifindex = 7,
				 .length = 1514,
				 .generation = 29,
				 .type = GPC_EVENT_WOULD_DENY,
				 .hook = GPC_HOOK_ID_TC_EGRESS,
				 .action = GPC_ACTION_REJECT,
				 .reason = GPC_REASON_POLICY,
				 .protocol = TCP,
				 .tcp_flags = SYN | 0x40,
				 .fragment = GPC_FRAGMENT_FIRST,
				 .dscp = 46,
				 .vlan = 101,
				 .sample = 1};

	run(stages->progs.event_at_xdp, &ask);
	CU_ASSERT_EQUAL(consumed(), 1);
	CU_ASSERT(memcmp(&last, &want, sizeof(want)) == 0);
	ask.question.source_port = GPC_PORT_NONE;
	ask.question.destination_port = 8 << 8 | 0;
	ask.rule.log_sample = 1;
	ask.rule.log_rate = 100;
	want.source_port = 0;
	want.destination_port = htons(0x0800);
	want.type = GPC_EVENT_LOG;
	run(stages->progs.log_at_xdp, &ask);
	CU_ASSERT_EQUAL(consumed(), 1);
	CU_ASSERT(memcmp(&last, &want, sizeof(want)) == 0);
}

/* 1000 at one instant and each second: what is more is counted, the other limit is its own. */
static void a_cpu_has_limits(void)
{
	struct stages_ask ask = full();
	int events = 0;
	struct gpc_limiter was = staged_limiter(stages, GPC_LIMIT_EVENT_DENY), is;

	ask.now = 2000 * SECOND;
	for (int i = 0; i < 1100; i++) {
		run(stages->progs.event_at_xdp, &ask);
		events += consumed();
	}
	CU_ASSERT_EQUAL(events, 1000);
	is = staged_limiter(stages, GPC_LIMIT_EVENT_DENY);
	CU_ASSERT_EQUAL(is.let - was.let, 1000);
	CU_ASSERT_EQUAL(is.kept - was.kept, 100);
	CU_ASSERT_EQUAL(is.lost, was.lost);
	ask.which = GPC_LIMIT_EVENT_FLOW;
	ask.type = GPC_EVENT_FLOW;
	run(stages->progs.event_at_xdp, &ask);
	CU_ASSERT_EQUAL(consumed(), 1);
	CU_ASSERT_EQUAL(last.type, GPC_EVENT_FLOW);
	ask.which = GPC_LIMIT_EVENT_DENY;
	ask.now += SECOND / 100;
	for (int i = 0; i < 50; i++)
		run(stages->progs.event_at_xdp, &ask);
	CU_ASSERT_EQUAL(consumed(), 10);
}

static void a_full_ring_is_counted(void)
{
	struct stages_ask ask = full();
	struct gpc_limiter was, is;

	ask.now = 3000 * SECOND;
	was = staged_limiter(stages, GPC_LIMIT_EVENT_DENY);
	for (int i = 0; i < 100; i++)
		run(stages->progs.event_at_xdp, &ask);
	is = staged_limiter(stages, GPC_LIMIT_EVENT_DENY);
	CU_ASSERT_EQUAL(is.let - was.let, 100);
	CU_ASSERT_EQUAL(is.lost - was.lost, 100 - STAGED_RING_EVENTS);
	CU_ASSERT_EQUAL(consumed(), STAGED_RING_EVENTS);
	run(stages->progs.event_at_xdp, &ask);
	CU_ASSERT_EQUAL(consumed(), 1);
}

static struct gpc_rule_counter log_counter(void)
{
	struct gpc_rule_counter each[1024] = {}, sum = {};
	uint32_t zero = 0;

	if (libbpf_num_possible_cpus() > 1024 ||
	    bpf_map_lookup_elem(bpf_map__fd(stages->maps.gpc_rules), &zero, each))
		err(1, "read a rule's counter");
	for (int i = 0; i < libbpf_num_possible_cpus(); i++)
		sum.log_lost += each[i].log_lost;
	return sum;
}

static void a_rule_without_log_is_silent(void)
{
	struct stages_ask ask = full();

	run(stages->progs.log_at_xdp, &ask);
	CU_ASSERT_EQUAL(consumed(), 0);
}

/* One of five, each saying that it stands for five; and no more than the rate. */
static void a_log_has_sample_and_rate(void)
{
	struct stages_ask ask = full();
	uint64_t lost = log_counter().log_lost;
	int events = 0;

	ask.now = 4000 * SECOND;
	ask.rule.log_sample = 5;
	ask.rule.log_rate = 10;
	for (int i = 0; i < 100; i++) {
		run(stages->progs.log_at_xdp, &ask);
		events += consumed();
	}
	CU_ASSERT_EQUAL(events, 10);
	CU_ASSERT_EQUAL(last.sample, 5);
	CU_ASSERT_EQUAL(log_counter().log_lost - lost, 10);
	ask.now += SECOND / 5;
	for (int i = 0; i < 100; i++)
		run(stages->progs.log_at_xdp, &ask);
	CU_ASSERT_EQUAL(consumed(), 2);
	CU_ASSERT_EQUAL(log_counter().log_lost - lost, 28);
}

/* The test must not move between CPUs: their limits and samples are apart. */
static void on_one_cpu(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	CU_ASSERT(!sched_setaffinity(0, sizeof(one), &one));
	start();
}

GPC_UNIT_MAIN("bpf/event", {"on_one_cpu", on_one_cpu}, {"every_field_is_told", every_field_is_told},
	      {"a_cpu_has_limits", a_cpu_has_limits},
	      {"a_full_ring_is_counted", a_full_ring_is_counted},
	      {"a_rule_without_log_is_silent", a_rule_without_log_is_silent},
	      {"a_log_has_sample_and_rate", a_log_has_sample_and_rate}, {"stop", stop})
