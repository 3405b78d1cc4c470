/* SPDX-License-Identifier: MIT */
#include "claim.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../compiler/base/cleanup.h"

#define TRIES 100u

/* Another gpc's detach, or a failed apply, may have removed the folder before it was locked. */
static bool is_still(const char *path, int fd)
{
	struct stat held, there;

	return !fstat(fd, &held) && !lstat(path, &there) && held.st_dev == there.st_dev &&
	       held.st_ino == there.st_ino;
}

static int refuse(const char *bpffs, int error, struct gpc_failure *failure)
{
	if (error != EWOULDBLOCK)
		return gpc_fail(failure, GPC_EXIT_HOST, error, "cannot lock '%s'", bpffs);
	gpc_fail(failure, GPC_EXIT_CONFLICT, 0, "another gpc is at work on the plane in '%s'",
		 bpffs);
	return gpc_fail_hint(failure, "wait until it ends, then run this again; one plane wants "
				      "one GPC_STATE_DIR");
}

/* 1: taken, 0: the folder went away meanwhile. */
static int take(struct gpc_claim *claim, struct gpc_failure *failure)
{
	GPC_AUTO_CLOSE int fd = open(claim->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB))
		return refuse(claim->path, errno, failure);
	if (!is_still(claim->path, fd))
		return 0;
	claim->fd = GPC_TAKE_FD(fd);
	return 1;
}

int gpc_claim_take(const char *bpffs, bool make, struct gpc_claim *ret, struct gpc_failure *failure)
{
	struct gpc_claim claim = GPC_CLAIM_NONE;
	unsigned int try;
	bool present;

	for (try = 0; try < TRIES; try++) {
		int r;

		if (gpc_pin_check(bpffs, &present, failure))
			return -1;
		if (!present && !make) {
			*ret = GPC_CLAIM_NONE;
			return 0;
		}
		claim.made = !present;
		if (gpc_pin_path(claim.path, failure, "%s", bpffs) ||
		    gpc_pin_make_folder(bpffs, failure))
			return -1;
		r = take(&claim, failure);
		if (r > 0)
			*ret = claim;
		if (r)
			return r > 0 ? 0 : -1;
	}
	return refuse(bpffs, EWOULDBLOCK, failure);
}

void gpc_claim_release(struct gpc_claim *claim)
{
	if (claim->fd < 0)
		return;
	if (claim->made && is_still(claim->path, claim->fd))
		(void)rmdir(claim->path);
	close(claim->fd);
	*claim = GPC_CLAIM_NONE;
}
