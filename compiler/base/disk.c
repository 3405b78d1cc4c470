/* SPDX-License-Identifier: MIT */
#include "disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "file.h"

int gpc_disk_init(struct gpc_disk *disk, const char *root_path)
{
	int root = open(root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		return -errno;
	disk->root = root;
	return 0;
}

void gpc_disk_release(struct gpc_disk *disk)
{
	if (disk->root >= 0)
		close(disk->root);
	disk->root = -1;
}

static enum gpc_read_status failed(int error, int *ret_error)
{
	*ret_error = error;
	return GPC_READ_FAILED;
}

/* Why a component could not be opened as a folder. */
static enum gpc_read_status why_no_folder(int parent, const char *name, int error, int *ret_error)
{
	struct stat st;

	switch (error) {
	case ENOENT:
		return GPC_READ_MISSING;
	case EACCES:
	case EPERM:
		return GPC_READ_DENIED;
	case ELOOP:
	case ENOTDIR:
		if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode))
			return GPC_READ_SYMLINK;
		return GPC_READ_MISSING;
	default:
		return failed(error, ret_error);
	}
}

static bool is_plain_name(const char *name, size_t len)
{
	return len > 0 && len <= NAME_MAX && !(len == 1 && name[0] == '.') &&
	       !(len == 2 && name[0] == '.' && name[1] == '.');
}

/*
 * Opens the folders of `path` one by one, all but the last component. *ret_folder is a descriptor
 * of its own, `last` (NAME_MAX + 1 bytes) the last component.
 */
static enum gpc_read_status walk(int root, const char *path, int *ret_folder, char *last,
				 int *ret_error)
{
	GPC_AUTO_CLOSE int folder = fcntl(root, F_DUPFD_CLOEXEC, 0);

	if (folder < 0)
		return failed(errno, ret_error);
	for (;;) {
		size_t len = strcspn(path, "/");
		int next;

		if (!is_plain_name(path, len))
			return failed(EINVAL, ret_error);
		memcpy(last, path, len);
		last[len] = '\0';
		if (path[len] == '\0')
			break;
		next = openat(folder, last, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			return why_no_folder(folder, last, errno, ret_error);
		close(folder);
		folder = next;
		path += len + 1;
	}
	*ret_folder = GPC_TAKE_FD(folder);
	return GPC_READ_OK;
}

static enum gpc_read_status read_file(void *context, const char *path, size_t max, char **ret_text,
				      size_t *ret_size, int *ret_error)
{
	const struct gpc_disk *disk = context;
	GPC_AUTO_CLOSE int folder = -1;
	char name[NAME_MAX + 1];
	enum gpc_read_status status = walk(disk->root, path, &folder, name, ret_error);

	if (status != GPC_READ_OK)
		return status;
	return gpc_file_read(folder, name, false, max, ret_text, ret_size, ret_error);
}

/* ---- folders -------------------------------------------------------------------------------- */

struct names {
	char **items;
	size_t count, cap;
};

static void release_names(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->items[i]);
	free(names->items);
}

static int add_name(struct names *names, const char *name)
{
	if (names->count == names->cap) {
		size_t cap = names->cap ? names->cap * 2 : 16;
		char **grown = reallocarray(names->items, cap, sizeof(*grown));

		if (!grown)
			return ENOMEM;
		names->items = grown;
		names->cap = cap;
	}
	names->items[names->count] = strdup(name);
	if (!names->items[names->count])
		return ENOMEM;
	names->count++;
	return 0;
}

static enum gpc_read_status read_names(DIR *dir, struct names *names, int *ret_error)
{
	const struct dirent *entry;
	int error;

	while (errno = 0, (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		if (names->count == GPC_MAX_FOLDER_ENTRIES)
			return GPC_READ_TOO_LARGE;
		error = add_name(names, entry->d_name);
		if (error)
			return failed(error, ret_error);
	}
	return errno ? failed(errno, ret_error) : GPC_READ_OK;
}

static enum gpc_read_status open_folder(int root, const char *path, DIR **ret_dir, int *ret_error)
{
	GPC_AUTO_CLOSE int parent = -1;
	GPC_AUTO_CLOSE int fd = -1;
	char name[NAME_MAX + 1] = ".";
	enum gpc_read_status status;

	if (*path) {
		status = walk(root, path, &parent, name, ret_error);
		if (status != GPC_READ_OK)
			return status;
	}
	fd = openat(*path ? parent : root, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return why_no_folder(*path ? parent : root, name, errno, ret_error);
	*ret_dir = fdopendir(fd);
	if (!*ret_dir)
		return failed(errno, ret_error);
	GPC_TAKE_FD(fd);
	return GPC_READ_OK;
}

static enum gpc_read_status list_folder(void *context, const char *path, char ***ret_names,
					size_t *ret_count, int *ret_error)
{
	const struct gpc_disk *disk = context;
	struct names names = {0};
	enum gpc_read_status status;
	DIR *dir;

	status = open_folder(disk->root, path, &dir, ret_error);
	if (status != GPC_READ_OK)
		return status;
	status = read_names(dir, &names, ret_error);
	closedir(dir);
	if (status != GPC_READ_OK) {
		release_names(&names);
		return status;
	}
	*ret_names = names.items;
	*ret_count = names.count;
	return GPC_READ_OK;
}

struct gpc_provider gpc_disk_provider(struct gpc_disk *disk)
{
	return (struct gpc_provider){.context = disk, .read = read_file, .list = list_folder};
}
