/* SPDX-License-Identifier: MIT */
/*
 * disk.h: the provider that reads files below a root folder. Each component of a path is opened by
 * itself and may not be a symbolic link, so nothing outside the root is ever reached.
 */
#ifndef GPC_BASE_DISK_H
#define GPC_BASE_DISK_H

#include "provider.h"

#define GPC_MAX_FOLDER_ENTRIES 100000u /* a longer folder is GPC_READ_TOO_LARGE to list */

struct gpc_disk {
	int root; /* -1 when released */
};

/* Opens the root folder (its own path may hold symbolic links); 0 or -errno. */
int gpc_disk_init(struct gpc_disk *disk, const char *root_path);
void gpc_disk_release(struct gpc_disk *disk);

/* `disk` must outlive the provider. */
struct gpc_provider gpc_disk_provider(struct gpc_disk *disk);

#endif
