/* SPDX-License-Identifier: MIT */
/*
 * invariants.h: do the invariants of an image hold (SEMANTICS 8)? Judged over the compiled tables alone, for
 * every packet of both families, by the atlas; so an image that comes from elsewhere is judged like one that
 * was compiled here.
 *
 * Judged is what the image does: policies in audit are absent, `protect` lets through, a rate lets through, bans
 * and built-ins are left out; in stateful chains only packets that open a flow. Where tables are too entangled
 * to be sure, the invariant counts as violated, and `why` says so. With `when: enforced` it is judged over what the
 * image will do once all audit policies enforce as well.
 */
#ifndef GPC_ANALYZE_INVARIANTS_H
#define GPC_ANALYZE_INVARIANTS_H

#include "atlas.h"

enum gpc_standing {
	GPC_STANDING_PASSED,
	GPC_STANDING_DEFERRED,	/* does not hold, would if all audit policies enforced, and `when: enforced` */
	GPC_STANDING_NOT_JUDGED,	/* remap without a parent, or one that knows the backend */
	GPC_STANDING_VIOLATED,
};
#define GPC_STANDINGS 4u

/* "passed", "deferred", "not-judged", "violated" */
const char *gpc_standing_name(enum gpc_standing standing);

/* A packet for which it does not hold: lowest source, destination, protocol, port. */
struct gpc_counterexample {
	struct gpc_question packet;
	const char *interface;		/* where it is looked at, as written */
	enum gpc_direction direction;
	struct gpc_atlas_verdict verdict;
	uint32_t endpoint;		/* ENDPOINT by which a listener leads into `to`, GPC_NONE */
};

struct gpc_proof {
	enum gpc_standing standing;
	bool enforced;			/* DEFERRED, VIOLATED: it would hold if all audit policies enforced */
	bool later;			/* VIOLATED: `when: enforced`, and it holds only until all audit policies enforce */
	bool nothing;			/* PASSED: no packet that is judged is meant by it */
	bool found;			/* there is a counterexample */
	struct gpc_counterexample example;
	uint64_t value[2];		/* remap: hundredths of a percent, rounded up; limits: bytes, loads */
	const char *why;		/* NOT_JUDGED, or VIOLATED because it could not be judged; else NULL */
};

struct gpc_proofs {
	const struct gpc_proof *items;	/* by index of INVARIANT */
	size_t count;
	size_t standing[GPC_STANDINGS];	/* how many of each */
};

/* All of them. `parent`: what `remap` compares with; NULL: none. The result lives in the arena. */
struct gpc_proofs gpc_prove(struct gpc_arena *arena, const struct gpc_image *image,
			    const struct gpc_image *parent);

struct gpc_model;

/*
 * Adds an error E0470 to E0476 for each violated invariant, W0465 for one about nothing, with both places: those of the model, or, without
 * it (NULL), as text from the image's source map. `image_name`: how the image is called in messages then.
 */
void gpc_proofs_report(struct gpc_diags *diags, const struct gpc_image *image,
		       const struct gpc_model *model, const char *image_name,
		       const struct gpc_proofs *proofs);

/* What stands behind an invariant's name in a list: its standing, and why if it did not pass. */
const char *gpc_proof_text(struct gpc_arena *arena, const struct gpc_image *image, uint32_t invariant,
			   const struct gpc_proof *proof);

#endif
