/* SPDX-License-Identifier: MIT */
/*
 * party.h: a set of addresses of an atlas in words: by the names of the caller's sets where they lie wholly
 * inside of it, by the fewest prefixes for the rest. Exact: what the words mean is the set, neither more nor
 * less. Names that say nothing new are left out.
 */
#ifndef GPC_ANALYZE_PARTY_H
#define GPC_ANALYZE_PARTY_H

#include "atlas.h"

struct gpc_party {
	bool but;			/* everything but what follows; nothing follows: any */
	const char *const *names;	/* sorted */
	size_t name_count;
	const struct gpc_prefix *prefixes;
	size_t prefix_count;
};

struct gpc_namer;
/* `names`: of the sets that the atlas was given; a NULL is never used. All outlive the namer. */
struct gpc_namer *gpc_namer_new(struct gpc_arena *arena, struct gpc_atlas *atlas,
				const char *const *names, size_t count);

#define GPC_NAMER_V4	(1u << GPC_V4)
#define GPC_NAMER_V6	(1u << GPC_V6)
#define GPC_NAMER_BOTH	(GPC_NAMER_V4 | GPC_NAMER_V6)
/* `families`: those that count; whether addresses of the other one are in it is all the same. */
struct gpc_party gpc_namer_words(struct gpc_namer *namer, enum gpc_atlas_side side,
				 const uint32_t *atoms, size_t count, unsigned int families);

/* How many words it takes. */
size_t gpc_party_terms(const struct gpc_party *party);
/* Families of the addresses that the words mean. */
unsigned int gpc_party_families(const struct gpc_namer *namer, enum gpc_atlas_side side,
				const uint32_t *atoms, size_t count);
/* Share of a family's addresses, of the family where it is greater. */
double gpc_namer_share(const struct gpc_namer *namer, enum gpc_atlas_side side,
		       const uint32_t *atoms, size_t count);

/* "any", "app, 10.0.0.0/8", "any but db"; of more than `most` terms (0: all) the rest is counted. */
const char *gpc_party_text(struct gpc_arena *arena, const struct gpc_party *party, size_t most);

#endif
