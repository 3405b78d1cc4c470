// SPDX-License-Identifier: MIT
#include "packet_rig.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <err.h>
#include <linux/bpf.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memfiles.h"
#include "bench.h"
#include "loader/sim/host.h"
#include "packet_wrapper.skel.h"
#include "pipeline.h"
#include "tests/flow_entry.h"

#define LOG2 23u
#define LO 1u /* index of lo in a new network namespace */
#define REPEATS 25
#define RUNS 100000u
#define OLD  20u /* seconds; what was seen less than half of that ago is not evicted */
#define SPARE 1024u /* slots beyond listeners and endpoints */

/* ---- loading ---- */

static void require_no_stats(void)
{
	FILE *f = fopen("/proc/sys/kernel/bpf_stats_enabled", "re");
	int on = f ? fgetc(f) : '0';

	if (f)
		fclose(f);
	if (on != '0')
		errx(1, "kernel.bpf_stats_enabled is on, which costs 40 ns a run; set it to 0");
}

static void load_wrapper(struct packet_rig *rig)
{
	struct packet_wrapper *wrapper = packet_wrapper__open_and_load();

	if (!wrapper)
		err(1, "load the wrapper (root, CAP_BPF?)");
	for (uint32_t i = 0; i < PACKET_WRAPPER_PROGRAMS; i++) {
		const int programs[] = {
			[PACKET_WRAPPER_EMPTY] = bpf_program__fd(wrapper->progs.wrapper_empty),
			[PACKET_WRAPPER_TESTED] = rig->kernel.program[KERNEL_XDP],
			[PACKET_WRAPPER_FIND] = bpf_program__fd(wrapper->progs.wrapper_find),
			[PACKET_WRAPPER_INSERT] = bpf_program__fd(wrapper->progs.wrapper_insert),
			[PACKET_WRAPPER_LINE] = bpf_program__fd(wrapper->progs.wrapper_line),
		};

		if (bpf_map_update_elem(bpf_map__fd(wrapper->maps.wrapper_programs), &i,
					&programs[i], BPF_ANY))
			err(1, "let the wrapper call a program");
	}
	rig->wrapper = wrapper;
	rig->program = bpf_program__fd(wrapper->progs.wrapper);
	rig->state_fd = bpf_map__fd(wrapper->maps.wrapper_state);
}

void packet_rig_start(struct packet_rig *rig)
{
	const uint32_t endpoints = PACKET_VIPS * PACKET_ENDPOINTS;
	const struct kernel_sizes sizes = {
		.flows = PACKET_FLOWS,
		.next = endpoints,
		.counters = GPC_COUNTER_FIRST_OBJECT + endpoints + SPARE,
		.rules = SPARE,
	};

	require_no_stats();
	if (unshare(CLONE_NEWNET))
		err(1, "new network namespace");
	kernel_load(&rig->kernel, LOG2, &sizes);
	load_wrapper(rig);
	for (uint32_t i = 0; i < endpoints; i++)
		kernel_next(
			&rig->kernel, i,
			(struct gpc_next){.hop = (0x0600000000a2ull + i) | (uint64_t)LO << 48});
	kernel_control(&rig->kernel, 0);
}

void packet_rig_stop(struct packet_rig *rig)
{
	gpc_image_release(&rig->image);
	packet_wrapper__destroy(rig->wrapper);
	kernel_unload(&rig->kernel);
}

/* ---- planes ---- */

const char *packet_vip(bool v6, uint32_t number)
{
	static char text[INET6_ADDRSTRLEN];

	snprintf(text, sizeof(text), v6 ? "2001:db8:ff::%x" : "203.0.113.%u", number + 1);
	return text;
}

static void write_endpoint(FILE *to, const struct packet_plane *plane, uint32_t i)
{
	fprintf(to, "      - {name: e%u, address: [", i);
	if (!plane->only || strcmp(plane->only, "v6") != 0)
		fprintf(to, "10.0.%u.%u%s", i >> 8, i & 255, plane->only ? "" : ", ");
	if (!plane->only || strcmp(plane->only, "v4") != 0)
		fprintf(to, "\"2001:db8:1::%x\"", i + 1);
	fprintf(to, "]");
	if (plane->quic)
		fprintf(to, ", quic-id: %08x", i);
	fprintf(to, "}\n");
}

static void write_listener(FILE *to, const struct packet_plane *plane, uint32_t i, uint32_t backend)
{
	fprintf(to, "  - {name: v%u, address: [%s, ", i, packet_vip(false, i));
	fprintf(to, "\"%s\"], protocol: %s, port: %s", packet_vip(true, i),
		plane->quic ? "UDP" : "TCP", plane->port ? plane->port : "443");
	if (plane->listener)
		fprintf(to, ", %s", plane->listener);
	if (!plane->listener || !strstr(plane->listener, "pass"))
		fprintf(to, ", backend: b%u", backend);
	fprintf(to, "}\n");
}

char *packet_plane_text(const struct packet_plane *plane)
{
	uint32_t vips = plane->vips ? plane->vips : 1, backends = plane->backends ? plane->backends : 1;
	size_t size;
	char *text;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		err(1, "plane");
	fprintf(to,
		"apiVersion: gpc/v1\nkind: Plane\nmetadata: {name: bench}\n"
		"interfaces: [{name: wan0, hooks: [xdp%s]}]\nbackends:\n",
		plane->policies ? ", tc-egress" : "");
	for (uint32_t b = 0; b < backends; b++) {
		fprintf(to, "  - name: b%u\n    endpoints:\n", b);
		for (uint32_t i = 0; i < PACKET_ENDPOINTS; i++)
			write_endpoint(to, plane, b * PACKET_ENDPOINTS + i);
	}
	fprintf(to, "listeners:\n");
	for (uint32_t i = 0; i < vips; i++)
		write_listener(to, plane, i, i % backends);
	fprintf(to, "%s", plane->policies ? plane->policies : "");
	fclose(to);
	return text;
}

struct gpc_image packet_compile(const char *yaml)
{
	const char *path = "gpc.yaml";
	struct gpc_arena arena = {0};
	struct gpc_memfiles files;
	struct gpc_provider provider;
	struct gpc_compile_options options = {.inputs = {&path, 1, NULL}, .tool_version = "bench"};
	struct gpc_compiled compiled;
	struct gpc_diags diags;
	struct gpc_image image = {0};

	gpc_memfiles_init(&files, &arena);
	gpc_memfiles_add(&files, path, yaml, strlen(yaml));
	provider = gpc_memfiles_provider(&files);
	gpc_diags_init(&diags, &arena, false);
	if (!gpc_compile(&diags, &provider, &options, &compiled) ||
	    !gpc_image_open(&diags, "plane.gpi", compiled.bytes, compiled.size, false, &image)) {
		for (size_t i = 0; i < diags.records.n; i++)
			warnx("%s", diags.records.items[i].message);
		errx(1, "the plane was refused");
	}
	gpc_arena_release(&arena);
	return image;
}

/* Every endpoint gets the next hop with its own number. */
static void spread_hops(const struct gpc_image *image, char *bytes)
{
	const struct gpc_link_head *head =
		(const struct gpc_link_head *)(bytes + image->head->link_offset);
	struct gpc_link_endpoint *endpoints =
		(struct gpc_link_endpoint *)(bytes + head->endpoint_offset);
	uint32_t count;

	gpc_image_section(image, GPC_SEC_ENDPOINT, &count);
	for (uint32_t i = 0; i < count; i++)
		for (int family = 0; family < 2; family++)
			if (endpoints[i].next[family] != GPC_NONE)
				endpoints[i].next[family] = i;
}

static void install(struct packet_rig *rig, uint32_t inserts)
{
	const struct gpc_sim_device lo = {.ifindex = LO};
	size_t size = (size_t)1 << LOG2;
	char *bytes = calloc(1, size);
	struct gpc_sim_need need;

	if (!bytes || rig->image.log2 > LOG2)
		errx(1, "no memory, or the image is too large");
	memcpy(bytes, rig->image.bytes, (size_t)1 << rig->image.log2);
	if (gpc_sim_link(&rig->image, &lo, 1, bytes, &need) || need.rules > SPARE)
		errx(1, "the plane is too large for the rig");
	spread_hops(&rig->image, bytes);
	((struct gpc_plane *)(bytes + sizeof(struct gpc_image_head)))->flow_inserts = inserts;
	kernel_install(&rig->kernel, 0, bytes);
	free(bytes);
}

void packet_rig_use(struct packet_rig *rig, const struct packet_plane *plane, uint32_t inserts)
{
	char *text = packet_plane_text(plane);

	gpc_image_release(&rig->image);
	rig->image = packet_compile(text);
	free(text);
	install(rig, inserts);
	rig->state.vips = plane->vips ? plane->vips : 1;
}

/* ---- frames ---- */

/* The last 64 bits of an address in the frame as the wrapper wants them; of v4 the 32 in the upper half. */
static uint64_t last_bits(const uint8_t *address, bool v6)
{
	uint64_t value = 0;

	memcpy((uint8_t *)&value + (v6 ? 0 : 4), address + (v6 ? 8 : 0), v6 ? 8 : 4);
	return value;
}

void packet_rig_frame(struct packet_rig *rig, const struct frame_spec *spec)
{
	struct packet_wrapper_state *state = &rig->state;
	bool v6 = strchr(spec->to, ':');
	uint8_t address[16];

	frame_build(spec, &rig->frame);
	if (rig->frame.size < PACKET_WRAPPER_FRAME_MIN)
		errx(1, "a frame of %u bytes", rig->frame.size);
	state->frame = rig->frame.size;
	state->v6 = v6;
	memcpy(state->bytes, rig->frame.bytes, sizeof(state->bytes));
	state->source = last_bits(rig->frame.bytes + (v6 ? 22 : 26), v6);
	state->destination[0] = last_bits(rig->frame.bytes + (v6 ? 38 : 30), v6);
	for (uint32_t i = 1; i < PACKET_WRAPPER_VIPS; i++) {
		inet_pton(v6 ? AF_INET6 : AF_INET, packet_vip(v6, i), address);
		state->destination[i] = last_bits(address, v6);
	}
}

uint32_t packet_rig_once(struct packet_rig *rig, uint8_t out[KERNEL_FRAME_MAX])
{
	struct kernel_run run = {.in = rig->frame.bytes, .in_size = rig->frame.size, .out = out};

	kernel_run(&rig->kernel, KERNEL_XDP, &run);
	return run.out_size;
}

/* ---- measuring ---- */

/* Mean duration of one run in ns. */
static double run(struct packet_rig *rig, enum packet_wrapper_program program, uint32_t runs)
{
	uint8_t out[256];
	uint32_t zero = 0;
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = rig->frame.bytes,
		    .data_size_in = rig->frame.size, .data_out = out, .data_size_out = sizeof(out),
		    .repeat = (int)runs);

	rig->state.program = program;
	if (bpf_map_update_elem(rig->state_fd, &zero, &rig->state, BPF_ANY) ||
	    bpf_prog_test_run_opts(rig->program, &options))
		err(1, "test run");
	if (options.retval == XDP_ABORTED || options.retval == XDP_DROP)
		errx(1, "the program returned %u", options.retval);
	if (bpf_map_lookup_elem(rig->state_fd, &zero, &rig->state))
		err(1, "wrapper's state");
	return options.duration;
}

bool packet_wanted(const struct packet_rig *rig, const char *name)
{
	bool wanted = !rig->wanted || !*rig->wanted;

	for (char **part = rig->wanted; part && *part && !wanted; part++)
		wanted = strstr(name, *part);
	return wanted;
}

/* Each difference is of two runs that follow each other. */
static void repeat(struct packet_rig *rig, const struct packet_case *c,
		   enum packet_wrapper_program program)
{
	double net[REPEATS], empty[REPEATS], tested[REPEATS], median;

	for (int i = 0; i < REPEATS; i++) {
		if (rig->full)
			flow_entry_rewind(&rig->kernel.flows[GPC_V4], OLD);
		empty[i] = run(rig, PACKET_WRAPPER_EMPTY, RUNS);
		tested[i] = run(rig, program, RUNS);
		net[i] = tested[i] - empty[i];
	}
	median = bench_median(net, REPEATS);
	bench_median(empty, REPEATS);
	bench_median(tested, REPEATS);
	printf("%s %.0f\n", c->name, median);
	fflush(stdout);
	fprintf(stderr, "%s: differences %.0f..%.0f, least of each %.0f - %.0f\n", c->name, net[0],
		net[REPEATS - 1], tested[0], empty[0]);
}

void packet_rig_fill_peer(struct packet_rig *rig, uint32_t log2_sources)
{
	rig->state.source_shift = 32 - log2_sources;
	rig->state.run = 0;
	run(rig, PACKET_WRAPPER_INSERT, 2u << log2_sources);
}

/* By the last run. */
static uint32_t count_entered(const struct gpc_flow_table *table)
{
	uint32_t count = 0, newest = 0;

	for (uint32_t set = 0; set < table->sets; set++)
		for (uint32_t way = 0; way < GPC_FLOW_WAYS; way++) {
			const struct gpc_flow *flow = gpc_flow_table_value(table, set, way);

			if (!flow)
				continue;
			if (flow->last_seen > newest + OLD / 2) {
				newest = flow->last_seen;
				count = 0;
			}
			count += flow->last_seen + OLD / 2 > newest;
		}
	return count;
}

void packet_rig_measure(struct packet_rig *rig, const struct packet_case *c)
{
	enum packet_wrapper_program program = c->program ? c->program : PACKET_WRAPPER_TESTED;
	uint32_t warm_up = c->warm_up ? c->warm_up : 1000;
	uint64_t before, ended;

	if (!packet_wanted(rig, c->name))
		return;
	rig->state.source_shift = 32 - c->log2_sources;
	before = kernel_reason(&rig->kernel, GPC_HOOK_ID_XDP, c->reason);
	run(rig, program, warm_up);
	repeat(rig, c, program);
	if (rig->full && count_entered(&rig->kernel.flows[GPC_V4]) < RUNS - RUNS / 100)
		errx(1, "%s: flows were not entered", c->name);
	ended = kernel_reason(&rig->kernel, GPC_HOOK_ID_XDP, c->reason) - before;
	if (program == PACKET_WRAPPER_TESTED && ended < warm_up + (uint64_t)REPEATS * RUNS)
		errx(1, "%s: %llu of %llu packets ended otherwise", c->name,
		     (unsigned long long)(warm_up + (uint64_t)REPEATS * RUNS - ended),
		     (unsigned long long)(warm_up + (uint64_t)REPEATS * RUNS));
}
