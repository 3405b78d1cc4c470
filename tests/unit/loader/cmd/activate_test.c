/* SPDX-License-Identifier: MIT */
/* What apply and rollback do with the plane and the history, and in which order. */
#include "loader/cmd/activate.h"

#include <signal.h>

#include "tests/unit/loader/cmd/standin.h"

/* ---- tests ---- */

static void an_apply_runs_and_is_recorded(void)
{
	uint32_t newest;

	begin();
	CU_ASSERT_EQUAL(apply(ONE), 0);
	CU_ASSERT(said(out, "{\"type\":\"result\",\"generation\":1,\"unchanged\":false"));
	CU_ASSERT_EQUAL(apply(TWO), 0);
	CU_ASSERT(said(out, "\"object\":\"endpoint\",\"change\":\"added\",\"name\":\"web/b\""));
	CU_ASSERT_EQUAL(plane.generation, 2);
	CU_ASSERT_EQUAL(recorded(&newest), 2);
	end();
}

static void the_same_decision_is_applied_but_not_recorded_again(void)
{
	uint32_t newest;

	begin();
	CU_ASSERT_EQUAL(apply(ONE), 0);
	CU_ASSERT_EQUAL(apply("# a comment is no decision\n" ONE), 0);
	CU_ASSERT(said(out, "\"unchanged\":true"));
	CU_ASSERT_EQUAL(plane.applies, 2);
	CU_ASSERT_EQUAL(recorded(&newest), 1);
	end();
}

static void what_a_killed_apply_left_running_is_recorded_under_its_number(void)
{
	struct gpc_image image = image_of_text(TWO);
	uint32_t newest;

	begin();
	CU_ASSERT_EQUAL(apply(ONE), 0);
	drop_image(&plane.image);
	plane.image = image;
	plane.generation = 2;
	CU_ASSERT_EQUAL(apply(TWO), 0);
	CU_ASSERT_EQUAL(recorded(&newest), 2);
	CU_ASSERT_EQUAL(newest, 2);
	CU_ASSERT_EQUAL(plane.generation, 2);
	end();
}

static void a_number_that_a_killed_apply_used_is_left_out(void)
{
	struct gpc_image image = image_of_text(TWO);
	uint32_t newest;

	begin();
	CU_ASSERT_EQUAL(apply(ONE), 0);
	drop_image(&plane.image);
	plane.image = image;
	plane.generation = 2;
	CU_ASSERT_EQUAL(apply(PLANE("{name: c, address: 10.0.0.3}")), 0);
	CU_ASSERT_EQUAL(recorded(&newest), 2);
	CU_ASSERT_EQUAL(newest, 3);
	end();
}

static void a_refusing_host_leaves_no_generation(void)
{
	uint32_t newest;

	begin();
	plane.refuse = true;
	CU_ASSERT_EQUAL(apply(ONE), GPC_EXIT_HOST);
	CU_ASSERT(said(err, "the stand-in refuses"));
	CU_ASSERT(said(out, "\"exit\":5"));
	CU_ASSERT_EQUAL(recorded(&newest), 0);
	end();
}

static void a_flip_that_cannot_be_recorded_is_undone(void)
{
	struct gpc_image one = image_of_text(ONE);

	begin();
	CU_ASSERT_EQUAL(apply(ONE), 0);
	plane.during = break_publish;
	CU_ASSERT_EQUAL(apply(TWO), GPC_EXIT_ROLLED_BACK);
	CU_ASSERT_EQUAL(plane.undone, 1);
	CU_ASSERT_EQUAL(plane.retired, 1); /* by the first apply: what is undone must not be gone */
	CU_ASSERT_FATAL(plane.image.bytes != NULL);
	CU_ASSERT(!memcmp(plane.image.head->decision_digest, one.head->decision_digest, 32));
	CU_ASSERT(said(err, "rolled back"));
	CU_ASSERT(said(out, "\"exit\":7"));
	gpc_image_release(&one);
	end();
}

/* The journal of the state folder: an endpoint of `web` is drained. */
static void journal_drain(const char *endpoint)
{
	struct gpc_override drain = {
		.backend = "web", .kind = GPC_OVERRIDE_DRAIN, .since = 1, .actor = "anna"};
	struct gpc_overrides overrides = {0};
	struct gpc_failure failure;

	snprintf(drain.endpoint, sizeof(drain.endpoint), "%s", endpoint);
	gpc_overrides_add(&overrides, &drain);
	CU_ASSERT(!gpc_journal_save(f.path, &overrides, &failure));
	gpc_overrides_release(&overrides);
}

static enum gpc_override_end journaled_end(void)
{
	struct gpc_overrides overrides = {0};
	enum gpc_override_end how;
	struct gpc_failure failure;

	CU_ASSERT(!gpc_journal_load(f.path, &overrides, &failure));
	CU_ASSERT_EQUAL_FATAL(overrides.count, 1);
	how = overrides.items[0].end;
	gpc_overrides_release(&overrides);
	return how;
}

static void overrides_go_on_until_their_object_goes(void)
{
	begin();
	CU_ASSERT_EQUAL(apply(TWO), 0);
	CU_ASSERT_STRING_EQUAL(plane.drained, "");
	journal_drain("b");
	CU_ASSERT_EQUAL(apply(TWO), 0);
	CU_ASSERT_STRING_EQUAL(plane.drained, "b");
	CU_ASSERT_EQUAL(gpc("restore", NULL), 0);
	CU_ASSERT_STRING_EQUAL(plane.drained, "b");
	CU_ASSERT_EQUAL(journaled_end(), GPC_END_NONE);
	CU_ASSERT_EQUAL(apply(ONE), 0);
	CU_ASSERT(said(err, "web/b"));
	CU_ASSERT_EQUAL(journaled_end(), GPC_END_GONE);
	CU_ASSERT_EQUAL(gpc("rollback", NULL), 0);
	CU_ASSERT_STRING_EQUAL(plane.drained, "");
	end();
}

static void an_undone_flip_ends_no_override(void)
{
	begin();
	CU_ASSERT_EQUAL(apply(TWO), 0);
	journal_drain("b");
	plane.during = break_publish;
	CU_ASSERT_EQUAL(apply(ONE), GPC_EXIT_ROLLED_BACK);
	CU_ASSERT_EQUAL(plane.overridden, 1);
	CU_ASSERT_STRING_EQUAL(plane.drained, "b");
	CU_ASSERT_EQUAL(journaled_end(), GPC_END_NONE);
	end();
}

static void a_damaged_journal_stops_no_apply(void)
{
	char path[PATH_MAX];

	begin();
	CU_ASSERT_EQUAL(apply(ONE), 0);
	file_put(folder_file(&f, "overrides.jsonl", path), "{}\n");
	CU_ASSERT_EQUAL(apply(TWO), 0);
	CU_ASSERT(said(err, "overrides are left as they are"));
	CU_ASSERT_PTR_NULL(plane.drained);
	end();
}

static void an_undo_that_fails_is_told_as_a_failure(void)
{
	begin();
	CU_ASSERT_EQUAL(apply(ONE), 0);
	plane.during = break_publish;
	plane.undo_fails = true;
	CU_ASSERT_EQUAL(apply(TWO), GPC_EXIT_FAILED);
	CU_ASSERT(said(err, "cannot undo"));
	CU_ASSERT(said(err, "neither recorded nor undone"));
	end();
}

static void rollback_goes_to_the_generation_before_and_back(void)
{
	uint32_t newest;

	begin();
	CU_ASSERT_EQUAL(gpc("rollback", NULL), GPC_EXIT_INVALID);
	CU_ASSERT_EQUAL(apply(ONE), 0);
	CU_ASSERT_EQUAL(gpc("rollback", NULL), GPC_EXIT_INVALID);
	CU_ASSERT_EQUAL(apply(TWO), 0);
	CU_ASSERT_EQUAL(gpc("rollback", NULL), 0);
	CU_ASSERT(said(out, "\"generation\":3"));
	CU_ASSERT_EQUAL(gpc("rollback", "1"), 0);
	CU_ASSERT(said(out, "\"unchanged\":true"));
	CU_ASSERT_EQUAL(gpc("rollback", "2"), 0);
	CU_ASSERT_EQUAL(gpc("rollback", "9"), GPC_EXIT_INVALID);
	CU_ASSERT_EQUAL(gpc("rollback", "x"), GPC_EXIT_USAGE);
	CU_ASSERT_EQUAL(recorded(&newest), 4);
	end();
}

static void restore_runs_what_was_recorded_last(void)
{
	begin();
	CU_ASSERT_EQUAL(gpc("restore", NULL), GPC_EXIT_FAILED);
	CU_ASSERT_EQUAL(apply(ONE), 0);
	CU_ASSERT_EQUAL(apply(TWO), 0);
	drop_image(&plane.image);
	CU_ASSERT_EQUAL(gpc("restore", NULL), 0);
	CU_ASSERT_EQUAL(plane.generation, 2);
	CU_ASSERT_FATAL(plane.image.bytes != NULL);
	CU_ASSERT_EQUAL(gpc("restore", NULL), 0);
	CU_ASSERT(said(out, "\"unchanged\":true"));
	end();
}

static void verify_finds_that_not_the_newest_generation_runs(void)
{
	begin();
	CU_ASSERT_EQUAL(apply(ONE), 0);
	CU_ASSERT_EQUAL(apply(TWO), 0);
	CU_ASSERT_EQUAL(gpc("verify", "--exit-code"), 0);
	/* A rollback was killed after its flip: generation 3 runs, and nobody wrote it down. */
	drop_image(&plane.image);
	plane.image = image_of_text(ONE);
	plane.generation = 3;
	CU_ASSERT_EQUAL(gpc("verify", "--exit-code"), GPC_EXIT_DIFFERENT);
	CU_ASSERT(said(out, "the plane runs generation 3"));
	CU_ASSERT(said(out, "recorded last is 2"));
	CU_ASSERT_EQUAL(gpc("restore", NULL), 0);
	CU_ASSERT_EQUAL(gpc("verify", "--exit-code"), 0);
	end();
}

static void of_two_at_once_one_is_told(void)
{
	struct gpc_lock lock = GPC_LOCK_NONE;
	struct gpc_failure failure;
	uint32_t newest;

	begin();
	CU_ASSERT_EQUAL(apply(ONE), 0);
	CU_ASSERT_FATAL(!gpc_lock_acquire(f.path, &lock, &failure));
	CU_ASSERT_EQUAL(apply(TWO), GPC_EXIT_CONFLICT);
	CU_ASSERT_EQUAL(gpc("rollback", NULL), GPC_EXIT_CONFLICT);
	CU_ASSERT_EQUAL(gpc("restore", NULL), GPC_EXIT_CONFLICT);
	gpc_lock_release(&lock);
	plane.claimed = true;
	CU_ASSERT_EQUAL(apply(TWO), GPC_EXIT_CONFLICT);
	CU_ASSERT_EQUAL(gpc("rollback", NULL), GPC_EXIT_CONFLICT);
	CU_ASSERT_EQUAL(gpc("restore", NULL), GPC_EXIT_CONFLICT);
	plane.claimed = false;
	CU_ASSERT_EQUAL(plane.applies, 1);
	CU_ASSERT_EQUAL(recorded(&newest), 1);
	end();
}

static void bad_input_reaches_neither_history_nor_plane(void)
{
	begin();
	CU_ASSERT_EQUAL(apply("apiVersion: gpc/v1\nkind: Plan\n"), GPC_EXIT_INVALID);
	CU_ASSERT(said(out, "\"exit\":3"));
	CU_ASSERT_EQUAL(gpc("apply", "/dev/null/x.gpi"), GPC_EXIT_INVALID);
	CU_ASSERT_EQUAL(plane.applies, 0);
	CU_ASSERT(access(f.path, F_OK));
	end();
}

static void interrupt(void)
{
	raise(SIGINT);
}

static void an_interrupt_counts_until_the_flip(void)
{
	uint32_t newest;

	begin();
	plane.during = interrupt;
	CU_ASSERT_EQUAL(apply(ONE), 0);
	CU_ASSERT(said(err, "after the flip"));
	CU_ASSERT_EQUAL(recorded(&newest), 1);
	plane.during = NULL;
	plane.before_flip = interrupt;
	CU_ASSERT_EQUAL(apply(TWO), GPC_EXIT_INTERRUPTED);
	CU_ASSERT(said(err, "interrupted: nothing was changed"));
	CU_ASSERT(said(out, "\"exit\":130"));
	CU_ASSERT_EQUAL(gpc("restore", NULL), GPC_EXIT_INTERRUPTED);
	CU_ASSERT_EQUAL(recorded(&newest), 1);
	end();
}

static void the_first_policies_of_a_host_only_audit(void)
{
	begin();
	CU_ASSERT_EQUAL(apply(POLICY("in")), 0);
	CU_ASSERT_EQUAL(plane.stance, GPC_STANCE_AUDIT);
	CU_ASSERT(said(err, "AUDIT: policies only audit"));
	CU_ASSERT(said(out, "\"policy_mode\":\"audit\""));
	CU_ASSERT_EQUAL(apply(POLICY("other")), 0);
	CU_ASSERT_EQUAL(plane.stance, GPC_STANCE_AUDIT);
	CU_ASSERT(said(err, "AUDIT: policies only audit"));
	CU_ASSERT_EQUAL(gpc("verify", "--exit-code"), 0);
	end();
	begin();
	CU_ASSERT_EQUAL(apply(ONE), 0);
	CU_ASSERT_EQUAL(plane.stance, GPC_STANCE_NONE);
	CU_ASSERT_EQUAL(apply(POLICY("in")), 0);
	CU_ASSERT_EQUAL(plane.stance, GPC_STANCE_AUDIT);
	end();
}

static void enforce_holds_until_the_policies_go(void)
{
	uint32_t newest;

	begin();
	CU_ASSERT_EQUAL(apply(POLICY("in")), 0);
	CU_ASSERT_EQUAL(apply_enforced(POLICY("in")), 0);
	CU_ASSERT_EQUAL(plane.stance, GPC_STANCE_ENFORCE);
	CU_ASSERT_FALSE(said(err, "AUDIT"));
	CU_ASSERT_EQUAL(recorded(&newest), 2);
	CU_ASSERT_EQUAL(apply(POLICY("in")), 0);
	CU_ASSERT_EQUAL(recorded(&newest), 2);
	CU_ASSERT_EQUAL(apply(POLICY("other")), 0);
	CU_ASSERT_EQUAL(plane.stance, GPC_STANCE_ENFORCE);
	CU_ASSERT_EQUAL(gpc("verify", "--exit-code"), 0);
	CU_ASSERT_EQUAL(apply(ONE), 0);
	CU_ASSERT_EQUAL(plane.stance, GPC_STANCE_NONE);
	CU_ASSERT_EQUAL(apply(POLICY("in")), 0);
	CU_ASSERT_EQUAL(plane.stance, GPC_STANCE_AUDIT);
	end();
	begin();
	CU_ASSERT_EQUAL(apply_enforced(POLICY("in")), 0);
	CU_ASSERT_EQUAL(plane.stance, GPC_STANCE_ENFORCE);
	end();
}

static void rollback_and_restore_bring_the_recorded_mode_back(void)
{
	uint32_t newest;

	begin();
	CU_ASSERT_EQUAL(apply(POLICY("in")), 0);
	CU_ASSERT_EQUAL(apply_enforced(POLICY("in")), 0);
	CU_ASSERT_EQUAL(gpc("rollback", NULL), 0);
	CU_ASSERT_EQUAL(plane.stance, GPC_STANCE_AUDIT);
	CU_ASSERT(said(err, "AUDIT: policies only audit"));
	drop_image(&plane.image);
	plane.stance = GPC_STANCE_NONE;
	CU_ASSERT_EQUAL(gpc("restore", NULL), 0);
	CU_ASSERT_EQUAL(plane.stance, GPC_STANCE_AUDIT);
	CU_ASSERT_EQUAL(gpc("rollback", "2"), 0);
	CU_ASSERT_EQUAL(plane.stance, GPC_STANCE_ENFORCE);
	drop_image(&plane.image);
	plane.stance = GPC_STANCE_NONE;
	CU_ASSERT_EQUAL(gpc("restore", NULL), 0);
	CU_ASSERT_EQUAL(plane.stance, GPC_STANCE_ENFORCE);
	CU_ASSERT_EQUAL(recorded(&newest), 4);
	end();
}

/* Killed between the store and the record: what runs is what counts, and it is written down. */
static void a_turn_that_was_not_recorded_is_seen_and_recorded(void)
{
	uint32_t newest;

	begin();
	CU_ASSERT_EQUAL(apply(POLICY("in")), 0);
	plane.stance = GPC_STANCE_ENFORCE;
	CU_ASSERT_EQUAL(gpc("verify", "--exit-code"), GPC_EXIT_DIFFERENT);
	CU_ASSERT(said(out, "the policies enforce, recorded last is audit"));
	CU_ASSERT_EQUAL(apply(POLICY("in")), 0);
	CU_ASSERT_EQUAL(plane.stance, GPC_STANCE_ENFORCE);
	CU_ASSERT_EQUAL(recorded(&newest), 2);
	CU_ASSERT_EQUAL(gpc("verify", "--exit-code"), 0);
	end();
}

static void a_turn_that_cannot_be_recorded_is_undone(void)
{
	begin();
	CU_ASSERT_EQUAL(apply(POLICY("in")), 0);
	plane.during = break_publish;
	CU_ASSERT_EQUAL(apply_enforced(POLICY("in")), GPC_EXIT_ROLLED_BACK);
	CU_ASSERT_EQUAL(plane.stance, GPC_STANCE_AUDIT);
	CU_ASSERT_EQUAL(plane.undone, 1);
	end();
}

GPC_UNIT_MAIN("cmd/activate", {"an_apply_runs_and_is_recorded", an_apply_runs_and_is_recorded},
	      {"the_same_decision_is_applied_but_not_recorded_again",
	       the_same_decision_is_applied_but_not_recorded_again},
	      {"what_a_killed_apply_left_running_is_recorded_under_its_number",
	       what_a_killed_apply_left_running_is_recorded_under_its_number},
	      {"a_number_that_a_killed_apply_used_is_left_out",
	       a_number_that_a_killed_apply_used_is_left_out},
	      {"a_refusing_host_leaves_no_generation", a_refusing_host_leaves_no_generation},
	      {"a_flip_that_cannot_be_recorded_is_undone",
	       a_flip_that_cannot_be_recorded_is_undone},
	      {"overrides_go_on_until_their_object_goes", overrides_go_on_until_their_object_goes},
	      {"an_undone_flip_ends_no_override", an_undone_flip_ends_no_override},
	      {"a_damaged_journal_stops_no_apply", a_damaged_journal_stops_no_apply},
	      {"an_undo_that_fails_is_told_as_a_failure", an_undo_that_fails_is_told_as_a_failure},
	      {"rollback_goes_to_the_generation_before_and_back",
	       rollback_goes_to_the_generation_before_and_back},
	      {"restore_runs_what_was_recorded_last", restore_runs_what_was_recorded_last},
	      {"verify_finds_that_not_the_newest_generation_runs",
	       verify_finds_that_not_the_newest_generation_runs},
	      {"of_two_at_once_one_is_told", of_two_at_once_one_is_told},
	      {"the_first_policies_of_a_host_only_audit", the_first_policies_of_a_host_only_audit},
	      {"enforce_holds_until_the_policies_go", enforce_holds_until_the_policies_go},
	      {"rollback_and_restore_bring_the_recorded_mode_back",
	       rollback_and_restore_bring_the_recorded_mode_back},
	      {"a_turn_that_was_not_recorded_is_seen_and_recorded",
	       a_turn_that_was_not_recorded_is_seen_and_recorded},
	      {"a_turn_that_cannot_be_recorded_is_undone",
	       a_turn_that_cannot_be_recorded_is_undone},
	      {"bad_input_reaches_neither_history_nor_plane",
	       bad_input_reaches_neither_history_nor_plane},
	      {"an_interrupt_counts_until_the_flip", an_interrupt_counts_until_the_flip})
