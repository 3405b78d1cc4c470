/* SPDX-License-Identifier: MIT */
/*
 * revision.h: commits of the source repository that a folder lies in, and their files, read without
 * a checkout. Nothing is ever written there. What users write never reaches git's own parser of
 * revisions; this is all that is understood:
 *
 *   REVISION  = NAME SUFFIX...
 *   NAME      = "HEAD" | a branch or tag, as "main", "v1.0", "origin/main" | "refs/..." in full
 *             | a commit's id, at least its first 7 hex digits
 *   SUFFIX    = "^" | "~" | "~N"      so many first parents back
 *
 * A name that fits two different commits is an error that names both.
 */
#ifndef GPC_LOADER_HISTORY_REVISION_H
#define GPC_LOADER_HISTORY_REVISION_H

#include <stdbool.h>
#include <stdint.h>

#include "../../compiler/base/provider.h"
#include "../fail.h"

/* The next step where something is missing because a clone is shallow. */
#define GPC_HINT_UNSHALLOW "git fetch --unshallow gets what this shallow clone leaves out"

struct gpc_revisions;

struct gpc_revision {
	char commit[41];
	char author[128];	/* name and address, as committed */
	char subject[128];	/* first line of the message */
	int64_t time;		/* seconds since 1970, UTC */
};

/* Opens the repository that `folder` lies in; INVALID if in none. */
int gpc_revisions_open(const char *folder, struct gpc_revisions **ret, struct gpc_failure *failure);
void gpc_revisions_close(struct gpc_revisions **revisions);
/* Where `folder` stands below the top of the working tree: "" or "edge/prod". */
const char *gpc_revisions_place(const struct gpc_revisions *revisions);

/* Can the text be a revision at all? */
bool gpc_revision_is_written(const char *text);
/* INVALID if there is none, or it is ambiguous. */
int gpc_revision_find(struct gpc_revisions *revisions, const char *text, struct gpc_revision *ret,
		      struct gpc_failure *failure);
/* Its first parent; *ret_found false for a first commit; INVALID where a shallow clone ends. */
int gpc_revision_before(struct gpc_revisions *revisions, const struct gpc_revision *revision,
			struct gpc_revision *ret, bool *ret_found, struct gpc_failure *failure);

/* Files of a commit below `folder` (from the top; "": all of it). INVALID if there is no such folder. */
struct gpc_revision_files;
int gpc_revision_files_open(struct gpc_revisions *revisions, const struct gpc_revision *revision,
			    const char *folder, struct gpc_revision_files **ret,
			    struct gpc_failure *failure);
void gpc_revision_files_close(struct gpc_revision_files **files);
/* `files` outlives it. */
struct gpc_provider gpc_revision_provider(struct gpc_revision_files *files);

/* What stands at `path` (from the top) in a commit. */
enum gpc_revision_entry { GPC_REVISION_NOTHING, GPC_REVISION_FILE, GPC_REVISION_FOLDER };
enum gpc_revision_entry gpc_revision_entry(struct gpc_revisions *revisions,
					   const struct gpc_revision *revision, const char *path);

#endif
