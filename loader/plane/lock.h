/* SPDX-License-Identifier: MIT */
/*
 * lock.h: one gpc at a time changes a history and its plane (claim.h: the plane, whatever the
 * history). The lock is flock(2) on $GPC_STATE_DIR/lock, so it ends with the process, however it
 * ends; the text in the file (pid and command) is only for the message.
 */
#ifndef GPC_LOADER_PLANE_LOCK_H
#define GPC_LOADER_PLANE_LOCK_H

#include "../fail.h"

struct gpc_lock {
	int fd;
};

#define GPC_LOCK_NONE ((struct gpc_lock){.fd = -1})

/*
 * Never waits, and touches nothing in a folder that is not private (folder.h). A folder that cannot
 * be written is locked all the same. CONFLICT naming the holder; FAILED when the folder or the file
 * cannot be made, or is not gpc's.
 */
int gpc_lock_acquire(const char *state_dir, struct gpc_lock *ret, struct gpc_failure *failure);
void gpc_lock_release(struct gpc_lock *lock);

#endif
