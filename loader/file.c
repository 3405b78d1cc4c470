/* SPDX-License-Identifier: MIT */
#include "file.h"

#include <errno.h>
#include <fcntl.h>

#include "../compiler/base/file.h"

int gpc_file_load(const char *path, size_t max, char **ret_bytes, size_t *ret_size,
		  struct gpc_failure *failure)
{
	int error = 0;

	switch (gpc_file_read(AT_FDCWD, path, false, max, ret_bytes, ret_size, &error)) {
	case GPC_READ_OK:
		return 0;
	case GPC_READ_MISSING:
		return gpc_fail(failure, GPC_EXIT_INVALID, ENOENT, "cannot read '%s'", path);
	case GPC_READ_SYMLINK:
		gpc_fail(failure, GPC_EXIT_INVALID, 0, "'%s' is a symbolic link", path);
		return gpc_fail_hint(failure, "give the file that it points to");
	case GPC_READ_NOT_REGULAR:
		return gpc_fail(failure, GPC_EXIT_INVALID, 0, "'%s' is not a regular file", path);
	case GPC_READ_TOO_LARGE:
		return gpc_fail(failure, GPC_EXIT_INVALID, 0,
				"'%s' is too large, the limit is %zu bytes", path, max);
	case GPC_READ_DENIED:
		return gpc_fail(failure, GPC_EXIT_FAILED, EACCES, "cannot read '%s'", path);
	case GPC_READ_FAILED:
		break;
	}
	return gpc_fail(failure, GPC_EXIT_FAILED, error, "cannot read '%s'", path);
}

int gpc_file_save(const char *path, const void *bytes, size_t size, mode_t mode,
		  struct gpc_failure *failure)
{
	int error = gpc_file_write_atomic(AT_FDCWD, path, bytes, size, mode);

	return error ? gpc_fail(failure, GPC_EXIT_FAILED, -error, "cannot write '%s'", path) : 0;
}
