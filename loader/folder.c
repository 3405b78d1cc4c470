/* SPDX-License-Identifier: MIT */
#include "folder.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

int gpc_folder_check(const char *path, bool *ret_missing, struct gpc_failure *failure)
{
	struct stat st;

	*ret_missing = false;
	if (*path != '/') {
		gpc_fail(failure, GPC_EXIT_USAGE, 0, "'%s' is no absolute path", path);
		return gpc_fail_hint(failure, "GPC_STATE_DIR is the same wherever one stands");
	}
	if (lstat(path, &st)) {
		if (errno == ENOENT) {
			*ret_missing = true;
			return 0;
		}
		return gpc_fail(failure, GPC_EXIT_FAILED, errno, "cannot look at '%s'", path);
	}
	if (!S_ISDIR(st.st_mode)) {
		gpc_fail(failure, GPC_EXIT_FAILED, 0, "'%s' is %s, not a folder", path,
			 S_ISLNK(st.st_mode) ? "a symbolic link" : "a file");
		return gpc_fail_hint(failure,
				     "move it away, or set GPC_STATE_DIR to another folder");
	}
	if (st.st_uid != 0 && st.st_uid != geteuid()) {
		gpc_fail(failure, GPC_EXIT_FAILED, 0,
			 "'%s' belongs to user %u, not to root or to you", path,
			 (unsigned int)st.st_uid);
		return gpc_fail_hint(
			failure, "look at what it holds; if it is yours: chown -R root %s", path);
	}
	if (st.st_mode & 077) {
		gpc_fail(failure, GPC_EXIT_FAILED, 0,
			 "'%s' has mode %04o, others can reach into it", path,
			 (unsigned int)st.st_mode & 07777);
		return gpc_fail_hint(failure, "look at what it holds; if it is sound: chmod 700 %s",
				     path);
	}
	return 0;
}
