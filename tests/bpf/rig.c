// SPDX-License-Identifier: MIT
#include "rig.h"

#include <arpa/inet.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ONE(i) (1ull << (i))

static const struct {
	uint32_t index;
	const char *address;
	uint16_t port;
	uint8_t protocol, forward;
	uint32_t backend;
	uint64_t interfaces;
} listeners[] = {
	{0, "203.0.113.1", 80, TCP, GPC_FORWARD_IPIP, RIG_V4, ONE(0)},
	{1, "203.0.113.1", 53, UDP, GPC_FORWARD_IPIP, RIG_V4, ONE(0)},
	{2, "203.0.113.2", 80, TCP, GPC_FORWARD_IPIP, RIG_V6, ONE(0)},
	{3, "2001:db8:ff::1", 80, TCP, GPC_FORWARD_IPIP, RIG_V6, ONE(0)},
	{4, "203.0.113.3", 80, TCP, GPC_FORWARD_DSR, RIG_V4, ONE(0)},
	{5, "2001:db8:ff::3", 80, TCP, GPC_FORWARD_DSR, RIG_V6, ONE(0)},
	{6, "203.0.113.4", 80, TCP, GPC_FORWARD_DSR, RIG_V6, ONE(0)},
	{7, "2001:db8:ff::4", 80, TCP, GPC_FORWARD_DSR, RIG_V4, ONE(0)},
	{8, "203.0.113.5", 80, TCP, GPC_FORWARD_IPIP, RIG_FAR, ONE(0)},
	{9, "2001:db8:ff::5", 80, TCP, GPC_FORWARD_IPIP, RIG_FAR, ONE(0)},
	{10, "203.0.113.6", 80, TCP, GPC_FORWARD_DSR, RIG_FAR, ONE(0)},
	{11, "203.0.113.7", 80, TCP, GPC_FORWARD_IPIP, RIG_EMPTY, ONE(0)},
	{12, "203.0.113.8", 80, TCP, GPC_FORWARD_IPIP, RIG_NO_HOP, ONE(0)},
	{13, "203.0.113.9", 80, TCP, GPC_FORWARD_IPIP, RIG_NO_SOURCE, ONE(0)},
	{14, "203.0.113.10", 80, TCP, GPC_FORWARD_IPIP, RIG_STRAY, ONE(0)},
	{15, "203.0.113.20", 80, TCP, GPC_FORWARD_IPIP, RIG_V4, ONE(1)},
	{16, "203.0.113.21", 80, TCP, GPC_FORWARD_DSR, RIG_V6, ONE(1)},
	{17, "203.0.113.21", 80, TCP, GPC_FORWARD_IPIP, RIG_V4, ONE(0)},
	{18, "203.0.113.21", 80, TCP, GPC_FORWARD_IPIP, RIG_FAR, ONE(2) | ONE(63)},
	{19, "203.0.113.30", 80, TCP, GPC_FORWARD_IPIP, RIG_MANY, ONE(0)},
	{20, "2001:db8:ff::30", 80, TCP, GPC_FORWARD_IPIP, RIG_MANY, ONE(0)},
	{21, "203.0.113.30", 53, UDP, GPC_FORWARD_DSR, RIG_MANY, ONE(0)},
	{22, "2001:db8:ff::1", 53, UDP, GPC_FORWARD_IPIP, RIG_V6, ONE(0)},
	{23, "203.0.113.22", 53, UDP, GPC_FORWARD_DSR, RIG_V4, ONE(0)},
	{24, "203.0.113.23", 80, TCP, GPC_FORWARD_IPIP, RIG_BOTH, ONE(0)},
	{25, "2001:db8:ff::23", 80, TCP, GPC_FORWARD_IPIP, RIG_BOTH, ONE(0)},
	{26, "2001:db8:ff::2", 80, TCP, GPC_FORWARD_IPIP, RIG_V4, ONE(0)},    /* nobody usable */
	{27, "198.51.100.7", 40000, TCP, GPC_FORWARD_IPIP, RIG_MANY, ONE(0)}, /* the usual client */
};
#define LISTENERS (sizeof(listeners) / sizeof(*listeners))

static struct plane_listener rows[LISTENERS];

void rig_hop_mac(uint32_t next_slot, uint8_t mac[6])
{
	memcpy(mac, (uint8_t[]){0x06, 0, 0, 0, 0, (uint8_t)(0x40 + next_slot)}, 6);
}

void rig_device_mac(uint32_t ifindex, uint8_t mac[6])
{
	memcpy(mac, (uint8_t[]){0x02, 0, 0, 0, 0, (uint8_t)ifindex}, 6);
}

static void add_endpoint(struct rig *rig, uint32_t backend, const char *v4, const char *v6)
{
	uint32_t i = (uint32_t)rig->plane.endpoint_count++;
	struct plane_endpoint *e = &rig->endpoints[i];

	*e = (struct plane_endpoint){.id = (i + 1) * 0x9e3779b97f4a7c15ull,
				     .backend = backend,
				     .has4 = v4,
				     .has6 = v6,
				     .counter = plane_listener_counter(LISTENERS) + i,
				     .next = {GPC_NONE, GPC_NONE},
				     .source4_be = htonl(0x0a0000fe),
				     .source6 = plane_address("2001:db8::fe")};
	if (v4) {
		e->address4 = plane_address(v4);
		e->next[GPC_V4] = 2 * i;
	}
	if (v6) {
		e->address6 = plane_address(v6);
		e->next[GPC_V6] = 2 * i + 1;
	}
}

static void add_endpoints(struct rig *rig)
{
	char v4[32], v6[32];

	add_endpoint(rig, RIG_V4, "10.0.1.1", NULL);
	add_endpoint(rig, RIG_V6, NULL, "2001:db8:1::1");
	add_endpoint(rig, RIG_BOTH, "10.0.1.2", "2001:db8:1::2");
	add_endpoint(rig, RIG_FAR, "10.0.1.3", "2001:db8:1::3");
	add_endpoint(rig, RIG_EMPTY, "10.0.1.4", NULL);
	rig->endpoints[RIG_EMPTY].state = GPC_STATE_MAINT;
	add_endpoint(rig, RIG_NO_HOP, "10.0.1.5", NULL);
	add_endpoint(rig, RIG_NO_SOURCE, "10.0.1.6", "2001:db8:1::6");
	rig->endpoints[RIG_NO_SOURCE].source4_be = 0;
	add_endpoint(rig, RIG_STRAY, "10.0.1.7", NULL);
	for (uint32_t i = 0; i < RIG_MANY_COUNT; i++) {
		snprintf(v4, sizeof(v4), "10.0.2.%u", i + 1);
		snprintf(v6, sizeof(v6), "2001:db8:2::%x", i + 1);
		add_endpoint(rig, RIG_MANY, v4, v6);
	}
}

static void fill_next(struct rig *rig)
{
	for (uint32_t slot = 0; slot < 2 * rig->plane.endpoint_count; slot++) {
		uint32_t backend = slot / 2;
		uint64_t out = backend == RIG_FAR     ? RIG_OUT
			       : backend == RIG_STRAY ? RIG_NOWHERE
						      : RIG_HERE;
		struct gpc_next next = {.hop = out << 48};

		rig_hop_mac(slot, (uint8_t *)&next.hop);
		if (backend == RIG_NO_HOP)
			next.hop = 0;
		kernel_next(&rig->kernel, slot, next);
	}
}

void rig_install(struct rig *rig, uint32_t slot)
{
	free(rig->image);
	rig->image = plane_build(&rig->plane);
	kernel_install(&rig->kernel, slot, rig->image);
}

void rig_start(struct rig *rig, uint32_t flows)
{
	struct kernel_sizes sizes = {.flows = flows,
				     .next = RIG_NEXT,
				     .counters = plane_listener_counter(LISTENERS) + 64};

	kernel_alone();
	*rig = (struct rig){.plane = {.log2 = 22,
				      .flags = RIG_FLAGS,
				      .flow_inserts = 1u << 31,
				      .timeout = {60, 7440, 120, 10, 30, 180, 30, 600},
				      .generation = 5,
				      .nonce = 0x1122334455667788ull,
				      .table_size = 1021}};
	kernel_load(&rig->kernel, rig->plane.log2, &sizes);
	rig->plane.cpus = rig->kernel.cpus;
	for (size_t i = 0; i < LISTENERS; i++)
		rows[i] = (struct plane_listener){.index = listeners[i].index,
						  .address = plane_address(listeners[i].address),
						  .port = listeners[i].port,
						  .protocol = listeners[i].protocol,
						  .forward = listeners[i].forward,
						  .backend = listeners[i].backend,
						  .interfaces = listeners[i].interfaces};
	rig->plane.listeners = rows;
	rig->plane.listener_count = LISTENERS;
	rig->plane.endpoints = rig->endpoints;
	add_endpoints(rig);
	rig->devices[0] = (struct plane_device){.ifindex = RIG_HERE, .interface = 0};
	rig->devices[1] = (struct plane_device){.ifindex = RIG_OUT, .interface = GPC_NONE16};
	rig_device_mac(RIG_HERE, rig->devices[0].mac);
	rig_device_mac(RIG_OUT, rig->devices[1].mac);
	rig->plane.devices = rig->devices;
	rig->plane.device_count = 2;
	fill_next(rig);
	rig_install(rig, 0);
	kernel_control(&rig->kernel, 0);
}

void rig_stop(struct rig *rig)
{
	kernel_unload(&rig->kernel);
	free(rig->image);
}

struct gpc_view rig_view(const struct rig *rig)
{
	return plane_view(&rig->plane, rig->image);
}

static enum gpc_hook hook_of(enum kernel_program program)
{
	static const enum gpc_hook hooks[KERNEL_PROGRAMS] = {
		[KERNEL_XDP] = GPC_HOOK_ID_XDP,
		[KERNEL_DECAP] = GPC_HOOK_ID_DECAP,
		[KERNEL_TC_INGRESS] = GPC_HOOK_ID_TC_INGRESS,
		[KERNEL_TC_EGRESS] = GPC_HOOK_ID_TC_EGRESS,
	};

	return hooks[program];
}

static void read_reasons(struct rig *rig, enum gpc_hook hook, uint64_t counts[GPC_REASON_COUNT])
{
	for (int r = 0; r < GPC_REASON_COUNT; r++)
		counts[r] = kernel_reason(&rig->kernel, hook, (enum gpc_reason)r);
}

/* The one reason counted between two readings; GPC_REASON_COUNT if there is none or more than one.
 */
static enum gpc_reason counted(const uint64_t before[], const uint64_t after[])
{
	enum gpc_reason found = GPC_REASON_COUNT;

	for (int r = 0; r < GPC_REASON_COUNT; r++) {
		if (after[r] == before[r])
			continue;
		if (found != GPC_REASON_COUNT || after[r] != before[r] + 1)
			return GPC_REASON_COUNT;
		found = (enum gpc_reason)r;
	}
	return found;
}

bool rig_check(struct rig *rig, enum kernel_program program, const char *name,
	       const struct frame *in, int action, enum gpc_reason reason, const struct frame *want)
{
	static const char *const names[] = {
#define X(id, text, meaning) text,
		GPC_REASONS(X)
#undef X
			"none or several"};
	uint64_t before[GPC_REASON_COUNT], after[GPC_REASON_COUNT];
	uint8_t out[KERNEL_FRAME_MAX];
	struct kernel_run run = {.in = in->bytes, .in_size = in->size, .out = out};
	enum gpc_reason got;
	bool ok = true;

	read_reasons(rig, hook_of(program), before);
	kernel_run(&rig->kernel, program, &run);
	read_reasons(rig, hook_of(program), after);
	got = counted(before, after);
	if (run.action != action || got != reason) {
		printf("%s: action %d, reason %s; wanted %d, %s\n", name, run.action, names[got],
		       action, names[reason]);
		ok = false;
	}
	if (want && (run.out_size != want->size || memcmp(out, want->bytes, want->size))) {
		frame_show(name, out, run.out_size, want->bytes, want->size);
		ok = false;
	}
	return ok;
}

static int run_xdp(struct rig *rig, const struct frame_spec *spec, uint8_t out[KERNEL_FRAME_MAX])
{
	struct frame frame;
	struct kernel_run run = {.out = out};

	frame_build(spec, &frame);
	run.in = frame.bytes;
	run.in_size = frame.size;
	kernel_run(&rig->kernel, KERNEL_XDP, &run);
	return run.action;
}

int rig_send(struct rig *rig, const struct frame_spec *spec)
{
	uint8_t out[KERNEL_FRAME_MAX];

	return run_xdp(rig, spec, out);
}

uint32_t rig_sent_to(struct rig *rig, const struct frame_spec *spec)
{
	uint8_t out[KERNEL_FRAME_MAX];

	return run_xdp(rig, spec, out) == XDP_TX ? (out[5] - 0x40u) / 2 : GPC_NONE;
}
