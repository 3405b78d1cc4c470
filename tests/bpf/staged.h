/* SPDX-License-Identifier: MIT */
/*
 * staged.h: runs the programs of stages.bpf.c. Errors of the system end the program.
 */
#ifndef GPC_TESTS_BPF_STAGED_H
#define GPC_TESTS_BPF_STAGED_H

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <err.h>
#include <string.h>

#include "frame.h"
#include "stages.h"
#include "stages.skel.h"

#define STAGED_BUCKETS 4096u
#define STAGED_RING 4096u
#define STAGED_RING_EVENTS 39 /* each takes 8 bytes more; the ring is never filled whole */

static inline struct stages *staged_open(void)
{
	struct stages *stages = stages__open();

	if (!stages || bpf_map__set_max_entries(stages->maps.gpc_rate, STAGED_BUCKETS) ||
	    bpf_map__set_max_entries(stages->maps.gpc_events, STAGED_RING) || stages__load(stages))
		err(1, "load the stages (root, CAP_BPF?)");
	return stages;
}

static inline void staged_ask(struct stages *stages, const struct stages_ask *ask)
{
	uint32_t zero = 0;

	if (bpf_map__update_elem(stages->maps.stages_ask, &zero, 4, ask, sizeof(*ask), BPF_ANY))
		err(1, "ask");
}

/* The program's return value; the frame that comes out in *out, which may be NULL. */
static inline int staged_run(const struct bpf_program *program, const struct frame *in,
			     struct frame *out)
{
	static const struct frame none = {.size = 64};
	uint8_t bytes[FRAME_MAX];
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = in ? in->bytes : none.bytes,
		    .data_size_in = in ? in->size : none.size, .data_out = bytes,
		    .data_size_out = sizeof(bytes));

	if (bpf_prog_test_run_opts(bpf_program__fd(program), &options))
		err(1, "run %s", bpf_program__name(program));
	if (out) {
		*out = (struct frame){.size = options.data_size_out};
		memcpy(out->bytes, bytes, out->size);
	}
	return (int)options.retval;
}

static inline struct gpc_limiter staged_limiter(struct stages *stages, enum gpc_limit which)
{
	struct gpc_limiter each[1024] = {}, sum = {};
	uint32_t key = which;
	int cpus = libbpf_num_possible_cpus();

	if (cpus > 1024 || bpf_map_lookup_elem(bpf_map__fd(stages->maps.gpc_limits), &key, each))
		err(1, "read a limiter");
	for (int i = 0; i < cpus; i++) {
		sum.let += each[i].let;
		sum.kept += each[i].kept;
		sum.lost += each[i].lost;
	}
	return sum;
}

#endif
