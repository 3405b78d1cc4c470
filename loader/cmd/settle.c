/* SPDX-License-Identifier: MIT */
#include "settle.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../compiler/base/cleanup.h"
#include "../../compiler/intent/scalar.h"
#include "../actor.h"
#include "../interrupt.h"
#include "../plane/failpoint.h"
#include "activate.h"
#include "journaled.h"
#include "output.h"
#include "pending.h"

/* ---- words ---- */

int gpc_confirm_option(const struct gpc_call *call, uint64_t *ret_ms, struct gpc_failure *failure)
{
	const char *text = gpc_call_value(call, "confirm");
	uint64_t ms = 0;

	if (!text && gpc_call_has(call, "wait"))
		return gpc_fail(failure, GPC_EXIT_USAGE, 0, "--wait waits for --confirm");
	if (text && (gpc_scalar_duration(text, &ms) || ms < GPC_CONFIRM_LEAST_MS ||
		     ms > GPC_CONFIRM_MOST_MS)) {
		gpc_fail(failure, GPC_EXIT_USAGE, 0, "'%.100s' is no time for --confirm", text);
		return gpc_fail_hint(failure, "a number and s, m or h, from 1s to 24h: --confirm 60s");
	}
	*ret_ms = ms;
	return 0;
}

int gpc_settle_refuse(const struct gpc_confirm *confirm, struct gpc_failure *failure)
{
	char left[GPC_LEFT_TEXT];

	if (!confirm->armed || confirm->expired)
		return 0;
	gpc_fail(failure, GPC_EXIT_CONFLICT, 0, "generation %u waits for its confirmation, %s",
		 confirm->generation, gpc_left_text(confirm, left));
	return gpc_fail_hint(failure, "gpc confirm keeps it, gpc abort takes it back");
}

/* ---- recording ---- */

static int find_waiting(struct gpc_history *history, struct gpc_generation *ret,
			struct gpc_failure *failure)
{
	*ret = (struct gpc_generation){0};
	return history ? gpc_history_waiting(history, ret, failure) : 0;
}

static int reached(const char *point, struct gpc_failure *failure)
{
	return gpc_failpoint(point) ? gpc_failpoint_fail(failure, point) : 0;
}

static int record(struct gpc_history *history, const struct gpc_generation *generation,
		  enum gpc_result became, const char *reason, struct gpc_failure *failure)
{
	if (!generation->number)
		return 0;
	if (gpc_history_settle(history, generation, became, reason, gpc_actor(), failure))
		return -1;
	return reached("outcome.recorded", failure);
}

static void warn_unrecorded(const struct gpc_call *call, const struct gpc_failure *failure)
{
	gpc_say(call, GPC_YELLOW, "warning", "what became of it is not recorded: %s",
		failure->message);
}

void gpc_record_end(const struct gpc_call *call, struct gpc_history *history, const char *reason)
{
	struct gpc_generation waiting;
	struct gpc_failure failure;

	if (find_waiting(history, &waiting, &failure) ||
	    record(history, &waiting, GPC_RESULT_ROLLED_BACK, reason, &failure))
		warn_unrecorded(call, &failure);
}

/* What operators have set holds for what is active now. */
static void republish(const struct gpc_call *call)
{
	GPC_CLEANUP(gpc_journaled_release) struct gpc_journaled journaled = {0};

	gpc_journaled_read(call, &journaled);
	gpc_journaled_republish(call, &journaled);
}

/* ---- settling ---- */

/* Where it is written down. */
struct records {
	const struct gpc_call *call;
	struct gpc_history *history; /* NULL: there is none */
	bool optional;		     /* failing is a warning */
};

static int unrecorded(const struct records *records, const struct gpc_failure *failure)
{
	if (!records->optional)
		return -1;
	warn_unrecorded(records->call, failure);
	return 0;
}

/* By whomever: a command that only reads records, and leaves the word as it is. */
static bool is_recorded(struct gpc_history *history, uint32_t generation)
{
	struct gpc_generation found;
	struct gpc_failure ignored;

	return history && !gpc_history_find(history, generation, &found, &ignored);
}

static int settle_expired(const struct records *records, const struct gpc_generation *waiting,
			  struct gpc_confirm *confirm, struct gpc_failure *failure)
{
	const struct gpc_call *call = records->call;
	const struct gpc_notice_sink notices = gpc_notices(call);
	bool recorded = is_recorded(records->history, confirm->generation);

	if (waiting->number == confirm->generation &&
	    record(records->history, waiting, GPC_RESULT_ROLLED_BACK, "expired", failure) &&
	    unrecorded(records, failure))
		return -1;
	if (gpc_confirm_fall_back(gpc_bpffs(), &notices, confirm, failure))
		return -1;
	if (confirm->first) {
		gpc_say(call, GPC_YELLOW, "rolled back",
			"generation %u was not confirmed in time; nothing ran before, so the plane "
			"is detached",
			confirm->generation);
		return 0;
	}
	republish(call);
	gpc_say(call, GPC_YELLOW, "rolled back",
		"generation %u was not confirmed in time%s; generation %u is active again",
		confirm->generation, recorded ? "" : " (it was never recorded)", confirm->fallback);
	return 0;
}

/* The word does not wait, the history does: somebody was killed between the two, or the host was. */
static int settle_ended(const struct records *records, const struct gpc_generation *waiting,
			const struct gpc_confirm *confirm, struct gpc_failure *failure)
{
	bool kept = confirm->present && confirm->generation == waiting->number;

	if (!waiting->number)
		return 0;
	if (record(records->history, waiting,
		   kept ? GPC_RESULT_CONFIRMED : GPC_RESULT_ROLLED_BACK, "gone", failure))
		return unrecorded(records, failure);
	gpc_say(records->call, GPC_YELLOW, "note", "generation %u was %s, now it is recorded",
		waiting->number, kept ? "confirmed" : "taken away before it was confirmed");
	return 0;
}

static int settle(const struct records *records, struct gpc_confirm *ret,
		  struct gpc_failure *failure)
{
	struct gpc_generation waiting;

	if (gpc_confirm_read(gpc_bpffs(), ret, failure) ||
	    (find_waiting(records->history, &waiting, failure) && unrecorded(records, failure)))
		return -1;
	if (ret->armed && !ret->expired)
		return 0;
	return ret->armed ? settle_expired(records, &waiting, ret, failure)
			  : settle_ended(records, &waiting, ret, failure);
}

int gpc_settle_plane(const struct gpc_call *call, struct gpc_history *history,
		     struct gpc_confirm *ret, struct gpc_failure *failure)
{
	return settle(&(struct records){call, history, false}, ret, failure);
}

int gpc_settle_anyway(const struct gpc_call *call, struct gpc_history *history,
		      struct gpc_confirm *ret, struct gpc_failure *failure)
{
	return settle(&(struct records){call, history, true}, ret, failure);
}

int gpc_settle_alone(const struct gpc_call *call, struct gpc_confirm *ret,
		     struct gpc_failure *failure)
{
	struct gpc_history *history = NULL;
	struct gpc_failure ignored;
	int rc;

	(void)gpc_history_open(gpc_state_dir(), false, &history, &ignored);
	rc = gpc_settle_plane(call, history, ret, failure);
	gpc_history_free(&history);
	return rc;
}

/* ---- settling in passing ---- */

/* Over, and nobody has written it down: what became of *ret. No plane: it may only be hidden from here. */
static bool is_over(const struct gpc_confirm *found, struct gpc_history *history,
		    struct gpc_generation *ret)
{
	struct gpc_failure ignored;

	if (!found->present || (found->armed && !found->expired) ||
	    find_waiting(history, ret, &ignored) || !ret->number)
		return false;
	return !found->armed || ret->number == found->generation;
}

static void settle_read(const struct gpc_call *call, struct gpc_history *history)
{
	GPC_CLEANUP(gpc_lock_release) struct gpc_lock lock = GPC_LOCK_NONE;
	const struct records records = {call, history, false};
	struct gpc_generation waiting;
	struct gpc_failure ignored;
	struct gpc_confirm found;

	if (gpc_confirm_read(gpc_bpffs(), &found, &ignored) || !is_over(&found, history, &waiting) ||
	    gpc_lock_acquire(gpc_state_dir(), &lock, &ignored))
		return;
	/* Somebody may have been at work until now. */
	if (gpc_confirm_read(gpc_bpffs(), &found, &ignored) || !is_over(&found, history, &waiting))
		return;
	if (!found.armed)
		(void)settle_ended(&records, &waiting, &found, &ignored);
	else if (!record(history, &waiting, GPC_RESULT_ROLLED_BACK, "expired", &ignored))
		gpc_say(call, GPC_YELLOW, "note",
			"generation %u was not confirmed in time, now it is recorded", waiting.number);
}

void gpc_settle_in_passing(const struct gpc_call *call)
{
	GPC_CLEANUP(gpc_history_free) struct gpc_history *history = NULL;
	struct gpc_failure ignored;

	if (!gpc_history_open(gpc_state_dir(), false, &history, &ignored))
		settle_read(call, history);
}

/* ---- waiting ---- */

#define LOOK_MS 100

/* The lock may be another's for a moment; then that one settles, or a later one. */
static void settle_now(const struct gpc_call *call)
{
	GPC_CLEANUP(gpc_session_close) struct gpc_session session = GPC_SESSION_NONE;
	struct gpc_failure failure;
	struct gpc_confirm ignored;

	if (!gpc_session_take(&session, &failure))
		(void)gpc_settle_plane(call, session.history, &ignored, &failure);
}

static enum gpc_exit say_kept(const struct gpc_call *call, uint32_t generation)
{
	struct json_object *result = gpc_json("result");

	if (!gpc_call_has(call, "json"))
		printf("generation %u is confirmed\n", generation);
	gpc_json_number(result, "generation", generation);
	gpc_json_bool(result, "confirmed", true);
	return gpc_finish(call, GPC_EXIT_OK, result);
}

static enum gpc_exit say_lost(const struct gpc_call *call, const struct gpc_confirm *found,
			      struct gpc_failure *failure)
{
	gpc_fail_hint(failure, found->present && !found->first
				       ? "another plane decides now; gpc log says which"
				       : "nothing runs");
	return gpc_finish_failed(call, failure);
}

static enum gpc_exit say_expired(const struct gpc_call *call, const struct gpc_confirm *found)
{
	struct gpc_failure failure;

	settle_now(call);
	gpc_fail(&failure, GPC_EXIT_ROLLED_BACK, 0, "generation %u was not confirmed in time",
		 found->generation);
	return say_lost(call, found, &failure);
}

static int find_recorded(uint32_t generation, struct gpc_generation *ret, struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_history_free) struct gpc_history *history = NULL;

	if (!gpc_history_open(gpc_state_dir(), false, &history, failure) &&
	    !gpc_history_find(history, generation, ret, failure))
		return 0;
	failure->code = GPC_EXIT_FAILED;
	return gpc_fail_hint(failure, "generation %u waits no more; nothing says what became of it",
			     generation);
}

/* Something else runs by now, or nothing: it may be that this one was confirmed before. */
static enum gpc_exit say_recorded(const struct gpc_call *call, uint32_t generation,
				  const struct gpc_confirm *found)
{
	struct gpc_generation recorded;
	struct gpc_failure failure;

	if (find_recorded(generation, &recorded, &failure))
		return gpc_finish_failed(call, &failure);
	if (recorded.became == GPC_RESULT_CONFIRMED)
		return say_kept(call, generation);
	gpc_fail(&failure, GPC_EXIT_ROLLED_BACK, 0, "generation %u was taken back%s%s", generation,
		 recorded.became == GPC_RESULT_ROLLED_BACK ? ": " : "",
		 recorded.became == GPC_RESULT_ROLLED_BACK ? recorded.result : "");
	return say_lost(call, found, &failure);
}

static enum gpc_exit say_interrupted(const struct gpc_call *call, const struct gpc_confirm *found)
{
	struct gpc_failure failure;
	char left[GPC_LEFT_TEXT];

	gpc_fail(&failure, gpc_interrupt_code(), 0, "generation %u is live and waits on, %s",
		 found->generation, gpc_left_text(found, left));
	gpc_fail_hint(&failure, "gpc confirm keeps it, gpc abort takes it back");
	return gpc_finish_failed(call, &failure);
}

enum gpc_exit gpc_wait_settled(const struct gpc_call *call, uint32_t generation)
{
	const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000l};
	struct gpc_confirm found;
	struct gpc_failure failure;

	fflush(stdout);
	for (;;) {
		if (gpc_confirm_read(gpc_bpffs(), &found, &failure))
			return gpc_finish_failed(call, &failure);
		if (found.generation != generation)
			return say_recorded(call, generation, &found);
		if (!found.armed)
			return say_kept(call, generation);
		if (found.expired)
			return say_expired(call, &found);
		if (gpc_interrupted())
			return say_interrupted(call, &found);
		nanosleep(&pause, NULL);
	}
}
