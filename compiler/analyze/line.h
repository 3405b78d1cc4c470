/* SPDX-License-Identifier: MIT */
/*
 * line.h: the addresses of one side as the tries of an image tell them apart: the line of 128 bits (set.h) as
 * ascending intervals with their classes. For analyze/ only.
 */
#ifndef GPC_ANALYZE_LINE_H
#define GPC_ANALYZE_LINE_H

#include "../classify/partition.h"
#include "../image/image_file.h"

#define GPC_LINE_V4_FIRST ((struct gpc_point){0, 0xffff00000000ull})	/* ::ffff:0:0 */
#define GPC_LINE_V6_AGAIN ((struct gpc_point){0, 0x1000000000000ull})	/* the first behind ::ffff:0:0/96 */

struct gpc_line {
	struct gpc_interval *intervals;	/* the first begins at 0; one begins at each border of the v4 block */
	size_t count;
};

/* `side`: 0 source, 1 destination. False: more than `most` intervals. An image without tries has one class, 0. */
bool gpc_line_of_tries(struct gpc_arena *arena, const struct gpc_image *image, uint32_t side, size_t most,
		       struct gpc_line *ret);

static inline int gpc_point_compare(struct gpc_point a, struct gpc_point b)
{
	if (a.high != b.high)
		return a.high < b.high ? -1 : 1;
	return a.low < b.low ? -1 : a.low > b.low;
}

#endif
