/* SPDX-License-Identifier: MIT */
/* An apply that waits for its confirmation: what becomes of it, and what is written down. */
#include "loader/cmd/settle.h"

#include <signal.h>
#include <sys/resource.h>

#include "tests/unit/loader/cmd/standin.h"

#define ONE PLANE("{name: a, address: 10.0.0.1}")
#define TWO PLANE(TWO_ENDPOINTS)

/* ---- what --confirm waits for ---- */

static void what_runs_unrecorded_cannot_be_armed(void)
{
	uint32_t newest;

	begin();
	CU_ASSERT_EQUAL(apply(ONE), 0);
	drop_image(&plane.image);
	plane.image = image_of_text(TWO);
	plane.generation = 2;
	CU_ASSERT_EQUAL(apply_with("--confirm=60s", TWO), GPC_EXIT_CONFLICT);
	CU_ASSERT(said(err, "gpc restore"));
	CU_ASSERT_EQUAL(plane.applies, 1);
	CU_ASSERT_EQUAL(recorded(&newest), 1);
	end();
	begin();
	plane.image = image_of_text(TWO);
	CU_ASSERT_EQUAL(apply_with("--confirm=60s", TWO), GPC_EXIT_CONFLICT);
	CU_ASSERT(said(err, "without --confirm"));
	end();
}

static void what_runs_recorded_needs_no_confirmation(void)
{
	begin();
	CU_ASSERT_EQUAL(apply(ONE), 0);
	CU_ASSERT_FALSE(said(out, "\"confirm\""));
	CU_ASSERT_EQUAL(apply_with("--confirm=60s", ONE), 0);
	CU_ASSERT(said(err, "nothing waits for a confirmation"));
	CU_ASSERT(said(out, "\"pending\":false,\"confirm\":\"not needed\""));
	CU_ASSERT_FALSE(plane.armed);
	CU_ASSERT_EQUAL(apply_with("--confirm=60s", TWO), 0);
	CU_ASSERT(said(out, "\"pending\":true,\"devices\""));
	CU_ASSERT(plane.armed);
	end();
}

/* ---- a disk that takes nothing ---- */

static void begin_pending(void)
{
	begin();
	CU_ASSERT_EQUAL(apply(ONE), 0);
	CU_ASSERT_EQUAL(apply_with("--confirm=60s", TWO), 0);
	CU_ASSERT_FATAL(plane.armed);
}

/* The newest generation's result. */
static const char *result(void)
{
	static struct gpc_generation newest;
	struct gpc_history *history = NULL;
	struct gpc_failure failure;

	CU_ASSERT_FATAL(!gpc_history_open(f.path, false, &history, &failure));
	CU_ASSERT(!gpc_history_find(history, 0, &newest, &failure));
	gpc_history_free(&history);
	return newest.result;
}

/* Files of more than 150 bytes cannot be written: a lock can, a commit cannot. Nor can all that is said. */
static int gpc_on_full_disk(const char *name)
{
	struct rlimit before, small;
	int rc;

	getrlimit(RLIMIT_FSIZE, &before);
	small = (struct rlimit){150, before.rlim_max};
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &small);
	rc = gpc(name, NULL);
	setrlimit(RLIMIT_FSIZE, &before);
	return rc;
}

static void what_cannot_be_recorded_is_not_confirmed(void)
{
	begin_pending();
	CU_ASSERT_EQUAL(gpc_on_full_disk("confirm"), GPC_EXIT_FAILED);
	CU_ASSERT(said(err, "nothing is confirmed; generation 2 waits on"));
	CU_ASSERT(plane.armed);
	CU_ASSERT_STRING_EQUAL(result(), "applied(pending)");
	CU_ASSERT_EQUAL(gpc("confirm", NULL), 0);
	CU_ASSERT_FALSE(plane.armed);
	CU_ASSERT_STRING_EQUAL(result(), "confirmed");
	end();
}

static void set_ref(const char *name, const char *to)
{
	char command[2 * PATH_MAX];

	snprintf(command, sizeof(command),
		 "cd '%.1000s/history.git' && git update-ref refs/heads/%s %s", f.path, name, to);
	if (system(command))
		abort();
}

static void what_was_kept_unrecorded_can_be_confirmed_again(void)
{
	begin_pending();
	set_ref("sound", "main");
	plane.during = break_publish;
	CU_ASSERT_EQUAL(gpc("confirm", NULL), GPC_EXIT_FAILED);
	CU_ASSERT(said(err, "generation 2 IS confirmed, but not recorded"));
	CU_ASSERT_FALSE(said(err, "as it was"));
	CU_ASSERT_FALSE(plane.armed);
	plane.during = NULL;
	set_ref("main", "sound");
	CU_ASSERT_EQUAL(gpc("confirm", NULL), 0);
	CU_ASSERT(said(out, "\"generation\":2"));
	CU_ASSERT_STRING_EQUAL(result(), "confirmed");
	CU_ASSERT_EQUAL(gpc("confirm", NULL), GPC_EXIT_CONFLICT);
	end();
}

static void abort_needs_no_disk(void)
{
	begin_pending();
	CU_ASSERT_EQUAL(gpc_on_full_disk("abort"), 0);
	CU_ASSERT_EQUAL(plane.generation, 1);
	CU_ASSERT_EQUAL(gpc("abort", NULL), 0);
	CU_ASSERT_STRING_EQUAL(result(), "rolled-back(gone)");
	end();
	begin_pending();
	plane.expired = true;
	CU_ASSERT_EQUAL(gpc_on_full_disk("abort"), 0);
	CU_ASSERT_FALSE(plane.armed);
	CU_ASSERT_EQUAL(plane.generation, 1);
	CU_ASSERT_STRING_EQUAL(result(), "applied(pending)");
	CU_ASSERT_EQUAL(gpc_on_full_disk("abort"), 0);
	CU_ASSERT_EQUAL(gpc("abort", NULL), 0);
	CU_ASSERT_STRING_EQUAL(result(), "rolled-back(gone)");
	end();
}

/* ---- waiting ---- */

/* An apply says that it can be confirmed, and then tidies up. */
static void confirm_and_abort_wait_a_moment_for_the_lock(void)
{
	begin_pending();
	plane.busy = 3;
	CU_ASSERT_EQUAL(gpc("confirm", NULL), 0);
	CU_ASSERT_EQUAL(plane.busy, 0);
	end();
	begin_pending();
	plane.busy = 3;
	CU_ASSERT_EQUAL(gpc("abort", NULL), 0);
	CU_ASSERT_EQUAL(plane.generation, 1);
	end();
}

static int wait_for(uint32_t generation)
{
	char *words[] = {(char *)"apply"};
	struct gpc_call call;
	int rc;

	gpc_call_blank(find("apply"), 1, words, &call);
	hear();
	rc = (int)gpc_wait_settled(&call, generation);
	hear_no_more();
	gpc_call_release(&call);
	return rc;
}

/* So fast that who waits for one generation sees the next. */
static void what_was_confirmed_is_told_whatever_runs_now(void)
{
	begin_pending();
	CU_ASSERT_EQUAL(gpc("confirm", NULL), 0);
	CU_ASSERT_EQUAL(wait_for(2), 0);
	CU_ASSERT_EQUAL(apply(ONE), 0);
	CU_ASSERT_EQUAL(wait_for(2), 0);
	CU_ASSERT_EQUAL(apply_with("--confirm=60s", TWO), 0);
	CU_ASSERT_EQUAL(wait_for(2), 0);
	CU_ASSERT_EQUAL(gpc("abort", NULL), 0);
	CU_ASSERT_EQUAL(wait_for(2), 0);
	CU_ASSERT_EQUAL(wait_for(4), GPC_EXIT_ROLLED_BACK);
	CU_ASSERT(said(err, "generation 4 was taken back: rolled-back(aborted)"));
	drop_image(&plane.image);
	CU_ASSERT_EQUAL(wait_for(2), 0);
	CU_ASSERT_EQUAL(wait_for(4), GPC_EXIT_ROLLED_BACK);
	CU_ASSERT(said(err, "nothing runs"));
	end();
	begin_pending();
	plane.expired = true;
	CU_ASSERT_EQUAL(wait_for(2), GPC_EXIT_ROLLED_BACK);
	CU_ASSERT(said(err, "not confirmed in time"));
	CU_ASSERT_STRING_EQUAL(result(), "rolled-back(expired)");
	CU_ASSERT_EQUAL(wait_for(2), GPC_EXIT_ROLLED_BACK);
	CU_ASSERT(said(err, "rolled-back(expired)"));
	end();
}

static void terminate(void)
{
	raise(SIGTERM);
}

static void a_signal_ends_the_waiting_and_nothing_else(void)
{
	begin_pending();
	gpc_interrupts_hold();
	terminate();
	CU_ASSERT_EQUAL(wait_for(2), GPC_EXIT_TERMINATED);
	CU_ASSERT(said(err, "generation 2 is live and waits on"));
	CU_ASSERT_FALSE(said(err, "nothing was changed"));
	CU_ASSERT(plane.armed);
	gpc_interrupts_hold();
	end();
}

/* ---- in passing ---- */

static void who_only_reads_records_what_is_over(void)
{
	begin_pending();
	CU_ASSERT_EQUAL(gpc("log", NULL), 0);
	CU_ASSERT(said(out, "applied(pending)"));
	plane.expired = true;
	CU_ASSERT_EQUAL(gpc("log", NULL), 0);
	CU_ASSERT(said(out, "rolled-back(expired)"));
	CU_ASSERT(said(err, "now it is recorded"));
	CU_ASSERT(plane.armed);
	CU_ASSERT_EQUAL(gpc("log", NULL), 0);
	CU_ASSERT_FALSE(said(err, "now it is recorded"));
	CU_ASSERT_EQUAL(gpc("confirm", NULL), GPC_EXIT_ROLLED_BACK);
	CU_ASSERT(said(err, "generation 1 is active again"));
	CU_ASSERT_FALSE(said(err, "never recorded"));
	CU_ASSERT_FALSE(plane.armed);
	end();
	begin_pending();
	plane.armed = false; /* confirmed by one who was killed */
	CU_ASSERT_EQUAL(gpc("verify", NULL), 0);
	CU_ASSERT_STRING_EQUAL(result(), "confirmed");
	end();
}

static void who_only_reads_leaves_alone_what_others_may_be_at(void)
{
	struct gpc_lock lock = GPC_LOCK_NONE;
	struct gpc_failure failure;

	begin_pending();
	plane.expired = true;
	CU_ASSERT_FATAL(!gpc_lock_acquire(f.path, &lock, &failure));
	CU_ASSERT_EQUAL(gpc("log", NULL), 0);
	gpc_lock_release(&lock);
	CU_ASSERT_STRING_EQUAL(result(), "applied(pending)");
	CU_ASSERT_EQUAL(gpc_on_full_disk("log"), 0);
	CU_ASSERT_STRING_EQUAL(result(), "applied(pending)");
	drop_image(&plane.image); /* of another mount namespace, say */
	plane.armed = false;
	CU_ASSERT_EQUAL(gpc("log", NULL), 0);
	CU_ASSERT_STRING_EQUAL(result(), "applied(pending)");
	end();
}

/* ---- quarantine ---- */

#define FAILING "--probe=attempts=1 exec /bin/false"
#define PASSING "--probe=attempts=1 exec /bin/true"

static int retry_with(const char *given, const char *text)
{
	int rc;

	second_option = "--retry";
	rc = apply_with(given, text);
	second_option = NULL;
	return rc;
}

static void begin_quarantined(void)
{
	begin();
	CU_ASSERT_EQUAL(apply(ONE), 0);
	CU_ASSERT_EQUAL(apply_with(FAILING, TWO), GPC_EXIT_ROLLED_BACK);
	CU_ASSERT_EQUAL(apply(TWO), GPC_EXIT_REFUSED);
}

static void only_what_stands_leaves_quarantine(void)
{
	begin_quarantined();
	plane.during = terminate;
	CU_ASSERT_EQUAL(retry_with(PASSING, TWO), GPC_EXIT_ROLLED_BACK);
	plane.during = NULL;
	CU_ASSERT_STRING_EQUAL(result(), "rolled-back(interrupted)");
	CU_ASSERT_EQUAL(apply(TWO), GPC_EXIT_REFUSED);
	CU_ASSERT_EQUAL(retry_with("--confirm=60s", TWO), 0);
	CU_ASSERT_EQUAL(gpc("abort", NULL), 0);
	CU_ASSERT_STRING_EQUAL(result(), "rolled-back(aborted)");
	CU_ASSERT_EQUAL(apply(TWO), GPC_EXIT_REFUSED);
	CU_ASSERT_EQUAL(retry_with(PASSING, TWO), 0);
	CU_ASSERT_EQUAL(apply(ONE), 0);
	CU_ASSERT_EQUAL(apply(TWO), 0);
	end();
}

static void nothing_stands_in_the_way_back_to_what_stood(void)
{
	begin();
	CU_ASSERT_EQUAL(apply(ONE), 0);
	CU_ASSERT_EQUAL(apply(TWO), 0);
	CU_ASSERT_EQUAL(apply_with(FAILING, ONE), GPC_EXIT_ROLLED_BACK);
	CU_ASSERT_EQUAL(gpc("rollback", "3"), GPC_EXIT_REFUSED);
	CU_ASSERT_EQUAL(gpc("rollback", NULL), 0);
	CU_ASSERT_STRING_EQUAL(result(), "applied");
	CU_ASSERT_EQUAL(plane.generation, 4);
	end();
}

static void expire(void)
{
	plane.expired = true;
}

static void switch_off(void)
{
	plane.off = true;
}

/* Past the deadline, and while the plane is off, a probe meets another plane than this one, or none. */
static void only_its_own_failure_brings_it_into_quarantine(void)
{
	begin();
	CU_ASSERT_EQUAL(apply(ONE), 0);
	plane.during = expire;
	second_option = "--confirm=1s";
	CU_ASSERT_EQUAL(apply_with(FAILING, TWO), GPC_EXIT_ROLLED_BACK);
	second_option = NULL;
	CU_ASSERT(said(err, "longer than the time to confirm"));
	CU_ASSERT_STRING_EQUAL(result(), "rolled-back(expired)");
	plane.during = switch_off;
	CU_ASSERT_EQUAL(apply_with(FAILING, TWO), GPC_EXIT_ROLLED_BACK);
	CU_ASSERT_STRING_EQUAL(result(), "rolled-back(switched off)");
	plane.during = NULL;
	plane.applies = 0;
	CU_ASSERT_EQUAL(apply_with(PASSING, TWO), GPC_EXIT_REFUSED);
	CU_ASSERT(said(err, "gpc on"));
	CU_ASSERT_EQUAL(plane.applies, 0);
	CU_ASSERT_EQUAL(apply(TWO), 0);
	end();
}

GPC_UNIT_MAIN("cmd/settle",
	      {"what_runs_unrecorded_cannot_be_armed", what_runs_unrecorded_cannot_be_armed},
	      {"what_runs_recorded_needs_no_confirmation",
	       what_runs_recorded_needs_no_confirmation},
	      {"what_cannot_be_recorded_is_not_confirmed",
	       what_cannot_be_recorded_is_not_confirmed},
	      {"what_was_kept_unrecorded_can_be_confirmed_again",
	       what_was_kept_unrecorded_can_be_confirmed_again},
	      {"abort_needs_no_disk", abort_needs_no_disk},
	      {"confirm_and_abort_wait_a_moment_for_the_lock",
	       confirm_and_abort_wait_a_moment_for_the_lock},
	      {"what_was_confirmed_is_told_whatever_runs_now",
	       what_was_confirmed_is_told_whatever_runs_now},
	      {"a_signal_ends_the_waiting_and_nothing_else",
	       a_signal_ends_the_waiting_and_nothing_else},
	      {"who_only_reads_records_what_is_over", who_only_reads_records_what_is_over},
	      {"who_only_reads_leaves_alone_what_others_may_be_at",
	       who_only_reads_leaves_alone_what_others_may_be_at},
	      {"only_what_stands_leaves_quarantine", only_what_stands_leaves_quarantine},
	      {"only_its_own_failure_brings_it_into_quarantine",
	       only_its_own_failure_brings_it_into_quarantine},
	      {"nothing_stands_in_the_way_back_to_what_stood",
	       nothing_stands_in_the_way_back_to_what_stood})
