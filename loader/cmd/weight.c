/* SPDX-License-Identifier: MIT */
#include "../../compiler/base/cleanup.h"
#include "../../compiler/intent/scalar.h"
#include "lever.h"
#include "output.h"

static const struct gpc_option options[] = {GPC_OPTION_FOR, GPC_OPTION_REASON, GPC_OPTION_JSON};

static int take_weight(const char *text, uint32_t *ret, struct gpc_failure *failure)
{
	uint64_t weight;

	if (gpc_scalar_uint(text, &weight) || weight > GPC_MAX_WEIGHT) {
		gpc_fail(failure, GPC_EXIT_USAGE, 0, "'%.100s' is no weight", text);
		return gpc_fail_hint(failure, "a number from 0 to %u", GPC_MAX_WEIGHT);
	}
	*ret = (uint32_t)weight;
	return 0;
}

/* A weight is a ratio to that of the intent, by which the Maglev table was filled. */
static int check_intent(const struct gpc_lever *lever, const struct gpc_override *override,
			struct gpc_failure *failure)
{
	const struct gpc_endpoint *endpoint = gpc_lever_endpoint(lever);

	if (!endpoint) {
		gpc_fail(failure, GPC_EXIT_USAGE, 0, "'%s' is a backend: only endpoints have weights",
			 override->backend);
		return gpc_fail_hint(failure, "gpc weight %s/ENDPOINT %u", override->backend,
				     override->weight);
	}
	if (endpoint->state != GPC_STATE_READY)
		return gpc_lever_refuse(lever, failure,
					"'%s/%s' is not in the table: the intent says %s",
					override->backend, override->endpoint,
					endpoint->state == GPC_STATE_MAINT ? "maint" : "drain");
	if (!endpoint->weight)
		return gpc_lever_refuse(lever, failure,
					"'%s/%s' is not in the table: its weight is 0 in the intent",
					override->backend, override->endpoint);
	return 0;
}

static enum gpc_exit run(const struct gpc_call *call)
{
	GPC_CLEANUP(gpc_lever_close) struct gpc_lever lever = GPC_LEVER_NONE;
	struct gpc_override override = {.kind = GPC_OVERRIDE_WEIGHT};
	struct gpc_failure failure;

	if (take_weight(call->operands[1], &override.weight, &failure) ||
	    gpc_lever_begin(call, gpc_utc_ms(), &override, &failure) ||
	    gpc_lever_open(call, &lever, &failure) ||
	    gpc_lever_find(&lever, call->operands[0], &override, &failure) ||
	    check_intent(&lever, &override, &failure))
		return gpc_finish_failed(call, &failure);
	return gpc_lever_set(call, &lever, &override);
}

const struct gpc_command gpc_command_weight = {
	.name = "weight",
	.side = GPC_SIDE_HOST,
	.summary = "give an endpoint another weight",
	.operands = "BACKEND/ENDPOINT N",
	.operands_min = 2,
	.operands_max = 2,
	.description =
		"New flows come to it by weight N, 0 to 65535, in place of that of the intent; flows that\n"
		"live stay. Like gpc drain otherwise; gpc undrain ends it. The table stays as compiled, so\n"
		"a much greater weight costs draws: what shall stay belongs into the intent. Refused (4)\n"
		"for endpoints that the intent keeps out of the table, and when the weights of a backend\n"
		"would end at more than four different times.",
	.objects = "override",
	GPC_ROWS(options),
	GPC_EXIT_LIST(GPC_EXIT_OK, GPC_EXIT_FAILED, GPC_EXIT_INVALID, GPC_EXIT_REFUSED, GPC_EXIT_HOST,
		      GPC_EXIT_CONFLICT),
	.run = run,
};
