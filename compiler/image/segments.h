/* SPDX-License-Identifier: MIT */
/* segments.h: what sets of addresses are called, from the provenance part. It decides nothing. */
#ifndef GPC_IMAGE_SEGMENTS_H
#define GPC_IMAGE_SEGMENTS_H

#include "../classify/set.h"
#include "image_file.h"

struct gpc_image_segment {
	const char *name;
	struct gpc_set set;
};
#define GPC_MAX_SEGMENT_PREFIXES 4096u	/* one of more stands in no image */
#define GPC_MAX_NAMED_PREFIXES 65536u	/* of all that do; the smallest first */

/*
 * The segments that the provenance names, by name, in `arena`. What is odd is left out; an image
 * without them, as older ones are, has none.
 */
struct gpc_image_segment *gpc_image_segments(const struct gpc_image *image, struct gpc_arena *arena,
					     size_t *ret_count);

#endif
