/* SPDX-License-Identifier: MIT */
/* sim_rig.h: planes from text in user space, one at a time, and packets by their fields. */
#ifndef GPC_TESTS_SIM_RIG_H
#define GPC_TESTS_SIM_RIG_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loader/sim/frame.h"
#include "loader/sim/sim.h"
#include "tests/bpf/linked.h"
#include "tests/unit/unit.h"

enum { WAN0, LAN0, DEVICES };
static const char *const sim_devices[] = {"wan0", "lan0"};

static struct gpc_image image;
static struct gpc_sim *sim;
static struct gpc_failure failure;

static inline void close_plane(void)
{
	if (!sim)
		return;
	gpc_sim_close(sim);
	gpc_image_release(&image);
	sim = NULL;
}

static inline void open_plane(const char *text)
{
	close_plane();
	image = linked_compile(text);
	CU_ASSERT_FATAL(
		!gpc_sim_open(GPC_SIM_USER, &image, sim_devices, DEVICES, &sim, &failure));
}

static inline struct gpc_prefix_value sim_address(const char *text)
{
	struct gpc_prefix_value value = {0};

	CU_ASSERT_EQUAL(gpc_prefix_parse(text, strlen(text), &value.prefix), GPC_IP_OK);
	return value;
}

static inline struct gpc_uint_value sim_number(uint64_t value)
{
	return (struct gpc_uint_value){.set = true, .value = value};
}

/* 0 and NULL: what is usual. */
struct packet {
	const char *from, *to;
	uint16_t sport, dport;
	uint8_t protocol, flags;
	uint16_t payload; /* bytes */
};

static inline size_t build(const struct packet *p, uint8_t frame[GPC_FRAME_MAX])
{
	struct gpc_send_intent intent = {
		.in = {.text = "wan0"},
		.from = sim_address(p->from ? p->from : "198.51.100.1"),
		.to = sim_address(p->to ? p->to : "192.0.2.1"),
		.protocol = sim_number(p->protocol ? p->protocol : IPPROTO_TCP),
		.sport = sim_number(p->sport ? p->sport : 40000),
		.dport = sim_number(p->dport ? p->dport : 80),
		.payload = sim_number(p->payload),
		.tcp_flags = sim_number(p->flags ? p->flags : GPC_ASK_SYN)};

	return gpc_frame_build(&intent, frame);
}

/* By wan0, from the wire. */
static inline struct gpc_sim_outcome sent(const struct packet *p)
{
	static uint8_t frame[GPC_FRAME_MAX];
	const struct gpc_sim_send send = {.frame = frame,
					  .size = build(p, frame),
					  .device = WAN0,
					  .direction = GPC_INGRESS,
					  .repeat = 1};
	struct gpc_sim_outcome outcome = {.reason = GPC_REASON_COUNT};

	CU_ASSERT(!gpc_sim_send(sim, &send, &outcome, &failure));
	return outcome;
}

#endif
