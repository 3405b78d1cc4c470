/* SPDX-License-Identifier: MIT */
/* Reading, switching and detaching; apply.c, verify.c and doctor.c have the rest of plane.h. */
#include "plane.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../compiler/base/cleanup.h"
#include "control.h"
#include "failpoint.h"
#include "foreign.h"
#include "kernel.h"
#include "survey.h"

/* ---- read: devices ---- */

static struct gpc_device_status *add_device(struct gpc_plane_status *status, const char *name,
					    uint32_t interface, uint8_t hook)
{
	struct gpc_device_status *devices =
		realloc(status->devices, (status->device_count + 1) * sizeof(*devices));

	if (!devices)
		return NULL;
	status->devices = devices;
	devices += status->device_count++;
	*devices = (struct gpc_device_status){.interface = interface, .hook = hook};
	snprintf(devices->name, sizeof(devices->name), "%s", name);
	return devices;
}

static void set_state(struct gpc_device_status *device, enum gpc_link_state state,
		      const char *detail)
{
	device->state = state;
	snprintf(device->detail, sizeof(device->detail), "%s", detail);
}

static bool add_bound(struct gpc_plane_status *status, const struct gpc_survey *survey,
		      const struct gpc_binding *binding)
{
	const struct gpc_device *found = binding->device;
	struct gpc_device_status *device =
		add_device(status, found->name, found->interface, binding->hook);
	uint32_t foreign = found->xdp_native ? found->xdp_native : found->xdp_generic;
	uint32_t ours = binding->link ? binding->link->program : 0;

	if (!device)
		return false;
	device->ifindex = found->ifindex;
	device->generic = binding->hook == GPC_HOOK_XDP && ours && found->xdp_generic == ours;
	if (binding->hook == GPC_HOOK_XDP && foreign && foreign != ours) {
		struct gpc_foreign found_there;

		gpc_foreign_describe(found->name, foreign, &found_there);
		set_state(device, GPC_LINK_FOREIGN, found_there.what);
	} else if (!binding->link) {
		set_state(device, GPC_LINK_MISSING, "not bound yet; run: gpc apply");
	} else if (ours != survey->instances[0].program_id[binding->program]) {
		set_state(device, GPC_LINK_MISSING, "runs an older program; run: gpc apply");
	}
	return true;
}

static bool add_gone(struct gpc_plane_status *status, const struct gpc_survey *survey)
{
	size_t i;

	for (i = 0; i < survey->links.count; i++) {
		const struct gpc_link *link = &survey->links.items[i];
		uint16_t interface = gpc_device_interface(&status->image, link->device);
		struct gpc_device_status *device;

		if (link->ifindex)
			continue;
		device = add_device(status, link->device,
				    interface == GPC_NONE16 ? GPC_NONE : interface, link->hook);
		if (!device)
			return false;
		set_state(device, GPC_LINK_GONE,
			  "the device is gone; bound again by gpc apply "
			  "when it is back");
	}
	return true;
}

/* Interface items of the image that no device and no dead link stands for. */
static bool add_missing(struct gpc_plane_status *status)
{
	uint32_t count, i;
	const struct gpc_interface *item =
		gpc_image_section(&status->image, GPC_SEC_INTERFACE, &count);
	size_t known = status->device_count, d;

	for (i = 0; i < count; i++) {
		struct gpc_device_status *device;

		for (d = 0; d < known && status->devices[d].interface != i; d++)
			;
		if (d < known)
			continue;
		device = add_device(status, gpc_image_name(&status->image, item[i].name), i,
				    (uint8_t)(item[i].hooks & -item[i].hooks));
		if (!device)
			return false;
		set_state(device, GPC_LINK_MISSING,
			  item[i].pattern ? "no device matches the pattern"
					  : "there is no such device");
	}
	return true;
}

static int read_devices(struct gpc_plane_status *status, struct gpc_survey *survey,
			struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_bindings_release) struct gpc_bindings bindings = {0};
	size_t i;
	bool complete = true;

	(void)gpc_devices_match(&survey->devices, &status->image, NULL);
	if (gpc_bindings_plan(&status->image, &survey->devices, &survey->links, &bindings, failure))
		return -1;
	for (i = 0; i < bindings.count && complete; i++)
		complete = add_bound(status, survey, &bindings.items[i]);
	if (!complete || !add_gone(status, survey) || !add_missing(status))
		return gpc_fail(failure, GPC_EXIT_FAILED, ENOMEM, "cannot read the devices");
	return 0;
}

/* ---- read: maps ---- */

static void sum_counters(void *context, uint32_t slot, const void *values, int cpus)
{
	const struct gpc_counter *counter = values;
	struct gpc_counter *sum = (struct gpc_counter *)context + slot;
	int cpu;

	for (cpu = 0; cpu < cpus; cpu++) {
		sum->packets += counter[cpu].packets;
		sum->bytes += counter[cpu].bytes;
		sum->flows += counter[cpu].flows;
	}
}

static int read_counters(struct gpc_plane_status *status, const struct gpc_instance *instance,
			 struct gpc_failure *failure)
{
	struct gpc_percpu array =
		gpc_instance_percpu(instance, GPC_MAP_COUNTERS, sizeof(struct gpc_counter));
	int r;

	status->counter_count = array.entries;
	status->counters = calloc(array.entries, sizeof(*status->counters));
	if (!status->counters)
		return gpc_fail(failure, GPC_EXIT_FAILED, ENOMEM, "cannot read the counters");
	r = gpc_percpu_read(&array, sum_counters, status->counters);
	return r ? gpc_kernel_fail(failure, -r, "cannot read the counters") : 0;
}

static void sum_rules(void *context, uint32_t slot, const void *values, int cpus)
{
	const struct gpc_rule_counter *counter = values;
	struct gpc_rule_counter *sum = (struct gpc_rule_counter *)context + slot;
	int cpu;

	for (cpu = 0; cpu < cpus; cpu++) {
		sum->packets += counter[cpu].packets;
		sum->bytes += counter[cpu].bytes;
		sum->would_deny += counter[cpu].would_deny;
		sum->exceeded += counter[cpu].exceeded;
		sum->log_lost += counter[cpu].log_lost;
		if (counter[cpu].last_hit > sum->last_hit)
			sum->last_hit = counter[cpu].last_hit;
	}
}

static void sum_limits(void *context, uint32_t slot, const void *values, int cpus)
{
	const struct gpc_limiter *limiter = values;
	struct gpc_limiter *sum = (struct gpc_limiter *)context + slot;
	int cpu;

	for (cpu = 0; cpu < cpus && slot < GPC_LIMIT_COUNT; cpu++) {
		sum->let += limiter[cpu].let;
		sum->kept += limiter[cpu].kept;
		sum->lost += limiter[cpu].lost;
	}
}

static int read_rules(struct gpc_plane_status *status, const struct gpc_instance *instance,
		      struct gpc_failure *failure)
{
	struct gpc_percpu rules =
		gpc_instance_percpu(instance, GPC_MAP_RULES, sizeof(struct gpc_rule_counter));
	struct gpc_percpu limits =
		gpc_instance_percpu(instance, GPC_MAP_LIMITS, sizeof(struct gpc_limiter));
	int r;

	status->rule_count = rules.entries;
	status->rules = calloc(rules.entries + 1ul, sizeof(*status->rules));
	if (!status->rules)
		return gpc_fail(failure, GPC_EXIT_FAILED, ENOMEM, "cannot read the rules' counters");
	r = gpc_percpu_read(&rules, sum_rules, status->rules);
	if (!r)
		r = gpc_percpu_read(&limits, sum_limits, status->limits);
	return r ? gpc_kernel_fail(failure, -r, "cannot read the rules' counters") : 0;
}

static int read_next(struct gpc_plane_status *status, const struct gpc_instance *instance,
		     struct gpc_failure *failure)
{
	size_t i;

	status->next_count = instance->entries[GPC_MAP_NEXT];
	status->next = calloc(status->next_count, sizeof(*status->next));
	if (!status->next)
		return gpc_fail(failure, GPC_EXIT_FAILED, ENOMEM, "cannot read the next hops");
	for (i = 0; i < status->next_count; i++)
		status->next[i] =
			(struct gpc_next){instance->next[i].hop, instance->next[i].checked};
	return 0;
}

int gpc_plane_read(const char *bpffs, struct gpc_plane_status *ret, struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_survey_close) struct gpc_survey survey = {0};
	GPC_CLEANUP(gpc_plane_status_release) struct gpc_plane_status status = {0};
	const struct gpc_instance *instance;
	struct gpc_failure why;

	if (gpc_survey_open(bpffs, &survey, failure))
		return -1;
	if (survey.present) {
		instance = &survey.instances[0];
		status.present = true;
		status.control = gpc_control_load(instance->control);
		status.size_log2 = instance->id.log2;
		status.has_image = !gpc_stage_read(instance, gpc_ctl_active(status.control),
						   &status.image, &why);
		if (!status.has_image)
			snprintf(status.problem, sizeof(status.problem), "%.255s", why.message);
		else if (read_devices(&status, &survey, failure) ||
			 read_counters(&status, instance, failure) ||
			 read_rules(&status, instance, failure) ||
			 read_next(&status, instance, failure))
			return -1;
	}
	*ret = status;
	status = (struct gpc_plane_status){0};
	return 0;
}

void gpc_plane_status_release(struct gpc_plane_status *status)
{
	if (status->has_image)
		gpc_image_release(&status->image);
	free(status->devices);
	free(status->counters);
	free(status->rules);
	free(status->next);
	*status = (struct gpc_plane_status){0};
}

/* ---- switch ---- */

#define SWITCH_TRIES 1000u

/* -1: the word never stood still. */
static int switch_one(volatile uint64_t *control, bool off, bool *ret_changed)
{
	unsigned int try;

	for (try = 0; try < SWITCH_TRIES; try++) {
		uint64_t word = gpc_control_load(control);

		if (!(word & GPC_CTL_OFF) == !off)
			return 0;
		if (!off) /* what began meanwhile has no entry */
			control[GPC_CTL_FLOWS_SINCE] = gpc_control_flows_since();
		if (gpc_control_swap(control, word, gpc_control_off(word, off))) {
			*ret_changed = true;
			return 0;
		}
	}
	return -1;
}

/*
 * The oldest first, and the links of an interrupted growth may run either: swap.c's
 * follow_operator() says why. *ret_last: the highest number.
 */
static int switch_all(const char *bpffs, bool off, bool *ret_changed, uint32_t *ret_last,
		      struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_survey_close) struct gpc_survey survey = {0};
	uint32_t at;
	size_t i;

	if (gpc_survey_open(bpffs, &survey, failure))
		return -1;
	if (!survey.present) {
		gpc_fail(failure, GPC_EXIT_FAILED, 0, "no plane is running below '%s'", bpffs);
		return gpc_fail_hint(failure, "run: gpc apply");
	}
	*ret_last = gpc_survey_last_number(&survey);
	for (at = 0; at < *ret_last;) {
		const struct gpc_instance *next = NULL;

		for (i = 0; i < survey.count; i++)
			if (survey.instances[i].id.number > at &&
			    (!next || survey.instances[i].id.number < next->id.number))
				next = &survey.instances[i];
		if (switch_one(next->control, off, ret_changed))
			return gpc_fail(failure, GPC_EXIT_CONFLICT, 0,
					"the control word never stood still");
		at = next->id.number;
	}
	return 0;
}

int gpc_plane_switch(const char *bpffs, bool off, bool *ret_changed, struct gpc_failure *failure)
{
	uint32_t last = 0, before;
	bool changed = false;

	do {
		before = last;
		if (switch_all(bpffs, off, &changed, &last, failure))
			return -1;
	} while (last != before);
	if (ret_changed)
		*ret_changed = changed;
	return 0;
}

/* ---- detach ---- */

/* Each link by its pin, so that a plane whose other pins are damaged can be detached, too. */
static int detach_links(const char *bpffs, const struct gpc_notice_sink *notices,
			struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_survey_close) struct gpc_survey survey = {0};
	size_t i;

	if (!gpc_survey_open(bpffs, &survey, failure)) {
		for (i = 0; i < survey.links.count; i++)
			survey.links.items[i].wanted = false;
		return gpc_links_prune(&survey.links, NULL, failure);
	}
	if (failure->code == GPC_EXIT_CONFLICT)
		return -1;
	gpc_warn(notices, "the plane is damaged: %s", failure->message);
	return gpc_links_remove(bpffs, failure);
}

static int detach_instances(const char *bpffs, const struct gpc_notice_sink *notices,
			    struct gpc_failure *failure)
{
	GPC_AUTO_FREE struct gpc_instance_id *ids = NULL;
	size_t count, i;

	(void)notices;
	if (gpc_instance_list(bpffs, &ids, &count, failure))
		return -1;
	for (i = 0; i < count; i++)
		if (gpc_instance_remove(bpffs, &ids[i], failure))
			return -1;
	return gpc_instance_sweep(bpffs, failure);
}

static int detach_folder(const char *bpffs, const struct gpc_notice_sink *notices,
			 struct gpc_failure *failure)
{
	(void)notices;
	return gpc_pin_unmake(bpffs, failure);
}

static const struct {
	const char *point;
	int (*run)(const char *bpffs, const struct gpc_notice_sink *notices,
		   struct gpc_failure *failure);
} detach_steps[] = {
	/* Links first: a program whose maps are gone would decide without an image. */
	{"detach.links", detach_links},
	{"detach.instances", detach_instances},
	{"detach.folder", detach_folder},
};

int gpc_plane_detach(const char *bpffs, const struct gpc_notice_sink *notices,
		     struct gpc_failure *failure)
{
	bool folder;
	size_t i;

	if (gpc_pin_check(bpffs, &folder, failure))
		return -1;
	for (i = 0; folder && i < sizeof(detach_steps) / sizeof(*detach_steps); i++) {
		if (detach_steps[i].run(bpffs, notices, failure))
			return -1;
		if (gpc_failpoint(detach_steps[i].point))
			return gpc_failpoint_fail(failure, detach_steps[i].point);
	}
	return 0;
}
