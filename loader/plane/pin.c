/* SPDX-License-Identifier: MIT */
#include "pin.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "../../compiler/base/cleanup.h"

#define USUAL_MOUNT "/sys/fs/bpf"
#define NETNS_PREFIX "netns-"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

int gpc_pin_path(char out[GPC_PIN_PATH], struct gpc_failure *failure, const char *format, ...)
{
	va_list arguments;
	int size;

	va_start(arguments, format);
	size = vsnprintf(out, GPC_PIN_PATH, format, arguments);
	va_end(arguments);
	if (size < 0 || size >= GPC_PIN_PATH)
		return gpc_fail(failure, GPC_EXIT_FAILED, ENAMETOOLONG, "path of a pin");
	return 0;
}

/* ---- the folder ---- */

static int refuse(const char *what, const char *path, int error, struct gpc_failure *failure)
{
	gpc_fail(failure, GPC_EXIT_HOST, error, "cannot %s '%s'", what, path);
	if (error == EACCES || error == EPERM)
		gpc_fail_hint(failure, "run as root or as the owner of the plane: sudo gpc ...");
	return -1;
}

/* The longest part of `path` that exists. */
static int existing_parent(const char *path, char out[GPC_PIN_PATH], struct gpc_failure *failure)
{
	struct stat status;
	char *slash;

	if (path[0] != '/') {
		gpc_fail(failure, GPC_EXIT_USAGE, 0, "GPC_BPFFS '%s' is no absolute path", path);
		return gpc_fail_hint(failure, "set it to a folder below " USUAL_MOUNT);
	}
	if (gpc_pin_path(out, failure, "%s", path))
		return -1;
	while (lstat(out, &status)) {
		if (errno != ENOENT && errno != ENOTDIR)
			return refuse("look at", out, errno, failure);
		slash = strrchr(out, '/');
		slash[slash == out] = '\0';
	}
	return 0;
}

static bool is_bpffs(const char *path)
{
	struct statfs status;

	return !statfs(path, &status) && status.f_type == BPF_FS_MAGIC;
}

static int refuse_no_bpffs(const char *bpffs, struct gpc_failure *failure)
{
	gpc_fail(failure, GPC_EXIT_HOST, 0, "'%s' is not on a bpf file system", bpffs);
	return gpc_fail_hint(failure,
			     "run: mount -t bpf bpf " USUAL_MOUNT "  # not under `ip netns exec`: "
			     "its mounts end with it; enter with nsenter --net=/run/netns/NAME");
}

static int check_owner(const char *bpffs, struct gpc_failure *failure)
{
	struct stat status;

	if (lstat(bpffs, &status))
		return refuse("look at", bpffs, errno, failure);
	if (faccessat(AT_FDCWD, bpffs, R_OK | X_OK, AT_EACCESS))
		return refuse("look at", bpffs, errno, failure);
	if (S_ISDIR(status.st_mode) && (status.st_uid == 0 || status.st_uid == geteuid()) &&
	    !(status.st_mode & (S_IWGRP | S_IWOTH)))
		return 0;
	gpc_fail(failure, GPC_EXIT_HOST, 0,
		 "'%s' is not a folder that only its owner (user %u) can write", bpffs,
		 (unsigned int)geteuid());
	return gpc_fail_hint(failure, "look at who made it: ls -la %s", bpffs);
}

static int netns_cookie(uint64_t *ret, struct gpc_failure *failure)
{
	GPC_AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t size = sizeof(*ret);

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, ret, &size))
		return gpc_fail(failure, GPC_EXIT_HOST, errno, "cannot tell the network namespace");
	return 0;
}

/* Interface indexes of another namespace mean other devices here: such a plane is not to be
 * touched. */
static int check_netns(const char *bpffs, struct gpc_failure *failure)
{
	char want[64], **names;
	uint64_t cookie;
	size_t count, i;
	bool other = false;

	if (netns_cookie(&cookie, failure) || gpc_pin_list(bpffs, &names, &count, failure))
		return -1;
	snprintf(want, sizeof(want), NETNS_PREFIX "%llx", (unsigned long long)cookie);
	for (i = 0; i < count; i++)
		other |= !strncmp(names[i], NETNS_PREFIX, strlen(NETNS_PREFIX)) &&
			 strcmp(names[i], want);
	gpc_pin_list_release(names, count);
	if (!other)
		return 0;
	gpc_fail(failure, GPC_EXIT_CONFLICT, 0, "the plane in '%s' is in another network namespace",
		 bpffs);
	return gpc_fail_hint(failure,
			     "run gpc there (nsenter --net=...), or set GPC_BPFFS to a folder "
			     "of this namespace");
}

int gpc_pin_check(const char *bpffs, bool *ret_present, struct gpc_failure *failure)
{
	char parent[GPC_PIN_PATH];

	if (existing_parent(bpffs, parent, failure))
		return -1;
	if (!is_bpffs(parent))
		return refuse_no_bpffs(bpffs, failure);
	*ret_present = !strcmp(parent, bpffs);
	if (!*ret_present)
		return 0;
	if (check_owner(bpffs, failure))
		return -1;
	return check_netns(bpffs, failure);
}

int gpc_pin_make_folder(const char *bpffs, struct gpc_failure *failure)
{
	char path[GPC_PIN_PATH], *slash;

	if (gpc_pin_path(path, failure, "%s", bpffs))
		return -1;
	for (slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
		if (slash)
			*slash = '\0';
		if (mkdir(path, 0700) && errno != EEXIST)
			return refuse("make", path, errno, failure);
		if (!slash)
			return 0;
		*slash = '/';
	}
}

int gpc_pin_make(const char *bpffs, struct gpc_failure *failure)
{
	char path[GPC_PIN_PATH];
	uint64_t cookie;
	bool present;

	if (gpc_pin_check(bpffs, &present, failure) || gpc_pin_make_folder(bpffs, failure) ||
	    check_owner(bpffs, failure) || check_netns(bpffs, failure) ||
	    netns_cookie(&cookie, failure) ||
	    gpc_pin_path(path, failure, "%s/" NETNS_PREFIX "%llx", bpffs,
			 (unsigned long long)cookie))
		return -1;
	if (mkdir(path, 0700) && errno != EEXIST)
		return gpc_fail(failure, GPC_EXIT_HOST, errno, "cannot make '%s'", path);
	if (gpc_pin_path(path, failure, "%s/links", bpffs))
		return -1;
	if (mkdir(path, 0700) && errno != EEXIST)
		return gpc_fail(failure, GPC_EXIT_HOST, errno, "cannot make '%s'", path);
	return 0;
}

int gpc_pin_empty(const char *bpffs, struct gpc_failure *failure)
{
	char **names;
	size_t count, i;
	int r = 0;

	if (gpc_pin_list(bpffs, &names, &count, failure))
		return -1;
	for (i = 0; i < count && !r; i++)
		if (!strcmp(names[i], "links") ||
		    !strncmp(names[i], NETNS_PREFIX, strlen(NETNS_PREFIX)))
			r = gpc_pin_remove_at(bpffs, names[i], failure);
	gpc_pin_list_release(names, count);
	return r;
}

int gpc_pin_unmake(const char *bpffs, struct gpc_failure *failure)
{
	if (gpc_pin_empty(bpffs, failure))
		return -1;
	if (rmdir(bpffs) && errno != ENOENT && errno != ENOTEMPTY)
		return gpc_fail(failure, GPC_EXIT_FAILED, errno, "cannot remove '%s'", bpffs);
	return 0;
}

/* ---- entries ---- */

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool add_name(char ***names, size_t *count, const char *name)
{
	char **bigger = realloc(*names, (*count + 1) * sizeof(**names));

	if (!bigger)
		return false;
	*names = bigger;
	bigger[*count] = strdup(name);
	return bigger[*count] && ++*count;
}

int gpc_pin_list(const char *path, char ***ret_names, size_t *ret_count,
		 struct gpc_failure *failure)
{
	DIR *folder = opendir(path);
	const struct dirent *entry;
	char **names = NULL;
	size_t count = 0;
	bool complete = true;

	if (!folder && errno != ENOENT)
		return gpc_fail(failure, GPC_EXIT_HOST, errno, "cannot read '%s'", path);
	while (complete && folder && (entry = readdir(folder)))
		if (entry->d_name[0] != '.')
			complete = add_name(&names, &count, entry->d_name);
	if (folder)
		closedir(folder);
	if (!complete) {
		gpc_pin_list_release(names, count);
		return gpc_fail(failure, GPC_EXIT_FAILED, ENOMEM, "cannot read '%s'", path);
	}
	if (count)
		qsort(names, count, sizeof(*names), by_name);
	*ret_names = names;
	*ret_count = count;
	return 0;
}

void gpc_pin_list_release(char **names, size_t count)
{
	while (count)
		free(names[--count]);
	free(names);
}

static int remove_below(const char *path, unsigned int depth, struct gpc_failure *failure)
{
	char below[GPC_PIN_PATH], **names;
	size_t count, i;
	int r = 0;

	if (!unlink(path) || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return gpc_fail(failure, GPC_EXIT_FAILED, errno, "cannot remove '%s'", path);
	if (!rmdir(path) || errno == ENOENT)
		return 0;
	if (errno != ENOTEMPTY || !depth)
		return gpc_fail(failure, GPC_EXIT_FAILED, errno, "cannot remove '%s'", path);
	if (gpc_pin_list(path, &names, &count, failure))
		return -1;
	for (i = 0; i < count && !r; i++) {
		r = gpc_pin_path(below, failure, "%s/%s", path, names[i]);
		if (!r)
			r = remove_below(below, depth - 1, failure);
	}
	gpc_pin_list_release(names, count);
	if (!r && rmdir(path) && errno != ENOENT)
		return gpc_fail(failure, GPC_EXIT_FAILED, errno, "cannot remove '%s'", path);
	return r;
}

int gpc_pin_remove(const char *path, struct gpc_failure *failure)
{
	return remove_below(path, 2, failure);
}

int gpc_pin_remove_at(const char *folder, const char *name, struct gpc_failure *failure)
{
	char path[GPC_PIN_PATH];

	if (gpc_pin_path(path, failure, "%s/%s", folder, name))
		return -1;
	return gpc_pin_remove(path, failure);
}

void gpc_pin_escape(const char *name, char *out, size_t size)
{
	size_t used = 0;

	for (; *name && used + 4 < size; name++) {
		unsigned char c = (unsigned char)*name;

		if (isalnum(c) || c == '-' || c == '_')
			out[used++] = (char)c;
		else
			used += (size_t)snprintf(out + used, size - used, "%%%02x", c);
	}
	out[used] = '\0';
}

bool gpc_pin_unescape(const char *text, char *out, size_t size)
{
	size_t used = 0;

	for (; *text && used + 1 < size; used++) {
		unsigned int c = (unsigned char)*text++;

		if (c == '%') {
			if (!isxdigit((unsigned char)text[0]) || sscanf(text, "%2x", &c) != 1 ||
			    !isxdigit((unsigned char)text[1]))
				return false;
			text += 2;
		}
		out[used] = (char)c;
	}
	out[used] = '\0';
	return !*text;
}
