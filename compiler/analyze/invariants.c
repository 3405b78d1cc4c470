/* SPDX-License-Identifier: MIT */
#include "invariants.h"

#include "gpc/lookup/chain.h"
#include "invariants_parts.h"

const char *gpc_standing_name(enum gpc_standing standing)
{
	static const char *const names[GPC_STANDINGS] = {
		[GPC_STANDING_PASSED] = "passed",
		[GPC_STANDING_DEFERRED] = "deferred",
		[GPC_STANDING_NOT_JUDGED] = "not-judged",
		[GPC_STANDING_VIOLATED] = "violated",
	};

	return names[standing];
}

/* ---- the words ---- */

static uint32_t read_sets(struct gpc_prover *prover, uint32_t at)
{
	for (uint32_t i = 0; i < prover->set_count; i++) {
		prover->set_words[i] = at;
		prover->sets[i] = gpc_invariant_set(prover->words, at);
		at += 1 + (uint32_t)(prover->sets[i].count * GPC_INVARIANT_RANGE_WORDS);
	}
	return at;
}

static struct gpc_service read_service(struct gpc_prover *prover, uint32_t at)
{
	uint32_t count = gpc_invariant_items(prover->words, at);
	struct gpc_service_item *items = GPC_NEW_ARRAY(prover->arena, struct gpc_service_item, count);

	for (uint32_t i = 0; i < count; i++) {
		struct gpc_invariant_item item = gpc_invariant_item(prover->words, at, i);

		items[i] = (struct gpc_service_item){item.protocol_first, item.protocol_last,
						     GPC_ANY_PORT, {item.first, item.last}};
	}
	return (struct gpc_service){items, count, GPC_MATCH_ANY};
}

static void read_words(struct gpc_prover *prover)
{
	uint32_t at = GPC_INVARIANT_HEAD_WORDS;

	prover->set_count = prover->words[0];
	prover->service_count = prover->words[1];
	prover->sets = GPC_NEW_ARRAY(prover->arena, struct gpc_set, prover->set_count);
	prover->set_words = GPC_NEW_ARRAY(prover->arena, uint32_t, prover->set_count);
	prover->services = GPC_NEW_ARRAY(prover->arena, struct gpc_service, prover->service_count);
	prover->service_words = GPC_NEW_ARRAY(prover->arena, uint32_t, prover->service_count);
	at = read_sets(prover, at);
	for (uint32_t i = 0; i < prover->service_count; i++) {
		prover->service_words[i] = at;
		prover->services[i] = read_service(prover, at);
		at += 1 + (uint32_t)prover->services[i].count * GPC_INVARIANT_ITEM_WORDS;
	}
}

/* ---- verdicts ---- */

/* What holds as it is. */
static void prove_later(struct gpc_prover *prover, const struct gpc_invariant *invariant,
			struct gpc_proof *proof)
{
	bool audits = gpc_atlas_audits(prover->image);
	enum gpc_prove_result then = GPC_PROVE_HOLDS;

	if (invariant->flags & GPC_INVARIANT_ENFORCED && audits)
		then = gpc_prove_packets(prover, invariant, true, &proof->example, &proof->why);
	proof->later = then != GPC_PROVE_HOLDS;
	proof->found = then == GPC_PROVE_FAILS;
	proof->standing = proof->later ? GPC_STANDING_VIOLATED : GPC_STANDING_PASSED;
	proof->nothing = !proof->later && gpc_prove_is_about_nothing(prover, invariant);
}

static void prove_packets(struct gpc_prover *prover, const struct gpc_invariant *invariant,
			  struct gpc_proof *proof)
{
	struct gpc_counterexample unused;
	const char *why;

	switch (gpc_prove_packets(prover, invariant, false, &proof->example, &proof->why)) {
	case GPC_PROVE_HOLDS:
		prove_later(prover, invariant, proof);
		return;
	case GPC_PROVE_ENTANGLED:
		proof->standing = GPC_STANDING_VIOLATED;
		return;
	case GPC_PROVE_FAILS:
		break;
	}
	proof->found = true;
	proof->enforced = gpc_atlas_audits(prover->image) &&
			  gpc_prove_packets(prover, invariant, true, &unused, &why) ==
				  GPC_PROVE_HOLDS;
	proof->standing = proof->enforced && invariant->flags & GPC_INVARIANT_ENFORCED
				  ? GPC_STANDING_DEFERRED
				  : GPC_STANDING_VIOLATED;
}

static struct gpc_proof prove(struct gpc_prover *prover, const struct gpc_invariant *invariant)
{
	struct gpc_proof proof = {.standing = GPC_STANDING_PASSED,
				  .example = {.endpoint = GPC_NONE}};

	if (invariant->form == GPC_INVARIANT_REMAP)
		gpc_prove_remap(prover, invariant, &proof);
	else if (invariant->form == GPC_INVARIANT_LIMITS)
		gpc_prove_limits(prover, invariant, &proof);
	else
		prove_packets(prover, invariant, &proof);
	return proof;
}

struct gpc_proofs gpc_prove(struct gpc_arena *arena, const struct gpc_image *image,
			    const struct gpc_image *parent)
{
	struct gpc_prover prover = {.arena = arena, .image = image, .parent = parent};
	uint32_t count, words;
	const struct gpc_invariant *invariants = gpc_image_section(image, GPC_SEC_INVARIANT, &count);
	struct gpc_proof *proofs = GPC_NEW_ARRAY(arena, struct gpc_proof, count);
	struct gpc_proofs result = {.items = proofs, .count = count};

	prover.words = gpc_image_section(image, GPC_SEC_INVARIANT_WORDS, &words);
	if (count)
		read_words(&prover);
	for (uint32_t i = 0; i < count; i++) {
		proofs[i] = prove(&prover, &invariants[i]);
		result.standing[proofs[i].standing]++;
	}
	return result;
}
