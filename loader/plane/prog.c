/* SPDX-License-Identifier: MIT */
#include "prog.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "../../compiler/base/cleanup.h"
#include "flow_table.h"
#include "gpc/image.h"
#include "gpc_22.skel.h"
#include "gpc_23.skel.h"
#include "gpc_24.skel.h"
#include "gpc_25.skel.h"
#include "gpc_26.skel.h"
#include "kernel.h"

#define CLASSES(X) X(22) X(23) X(24) X(25) X(26)

static const struct {
	uint32_t log2;
	const void *(*bytes)(size_t *size);
} classes[] = {
#define X(n) {n, gpc_##n##__elf_bytes},
	CLASSES(X)
#undef X
};
_Static_assert(sizeof(classes) / sizeof(*classes) == GPC_IMAGE_MAX_LOG2 - GPC_IMAGE_MIN_LOG2 + 1,
	       "one object per size class");

static const void *class_bytes(uint32_t log2, size_t *ret_size)
{
	return classes[log2 - GPC_IMAGE_MIN_LOG2].bytes(ret_size);
}

/* FNV-1a: tells two builds apart, nothing more is asked of it. */
void gpc_prog_build(uint32_t log2, char out[GPC_BUILD_TEXT])
{
	size_t size, i;
	const unsigned char *bytes = class_bytes(log2, &size);
	uint64_t hash = 0xcbf29ce484222325ull ^ GPC_ABI_HASH;

	for (i = 0; i < size; i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3ull;
	snprintf(out, GPC_BUILD_TEXT, "%016llx", (unsigned long long)hash);
}

static uint32_t wanted_entries(const struct gpc_prog_sizes *sizes, enum gpc_map_id id)
{
	switch (id) {
	case GPC_MAP_FLOWS4:
	case GPC_MAP_FLOWS6:
		return gpc_flow_table_elements(sizes->flows);
	case GPC_MAP_HEADS4:
	case GPC_MAP_HEADS6:
		return gpc_flow_table_heads(sizes->flows);
	case GPC_MAP_NEXT:
		return sizes->next;
	case GPC_MAP_COUNTERS:
	case GPC_MAP_ENDPOINTS:
	case GPC_MAP_BACKENDS:
	case GPC_MAP_CARRIED:
		return sizes->counters;
	case GPC_MAP_RULES:
	case GPC_MAP_CARRIED_RULES:
		return sizes->rules;
	case GPC_MAP_RATE:
		return sizes->rate;
	default:
		return 0; /* as the object says */
	}
}

/* Does a map have what these programs want? An older gpc's may not. */
static bool fits(const struct gpc_instance *share, enum gpc_map_id id, const struct bpf_map *map)
{
	return share->map[id] >= 0 && share->key_size[id] == bpf_map__key_size(map) &&
	       share->value_size[id] == bpf_map__value_size(map) &&
	       share->entries[id] >= bpf_map__max_entries(map);
}

/* Elements are worth nothing without their heads, nor these without them. */
static bool has_tables(const struct gpc_instance *share)
{
	return share->entries[GPC_MAP_FLOWS4] == gpc_flow_table_flows(share->entries[GPC_MAP_HEADS4]) &&
	       share->entries[GPC_MAP_FLOWS6] == gpc_flow_table_flows(share->entries[GPC_MAP_HEADS6]);
}

static bool is_of_table(enum gpc_map_id id)
{
	return id == GPC_MAP_FLOWS4 || id == GPC_MAP_FLOWS6 || id == GPC_MAP_HEADS4 ||
	       id == GPC_MAP_HEADS6;
}

static bool sharable(const struct gpc_prog_sizes *sizes, const struct gpc_instance *share, bool all,
		     enum gpc_map_id id, const struct bpf_map *map)
{
	if (!share || !fits(share, id, map) || (is_of_table(id) && !has_tables(share)))
		return false;
	if (id == GPC_MAP_CTL || id == GPC_MAP_IMAGES || id == GPC_MAP_PROGRAMS)
		return all;
	if (id == GPC_MAP_NEXT && sizes->own_next)
		return all;
	return all || share->entries[id] >= wanted_entries(sizes, id);
}

/* What is carried belongs to counters: they are shared together. */
static enum gpc_map_id shared_with(enum gpc_map_id id)
{
	if (id == GPC_MAP_CARRIED)
		return GPC_MAP_COUNTERS;
	return id == GPC_MAP_CARRIED_RULES ? GPC_MAP_RULES : id;
}

static struct bpf_map *find_map(const struct bpf_object *object, enum gpc_map_id id)
{
	char name[32];

	snprintf(name, sizeof(name), "gpc_%s", gpc_map_names[id]);
	return bpf_object__find_map_by_name(object, name);
}

static int prepare_map(struct bpf_object *object, const struct gpc_prog_sizes *sizes,
		       const struct gpc_instance *share, bool all, enum gpc_map_id id,
		       struct gpc_failure *failure)
{
	enum gpc_map_id with = shared_with(id);
	struct bpf_map *map = find_map(object, id), *other = find_map(object, with);
	uint32_t entries = wanted_entries(sizes, id);
	int r = 0;

	if (!map || !other)
		return gpc_fail(failure, GPC_EXIT_FAILED, 0, "the object code has no map '%s'",
				gpc_map_names[id]);
	if (sharable(sizes, share, all, id, map) && sharable(sizes, share, all, with, other))
		r = bpf_map__reuse_fd(map, share->map[id]);
	else if (entries)
		r = bpf_map__set_max_entries(map, entries);
	if (r)
		return gpc_kernel_fail(failure, -r, "cannot prepare map '%s'",
				       gpc_map_names[id]);
	return 0;
}

/* A map that nobody pins would be another one after each load. */
static int check_maps(const struct bpf_object *object, struct gpc_failure *failure)
{
	const struct bpf_map *map;
	size_t count = 0;

	bpf_object__for_each_map(map, object)
		count += !bpf_map__is_internal(map);
	if (count == GPC_MAP_COUNT)
		return 0;
	return gpc_fail(failure, GPC_EXIT_FAILED, 0, "the object code has %zu maps, known are %d",
			count, GPC_MAP_COUNT);
}

static int take_fd(int fd, int *ret, struct gpc_failure *failure)
{
	*ret = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (*ret < 0)
		return gpc_fail(failure, GPC_EXIT_FAILED, errno, "cannot keep a file descriptor");
	return 0;
}

static int take_fds(struct bpf_object *object, struct gpc_instance *instance,
		    struct gpc_failure *failure)
{
	char name[32];
	int i;

	for (i = 0; i < GPC_MAP_COUNT; i++) {
		snprintf(name, sizeof(name), "gpc_%s", gpc_map_names[i]);
		if (take_fd(bpf_object__find_map_fd_by_name(object, name), &instance->map[i],
			    failure))
			return -1;
	}
	for (i = 0; i < GPC_PROGRAM_COUNT; i++) {
		const struct bpf_program *program;

		snprintf(name, sizeof(name), "gpc_%s", gpc_program_names[i]);
		program = bpf_object__find_program_by_name(object, name);
		if (!program)
			return gpc_fail(failure, GPC_EXIT_FAILED, 0,
					"the object code has no program '%s'", name);
		if (take_fd(bpf_program__fd(program), &instance->program[i], failure))
			return -1;
	}
	return 0;
}

/* What programs go on in. Of a shared array the owner has filled the slots. */
static int fill_programs(const struct gpc_instance *instance, struct gpc_failure *failure)
{
	static const enum gpc_program_id ids[GPC_TAIL_COUNT] = {
		[GPC_TAIL_ODD] = GPC_PROGRAM_ODD,
		[GPC_TAIL_ERROR] = GPC_PROGRAM_ERROR,
		[GPC_TAIL_NAT] = GPC_PROGRAM_NAT,
		[GPC_TAIL_CONSULT] = GPC_PROGRAM_CONSULT,
		[GPC_TAIL_SERVE] = GPC_PROGRAM_SERVE,
		[GPC_TAIL_FRAGMENT] = GPC_PROGRAM_FRAGMENT,
		[GPC_TAIL_ANSWER] = GPC_PROGRAM_ANSWER,
	};

	for (uint32_t i = 0; i < GPC_TAIL_COUNT; i++)
		if (bpf_map_update_elem(instance->map[GPC_MAP_PROGRAMS], &i,
					&instance->program[ids[i]], BPF_ANY))
			return gpc_kernel_fail(failure, errno, "cannot let programs call '%s'",
					       gpc_program_names[ids[i]]);
	return 0;
}

static void close_object(struct bpf_object **object)
{
	bpf_object__close(*object);
}

int gpc_prog_load(const struct gpc_prog_sizes *sizes, const struct gpc_instance *share, bool all,
		  struct gpc_instance *ret, struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_instance_close) struct gpc_instance instance;
	GPC_CLEANUP(close_object) struct bpf_object *object = NULL;
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "gpc");
	struct gpc_flow_secrets secrets;
	size_t size;
	const void *bytes = class_bytes(sizes->log2, &size);
	int i, r;

	gpc_instance_init(&instance);
	gpc_kernel_listen();
	object = bpf_object__open_mem(bytes, size, &options);
	if (!object)
		return gpc_kernel_fail(failure, errno, "cannot open the object code");
	if (check_maps(object, failure))
		return -1;
	for (i = 0; i < GPC_MAP_COUNT; i++)
		if (prepare_map(object, sizes, share, all, (enum gpc_map_id)i, failure))
			return -1;
	r = gpc_flow_tables_tell(object, &secrets);
	if (r)
		return gpc_kernel_fail(failure, -r, "cannot prepare the flow tables");
	r = bpf_object__load(object);
	if (r)
		return gpc_kernel_fail(failure, -r, "cannot load the programs");
	r = gpc_flow_tables_keep(object, &secrets);
	if (r)
		return gpc_kernel_fail(failure, -r, "cannot keep the secret of the flow tables");
	if (take_fds(object, &instance, failure) ||
	    (!all && fill_programs(&instance, failure)))
		return -1;
	instance.id.log2 = sizes->log2;
	gpc_prog_build(sizes->log2, instance.id.build);
	if (gpc_instance_adopt(&instance, failure))
		return -1;
	*ret = instance;
	gpc_instance_init(&instance);
	return 0;
}
