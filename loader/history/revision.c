/* SPDX-License-Identifier: MIT */
#include "revision.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "git.h"
#include "guard.h"
#include "shallow.h"
#include "tree_files.h"

#define STEPS_MAX 100000ul
#define NAME_MAX_BYTES 200u
#define ID_MIN 7u

struct gpc_revisions {
	git_repository *repo;
	char *place;
};

struct gpc_revision_files {
	git_tree *tree;
	struct gpc_tree_files files;
};

static int git_failed(struct gpc_failure *failure, const char *what, const char *name)
{
	const git_error *error = git_error_last();

	return gpc_fail(failure, GPC_EXIT_FAILED, 0, "cannot %s '%s' of the source repository: %s",
			what, name,
			error && error->message ? error->message : "libgit2 gives no reason");
}

/* ---- the repository ---- */

/* `folder` below the working tree, without a slash behind; "" in a bare repository. malloc'ed. */
static char *place_in(git_repository *repo, const char *folder)
{
	GPC_AUTO_FREE char *full = realpath(folder, NULL);
	const char *workdir = git_repository_workdir(repo);
	size_t length = workdir ? strlen(workdir) : 0;
	char *place = strdup(full && length && !strncmp(full, workdir, length) ? full + length : "");

	if (!place)
		abort();
	return place;
}

git_repository *gpc_git_revisions(struct gpc_revisions *revisions)
{
	return revisions->repo;
}

int gpc_revisions_open(const char *folder, struct gpc_revisions **ret, struct gpc_failure *failure)
{
	struct gpc_revisions *revisions = calloc(1, sizeof(*revisions));

	if (!revisions)
		abort();
	git_libgit2_init();
	gpc_git_isolate();
	if (git_repository_open_ext(&revisions->repo, folder, 0, NULL) ||
	    gpc_git_guard(revisions->repo)) {
		gpc_revisions_close(&revisions);
		return gpc_fail(failure, GPC_EXIT_INVALID, 0,
				"folder '%s' lies in no git repository", folder);
	}
	revisions->place = place_in(revisions->repo, folder);
	*ret = revisions;
	return 0;
}

void gpc_revisions_close(struct gpc_revisions **revisions)
{
	struct gpc_revisions *r = *revisions;

	if (!r)
		return;
	git_repository_free(r->repo);
	git_libgit2_shutdown();
	free(r->place);
	free(r);
	*revisions = NULL;
}

const char *gpc_revisions_place(const struct gpc_revisions *revisions)
{
	return revisions->place;
}

/* ---- what is written ---- */

struct written {
	char name[NAME_MAX_BYTES + 1];
	unsigned long back;
};

/* "^", "~", "~N", one after the other. */
static bool read_suffixes(const char *text, unsigned long *ret_back)
{
	unsigned long back = 0;

	while (*text) {
		char *end = (char *)(uintptr_t)text + 1;
		unsigned long steps = 1;

		if (*text != '^' && *text != '~')
			return false;
		if (*text == '~' && isdigit((unsigned char)*end))
			steps = strtoul(end, &end, 10);
		if (steps > STEPS_MAX || back + steps > STEPS_MAX)
			return false;
		back += steps;
		text = end;
	}
	*ret_back = back;
	return true;
}

static bool read_written(const char *text, struct written *ret)
{
	size_t length = strcspn(text, "^~");
	char full[NAME_MAX_BYTES + sizeof("refs/heads/")];
	int valid = 0;

	if (!length || length > NAME_MAX_BYTES || *text == '-' || *text == '@')
		return false;
	memcpy(ret->name, text, length);
	ret->name[length] = '\0';
	snprintf(full, sizeof(full), "refs/heads/%s", ret->name);
	return !git_reference_name_is_valid(&valid, full) && valid &&
	       read_suffixes(text + length, &ret->back);
}

bool gpc_revision_is_written(const char *text)
{
	struct written written;
	bool good;

	git_libgit2_init(); /* nobody may have opened anything yet */
	good = read_written(text, &written);
	git_libgit2_shutdown();
	return good;
}

/* ---- names ---- */

struct found {
	git_oid oid;
	char how[NAME_MAX_BYTES + 32]; /* "refs/tags/v1", empty: nothing yet */
};

static int take(struct found *found, const git_oid *oid, const char *how, const char *name,
		struct gpc_failure *failure)
{
	if (*found->how && !git_oid_equal(&found->oid, oid)) {
		gpc_fail(failure, GPC_EXIT_INVALID, 0,
			 "'%s' is ambiguous: it is both %s and %s", name, found->how, how);
		return gpc_fail_hint(failure, "write out the one that is meant: git:%s", found->how);
	}
	if (!*found->how)
		snprintf(found->how, sizeof(found->how), "%s", how);
	found->oid = *oid;
	return 0;
}

static int try_reference(git_repository *repo, const char *full, const char *name,
			 struct found *found, struct gpc_failure *failure)
{
	GPC_AUTO_GIT(git_reference) *ref = NULL;
	git_object *commit = NULL;
	int rc, valid = 0;

	if (git_reference_name_is_valid(&valid, full) || !valid ||
	    git_reference_lookup(&ref, repo, full))
		return 0;
	if (git_reference_peel(&commit, ref, GIT_OBJECT_COMMIT))
		return 0;
	rc = take(found, git_object_id(commit), full, name, failure);
	git_object_free(commit);
	return rc;
}

static int try_id(git_repository *repo, const char *name, struct found *found,
		  struct gpc_failure *failure)
{
	GPC_AUTO_GIT(git_commit) *commit = NULL;
	char how[64];
	size_t length = strlen(name);
	git_oid oid;
	int rc;

	if (length < ID_MIN || length > GIT_OID_HEXSZ ||
	    strspn(name, "0123456789abcdefABCDEF") != length || git_oid_fromstrn(&oid, name, length))
		return 0;
	rc = git_commit_lookup_prefix(&commit, repo, &oid, length);
	if (rc == GIT_EAMBIGUOUS)
		return gpc_fail(failure, GPC_EXIT_INVALID, 0,
				"'%s' begins the ids of several commits; write more of it", name);
	if (rc)
		return 0;
	git_oid_tostr(how, sizeof(how), git_commit_id(commit));
	return take(found, git_commit_id(commit), how, name, failure);
}

static int find_name(git_repository *repo, const char *name, git_oid *ret,
		     struct gpc_failure *failure)
{
	static const char *const folders[] = {"refs/tags/", "refs/heads/", "refs/remotes/"};
	struct found found = {0};
	char full[NAME_MAX_BYTES + 32];

	if ((!strcmp(name, "HEAD") || !strncmp(name, "refs/", 5)) &&
	    try_reference(repo, name, name, &found, failure))
		return -1;
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		snprintf(full, sizeof(full), "%s%s", folders[i], name);
		if (try_reference(repo, full, name, &found, failure))
			return -1;
	}
	if (try_id(repo, name, &found, failure))
		return -1;
	if (!*found.how) {
		gpc_fail(failure, GPC_EXIT_INVALID, 0,
			 "the source repository has no branch, tag or commit '%s'", name);
		return gpc_shallow_explain(repo, failure);
	}
	*ret = found.oid;
	return 0;
}

/* ---- commits ---- */

static void describe(const git_commit *commit, struct gpc_revision *ret)
{
	const git_signature *author = git_commit_author(commit);
	const char *subject = git_commit_summary((git_commit *)(uintptr_t)commit);

	*ret = (struct gpc_revision){.time = git_commit_time(commit)};
	git_oid_tostr(ret->commit, sizeof(ret->commit), git_commit_id(commit));
	if (author)
		snprintf(ret->author, sizeof(ret->author), "%s <%s>", author->name, author->email);
	snprintf(ret->subject, sizeof(ret->subject), "%s", subject ? subject : "");
}

static int lookup(git_repository *repo, const char *id, git_commit **ret,
		  struct gpc_failure *failure)
{
	git_oid oid;

	if (git_oid_fromstr(&oid, id) || git_commit_lookup(ret, repo, &oid))
		return git_failed(failure, "read commit", id);
	return 0;
}

/* A commit at which a shallow clone ends is no first one. */
static int check_cut(git_repository *repo, const git_commit *commit, struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_shallow_release) struct gpc_shallow shallow = {0};
	char id[GIT_OID_HEXSZ + 1];

	if (gpc_shallow_read(repo, &shallow, failure))
		return -1;
	if (!gpc_shallow_is_cut(&shallow, git_commit_id(commit)))
		return 0;
	git_oid_tostr(id, sizeof(id), git_commit_id(commit));
	gpc_fail(failure, GPC_EXIT_INVALID, 0,
		 "commit %.12s is as far back as this clone goes", id);
	return gpc_shallow_explain(repo, failure);
}

int gpc_revision_before(struct gpc_revisions *revisions, const struct gpc_revision *revision,
			struct gpc_revision *ret, bool *ret_found, struct gpc_failure *failure)
{
	GPC_AUTO_GIT(git_commit) *commit = NULL;
	GPC_AUTO_GIT(git_commit) *parent = NULL;

	if (lookup(revisions->repo, revision->commit, &commit, failure) ||
	    check_cut(revisions->repo, commit, failure))
		return -1;
	*ret_found = git_commit_parentcount(commit) > 0;
	if (!*ret_found)
		return 0;
	if (git_commit_parent(&parent, commit, 0))
		return git_failed(failure, "read the parent of commit", revision->commit);
	describe(parent, ret);
	return 0;
}

int gpc_revision_find(struct gpc_revisions *revisions, const char *text, struct gpc_revision *ret,
		      struct gpc_failure *failure)
{
	GPC_AUTO_GIT(git_commit) *commit = NULL;
	struct gpc_revision revision;
	struct written written;
	bool more = true;
	git_oid oid;

	if (!read_written(text, &written)) {
		gpc_fail(failure, GPC_EXIT_INVALID, 0, "'%s' is no revision", text);
		return gpc_fail_hint(failure, "write a branch, a tag or a commit's id, and ^ or ~N");
	}
	if (find_name(revisions->repo, written.name, &oid, failure))
		return -1;
	if (git_commit_lookup(&commit, revisions->repo, &oid))
		return git_failed(failure, "read commit", written.name);
	describe(commit, &revision);
	for (unsigned long i = 0; i < written.back && more; i++)
		if (gpc_revision_before(revisions, &revision, &revision, &more, failure))
			return -1;
	if (!more)
		return gpc_fail(failure, GPC_EXIT_INVALID, 0,
				"'%s' goes back further than the first commit", text);
	*ret = revision;
	return 0;
}

/* ---- files ---- */

static int top_of(struct gpc_revisions *revisions, const struct gpc_revision *revision,
		  git_tree **ret, struct gpc_failure *failure)
{
	GPC_AUTO_GIT(git_commit) *commit = NULL;

	if (lookup(revisions->repo, revision->commit, &commit, failure))
		return -1;
	if (git_commit_tree(ret, commit))
		return git_failed(failure, "read the tree of commit", revision->commit);
	return 0;
}

enum gpc_revision_entry gpc_revision_entry(struct gpc_revisions *revisions,
					   const struct gpc_revision *revision, const char *path)
{
	GPC_AUTO_GIT(git_tree_entry) *entry = NULL;
	GPC_AUTO_GIT(git_tree) *top = NULL;
	struct gpc_failure ignored;

	if (top_of(revisions, revision, &top, &ignored))
		return GPC_REVISION_NOTHING;
	if (!*path)
		return GPC_REVISION_FOLDER;
	if (git_tree_entry_bypath(&entry, top, path))
		return GPC_REVISION_NOTHING;
	return git_tree_entry_type(entry) == GIT_OBJECT_TREE ? GPC_REVISION_FOLDER
							     : GPC_REVISION_FILE;
}

static int open_folder(struct gpc_revisions *revisions, git_tree **tree, const char *folder,
		       const struct gpc_revision *revision, struct gpc_failure *failure)
{
	GPC_AUTO_GIT(git_tree_entry) *entry = NULL;
	git_tree *below;

	if (!*folder)
		return 0;
	if (git_tree_entry_bypath(&entry, *tree, folder) ||
	    git_tree_entry_type(entry) != GIT_OBJECT_TREE ||
	    git_tree_lookup(&below, revisions->repo, git_tree_entry_id(entry)))
		return gpc_fail(failure, GPC_EXIT_INVALID, 0, "commit %.12s has no folder '%s'",
				revision->commit, folder);
	git_tree_free(*tree);
	*tree = below;
	return 0;
}

int gpc_revision_files_open(struct gpc_revisions *revisions, const struct gpc_revision *revision,
			    const char *folder, struct gpc_revision_files **ret,
			    struct gpc_failure *failure)
{
	GPC_AUTO_GIT(git_tree) *tree = NULL;
	struct gpc_revision_files *files;

	if (top_of(revisions, revision, &tree, failure) ||
	    open_folder(revisions, &tree, folder, revision, failure))
		return -1;
	files = calloc(1, sizeof(*files));
	if (!files)
		abort();
	files->tree = GPC_TAKE_PTR(tree);
	files->files = (struct gpc_tree_files){.repo = revisions->repo, .tree = files->tree};
	*ret = files;
	return 0;
}

void gpc_revision_files_close(struct gpc_revision_files **files)
{
	if (!*files)
		return;
	git_tree_free((*files)->tree);
	free(*files);
	*files = NULL;
}

struct gpc_provider gpc_revision_provider(struct gpc_revision_files *files)
{
	return gpc_tree_files_provider(&files->files);
}
