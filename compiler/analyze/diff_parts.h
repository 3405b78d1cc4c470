/* SPDX-License-Identifier: MIT */
/* diff_parts.h: what the files of the diff share. For analyze/ only. */
#ifndef GPC_ANALYZE_DIFF_PARTS_H
#define GPC_ANALYZE_DIFF_PARTS_H

#include "diff.h"

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
};

/* An atlas whose sets are the segments of both, the later meaning of a name before the earlier. */
void gpc_diff_pair_open(struct gpc_arena *arena, const struct gpc_image *before,
			const struct gpc_image *after, enum gpc_atlas_scope scope, bool enforced,
			struct gpc_diff_pair *ret);

/* All that is treated differently; false if the atlas cannot say. */
bool gpc_diff_spaces(struct gpc_diff_pair *pair, gpc_diff_space_list *ret);

/* Fills in the services and the radius (so far: their share) of some regions of a place. */
void gpc_diff_services(struct gpc_diff_pair *pair, size_t place, const uint32_t *regions,
		       size_t region_count, struct gpc_diff_space *ret);

/* Maglev tables of backends in both images, those that moved. */
struct gpc_diff_pool *gpc_diff_pools(struct gpc_arena *arena, const struct gpc_image *before,
				     const struct gpc_image *after, size_t *ret_count);

#endif
