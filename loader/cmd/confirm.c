/* SPDX-License-Identifier: MIT */
/* confirm and abort: the two ends of an apply that waits. */
#include "../../compiler/base/cleanup.h"
#include "../actor.h"
#include "../interrupt.h"
#include "../plane/failpoint.h"
#include "activate.h"
#include "journaled.h"
#include "output.h"
#include "pending.h"
#include "settle.h"

static const struct gpc_option options[] = {GPC_OPTION_JSON};

/* ---- confirm ---- */

/*
 * Over, or nothing there: says which, after what there was to settle has been. And what waits must be
 * recorded: an apply that was killed before it said so was never seen to succeed.
 */
static int refuse_confirm(const struct gpc_confirm *found, const struct gpc_generation *waiting,
			  struct gpc_failure *failure)
{
	if (found->armed && !found->expired && found->generation == waiting->number)
		return 0;
	if (!found->armed) {
		gpc_fail(failure, GPC_EXIT_CONFLICT, 0, "nothing waits for a confirmation");
		return gpc_fail_hint(failure, "gpc log tells what became of the last generations");
	}
	if (found->expired) {
		gpc_fail(failure, GPC_EXIT_ROLLED_BACK, 0,
			 "too late: the time of generation %u was over", found->generation);
		return gpc_fail_hint(failure, "apply it again");
	}
	gpc_fail(failure, GPC_EXIT_CONFLICT, 0,
		 "what waits was never recorded in '%s': its apply did not come to its end",
		 gpc_state_dir());
	return gpc_fail_hint(failure, "gpc abort, then apply again");
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

static enum gpc_exit say_kept(const struct gpc_call *call, uint32_t generation)
{
	struct json_object *result = gpc_json("result");

	if (!gpc_call_has(call, "json"))
		printf("generation %u is confirmed\n", generation);
	gpc_json_number(result, "generation", generation);
	return gpc_finish(call, GPC_EXIT_OK, result);
}

/* It is live for good, and nothing says so. */
static enum gpc_exit fail_kept(const struct gpc_call *call, uint32_t generation,
			       struct gpc_failure *failure)
{
	gpc_fail_hint(failure,
		      "generation %u IS confirmed, but not recorded: mend '%s' and say gpc confirm "
		      "again; until then a reboot goes back",
		      generation, gpc_state_dir());
	return gpc_finish_failed(call, failure);
}

/* Its command could not write it down, or was killed before it did; this one has. */
static bool kept_before(const struct gpc_confirm *found, const struct gpc_generation *waiting)
{
	return waiting->number && found->present && !found->armed &&
	       found->generation == waiting->number;
}

static int prepare(const struct gpc_call *call, struct gpc_history *history,
		   const struct gpc_generation *generation, const struct gpc_confirm *found,
		   struct gpc_failure *failure)
{
	char left[GPC_LEFT_TEXT];

	if (!gpc_history_prepare_settle(history, generation, GPC_RESULT_CONFIRMED, NULL, gpc_actor(),
					failure))
		return 0;
	gpc_say(call, GPC_YELLOW, "note", "nothing is confirmed; generation %u waits on, %s",
		generation->number, gpc_left_text(found, left));
	return -1;
}

static enum gpc_exit keep(const struct gpc_call *call, struct gpc_history *history)
{
	const struct gpc_notice_sink notices = gpc_notices(call);
	struct gpc_generation waiting;
	struct gpc_confirm found, before;
	struct gpc_failure failure;

	if (gpc_history_waiting(history, &waiting, &failure) ||
	    gpc_settle_plane(call, history, &found, &failure))
		return gpc_finish_failed(call, &failure);
	if (kept_before(&found, &waiting)) {
		end_overrides(call);
		return say_kept(call, waiting.number);
	}
	if (refuse_confirm(&found, &waiting, &failure) ||
	    prepare(call, history, &waiting, &found, &failure) ||
	    gpc_confirm_keep(gpc_bpffs(), waiting.number, &notices, &before, &failure))
		return gpc_finish_failed(call, &failure);
	if (gpc_history_publish(history, &failure))
		return fail_kept(call, waiting.number, &failure);
	end_overrides(call);
	return say_kept(call, waiting.number);
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
		if (gpc_settle_anyway(call, history, &found, &failure))
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
	if (gpc_session_take_soon(&session, &failure)) {
		if (failure.code == GPC_EXIT_CONFLICT) {
			gpc_fail_hint(&failure, "an apply whose probes run goes back when it is "
						"interrupted: kill -INT its pid");
			return gpc_finish_failed(call, &failure);
		}
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
		"this records it. Devices that only the plane before had are let go. What cannot be "
		"recorded is\n"
		"not confirmed (1): it waits on.",
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
