/* SPDX-License-Identifier: MIT */
/*
 * merging.h: generic XDP that wraps, unwraps or translates packets cannot do it to those that were merged on
 * the way in: what leaves would be cut in the wrong place, or is larger than its way takes. Native XDP sees
 * every packet before merging.
 */
#ifndef GPC_LOADER_PLANE_MERGING_H
#define GPC_LOADER_PLANE_MERGING_H

#include "binding.h"

struct gpc_merging {
	bool concerned;		/* generic mode, and packets are wrapped, unwrapped or translated here */
	bool merges;		/* and merged ones come in */
	char found[128];
	char fix[128];		/* a command */
};

struct gpc_merging gpc_merging_find(const struct gpc_image *image,
				    const struct gpc_binding *binding);

/* Warns of every binding that is concerned and merges. */
void gpc_merging_warn(const struct gpc_image *image, const struct gpc_bindings *bindings,
		      const struct gpc_notice_sink *notices);

#endif
