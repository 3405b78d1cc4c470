/* SPDX-License-Identifier: MIT */
/* confirm and abort: the two ends of an apply that waits. */
#include "../../compiler/base/cleanup.h"
#include "../actor.h"
#include "../interrupt.h"
#include "../plane/failpoint.h"
#include "activate.h"
#include "journaled.h"
#include "output.h"
#include "settle.h"

static const struct gpc_option options[] = {GPC_OPTION_JSON};

/* ---- confirm ---- */

/* What waits must be recorded: an apply that was killed before it said so was never seen to succeed. */
static int find_recorded(struct gpc_history *history, const struct gpc_confirm *found,
			 struct gpc_generation *ret, struct gpc_failure *failure)
{
	GPC_AUTO_FREE struct gpc_generation *list = NULL;
	size_t count;

	if (gpc_history_list(history, 1, &list, &count, failure))
		return -1;
	if (count && list[0].number == found->generation &&
	    list[0].became == GPC_RESULT_PENDING) {
		*ret = list[0];
		return 0;
	}
	gpc_fail(failure, GPC_EXIT_CONFLICT, 0,
		 "what waits was never recorded in '%s': its apply did not come to its end",
		 gpc_state_dir());
	return gpc_fail_hint(failure, "gpc abort, then apply again");
}

/* Over, or nothing there: says which, after what there was to settle has been. */
static int refuse_confirm(const struct gpc_confirm *found, struct gpc_failure *failure)
{
	if (found->armed && found->expired) {
		gpc_fail(failure, GPC_EXIT_ROLLED_BACK, 0,
			 "too late: the time of generation %u was over", found->generation);
		return gpc_fail_hint(failure, "apply it again");
	}
	gpc_fail(failure, GPC_EXIT_CONFLICT, 0, "nothing waits for a confirmation");
	return gpc_fail_hint(failure, "gpc log tells what became of the last generations");
}

static void end_overrides(const struct gpc_call *call)
{
	GPC_CLEANUP(gpc_journaled_release) struct gpc_journaled journaled = {0};
	GPC_CLEANUP(gpc_plane_status_release) struct gpc_plane_status plane = {0};
	struct gpc_failure ignored;

	gpc_journaled_read(call, &journaled);
	if (!gpc_plane_read(gpc_bpffs(), &plane, &ignored) && plane.has_image)
		gpc_journaled_settle(call, &journaled, &plane.image);
}

static enum gpc_exit keep(const struct gpc_call *call, struct gpc_history *history)
{
	const struct gpc_notice_sink notices = gpc_notices(call);
	struct gpc_generation generation;
	struct gpc_confirm found, before;
	struct gpc_failure failure;
	struct json_object *result;

	if (gpc_settle_plane(call, history, &found, &failure))
		return gpc_finish_failed(call, &failure);
	if (!found.armed || found.expired) {
		refuse_confirm(&found, &failure);
		return gpc_finish_failed(call, &failure);
	}
	if (find_recorded(history, &found, &generation, &failure) ||
	    gpc_confirm_keep(gpc_bpffs(), generation.number, &notices, &before, &failure) ||
	    gpc_history_settle(history, &generation, GPC_RESULT_CONFIRMED, NULL, gpc_actor(),
			       &failure))
		return gpc_finish_failed(call, &failure);
	end_overrides(call);
	if (!gpc_call_has(call, "json"))
		printf("generation %u is confirmed\n", generation.number);
	result = gpc_json("result");
	gpc_json_number(result, "generation", generation.number);
	return gpc_finish(call, GPC_EXIT_OK, result);
}

static enum gpc_exit run_confirm(const struct gpc_call *call)
{
	return gpc_in_bare_session(call, keep);
}

/* ---- abort ---- */

static enum gpc_exit say_aborted(const struct gpc_call *call, const struct gpc_confirm *found)
{
	struct json_object *result = gpc_json("result");

	if (!gpc_call_has(call, "json")) {
		if (!found->armed)
			puts("nothing waits for a confirmation");
		else if (found->first)
			printf("generation %u is taken back; nothing ran before, so the plane is detached\n",
			       found->generation);
		else
			printf("generation %u is taken back, generation %u is active again\n",
			       found->generation, found->fallback);
	}
	gpc_json_number(result, "generation", found->armed ? found->generation : 0);
	gpc_json_number(result, "fallback", found->fallback);
	gpc_json_bool(result, "changed", found->armed);
	return gpc_finish(call, GPC_EXIT_OK, result);
}

/* history NULL: there is none that can be written. Packets come first. */
static enum gpc_exit take_back(const struct gpc_call *call, struct gpc_history *history)
{
	const struct gpc_notice_sink notices = gpc_notices(call);
	GPC_CLEANUP(gpc_journaled_release) struct gpc_journaled journaled = {0};
	struct gpc_failure failure;
	struct gpc_confirm found;

	if (gpc_confirm_read(gpc_bpffs(), &found, &failure))
		return gpc_finish_failed(call, &failure);
	if (!found.armed || found.expired) {
		if (gpc_settle_plane(call, history, &found, &failure))
			return gpc_finish_failed(call, &failure);
		return say_aborted(call, &found);
	}
	gpc_record_end(call, history, "aborted");
	if (gpc_confirm_fall_back(gpc_bpffs(), &notices, &found, &failure))
		return gpc_finish_failed(call, &failure);
	if (found.armed && !found.first) {
		gpc_journaled_read(call, &journaled);
		gpc_journaled_republish(call, &journaled);
	}
	return say_aborted(call, &found);
}

static enum gpc_exit run_abort(const struct gpc_call *call)
{
	GPC_CLEANUP(gpc_session_close) struct gpc_session session = GPC_SESSION_NONE;
	struct gpc_failure failure;

	gpc_interrupts_hold();
	if (gpc_session_take(&session, &failure)) {
		if (failure.code == GPC_EXIT_CONFLICT)
			return gpc_finish_failed(call, &failure);
		gpc_say(call, GPC_YELLOW, "warning", "nothing will be recorded: %s",
			failure.message);
	}
	return take_back(call, session.history);
}

const struct gpc_command gpc_command_confirm = {
	.name = "confirm",
	.side = GPC_SIDE_HOST,
	.summary = "keep what apply --confirm has brought",
	.operands = "",
	.description =
		"Ends the time that apply --confirm gave: what runs stays. Refused when nothing waits "
		"(6), in\n"
		"the last 100 ms (6) and when the time is over (7): then what ran before decides "
		"already, and\n"
		"this records it. Devices that only the plane before had are let go.",
	.objects = "notice",
	GPC_ROWS(options),
	GPC_EXIT_LIST(GPC_EXIT_OK, GPC_EXIT_FAILED, GPC_EXIT_HOST, GPC_EXIT_CONFLICT,
		      GPC_EXIT_ROLLED_BACK),
	.run = run_confirm,
};

const struct gpc_command gpc_command_abort = {
	.name = "abort",
	.side = GPC_SIDE_HOST,
	.summary = "take back what apply --confirm has brought",
	.operands = "",
	.description =
		"What ran before is active again with one store, and that is recorded. Where nothing "
		"ran before\n"
		"the plane is detached. No error when nothing waits. Works without a state folder that "
		"can be\n"
		"written; then nothing is recorded.",
	.objects = "notice",
	GPC_ROWS(options),
	GPC_EXIT_LIST(GPC_EXIT_OK, GPC_EXIT_FAILED, GPC_EXIT_HOST, GPC_EXIT_CONFLICT),
	.run = run_abort,
};
