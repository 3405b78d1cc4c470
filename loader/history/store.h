/* SPDX-License-Identifier: MIT */
/*
 * store.h: the content-addressed images, images/sha256/<file digest>.gpi. Files appear whole
 * (written aside, synced, renamed) and are never changed afterwards. Private to loader/history.
 */
#ifndef GPC_LOADER_HISTORY_STORE_H
#define GPC_LOADER_HISTORY_STORE_H

#include "../../compiler/image/image_file.h"
#include "../fail.h"

/* Puts an image into the folder; nothing to do when the same bytes stand there already. */
int gpc_store_put(const char *folder, const struct gpc_image *image, struct gpc_failure *failure);

enum gpc_store_status { GPC_STORE_OK, GPC_STORE_MISSING, GPC_STORE_BROKEN };
/*
 * Reads the image of a file digest. BROKEN (unreadable, or not the image of that name): the failure
 * record says why.
 */
enum gpc_store_status gpc_store_get(const char *folder, const char *digest, struct gpc_image *ret,
				    struct gpc_failure *failure);

/* Removes every image whose digest is not among `keep`, and what an interrupted put left behind. */
void gpc_store_prune(const char *folder, char (*keep)[65], size_t count);

#endif
