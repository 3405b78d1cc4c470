/* SPDX-License-Identifier: MIT */
/* The reader of events: what it gives, what it says of losses, and that there is one of it. */
#include "../../../../loader/plane/events.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <glob.h>
#include <linux/bpf.h>

#include "rig.h"

static struct gpc_image one, two, large;

static int open_map(const char *name)
{
	char pattern[128];
	glob_t found = {0};
	int fd = -1;

	snprintf(pattern, sizeof(pattern), "%s/inst-*/%s", rig_bpffs, name);
	if (!glob(pattern, 0, NULL, &found))
		fd = bpf_obj_get(found.gl_pathv[found.gl_pathc - 1]);
	CU_ASSERT_TRUE_FATAL(fd >= 0);
	globfree(&found);
	return fd;
}

#define EVENT_WORDS (sizeof(struct gpc_event) / 8)
#define EVENT_AT(word) ((int16_t)(8 * (int)(word) - (int)sizeof(struct gpc_event)))

/* Copies an event out of its context to its stack, then bpf_ringbuf_output(ring, stack, size, 0). */
static int load_writer(int ring)
{
	const struct bpf_insn tail[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_2, .src_reg = BPF_REG_10},
		{.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = BPF_REG_2, .imm = EVENT_AT(0)},
		{.code = BPF_LD | BPF_DW | BPF_IMM,
		 .dst_reg = BPF_REG_1,
		 .src_reg = BPF_PSEUDO_MAP_FD,
		 .imm = ring},
		{0},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K,
		 .dst_reg = BPF_REG_3,
		 .imm = sizeof(struct gpc_event)},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_4, .imm = 0},
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_ringbuf_output},
		{.code = BPF_JMP | BPF_EXIT},
	};
	struct bpf_insn insns[2 * EVENT_WORDS + sizeof(tail) / sizeof(*tail)];
	LIBBPF_OPTS(bpf_prog_load_opts, options, .prog_flags = BPF_F_SLEEPABLE);
	struct bpf_insn *next = insns;
	int fd;

	for (size_t i = 0; i < EVENT_WORDS; i++) {
		*next++ = (struct bpf_insn){.code = BPF_LDX | BPF_MEM | BPF_DW,
					    .dst_reg = BPF_REG_3,
					    .src_reg = BPF_REG_1,
					    .off = (int16_t)(8 * i)};
		*next++ = (struct bpf_insn){.code = BPF_STX | BPF_MEM | BPF_DW,
					    .dst_reg = BPF_REG_10,
					    .src_reg = BPF_REG_3,
					    .off = EVENT_AT(i)};
	}
	memcpy(next, tail, sizeof(tail));
	fd = bpf_prog_load(BPF_PROG_TYPE_SYSCALL, "gpc_writer", "Dual MIT/GPL", insns,
			   sizeof(insns) / sizeof(*insns), &options);
	CU_ASSERT_TRUE_FATAL(fd >= 0);
	return fd;
}

/* Events first..first + count - 1 by their time. */
static void write_events(uint64_t first, uint64_t count)
{
	int ring = open_map("events"), writer = load_writer(ring);
	uint64_t i;

	for (i = 0; i < count; i++) {
		struct gpc_event event = {.time = first + i, .type = GPC_EVENT_DENY};
		LIBBPF_OPTS(bpf_test_run_opts, run, .ctx_in = &event,
			    .ctx_size_in = sizeof(event));

		CU_ASSERT_EQUAL(bpf_prog_test_run_opts(writer, &run), 0);
		CU_ASSERT_EQUAL(run.retval, 0);
	}
	close(writer);
	close(ring);
}

struct seen {
	uint64_t count, last, stop;	/* stop after so many */
	bool in_order;
};

static bool take(void *context, const struct gpc_event *event)
{
	struct seen *seen = context;

	seen->in_order &= event->time == seen->last + 1;
	seen->last = event->time;
	return ++seen->count != seen->stop;
}

static struct seen read_some(struct gpc_events *events, uint64_t last, uint64_t stop)
{
	struct seen seen = {.last = last, .stop = stop, .in_order = true};
	bool done = false;

	CU_ASSERT_EQUAL(gpc_events_read(events, 0, take, &seen, &done, &rig_failure), 0);
	CU_ASSERT_EQUAL(done, stop && seen.count == stop);
	return seen;
}

static struct gpc_events *must_open(void)
{
	struct gpc_events *events = NULL;

	CU_ASSERT_EQUAL_FATAL(gpc_events_open(rig_bpffs, &events, &rig_failure), 0);
	return events;
}

static void events_are_given_once_and_in_order(void)
{
	struct gpc_events *events;
	struct seen seen;

	rig_must_apply(&one);
	write_events(1, 10);
	events = must_open();
	seen = read_some(events, 0, 4);
	CU_ASSERT_EQUAL(seen.count, 4);
	CU_ASSERT_TRUE(seen.in_order);
	seen = read_some(events, 4, 0);
	CU_ASSERT_EQUAL(seen.count, 6);
	CU_ASSERT_TRUE(seen.in_order);
	CU_ASSERT_EQUAL(read_some(events, 0, 0).count, 0);
	gpc_events_close(&events);
	write_events(11, 1);
	events = must_open();
	CU_ASSERT_EQUAL(read_some(events, 10, 0).count, 1);
	gpc_events_close(&events);
	rig_detach();
}

static void there_is_one_reader_at_a_time(void)
{
	struct gpc_events *events, *second = NULL;

	rig_must_apply(&one);
	events = must_open();
	CU_ASSERT_EQUAL(gpc_events_open(rig_bpffs, &second, &rig_failure), -1);
	CU_ASSERT_EQUAL(rig_failure.code, GPC_EXIT_CONFLICT);
	/* Whoever changes the plane is not hindered by it. */
	rig_must_apply(&two);
	gpc_events_close(&events);
	events = must_open();
	gpc_events_close(&events);
	rig_detach();
}

static void without_a_plane_there_is_nothing_to_read(void)
{
	struct gpc_events *events = NULL;

	CU_ASSERT_EQUAL(gpc_events_open(rig_bpffs, &events, &rig_failure), -1);
	CU_ASSERT_EQUAL(rig_failure.code, GPC_EXIT_FAILED);
	CU_ASSERT_PTR_NULL(events);
}

/* A larger class: other programs, but the same ring. */
static void a_growth_does_not_disturb_the_reader(void)
{
	struct gpc_events *events;
	struct gpc_image image;

	rig_must_apply(&one);
	events = must_open();
	write_events(1, 2);
	rig_must_apply(&large);
	CU_ASSERT_EQUAL(gpc_plane_retire(rig_bpffs, &rig_failure), 0);
	write_events(3, 2);
	CU_ASSERT_EQUAL(gpc_events_refresh(events, &rig_failure), 0);
	CU_ASSERT_EQUAL(read_some(events, 0, 0).count, 4);
	CU_ASSERT_EQUAL(gpc_events_image(events, &image, &rig_failure), 0);
	CU_ASSERT(!memcmp(image.head->decision_digest, large.head->decision_digest, 32));
	gpc_image_release(&image);
	gpc_events_close(&events);
	rig_detach();
}

static void a_plane_that_went_is_said_and_a_new_one_is_read(void)
{
	struct gpc_events *events;

	rig_must_apply(&one);
	events = must_open();
	rig_detach();
	CU_ASSERT_EQUAL(gpc_events_refresh(events, &rig_failure), -1);
	CU_ASSERT_EQUAL(rig_failure.code, GPC_EXIT_FAILED);
	rig_must_apply(&one);
	CU_ASSERT_EQUAL(gpc_events_refresh(events, &rig_failure), 0);
	write_events(1, 3);
	CU_ASSERT_EQUAL(read_some(events, 0, 0).count, 3);
	gpc_events_close(&events);
	rig_detach();
}

static void losses_are_those_since_the_reader_came(void)
{
	struct gpc_limiter *values = calloc((size_t)libbpf_num_possible_cpus(), sizeof(*values));
	struct gpc_events_losses losses;
	struct gpc_events *events;
	uint32_t slot = GPC_LIMIT_EVENT_DENY, reject = GPC_LIMIT_REJECT;
	int limits;

	rig_must_apply(&one);
	limits = open_map("limits");
	values[0] = (struct gpc_limiter){.kept = 5, .lost = 2};
	CU_ASSERT_EQUAL(bpf_map_update_elem(limits, &slot, values, BPF_ANY), 0);
	events = must_open();
	values[0] = (struct gpc_limiter){.kept = 12, .lost = 2};
	CU_ASSERT_EQUAL(bpf_map_update_elem(limits, &slot, values, BPF_ANY), 0);
	CU_ASSERT_EQUAL(bpf_map_update_elem(limits, &reject, values, BPF_ANY), 0);
	CU_ASSERT_EQUAL(gpc_events_losses(events, false, &losses, &rig_failure), 0);
	CU_ASSERT_EQUAL(losses.limited, 7);
	CU_ASSERT_EQUAL(losses.full, 0);
	CU_ASSERT_EQUAL(gpc_events_losses(events, true, &losses, &rig_failure), 0);
	CU_ASSERT_EQUAL(losses.limited, 12);
	CU_ASSERT_EQUAL(losses.full, 2);
	gpc_events_close(&events);
	close(limits);
	free(values);
	rig_detach();
}

static void make_images(void)
{
	rig_up("plane/events");
	one = rig_image(RIG_PLANE("{name: wan0}", RIG_W1));
	two = rig_image(RIG_PLANE("{name: wan0}", RIG_W1 "," RIG_W2));
	large = rig_image(RIG_HEAD "defaults: {flows: 4096}\ninterfaces: [{name: wan0}]\n"
				   "backends: [{name: web, table-size: 2097143, endpoints: [" RIG_W1
				   "]}]\n"
				   "listeners: [{name: http, address: 192.0.2.10, protocol: TCP, "
				   "port: 80, forward: dsr, backend: web}]\n");
}

GPC_UNIT_MAIN_AFTER("plane/events", make_images,
		    {"events_are_given_once_and_in_order", events_are_given_once_and_in_order},
		    {"there_is_one_reader_at_a_time", there_is_one_reader_at_a_time},
		    {"without_a_plane_there_is_nothing_to_read",
		     without_a_plane_there_is_nothing_to_read},
		    {"a_growth_does_not_disturb_the_reader", a_growth_does_not_disturb_the_reader},
		    {"a_plane_that_went_is_said_and_a_new_one_is_read",
		     a_plane_that_went_is_said_and_a_new_one_is_read},
		    {"losses_are_those_since_the_reader_came",
		     losses_are_those_since_the_reader_came})
