/* SPDX-License-Identifier: MIT */
/*
 * target.h: what an argument of diff, blame, bisect, replay and the like stands for, resolved to one
 * checked image and, where they are known, the texts that it was made from:
 *
 *   FILE.yaml, FOLDER    compiled here; a folder: its gpc.yaml and gpc.d         file:PATH
 *   IMAGE.gpi            read                                                           file:PATH
 *   N, @N                generation N of this host's history                            @N
 *   @~N                  the generation N before the newest one
 *   live                 what this host runs, as the kernel has it                      plane:live
 *   REV                  the same intent in a commit of the repository it lies in       git:REV
 *   REV:PATH             a file, folder or image of a commit; PATH from the top of the
 *                        repository of this folder, ./PATH from this folder             git:REV:PATH
 *
 * history/revision.h has the grammar of REV. A text that fits in two ways is an error that names
 * both; the right column forces one. Nothing here changes a plane, a history or a repository.
 */
#ifndef GPC_LOADER_CMD_TARGET_H
#define GPC_LOADER_CMD_TARGET_H

#include "../history/history.h"
#include "input.h"

enum gpc_target_kind {
	GPC_TARGET_FILES,
	GPC_TARGET_IMAGE,
	GPC_TARGET_GENERATION,
	GPC_TARGET_LIVE,
	GPC_TARGET_REVISION
};

struct gpc_target_source {
	const char *path; /* below the project root */
	const char *text; /* NUL-terminated */
	size_t size;
};

struct gpc_target {
	enum gpc_target_kind kind;
	struct gpc_input input; /* arena, diagnostics, image (has_image) */
	char *name;		/* to be shown: "web.yaml", "generation 12", "live", "v1.0" */
	uint32_t generation;	/* of GENERATION; of LIVE the one that is linked in */
	char commit[41];	/* of REVISION; else empty */
	uint64_t control;	/* LIVE: the control word */
};

/*
 * Resolves `text` (NULL: the files of -f, else the default ones). `like`: another argument of the
 * command or NULL; where it names files, REV without a path means those. Not OK: the command ends
 * with gpc_target_end(). gpc_target_release() is due in either case.
 */
enum gpc_exit gpc_target_open(const struct gpc_call *call, const char *text, const char *like,
			      struct gpc_target *ret);
/* A commit that is known by its id, of the files that `like` or -f name (else the default ones). */
enum gpc_exit gpc_target_commit(const struct gpc_call *call, const char *commit, const char *like,
				struct gpc_target *ret);
/* A generation by its number, 0: the newest. */
enum gpc_exit gpc_target_generation(const struct gpc_call *call, uint32_t number,
				    struct gpc_target *ret);
enum gpc_exit gpc_target_end(const struct gpc_call *call, const struct gpc_target *target,
			     enum gpc_exit code);
void gpc_target_release(struct gpc_target *target);

/*
 * The texts that the image was made from, by path, in the arena of the target. None, and OK, where
 * nobody knows them: of an image file, or of a plane that the history does not have.
 */
int gpc_target_sources(struct gpc_target *target, struct gpc_target_source **ret, size_t *ret_count,
		       struct gpc_failure *failure);

#endif
