/* SPDX-License-Identifier: MIT */
/* path.h: paths below the project root as text, and patterns. Nothing here touches a disk. */
#ifndef GPC_INTENT_PATH_H
#define GPC_INTENT_PATH_H

#include <stdbool.h>

#include "../base/arena.h"

enum gpc_path_error {
	GPC_PATH_OK,
	GPC_PATH_ABSOLUTE,
	GPC_PATH_ESCAPES, /* has a `..` component, wherever it leads */
	GPC_PATH_INVALID, /* empty, or longer than any system takes */
};

/*
 * `relative` as seen from the folder of `file` (NULL: the root), without `.` and empty components.
 * *ret_path is untouched on failure.
 */
enum gpc_path_error gpc_path_resolve(struct gpc_arena *arena, const char *file,
				     const char *relative, const char **ret_path);

bool gpc_path_is_pattern(const char *path);

/* `*` any number of bytes, `?` one byte; both may stand more than once. */
bool gpc_path_matches(const char *pattern, const char *name);

#endif
