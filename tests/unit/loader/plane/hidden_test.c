/* SPDX-License-Identifier: MIT */
/* A plane whose bpffs cannot be seen: each case in a child with a mount namespace of its own. */
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#include "rig.h"

#define MOUNT_POINT "/sys/fs/bpf"

static struct gpc_image one, two;

/* Runs `part` where a file system of `type` covers the bpffs; it returns 0 if all was as it should.
 */
static int elsewhere(const char *type, int (*part)(void))
{
	int result = 0;
	pid_t child;

	fflush(NULL);
	child = fork();
	if (child == 0) {
		if (unshare(CLONE_NEWNS) || mount("", "/", "", MS_REC | MS_PRIVATE, NULL) ||
		    mount("none", MOUNT_POINT, type, 0, NULL))
			_exit(99);
		_exit(part());
	}
	waitpid(child, &result, 0);
	return WIFEXITED(result) ? WEXITSTATUS(result) : 98;
}

static int refused(int result, const char *message, const char *hint)
{
	if (result == -1 && rig_failure.code == GPC_EXIT_HOST &&
	    strstr(rig_failure.message, message) && strstr(rig_failure.hint, hint))
		return 0;
	fprintf(stderr, "%d: exit %d, %s (%s)\n", result, rig_failure.code, rig_failure.message,
		rig_failure.hint);
	return 1;
}

static int apply_without_bpffs(void)
{
	struct gpc_apply_outcome outcome;
	struct statfs status;
	int r = refused(rig_apply(&two, 2, &outcome), "not on a bpf file system",
			"mount -t bpf bpf");

	return r || statfs(MOUNT_POINT, &status) || status.f_type == BPF_FS_MAGIC;
}

static int read_without_bpffs(void)
{
	struct gpc_plane_status status;

	return refused(gpc_plane_read(rig_bpffs, &status, &rig_failure), "not on a bpf file system",
		       "mount -t bpf bpf");
}

static int off_without_bpffs(void)
{
	return refused(gpc_plane_switch(rig_bpffs, true, NULL, &rig_failure),
		       "not on a bpf file system", "mount -t bpf bpf");
}

static int apply_on_another_bpffs(void)
{
	struct gpc_apply_outcome outcome;

	return refused(rig_apply(&two, 2, &outcome), "another gpc plane", "GPC_BPFFS");
}

static void no_bpffs_is_mounted_by_an_apply(void)
{
	CU_ASSERT_EQUAL(elsewhere("tmpfs", apply_without_bpffs), 0);
}

static void a_hidden_plane_is_not_reported_as_none(void)
{
	rig_must_apply(&one);
	CU_ASSERT_EQUAL(elsewhere("tmpfs", read_without_bpffs), 0);
	CU_ASSERT_EQUAL(elsewhere("tmpfs", off_without_bpffs), 0);
	CU_ASSERT_EQUAL(elsewhere("tmpfs", apply_without_bpffs), 0);
	CU_ASSERT_TRUE(rig_runs(&one));
	rig_detach();
}

static void its_programs_are_not_called_somebody_elses(void)
{
	rig_must_apply(&one);
	CU_ASSERT_EQUAL(elsewhere("bpf", apply_on_another_bpffs), 0);
	CU_ASSERT_TRUE(rig_runs(&one));
	CU_ASSERT_EQUAL(rig_verify(&one), 0);
	rig_detach();
}

/* doctor as a user that may not look at the pins: sudo, not mount. */
static int doctor_as_nobody(void)
{
	struct gpc_doctor_probe *probes = NULL;
	size_t count = 0, i;
	int r = 1;

	if (setresuid(65534, 65534, 65534) ||
	    gpc_doctor(rig_bpffs, NULL, &probes, &count, &rig_failure))
		return 2;
	for (i = 0; i < count; i++)
		if (!strcmp(probes[i].name, "bpffs"))
			r = strstr(probes[i].fix, "sudo") ? 0 : 3;
	free(probes);
	return r;
}

static void doctor_says_sudo_where_permission_is_missing(void)
{
	int result = 0;
	pid_t child;

	rig_must_apply(&one);
	fflush(NULL);
	child = fork();
	if (child == 0)
		_exit(doctor_as_nobody());
	waitpid(child, &result, 0);
	CU_ASSERT_TRUE(WIFEXITED(result));
	CU_ASSERT_EQUAL(WEXITSTATUS(result), 0);
	rig_detach();
}

static void make_images(void)
{
	rig_up("plane/hidden");
	one = rig_image(RIG_PLANE(RIG_ALL_HOOKS, RIG_W1));
	two = rig_image(RIG_PLANE(RIG_ALL_HOOKS, RIG_W1 ", " RIG_W2));
}

GPC_UNIT_MAIN_AFTER("plane/hidden", make_images,
		    {"no_bpffs_is_mounted_by_an_apply", no_bpffs_is_mounted_by_an_apply},
		    {"a_hidden_plane_is_not_reported_as_none",
		     a_hidden_plane_is_not_reported_as_none},
		    {"its_programs_are_not_called_somebody_elses",
		     its_programs_are_not_called_somebody_elses},
		    {"doctor_says_sudo_where_permission_is_missing",
		     doctor_says_sudo_where_permission_is_missing})
