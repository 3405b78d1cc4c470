/* SPDX-License-Identifier: MIT */
#include "memfiles.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

void gpc_memfiles_init(struct gpc_memfiles *files, struct gpc_arena *arena)
{
	*files = (struct gpc_memfiles){.arena = arena};
}

void gpc_memfiles_add(struct gpc_memfiles *files, const char *path, const char *bytes, size_t size)
{
	*GPC_PUSH(files->arena, &files->files) = (struct gpc_memfile){
		.path = gpc_arena_strdup(files->arena, path),
		.bytes = gpc_arena_strndup(files->arena, bytes, size),
		.size = size,
		.status = GPC_READ_OK,
	};
}

void gpc_memfiles_add_failing(struct gpc_memfiles *files, const char *path,
			      enum gpc_read_status status)
{
	*GPC_PUSH(files->arena, &files->files) = (struct gpc_memfile){
		.path = gpc_arena_strdup(files->arena, path),
		.status = status,
	};
}

/* What follows `folder`/ in `path`, NULL if path is not below folder. */
static const char *below(const char *folder, const char *path)
{
	size_t len = strlen(folder);

	if (len == 0)
		return path;
	return strncmp(path, folder, len) == 0 && path[len] == '/' ? path + len + 1 : NULL;
}

static bool is_folder(const struct gpc_memfiles *files, const char *path)
{
	for (size_t i = 0; i < files->files.n; i++)
		if (below(path, files->files.items[i].path))
			return true;
	return false;
}

static enum gpc_read_status fail(int error, int *ret_error)
{
	*ret_error = error;
	return GPC_READ_FAILED;
}

static enum gpc_read_status copy_out(const struct gpc_memfile *file, size_t max, char **ret_text,
				     size_t *ret_size, int *ret_error)
{
	char *copy;

	if (file->status == GPC_READ_FAILED)
		return fail(EIO, ret_error);
	if (file->status != GPC_READ_OK)
		return file->status;
	if (file->size > max)
		return GPC_READ_TOO_LARGE;
	copy = malloc(file->size + 1);
	if (!copy)
		return fail(ENOMEM, ret_error);
	memcpy(copy, file->bytes, file->size + 1);
	*ret_text = copy;
	*ret_size = file->size;
	return GPC_READ_OK;
}

static enum gpc_read_status read_file(void *context, const char *path, size_t max, char **ret_text,
				      size_t *ret_size, int *ret_error)
{
	const struct gpc_memfiles *files = context;

	for (size_t i = 0; i < files->files.n; i++)
		if (strcmp(files->files.items[i].path, path) == 0)
			return copy_out(&files->files.items[i], max, ret_text, ret_size, ret_error);
	return is_folder(files, path) ? GPC_READ_NOT_REGULAR : GPC_READ_MISSING;
}

static bool contains(char *const *names, size_t count, const char *name, size_t len)
{
	for (size_t i = 0; i < count; i++)
		if (strncmp(names[i], name, len) == 0 && names[i][len] == '\0')
			return true;
	return false;
}

static enum gpc_read_status list_folder(void *context, const char *path, char ***ret_names,
					size_t *ret_count, int *ret_error)
{
	const struct gpc_memfiles *files = context;
	size_t count = 0;
	char **names;

	if (*path && !is_folder(files, path))
		return GPC_READ_MISSING;
	names = calloc(files->files.n + 1, sizeof(*names));
	if (!names)
		return fail(ENOMEM, ret_error);
	for (size_t i = 0; i < files->files.n; i++) {
		const char *name = below(path, files->files.items[i].path);
		size_t len = name ? strcspn(name, "/") : 0;

		if (!name || name[0] == '.' || contains(names, count, name, len))
			continue;
		names[count] = strndup(name, len);
		if (!names[count++]) {
			while (--count > 0)
				free(names[count - 1]);
			free(names);
			return fail(ENOMEM, ret_error);
		}
	}
	*ret_names = names;
	*ret_count = count;
	return GPC_READ_OK;
}

struct gpc_provider gpc_memfiles_provider(struct gpc_memfiles *files)
{
	return (struct gpc_provider){.context = files, .read = read_file, .list = list_folder};
}
