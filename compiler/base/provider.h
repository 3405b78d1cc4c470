/* SPDX-License-Identifier: MIT */
/*
 * provider.h: where the compiler gets text from. The compiler itself opens nothing: gpc_disk
 * (base/disk.h) reads below a project root, tests and fuzzers keep files in memory.
 *
 * Paths are relative to the project root, normalised, separated by `/`, never absolute and never
 * with `.` or `..` components; the compiler normalises and refuses escapes before it asks.
 */
#ifndef GPC_BASE_PROVIDER_H
#define GPC_BASE_PROVIDER_H

#include <stddef.h>

enum gpc_read_status {
	GPC_READ_OK,
	GPC_READ_MISSING,
	GPC_READ_SYMLINK,	/* a component of the path is a symbolic link */
	GPC_READ_NOT_REGULAR,	/* FIFO, device, directory, socket */
	GPC_READ_TOO_LARGE,
	GPC_READ_DENIED,
	GPC_READ_FAILED,	/* anything else; `error` holds errno */
};

struct gpc_provider {
	void *context;
	/* malloc'ed text (the caller frees) of at most `max` bytes. *ret_error: errno with GPC_READ_FAILED. */
	enum gpc_read_status (*read)(void *context, const char *path, size_t max, char **ret_text,
				     size_t *ret_size, int *ret_error);
	/*
	 * Names of the entries of a folder (path "" = root), malloc'ed array of malloc'ed strings, in
	 * any order, hidden ones left out.
	 */
	enum gpc_read_status (*list)(void *context, const char *path, char ***ret_names,
				     size_t *ret_count, int *ret_error);
};

#endif
