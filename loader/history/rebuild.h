/* SPDX-License-Identifier: MIT */
/* rebuild.h: compiles a generation again from the sources in its commit. Private to loader/history.
 */
#ifndef GPC_LOADER_HISTORY_REBUILD_H
#define GPC_LOADER_HISTORY_REBUILD_H

#include "history.h"

/* FAILED when there are no sources, they do not compile, or give another decision than recorded. */
int gpc_history_rebuild(struct gpc_history *history, const struct gpc_generation *generation,
			struct gpc_image *ret_image, struct gpc_failure *failure);

#endif
