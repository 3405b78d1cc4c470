/* SPDX-License-Identifier: MIT */
/*
 * blame.h: who wrote a line: the commit of the source repository, or the generation of this host's
 * history, in which it last became what it is. Nothing is ever written.
 */
#ifndef GPC_LOADER_HISTORY_BLAME_H
#define GPC_LOADER_HISTORY_BLAME_H

#include "history.h"
#include "revision.h"

/*
 * Of line `line` of the file at `path` (from the top) in `commit`, or, `commit` NULL, of the file's `text`
 * as it is now over HEAD. *ret_found false: the line is committed nowhere yet, or the commit does not have
 * the file.
 */
int gpc_revision_blame(struct gpc_revisions *revisions, const char *commit, const char *path,
		       const char *text, size_t size, uint32_t line, struct gpc_revision *ret,
		       bool *ret_found, struct gpc_failure *failure);

/* Of a source file ("web.yaml") of a generation; *ret_found false: it has no such file or line. */
int gpc_history_blame(struct gpc_history *history, const struct gpc_generation *generation,
		      const char *path, uint32_t line, struct gpc_generation *ret, bool *ret_found,
		      struct gpc_failure *failure);

#endif
