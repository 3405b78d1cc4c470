/* SPDX-License-Identifier: MIT */
#include "instance.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../compiler/base/cleanup.h"
#include "failpoint.h"
#include "kernel.h"
#include "prog.h"

#define COMPLETE "inst"
#define INCOMPLETE "tmp"

#define X(id, name) name,
const char *const gpc_map_names[GPC_MAP_COUNT] = {GPC_MAPS(X)};
const char *const gpc_program_names[GPC_PROGRAM_COUNT] = {GPC_PROGRAMS(X)};
#undef X

void gpc_instance_name(const struct gpc_instance_id *id, bool complete, char out[GPC_INSTANCE_NAME])
{
	snprintf(out, GPC_INSTANCE_NAME, "%s-%u-%u-%s", complete ? COMPLETE : INCOMPLETE,
		 id->number, id->log2, id->build);
}

bool gpc_instance_parse(const char *name, struct gpc_instance_id *ret)
{
	struct gpc_instance_id id;
	char again[GPC_INSTANCE_NAME];

	if (sscanf(name, COMPLETE "-%u-%u-%16[0-9a-f]", &id.number, &id.log2, id.build) != 3 ||
	    strlen(id.build) != GPC_BUILD_TEXT - 1 || id.log2 < GPC_IMAGE_MIN_LOG2 ||
	    id.log2 > GPC_IMAGE_MAX_LOG2)
		return false;
	gpc_instance_name(&id, true, again);
	if (strcmp(again, name))
		return false;
	*ret = id;
	return true;
}

void gpc_instance_init(struct gpc_instance *instance)
{
	*instance = (struct gpc_instance){0};
	memset(instance->map, -1, sizeof(instance->map));
	memset(instance->program, -1, sizeof(instance->program));
}

static size_t map_bytes(const struct gpc_instance *instance, enum gpc_map_id id)
{
	return (size_t)instance->entries[id] * instance->value_size[id];
}

static void unmap(const struct gpc_instance *instance, enum gpc_map_id id, volatile void *at)
{
	if (at)
		munmap((void *)at, map_bytes(instance, id));
}

void gpc_instance_close(struct gpc_instance *instance)
{
	int i;

	unmap(instance, GPC_MAP_CTL, instance->control);
	unmap(instance, GPC_MAP_NEXT, instance->next);
	unmap(instance, GPC_MAP_ENDPOINTS, instance->endpoints);
	unmap(instance, GPC_MAP_BACKENDS, instance->backends);
	unmap(instance, GPC_MAP_CARRIED, instance->carried);
	unmap(instance, GPC_MAP_CARRIED_RULES, instance->carried_rules);
	for (i = 0; i < GPC_MAP_COUNT; i++)
		gpc_cleanup_close(&instance->map[i]);
	for (i = 0; i < GPC_PROGRAM_COUNT; i++)
		gpc_cleanup_close(&instance->program[i]);
	gpc_instance_init(instance);
}

/* NULL: what it holds is of another size, or the kernel refuses. */
static void *map_writable(const struct gpc_instance *instance, enum gpc_map_id id, size_t value_size)
{
	void *p;

	if (instance->value_size[id] != value_size) {
		errno = EINVAL;
		return NULL;
	}
	p = mmap(NULL, map_bytes(instance, id), PROT_READ | PROT_WRITE, MAP_SHARED,
		 instance->map[id], 0);
	return p == MAP_FAILED ? NULL : p;
}

/* States that an older gpc did not have, or had in another form, are none. */
static int map_states(struct gpc_instance *instance, struct gpc_failure *failure)
{
	size_t endpoint = sizeof(*instance->endpoints), backend = sizeof(*instance->backends);

	if (instance->value_size[GPC_MAP_ENDPOINTS] != endpoint ||
	    instance->value_size[GPC_MAP_BACKENDS] != backend)
		return 0;
	instance->endpoints = map_writable(instance, GPC_MAP_ENDPOINTS, endpoint);
	instance->backends = map_writable(instance, GPC_MAP_BACKENDS, backend);
	if (instance->endpoints && instance->backends)
		return 0;
	return gpc_kernel_fail(failure, errno, "cannot map the states of endpoints");
}

static int map_carried(struct gpc_instance *instance, struct gpc_failure *failure)
{
	size_t counter = sizeof(*instance->carried), rule = sizeof(*instance->carried_rules);

	if (instance->value_size[GPC_MAP_CARRIED] != counter ||
	    instance->value_size[GPC_MAP_CARRIED_RULES] != rule)
		return 0;
	instance->carried = map_writable(instance, GPC_MAP_CARRIED, counter);
	instance->carried_rules = map_writable(instance, GPC_MAP_CARRIED_RULES, rule);
	if (instance->carried && instance->carried_rules)
		return 0;
	return gpc_kernel_fail(failure, errno, "cannot map what earlier counters counted");
}

int gpc_instance_adopt(struct gpc_instance *instance, struct gpc_failure *failure)
{
	int i;

	for (i = 0; i < GPC_MAP_COUNT; i++) {
		struct bpf_map_info info = {0};
		__u32 size = sizeof(info);

		if (instance->map[i] < 0)
			continue;
		if (bpf_obj_get_info_by_fd(instance->map[i], &info, &size))
			return gpc_kernel_fail(failure, errno, "cannot look at map '%s'",
					       gpc_map_names[i]);
		instance->map_id[i] = info.id;
		instance->entries[i] = info.max_entries;
		instance->key_size[i] = info.key_size;
		instance->value_size[i] = info.value_size;
	}
	for (i = 0; i < GPC_PROGRAM_COUNT; i++) {
		struct bpf_prog_info info = {0};
		__u32 size = sizeof(info);

		if (instance->program[i] < 0)
			continue;
		if (bpf_obj_get_info_by_fd(instance->program[i], &info, &size))
			return gpc_kernel_fail(failure, errno, "cannot look at program '%s'",
					       gpc_program_names[i]);
		instance->program_id[i] = info.id;
	}
	instance->control = map_writable(instance, GPC_MAP_CTL, sizeof(*instance->control));
	if (!instance->control)
		return gpc_kernel_fail(failure, errno, "cannot map the control word");
	instance->next = map_writable(instance, GPC_MAP_NEXT, sizeof(*instance->next));
	if (!instance->next)
		return gpc_kernel_fail(failure, errno, "cannot map the next hops");
	return map_states(instance, failure) || map_carried(instance, failure) ? -1 : 0;
}

static int open_pin(const struct gpc_instance *instance, const char *name, int *ret,
		    struct gpc_failure *failure)
{
	char path[GPC_PIN_PATH];

	if (gpc_pin_path(path, failure, "%s/%s", instance->path, name))
		return -1;
	*ret = bpf_obj_get(path);
	if (*ret >= 0)
		return 0;
	gpc_kernel_fail(failure, errno, "cannot open '%s'", path);
	if (failure->error == ENOENT)
		gpc_fail_hint(failure, "somebody removed it; run: gpc detach, then apply again");
	return -1;
}

/* What is missing may be what an older gpc did not know; the apply that takes over from it makes it. */
static bool may_lack(const struct gpc_instance *instance, const struct gpc_failure *failure)
{
	char build[GPC_BUILD_TEXT];

	gpc_prog_build(instance->id.log2, build);
	return failure->error == ENOENT && strcmp(build, instance->id.build);
}

int gpc_instance_open(const char *bpffs, const char *name, struct gpc_instance *ret,
		      struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_instance_close) struct gpc_instance instance;
	int i;

	gpc_instance_init(&instance);
	if (!gpc_instance_parse(name, &instance.id))
		return gpc_fail(failure, GPC_EXIT_FAILED, 0, "'%s' is no instance", name);
	if (gpc_pin_path(instance.path, failure, "%s/%s", bpffs, name))
		return -1;
	for (i = 0; i < GPC_MAP_COUNT; i++)
		if (open_pin(&instance, gpc_map_names[i], &instance.map[i], failure) &&
		    !(i > GPC_MAP_BUDGET && may_lack(&instance, failure)))
			return -1;
	for (i = 0; i < GPC_PROGRAM_COUNT; i++)
		if (open_pin(&instance, gpc_program_names[i], &instance.program[i], failure) &&
		    !(i > GPC_PROGRAM_TC_EGRESS && may_lack(&instance, failure)))
			return -1;
	if (gpc_instance_adopt(&instance, failure))
		return -1;
	*ret = instance;
	gpc_instance_init(&instance);
	return 0;
}

static int pin_one(const struct gpc_instance *instance, int fd, const char *name,
		   struct gpc_failure *failure)
{
	char path[GPC_PIN_PATH];

	if (gpc_failpoint("pin.one"))
		return gpc_failpoint_fail(failure, "pin.one");
	if (gpc_pin_path(path, failure, "%s/%s", instance->path, name))
		return -1;
	if (bpf_obj_pin(fd, path))
		return gpc_kernel_fail(failure, errno, "cannot pin '%s'", path);
	return 0;
}

int gpc_instance_pin(struct gpc_instance *instance, const char *bpffs, struct gpc_failure *failure)
{
	char name[GPC_INSTANCE_NAME];
	int i, r = 0;

	gpc_instance_name(&instance->id, false, name);
	if (gpc_pin_path(instance->path, failure, "%s/%s", bpffs, name))
		return -1;
	if (mkdir(instance->path, 0700))
		return gpc_fail(failure, GPC_EXIT_HOST, errno, "cannot make '%s'", instance->path);
	for (i = 0; i < GPC_MAP_COUNT && !r; i++)
		r = pin_one(instance, instance->map[i], gpc_map_names[i], failure);
	for (i = 0; i < GPC_PROGRAM_COUNT && !r; i++)
		r = pin_one(instance, instance->program[i], gpc_program_names[i], failure);
	return r;
}

int gpc_instance_publish(struct gpc_instance *instance, const char *bpffs,
			 struct gpc_failure *failure)
{
	char name[GPC_INSTANCE_NAME], path[GPC_PIN_PATH];

	gpc_instance_name(&instance->id, true, name);
	if (gpc_pin_path(path, failure, "%s/%s", bpffs, name))
		return -1;
	if (rename(instance->path, path))
		return gpc_fail(failure, GPC_EXIT_HOST, errno, "cannot rename '%s'",
				instance->path);
	snprintf(instance->path, sizeof(instance->path), "%s", path);
	return 0;
}

int gpc_instance_remove(const char *bpffs, const struct gpc_instance_id *id,
			struct gpc_failure *failure)
{
	char name[GPC_INSTANCE_NAME], from[GPC_PIN_PATH], to[GPC_PIN_PATH];

	gpc_instance_name(id, true, name);
	if (gpc_pin_path(from, failure, "%s/%s", bpffs, name))
		return -1;
	gpc_instance_name(id, false, name);
	if (gpc_pin_path(to, failure, "%s/%s", bpffs, name))
		return -1;
	if (rename(from, to) && errno != ENOENT)
		return gpc_fail(failure, GPC_EXIT_FAILED, errno, "cannot rename '%s'", from);
	if (gpc_failpoint("remove.renamed"))
		return gpc_failpoint_fail(failure, "remove.renamed");
	return gpc_pin_remove(to, failure);
}

int gpc_instance_sweep(const char *bpffs, struct gpc_failure *failure)
{
	char **names;
	size_t count, i;
	int r = 0;

	if (gpc_pin_list(bpffs, &names, &count, failure))
		return -1;
	for (i = 0; i < count && !r; i++)
		if (!strncmp(names[i], INCOMPLETE "-", strlen(INCOMPLETE "-")))
			r = gpc_pin_remove_at(bpffs, names[i], failure);
	gpc_pin_list_release(names, count);
	return r;
}

static int by_number_descending(const void *a, const void *b)
{
	const struct gpc_instance_id *x = a, *y = b;

	return (x->number < y->number) - (x->number > y->number);
}

int gpc_instance_list(const char *bpffs, struct gpc_instance_id **ret, size_t *ret_count,
		      struct gpc_failure *failure)
{
	struct gpc_instance_id *ids;
	char **names;
	size_t name_count, count = 0, i;

	if (gpc_pin_list(bpffs, &names, &name_count, failure))
		return -1;
	ids = calloc(name_count + 1, sizeof(*ids));
	for (i = 0; ids && i < name_count; i++)
		count += gpc_instance_parse(names[i], &ids[count]);
	gpc_pin_list_release(names, name_count);
	if (!ids)
		return gpc_fail(failure, GPC_EXIT_FAILED, ENOMEM, "cannot read '%s'", bpffs);
	qsort(ids, count, sizeof(*ids), by_number_descending);
	*ret = ids;
	*ret_count = count;
	return 0;
}

struct gpc_percpu gpc_instance_percpu(const struct gpc_instance *instance, enum gpc_map_id id,
				      size_t value_size)
{
	return (struct gpc_percpu){instance->map[id], instance->entries[id], value_size};
}

enum gpc_program_id gpc_instance_program(const struct gpc_instance *instance, uint32_t program_id)
{
	int i;

	for (i = 0; i < GPC_PROGRAM_COUNT; i++)
		if (instance->program_id[i] == program_id)
			break;
	return (enum gpc_program_id)i;
}
