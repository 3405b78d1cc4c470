/* SPDX-License-Identifier: MIT */
/*
 * file.h: whole files, read with suspicion and written so that a reader sees the old bytes or the
 * new ones. Paths are relative to `folder` (AT_FDCWD: the working directory) or absolute.
 */
#ifndef GPC_BASE_FILE_H
#define GPC_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "provider.h"

/*
 * Reads a regular file of at most `max` bytes into malloc'ed memory (the caller frees; a NUL stands
 * behind the last byte). What it is and how large is judged before it is opened, and again after:
 * a FIFO blocks nobody, a device is not touched. Without `follow` a symbolic link as the last
 * component is GPC_READ_SYMLINK. *ret_error: errno with GPC_READ_FAILED. Nothing is returned on
 * failure.
 */
enum gpc_read_status gpc_file_read(int folder, const char *path, bool follow, size_t max,
				   char **ret_bytes, size_t *ret_size, int *ret_error);

/*
 * Writes beside `path`, syncs, renames over it and syncs the folder. On failure (-errno) the old
 * file is as it was and nothing is left behind; only when the last step, syncing the folder, fails
 * are the new bytes there already. What is at `path` and is no regular file stays: -ELOOP for a
 * symbolic link, -EISDIR for a folder, -EINVAL for others. `mode` as for open(2).
 */
int gpc_file_write_atomic(int folder, const char *path, const void *bytes, size_t size,
			  mode_t mode);

/*
 * The same for a file that is there already: the new one has its mode and its owner, whatever the umask
 * is. -ENOENT without one, -EPERM where its owner cannot be kept.
 */
int gpc_file_replace(int folder, const char *path, const void *bytes, size_t size);

#endif
