/* SPDX-License-Identifier: MIT */
/*
 * blame.h: where in the sources something is written, and who wrote it: in the source repository,
 * and, of a generation and of what runs, in the history of this host.
 */
#ifndef GPC_LOADER_CMD_BLAME_H
#define GPC_LOADER_CMD_BLAME_H

#include "../history/blame.h"
#include "target.h"

struct gpc_blame {
	const char *what; /* "rule", "policy" */
	const char *path;
	uint32_t line, column;

	struct gpc_line_origin *origins; /* of each line that it is written on */
	size_t origin_count;		 /* 0: they are not known */
	size_t newest;			 /* which of them was written last */
	const char *why;		 /* they are not known, or the newest is in no known commit */
	const char *next;		 /* what helps; NULL: nothing */

	bool recorded;
	struct gpc_generation generation; /* the last that wrote one of these lines */
};

/*
 * Fills all but the place of each blame. `folder`: where the repository of the sources lies, NULL: where
 * they do, or here.
 */
int gpc_blame_ask(struct gpc_target *target, const char *folder, struct gpc_blame *blames,
		  size_t count, struct gpc_failure *failure);

#endif
