/* SPDX-License-Identifier: MIT */
/* What a generation's commit holds: its files, their differences, and the image built again from
 * them. */
#include "git.h"

#include <errno.h>
#include <string.h>

int gpc_git_tree(const struct gpc_history *history, const struct gpc_generation *generation,
		 git_tree **ret_tree, struct gpc_failure *failure)
{
	GPC_AUTO_GIT(git_commit) *commit = NULL;
	git_oid oid;

	if (git_oid_fromstr(&oid, generation->commit))
		return gpc_git_fail(history, failure, "cannot use commit '%s'", generation->commit);
	if (git_commit_lookup(&commit, history->repo, &oid))
		return gpc_git_fail_object(history, failure, "commit", &oid);
	if (git_commit_tree(ret_tree, commit))
		return gpc_git_fail_object(history, failure, "tree", git_commit_tree_id(commit));
	return 0;
}

int gpc_history_read(struct gpc_history *history, const struct gpc_generation *generation,
		     const char *path, char **ret_text, size_t *ret_size,
		     struct gpc_failure *failure)
{
	GPC_AUTO_GIT(git_tree_entry) *entry = NULL;
	GPC_AUTO_GIT(git_tree) *tree = NULL;
	GPC_AUTO_GIT(git_blob) *blob = NULL;
	size_t size;
	char *text;
	int rc;

	if (gpc_git_tree(history, generation, &tree, failure))
		return -1;
	rc = git_tree_entry_bypath(&entry, tree, path);
	if (rc == GIT_ENOTFOUND)
		return gpc_fail(failure, GPC_EXIT_INVALID, 0, "generation %u has no file '%s'",
				generation->number, path);
	if (rc)
		return gpc_git_fail(history, failure, "cannot find '%s' of generation %u", path,
				    generation->number);
	if (git_blob_lookup(&blob, history->repo, git_tree_entry_id(entry)))
		return gpc_git_fail_object(history, failure, "file", git_tree_entry_id(entry));
	size = (size_t)git_blob_rawsize(blob);
	text = malloc(size + 1);
	if (!text)
		abort();
	memcpy(text, git_blob_rawcontent(blob), size);
	text[size] = '\0';
	*ret_text = text;
	*ret_size = size;
	return 0;
}

/* ---- list of files ---- */

struct paths {
	char **items;
	size_t count;
};

static int collect_path(const char *folder, const git_tree_entry *entry, void *context)
{
	struct paths *paths = context;
	char **grown;

	if (git_tree_entry_type(entry) != GIT_OBJECT_BLOB)
		return 0;
	grown = reallocarray(paths->items, paths->count + 1, sizeof(*grown));
	if (!grown)
		abort();
	paths->items = grown;
	if (asprintf(&grown[paths->count++], "%s%s", folder, git_tree_entry_name(entry)) < 0)
		abort();
	return 0;
}

static int compare_paths(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void release_paths(struct paths *paths)
{
	for (size_t i = 0; i < paths->count; i++)
		free(paths->items[i]);
	free(paths->items);
}

int gpc_history_files(struct gpc_history *history, const struct gpc_generation *generation,
		      char ***ret_paths, size_t *ret_count, struct gpc_failure *failure)
{
	GPC_AUTO_GIT(git_tree) *tree = NULL;
	struct paths paths = {0};

	if (gpc_git_tree(history, generation, &tree, failure))
		return -1;
	if (git_tree_walk(tree, GIT_TREEWALK_PRE, collect_path, &paths)) {
		release_paths(&paths);
		return gpc_git_fail_object(history, failure, "tree", git_tree_id(tree));
	}
	if (paths.count)
		qsort(paths.items, paths.count, sizeof(*paths.items), compare_paths);
	*ret_paths = paths.items;
	*ret_count = paths.count;
	return 0;
}

/* ---- diff of sources ---- */

#define DIFF_MAX (1 << 20) /* bytes; of a larger file (a feed) is only said that it differs */

static int diff_trees(struct gpc_history *history, git_tree *from, git_tree *to, char **ret_text,
		      size_t *ret_size, struct gpc_failure *failure)
{
	static char sources[] = "sources/";
	char *only[] = {sources};
	git_diff_options options;
	GPC_AUTO_GIT(git_diff) *diff = NULL;
	git_buf text = {0};
	int rc;

	git_diff_options_init(&options, GIT_DIFF_OPTIONS_VERSION);
	options.pathspec = (git_strarray){only, 1};
	options.max_size = DIFF_MAX;
	if (git_diff_tree_to_tree(&diff, history->repo, from, to, &options) ||
	    git_diff_to_buf(&text, diff, GIT_DIFF_FORMAT_PATCH))
		return gpc_git_fail(history, failure, "cannot compare the sources");
	*ret_text = strndup(text.ptr ? text.ptr : "", text.size);
	*ret_size = text.size;
	rc = *ret_text ? 0 : gpc_fail(failure, GPC_EXIT_FAILED, ENOMEM, "cannot keep the diff");
	git_buf_dispose(&text);
	return rc;
}

int gpc_history_diff(struct gpc_history *history, const struct gpc_generation *before,
		     const struct gpc_generation *after, char **ret_text, size_t *ret_size,
		     struct gpc_failure *failure)
{
	GPC_AUTO_GIT(git_tree) *from = NULL;
	GPC_AUTO_GIT(git_tree) *to = NULL;

	if ((before && gpc_git_tree(history, before, &from, failure)) ||
	    gpc_git_tree(history, after, &to, failure))
		return -1;
	return diff_trees(history, from, to, ret_text, ret_size, failure);
}
