/* SPDX-License-Identifier: MIT */
/* Reading, switching and detaching; apply.c, verify.c and doctor.c have the rest of plane.h. */
#include "plane.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../compiler/base/cleanup.h"
#include "control.h"
#include "counters.h"
#include "fallback.h"
#include "failpoint.h"
#include "foreign.h"
#include "kernel.h"
#include "state.h"
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

static bool has_role(const struct gpc_plane_status *status, const struct gpc_interface *items,
		     uint32_t count, size_t known, uint8_t role)
{
	for (size_t d = 0; d < known; d++) {
		uint32_t interface = status->devices[d].interface;

		if (interface < count && items[interface].role == role)
			return true;
	}
	return false;
}

/*
 * Interface items of the image that no device and no dead link stands for, but those of a role that this host
 * does not have: balancers and the hosts that unwrap may share a plane.
 */
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
		if (d < known || !has_role(status, item, count, known, item[i].role))
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

static int read_counters(struct gpc_plane_status *status, const struct gpc_instance *instance,
			 struct gpc_failure *failure)
{
	struct gpc_counters counters;

	if (gpc_counters_read(instance, &counters, failure))
		return -1;
	status->counters = counters.counters;
	status->counter_count = counters.counter_count;
	status->rules = counters.rules;
	status->rule_count = counters.rule_count;
	memcpy(status->limits, counters.limits, sizeof(status->limits));
	return 0;
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

static int read_states(struct gpc_plane_status *status, const struct gpc_instance *instance,
		       struct gpc_failure *failure)
{
	size_t i;

	if (!instance->endpoints || !instance->backends)
		return 0;
	status->endpoint_states = instance->entries[GPC_MAP_ENDPOINTS];
	status->backend_states = instance->entries[GPC_MAP_BACKENDS];
	status->endpoints = calloc(status->endpoint_states, sizeof(*status->endpoints));
	status->backends = calloc(status->backend_states, sizeof(*status->backends));
	if (!status->endpoints || !status->backends)
		return gpc_fail(failure, GPC_EXIT_FAILED, ENOMEM,
				"cannot read the states of endpoints");
	for (i = 0; i < status->endpoint_states; i++)
		status->endpoints[i] = instance->endpoints[i];
	for (i = 0; i < status->backend_states; i++)
		status->backends[i] = instance->backends[i];
	return 0;
}

/* ---- read: the whole ---- */

/* Is the image in the slot the one that was read before? Its link part has the generation. */
static bool is_known(const struct gpc_plane_status *before, const struct gpc_staged *staged)
{
	const struct gpc_image_head *head = before->image.head;

	return before->has_image && staged->bytes && head->size <= staged->size &&
	       !memcmp(staged->bytes, head, sizeof(*head)) &&
	       !memcmp((const char *)staged->bytes + head->link_offset,
		       before->image.bytes + head->link_offset, sizeof(struct gpc_link_head));
}

static void read_image(struct gpc_plane_status *status, const struct gpc_instance *instance,
		       const struct gpc_plane_status *before, bool *ret_kept)
{
	GPC_CLEANUP(gpc_stage_close) struct gpc_staged staged = GPC_STAGED_NONE;
	uint32_t slot = gpc_ctl_active(status->control);
	struct gpc_failure why;

	*ret_kept = !gpc_stage_open(instance, slot, &staged, &why) && is_known(before, &staged);
	status->images_read = before->images_read + !*ret_kept;
	if (*ret_kept)
		status->image = before->image;
	status->has_image = *ret_kept || !gpc_stage_read(instance, slot, &status->image, &why);
	if (!status->has_image)
		snprintf(status->problem, sizeof(status->problem), "%.255s", why.message);
}

static int read_instance(struct gpc_plane_status *status, struct gpc_survey *survey,
			 const struct gpc_plane_status *before, bool *ret_kept, bool *ret_moved,
			 struct gpc_failure *failure)
{
	const struct gpc_instance *instance = &survey->instances[0];
	uint64_t word = gpc_control_load(instance->control);

	status->present = true;
	status->control = gpc_control_now(word);
	status->confirm = gpc_confirm_describe(instance, word);
	status->size_log2 = instance->id.log2;
	read_image(status, instance, before, ret_kept);
	if (status->has_image &&
	    (read_devices(status, survey, failure) || read_counters(status, instance, failure) ||
	     read_next(status, instance, failure) || read_states(status, instance, failure)))
		return -1;
	*ret_moved = gpc_control_load(instance->control) != word ||
		     gpc_control_now(word) != status->control;
	return 0;
}

/* *ret_moved: the control word was changed meanwhile. */
static int read_once(const char *bpffs, struct gpc_plane_status *status, bool *ret_moved,
		     struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_survey_close) struct gpc_survey survey = {0};
	struct gpc_plane_status fresh = {0};
	bool kept = false;
	int r = gpc_survey_open(bpffs, &survey, failure);

	*ret_moved = false;
	if (!r && survey.present)
		r = read_instance(&fresh, &survey, status, &kept, ret_moved, failure);
	if (r) {
		fresh.has_image &= !kept;
		gpc_plane_status_release(&fresh);
		return -1;
	}
	status->has_image &= !kept;
	gpc_plane_status_release(status);
	*status = fresh;
	return 0;
}

#define READ_TRIES 5

int gpc_plane_read_again(const char *bpffs, struct gpc_plane_status *status,
			 struct gpc_failure *failure)
{
	bool moved = true;
	int try;

	for (try = 0; try < READ_TRIES && moved; try++)
		if (read_once(bpffs, status, &moved, failure))
			return -1;
	return 0;
}

int gpc_plane_read(const char *bpffs, struct gpc_plane_status *ret, struct gpc_failure *failure)
{
	struct gpc_plane_status status = {0};

	if (gpc_plane_read_again(bpffs, &status, failure))
		return -1;
	*ret = status;
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
	free(status->endpoints);
	free(status->backends);
	*status = (struct gpc_plane_status){0};
}

/* ---- override ---- */

/* For the image in a slot; one without an image needs none. */
static int override_slot(const struct gpc_instance *instance, uint32_t slot,
			 const struct gpc_overrides *overrides, struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_image_release) struct gpc_image image = {0};

	if (gpc_stage_read(instance, slot, &image, failure))
		return -1;
	return gpc_states_publish(instance, &image, image.view, overrides, failure);
}

/* While an apply waits, for what it would fall back to as well. */
static int override_instance(const struct gpc_instance *instance,
			     const struct gpc_overrides *overrides, struct gpc_failure *failure)
{
	uint64_t word = gpc_control_now(gpc_control_load(instance->control));

	if (gpc_ctl_fallback(word) != gpc_ctl_active(word) &&
	    override_slot(instance, gpc_ctl_fallback(word), overrides, failure))
		return -1;
	return override_slot(instance, gpc_ctl_active(word), overrides, failure);
}

int gpc_plane_overridable(const char *bpffs, const struct gpc_overrides *overrides,
			  struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_fallback_close) struct gpc_fallback fallback = {0};
	GPC_CLEANUP(gpc_image_release) struct gpc_image image = {0};
	GPC_CLEANUP(gpc_survey_close) struct gpc_survey survey = {0};
	uint64_t word;

	if (gpc_survey_open(bpffs, &survey, failure))
		return -1;
	if (!survey.present)
		return 0;
	word = gpc_control_now(gpc_control_load(survey.instances[0].control));
	if (gpc_ctl_fallback(word) == gpc_ctl_active(word))
		return 0;
	if (gpc_fallback_open(&survey, gpc_ctl_fallback(word), false, &fallback, failure) ||
	    gpc_stage_read(&survey.instances[0], gpc_ctl_active(word), &image, failure))
		return -1;
	if (gpc_fallback_agree(&fallback, &image, image.view, overrides, failure)) {
		failure->code = GPC_EXIT_CONFLICT;
		return gpc_fail_hint(failure, "gpc confirm or gpc abort first");
	}
	return 0;
}

/* Also of an interrupted growth both instances, since links may run either. */
int gpc_plane_override(const char *bpffs, const struct gpc_overrides *overrides,
		       struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_survey_close) struct gpc_survey survey = {0};
	size_t i;

	if (gpc_survey_open(bpffs, &survey, failure))
		return -1;
	if (!survey.present) {
		gpc_fail(failure, GPC_EXIT_FAILED, 0, "no plane is running below '%s'", bpffs);
		return gpc_fail_hint(failure, "run: gpc apply");
	}
	for (i = survey.count; i-- > 0;)
		if (override_instance(&survey.instances[i], overrides, failure))
			return -1;
	return 0;
}

/* ---- switch ---- */

#define SWITCH_TRIES 1000u

/* What began meanwhile has no entry. A time in the future (swap.c) stays. */
static void begin_flows(volatile uint64_t *control)
{
	uint64_t now = gpc_control_flows_since();

	if (control[GPC_CTL_FLOWS_SINCE] < now)
		control[GPC_CTL_FLOWS_SINCE] = now;
}

/* -1: the word never stood still. */
static int switch_one(volatile uint64_t *control, bool off, bool *ret_changed)
{
	unsigned int try;

	for (try = 0; try < SWITCH_TRIES; try++) {
		uint64_t word = gpc_control_load(control);

		if (!(word & GPC_CTL_OFF) == !off)
			return 0;
		if (!off)
			begin_flows(control);
		if (gpc_control_swap(control, word, gpc_control_off(word, off))) {
			*ret_changed = true;
			return 0;
		}
	}
	return -1;
}

/* The first apply of a plane was not confirmed: every packet passes, and nobody said off. */
static bool is_off_by_expiry(uint64_t word)
{
	return !(word & GPC_CTL_OFF) && gpc_control_now(word) & GPC_CTL_OFF;
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
	if (!off && is_off_by_expiry(gpc_control_load(survey.instances[0].control))) {
		gpc_fail(failure, GPC_EXIT_CONFLICT, 0,
			 "the first apply was not confirmed in time, so nothing is to be switched on");
		return gpc_fail_hint(failure, "apply again; or gpc abort takes it away now");
	}
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
