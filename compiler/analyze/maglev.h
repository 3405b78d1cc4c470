/* SPDX-License-Identifier: MIT */
/*
 * maglev.h: the Maglev tables of an image: what each endpoint has of them, what moved against another
 * image, and what would move if the set of endpoints were another.
 *
 * A share moves with a slot: that of the flows which the table decides, all new ones and those without a
 * flow entry.
 */
#ifndef GPC_ANALYZE_MAGLEV_H
#define GPC_ANALYZE_MAGLEV_H

#include "../image/image_file.h"
#include "../lower/rebalance.h"

/* The endpoints that take new flows from one table, by id, and who of them has which slot. */
struct gpc_pool_view {
	struct gpc_maglev_endpoint *endpoints;	/* value: its index here */
	const char **names;
	size_t count;
	uint32_t *slots;	/* by slot: index of `endpoints`, GPC_SLOT_NOBODY */
	uint32_t *held;		/* by endpoint: number of its slots */
	uint32_t size;
	uint32_t backend;	/* index in the image */
};

/* Of table `table` of the image, in the arena. */
struct gpc_pool_view gpc_pool_view(struct gpc_arena *arena, const struct gpc_image *image,
				   uint32_t table);

/* The table of `other` that stands for the same backend and reach as `table` of `image`; GPC_NONE. */
uint32_t gpc_pool_counterpart(const struct gpc_image *image, uint32_t table,
			      const struct gpc_image *other);

/* Slots that have another endpoint; all of them if the sizes differ. */
uint32_t gpc_pool_moved(const struct gpc_pool_view *before, const struct gpc_pool_view *after);

/* ---- what if ---- */

/* Names are looked up among the pool's; false if there is none, or for add if there is one already. */
bool gpc_pool_remove(struct gpc_pool_view *pool, const char *name);
bool gpc_pool_weight(struct gpc_pool_view *pool, const char *name, uint32_t weight);
/* `owner`: the backend's name, of which the id depends. */
bool gpc_pool_add(struct gpc_arena *arena, struct gpc_pool_view *pool, const char *owner,
		  const char *name, uint32_t weight);

struct gpc_whatif {
	struct gpc_pool_view fresh, minimal;	/* the edited set; tables made in the two ways */
	uint32_t fresh_moved, minimal_moved;
	uint32_t least;		/* by the counts alone (gpc_rebalance_least()) */
};

/* `edited` has at least one endpoint; its slots are still those of before. */
struct gpc_whatif gpc_pool_whatif(struct gpc_arena *arena, const struct gpc_pool_view *edited);

#endif
