/* SPDX-License-Identifier: MIT */
/*
 * recheck.h: what the programs would say of a flow entry under another image, by the lookups that they run: the
 * recorded chains whose meaning changed are asked about the flow's first packet again (SEMANTICS 5.4).
 * They do so when its next packet comes to a chain; an entry to which none comes stays as it is.
 */
#ifndef GPC_LOADER_PLANE_RECHECK_H
#define GPC_LOADER_PLANE_RECHECK_H

#include "../../compiler/image/image_file.h"
#include "gpc/abi.h"

enum gpc_recheck {
	GPC_RECHECK_NOT_ASKED,
	GPC_RECHECK_STANDS,
	GPC_RECHECK_REVOKED,
};

/* `key`: gpc_flow_key4 or 6; no entry of the state GPC_FLOW_TWIN. `audit`: the control word would say so. */
enum gpc_recheck gpc_recheck(const struct gpc_image *image, bool audit, enum gpc_family family,
			     const void *key, const struct gpc_flow *flow);

#endif
