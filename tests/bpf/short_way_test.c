// SPDX-License-Identifier: MIT
/*
 * gpc_fast() decides what the whole way decides. Each packet of a new flow goes twice, once while policies audit: then
 * gpc_fast() is not asked, and a plane without policies does not care otherwise. Bytes, verdict, counters, the
 * entry, budgets and what is known of the next hop must be the same. Which way a packet took shows in the case,
 * of which the short one writes less.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <err.h>
#include <linux/bpf.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "loader/sim/host.h"
#include "policy_rig.h"
#include "tests/unit/unit.h"

#define PACKETS 4000u
#define OBJECTS 40u
#define BUDGETS 6u
#define SECOND	1000000000ull
#define POISON	0xa5

#define BOTH(n) "{name: both" n ", address: [10.0.1." n ", \"fd00:1::" n "\"]}"
#define SIX(n)	"{name: six" n ", address: \"fd00:6::" n "\"}"

static const char plane[] =
	"apiVersion: gpc/v1\n"
	"kind: Plane\n"
	"metadata: {name: test}\n"
	"defaults: {flow-inserts: 1/s}\n"
	"interfaces: [{name: wan0, mode: any}]\n"
	"backends:\n"
	"  - {name: both, endpoints: [" BOTH("1") ", " BOTH("2") ", " BOTH("3") ", " BOTH("4") "]}\n"
	"  - {name: six, endpoints: [" SIX("1") ", " SIX("2") ", " SIX("3") "]}\n"
	"  - {name: gone, endpoints: [{name: one, address: [10.0.2.1, \"fd00:2::1\"], state: drain}]}\n"
	"listeners:\n"
	"  - {name: a, address: [203.0.113.1, \"2001:db8::1\"], protocol: TCP, port: 80, backend: both}\n"
	"  - {name: b, address: [203.0.113.1, \"2001:db8::1\"], protocol: UDP, port: 53, backend: both}\n"
	"  - {name: c, address: [203.0.113.2, \"2001:db8::2\"], protocol: TCP, port: 80, forward: dsr, backend: both}\n"
	"  - {name: d, address: [203.0.113.3, \"2001:db8::3\"], protocol: TCP, port: 80, backend: six}\n"
	"  - {name: e, address: [203.0.113.4, \"2001:db8::4\"], protocol: TCP, port: 80, hash: source-ip, backend: both}\n"
	"  - {name: f, address: [203.0.113.5, \"2001:db8::5\"], protocol: TCP, port: 80, affinity: source-ip, backend: both}\n"
	"  - {name: g, address: [203.0.113.6, \"2001:db8::6\"], protocol: TCP, port: 80, backend: gone}\n"
	"  - {name: h, address: [203.0.113.7, \"2001:db8::7\"], protocol: TCP, port: 80,\n"
	"     split: [{backend: both, weight: 1}, {backend: six, weight: 1}]}\n"
	"  - {name: i, address: [203.0.113.8, \"2001:db8::8\"], protocol: TCP, port: 80, backend: both,\n"
	"     rate: {limit: 1/s, burst: 1000000}}\n"
	"  - {name: j, address: [203.0.113.9, \"2001:db8::9\"], protocol: TCP, port: 80, forward: gue, backend: both}\n"
	"  - {name: k, address: [203.0.113.10, \"2001:db8::a\"], protocol: TCP, port: 80-81, backend: both}\n";

#define ADDRESSES 10u
#define SHORT	  3u /* listeners of so many addresses may take the short way */

static struct gpc_image image;
static int cases, budgets;
static size_t case_size;
static uint64_t seed = 1;

static uint32_t random_below(uint32_t n)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)((seed >> 33) % n);
}

static uint64_t coarse_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

static void *of_each_cpu(size_t size)
{
	void *bytes = calloc(policy_kernel()->cpus, (size + 7) / 8 * 8);

	if (!bytes)
		err(1, "values of all CPUs");
	return bytes;
}

/* ---- what there was before a packet ---- */

/* Of the plane's maps before a packet. */
struct start {
	uint64_t credit, idle; /* of all budgets, and for how long; idle 0: they never were asked */
	bool asked;	       /* the way to endpoints was asked for just now */
	bool active;	       /* an operator says something of backend `both` */
};

static void set_budgets(const struct start *start, uint64_t now)
{
	uint64_t *values = of_each_cpu(16);

	for (uint32_t i = 0; i < policy_kernel()->cpus; i++) {
		values[2 * i] = start->credit;
		values[2 * i + 1] = start->idle ? now - start->idle : 0;
	}
	for (uint32_t i = 0; i < BUDGETS; i++)
		if (bpf_map_update_elem(budgets, &i, values, BPF_ANY))
			err(1, "set a budget");
	free(values);
}

static void set_out(const struct start *start)
{
	struct gpc_backend_state backend = {.flags = start->active ? GPC_BACKEND_ACTIVE : 0,
					    .step = {{0, 65536}}};
	struct gpc_endpoint_state drained = {.state = start->active ? 1 + GPC_STATE_DRAIN : 0};
	struct gpc_next next = gpc_sim_hop();
	uint8_t *poison = of_each_cpu(case_size);
	uint64_t now = coarse_now();
	uint32_t which = GPC_HOOK_ID_XDP;

	kernel_forget_flows(policy_kernel());
	set_budgets(start, now);
	next.checked = start->asked ? now & ~GPC_NEXT_REFUSED : 0;
	kernel_next(policy_kernel(), 0, next);
	kernel_backend_state(policy_kernel(), gpc_sim_backend_counter(&image, 0), &backend);
	kernel_endpoint_state(policy_kernel(), gpc_sim_endpoint_counter(&image, 1), &drained);
	memset(poison, POISON, policy_kernel()->cpus * ((case_size + 7) / 8 * 8));
	if (bpf_map_update_elem(cases, &which, poison, BPF_ANY))
		err(1, "poison the cases");
	free(poison);
}

/* ---- what is there behind it ---- */

struct outcome {
	struct gpc_counter counter[OBJECTS];
	uint64_t reason[GPC_REASON_COUNT];
	uint64_t credit[BUDGETS]; /* over all CPUs */
	struct gpc_flow entry;
	uint32_t entries, size;
	bool asked;
	int action;
	uint8_t bytes[KERNEL_FRAME_MAX];
	size_t left; /* of the poison */
};

static struct outcome *reading;

static bool read_entry(struct gpc_flow *flow)
{
	reading->entry = *flow;
	reading->entries++;
	return false;
}

static void read_budgets(struct outcome *ret)
{
	uint64_t *values = of_each_cpu(16);

	for (uint32_t i = 0; i < BUDGETS; i++) {
		if (bpf_map_lookup_elem(budgets, &i, values))
			err(1, "read a budget");
		ret->credit[i] = 0;
		for (uint32_t cpu = 0; cpu < policy_kernel()->cpus; cpu++)
			ret->credit[i] += values[2 * cpu];
	}
	free(values);
}

static void read_counters(struct outcome *ret)
{
	for (uint32_t i = 0; i < OBJECTS; i++)
		ret->counter[i] = kernel_counter(policy_kernel(), GPC_COUNTER_FIRST_OBJECT + i);
	for (int i = 0; i < GPC_REASON_COUNT; i++)
		ret->reason[i] = kernel_reason(policy_kernel(), GPC_HOOK_ID_XDP, (enum gpc_reason)i);
}

static size_t poison_left(void)
{
	uint32_t which = GPC_HOOK_ID_XDP;
	uint8_t *poison = of_each_cpu(case_size);
	size_t left = 0;

	if (bpf_map_lookup_elem(cases, &which, poison))
		err(1, "read the cases");
	for (size_t i = 0; i < policy_kernel()->cpus * ((case_size + 7) / 8 * 8); i++)
		left += poison[i] == POISON;
	free(poison);
	return left;
}

/* *ret counts what this packet has changed. */
static void send(const struct start *start, const struct frame *frame, uint64_t flags, struct outcome *ret)
{
	struct kernel_run run = {.in = frame->bytes, .in_size = frame->size, .out = ret->bytes};
	struct outcome before;

	memset(ret, 0, sizeof(*ret));
	set_out(start);
	read_counters(&before);
	kernel_control(policy_kernel(), flags);
	kernel_run(policy_kernel(), KERNEL_XDP, &run);
	ret->action = run.action;
	ret->size = run.out_size;
	read_counters(ret);
	for (uint32_t i = 0; i < OBJECTS; i++) {
		ret->counter[i].packets -= before.counter[i].packets;
		ret->counter[i].bytes -= before.counter[i].bytes;
		ret->counter[i].flows -= before.counter[i].flows;
		ret->counter[i].dropped -= before.counter[i].dropped;
	}
	for (int i = 0; i < GPC_REASON_COUNT; i++)
		ret->reason[i] -= before.reason[i];
	read_budgets(ret);
	reading = ret;
	kernel_each_flow(policy_kernel(), false, read_entry);
	kernel_each_flow(policy_kernel(), true, read_entry);
	ret->entry.last_seen = 0;
	ret->asked = kernel_read_next(policy_kernel(), 0).checked != 0;
	ret->left = poison_left();
}

/* ---- packets ---- */

/* A packet of a flow that has no entry. */
static void random_frame(struct frame *ret, uint32_t *ret_listener)
{
	static const uint8_t flags[] = {SYN, ACK, ACK, SYN | ACK, FIN | ACK, RST, PSH | ACK};
	static char from[40], to[40];
	bool v6 = random_below(2);
	struct frame_spec spec = {.from = from, .to = to, .flags = flags[random_below(sizeof(flags))],
				  .source_port = (uint16_t)(1 + random_below(65535)),
				  .payload = (uint16_t)(12 + random_below(100)), /* less UDP is not plain */
				  .tos = (uint8_t)random_below(256),
				  .id = (uint16_t)random_below(65536),
				  .may_fragment = random_below(2)};

	*ret_listener = 1 + (random_below(2) ? random_below(SHORT) : random_below(ADDRESSES));
	snprintf(from, sizeof(from), v6 ? "2001:db8:10::%x" : "198.51.100.%u", random_below(256));
	snprintf(to, sizeof(to), v6 ? "2001:db8::%x" : "203.0.113.%u", *ret_listener);
	if (*ret_listener == 1 && random_below(2)) {
		spec.protocol = UDP;
		spec.port = 53;
	}
	if (!random_below(20))
		spec.payload = (uint16_t)(1420 + random_below(60));
	if (!random_below(8))
		spec.padding = (uint16_t)random_below(20);
	frame_build(&spec, ret);
}

static struct start random_start(void)
{
	const uint64_t one = SECOND; /* what an entry costs with one CPU */
	const struct start all[] = {{.credit = 0, .idle = 1},
				    {.credit = 0, .idle = 1},
				    {.credit = one / 2, .idle = 1},
				    {.credit = 3 * one, .idle = 1},
				    {.credit = 0, .idle = 5 * SECOND},
				    {.idle = 0}};
	struct start start = all[random_below(sizeof(all) / sizeof(*all))];

	start.asked = random_below(8);
	start.active = !random_below(4);
	return start;
}

/* But for what came in between the two. */
static bool same_budgets(const struct outcome *a, const struct outcome *b)
{
	for (uint32_t i = 0; i < BUDGETS; i++)
		if (llabs((long long)(a->credit[i] - b->credit[i])) > (long long)SECOND / 4)
			return false;
	return true;
}

static bool same_change(const struct outcome *a, const struct outcome *b)
{
	return a->action == b->action && a->size == b->size && !memcmp(a->bytes, b->bytes, a->size) &&
	       !memcmp(a->counter, b->counter, sizeof(a->counter)) &&
	       !memcmp(a->reason, b->reason, sizeof(a->reason)) &&
	       same_budgets(a, b) && a->entries == b->entries &&
	       !memcmp(&a->entry, &b->entry, sizeof(a->entry)) && a->asked == b->asked;
}

static void compare_ways(void)
{
	unsigned int wrong = 0, taken = 0, entered = 0, missed = 0;
	static struct outcome fast, whole;

	for (unsigned int i = 0; i < PACKETS; i++) {
		struct start start = random_start();
		struct frame frame;
		uint32_t listener;
		bool shorter, ought;

		random_frame(&frame, &listener);
		send(&start, &frame, 0, &fast);
		send(&start, &frame, GPC_CTL_AUDIT, &whole);
		shorter = fast.left > whole.left + 8; /* a time may look like poison */
		ought = listener <= SHORT && start.asked && !whole.entries &&
			(!start.active || listener == SHORT) && whole.reason[GPC_REASON_FORWARDED];
		taken += shorter;
		entered += whole.entries;
		missed += ought != shorter;
		if (same_change(&fast, &whole))
			continue;
		if (wrong++ < 5) {
			printf("packet %u to listener %u: action %d and %d, entries %u and %u\n", i, listener,
			       fast.action, whole.action, fast.entries, whole.entries);
			frame_show("short way, whole way", fast.bytes, fast.size, whole.bytes, whole.size);
		}
	}
	printf("short way: %u packets, %u went it, %u entered a flow; %u differ, %u went the wrong way\n",
	       PACKETS, taken, entered, wrong, missed);
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_EQUAL(missed, 0);
	CU_ASSERT(taken > PACKETS / 10);
	CU_ASSERT(entered > PACKETS / 10);
}

/* ---- all of it ---- */

static int map_of(const char *name, size_t *ret_size)
{
	struct bpf_map *map = bpf_object__find_map_by_name(policy_kernel()->object, name);

	if (!map)
		errx(1, "the object has no map '%s'", name);
	*ret_size = bpf_map__value_size(map);
	return bpf_map__fd(map);
}

static void stay_on_one_cpu(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET((size_t)sched_getcpu(), &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		err(1, "stay on one CPU");
}

static void new_flows_go_the_same_either_way(void)
{
	struct policy_link link = {.slot = 0, .generation = 1};
	size_t budget_size;

	stay_on_one_cpu();
	policy_start();
	image = policy_compile(plane);
	policy_install(&image, &link);
	cases = map_of("gpc_cases", &case_size);
	budgets = map_of("gpc_budget", &budget_size);
	CU_ASSERT_EQUAL_FATAL(budget_size, 16);
	compare_ways();
	gpc_image_release(&image);
	policy_stop();
}

GPC_UNIT_MAIN("bpf/short_way", {"new_flows_go_the_same_either_way", new_flows_go_the_same_either_way})
