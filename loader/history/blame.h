/* SPDX-License-Identifier: MIT */
/*
 * blame.h: who wrote lines: the commit of the source repository, or the generation of this host's
 * history, in which each last became what it is. Nothing is ever written.
 */
#ifndef GPC_LOADER_HISTORY_BLAME_H
#define GPC_LOADER_HISTORY_BLAME_H

#include "history.h"
#include "revision.h"

enum gpc_line_state {
	GPC_LINE_CUT,	   /* written in or before `revision`, where a shallow clone ends */
	GPC_LINE_COMMITTED, /* by `revision` */
	GPC_LINE_CHANGED,  /* committed nowhere yet */
};

struct gpc_line_origin {
	uint32_t line; /* given */
	enum gpc_line_state state;
	struct gpc_revision revision;
};

/*
 * Fills `lines` of the file at `path` (from the top) in `commit`, which has it, or, `commit` NULL, of the
 * file's `text` as it is now over HEAD. In a clone whose history was cut at several commits, what a
 * merge brought in can be the merge's.
 */
int gpc_revision_blame(struct gpc_revisions *revisions, const char *commit, const char *path,
		       const char *text, size_t size, struct gpc_line_origin *lines, size_t count,
		       struct gpc_failure *failure);

/* Which of filled `lines` (at least one) was written last. */
size_t gpc_revision_newest(struct gpc_revisions *revisions, const struct gpc_line_origin *lines,
			   size_t count);

/*
 * The last generation that wrote one of the `lines` of a source file ("web.yaml") of a generation;
 * *ret_found false: it has no such file or line.
 */
int gpc_history_blame(struct gpc_history *history, const struct gpc_generation *generation,
		      const char *path, const uint32_t *lines, size_t count,
		      struct gpc_generation *ret, bool *ret_found, struct gpc_failure *failure);

#endif
