/* SPDX-License-Identifier: MIT */
/*
 * history.h: generations of one host in a bare git repository, readable with plain git, and the
 * content-addressed image store beside it. The only module that includes libgit2.
 *
 *   $GPC_STATE_DIR/history.git     one commit per generation on refs/heads/main
 *   $GPC_STATE_DIR/images/sha256/  <file digest>.gpi, the last GPC_HISTORY_IMAGES, and what ran before
 *   $GPC_STATE_DIR/images/parents/ those that `rebalance: minimal` started from, of generations whose
 *                                  images are kept; older ones are rebuilt from their own generations
 *
 * One that waits for its confirmation has the result applied(pending); what became of it (confirmed,
 * rolled-back(reason)) is a commit of its own that names the generation (Gpc-Settles), with the same tree:
 * history only grows. Of a generation several such commits may stand, the newest counts.
 *
 * A commit of a generation holds the resolved sources (sources/...), image.json, plan.json; trailers
 * Gpc-Generation, Gpc-Image (file digest), Gpc-Decision, Gpc-Source, Gpc-Result, Gpc-Actor, and
 * Gpc-Parent (file digest) where `rebalance: minimal` started from an image. A rollback is a new generation
 * that names the old one (Gpc-Rollback-Of), and so is what another gpc made of the same sources
 * (Gpc-Upgrade-Of). Gpc-Result is `applied`, or `rolled-back(REASON)`: such a generation was live for a
 * while and is not what should run. One with policies says whether they decide (Gpc-Policies: audit or enforce). Gpc-Layout is
 * that of the image's format.
 */
#ifndef GPC_LOADER_HISTORY_HISTORY_H
#define GPC_LOADER_HISTORY_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../compiler/image/image_file.h"
#include "../fail.h"
#include "../stance.h"

#define GPC_HISTORY_IMAGES 20u
#define GPC_RESULT_TEXT 384

struct gpc_history;

struct gpc_history_file {
	const char *path; /* below sources/ */
	const void *bytes;
	size_t size;
};

/* What became of a generation. */
enum gpc_result {
	GPC_RESULT_APPLIED,
	GPC_RESULT_PENDING, /* waits for its confirmation, or waited and nobody has written down the end */
	GPC_RESULT_CONFIRMED,
	GPC_RESULT_ROLLED_BACK,
};

/* What one generation is; strings are owned by the history that gave it. */
struct gpc_generation {
	uint32_t number;
	uint32_t rollback_of; /* 0: not a rollback */
	uint32_t upgrade_of;  /* 0: not the same sources, compiled by another gpc */
	uint32_t layout;      /* GPC_ABI_HASH of the image, 0: not recorded */
	enum gpc_stance stance;
	char commit[41];
	char image[65];	   /* file digest */
	char decision[65]; /* decision digest */
	char parent[65];   /* file digest of what `rebalance: minimal` started from; empty: nothing */
	enum gpc_result became;
	char result[GPC_RESULT_TEXT]; /* "applied", "applied(pending)", "confirmed", "rolled-back(expired)", ... */
	char actor[128];
	char source[256]; /* "web.yaml" or "web.gpi" or "rollback to 3" */
	char plane[64];	  /* metadata.name */
	int64_t time;	  /* seconds since 1970, UTC */
};

/*
 * Opens (create: makes) the history below state_dir; without `create` a missing one is empty.
 * Checks owner and modes (0700, root or the caller), opens local and bare, never follows user text
 * as a revision. FAILED with a hint when it is corrupt or foreign.
 */
int gpc_history_open(const char *state_dir, bool create, struct gpc_history **ret,
		     struct gpc_failure *failure);
void gpc_history_free(struct gpc_history **history);

/* Newest first; at most `limit` (0: all). malloc'ed array. An empty history gives 0 entries. */
int gpc_history_list(struct gpc_history *history, size_t limit, struct gpc_generation **ret,
		     size_t *ret_count, struct gpc_failure *failure);
/* INVALID if there is no such generation. number 0: the newest. */
int gpc_history_find(struct gpc_history *history, uint32_t number, struct gpc_generation *ret,
		     struct gpc_failure *failure);

/*
 * The newest generation that stands: neither rolled back nor waiting, unless it is number `running`, which
 * the kernel says is active. *ret_found false when there is none.
 */
int gpc_history_standing(struct gpc_history *history, uint32_t running, struct gpc_generation *ret,
			 bool *ret_found, struct gpc_failure *failure);
bool gpc_generation_stands(const struct gpc_generation *generation, uint32_t running);
/* Its probes failed: it is not applied again by itself. */
bool gpc_generation_quarantined(const struct gpc_generation *generation);

/* The newest generation, if nobody has recorded what became of it; number 0: none. */
int gpc_history_waiting(struct gpc_history *history, struct gpc_generation *ret,
			struct gpc_failure *failure);

/* The one that stood before `generation`; *ret_found false when there is none. */
int gpc_history_stood_before(struct gpc_history *history, const struct gpc_generation *generation,
			     struct gpc_generation *ret, bool *ret_found,
			     struct gpc_failure *failure);

/* The newest generation of a decision that stands; *ret_found false when there is none. */
int gpc_history_find_decision(struct gpc_history *history, const char *decision,
			      struct gpc_generation *ret, bool *ret_found,
			      struct gpc_failure *failure);
/*
 * The newest of a decision that stands or is quarantined: what was interrupted, aborted, not confirmed or
 * detached says nothing about the plane.
 */
int gpc_history_judged(struct gpc_history *history, const char *decision,
		       struct gpc_generation *ret, bool *ret_found, struct gpc_failure *failure);
/* The generation that was recorded before; *ret_found false for the first one. */
int gpc_history_before(struct gpc_history *history, const struct gpc_generation *generation,
		       struct gpc_generation *ret, bool *ret_found, struct gpc_failure *failure);

/*
 * Recording in two steps, so that what can fail (disk full) fails before the flip: prepare stores
 * the image and all objects of the commit; publish moves the branch (one rename).
 */
struct gpc_history_entry {
	const struct gpc_image *image;
	const struct gpc_history_file *files;
	size_t file_count;
	const char *source, *actor;
	const char *result;	 /* NULL: applied */
	const char *inputs;	 /* one input path a line, so that a rebuild compiles the same */
	const char *environment; /* -e ENV or NULL */
	const struct gpc_image *parent; /* --parent or NULL; kept where a backend asks for it */
	const struct gpc_image *running; /* or NULL: its image is kept, recorded or not */
	enum gpc_stance stance;
	bool pending; /* it waits for its confirmation */
	const struct gpc_generation
		*rollback_of; /* or NULL: its sources and inputs are taken over */
	bool upgrade;	      /* it is no rollback: `rollback_of` runs, by another gpc */
	uint32_t at_least;    /* 0, or the least number (the plane may run what was not recorded) */
};
/*
 * *ret_number: the number that this generation will have, newest + 1 or at_least. Needs the lock.
 * Compares with the newest generation that stands for plan.json, as far as its image is still in the store.
 */
int gpc_history_prepare(struct gpc_history *history, const struct gpc_history_entry *entry,
			uint32_t *ret_number, struct gpc_failure *failure);
int gpc_history_publish(struct gpc_history *history, struct gpc_failure *failure);

/* Writes down what became of a recorded generation: CONFIRMED, or ROLLED_BACK for `reason`. Needs the lock. */
int gpc_history_settle(struct gpc_history *history, const struct gpc_generation *generation,
		       enum gpc_result became, const char *reason, const char *actor,
		       struct gpc_failure *failure);
/* The same up to gpc_history_publish(): what can fail on the disk fails here. */
int gpc_history_prepare_settle(struct gpc_history *history, const struct gpc_generation *generation,
			       enum gpc_result became, const char *reason, const char *actor,
			       struct gpc_failure *failure);

/*
 * The image of a generation: from the store, else rebuilt from the commit's sources; then it must be the
 * decision that was recorded, unless that was of another layout, which this gpc does not write.
 */
int gpc_history_image(struct gpc_history *history, const struct gpc_generation *generation,
		      struct gpc_image *ret_image, bool *ret_rebuilt, struct gpc_failure *failure);

/* A file of a generation's commit ("sources/web.yaml", "image.json"); malloc'ed. */
int gpc_history_read(struct gpc_history *history, const struct gpc_generation *generation,
		     const char *path, char **ret_text, size_t *ret_size,
		     struct gpc_failure *failure);
/* Paths of a generation's files, malloc'ed array of malloc'ed strings, sorted. */
int gpc_history_files(struct gpc_history *history, const struct gpc_generation *generation,
		      char ***ret_paths, size_t *ret_count, struct gpc_failure *failure);

/* Unified diff of the sources of two generations (before NULL: nothing); malloc'ed text. */
int gpc_history_diff(struct gpc_history *history, const struct gpc_generation *before,
		     const struct gpc_generation *after, char **ret_text, size_t *ret_size,
		     struct gpc_failure *failure);

#endif
