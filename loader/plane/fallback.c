/* SPDX-License-Identifier: MIT */
#include "fallback.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../compiler/base/cleanup.h"
#include "../link/held.h"
#include "state.h"

int gpc_fallback_open(struct gpc_survey *survey, uint32_t slot, bool audit,
		      struct gpc_fallback *ret, struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_fallback_close) struct gpc_fallback fallback = {.audit = audit};

	if (gpc_stage_read(&survey->instances[0], slot, &fallback.image, failure))
		return -1;
	fallback.present = true;
	if (gpc_devices_read(&survey->netlink, &fallback.devices, failure))
		return -1;
	(void)gpc_devices_match(&fallback.devices, &fallback.image, NULL);
	if (gpc_bindings_plan(&fallback.image, &fallback.devices, &survey->links,
			      &fallback.bindings, failure))
		return -1;
	*ret = fallback;
	fallback = (struct gpc_fallback){0};
	return 0;
}

void gpc_fallback_close(struct gpc_fallback *fallback)
{
	if (fallback->present)
		gpc_image_release(&fallback->image);
	gpc_bindings_release(&fallback->bindings);
	gpc_devices_release(&fallback->devices);
	*fallback = (struct gpc_fallback){0};
}

/* ---- links ---- */

static const struct gpc_binding *same_hook(const struct gpc_bindings *bindings, size_t count,
					   const struct gpc_binding *as)
{
	for (size_t i = 0; i < count; i++)
		if (bindings->items[i].device->ifindex == as->device->ifindex &&
		    bindings->items[i].hook == as->hook)
			return &bindings->items[i];
	return NULL;
}

static bool has_device(const struct gpc_bindings *bindings, size_t count,
		       const struct gpc_device *device)
{
	for (size_t i = 0; i < count; i++)
		if (bindings->items[i].device->ifindex == device->ifindex)
			return true;
	return false;
}

static int refuse_device(const char *device, struct gpc_failure *failure)
{
	gpc_fail(failure, GPC_EXIT_REFUSED, 0,
		 "on device '%s' the plane changes hooks, role or mode: programs would have to be "
		 "replaced to take that back, and nobody does when the time is over",
		 device);
	return gpc_fail_hint(failure, "apply that change alone, without --confirm");
}

/* All of `some` on devices that `others` know, too, as those have it. */
static const char *find_other(const struct gpc_bindings *some, const struct gpc_bindings *others,
			      size_t other_count)
{
	for (size_t i = 0; i < some->count; i++) {
		const struct gpc_binding *a = &some->items[i], *b;

		if (!has_device(others, other_count, a->device))
			continue;
		b = same_hook(others, other_count, a);
		if (!b || a->program != b->program || a->mode != b->mode)
			return a->device->name;
	}
	return NULL;
}

int gpc_fallback_join(const struct gpc_fallback *fallback, struct gpc_bindings *bindings,
		      struct gpc_failure *failure)
{
	size_t own = bindings->count, more = fallback->bindings.count;
	const char *other = find_other(bindings, &fallback->bindings, more);
	struct gpc_binding *items;

	if (!other)
		other = find_other(&fallback->bindings, bindings, own);
	if (other)
		return refuse_device(other, failure);
	items = reallocarray(bindings->items, own + more + 1, sizeof(*items));
	if (!items)
		return gpc_fail(failure, GPC_EXIT_FAILED, ENOMEM, "cannot plan the bindings");
	bindings->items = items;
	for (size_t i = 0; i < own; i++)
		if (items[i].link)
			items[i].link->wanted = true;
	for (size_t i = 0; i < more; i++) {
		const struct gpc_binding *binding = &fallback->bindings.items[i];

		if (binding->link)
			binding->link->wanted = true;
		if (!same_hook(bindings, own, binding))
			items[bindings->count++] = *binding;
	}
	return 0;
}

/* ---- states ---- */

int gpc_fallback_agree(const struct gpc_fallback *fallback, const struct gpc_image *image,
		       struct gpc_view linked, const struct gpc_overrides *overrides,
		       struct gpc_failure *failure)
{
	const struct gpc_backend *backends;
	uint32_t backend = GPC_NONE;
	int r;

	if (!fallback->present || !overrides || !gpc_held_own(fallback->image.view))
		return 0;
	r = gpc_states_compare(&fallback->image, fallback->image.view, image, linked, overrides,
			       &backend);
	if (r)
		return gpc_fail(failure, GPC_EXIT_FAILED, -r, "cannot compare the states of endpoints");
	if (backend == GPC_NONE)
		return 0;
	backends = gpc_image_section(image, GPC_SEC_BACKEND, &(uint32_t){0});
	return gpc_fail(failure, GPC_EXIT_REFUSED, 0,
			"an override holds for backend '%s', which is not the same in what runs and in "
			"what it would fall back to: it cannot hold for both",
			gpc_image_name(image, backends[backend].name));
}
