/* SPDX-License-Identifier: MIT */
#include "origin.h"

#include <stdlib.h>
#include <string.h>

#include "git.h"
#include "guard.h"

#define DIRTY "+dirty"

struct gpc_origin {
	const struct gpc_provider *files;
	git_repository *repo; /* NULL: no commit is known */
	git_tree *tree;	      /* of HEAD */
	char *folder;	      /* root in it, with a slash behind; "" for all of it */
	char commit[GIT_OID_HEXSZ + sizeof(DIRTY)];
};

/* Root below the folder that the repository is checked out in; NULL if it is not. malloc'ed. */
static char *place_in(git_repository *repo, const char *root)
{
	GPC_AUTO_FREE char *full = realpath(root, NULL);
	const char *workdir = git_repository_workdir(repo);
	GPC_AUTO_FREE char *folder = NULL;
	char *below;

	if (!full || !workdir)
		return NULL;
	if (asprintf(&folder, "%s/", strcmp(full, "/") ? full : "") < 0)
		abort();
	if (strncmp(folder, workdir, strlen(workdir)))
		return NULL;
	below = strdup(folder + strlen(workdir));
	if (!below)
		abort();
	return below;
}

static int find_head(struct gpc_origin *origin)
{
	GPC_AUTO_GIT(git_commit) *commit = NULL;
	git_oid head;

	if (git_reference_name_to_id(&head, origin->repo, "HEAD") ||
	    git_commit_lookup(&commit, origin->repo, &head) ||
	    git_commit_tree(&origin->tree, commit))
		return -1;
	git_oid_tostr(origin->commit, GIT_OID_HEXSZ + 1, &head);
	return 0;
}

struct gpc_origin *gpc_origin_open(const char *root, const struct gpc_provider *files)
{
	struct gpc_origin *origin = calloc(1, sizeof(*origin));

	if (!origin)
		abort();
	origin->files = files;
	git_libgit2_init();
	gpc_git_isolate();
	if (git_repository_open_ext(&origin->repo, root, 0, NULL) || gpc_git_guard(origin->repo))
		return origin;
	origin->folder = place_in(origin->repo, root);
	if (origin->folder && find_head(origin))
		origin->commit[0] = '\0';
	return origin;
}

void gpc_origin_close(struct gpc_origin **origin)
{
	struct gpc_origin *o = *origin;

	if (!o)
		return;
	git_tree_free(o->tree);
	git_repository_free(o->repo);
	git_libgit2_shutdown();
	free(o->folder);
	free(o);
	*origin = NULL;
}

static bool is_as_committed(const struct gpc_origin *origin, const char *path, const char *text,
			    size_t size)
{
	GPC_AUTO_GIT(git_tree_entry) *entry = NULL;
	GPC_AUTO_FREE char *full = NULL;
	git_oid found;

	if (asprintf(&full, "%s%s", origin->folder, path) < 0)
		abort();
	return !git_tree_entry_bypath(&entry, origin->tree, full) &&
	       !git_odb_hash(&found, text, size, GIT_OBJECT_BLOB) &&
	       git_oid_equal(&found, git_tree_entry_id(entry));
}

static enum gpc_read_status read_file(void *context, const char *path, size_t max, char **ret_text,
				      size_t *ret_size, int *ret_error)
{
	struct gpc_origin *origin = context;
	enum gpc_read_status status = origin->files->read(origin->files->context, path, max,
							  ret_text, ret_size, ret_error);

	if (status == GPC_READ_OK && *origin->commit &&
	    !is_as_committed(origin, path, *ret_text, *ret_size))
		memcpy(origin->commit + GIT_OID_HEXSZ, DIRTY, sizeof(DIRTY));
	return status;
}

static enum gpc_read_status list_folder(void *context, const char *path, char ***ret_names,
					size_t *ret_count, int *ret_error)
{
	const struct gpc_origin *origin = context;

	return origin->files->list(origin->files->context, path, ret_names, ret_count, ret_error);
}

struct gpc_provider gpc_origin_files(struct gpc_origin *origin)
{
	return (struct gpc_provider){origin, read_file, list_folder};
}

const char *gpc_origin_commit(const struct gpc_origin *origin)
{
	return *origin->commit ? origin->commit : NULL;
}
