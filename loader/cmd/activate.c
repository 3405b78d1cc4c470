/* SPDX-License-Identifier: MIT */
#include "activate.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../compiler/base/cleanup.h"
#include "../actor.h"
#include "../../compiler/analyze/changes.h"
#include "../interrupt.h"
#include "../plane/failpoint.h"
#include "describe.h"
#include "guard.h"
#include "journaled.h"
#include "output.h"
#include "probing.h"
#include "pending.h"
#include "settle.h"

#define SHOWN_CHANGES 20u /* more only with -v */
#define PATIENCE_MS 2000u
#define LOOK_MS 50

/* ---- session ---- */

int gpc_session_take(struct gpc_session *ret, struct gpc_failure *failure)
{
	*ret = GPC_SESSION_NONE;
	if (gpc_lock_acquire(gpc_state_dir(), &ret->lock, failure))
		return -1;
	if (!gpc_history_open(gpc_state_dir(), true, &ret->history, failure) &&
	    !gpc_claim_take(gpc_bpffs(), true, &ret->claim, failure))
		return 0;
	gpc_session_close(ret);
	return -1;
}

int gpc_session_take_soon(struct gpc_session *ret, struct gpc_failure *failure)
{
	const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000l};
	unsigned int waited;

	for (waited = 0; gpc_session_take(ret, failure); waited += LOOK_MS) {
		if (failure->code != GPC_EXIT_CONFLICT || waited >= PATIENCE_MS ||
		    gpc_interrupted())
			return -1;
		nanosleep(&pause, NULL);
	}
	return 0;
}

int gpc_session_open(const struct gpc_call *call, struct gpc_session *ret,
		     struct gpc_failure *failure)
{
	struct gpc_confirm found;

	if (gpc_session_take(ret, failure))
		return -1;
	if (!gpc_settle_plane(call, ret->history, &found, failure) && !gpc_settle_refuse(&found, failure))
		return 0;
	gpc_session_close(ret);
	return -1;
}

void gpc_session_close(struct gpc_session *session)
{
	gpc_claim_release(&session->claim);
	gpc_history_free(&session->history);
	gpc_lock_release(&session->lock);
}

enum gpc_exit gpc_in_session(const struct gpc_call *call,
			     enum gpc_exit (*work)(const struct gpc_call *call,
						   struct gpc_history *history))
{
	GPC_CLEANUP(gpc_session_close) struct gpc_session session = GPC_SESSION_NONE;
	struct gpc_failure failure;

	gpc_interrupts_hold();
	if (gpc_session_open(call, &session, &failure))
		return gpc_finish_failed(call, &failure);
	return work(call, session.history);
}

enum gpc_exit gpc_in_bare_session(const struct gpc_call *call,
				  enum gpc_exit (*work)(const struct gpc_call *call,
							struct gpc_history *history))
{
	GPC_CLEANUP(gpc_session_close) struct gpc_session session = GPC_SESSION_NONE;
	struct gpc_failure failure;

	gpc_interrupts_hold();
	if (gpc_session_take_soon(&session, &failure))
		return gpc_finish_failed(call, &failure);
	return work(call, session.history);
}

/* ---- what is there already ---- */

struct standing {
	struct gpc_plane_status plane;
	struct gpc_journaled journaled;
	struct gpc_generation newest; /* that stands; number 0: none */
	uint32_t running;	      /* generation in the kernel, 0 if none */
	enum gpc_stance stance;	      /* of what the kernel runs */
	bool same;		      /* the kernel runs this decision */
	bool recorded;		      /* and the newest generation is it, policies and all */
};

static bool same_decision(const struct gpc_image *a, const struct gpc_image *b)
{
	return !memcmp(a->head->decision_digest, b->head->decision_digest,
		       sizeof(a->head->decision_digest));
}

uint32_t gpc_linked_generation(const struct gpc_image *linked)
{
	const struct gpc_link_head *link =
		(const void *)(linked->bytes + linked->head->link_offset);

	return link->generation;
}

static int look(struct gpc_history *history, const struct gpc_image *image, struct standing *ret,
		struct gpc_failure *failure)
{
	char digest[65];
	bool found;

	if (gpc_history_standing(history, 0, &ret->newest, &found, failure))
		return -1;
	if (gpc_plane_read(gpc_bpffs(), &ret->plane, failure))
		return -1;
	if (!ret->plane.has_image)
		return 0;
	ret->running = gpc_linked_generation(&ret->plane.image);
	ret->stance = gpc_stance_of(ret->plane.image.plane, ret->plane.control);
	ret->same = same_decision(&ret->plane.image, image);
	ret->recorded =
		ret->same && ret->newest.stance == ret->stance &&
		!strcmp(ret->newest.decision,
			gpc_digest_format(image->head->decision_digest, digest));
	return 0;
}

/* Do the policies decide? A rollback brings back what was. */
static enum gpc_stance choose_stance(const struct gpc_call *call, const struct standing *standing,
				     const struct gpc_history_entry *entry)
{
	enum gpc_stance before = standing->stance;

	if (entry->rollback_of)
		return gpc_stance_after(entry->image->plane, entry->rollback_of->stance, false);
	if (!standing->plane.has_image)
		before = standing->newest.stance; /* nothing runs (a reboot, detach), or what runs cannot be read */
	return gpc_stance_after(entry->image->plane, before, gpc_call_has(call, "enforce"));
}

static void release_standing(struct standing *standing)
{
	gpc_plane_status_release(&standing->plane);
	gpc_journaled_release(&standing->journaled);
}

/* ---- speaking ---- */

static void say_changes(const struct gpc_call *call, const struct gpc_changes *changes)
{
	static const char marks[] = "+-~";
	bool all = gpc_call_has(call, "verbose");
	size_t shown = all || changes->count <= SHOWN_CHANGES ? changes->count : SHOWN_CHANGES;

	for (size_t i = 0; i < shown; i++) {
		const struct gpc_change *c = &changes->items[i];

		printf("  %c %s %s%s%s\n", marks[c->kind], gpc_change_object_name(c->object),
		       c->name, *c->text ? ": " : "", c->text);
	}
	if (shown < changes->count)
		printf("  ... and %zu more (-v shows all)\n", changes->count - shown);
	if (changes->slots)
		printf("  %.1f %% of the Maglev slots have another endpoint\n",
		       100.0 * (double)changes->slots_moved / (double)changes->slots);
}

static struct json_object *change_object(const struct gpc_change *c)
{
	struct json_object *object = gpc_json("change");

	gpc_json_text(object, "object", gpc_change_object_name(c->object));
	gpc_json_text(object, "change", gpc_change_kind_name(c->kind));
	gpc_json_text(object, "name", c->name);
	gpc_json_text(object, "detail", *c->text ? c->text : NULL);
	return object;
}

void gpc_say_changes(const struct gpc_call *call, const struct gpc_image *before,
		     const struct gpc_image *after)
{
	struct gpc_changes changes;

	gpc_changes_compare(before, after, &changes);
	if (gpc_call_has(call, "json"))
		for (size_t i = 0; i < changes.count; i++)
			gpc_json_print(change_object(&changes.items[i]));
	else
		say_changes(call, &changes);
	gpc_changes_release(&changes);
}

static void say_unchanged(const struct gpc_image *image, const struct gpc_apply_outcome *outcome,
			  const struct gpc_generation *recorded)
{
	char digest[65], brief[13], devices[32];

	gpc_digest_format(image->head->decision_digest, digest);
	printf("unchanged: generation %u (decision %s) is running on %s already\n",
	       recorded->number, gpc_digest_short(digest, brief),
	       gpc_text_number(outcome->devices, "device", devices));
}

static void say_applied(const struct gpc_image *image, const struct gpc_apply_outcome *outcome,
			uint32_t number, enum gpc_stance stance)
{
	char digest[65], brief[13], devices[32];

	gpc_digest_format(image->head->decision_digest, digest);
	printf("%sgeneration %u is live%s: plane %s, decision %s, %s", gpc_paint(stdout, GPC_GREEN),
	       number, gpc_paint(stdout, GPC_PLAIN), gpc_image_name(image, image->plane->name),
	       gpc_digest_short(digest, brief),
	       gpc_text_number(outcome->devices, "device", devices));
	if (stance != GPC_STANCE_NONE)
		printf(", policies: %s", gpc_stance_name(stance));
	if (outcome->unchanged)
		printf("; it was running already%s\n",
		       outcome->turned ? "" : ", now it is recorded");
	else
		printf("; flip %.1f us, in all %.0f ms\n", outcome->flip_us, outcome->total_ms);
}

void gpc_say_stance(const struct gpc_call *call, enum gpc_stance stance)
{
	if (stance == GPC_STANCE_AUDIT)
		gpc_say(call, GPC_YELLOW, "AUDIT",
			"policies only audit: what they would deny is counted and passes; "
			"gpc status shows it, gpc apply --enforce ends it");
}

/* After the answer: it waits for a grace period. What it leaves is left to the next apply. */
static void retire(const struct gpc_call *call)
{
	struct gpc_failure failure;

	fflush(stdout);
	if (gpc_plane_retire(gpc_bpffs(), &failure))
		gpc_say(call, GPC_YELLOW, "warning", "old images stay in the kernel for now: %s",
			failure.message);
}

/* The generation that gpc_activate_end() is to wait for, 0: none. */
static uint32_t awaited;

static void say_pending(const struct gpc_call *call)
{
	struct gpc_confirm found;
	struct gpc_failure ignored;
	char left[GPC_LEFT_TEXT];

	if (gpc_confirm_read(gpc_bpffs(), &found, &ignored) || !found.armed || found.expired)
		return;
	if (gpc_call_has(call, "json")) {
		gpc_pending_json(&found);
		return;
	}
	printf("%sfor now%s, %s: gpc confirm keeps it, gpc abort takes it back; else ",
	       gpc_paint(stdout, GPC_YELLOW), gpc_paint(stdout, GPC_PLAIN),
	       gpc_left_text(&found, left));
	if (found.first)
		puts("every packet passes again");
	else
		printf("generation %u decides again\n", found.fallback);
}

static enum gpc_exit finish(const struct gpc_call *call, const struct gpc_image *image,
			    const struct gpc_apply_outcome *outcome, uint32_t number,
			    enum gpc_stance stance, bool pending)
{
	struct json_object *result;
	enum gpc_exit code = GPC_EXIT_OK;

	gpc_say_stance(call, stance);
	if (pending)
		say_pending(call);
	if (pending && gpc_call_has(call, "wait")) {
		awaited = number;
		retire(call);
		return code;
	}
	result = gpc_json("result");
	gpc_json_number(result, "generation", number);
	gpc_json_bool(result, "unchanged", outcome->unchanged);
	gpc_json_bool(result, "pending", pending);
	if (!pending && gpc_call_has(call, "confirm"))
		gpc_json_text(result, "confirm", "not needed");
	gpc_json_number(result, "devices", outcome->devices);
	gpc_json_text(result, "policy_mode", gpc_stance_name(stance));
	gpc_json_real(result, "flip_us", outcome->flip_us, 3);
	gpc_json_real(result, "total_ms", outcome->total_ms, 3);
	gpc_describe_json(image, result);
	code = gpc_finish(call, GPC_EXIT_OK, result);
	retire(call);
	return code;
}

/* ---- the three steps ---- */

/*
 * An apply that was killed while its probes ran left the new image active: no flip of this process leads
 * back from it, the history does. False: there is nothing to go back to.
 */
static bool went_further_back(struct gpc_history *history, const struct standing *standing,
			      const struct gpc_notice_sink *notices, struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_image_release) struct gpc_image image = {0};
	const struct gpc_generation *newest = &standing->newest;
	struct gpc_apply_outcome outcome;

	return !gpc_history_image(history, newest, &image, NULL, failure) &&
	       !gpc_plane_apply(gpc_bpffs(), &image, newest->number, newest->stance, 0,
				gpc_journaled_overrides(&standing->journaled), notices, &outcome,
				failure);
}

/* Runs what ran before the switch, or nothing if nothing did. */
static bool went_back(const struct gpc_call *call, struct gpc_history *history,
		      const struct standing *standing, const struct gpc_apply_outcome *outcome)
{
	const struct gpc_notice_sink notices = gpc_notices(call);
	bool switched = !outcome->unchanged || outcome->turned;
	struct gpc_failure undo;

	if (switched ? gpc_plane_undo(gpc_bpffs(), &undo)
		     : !went_further_back(history, standing, &notices, &undo)) {
		gpc_say_failure(call, &undo);
		return false;
	}
	if (standing->plane.has_image)
		gpc_journaled_republish(call, &standing->journaled);
	gpc_say(call, GPC_YELLOW, "rolled back", "%s",
		standing->plane.has_image ? "the plane runs what it ran before"
					  : "no plane ran before, so none runs now");
	return true;
}

/* The flip stands but cannot be recorded: an unrecorded plane is not left running. */
static enum gpc_exit take_back(const struct gpc_call *call, struct gpc_history *history,
			       const struct standing *standing,
			       const struct gpc_apply_outcome *outcome,
			       struct gpc_failure *unrecorded)
{
	if (outcome->unchanged && !outcome->turned)
		return gpc_finish_failed(call, unrecorded);
	if (went_back(call, history, standing, outcome))
		unrecorded->code = GPC_EXIT_ROLLED_BACK;
	else
		gpc_fail_hint(unrecorded,
			      "the new image is running, but neither recorded nor undone; "
			      "mend the state folder and run this again");
	return gpc_finish_failed(call, unrecorded);
}

/* ---- probes ---- */

/* The generation was live for a while: it is recorded, with what became of it. */
static void record_failed(const struct gpc_call *call, struct gpc_history *history,
			  struct gpc_history_entry *entry, const char *result)
{
	struct gpc_failure failure;
	uint32_t number;

	entry->result = result;
	if (gpc_history_prepare(history, entry, &number, &failure) ||
	    gpc_history_publish(history, &failure))
		gpc_say(call, GPC_YELLOW, "warning",
			"that it was rolled back is not recorded, so it is not in quarantine: %s",
			failure.message);
}

/* A probe has failed, or a signal has come while they ran. */
static enum gpc_exit give_up(const struct gpc_call *call, struct gpc_history *history,
			     const struct standing *standing, struct gpc_history_entry *entry,
			     const struct gpc_apply_outcome *outcome, const char *result,
			     struct gpc_failure *failure)
{
	if (outcome->unchanged && !outcome->turned && !standing->newest.number) {
		failure->code = GPC_EXIT_REFUSED;
		gpc_fail_hint(failure, "it ran before and goes on unrecorded: nothing else is "
				       "known to go back to; gpc detach takes it down");
		return gpc_finish_failed(call, failure);
	}
	if (!went_back(call, history, standing, outcome)) {
		failure->code = GPC_EXIT_FAILED;
		gpc_fail_hint(failure, "the new image is running, but neither recorded nor undone; "
				       "gpc restore runs what was recorded");
		return gpc_finish_failed(call, failure);
	}
	record_failed(call, history, entry, result);
	return gpc_finish_failed(call, failure);
}

static bool is_off(void)
{
	GPC_CLEANUP(gpc_plane_status_release) struct gpc_plane_status plane = {0};
	struct gpc_failure ignored;

	return !gpc_plane_read(gpc_bpffs(), &plane, &ignored) && plane.control & GPC_CTL_OFF;
}

/* The time to confirm is over: the programs have gone back already. */
static int not_in_time(const struct gpc_history_entry *entry, char result[GPC_RESULT_TEXT],
		       struct gpc_failure *failure)
{
	struct gpc_confirm found;

	if (!entry->pending)
		return 0;
	if (gpc_confirm_read(gpc_bpffs(), &found, failure)) {
		snprintf(result, GPC_RESULT_TEXT, "rolled-back(the plane cannot be read)");
		failure->code = GPC_EXIT_ROLLED_BACK;
		return -1;
	}
	if (!found.armed || !found.expired)
		return 0;
	snprintf(result, GPC_RESULT_TEXT, "rolled-back(expired)");
	gpc_fail(failure, GPC_EXIT_ROLLED_BACK, 0, "the probes took longer than the time to confirm");
	return gpc_fail_hint(failure, "give --confirm more time, or the probes less");
}

/* What a probe finds past the deadline, or while the plane is off, says nothing about the new plane. */
static int ask(const struct gpc_call *call, const struct gpc_history_entry *entry,
	       const struct gpc_probes *probes, char result[GPC_RESULT_TEXT],
	       struct gpc_failure *failure)
{
	int rc = gpc_probing_run(call, probes, result, failure);

	if (not_in_time(entry, result, failure))
		return -1;
	if (rc && is_off()) {
		snprintf(result, GPC_RESULT_TEXT, "rolled-back(switched off)");
		gpc_fail_hint(failure, "somebody has said gpc off meanwhile: say gpc on, then apply it again");
	}
	return rc;
}

static enum gpc_exit apply_unrecorded(const struct gpc_call *call, struct standing *standing,
				      const struct gpc_image *image)
{
	const struct gpc_notice_sink notices = gpc_notices(call);
	struct gpc_apply_outcome outcome = {0};
	struct gpc_failure failure;

	if (gpc_plane_apply(gpc_bpffs(), image, standing->running, standing->stance, 0,
			    gpc_journaled_overrides(&standing->journaled), &notices, &outcome,
			    &failure))
		return gpc_finish_failed(call, &failure);
	gpc_journaled_settle(call, &standing->journaled, image);
	if (!gpc_call_has(call, "json"))
		say_unchanged(image, &outcome, &standing->newest);
	return finish(call, image, &outcome, standing->newest.number, standing->stance, false);
}

/* Nothing stands in the way back to a generation that stood, whatever became of its plane since. */
static int check_quarantine(const struct gpc_call *call, struct gpc_history *history,
			    const struct gpc_history_entry *entry, struct gpc_failure *failure)
{
	if (entry->rollback_of && !entry->upgrade && gpc_generation_stands(entry->rollback_of, 0))
		return 0;
	return gpc_quarantine_check(call, history, entry->image, failure);
}

static int reached(const char *point, struct gpc_failure *failure)
{
	return gpc_failpoint(point) ? gpc_failpoint_fail(failure, point) : 0;
}

static enum gpc_exit apply_recorded(const struct gpc_call *call, struct gpc_history *history,
				    struct standing *standing, struct gpc_history_entry *entry,
				    const struct gpc_probes *probes, uint64_t confirm_ms)
{
	const struct gpc_notice_sink notices = gpc_notices(call);
	struct gpc_apply_outcome outcome = {0};
	struct gpc_failure failure;
	char result[GPC_RESULT_TEXT];
	uint32_t number;

	/* An apply that was killed after its flip has used a number that nobody wrote down. */
	entry->at_least = standing->same ? standing->running : standing->running + 1;
	entry->actor = gpc_actor();
	entry->running = standing->plane.has_image ? &standing->plane.image : NULL;
	if (check_quarantine(call, history, entry, &failure) ||
	    gpc_guard(call, entry->image, !standing->plane.has_image, entry->stance, &failure) ||
	    gpc_history_prepare(history, entry, &number, &failure) ||
	    reached("record.prepared", &failure))
		return gpc_finish_failed(call, &failure);
	if (gpc_plane_apply(gpc_bpffs(), entry->image, number, entry->stance, confirm_ms,
			    gpc_journaled_overrides(&standing->journaled), &notices, &outcome,
			    &failure))
		return gpc_finish_failed(call, &failure);
	if (probes && ask(call, entry, probes, result, &failure))
		return give_up(call, history, standing, entry, &outcome, result, &failure);
	if (reached("record.applied", &failure) || gpc_history_publish(history, &failure))
		return take_back(call, history, standing, &outcome, &failure);
	/* What the fallback has and this has not may be back: only gpc confirm ends its overrides. */
	if (!entry->pending)
		gpc_journaled_settle(call, &standing->journaled, entry->image);
	if (!gpc_call_has(call, "json"))
		say_applied(entry->image, &outcome, number, entry->stance);
	gpc_say_changes(call, standing->plane.has_image ? &standing->plane.image : NULL,
			entry->image);
	if (gpc_interrupted())
		gpc_say(call, GPC_YELLOW, "note",
			"the interrupt came after the flip, the work is done");
	return finish(call, entry->image, &outcome, number, entry->stance, entry->pending);
}

/* The time would lead back to what runs at the switch, and that is this plane itself. */
static int refuse_arming(const struct standing *standing, struct gpc_failure *failure)
{
	gpc_fail(failure, GPC_EXIT_CONFLICT, 0,
		 "this plane runs already, but not recorded: --confirm would have nothing to go back to");
	if (!standing->newest.number)
		return gpc_fail_hint(failure, "apply it without --confirm; no other plane is known here");
	return gpc_fail_hint(failure, "gpc restore runs generation %u, then apply it again",
			     standing->newest.number);
}

static int refuse_probes(const struct standing *standing, const struct gpc_probes *probes,
			 struct gpc_failure *failure)
{
	if (!probes || !probes->count || !standing->plane.has_image ||
	    !(standing->plane.control & GPC_CTL_OFF))
		return 0;
	gpc_fail(failure, GPC_EXIT_REFUSED, 0,
		 "the plane is switched off, every packet passes: no probe would meet what it asks about");
	return gpc_fail_hint(failure, "gpc on first; or --no-probes and no --probe");
}

static void say_nothing_switched(const struct gpc_call *call, const struct gpc_probes *probes,
				 uint64_t confirm_ms)
{
	if (probes && probes->count)
		gpc_say(call, GPC_DIM, "note", "nothing is switched, so no probe is asked");
	if (confirm_ms)
		gpc_say(call, GPC_DIM, "note",
			"nothing is switched, so nothing waits for a confirmation");
}

enum gpc_exit gpc_activate(const struct gpc_call *call, struct gpc_history *history,
			   struct gpc_history_entry *entry, const struct gpc_probes *probes)
{
	GPC_CLEANUP(release_standing) struct standing standing = {0};
	struct gpc_failure failure;
	uint64_t confirm_ms;

	awaited = 0;
	if (gpc_confirm_option(call, &confirm_ms, &failure) ||
	    look(history, entry->image, &standing, &failure) || gpc_interrupt_check(&failure))
		return gpc_finish_failed(call, &failure);
	gpc_journaled_read(call, &standing.journaled);
	entry->stance = choose_stance(call, &standing, entry);
	if (standing.recorded && entry->stance == standing.stance) {
		say_nothing_switched(call, probes, confirm_ms);
		return apply_unrecorded(call, &standing, entry->image);
	}
	if (confirm_ms && standing.same && entry->stance == standing.stance) {
		refuse_arming(&standing, &failure);
		return gpc_finish_failed(call, &failure);
	}
	if (refuse_probes(&standing, probes, &failure))
		return gpc_finish_failed(call, &failure);
	entry->pending = confirm_ms;
	return apply_recorded(call, history, &standing, entry, probes, confirm_ms);
}

enum gpc_exit gpc_activate_end(const struct gpc_call *call, enum gpc_exit rc)
{
	return rc || !awaited ? rc : gpc_wait_settled(call, awaited);
}
