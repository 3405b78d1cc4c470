/* SPDX-License-Identifier: MIT */
/* diff_parts.h: what the files of the diff share. For analyze/ only. */
#ifndef GPC_ANALYZE_DIFF_PARTS_H
#define GPC_ANALYZE_DIFF_PARTS_H

#include "diff.h"
#include "intern.h"

typedef GPC_VEC(struct gpc_diff_space) gpc_diff_space_list;

/* What two images are compared by. */
struct gpc_diff_pair {
	struct gpc_arena *arena;
	const struct gpc_image *images[2];
	struct gpc_atlas *atlas;
	struct gpc_namer *namer;
	const struct gpc_atlas_place *places;
	size_t place_count;
	bool enforced;
	struct gpc_intern *moves;	/* what is told of before and after: listeners, marks, rates, answers */
};

typedef GPC_VEC(struct gpc_atlas_piece) gpc_diff_piece_list;

/* Pieces of one effect and one move. */
struct gpc_diff_group {
	enum gpc_diff_effect effect;
	uint32_t move;
	gpc_diff_piece_list pieces;
};

/* An atlas whose sets are the segments of both, the later meaning of a name before the earlier. */
void gpc_diff_pair_open(struct gpc_arena *arena, const struct gpc_image *before,
			const struct gpc_image *after, enum gpc_atlas_scope scope, bool enforced,
			struct gpc_intern *moves, struct gpc_diff_pair *ret);

/*
 * All that is treated differently; false if an atlas cannot say. `now`: where audit does not enforce; what is so
 * there is left out. NULL: nothing is.
 */
bool gpc_diff_spaces(struct gpc_diff_pair *pair, struct gpc_diff_pair *now, gpc_diff_space_list *ret);

/* Has the piece the effect, and which move, of pair->moves? */
bool gpc_diff_effect_of(const struct gpc_diff_pair *pair, const struct gpc_atlas_piece *piece,
			enum gpc_diff_effect effect, uint32_t *ret_move);

/*
 * `these` without `without`, with one region for each pair of addresses, in order of their witnesses. False: they are
 * too many.
 */
bool gpc_diff_joint(struct gpc_diff_pair *pair, size_t place, const gpc_diff_piece_list *these,
		    const gpc_diff_piece_list *without, gpc_diff_piece_list *ret);

/* Fills in the services and the radius (so far: their share) of a region of a place. */
void gpc_diff_services(struct gpc_diff_pair *pair, size_t place, uint32_t region, struct gpc_diff_space *ret);

/* Maglev tables of backends in both images, those that moved. */
struct gpc_diff_pool *gpc_diff_pools(struct gpc_arena *arena, const struct gpc_image *before,
				     const struct gpc_image *after, size_t *ret_count);

#endif
