/* SPDX-License-Identifier: MIT */
/* folder.h: who may reach into a folder that gpc is about to trust. */
#ifndef GPC_LOADER_FOLDER_H
#define GPC_LOADER_FOLDER_H

#include <stdbool.h>

#include "fail.h"

/*
 * Sets *ret_missing, or fails (FAILED, with a hint) for what is not a private folder (0700 at most)
 * of root or of the caller; USAGE for a path that is not absolute. Changes nothing.
 */
int gpc_folder_check(const char *path, bool *ret_missing, struct gpc_failure *failure);

#endif
