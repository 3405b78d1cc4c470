/* SPDX-License-Identifier: MIT */
/*
 * matrix.h: what an image lets through at one place, from each segment to each, exactly. Segments may overlap: an
 * address counts in each that holds it. So a cell is about all pairs of an address of the one and an address of the
 * other: what passes between each such pair, what passes between some, and by their lack nothing else.
 *
 * The last segment is OTHER: all addresses that no segment holds.
 */
#ifndef GPC_ANALYZE_MATRIX_H
#define GPC_ANALYZE_MATRIX_H

#include "../image/segments.h"
#include "atlas.h"

struct gpc_matrix_options {
	const struct gpc_image *image;
	uint32_t interface;	/* index of INTERFACE */
	enum gpc_direction direction;
	bool enforce_audit;	/* audit policies decide */
};

struct gpc_matrix_cell {
	bool possible;		/* are there two addresses of one family? */
	bool all, none;		/* every packet passes; none does, between no pair */
	uint32_t always, partly;	/* regions: between each pair; between some, not all */
};

struct gpc_matrix {
	const struct gpc_image_segment *segments;
	size_t count;		/* with OTHER */
	const struct gpc_matrix_cell *cells;	/* from * count + to */
	struct gpc_atlas *atlas;
	size_t place;
};

#define GPC_MATRIX_OTHER "(other)"
#define GPC_MATRIX_SEGMENTS 1000u	/* most that a matrix is made of */

/* NULL, or why there is none. Everything lives in the arena. */
const char *gpc_matrix_make(struct gpc_arena *arena, const struct gpc_matrix_options *options,
			    struct gpc_matrix *ret);

/* "tcp/443, udp/53": the boxes of a region; in the arena. At most `most` of them, then "and N more". */
const char *gpc_matrix_region(struct gpc_arena *arena, const struct gpc_matrix *matrix, uint32_t region, size_t most);

/* "all", "none", "tcp/443", "tcp/443; partly udp/53", "-" (no such packets). */
const char *gpc_matrix_text(struct gpc_arena *arena, const struct gpc_matrix *matrix,
			    const struct gpc_matrix_cell *cell, size_t most);

#endif
