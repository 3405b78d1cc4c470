/* SPDX-License-Identifier: MIT */
/*
 * prog.h: the object code that this gpc carries, one object per size class, and how it becomes an
 * instance. The only module that includes skeletons.
 */
#ifndef GPC_LOADER_PLANE_PROG_H
#define GPC_LOADER_PLANE_PROG_H

#include "instance.h"

/* Entries of the maps that depend on the image and the host. */
struct gpc_prog_sizes {
	uint32_t log2;		/* size class, GPC_IMAGE_MIN_LOG2..GPC_IMAGE_MAX_LOG2 */
	uint32_t flows, counters, next, rules, rate;
	bool own_next;		/* next hops are not shared: who uses them cannot be told */
};

/* Identity of the object code of a size class, and of the image layout that it reads. */
void gpc_prog_build(uint32_t log2, char out[GPC_BUILD_TEXT]);

/*
 * Loads programs and maps; nothing is pinned, nothing attached. `share` (may be NULL): an instance
 * whose maps are used as they are, as far as they have at least the entries asked for; never its
 * control word and images. `all`: those, too (verify loads the programs again to compare them).
 */
int gpc_prog_load(const struct gpc_prog_sizes *sizes, const struct gpc_instance *share, bool all,
		  struct gpc_instance *ret, struct gpc_failure *failure);

#endif
