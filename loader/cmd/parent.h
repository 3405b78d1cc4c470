/* SPDX-License-Identifier: MIT */
/* parent.h: the image that --parent names; and what runs, as an image. */
#ifndef GPC_LOADER_CMD_PARENT_H
#define GPC_LOADER_CMD_PARENT_H

#include "../../compiler/image/image_file.h"
#include "../fail.h"

#define GPC_PARENT_LIVE "live"
#define GPC_PARENT_GENERATION "generation:"

/*
 * `name`: a file, `live` for what runs on this host, `generation:N` for what its history has. *ret is
 * unlinked; gpc_image_release() is due. Not OK: the failure says why, or diagnostics do.
 */
enum gpc_exit gpc_parent_open(const char *name, struct gpc_diags *diags, struct gpc_image *ret,
			      struct gpc_failure *failure);

/* The bytes of a running image as its file has them: without what the host linked in. */
enum gpc_exit gpc_image_unlink(struct gpc_diags *diags, const struct gpc_image *linked,
			       struct gpc_image *ret);

#endif
