/* SPDX-License-Identifier: MIT */
#include "binding.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../compiler/base/cleanup.h"
#include "failpoint.h"
#include "foreign.h"
#include "kernel.h"
#include "tc.h"
#include "tcx.h"

static const uint8_t hooks[] = {GPC_HOOK_XDP, GPC_HOOK_TC_INGRESS, GPC_HOOK_TC_EGRESS};
#define HOOKS (sizeof(hooks) / sizeof(*hooks))

const char *gpc_hook_name(uint8_t hook)
{
	switch (hook) {
	case GPC_HOOK_XDP:
		return "xdp";
	case GPC_HOOK_TC_INGRESS:
		return "tc-ingress";
	default:
		return "tc-egress";
	}
}

/* HOOK-IFINDEX-DEVICE; a hook's name holds dashes itself, so it is looked for, not cut out. */
static bool parse_pin(const char *name, struct gpc_link *link)
{
	size_t i;

	for (i = 0; i < HOOKS; i++) {
		const char *hook = gpc_hook_name(hooks[i]);
		size_t size = strlen(hook);
		char *end;

		if (strncmp(name, hook, size) || name[size] != '-')
			continue;
		link->hook = hooks[i];
		(void)strtoul(name + size + 1, &end, 10);
		return *end == '-' && gpc_pin_unescape(end + 1, link->device, sizeof(link->device));
	}
	return false;
}

static int make_pin(const char *bpffs, const struct gpc_binding *binding, char out[GPC_PIN_PATH],
		    struct gpc_failure *failure)
{
	char device[3 * IFNAMSIZ + 4];

	gpc_pin_escape(binding->device->name, device, sizeof(device));
	return gpc_pin_path(out, failure, "%s/links/%s-%u-%s", bpffs, gpc_hook_name(binding->hook),
			    binding->device->ifindex, device);
}

/* ---- what hangs there ---- */

static struct gpc_link *add_link(struct gpc_links *links)
{
	struct gpc_link *items = realloc(links->items, (links->count + 1) * sizeof(*items));

	if (!items)
		return NULL;
	links->items = items;
	items[links->count] = (struct gpc_link){.fd = -1};
	return &items[links->count++];
}

static int read_pinned(const char *bpffs, const char *name, struct gpc_links *links,
		       struct gpc_failure *failure)
{
	struct gpc_link *link = add_link(links);
	struct bpf_link_info info = {0};
	__u32 size = sizeof(info);

	if (!link)
		return gpc_fail(failure, GPC_EXIT_FAILED, ENOMEM, "cannot read the links");
	if (gpc_pin_path(link->pin, failure, "%s/links/%s", bpffs, name))
		return -1;
	if (!parse_pin(name, link))
		return gpc_fail(failure, GPC_EXIT_FAILED, 0, "'%s' is none of gpc's links",
				link->pin);
	link->fd = bpf_obj_get(link->pin);
	if (link->fd < 0 || bpf_obj_get_info_by_fd(link->fd, &info, &size))
		return gpc_kernel_fail(failure, errno, "cannot open '%s'", link->pin);
	link->program = info.prog_id;
	link->ifindex = info.xdp.ifindex; /* stands at the same place for TCX */
	return 0;
}

/* Before TCX there is nothing pinned: every device is asked. */
static int read_filters(const struct gpc_devices *devices, const struct gpc_instance *instances,
			size_t instance_count, struct gpc_links *links, struct gpc_failure *failure)
{
	size_t d, i;
	int egress;

	for (d = 0; d < devices->count; d++)
		for (egress = 0; egress <= 1; egress++) {
			uint32_t program;
			struct gpc_link *link;

			if (gpc_tc_query(devices->items[d].ifindex, egress, &program))
				continue;
			for (i = 0; i < instance_count; i++)
				if (gpc_instance_program(&instances[i], program) !=
				    GPC_PROGRAM_COUNT)
					break;
			if (i == instance_count)
				continue;
			link = add_link(links);
			if (!link)
				return gpc_fail(failure, GPC_EXIT_FAILED, ENOMEM,
						"cannot read the filters");
			link->hook = egress ? GPC_HOOK_TC_EGRESS : GPC_HOOK_TC_INGRESS;
			link->ifindex = devices->items[d].ifindex;
			link->program = program;
			snprintf(link->device, sizeof(link->device), "%s", devices->items[d].name);
		}
	return 0;
}

int gpc_links_read(const char *bpffs, const struct gpc_devices *devices,
		   const struct gpc_instance *instances, size_t instance_count,
		   struct gpc_links *ret, struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_links_release) struct gpc_links links = {0};
	char folder[GPC_PIN_PATH], **names;
	size_t count, i;
	int r = 0;

	if (gpc_pin_path(folder, failure, "%s/links", bpffs) ||
	    gpc_pin_list(folder, &names, &count, failure))
		return -1;
	for (i = 0; i < count && !r; i++)
		r = read_pinned(bpffs, names[i], &links, failure);
	gpc_pin_list_release(names, count);
	if (r || (!gpc_kernel_has_tcx() &&
		  read_filters(devices, instances, instance_count, &links, failure)))
		return -1;
	*ret = links;
	links = (struct gpc_links){0};
	return 0;
}

void gpc_links_release(struct gpc_links *links)
{
	size_t i;

	for (i = 0; i < links->count; i++)
		gpc_cleanup_close(&links->items[i].fd);
	free(links->items);
	*links = (struct gpc_links){0};
}

/* ---- what is wanted ---- */

static enum gpc_program_id wanted_program(const struct gpc_interface *item, uint8_t hook)
{
	switch (hook) {
	case GPC_HOOK_XDP:
		return item->role == GPC_ROLE_DECAP ? GPC_PROGRAM_DECAP : GPC_PROGRAM_XDP;
	case GPC_HOOK_TC_INGRESS:
		return GPC_PROGRAM_TC_INGRESS;
	default:
		return GPC_PROGRAM_TC_EGRESS;
	}
}

static struct gpc_link *find_link(struct gpc_links *links, uint32_t ifindex, uint8_t hook)
{
	size_t i;

	for (i = 0; i < links->count; i++)
		if (links->items[i].ifindex == ifindex && links->items[i].hook == hook)
			return &links->items[i];
	return NULL;
}

static bool in_other_mode(const struct gpc_binding *binding)
{
	if (binding->hook != GPC_HOOK_XDP || !binding->link)
		return false;
	return (binding->mode == GPC_MODE_NATIVE && binding->device->xdp_generic) ||
	       (binding->mode == GPC_MODE_GENERIC && binding->device->xdp_native);
}

/* Where `any` is bound for the first time, attaching will tell. */
static bool is_generic(const struct gpc_binding *binding)
{
	if (binding->mode != GPC_MODE_ANY)
		return binding->mode == GPC_MODE_GENERIC;
	return binding->link && binding->device->xdp_generic == binding->link->program;
}

int gpc_bindings_plan(const struct gpc_image *image, const struct gpc_devices *devices,
		      struct gpc_links *links, struct gpc_bindings *ret,
		      struct gpc_failure *failure)
{
	uint32_t items;
	const struct gpc_interface *item = gpc_image_section(image, GPC_SEC_INTERFACE, &items);
	struct gpc_bindings bindings = {calloc(HOOKS * devices->count + 1, sizeof(*bindings.items)),
					0};
	size_t d, h;

	if (!bindings.items)
		return gpc_fail(failure, GPC_EXIT_FAILED, ENOMEM, "cannot plan the bindings");
	for (h = 0; h < links->count; h++)
		links->items[h].wanted = false;
	for (d = 0; d < devices->count; d++) {
		const struct gpc_device *device = &devices->items[d];

		for (h = 0; device->interface < items && h < HOOKS; h++) {
			struct gpc_binding *binding = &bindings.items[bindings.count];

			if (!(item[device->interface].hooks & hooks[h]))
				continue;
			*binding = (struct gpc_binding){
				.device = device,
				.hook = hooks[h],
				.mode = item[device->interface].mode,
				.program = wanted_program(&item[device->interface], hooks[h]),
				.link = find_link(links, device->ifindex, hooks[h]),
				.fd = -1,
				.old_program = -1,
			};
			binding->reattach = in_other_mode(binding);
			binding->generic = is_generic(binding);
			if (binding->link)
				binding->link->wanted = true;
			bindings.count++;
		}
	}
	*ret = bindings;
	return 0;
}

void gpc_bindings_release(struct gpc_bindings *bindings)
{
	size_t i;

	for (i = 0; i < bindings->count; i++) {
		gpc_cleanup_close(&bindings->items[i].fd);
		gpc_cleanup_close(&bindings->items[i].old_program);
	}
	free(bindings->items);
	*bindings = (struct gpc_bindings){0};
}

/* ---- foreign programs ---- */

int gpc_bindings_check(const struct gpc_bindings *bindings, struct gpc_failure *failure)
{
	size_t i;

	for (i = 0; i < bindings->count; i++) {
		const struct gpc_binding *binding = &bindings->items[i];
		const struct gpc_device *device = binding->device;
		uint32_t ours = binding->link ? binding->link->program : 0;
		const uint32_t there[] = {device->xdp_native, device->xdp_generic,
					  device->xdp_offloaded};
		size_t m;

		for (m = 0; m < 3 && binding->hook == GPC_HOOK_XDP; m++)
			if (there[m] && there[m] != ours)
				return gpc_foreign_refuse(device->name, there[m], failure);
	}
	return 0;
}

/* ---- attaching ---- */

static bool is_tc(const struct gpc_binding *binding)
{
	return binding->hook != GPC_HOOK_XDP;
}

/* A link, or for TC on an old kernel a filter (*ret_fd stays -1). -errno. */
static int attach_as(const struct gpc_binding *binding, int program, uint32_t flags, int *ret_fd)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = flags);
	enum bpf_attach_type type = BPF_XDP;
	int fd;

	if (is_tc(binding)) {
		bool egress = binding->hook == GPC_HOOK_TC_EGRESS;

		if (!gpc_kernel_has_tcx())
			return gpc_tc_attach(binding->device->ifindex, egress, program);
		type = egress ? GPC_TCX_EGRESS : GPC_TCX_INGRESS;
	}
	fd = bpf_link_create(program, (int)binding->device->ifindex, type, &options);
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

static bool is_gone(const struct gpc_device *device)
{
	char name[IF_NAMESIZE];

	return !if_indextoname(device->ifindex, name);
}

static int attach_mode(struct gpc_binding *binding, int program, int *ret_fd,
		       const struct gpc_notice_sink *notices)
{
	int r;

	if (is_tc(binding))
		return attach_as(binding, program, 0, ret_fd);
	if (binding->mode == GPC_MODE_GENERIC)
		return attach_as(binding, program, XDP_FLAGS_SKB_MODE, ret_fd);
	r = attach_as(binding, program, XDP_FLAGS_DRV_MODE, ret_fd);
	if (!r || binding->mode == GPC_MODE_NATIVE || r == -EBUSY || r == -EEXIST || r == -EPERM ||
	    is_gone(binding->device))
		return r;
	gpc_notice(notices,
		   "device '%s' takes no native XDP (%s): generic mode, as `mode: any` allows",
		   binding->device->name, strerror(-r));
	binding->generic = true;
	return attach_as(binding, program, XDP_FLAGS_SKB_MODE, ret_fd);
}

static int refuse_attach(const struct gpc_binding *binding, int error, struct gpc_failure *failure)
{
	const char *name = binding->device->name;

	if (error == EBUSY || error == EEXIST)
		return gpc_foreign_refuse(name, 0, failure);
	gpc_kernel_fail(failure, error, "cannot attach to device '%s' (%s)", name,
			gpc_hook_name(binding->hook));
	if (binding->hook == GPC_HOOK_XDP && binding->mode == GPC_MODE_NATIVE && error != EPERM)
		gpc_fail_hint(failure,
			      "its driver refuses native XDP%s; write `mode: any` or "
			      "`mode: generic` for it, or look at: gpc doctor",
			      error == ERANGE ? " with this MTU" : "");
	return -1;
}

static int pin_link(const struct gpc_binding *binding, struct gpc_failure *failure)
{
	if (!bpf_obj_pin(binding->fd, binding->pin))
		return 0;
	/* What is pinned there belongs to a device that is gone, or it would be this binding's
	 * link. */
	if (errno == EEXIST && !unlink(binding->pin) && !bpf_obj_pin(binding->fd, binding->pin))
		return 0;
	return gpc_kernel_fail(failure, errno, "cannot pin '%s'", binding->pin);
}

static int create(const char *bpffs, struct gpc_binding *binding, int program,
		  const struct gpc_notice_sink *notices, struct gpc_failure *failure)
{
	int r;

	if (make_pin(bpffs, binding, binding->pin, failure))
		return -1;
	r = attach_mode(binding, program, &binding->fd, notices);
	if (r && is_gone(binding->device)) {
		gpc_warn(notices, "device '%s' went away while it was being bound",
			 binding->device->name);
		return 0;
	}
	if (r)
		return refuse_attach(binding, -r, failure);
	binding->done = GPC_BINDING_CREATED;
	if (gpc_failpoint("attach.created"))
		return gpc_failpoint_fail(failure, "attach.created");
	if (binding->fd >= 0 && pin_link(binding, failure))
		return -1;
	if (gpc_failpoint("attach.pinned"))
		return gpc_failpoint_fail(failure, "attach.pinned");
	return 0;
}

static int find_program(uint32_t id, const struct gpc_instance *instance,
			const struct gpc_instance *olds, size_t old_count)
{
	enum gpc_program_id at = gpc_instance_program(instance, id);
	size_t i;

	if (at != GPC_PROGRAM_COUNT)
		return instance->program[at];
	for (i = 0; i < old_count; i++) {
		at = gpc_instance_program(&olds[i], id);
		if (at != GPC_PROGRAM_COUNT)
			return olds[i].program[at];
	}
	return -1;
}

/* Compare-and-swap of the program of a link; old < 0: whatever runs there. -errno. */
static int replace(const struct gpc_link *link, int new, int old)
{
	LIBBPF_OPTS(bpf_link_update_opts, options);

	if (link->fd < 0)
		return gpc_tc_attach(link->ifindex, link->hook == GPC_HOOK_TC_EGRESS, new);
	if (old >= 0) {
		options.old_prog_fd = (__u32)old;
		options.flags = BPF_F_REPLACE;
	}
	return bpf_link_update(link->fd, new, &options) ? -errno : 0;
}

static int update(struct gpc_binding *binding, int program, int old, struct gpc_failure *failure)
{
	int r;

	binding->old_program = old < 0 ? -1 : dup(old);
	r = replace(binding->link, program, old);
	if (r)
		return gpc_kernel_fail(failure, -r, "cannot change the program on device '%s' (%s)",
				       binding->device->name, gpc_hook_name(binding->hook));
	binding->done = GPC_BINDING_UPDATED;
	if (gpc_failpoint("attach.updated"))
		return gpc_failpoint_fail(failure, "attach.updated");
	return 0;
}

static int detach(struct gpc_link *link)
{
	int r = 0;

	if (link->fd < 0)
		r = gpc_tc_detach(link->ifindex, link->hook == GPC_HOOK_TC_EGRESS);
	else if (unlink(link->pin) && errno != ENOENT)
		r = -errno;
	gpc_cleanup_close(&link->fd);
	link->fd = -1;
	return r;
}

static int attach_one(const char *bpffs, struct gpc_binding *binding,
		      const struct gpc_instance *instance, const struct gpc_instance *olds,
		      size_t old_count, const struct gpc_notice_sink *notices,
		      struct gpc_failure *failure)
{
	int program = instance->program[binding->program];
	int old;

	if (!binding->link)
		return create(bpffs, binding, program, notices, failure);
	old = find_program(binding->link->program, instance, olds, old_count);
	if (binding->reattach) {
		int r = detach(binding->link);

		/* XDP cannot change its mode in place. */
		gpc_warn(notices,
			 "device '%s' changes its XDP mode: packets passed it for a moment",
			 binding->device->name);
		if (r)
			return gpc_fail(failure, GPC_EXIT_FAILED, -r, "cannot remove '%s'",
					binding->link->pin);
		binding->old_program = old < 0 ? -1 : dup(old);
		return create(bpffs, binding, program, notices, failure);
	}
	if (binding->link->program == instance->program_id[binding->program])
		return 0;
	return update(binding, program, old, failure);
}

int gpc_bindings_attach(const char *bpffs, struct gpc_bindings *bindings,
			const struct gpc_instance *instance, const struct gpc_instance *olds,
			size_t old_count, const struct gpc_notice_sink *notices,
			struct gpc_failure *failure)
{
	size_t i;

	gpc_kernel_listen();
	for (i = 0; i < bindings->count; i++)
		if (attach_one(bpffs, &bindings->items[i], instance, olds, old_count, notices,
			       failure))
			return -1;
	return 0;
}

/* Puts back what hung there in the other mode. Nobody can be told more than attach already said. */
static void reattach_old(struct gpc_binding *binding)
{
	uint32_t flags = binding->device->xdp_native ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE;
	int fd = -1;

	if (binding->old_program >= 0 && !attach_as(binding, binding->old_program, flags, &fd))
		(void)bpf_obj_pin(fd, binding->pin);
	gpc_cleanup_close(&fd);
}

void gpc_bindings_undo(struct gpc_bindings *bindings)
{
	size_t i;

	for (i = bindings->count; i-- > 0;) {
		struct gpc_binding *binding = &bindings->items[i];

		if (binding->done == GPC_BINDING_UPDATED && binding->old_program >= 0)
			(void)replace(binding->link, binding->old_program, -1);
		if (binding->done == GPC_BINDING_CREATED) {
			struct gpc_link link = {.fd = binding->fd,
						.hook = binding->hook,
						.ifindex = binding->device->ifindex};

			snprintf(link.pin, sizeof(link.pin), "%s", binding->pin);
			(void)detach(&link);
			binding->fd = -1;
		}
		if (binding->reattach)
			reattach_old(binding);
		binding->done = GPC_BINDING_UNTOUCHED;
	}
}

int gpc_links_prune(struct gpc_links *links, const struct gpc_notice_sink *notices,
		    struct gpc_failure *failure)
{
	size_t i;

	for (i = 0; i < links->count; i++) {
		struct gpc_link *link = &links->items[i];
		int r;

		if (link->wanted)
			continue;
		if (gpc_failpoint("prune.one"))
			return gpc_failpoint_fail(failure, "prune.one");
		r = detach(link);
		if (r)
			return gpc_fail(failure, GPC_EXIT_FAILED, -r,
					"cannot unbind device '%s' (%s)", link->device,
					gpc_hook_name(link->hook));
		gpc_notice(notices, "device '%s' %s: unbound (%s)", link->device,
			   link->ifindex ? "is no longer the plane's" : "is gone",
			   gpc_hook_name(link->hook));
	}
	return 0;
}

int gpc_links_remove(const char *bpffs, struct gpc_failure *failure)
{
	char folder[GPC_PIN_PATH], **names;
	size_t count, i;
	int r = 0;

	if (gpc_pin_path(folder, failure, "%s/links", bpffs) ||
	    gpc_pin_list(folder, &names, &count, failure))
		return -1;
	for (i = 0; i < count && !r; i++) {
		struct gpc_link link = {0};

		r = gpc_pin_path(link.pin, failure, "%s/%s", folder, names[i]);
		/* The last close detaches at once; the last unlink would, some time later. */
		link.fd = r ? -1 : bpf_obj_get(link.pin);
		if (!r && (unlink(link.pin) && errno != ENOENT))
			r = gpc_fail(failure, GPC_EXIT_FAILED, errno, "cannot remove '%s'",
				     link.pin);
		gpc_cleanup_close(&link.fd);
	}
	gpc_pin_list_release(names, count);
	return r;
}
