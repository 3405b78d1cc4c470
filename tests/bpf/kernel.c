// SPDX-License-Identifier: MIT
#include "kernel.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <err.h>
#include <errno.h>
#include <linux/bpf.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "gpc_22.skel.h"
#include "gpc_23.skel.h"
#include "tests/flow_entry.h"

static const void *object_bytes(uint32_t log2, size_t *size)
{
	switch (log2) {
	case 22:
		return gpc_22__elf_bytes(size);
	case 23:
		return gpc_23__elf_bytes(size);
	default:
		errx(1, "no object of size class %u is linked into the tests", log2);
	}
}

static struct bpf_map *map_of(struct bpf_object *object, const char *name)
{
	struct bpf_map *map = bpf_object__find_map_by_name(object, name);

	if (!map)
		errx(1, "the object has no map '%s'", name);
	return map;
}

static void resize(struct bpf_object *object, const char *name, uint32_t entries)
{
	if (bpf_map__set_max_entries(map_of(object, name), entries))
		err(1, "map '%s' with %u entries", name, entries);
}

static int map_fd(struct bpf_object *object, const char *name)
{
	return bpf_map__fd(map_of(object, name));
}

static void map_flows(struct kernel *kernel, enum gpc_family family, const char *heads,
		      const char *elements)
{
	int r = gpc_flow_table_map(map_fd(kernel->object, heads), map_fd(kernel->object, elements),
				   family, true, &kernel->flows[family]);

	if (r)
		errx(1, "map a flow table: %s", strerror(-r));
}

/* The programs believe what stands there for a second, and know nothing of what tests write elsewhere. */
static void map_busy(struct kernel *kernel)
{
	struct bpf_map *map = map_of(kernel->object, "gpc_busy");

	kernel->busy_size = (size_t)bpf_map__max_entries(map) * bpf_map__value_size(map);
	kernel->busy = mmap(NULL, kernel->busy_size, PROT_READ | PROT_WRITE, MAP_SHARED,
			    bpf_map__fd(map), 0);
	if (kernel->busy == MAP_FAILED)
		err(1, "map the busy flows");
}

static void forget_busy(struct kernel *kernel)
{
	memset(kernel->busy, 0, kernel->busy_size);
}

void kernel_let(struct kernel *kernel, enum gpc_tail program, bool there)
{
	static const enum kernel_program programs[GPC_TAIL_COUNT] = {
		[GPC_TAIL_ODD] = KERNEL_ODD,
		[GPC_TAIL_ERROR] = KERNEL_ERROR,
		[GPC_TAIL_NAT] = KERNEL_NAT,
		[GPC_TAIL_CONSULT] = KERNEL_CONSULT,
		[GPC_TAIL_SERVE] = KERNEL_SERVE,
		[GPC_TAIL_FRAGMENT] = KERNEL_FRAGMENT,
		[GPC_TAIL_ANSWER] = KERNEL_ANSWER,
	};
	int map = map_fd(kernel->object, "gpc_programs");
	uint32_t slot = program;

	if (there ? bpf_map_update_elem(map, &slot, &kernel->program[programs[program]], BPF_ANY)
		  : bpf_map_delete_elem(map, &slot))
		err(1, "the program in slot %u", slot);
}

void kernel_alone(void)
{
	FILE *f;

	if (unshare(CLONE_NEWNET))
		err(1, "new network namespace");
	f = fopen("/proc/sys/net/ipv4/ip_forward", "we"); /* a new namespace has the first one's value */
	if (!f || fputs("0", f) < 0 || fclose(f))
		err(1, "ip_forward");
}

void kernel_load(struct kernel *kernel, uint32_t log2, const struct kernel_sizes *sizes)
{
	static const char *const names[KERNEL_PROGRAMS] = {
		[KERNEL_XDP] = "gpc_xdp",
		[KERNEL_DECAP] = "gpc_decap",
		[KERNEL_TC_INGRESS] = "gpc_tc_ingress",
		[KERNEL_TC_EGRESS] = "gpc_tc_egress",
		[KERNEL_ODD] = "gpc_odd",
		[KERNEL_ERROR] = "gpc_error",
		[KERNEL_NAT] = "gpc_nat",
		[KERNEL_CONSULT] = "gpc_consult",
		[KERNEL_SERVE] = "gpc_serve",
		[KERNEL_FRAGMENT] = "gpc_fragment",
		[KERNEL_ANSWER] = "gpc_answer",
	};
	struct gpc_flow_secrets secrets;
	size_t size;
	const void *bytes = object_bytes(log2, &size);

	*kernel = (struct kernel){.log2 = log2, .cpus = (uint32_t)libbpf_num_possible_cpus()};
	kernel->object = bpf_object__open_mem(bytes, size, NULL);
	if (!kernel->object)
		err(1, "open the BPF object");
	resize(kernel->object, "gpc_flows4", gpc_flow_table_elements(sizes->flows));
	resize(kernel->object, "gpc_flows6", gpc_flow_table_elements(sizes->flows));
	resize(kernel->object, "gpc_heads4", gpc_flow_table_heads(sizes->flows));
	resize(kernel->object, "gpc_heads6", gpc_flow_table_heads(sizes->flows));
	resize(kernel->object, "gpc_next", sizes->next);
	resize(kernel->object, "gpc_counters", sizes->counters);
	resize(kernel->object, "gpc_endpoints", sizes->counters);
	resize(kernel->object, "gpc_backends", sizes->counters);
	resize(kernel->object, "gpc_rules", sizes->rules ? sizes->rules : 1);
	resize(kernel->object, "gpc_rate", sizes->rate ? sizes->rate : 1);
	if (gpc_flow_tables_tell(kernel->object, &secrets))
		errx(1, "the object knows nothing of flow tables");
	if (bpf_object__load(kernel->object))
		err(1, "load the BPF object (root, CAP_BPF?)");
	if (gpc_flow_tables_keep(kernel->object, &secrets))
		err(1, "write the flow tables' secrets");
	map_flows(kernel, GPC_V4, "gpc_heads4", "gpc_flows4");
	map_flows(kernel, GPC_V6, "gpc_heads6", "gpc_flows6");
	map_busy(kernel);
	kernel->control = map_fd(kernel->object, "gpc_ctl");
	kernel->images = map_fd(kernel->object, "gpc_images");
	kernel->next = map_fd(kernel->object, "gpc_next");
	kernel->counters = map_fd(kernel->object, "gpc_counters");
	kernel->rules = map_fd(kernel->object, "gpc_rules");
	kernel->rate = map_fd(kernel->object, "gpc_rate");
	kernel->buckets = sizes->rate;
	for (int i = 0; i < KERNEL_PROGRAMS; i++)
		kernel->program[i] =
			bpf_program__fd(bpf_object__find_program_by_name(kernel->object, names[i]));
	for (int i = 0; i < GPC_TAIL_COUNT; i++)
		kernel_let(kernel, (enum gpc_tail)i, true);
}

void kernel_unload(struct kernel *kernel)
{
	gpc_flow_table_unmap(&kernel->flows[GPC_V4]);
	gpc_flow_table_unmap(&kernel->flows[GPC_V6]);
	munmap(kernel->busy, kernel->busy_size);
	bpf_object__close(kernel->object);
	*kernel = (struct kernel){};
}

static void update(int fd, const void *key, const void *value, const char *what)
{
	if (bpf_map_update_elem(fd, key, value, BPF_ANY))
		err(1, "%s", what);
}

void kernel_install(struct kernel *kernel, uint32_t slot, const char *image)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_RDONLY_PROG | BPF_F_MMAPABLE);
	uint32_t zero = 0;
	int fd =
		bpf_map_create(BPF_MAP_TYPE_ARRAY, "gpc_image", 4, 1u << kernel->log2, 1, &options);

	if (fd < 0)
		err(1, "create an image map");
	update(fd, &zero, image, "fill an image map");
	update(kernel->images, &slot, &fd, "install an image");
	close(fd);
	forget_busy(kernel); /* the next one may have the same generation */
}

void kernel_remove(struct kernel *kernel, uint32_t slot)
{
	if (bpf_map_delete_elem(kernel->images, &slot) && errno != ENOENT)
		err(1, "remove an image");
}

void kernel_control(struct kernel *kernel, uint64_t word)
{
	uint32_t key = GPC_CTL_WORD;

	update(kernel->control, &key, &word, "set the control word");
}

void kernel_next(struct kernel *kernel, uint32_t slot, struct gpc_next next)
{
	update(kernel->next, &slot, &next, "set a next hop");
}

struct gpc_next kernel_read_next(struct kernel *kernel, uint32_t slot)
{
	struct gpc_next next;

	if (bpf_map_lookup_elem(kernel->next, &slot, &next))
		err(1, "read a next hop");
	return next;
}

struct gpc_counter kernel_counter(struct kernel *kernel, uint32_t slot)
{
	struct gpc_counter *each = calloc(kernel->cpus, sizeof(*each)), sum = {};

	if (!each || bpf_map_lookup_elem(kernel->counters, &slot, each))
		err(1, "read a counter");
	for (uint32_t i = 0; i < kernel->cpus; i++) {
		sum.packets += each[i].packets;
		sum.bytes += each[i].bytes;
		sum.flows += each[i].flows;
		sum.dropped += each[i].dropped;
	}
	free(each);
	return sum;
}

struct gpc_rule_counter kernel_rule(struct kernel *kernel, uint32_t slot)
{
	struct gpc_rule_counter *each = calloc(kernel->cpus, sizeof(*each)), sum = {};

	if (!each || bpf_map_lookup_elem(kernel->rules, &slot, each))
		err(1, "read a rule's counter");
	for (uint32_t i = 0; i < kernel->cpus; i++) {
		sum.packets += each[i].packets;
		sum.bytes += each[i].bytes;
		sum.would_deny += each[i].would_deny;
		sum.exceeded += each[i].exceeded;
		if (each[i].last_hit > sum.last_hit)
			sum.last_hit = each[i].last_hit;
	}
	free(each);
	return sum;
}

void kernel_endpoint_state(struct kernel *kernel, uint32_t slot,
			   const struct gpc_endpoint_state *state)
{
	update(map_fd(kernel->object, "gpc_endpoints"), &slot, state, "set an endpoint's state");
}

void kernel_backend_state(struct kernel *kernel, uint32_t slot,
			  const struct gpc_backend_state *state)
{
	update(map_fd(kernel->object, "gpc_backends"), &slot, state, "set a backend's state");
}

struct gpc_backend_state kernel_backend_state_now(struct kernel *kernel, uint32_t slot)
{
	struct gpc_backend_state state;

	if (bpf_map_lookup_elem(map_fd(kernel->object, "gpc_backends"), &slot, &state))
		err(1, "cannot read a backend's state");
	return state;
}

void kernel_full_buckets(struct kernel *kernel)
{
	uint64_t full = 0;

	for (uint32_t i = 0; i < kernel->buckets; i++)
		update(kernel->rate, &i, &full, "fill a bucket");
}

void kernel_flows_since(struct kernel *kernel, uint64_t since)
{
	uint32_t key = GPC_CTL_FLOWS_SINCE;

	update(kernel->control, &key, &since, "say since when there are flow tables");
}

uint64_t kernel_reason(struct kernel *kernel, enum gpc_hook hook, enum gpc_reason reason)
{
	return kernel_counter(kernel, hook * GPC_REASON_MAX + reason).packets;
}

/* ---- flows ---- */

bool kernel_flow(struct kernel *kernel, bool v6, const void *key, struct gpc_flow *ret)
{
	const struct gpc_flow *flow = flow_entry_find(&kernel->flows[v6], key);

	if (flow)
		*ret = *flow;
	return flow != NULL;
}

void kernel_set_flow(struct kernel *kernel, bool v6, const void *key, const struct gpc_flow *flow)
{
	if (!flow_entry_put(&kernel->flows[v6], key, flow))
		errx(1, "no room for a flow");
	forget_busy(kernel);
}

void kernel_each_flow(struct kernel *kernel, bool v6, bool (*each)(struct gpc_flow *flow))
{
	const struct gpc_flow_table *table = &kernel->flows[v6];

	for (uint32_t set = 0; set < table->sets; set++)
		for (uint32_t way = 0; way < GPC_FLOW_WAYS; way++) {
			struct gpc_flow *flow = gpc_flow_table_value(table, set, way);
			struct gpc_flow changed;

			if (!flow)
				continue;
			changed = *flow;
			if (each(&changed))
				*flow = changed;
		}
	forget_busy(kernel);
}

uint32_t kernel_flow_count(struct kernel *kernel, bool v6)
{
	const struct gpc_flow_table *table = &kernel->flows[v6];
	uint32_t count = 0;

	for (uint32_t set = 0; set < table->sets; set++)
		for (uint32_t way = 0; way < GPC_FLOW_WAYS; way++)
			count += gpc_flow_table_value(table, set, way) != NULL;
	return count;
}

void kernel_forget_flows(struct kernel *kernel)
{
	gpc_flow_table_empty(&kernel->flows[GPC_V4]);
	gpc_flow_table_empty(&kernel->flows[GPC_V6]);
	forget_busy(kernel);
}

/* TC wants the metadata in front of the frame; XDP makes its own. */
static void run_tc(struct kernel *kernel, enum kernel_program program, struct kernel_run *run)
{
	struct __sk_buff context = {};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = run->in, .data_size_in = run->in_size,
		    .data_out = run->out, .data_size_out = KERNEL_FRAME_MAX, .ctx_in = &context,
		    .ctx_size_in = sizeof(context), .ctx_out = &context,
		    .ctx_size_out = sizeof(context));
	int result = bpf_prog_test_run_opts(kernel->program[program], &options);

	run->action = result ? result : (int)options.retval;
	run->mark = context.mark;
	run->out_size = options.data_size_out;
}

static void run_xdp(struct kernel *kernel, enum kernel_program program, struct kernel_run *run)
{
	struct xdp_md context = {.data_end = run->in_size, .ingress_ifindex = run->ifindex};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = run->in, .data_size_in = run->in_size,
		    .data_out = run->out, .data_size_out = KERNEL_FRAME_MAX, .ctx_in = &context,
		    .ctx_size_in = run->ifindex ? sizeof(context) : 0);
	int result;

	if (!run->ifindex)
		options.ctx_in = NULL;
	result = bpf_prog_test_run_opts(kernel->program[program], &options);
	run->action = result ? result : (int)options.retval;
	run->out_size = options.data_size_out;
}

void kernel_run(struct kernel *kernel, enum kernel_program program, struct kernel_run *run)
{
	if (program == KERNEL_XDP || program == KERNEL_DECAP)
		run_xdp(kernel, program, run);
	else
		run_tc(kernel, program, run);
}

uint32_t kernel_verified_insns(int program_fd)
{
	struct bpf_prog_info info = {};
	uint32_t size = sizeof(info);

	if (bpf_obj_get_info_by_fd(program_fd, &info, &size))
		err(1, "program info");
	return info.verified_insns;
}

uint32_t kernel_insns_factor(void)
{
	unsigned int major, minor;
	struct utsname name;

	if (uname(&name) || sscanf(name.release, "%u.%u", &major, &minor) != 2)
		errx(1, "this kernel does not say its version");
	return major < 6 || (major == 6 && minor < 2) ? 5 : 1;
}
