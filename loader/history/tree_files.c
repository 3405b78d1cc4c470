/* SPDX-License-Identifier: MIT */
#include "tree_files.h"

#include <errno.h>
#include <string.h>

static enum gpc_read_status status_of(int rc, int *ret_error)
{
	*ret_error = EIO;
	return rc == GIT_ENOTFOUND ? GPC_READ_MISSING : GPC_READ_FAILED;
}

static enum gpc_read_status copy_blob(const git_blob *blob, size_t max, char **ret_text,
				      size_t *ret_size)
{
	size_t size = (size_t)git_blob_rawsize(blob);

	if (size > max)
		return GPC_READ_TOO_LARGE;
	*ret_text = malloc(size + 1);
	if (!*ret_text)
		abort();
	memcpy(*ret_text, git_blob_rawcontent(blob), size);
	(*ret_text)[size] = '\0';
	*ret_size = size;
	return GPC_READ_OK;
}

static enum gpc_read_status read_blob(void *context, const char *path, size_t max, char **ret_text,
				      size_t *ret_size, int *ret_error)
{
	struct gpc_tree_files *files = context;
	GPC_AUTO_GIT(git_tree_entry) *entry = NULL;
	GPC_AUTO_GIT(git_blob) *blob = NULL;
	int rc = git_tree_entry_bypath(&entry, files->tree, path);

	if (rc)
		return status_of(rc, ret_error);
	if (git_tree_entry_filemode(entry) == GIT_FILEMODE_LINK)
		return GPC_READ_SYMLINK;
	if (git_tree_entry_type(entry) != GIT_OBJECT_BLOB)
		return GPC_READ_NOT_REGULAR;
	if (git_blob_lookup(&blob, files->repo, git_tree_entry_id(entry)))
		return status_of(GIT_ERROR, ret_error);
	return copy_blob(blob, max, ret_text, ret_size);
}

static void list_names(const git_tree *tree, char ***ret_names, size_t *ret_count)
{
	size_t entries = git_tree_entrycount(tree), count = 0;
	char **names = calloc(entries + 1, sizeof(*names));

	if (!names)
		abort();
	for (size_t i = 0; i < entries; i++) {
		const char *name = git_tree_entry_name(git_tree_entry_byindex(tree, i));

		if (*name == '.')
			continue;
		names[count] = strdup(name);
		if (!names[count++])
			abort();
	}
	*ret_names = names;
	*ret_count = count;
}

static enum gpc_read_status list_tree(void *context, const char *path, char ***ret_names,
				      size_t *ret_count, int *ret_error)
{
	struct gpc_tree_files *files = context;
	GPC_AUTO_GIT(git_tree_entry) *entry = NULL;
	GPC_AUTO_GIT(git_tree) *tree = NULL;
	int rc;

	if (!*path) {
		list_names(files->tree, ret_names, ret_count);
		return GPC_READ_OK;
	}
	rc = git_tree_entry_bypath(&entry, files->tree, path);
	if (rc)
		return status_of(rc, ret_error);
	if (git_tree_entry_filemode(entry) == GIT_FILEMODE_LINK)
		return GPC_READ_SYMLINK;
	if (git_tree_entry_type(entry) != GIT_OBJECT_TREE)
		return GPC_READ_NOT_REGULAR;
	if (git_tree_lookup(&tree, files->repo, git_tree_entry_id(entry)))
		return status_of(GIT_ERROR, ret_error);
	list_names(tree, ret_names, ret_count);
	return GPC_READ_OK;
}

struct gpc_provider gpc_tree_files_provider(struct gpc_tree_files *files)
{
	return (struct gpc_provider){files, read_blob, list_tree};
}
