/* SPDX-License-Identifier: MIT */
#include "blame.h"

#include <stdlib.h>
#include <string.h>

#include "git.h"
#include "shallow.h"

GPC_GIT_CLEANUP(git_blame)

static int blame_failed(struct gpc_failure *failure, const char *path)
{
	const git_error *error = git_error_last();

	return gpc_fail(failure, GPC_EXIT_FAILED, 0, "cannot find out who wrote '%s': %s", path,
			error && error->message ? error->message : "libgit2 gives no reason");
}

/* ---- the source repository ---- */

/* The cut that first parents lead to. */
static bool find_cut(git_repository *repo, const struct gpc_shallow *shallow, const git_oid *newest,
		     git_oid *ret)
{
	git_oid at = *newest;

	for (;;) {
		GPC_AUTO_GIT(git_commit) *commit = NULL;

		if (gpc_shallow_is_cut(shallow, &at)) {
			*ret = at;
			return true;
		}
		if (git_commit_lookup(&commit, repo, &at) || !git_commit_parentcount(commit))
			return false;
		at = *git_commit_parent_id(commit, 0);
	}
}

/* A clone may be cut on more than one way back, and libgit2 stops at one commit only. */
static int blame_shallow(git_blame **ret, git_repository *repo, const char *path,
			 const git_oid *newest, const git_oid *cut)
{
	git_blame_options options = {.version = GIT_BLAME_OPTIONS_VERSION};
	int rc;

	options.newest_commit = *newest;
	options.oldest_commit = *cut;
	rc = git_blame_file(ret, repo, path, &options);
	if (rc != GIT_ENOTFOUND)
		return rc;
	options.flags = GIT_BLAME_FIRST_PARENT;
	return git_blame_file(ret, repo, path, &options);
}

static int blame_file(git_blame **ret, git_repository *repo, const struct gpc_shallow *shallow,
		      const char *path, const git_oid *newest)
{
	git_blame_options options = {.version = GIT_BLAME_OPTIONS_VERSION};
	git_oid cut;

	if (find_cut(repo, shallow, newest, &cut))
		return blame_shallow(ret, repo, path, newest, &cut);
	options.newest_commit = *newest;
	return git_blame_file(ret, repo, path, &options);
}

/* Lines of the text as it is now, and the committed lines that they are; 0: none. */
struct mapping {
	struct gpc_line_origin *lines;
	size_t count;
	uint32_t *committed;
};

static int map_line(const git_diff_delta *delta, const git_diff_hunk *hunk,
		    const git_diff_line *line, void *payload)
{
	struct mapping *mapping = payload;

	(void)delta;
	(void)hunk;
	if (line->origin != GIT_DIFF_LINE_CONTEXT)
		return 0;
	for (size_t i = 0; i < mapping->count; i++)
		if ((int64_t)mapping->lines[i].line == line->new_lineno)
			mapping->committed[i] = (uint32_t)line->old_lineno;
	return 0;
}

/* git_blame_buffer() of libgit2 gives lines behind a change to wrong commits. */
static int map_lines(git_repository *repo, const git_oid *newest, const char *path,
		     const char *text, size_t size, struct mapping *mapping)
{
	git_diff_options options = {.version = GIT_DIFF_OPTIONS_VERSION, .flags = GIT_DIFF_FORCE_TEXT,
				    .context_lines = INT32_MAX};
	GPC_AUTO_GIT(git_commit) *commit = NULL;
	GPC_AUTO_GIT(git_tree) *tree = NULL;
	GPC_AUTO_GIT(git_tree_entry) *entry = NULL;
	GPC_AUTO_GIT(git_blob) *blob = NULL;

	if (git_commit_lookup(&commit, repo, newest) || git_commit_tree(&tree, commit) ||
	    git_tree_entry_bypath(&entry, tree, path) ||
	    git_blob_lookup(&blob, repo, git_tree_entry_id(entry)))
		return -1;
	if (git_blob_rawsize(blob) == size && !memcmp(git_blob_rawcontent(blob), text, size))
		return 0;
	for (size_t i = 0; i < mapping->count; i++)
		mapping->committed[i] = 0;
	return git_diff_blob_to_buffer(blob, path, text, size, path, &options, NULL, NULL, NULL,
				       map_line, mapping);
}

static int take_hunk(struct gpc_revisions *revisions, const struct gpc_shallow *shallow,
		     const git_blame_hunk *hunk, struct gpc_line_origin *line,
		     struct gpc_failure *failure)
{
	char id[GIT_OID_HEXSZ + 1];

	line->state = GPC_LINE_CHANGED;
	if (!hunk || git_oid_is_zero(&hunk->final_commit_id))
		return 0;
	line->state = gpc_shallow_is_cut(shallow, &hunk->final_commit_id) ? GPC_LINE_CUT
									  : GPC_LINE_COMMITTED;
	git_oid_tostr(id, sizeof(id), &hunk->final_commit_id);
	return gpc_revision_find(revisions, id, &line->revision, failure);
}

int gpc_revision_blame(struct gpc_revisions *revisions, const char *commit, const char *path,
		       const char *text, size_t size, struct gpc_line_origin *lines, size_t count,
		       struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_shallow_release) struct gpc_shallow shallow = {0};
	git_repository *repo = gpc_git_revisions(revisions);
	GPC_AUTO_FREE uint32_t *committed = calloc(count + 1, sizeof(*committed));
	struct mapping mapping = {lines, count, committed};
	GPC_AUTO_GIT(git_blame) *blame = NULL;
	struct gpc_revision newest;
	git_oid oid;

	if (!committed)
		abort();
	for (size_t i = 0; i < count; i++)
		committed[i] = lines[i].line;
	if (gpc_revision_find(revisions, commit ? commit : "HEAD", &newest, failure) ||
	    gpc_shallow_read(repo, &shallow, failure))
		return -1;
	if (git_oid_fromstr(&oid, newest.commit) ||
	    (!commit && text && map_lines(repo, &oid, path, text, size, &mapping)) ||
	    blame_file(&blame, repo, &shallow, path, &oid))
		return blame_failed(failure, path);
	for (size_t i = 0; i < count; i++)
		if (take_hunk(revisions, &shallow, git_blame_get_hunk_byline(blame, committed[i]),
			      &lines[i], failure))
			return -1;
	return 0;
}

/* Where neither commit comes from the other, their times say. */
static bool is_newer(git_repository *repo, const struct gpc_line_origin *a,
		     const struct gpc_line_origin *b)
{
	git_oid x, y;

	if (a->state != b->state || a->state == GPC_LINE_CHANGED)
		return a->state > b->state;
	if (git_oid_fromstr(&x, a->revision.commit) || git_oid_fromstr(&y, b->revision.commit) ||
	    git_oid_equal(&x, &y) || git_graph_descendant_of(repo, &y, &x) == 1)
		return false;
	return git_graph_descendant_of(repo, &x, &y) == 1 || a->revision.time > b->revision.time;
}

size_t gpc_revision_newest(struct gpc_revisions *revisions, const struct gpc_line_origin *lines,
			   size_t count)
{
	size_t newest = 0;

	for (size_t i = 1; i < count; i++)
		if (is_newer(gpc_git_revisions(revisions), &lines[i], &lines[newest]))
			newest = i;
	return newest;
}

/* ---- the history ---- */

static int read_generation(struct gpc_history *history, const git_oid *oid,
			   struct gpc_generation *ret, struct gpc_failure *failure)
{
	GPC_AUTO_GIT(git_commit) *commit = NULL;

	if (git_commit_lookup(&commit, history->repo, oid))
		return gpc_git_fail_object(history, failure, "commit", oid);
	return gpc_git_generation(history, commit, ret, failure);
}

int gpc_history_blame(struct gpc_history *history, const struct gpc_generation *generation,
		      const char *path, const uint32_t *lines, size_t count,
		      struct gpc_generation *ret, bool *ret_found, struct gpc_failure *failure)
{
	git_blame_options options = {.version = GIT_BLAME_OPTIONS_VERSION};
	GPC_AUTO_GIT(git_blame) *blame = NULL;
	GPC_AUTO_FREE char *full = NULL;
	int rc;

	*ret_found = false;
	if (asprintf(&full, "sources/%s", path) < 0)
		abort();
	if (git_oid_fromstr(&options.newest_commit, generation->commit))
		return blame_failed(failure, full);
	rc = git_blame_file(&blame, history->repo, full, &options);
	if (rc)
		return rc == GIT_ENOTFOUND ? 0 : blame_failed(failure, full);
	for (size_t i = 0; i < count; i++) {
		const git_blame_hunk *hunk = git_blame_get_hunk_byline(blame, lines[i]);
		struct gpc_generation found;

		if (!hunk)
			continue;
		if (read_generation(history, &hunk->final_commit_id, &found, failure))
			return -1;
		if (!*ret_found || found.number > ret->number)
			*ret = found;
		*ret_found = true;
	}
	return 0;
}
