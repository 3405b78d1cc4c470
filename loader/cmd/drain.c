/* SPDX-License-Identifier: MIT */
#include "../../compiler/base/cleanup.h"
#include "lever.h"
#include "output.h"
#include "override_text.h"

static const struct gpc_option options[] = {
	GPC_OPTION_FOR,
	GPC_OPTION_REASON,
	{0, "maint", NULL, "flows that live pick another endpoint, too"},
	{'v', "verbose", NULL, "without an operand: also those that have ended"},
	GPC_OPTION_JSON,
};

static enum gpc_exit list(const struct gpc_call *call)
{
	GPC_CLEANUP(gpc_overrides_release) struct gpc_overrides overrides = {0};
	bool all = gpc_call_has(call, "verbose"), json = gpc_call_has(call, "json");
	struct json_object *result;
	struct gpc_failure failure;
	int64_t now = gpc_utc_ms();
	size_t live;

	if (gpc_call_has(call, "for") || gpc_call_has(call, "reason") || gpc_call_has(call, "maint")) {
		gpc_fail(&failure, GPC_EXIT_USAGE, 0, "BACKEND[/ENDPOINT] is missing");
		gpc_fail_hint(&failure, "gpc drain --help");
		return gpc_finish_failed(call, &failure);
	}
	if (gpc_journal_load(gpc_state_dir(), &overrides, &failure))
		return gpc_finish_failed(call, &failure);
	live = gpc_overrides_live(&overrides, now);
	if (json)
		gpc_overrides_print_json(&overrides, now, all);
	else if (live || (all && overrides.count))
		gpc_overrides_print(&overrides, now, all);
	else
		puts("nothing is overridden");
	result = gpc_json("result");
	gpc_json_number(result, "overrides", (int64_t)live);
	return gpc_finish(call, GPC_EXIT_OK, result);
}

/* The intent goes first where it says the same, or more: an override would loosen it. */
static int check_intent(const struct gpc_lever *lever, const struct gpc_override *override,
			struct gpc_failure *failure)
{
	const struct gpc_endpoint *endpoint = gpc_lever_endpoint(lever);

	if (!endpoint || endpoint->state == GPC_STATE_READY)
		return 0;
	if (endpoint->state == GPC_STATE_MAINT)
		return gpc_lever_refuse(lever, failure, "'%s/%s' is in maint by the intent already",
					override->backend, override->endpoint);
	if (override->kind == GPC_OVERRIDE_DRAIN)
		return gpc_lever_refuse(lever, failure, "'%s/%s' is drained by the intent already",
					override->backend, override->endpoint);
	return 0;
}

static enum gpc_exit run(const struct gpc_call *call)
{
	GPC_CLEANUP(gpc_lever_close) struct gpc_lever lever = GPC_LEVER_NONE;
	struct gpc_override override = {.kind = gpc_call_has(call, "maint") ? GPC_OVERRIDE_MAINT
									    : GPC_OVERRIDE_DRAIN};
	struct gpc_failure failure;

	if (!call->operand_count)
		return list(call);
	if (gpc_lever_begin(call, gpc_utc_ms(), &override, &failure) ||
	    gpc_lever_open(call, &lever, &failure) ||
	    gpc_lever_find(&lever, call->operands[0], &override, &failure) ||
	    check_intent(&lever, &override, &failure))
		return gpc_finish_failed(call, &failure);
	return gpc_lever_set(call, &lever, &override);
}

const struct gpc_command gpc_command_drain = {
	.name = "drain",
	.side = GPC_SIDE_HOST,
	.summary = "give no new flows to a backend or an endpoint",
	.operands = "[BACKEND[/ENDPOINT]]",
	.operands_max = 1,
	.description =
		"Flows that live stay, new ones go elsewhere; with --maint those that live pick anew,\n"
		"too. The intent is left as it is: an override lies over it, at once and for the time\n"
		"given, and the data plane itself ends it. It survives apply, rollback, detach and\n"
		"reboot, and ends with its object. A later one of the same object replaces it. An\n"
		"endpoint that the intent drains already is refused (4). Without an operand lists what\n"
		"is overridden; takes no lock then.",
	.objects = "override",
	GPC_ROWS(options),
	GPC_EXIT_LIST(GPC_EXIT_OK, GPC_EXIT_FAILED, GPC_EXIT_INVALID, GPC_EXIT_REFUSED, GPC_EXIT_HOST,
		      GPC_EXIT_CONFLICT),
	.run = run,
};
