/* SPDX-License-Identifier: MIT */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"

#define MAX_TEMPORARY_NAMES 100

/* ---- reading -------------------------------------------------------------------------------- */

static enum gpc_read_status from_errno(int error, int *ret_error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
		return GPC_READ_MISSING;
	case ELOOP:
		return GPC_READ_SYMLINK;
	case EACCES:
	case EPERM:
		return GPC_READ_DENIED;
	default:
		*ret_error = error;
		return GPC_READ_FAILED;
	}
}

static enum gpc_read_status judge(const struct stat *st, size_t max)
{
	if (S_ISLNK(st->st_mode))
		return GPC_READ_SYMLINK;
	if (!S_ISREG(st->st_mode))
		return GPC_READ_NOT_REGULAR;
	return (uintmax_t)st->st_size > max ? GPC_READ_TOO_LARGE : GPC_READ_OK;
}

/* Up to `size` bytes, fewer only at the end of the file. */
static ssize_t read_fully(int fd, char *bytes, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = read(fd, bytes + done, size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

/* The file may change while it is read: what grows past its own size at opening is refused. */
static enum gpc_read_status read_open(int fd, size_t size, char **ret_bytes, size_t *ret_size,
				      int *ret_error)
{
	GPC_AUTO_FREE char *bytes = malloc(size + 1);
	ssize_t n;

	if (!bytes)
		return from_errno(ENOMEM, ret_error);
	n = read_fully(fd, bytes, size + 1);
	if (n < 0)
		return from_errno((int)-n, ret_error);
	if ((size_t)n > size)
		return from_errno(EBUSY, ret_error);
	bytes[n] = '\0';
	*ret_size = (size_t)n;
	*ret_bytes = GPC_TAKE_PTR(bytes);
	return GPC_READ_OK;
}

enum gpc_read_status gpc_file_read(int folder, const char *path, bool follow, size_t max,
				   char **ret_bytes, size_t *ret_size, int *ret_error)
{
	GPC_AUTO_CLOSE int fd = -1;
	enum gpc_read_status status;
	struct stat st;

	if (fstatat(folder, path, &st, follow ? 0 : AT_SYMLINK_NOFOLLOW) != 0)
		return from_errno(errno, ret_error);
	status = judge(&st, max);
	if (status != GPC_READ_OK)
		return status;
	fd = openat(folder, path,
		    O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (follow ? 0 : O_NOFOLLOW));
	if (fd < 0 || fstat(fd, &st) != 0)
		return from_errno(errno, ret_error);
	status = judge(&st, max);
	if (status != GPC_READ_OK)
		return status;
	return read_open(fd, (size_t)st.st_size, ret_bytes, ret_size, ret_error);
}

/* ---- writing -------------------------------------------------------------------------------- */

static int open_parent(int folder, const char *path, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	GPC_AUTO_FREE char *parent = NULL;
	int fd;

	*ret_name = slash ? slash + 1 : path;
	if (slash == path)
		parent = strdup("/");
	else
		parent = slash ? strndup(path, (size_t)(slash - path)) : strdup(".");
	if (!parent)
		return -ENOMEM;
	fd = openat(folder, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* *ret_there: a regular file stands there, as *ret tells. */
static int check_target(int parent, const char *name, bool *ret_there, struct stat *ret)
{
	*ret_there = fstatat(parent, name, ret, AT_SYMLINK_NOFOLLOW) == 0;
	if (!*ret_there)
		return errno == ENOENT ? 0 : -errno;
	if (S_ISREG(ret->st_mode))
		return 0;
	if (S_ISLNK(ret->st_mode))
		return -ELOOP;
	return S_ISDIR(ret->st_mode) ? -EISDIR : -EINVAL;
}

static int open_temporary(int parent, mode_t mode, char name[NAME_MAX + 1])
{
	for (int i = 0; i < MAX_TEMPORARY_NAMES; i++) {
		int fd;

		snprintf(name, NAME_MAX + 1, ".gpc-%ld-%d.tmp", (long)getpid(), i);
		fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			    mode);
		if (fd >= 0 || errno != EEXIST)
			return fd >= 0 ? fd : -errno;
	}
	return -EEXIST;
}

static int write_fully(int fd, const char *bytes, size_t size)
{
	while (size) {
		ssize_t n = write(fd, bytes, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		bytes += n;
		size -= (size_t)n;
	}
	return fsync(fd) == 0 ? 0 : -errno;
}

/* close() may be the one to tell that the bytes did not reach the disk. */
static int write_and_close(int fd, const char *bytes, size_t size)
{
	int error = write_fully(fd, bytes, size);

	return close(fd) != 0 && !error ? -errno : error;
}

/* The owner first: changing it takes the bits away that make a file run as its owner. */
static int make_alike(int fd, const struct stat *like)
{
	struct stat own;

	if (fstat(fd, &own) != 0)
		return -errno;
	if ((own.st_uid != like->st_uid || own.st_gid != like->st_gid) &&
	    fchown(fd, like->st_uid, like->st_gid) != 0)
		return -errno;
	return fchmod(fd, like->st_mode & 07777) == 0 ? 0 : -errno;
}

/* `keep`: what stands there must be a file, and lends its mode and owner. */
static int write_beside(int folder, const char *path, const void *bytes, size_t size, mode_t mode,
			bool keep)
{
	GPC_AUTO_CLOSE int parent = -1;
	char temporary[NAME_MAX + 1];
	struct stat old;
	const char *name;
	bool there;
	int fd, error;

	parent = open_parent(folder, path, &name);
	if (parent < 0)
		return parent;
	error = check_target(parent, name, &there, &old);
	if (error || (keep && !there))
		return error ? error : -ENOENT;
	fd = open_temporary(parent, mode, temporary);
	if (fd < 0)
		return fd;
	error = keep ? make_alike(fd, &old) : 0;
	if (error)
		close(fd);
	else
		error = write_and_close(fd, bytes, size);
	if (!error && renameat(parent, temporary, parent, name) != 0)
		error = -errno;
	if (error) {
		unlinkat(parent, temporary, 0);
		return error;
	}
	return fsync(parent) == 0 ? 0 : -errno;
}

int gpc_file_write_atomic(int folder, const char *path, const void *bytes, size_t size, mode_t mode)
{
	return write_beside(folder, path, bytes, size, mode, false);
}

int gpc_file_replace(int folder, const char *path, const void *bytes, size_t size)
{
	return write_beside(folder, path, bytes, size, S_IRUSR | S_IWUSR, true);
}
