/* SPDX-License-Identifier: MIT */
/*
 * shallow.h: where a shallow clone ends. A cut is a commit whose parents were left out; nothing can
 * be said about what was before it. Other repositories have no cuts.
 */
#ifndef GPC_LOADER_HISTORY_SHALLOW_H
#define GPC_LOADER_HISTORY_SHALLOW_H

#include <git2.h>
#include <stdbool.h>

#include "../fail.h"

struct gpc_shallow {
	git_oid *cuts;
	size_t count;
};

int gpc_shallow_read(git_repository *repo, struct gpc_shallow *ret, struct gpc_failure *failure);
void gpc_shallow_release(struct gpc_shallow *shallow);
bool gpc_shallow_is_cut(const struct gpc_shallow *shallow, const git_oid *commit);

/* Adds the next step if something may be missing because the clone is shallow; returns -1. */
int gpc_shallow_explain(git_repository *repo, struct gpc_failure *failure);

#endif
