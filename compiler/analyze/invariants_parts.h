/* SPDX-License-Identifier: MIT */
/* invariants_parts.h: what the parts of gpc_prove() share, for invariants*.c only. */
#ifndef GPC_ANALYZE_INVARIANTS_PARTS_H
#define GPC_ANALYZE_INVARIANTS_PARTS_H

#include "../image/invariants.h"
#include "invariants.h"

struct gpc_prover {
	struct gpc_arena *arena;
	const struct gpc_image *image, *parent;
	const uint32_t *words;
	struct gpc_set *sets;		/* of the words, in their order */
	struct gpc_service *services;
	uint32_t *set_words, *service_words;	/* where each starts, ascending */
	uint32_t set_count, service_count;
	struct gpc_atlas *atlas[2];	/* as it is; with all audit policies enforced. NULL: not asked for yet */
	bool **members[2][2];		/* by atlas, side, set: which atoms; NULL: not asked for yet */
};

enum gpc_prove_result {
	GPC_PROVE_HOLDS,
	GPC_PROVE_FAILS,
	GPC_PROVE_ENTANGLED
};

/* never, always, only. `enforced`: with all audit policies enforced. *ret only on FAILS, *ret_why else. */
enum gpc_prove_result gpc_prove_packets(struct gpc_prover *prover, const struct gpc_invariant *invariant,
					bool enforced, struct gpc_counterexample *ret,
					const char **ret_why);

/* Does one of these mean no packet at all that is judged (none that opens a flow, where all are stateful)? */
bool gpc_prove_is_about_nothing(struct gpc_prover *prover, const struct gpc_invariant *invariant);

/* remap and limits: standing, value, why. */
void gpc_prove_remap(struct gpc_prover *prover, const struct gpc_invariant *invariant,
		     struct gpc_proof *ret);
void gpc_prove_limits(struct gpc_prover *prover, const struct gpc_invariant *invariant,
		      struct gpc_proof *ret);

/* Where a packet to this listener may go: into the set? The first such endpoint, GPC_NONE. */
uint32_t gpc_listener_endpoint_in(const struct gpc_image *image, uint32_t listener, struct gpc_set set);

#endif
