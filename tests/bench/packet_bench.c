// SPDX-License-Identifier: MIT
/*
 * packet_bench: what gpc_xdp costs per packet, net of an empty program. Figures on stdout, method
 * on stderr.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <err.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "packet_wrapper.h"
#include "packet_wrapper.skel.h"
#include "tests/bpf/kernel.h"
#include "tests/bpf/plane.h"

#define FLOWS (1u << 20)
#define ENDPOINTS 100u
#define REPEATS 25
#define RUNS 100000u
#define VIPS 101u
#define UNLIMITED 0xffffffffu
#define LO 1u /* index of lo in a new network namespace */

static const char method[] = "packet: BPF_PROG_TEST_RUN with repeat 100000, duration as the kernel "
			     "returns it, median of 25\n"
			     "packet: differences. A wrapper program restores the frame, writes "
			     "the next flow's addresses and\n"
			     "packet: tail-calls gpc_xdp or, for the difference, an empty program. "
			     "64-byte frames (IPv6 74),\n"
			     "packet: forward ipip, action XDP_TX, backends of 100 endpoints in "
			     "tables of 16381; flow table of\n"
			     "packet: 1048576 entries. `new`: no entry (flow-inserts 0), a new "
			     "source in every packet, 65536 other\n"
			     "packet: flows in the table; `101vip`: 101 VIPs with one backend of 100 "
			     "endpoints, `101backends`: a\n"
			     "packet: backend each, 10100 endpoints in all. `insert`: each packet "
			     "enters a flow, the table is full.\n"
			     "packet: `flow_lookup`: a program that only finds the same flows in the "
			     "same map: what the kernel takes.\n"
			     "packet: Other work on the machine shows: most of the large figures is "
			     "cache misses.\n";

struct bench {
	struct kernel kernel;
	struct packet_wrapper_state state;
	int wrapper, state_fd;
	uint8_t frame[128];
	uint32_t size;
};

static void require_no_stats(void)
{
	FILE *f = fopen("/proc/sys/kernel/bpf_stats_enabled", "re");
	int on = f ? fgetc(f) : '0';

	if (f)
		fclose(f);
	if (on != '0')
		errx(1, "kernel.bpf_stats_enabled is on, which costs 40 ns a run; set it to 0");
}

/* ---- the plane: `vips` v4 and v6 listeners, in turn on `backends` backends ---- */

static struct plane_address vip(uint32_t i, bool v6)
{
	struct plane_address a = plane_address(v6 ? "2001:db8:ff::" : "203.0.113.0");

	a.bytes[15] = (uint8_t)(i + 1);
	return a;
}

static char *build(struct plane *plane, uint32_t vips, uint32_t backends)
{
	size_t n = backends * ENDPOINTS;
	struct plane_listener *listeners = calloc(2 * vips, sizeof(*listeners));
	struct plane_endpoint *endpoints = calloc(n, sizeof(*endpoints));
	static struct plane_device lo = {.ifindex = LO, .mac = {2, 0, 0, 0, 0, 1}};
	char *image;

	for (uint32_t i = 0; i < 2 * vips; i++)
		listeners[i] = (struct plane_listener){.index = i,
						       .address = vip(i / 2, i % 2),
						       .port = 443,
						       .protocol = IPPROTO_TCP,
						       .forward = GPC_FORWARD_IPIP,
						       .backend = i / 2 % backends,
						       .interfaces = 1};
	for (uint32_t i = 0; i < n; i++) {
		struct plane_endpoint *e = &endpoints[i];

		*e = (struct plane_endpoint){.id = (i + 1) * 0x9e3779b97f4a7c15ull,
					     .backend = i / ENDPOINTS,
					     .has4 = true,
					     .has6 = true,
					     .address4 = plane_address("10.0.0.0"),
					     .address6 = plane_address("2001:db8:1::"),
					     .counter = plane_listener_counter(2 * vips) + i,
					     .next = {i, i},
					     .source4_be = htonl(0x0a00fffe),
					     .source6 = plane_address("2001:db8::1")};
		e->address4.bytes[14] = e->address6.bytes[14] = (uint8_t)(i >> 8);
		e->address4.bytes[15] = e->address6.bytes[15] = (uint8_t)i;
	}
	plane->listeners = listeners;
	plane->listener_count = 2 * vips;
	plane->endpoints = endpoints;
	plane->endpoint_count = n;
	plane->devices = &lo;
	plane->device_count = 1;
	image = plane_build(plane);
	free(listeners);
	free(endpoints);
	return image;
}

/* Into slot 0; `inserts` entries a second. */
static void install(struct bench *b, uint32_t vips, uint32_t backends, uint32_t inserts)
{
	struct plane plane = {.log2 = b->kernel.log2,
			      .flow_inserts = inserts,
			      .cpus = b->kernel.cpus,
			      .generation = 1,
			      .nonce = 1,
			      .table_size = 16381,
			      .timeout = {60, 7440, 120, 10, 30, 180, 30, 600}};
	char *image = build(&plane, vips, backends);

	kernel_install(&b->kernel, 0, image);
	free(image);
	b->state.vips = vips;
}

/* ---- frames ---- */

static void set_frame(struct bench *b, bool v6, uint8_t last_of_vip)
{
	uint8_t *f = b->frame, *ip = f + 14, *tcp = ip + (v6 ? 40 : 20);
	uint32_t size = v6 ? 74 : 64;
	struct plane_address source = plane_address(v6 ? "2001:db8:10::" : "198.18.0.0");
	struct plane_address destination = vip(0, v6);

	memset(b->frame, 0, sizeof(b->frame));
	memcpy(f, (uint8_t[]){2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 9}, 12);
	f[12] = v6 ? 0x86 : 0x08;
	f[13] = v6 ? 0xdd : 0x00;
	if (v6) {
		ip[0] = 0x60;
		ip[5] = 20;
		ip[6] = IPPROTO_TCP;
		ip[7] = 64;
		memcpy(ip + 8, source.bytes, 16);
		memcpy(ip + 24, destination.bytes, 16);
	} else {
		ip[0] = 0x45;
		ip[3] = (uint8_t)(size - 14);
		ip[6] = 0x40;
		ip[8] = 64;
		ip[9] = IPPROTO_TCP;
		memcpy(ip + 12, source.bytes + 12, 4);
		memcpy(ip + 16, destination.bytes + 12, 4);
	}
	memcpy(tcp, (uint8_t[]){0x9c, 0x40, 0x01, 0xbb}, 4);
	tcp[12] = 0x50;
	tcp[13] = 0x10;
	b->size = b->state.frame = size;
	b->state.v6 = v6;
	memcpy(b->state.ethernet, f, 14);
	memcpy(&b->state.source, source.bytes + 12, 4);
	for (uint32_t i = 0; i < PACKET_WRAPPER_VIPS; i++) {
		destination = vip(i, v6);
		if (last_of_vip)
			destination.bytes[15] = last_of_vip;
		memcpy(&b->state.destination[i], destination.bytes + 12, 4);
	}
}

/* Mean duration of one run in ns. */
static double run(struct bench *b, enum packet_wrapper_program program, uint32_t runs)
{
	uint8_t out[256];
	uint32_t zero = 0;
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = b->frame, .data_size_in = b->size,
		    .data_out = out, .data_size_out = sizeof(out), .repeat = (int)runs);

	b->state.program = program;
	if (bpf_map_update_elem(b->state_fd, &zero, &b->state, BPF_ANY) ||
	    bpf_prog_test_run_opts(b->wrapper, &options))
		err(1, "test run");
	if (options.retval != XDP_TX && options.retval != XDP_PASS)
		errx(1, "the program returned %u", options.retval);
	if (bpf_map_lookup_elem(b->state_fd, &zero, &b->state))
		err(1, "wrapper's state");
	return options.duration;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* log2_sources: 0 for one flow, 32 for a new one each time. */
static void measure_program(struct bench *b, const char *name, uint32_t log2_sources,
			    uint32_t warm_up, enum packet_wrapper_program program)
{
	double net[REPEATS], empty[REPEATS], tested[REPEATS];

	b->state.source_shift = 32 - log2_sources;
	if (warm_up)
		run(b, PACKET_WRAPPER_TESTED, warm_up);
	for (int i = 0; i < REPEATS; i++) {
		empty[i] = run(b, PACKET_WRAPPER_EMPTY, RUNS);
		tested[i] = run(b, program, RUNS);
		net[i] = tested[i] - empty[i];
	}
	qsort(net, REPEATS, sizeof(*net), by_value);
	qsort(empty, REPEATS, sizeof(*empty), by_value);
	qsort(tested, REPEATS, sizeof(*tested), by_value);
	printf("%s %.0f\n", name, net[REPEATS / 2]);
	fflush(stdout);
	fprintf(stderr, "%s: differences %.0f..%.0f, least of each %.0f - %.0f\n", name, net[0],
		net[REPEATS - 1], tested[0], empty[0]);
}

static void measure(struct bench *b, const char *name, uint32_t log2_sources, uint32_t warm_up)
{
	measure_program(b, name, log2_sources, warm_up, PACKET_WRAPPER_TESTED);
}

/* Loads both objects and lets the wrapper reach the programs. */
static struct packet_wrapper *load(struct bench *b)
{
	struct kernel_sizes sizes = {.flows = FLOWS,
				     .next = VIPS * ENDPOINTS,
				     .counters =
					     plane_listener_counter(2 * VIPS) + VIPS * ENDPOINTS};
	struct packet_wrapper *wrapper = packet_wrapper__open();
	uint32_t index;

	kernel_load(&b->kernel, 23, &sizes);
	if (!wrapper || bpf_map__reuse_fd(wrapper->maps.wrapper_flows, b->kernel.flows4) ||
	    packet_wrapper__load(wrapper))
		err(1, "load the wrapper (root, CAP_BPF?)");
	for (index = 0; index < PACKET_WRAPPER_PROGRAMS; index++) {
		const int programs[] = {
			[PACKET_WRAPPER_EMPTY] = bpf_program__fd(wrapper->progs.wrapper_empty),
			[PACKET_WRAPPER_TESTED] = b->kernel.program[KERNEL_XDP],
			[PACKET_WRAPPER_LOOKUP] = bpf_program__fd(wrapper->progs.wrapper_lookup),
		};

		if (bpf_map_update_elem(bpf_map__fd(wrapper->maps.wrapper_programs), &index,
					&programs[index], BPF_ANY))
			err(1, "let the wrapper call a program");
	}
	b->wrapper = bpf_program__fd(wrapper->progs.wrapper);
	b->state_fd = bpf_map__fd(wrapper->maps.wrapper_state);
	for (index = 0; index < sizes.next; index++)
		kernel_next(
			&b->kernel, index,
			(struct gpc_next){.hop = (0x0600000000a2ull + index) | (uint64_t)LO << 48});
	kernel_control(&b->kernel, 0);
	return wrapper;
}

int main(void)
{
	struct packet_wrapper *wrapper;
	struct bench b = {};

	require_no_stats();
	if (unshare(CLONE_NEWNET))
		err(1, "new network namespace");
	fputs(method, stderr);
	wrapper = load(&b);

	install(&b, 1, 1, UNLIMITED);
	set_frame(&b, false, 0);
	measure(&b, "packet.v4_tcp_hit_1flow.ns", 0, 1000);
	measure(&b, "packet.v4_tcp_hit_64k.ns", 16, 1u << 17);
	measure_program(&b, "packet.flow_lookup_64k.ns", 16, 0, PACKET_WRAPPER_LOOKUP);
	set_frame(&b, false, 254);
	measure(&b, "packet.not_for_vip.ns", 16, 0);
	set_frame(&b, true, 0);
	measure(&b, "packet.v6_tcp_hit_1flow.ns", 0, 1000);

	set_frame(&b, false, 0);
	install(&b, 1, 1, 0);
	measure(&b, "packet.v4_tcp_new_1vip.ns", 32, 0);
	install(&b, VIPS, 1, 0);
	measure(&b, "packet.v4_tcp_new_101vip.ns", 32, 0);
	install(&b, VIPS, VIPS, 0);
	measure(&b, "packet.v4_tcp_new_101backends.ns", 32, 0);
	install(&b, 1, 1, UNLIMITED);
	measure(&b, "packet.v4_tcp_new_insert.ns", 32, 2 * FLOWS);

	kernel_unload(&b.kernel);
	packet_wrapper__destroy(wrapper);
	return 0;
}
