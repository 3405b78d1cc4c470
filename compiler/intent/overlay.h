/* SPDX-License-Identifier: MIT */
/*
 * overlay.h: the plane with an overlay on it. Mappings merge by key, lists of objects by name, all
 * other lists and scalars are replaced; `$delete: true` beside a name removes. Places stay those of
 * the file that a value came from.
 */
#ifndef GPC_INTENT_OVERLAY_H
#define GPC_INTENT_OVERLAY_H

#include "../syntax/node.h"

/* Both are merged documents (merge.h). The result is a new mapping; no input is changed. */
struct gpc_node *gpc_overlay_apply(struct gpc_diags *diags, const struct gpc_node *plane,
				   const struct gpc_node *overlay);

#endif
