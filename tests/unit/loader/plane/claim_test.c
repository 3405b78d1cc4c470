/* SPDX-License-Identifier: MIT */
#include "../../../../loader/plane/claim.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "rig.h"

static struct gpc_image one, foreign_device;

static bool is_there(void)
{
	return !access(rig_bpffs, F_OK);
}

static void of_two_one_is_told(void)
{
	struct gpc_claim claim = GPC_CLAIM_NONE, second = GPC_CLAIM_NONE;

	CU_ASSERT_EQUAL_FATAL(gpc_claim_take(rig_bpffs, true, &claim, &rig_failure), 0);
	CU_ASSERT_EQUAL(gpc_claim_take(rig_bpffs, true, &second, &rig_failure), -1);
	CU_ASSERT_EQUAL(rig_failure.code, GPC_EXIT_CONFLICT);
	CU_ASSERT_EQUAL(gpc_claim_take(rig_bpffs, false, &second, &rig_failure), -1);
	CU_ASSERT_EQUAL(rig_failure.code, GPC_EXIT_CONFLICT);
	CU_ASSERT_EQUAL(second.fd, -1);
	gpc_claim_release(&claim);
	CU_ASSERT_EQUAL(gpc_claim_take(rig_bpffs, true, &second, &rig_failure), 0);
	gpc_claim_release(&second);
	gpc_claim_release(&second);
}

static void a_killed_holder_holds_nothing(void)
{
	struct gpc_claim claim = GPC_CLAIM_NONE;
	int ready[2];
	char byte;
	pid_t child;

	CU_ASSERT_EQUAL_FATAL(pipe(ready), 0);
	child = fork();
	if (child == 0) {
		if (!gpc_claim_take(rig_bpffs, true, &claim, &rig_failure))
			(void)!write(ready[1], "x", 1);
		pause();
		_exit(0);
	}
	CU_ASSERT_EQUAL(read(ready[0], &byte, 1), 1);
	CU_ASSERT_EQUAL(gpc_claim_take(rig_bpffs, true, &claim, &rig_failure), -1);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	CU_ASSERT_EQUAL(gpc_claim_take(rig_bpffs, true, &claim, &rig_failure), 0);
	gpc_claim_release(&claim);
	close(ready[0]);
	close(ready[1]);
	rig_detach();
}

static void a_folder_made_for_it_goes_unless_it_is_used(void)
{
	struct gpc_claim claim = GPC_CLAIM_NONE;
	struct gpc_apply_outcome outcome;

	CU_ASSERT_FALSE(is_there());
	CU_ASSERT_EQUAL(gpc_claim_take(rig_bpffs, false, &claim, &rig_failure), 0);
	CU_ASSERT_FALSE(is_there());
	CU_ASSERT_EQUAL(gpc_claim_take(rig_bpffs, true, &claim, &rig_failure), 0);
	CU_ASSERT_TRUE(is_there());
	CU_ASSERT_EQUAL(rig_apply(&foreign_device, 1, &outcome), -1);
	gpc_claim_release(&claim);
	CU_ASSERT_FALSE(is_there());
	CU_ASSERT_EQUAL(gpc_claim_take(rig_bpffs, true, &claim, &rig_failure), 0);
	rig_must_apply(&one);
	gpc_claim_release(&claim);
	CU_ASSERT_TRUE(is_there());
	CU_ASSERT_TRUE(rig_runs(&one));
	CU_ASSERT_EQUAL(gpc_claim_take(rig_bpffs, false, &claim, &rig_failure), 0);
	rig_detach();
	CU_ASSERT_FALSE(is_there());
	gpc_claim_release(&claim);
}

/* Removed and made again by others: the claim is on the folder that is there, or none. */
static void a_folder_of_others_is_left_alone(void)
{
	struct gpc_claim claim = GPC_CLAIM_NONE, other = GPC_CLAIM_NONE;

	CU_ASSERT_EQUAL(gpc_claim_take(rig_bpffs, true, &claim, &rig_failure), 0);
	CU_ASSERT_EQUAL(rmdir(rig_bpffs), 0);
	CU_ASSERT_EQUAL(gpc_claim_take(rig_bpffs, true, &other, &rig_failure), 0);
	gpc_claim_release(&claim);
	CU_ASSERT_TRUE(is_there());
	CU_ASSERT_EQUAL(gpc_claim_take(rig_bpffs, true, &claim, &rig_failure), -1);
	gpc_claim_release(&other);
	CU_ASSERT_FALSE(is_there());
}

static void make_images(void)
{
	rig_up("plane/claim");
	one = rig_image(RIG_PLANE(RIG_ALL_HOOKS, RIG_W1));
	foreign_device = rig_image(RIG_PLANE("{name: never0}", RIG_W1));
}

GPC_UNIT_MAIN_AFTER("plane/claim", make_images, {"of_two_one_is_told", of_two_one_is_told},
		    {"a_killed_holder_holds_nothing", a_killed_holder_holds_nothing},
		    {"a_folder_made_for_it_goes_unless_it_is_used",
		     a_folder_made_for_it_goes_unless_it_is_used},
		    {"a_folder_of_others_is_left_alone", a_folder_of_others_is_left_alone})
