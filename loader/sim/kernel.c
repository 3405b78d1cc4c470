// SPDX-License-Identifier: MIT
/*
 * kernel.c: the programs in the kernel, by BPF_PROG_TEST_RUN. A frame of a test run arrives at
 * loopback's ifindex, so each device has an image of its own in which it is that device.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "../../compiler/base/cleanup.h"
#include "../plane/flow_table.h"
#include "../plane/kernel.h"
#include "../plane/prog.h"
#include "../plane/stage.h"
#include "engine.h"

#define LOOPBACK 1u
#define FLOWS 16384u
#define PICKUP_OVER (400ull * 86400 * 1000000000)
#define BATCH 65536u
#define OUT_MAX 70000u

struct kernel {
	struct gpc_instance instance;
	struct gpc_sim_need need;
	struct gpc_staged *images;	/* by device, made when first needed */
	size_t in_slot[GPC_IMAGE_SLOTS];	/* device + 1 */
	int cpus;
	uint8_t out[OUT_MAX];
};

static struct kernel *kernel_of(struct gpc_sim *sim)
{
	return sim->state;
}

static uint64_t monotonic(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Counters and limits of several CPUs would make outcomes depend on where the test runs. */
static int stay_here(struct gpc_failure *failure)
{
	cpu_set_t one;
	int cpu = sched_getcpu();

	CPU_ZERO(&one);
	CPU_SET(cpu < 0 ? 0 : cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		return gpc_fail(failure, GPC_EXIT_FAILED, errno, "cannot stay on one CPU");
	return 0;
}

/* What the maps must hold is known once an image is linked; which device it is for does not matter. */
static int measure(struct gpc_sim *sim, struct gpc_failure *failure)
{
	GPC_AUTO_FREE char *bytes = malloc((size_t)1 << sim->image->log2);

	if (!bytes)
		return gpc_fail(failure, GPC_EXIT_FAILED, ENOMEM, "no memory for the image");
	memcpy(bytes, sim->image->bytes, (size_t)1 << sim->image->log2);
	gpc_sim_link(sim->image, NULL, 0, bytes, &kernel_of(sim)->need);
	return 0;
}

static int kernel_open(struct gpc_sim *sim, struct gpc_failure *failure)
{
	struct kernel *kernel = calloc(1, sizeof(*kernel));
	struct gpc_prog_sizes sizes = {.log2 = sim->image->log2, .flows = FLOWS};
	struct gpc_next hop = gpc_sim_hop();

	if (!kernel)
		return gpc_fail(failure, GPC_EXIT_FAILED, ENOMEM, "no memory for the tests");
	sim->state = kernel;
	gpc_instance_init(&kernel->instance);
	kernel->cpus = libbpf_num_possible_cpus();
	kernel->images = calloc(sim->device_count + 1, sizeof(*kernel->images));
	if (!kernel->images)
		return gpc_fail(failure, GPC_EXIT_FAILED, ENOMEM, "no memory for the tests");
	for (size_t i = 0; i < sim->device_count; i++)
		kernel->images[i] = GPC_STAGED_NONE;
	if (stay_here(failure) || measure(sim, failure))
		return -1;
	sizes.counters = kernel->need.counters;
	sizes.next = kernel->need.next;
	sizes.rules = kernel->need.rules ? kernel->need.rules : 1;
	sizes.rate = kernel->need.rate ? kernel->need.rate : 1;
	if (gpc_prog_load(&sizes, NULL, false, &kernel->instance, failure))
		return -1;
	kernel->instance.next[0].hop = hop.hop;
	kernel->instance.control[GPC_CTL_NONCE] = GPC_SIM_NONCE;
	kernel->instance.control[GPC_CTL_FLOWS_SINCE] = monotonic() - PICKUP_OVER;
	return 0;
}

static void kernel_close(struct gpc_sim *sim)
{
	struct kernel *kernel = kernel_of(sim);

	if (!kernel)
		return;
	for (size_t i = 0; kernel->images && i < sim->device_count; i++)
		gpc_stage_close(&kernel->images[i]);
	free(kernel->images);
	gpc_instance_close(&kernel->instance);
	free(kernel);
}

/* ---- images, one for each device ---- */

static int make_image(struct gpc_sim *sim, size_t device, struct gpc_failure *failure)
{
	struct kernel *kernel = kernel_of(sim);
	struct gpc_sim_device here = {LOOPBACK, sim->devices[device].interface};
	GPC_AUTO_FREE char *bytes = malloc((size_t)1 << sim->image->log2);
	struct gpc_sim_need need;

	if (!bytes)
		return gpc_fail(failure, GPC_EXIT_FAILED, ENOMEM, "no memory for the image");
	memcpy(bytes, sim->image->bytes, (size_t)1 << sim->image->log2);
	gpc_sim_link(sim->image, &here, 1, bytes, &need);
	return gpc_stage_fill(&kernel->instance, bytes, &kernel->images[device], failure);
}

static int activate(struct gpc_sim *sim, size_t device, struct gpc_failure *failure)
{
	struct kernel *kernel = kernel_of(sim);
	uint32_t slot = (uint32_t)(device % GPC_IMAGE_SLOTS);

	if (kernel->images[device].fd < 0 && make_image(sim, device, failure))
		return -1;
	if (kernel->in_slot[slot] != device + 1 &&
	    bpf_map_update_elem(kernel->instance.map[GPC_MAP_IMAGES], &slot,
				&kernel->images[device].fd, BPF_ANY))
		return gpc_kernel_fail(failure, errno, "cannot put an image into a slot");
	kernel->in_slot[slot] = device + 1;
	kernel->instance.control[GPC_CTL_WORD] = (uint64_t)slot << GPC_CTL_ACTIVE_SHIFT;
	return 0;
}

/* ---- between tests ---- */

static int forget_flows(const struct kernel *kernel, enum gpc_family family, enum gpc_map_id heads,
			enum gpc_map_id flows, struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_flow_table_unmap) struct gpc_flow_table table = {0};
	int r = gpc_flow_table_map(kernel->instance.map[heads], kernel->instance.map[flows], family,
				   true, &table);

	if (r)
		return gpc_kernel_fail(failure, -r, "cannot empty the flow tables");
	gpc_flow_table_empty(&table);
	return 0;
}

static int forget_busy(const struct kernel *kernel, struct gpc_failure *failure)
{
	const struct gpc_instance *instance = &kernel->instance;
	size_t size = (size_t)instance->entries[GPC_MAP_BUSY] * instance->value_size[GPC_MAP_BUSY];
	void *lines = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
			   instance->map[GPC_MAP_BUSY], 0);

	if (lines == MAP_FAILED)
		return gpc_kernel_fail(failure, errno, "cannot empty the table of busy flows");
	memset(lines, 0, size);
	munmap(lines, size);
	return 0;
}

static void forget_clients(int map)
{
	struct gpc_client_key key;

	while (!bpf_map_get_next_key(map, NULL, &key))
		bpf_map_delete_elem(map, &key);
}

/* Zeroes the first words of a map of them: buckets are full, and no cookie has come back. */
static int zero_words(const struct kernel *kernel, enum gpc_map_id id, uint32_t words,
		      struct gpc_failure *failure)
{
	GPC_AUTO_FREE uint32_t *keys = calloc(BATCH, sizeof(*keys));
	GPC_AUTO_FREE uint64_t *zeros = calloc(BATCH, sizeof(*zeros));

	if (!keys || !zeros)
		return gpc_fail(failure, GPC_EXIT_FAILED, ENOMEM, "no memory for the tests");
	for (uint32_t at = 0; at < words; at += BATCH) {
		uint32_t left = words - at, count = left < BATCH ? left : BATCH;

		for (uint32_t i = 0; i < count; i++)
			keys[i] = at + i;
		if (bpf_map_update_batch(kernel->instance.map[id], keys, zeros, &count, NULL))
			return gpc_kernel_fail(failure, errno, "cannot reset map '%s'",
					       gpc_map_names[id]);
	}
	return 0;
}

static int zero_percpu(const struct kernel *kernel, enum gpc_map_id id, size_t size, uint32_t entries,
		       struct gpc_failure *failure)
{
	struct gpc_percpu array = gpc_instance_percpu(&kernel->instance, id, size);

	for (uint32_t slot = 0; slot < entries; slot++)
		if (gpc_percpu_zero(&array, &slot, 1))
			return gpc_kernel_fail(failure, errno, "cannot reset a limit");
	return 0;
}

static int kernel_reset(struct gpc_sim *sim, struct gpc_failure *failure)
{
	const struct kernel *kernel = kernel_of(sim);

	forget_clients(kernel->instance.map[GPC_MAP_CLIENTS]);
	if (forget_flows(kernel, GPC_V4, GPC_MAP_HEADS4, GPC_MAP_FLOWS4, failure) ||
	    forget_flows(kernel, GPC_V6, GPC_MAP_HEADS6, GPC_MAP_FLOWS6, failure) ||
	    forget_busy(kernel, failure) ||
	    zero_percpu(kernel, GPC_MAP_BUDGET, gpc_sim_maps[GPC_SIM_BUDGET].value,
			gpc_sim_maps[GPC_SIM_BUDGET].entries, failure) ||
	    zero_percpu(kernel, GPC_MAP_LIMITS, sizeof(struct gpc_limiter), GPC_LIMIT_COUNT,
			failure))
		return -1;
	if (zero_words(kernel, GPC_MAP_PROOFS, kernel->instance.entries[GPC_MAP_PROOFS], failure))
		return -1;
	return zero_words(kernel, GPC_MAP_RATE, kernel->need.rate, failure);
}

/* ---- a frame ---- */

static int run_xdp(struct kernel *kernel, struct gpc_sim_pass *pass, int fd)
{
	struct xdp_md context = {.data_end = (uint32_t)pass->in_size}, after = {};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = pass->in,
		    .data_size_in = (uint32_t)pass->in_size, .data_out = kernel->out,
		    .data_size_out = sizeof(kernel->out), .ctx_in = &context,
		    .ctx_size_in = sizeof(context), .ctx_out = &after,
		    .ctx_size_out = sizeof(after));

	if (bpf_prog_test_run_opts(fd, &options))
		return -errno;
	pass->action = (int)options.retval;
	pass->meta_size = after.data <= sizeof(pass->meta) ? after.data : 0;
	memcpy(pass->meta, kernel->out, pass->meta_size);
	pass->out = kernel->out + pass->meta_size;
	pass->out_size = options.data_size_out - pass->meta_size;
	return 0;
}

static uint32_t mark_of(const struct gpc_sim_pass *pass)
{
	struct gpc_meta_mark marked = {0};

	if (pass->meta_size >= sizeof(marked))
		memcpy(&marked, pass->meta, sizeof(marked));
	return marked.mark;
}

/*
 * A test run cannot give an skb metadata. So a frame that XDP has passed is not run again: its mark is
 * read where XDP left it.
 */
static int run_tc(struct kernel *kernel, struct gpc_sim_pass *pass, int fd)
{
	struct __sk_buff after = {};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = pass->in,
		    .data_size_in = (uint32_t)pass->in_size, .data_out = kernel->out,
		    .data_size_out = sizeof(kernel->out), .ctx_out = &after,
		    .ctx_size_out = sizeof(after));

	if (pass->meta_size) {
		pass->mark = mark_of(pass);
		pass->action = -1;
		return 0;
	}
	if (bpf_prog_test_run_opts(fd, &options))
		return -errno;
	pass->action = (int)options.retval;
	pass->mark = after.mark;
	pass->out = kernel->out;
	pass->out_size = options.data_size_out;
	return 0;
}

static int kernel_pass(struct gpc_sim *sim, struct gpc_sim_pass *pass, struct gpc_failure *failure)
{
	static const enum gpc_program_id ids[] = {
		[GPC_SIM_XDP] = GPC_PROGRAM_XDP,
		[GPC_SIM_DECAP] = GPC_PROGRAM_DECAP,
		[GPC_SIM_TC_INGRESS] = GPC_PROGRAM_TC_INGRESS,
		[GPC_SIM_TC_EGRESS] = GPC_PROGRAM_TC_EGRESS,
	};
	struct kernel *kernel = kernel_of(sim);
	int fd = kernel->instance.program[ids[pass->program]], r;

	if (activate(sim, pass->device, failure))
		return -1;
	r = pass->program == GPC_SIM_XDP || pass->program == GPC_SIM_DECAP
		    ? run_xdp(kernel, pass, fd)
		    : run_tc(kernel, pass, fd);
	return r ? gpc_kernel_fail(failure, -r, "cannot run a frame of %zu bytes", pass->in_size)
		 : 0;
}

/* ---- counters ---- */

static int read_slot(const struct kernel *kernel, enum gpc_map_id id, uint32_t slot, void *each,
		     struct gpc_failure *failure)
{
	if (bpf_map_lookup_elem(kernel->instance.map[id], &slot, each))
		return gpc_kernel_fail(failure, errno, "cannot read a counter");
	return 0;
}

static int kernel_counter(struct gpc_sim *sim, uint32_t slot, struct gpc_counter *ret,
			  struct gpc_failure *failure)
{
	const struct kernel *kernel = kernel_of(sim);
	GPC_AUTO_FREE struct gpc_counter *each = calloc((size_t)kernel->cpus, sizeof(*each));

	if (!each || read_slot(kernel, GPC_MAP_COUNTERS, slot, each, failure))
		return -1;
	*ret = (struct gpc_counter){0};
	for (int i = 0; i < kernel->cpus; i++)
		ret->packets += each[i].packets;
	return 0;
}

static int kernel_rule(struct gpc_sim *sim, uint32_t slot, struct gpc_rule_counter *ret,
		       struct gpc_failure *failure)
{
	const struct kernel *kernel = kernel_of(sim);
	GPC_AUTO_FREE struct gpc_rule_counter *each = calloc((size_t)kernel->cpus, sizeof(*each));

	if (!each || read_slot(kernel, GPC_MAP_RULES, slot, each, failure))
		return -1;
	*ret = (struct gpc_rule_counter){0};
	for (int i = 0; i < kernel->cpus; i++) {
		ret->packets += each[i].packets;
		ret->would_deny += each[i].would_deny;
		ret->exceeded += each[i].exceeded;
	}
	return 0;
}

static int kernel_put(struct gpc_sim *sim, enum gpc_sim_map_id map, uint32_t slot, const void *state,
		      struct gpc_failure *failure)
{
	enum gpc_map_id id = map == GPC_SIM_ENDPOINTS ? GPC_MAP_ENDPOINTS : GPC_MAP_BACKENDS;

	if (bpf_map_update_elem(kernel_of(sim)->instance.map[id], &slot, state, BPF_ANY))
		return gpc_kernel_fail(failure, errno, "cannot set a state");
	return 0;
}

const struct gpc_sim_engine gpc_sim_kernel = {
	.open = kernel_open,
	.close = kernel_close,
	.reset = kernel_reset,
	.pass = kernel_pass,
	.counter = kernel_counter,
	.rule = kernel_rule,
	.put = kernel_put,
};
