/* SPDX-License-Identifier: MIT */
#include "blame.h"

#include <stdlib.h>

#include "git.h"

GPC_GIT_CLEANUP(git_blame)

static int blame_failed(struct gpc_failure *failure, const char *path)
{
	const git_error *error = git_error_last();

	return gpc_fail(failure, GPC_EXIT_FAILED, 0, "cannot find out who wrote '%s': %s", path,
			error && error->message ? error->message : "libgit2 gives no reason");
}

/* The commit of a line, up to `newest`; over it lies `text`, if given. *ret_found false: there is none. */
static int find_line(git_repository *repo, const git_oid *newest, const char *path, const char *text,
		     size_t size, uint32_t line, git_oid *ret, bool *ret_found,
		     struct gpc_failure *failure)
{
	git_blame_options options = {.version = GIT_BLAME_OPTIONS_VERSION};
	GPC_AUTO_GIT(git_blame) *committed = NULL;
	GPC_AUTO_GIT(git_blame) *now = NULL;
	const git_blame_hunk *hunk;
	int rc;

	options.newest_commit = *newest;
	*ret_found = false;
	rc = git_blame_file(&committed, repo, path, &options);
	if (rc == GIT_ENOTFOUND)
		return 0;
	if (rc || (text && git_blame_buffer(&now, committed, text, size)))
		return blame_failed(failure, path);
	hunk = git_blame_get_hunk_byline(text ? now : committed, line);
	if (!hunk || git_oid_is_zero(&hunk->final_commit_id))
		return 0;
	*ret = hunk->final_commit_id;
	*ret_found = true;
	return 0;
}

int gpc_revision_blame(struct gpc_revisions *revisions, const char *commit, const char *path,
		       const char *text, size_t size, uint32_t line, struct gpc_revision *ret,
		       bool *ret_found, struct gpc_failure *failure)
{
	git_repository *repo = gpc_git_revisions(revisions);
	struct gpc_revision newest;
	char id[GIT_OID_HEXSZ + 1];
	git_oid oid;

	if (gpc_revision_find(revisions, commit ? commit : "HEAD", &newest, failure))
		return -1;
	if (git_oid_fromstr(&oid, newest.commit))
		return blame_failed(failure, path);
	if (find_line(repo, &oid, path, commit ? NULL : text, size, line, &oid, ret_found, failure))
		return -1;
	git_oid_tostr(id, sizeof(id), &oid);
	return *ret_found ? gpc_revision_find(revisions, id, ret, failure) : 0;
}

int gpc_history_blame(struct gpc_history *history, const struct gpc_generation *generation,
		      const char *path, uint32_t line, struct gpc_generation *ret, bool *ret_found,
		      struct gpc_failure *failure)
{
	GPC_AUTO_GIT(git_commit) *commit = NULL;
	GPC_AUTO_FREE char *full = NULL;
	git_oid oid;

	if (asprintf(&full, "sources/%s", path) < 0)
		abort();
	if (git_oid_fromstr(&oid, generation->commit))
		return blame_failed(failure, full);
	if (find_line(history->repo, &oid, full, NULL, 0, line, &oid, ret_found, failure))
		return -1;
	if (!*ret_found)
		return 0;
	if (git_commit_lookup(&commit, history->repo, &oid))
		return gpc_git_fail_object(history, failure, "commit", &oid);
	return gpc_git_generation(history, commit, ret, failure);
}
