// SPDX-License-Identifier: MIT
/*
 * The lookups of bpf/include/gpc/lookup/ in user space and in the kernel: the same listener and the
 * same endpoint for every one of 120,000 random flows, most of them for a listener.
 */
#include <arpa/inet.h>
#include <linux/bpf.h>
#include <string.h>

#include "rig.h"
#include "tests/unit/unit.h"

#define FLOWS 120000

static struct rig rig;
static uint64_t seed = 42;

/* xorshift64*: the same flows in every run. */
static uint32_t number(void)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (uint32_t)(seed * 0x2545f4914f6cdd1dull >> 32);
}

/* A frame of this family and protocol, to be filled with addresses and ports. */
static void template(struct frame *frame, bool v6, uint8_t protocol)
{
	struct frame_spec spec = {.to = v6 ? "::1" : "192.0.2.1", .protocol = protocol};

	frame_build(&spec, frame);
}

/* Near a listener: one time in eight each another protocol, address or port than its own. */
static struct gpc_tuple random_tuple(const struct plane_listener *l, bool v6)
{
	struct gpc_tuple t = {.protocol = l->protocol,
			      .source_port = (uint16_t)number(),
			      .destination_port = htons(l->port)};

	t.source[0] = v6 ? (uint64_t)number() << 32 | number() : 0;
	t.source[1] = v6 ? (uint64_t)number() << 32 | number() : gpc_mapped_v4(number());
	memcpy(t.destination, l->address.bytes, 16);
	if (number() % 8 == 0)
		t.protocol = t.protocol == TCP ? UDP : TCP;
	if (number() % 8 == 0)
		t.destination_port = (uint16_t)number();
	if (number() % 8 == 0)
		t.destination[1] =
			v6 ? (uint64_t)number() << 32 | number() : gpc_mapped_v4(number());
	return t;
}

static void fill(struct frame *frame, bool v6, const struct gpc_tuple *t)
{
	uint8_t *ip = frame->bytes + frame->l3, *l4 = ip + (v6 ? 40 : 20);

	memcpy(ip + (v6 ? 8 : 12), (const uint8_t *)t->source + (v6 ? 0 : 12), v6 ? 16 : 4);
	memcpy(ip + (v6 ? 24 : 16), (const uint8_t *)t->destination + (v6 ? 0 : 12), v6 ? 16 : 4);
	memcpy(l4, &t->source_port, 2);
	memcpy(l4 + 2, &t->destination_port, 2);
}

/* What user space says: an endpoint, GPC_NONE for a drop, RIG_NEXT for a packet that is not for a
 * listener. */
static uint32_t in_user_space(bool v6, const struct gpc_tuple *t)
{
	struct gpc_view view = rig_view(&rig);
	uint32_t listener = gpc_vip_listener(view, t->destination[0], t->destination[1],
					     t->destination_port, t->protocol, 1),
		 endpoint;

	if (listener == GPC_NONE)
		return RIG_NEXT;
	endpoint = gpc_endpoint_by_hash(view, &gpc_listener_at(view, listener)->table[v6],
					gpc_flow_hash(gpc_view_plane(view)->hash_seed, t, 0));
	return endpoint == RIG_NO_HOP || endpoint == RIG_NO_SOURCE || endpoint == RIG_STRAY
		       ? GPC_NONE
		       : endpoint;
}

static uint32_t in_the_kernel(const struct frame *frame)
{
	uint8_t out[KERNEL_FRAME_MAX];
	struct kernel_run run = {.in = frame->bytes, .in_size = frame->size, .out = out};

	kernel_run(&rig.kernel, KERNEL_XDP, &run);
	if (run.action == XDP_TX || run.action == XDP_REDIRECT)
		return (out[5] - 0x40u) / 2;
	return run.action == XDP_PASS ? RIG_NEXT : GPC_NONE;
}

static void random_flows_agree(void)
{
	uint32_t wrong = 0, balanced = 0, used[RIG_NEXT + 1] = {};
	struct frame frames[2][2];

	for (int v6 = 0; v6 < 2; v6++) {
		template(&frames[v6][0], v6, TCP);
		template(&frames[v6][1], v6, UDP);
	}
	for (int i = 0; i < FLOWS; i++) {
		const struct plane_listener *l =
			&rig.plane.listeners[number() % rig.plane.listener_count];
		bool v6 = l->address.bytes[0] == 0x20;
		struct gpc_tuple t = random_tuple(l, v6);
		bool udp = t.protocol == UDP;
		uint32_t user, kernel;

		fill(&frames[v6][udp], v6, &t);
		user = in_user_space(v6, &t);
		kernel = in_the_kernel(&frames[v6][udp]);
		wrong += user != kernel;
		balanced += user < RIG_NEXT;
		used[user < RIG_NEXT ? user : RIG_NEXT]++;
	}
	printf("%d random flows, %u balanced, %u different\n", FLOWS, balanced, wrong);
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT(balanced > FLOWS / 3 && balanced < FLOWS);
	for (uint32_t e = RIG_MANY; e < RIG_MANY + RIG_MANY_COUNT; e++)
		CU_ASSERT(used[e] > 0);
}

static void start(void)
{
	rig_start(&rig, 1024);
	rig.plane.flow_inserts = 0; /* each packet is a new flow */
	rig_install(&rig, 0);
}

static void stop(void)
{
	rig_stop(&rig);
}

GPC_UNIT_MAIN("bpf/lookup", {"start", start}, {"random_flows_agree", random_flows_agree},
	      {"stop", stop})
