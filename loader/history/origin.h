/* SPDX-License-Identifier: MIT */
/*
 * origin.h: the commit that sources come from, for the provenance of an image. It says where to
 * look, and decides nothing.
 *
 * The compiler reads through gpc_origin_files(), so that exactly what it reads is compared with the
 * commit, included files and overlays too:
 *
 *   gpc_origin_open() -> compile from gpc_origin_files(), with gpc_origin_commit() ->
 * gpc_origin_close()
 */
#ifndef GPC_LOADER_HISTORY_ORIGIN_H
#define GPC_LOADER_HISTORY_ORIGIN_H

#include "../../compiler/base/provider.h"

struct gpc_origin;

/* `root`: the folder that the paths of `files` begin at. `files` outlives it. Aborts without
 * memory. */
struct gpc_origin *gpc_origin_open(const char *root, const struct gpc_provider *files);
void gpc_origin_close(struct gpc_origin **origin);

/* `files`, read with an eye on the commit. */
struct gpc_provider gpc_origin_files(struct gpc_origin *origin);

/*
 * HEAD of the repository that root lies in, as 40 digits; while files are read, "+dirty" comes
 * behind them when one is not as it is there. NULL without a repository or a commit, or when the
 * repository belongs to somebody whom git does not trust. Lives as long as the origin.
 */
const char *gpc_origin_commit(const struct gpc_origin *origin);

#endif
