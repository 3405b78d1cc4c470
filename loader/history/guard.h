/* SPDX-License-Identifier: MIT */
/*
 * guard.h: a truncated loose object makes libgit2 1.5 spin for ever, so each one is inflated to its
 * end before libgit2 may read it. And what libgit2 would take from outside a repository is shut out.
 * Private to loader/history.
 */
#ifndef GPC_LOADER_HISTORY_GUARD_H
#define GPC_LOADER_HISTORY_GUARD_H

#include "git.h"

/* Nothing but a repository itself may have a say: no system, user or XDG configuration. */
void gpc_git_isolate(void);

/* Puts the guard before the repository's own object store. 0 or a libgit2 error. */
int gpc_git_guard(git_repository *repo);

#endif
