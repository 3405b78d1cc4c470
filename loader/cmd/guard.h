/* SPDX-License-Identifier: MIT */
/*
 * guard.h: before a switch, asks the new image whether it would lock its operator out: the SSH session
 * that the command runs in, and root's other TCP sessions.
 */
#ifndef GPC_LOADER_CMD_GUARD_H
#define GPC_LOADER_CMD_GUARD_H

#include "../plane/plane.h"
#include "command.h"

#define GPC_OPTION_FORCE                                                                           \
	{                                                                                          \
		0, "force", NULL, "switch although it would cut sessions of root (see the lock-out guard)" \
	}

/*
 * Fails with REFUSED if `image` would cut a session, unless the call has --force or the policies only
 * audit; then it says so. `fresh`: no flow is known to the kernel yet.
 */
int gpc_guard(const struct gpc_call *call, const struct gpc_image *image, bool fresh,
	      enum gpc_stance stance, struct gpc_failure *failure);

#endif
