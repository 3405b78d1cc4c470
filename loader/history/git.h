/* SPDX-License-Identifier: MIT */
/*
 * git.h: what the files of this folder share: the repository behind a gpc_history, release of git
 * objects at scope end, and failure records that name the file that is at fault. Nothing outside
 * loader/history includes it.
 */
#ifndef GPC_LOADER_HISTORY_GIT_H
#define GPC_LOADER_HISTORY_GIT_H

#include <git2.h>

#include "../../compiler/base/cleanup.h"
#include "history.h"

#define GPC_HISTORY_REF "refs/heads/main"

/* A generation between prepare and publish. */
struct gpc_pending {
	bool set;
	bool has_parent;
	git_oid parent, commit;
	char running[65]; /* gpc_history_entry.running by its file digest; empty: none */
};

struct gpc_history {
	char *state_dir;
	char *repo_path;
	char *store_path;
	char *parents_path;
	git_repository *repo; /* NULL: there is no history yet */
	struct gpc_pending pending;
	unsigned int rebuilding; /* images that wait for their parent */
};

/* Fails with git's own message behind "cannot `what`" and the steps out of a broken repository. */
int gpc_git_fail(const struct gpc_history *history, struct gpc_failure *failure, const char *format,
		 ...) __attribute__((format(printf, 3, 4)));
/* The same for one object; names the file that holds it when it is a loose one. */
int gpc_git_fail_object(const struct gpc_history *history, struct gpc_failure *failure,
			const char *kind, const git_oid *oid);

/* A publish that was killed leaves git's lock file; whoever holds gpc's lock may remove it. */
void gpc_git_unlock(const struct gpc_history *history);

/* A commit that nothing names yet (parent NULL: the first); OK only if it is on the disk. */
int gpc_git_commit(const struct gpc_history *history, const git_tree *tree, const git_commit *parent,
		   const char *message, git_oid *ret, struct gpc_failure *failure);
/* Moves the branch to what is prepared. */
int gpc_git_publish(struct gpc_history *history, struct gpc_failure *failure);

/* The newest commit; *ret_found false when there is none. */
int gpc_git_head(const struct gpc_history *history, git_oid *ret_oid, bool *ret_found,
		 struct gpc_failure *failure);
/* The tree of a generation's commit. */
int gpc_git_tree(const struct gpc_history *history, const struct gpc_generation *generation,
		 git_tree **ret_tree, struct gpc_failure *failure);
/* Reads the trailers of `commit`. */
int gpc_git_generation(const struct gpc_history *history, git_commit *commit,
		       struct gpc_generation *ret, struct gpc_failure *failure);

/* The source repository behind revision.h. */
struct gpc_revisions;
git_repository *gpc_git_revisions(struct gpc_revisions *revisions);

#define GPC_GIT_CLEANUP(type)                                                                      \
	static inline void gpc_cleanup_##type(type **object)                                       \
	{                                                                                          \
		type##_free(*object);                                                              \
	}
GPC_GIT_CLEANUP(git_blob)
GPC_GIT_CLEANUP(git_commit)
GPC_GIT_CLEANUP(git_diff)
GPC_GIT_CLEANUP(git_index)
GPC_GIT_CLEANUP(git_odb)
GPC_GIT_CLEANUP(git_reference)
GPC_GIT_CLEANUP(git_repository)
GPC_GIT_CLEANUP(git_signature)
GPC_GIT_CLEANUP(git_tree)
GPC_GIT_CLEANUP(git_tree_entry)
#define GPC_AUTO_GIT(type) GPC_CLEANUP(gpc_cleanup_##type) type

#endif
