/* SPDX-License-Identifier: MIT */
/*
 * file.h: base/file.h for commands: whole files in and out, what goes wrong as a failure record
 * that names the file.
 */
#ifndef GPC_LOADER_FILE_H
#define GPC_LOADER_FILE_H

#include <stddef.h>
#include <sys/types.h>

#include "fail.h"

/*
 * Reads a regular file of at most `max` bytes once into private memory; a symbolic link, device or
 * FIFO is refused. malloc'ed, with a NUL behind. INVALID when the file is missing (error is then
 * ENOENT) or unfit, FAILED when the system fails.
 */
int gpc_file_load(const char *path, size_t max, char **ret_bytes, size_t *ret_size,
		  struct gpc_failure *failure);

/* Replaces `path` atomically; on failure what stood there is as it was. `mode` is subject to umask.
 */
int gpc_file_save(const char *path, const void *bytes, size_t size, mode_t mode,
		  struct gpc_failure *failure);

#endif
