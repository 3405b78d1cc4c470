/* SPDX-License-Identifier: MIT */
/* off and on: one bit of the control word. Neither waits for a lock: off is for emergencies. */
#include "output.h"

static const struct gpc_option options[] = {GPC_OPTION_JSON};

#define TRIES 100 /* an apply may change the word between reading and writing it */

static int turn_once(bool off, bool *ret_changed, struct gpc_failure *failure)
{
	for (int i = 1;; i++) {
		int rc = gpc_plane_switch(gpc_bpffs(), off, ret_changed, failure);

		if (!rc || failure->code != GPC_EXIT_CONFLICT || i == TRIES)
			return rc;
	}
}

static enum gpc_exit turn(const struct gpc_call *call, bool off)
{
	struct json_object *result;
	struct gpc_failure failure;
	bool changed = false;

	if (turn_once(off, &changed, &failure))
		return gpc_finish_failed(call, &failure);
	if (!gpc_call_has(call, "json"))
		printf("%s%s: %s\n", changed ? "" : "was already ", off ? "off" : "on",
		       off ? "every packet passes, nothing is balanced or denied"
			   : "packets are balanced, policies decide as before");
	result = gpc_json("result");
	gpc_json_bool(result, "off", off);
	gpc_json_bool(result, "changed", changed);
	return gpc_finish(call, GPC_EXIT_OK, result);
}

static enum gpc_exit run_off(const struct gpc_call *call)
{
	return turn(call, true);
}

static enum gpc_exit run_on(const struct gpc_call *call)
{
	return turn(call, false);
}

const struct gpc_command gpc_command_off = {
	.name = "off",
	.side = GPC_SIDE_HOST,
	.summary = "let every packet pass, at once",
	.operands = "",
	.description = "Nothing is balanced, denied or rejected, and no flow is learnt.\n"
		       "Programs stay attached and count the packets as `off`. Stays until gpc on, "
		       "also across\n"
		       "apply. Needs neither the lock nor the state folder.",
	.objects = "",
	GPC_ROWS(options),
	GPC_EXIT_LIST(GPC_EXIT_OK, GPC_EXIT_FAILED, GPC_EXIT_HOST, GPC_EXIT_CONFLICT),
	.run = run_off,
};

const struct gpc_command gpc_command_on = {
	.name = "on",
	.side = GPC_SIDE_HOST,
	.summary = "balance and judge packets again after off",
	.operands = "",
	.description =
		"Ends what gpc off began. Open flows keep their endpoints; connections that began\n"
		"meanwhile are judged as if they opened, for defaults.pickup from now on.",
	.objects = "",
	GPC_ROWS(options),
	GPC_EXIT_LIST(GPC_EXIT_OK, GPC_EXIT_FAILED, GPC_EXIT_HOST, GPC_EXIT_CONFLICT),
	.run = run_on,
};
