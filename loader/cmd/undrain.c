/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "../../compiler/base/cleanup.h"
#include "lever.h"
#include "output.h"
#include "override_text.h"

static const struct gpc_option options[] = {GPC_OPTION_JSON};

static bool is_live_of(const struct gpc_lever *lever, const struct gpc_override *o,
		       const char *backend, const char *endpoint)
{
	return gpc_override_is_live(o, lever->now) && !strcmp(o->backend, backend) &&
	       !strcmp(o->endpoint, endpoint);
}

static bool is_overridden(const struct gpc_lever *lever, const char *backend, const char *endpoint)
{
	for (size_t i = 0; i < lever->overrides.count; i++)
		if (is_live_of(lever, &lever->overrides.items[i], backend, endpoint))
			return true;
	return false;
}

/* Nothing of this object is overridden; but is it what the operator means? */
static int check_meaning(const struct gpc_lever *lever, const struct gpc_override *object,
			 struct gpc_failure *failure)
{
	const struct gpc_endpoint *endpoint = gpc_lever_endpoint(lever);

	if (is_overridden(lever, object->backend, object->endpoint) || !endpoint)
		return 0;
	if (is_overridden(lever, object->backend, "")) {
		gpc_fail(failure, GPC_EXIT_REFUSED, 0,
			 "'%s/%s' is drained with its backend as a whole", object->backend,
			 object->endpoint);
		return gpc_fail_hint(failure, "gpc undrain %s", object->backend);
	}
	if (endpoint->state == GPC_STATE_READY)
		return 0;
	return gpc_lever_refuse(lever, failure, "'%s/%s' is not overridden: the intent says %s",
				object->backend, object->endpoint,
				endpoint->state == GPC_STATE_MAINT ? "maint" : "drain");
}

static void say_ended(const struct gpc_call *call, const struct gpc_lever *lever,
		      const struct gpc_override *object)
{
	char name[GPC_OVERRIDE_OBJECT], text[GPC_OVERRIDE_TEXT];

	for (size_t i = 0; i < lever->overrides.count; i++) {
		const struct gpc_override *o = &lever->overrides.items[i];

		if (o->end != GPC_END_UNDRAINED || o->ended != lever->now ||
		    strcmp(o->backend, object->backend) || strcmp(o->endpoint, object->endpoint))
			continue;
		if (gpc_call_has(call, "json"))
			gpc_json_print(gpc_override_json(o, lever->now));
		else
			printf("%s: %s has ended\n", gpc_override_object(o, name),
			       gpc_override_text(o, text));
	}
}

/* What is left of a backend whose own override has ended. */
static void say_rest(const struct gpc_call *call, const struct gpc_lever *lever,
		     const struct gpc_override *object)
{
	char name[GPC_OVERRIDE_OBJECT], text[GPC_OVERRIDE_TEXT];

	if (*object->endpoint || gpc_call_has(call, "json"))
		return;
	for (size_t i = 0; i < lever->overrides.count; i++) {
		const struct gpc_override *o = &lever->overrides.items[i];

		if (gpc_override_is_live(o, lever->now) && !strcmp(o->backend, object->backend))
			printf("%s: still %s\n", gpc_override_object(o, name),
			       gpc_override_text(o, text));
	}
}

static enum gpc_exit run(const struct gpc_call *call)
{
	GPC_CLEANUP(gpc_lever_close) struct gpc_lever lever = GPC_LEVER_NONE;
	struct gpc_override object = {0};
	char name[GPC_OVERRIDE_OBJECT];
	struct gpc_failure failure;
	size_t ended;

	if (gpc_lever_begin(call, 0, &object, &failure) || gpc_lever_open(call, &lever, &failure) ||
	    gpc_lever_find(&lever, call->operands[0], &object, &failure) ||
	    check_meaning(&lever, &object, &failure))
		return gpc_finish_failed(call, &failure);
	ended = gpc_overrides_end(&lever.overrides, &object, GPC_END_UNDRAINED, object.actor,
				  lever.now);
	/* Also where nothing ends: what a killed gpc left is put right. */
	if (gpc_lever_commit(&lever, &failure))
		return gpc_finish_failed(call, &failure);
	say_ended(call, &lever, &object);
	if (!ended && !gpc_call_has(call, "json"))
		printf("%s: was not overridden\n", gpc_override_object(&object, name));
	say_rest(call, &lever, &object);
	return gpc_lever_finish(call, &lever, ended);
}

const struct gpc_command gpc_command_undrain = {
	.name = "undrain",
	.side = GPC_SIDE_HOST,
	.summary = "end what is overridden of a backend or an endpoint",
	.operands = "BACKEND[/ENDPOINT]",
	.operands_min = 1,
	.operands_max = 1,
	.description =
		"Ends the override of its state and that of its weight: the intent decides again. A\n"
		"backend's own override ends, those of its endpoints stay. What the intent itself\n"
		"drains is changed there (4). No error where nothing was overridden.",
	.objects = "override",
	GPC_ROWS(options),
	GPC_EXIT_LIST(GPC_EXIT_OK, GPC_EXIT_FAILED, GPC_EXIT_INVALID, GPC_EXIT_REFUSED, GPC_EXIT_HOST,
		      GPC_EXIT_CONFLICT),
	.run = run,
};
