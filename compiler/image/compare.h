/* SPDX-License-Identifier: MIT */
/*
 * compare.h: how the bytes that somebody holds differ from an image, entry by entry. For `verify`:
 * the image is the one that should be there, the bytes are the kernel's and are trusted in nothing.
 */
#ifndef GPC_IMAGE_COMPARE_H
#define GPC_IMAGE_COMPARE_H

#include "image_file.h"

struct gpc_image_difference {
	char what[256];		/* "maglev slot 17 of backend `web`: image web-1, kernel web-2" */
	uint64_t object;	/* id of the object to look for with gpc_image_place(); 0: none */
};

struct gpc_image_comparison {
	const char *image_label, *bytes_label;	/* "image", "kernel" */
	struct gpc_image_difference *ret;	/* the first `max` differences */
	size_t max;
};

/*
 * Compares all but the link part. `bytes` has at least `size` of them; bytes missing behind `size` are
 * one difference. Returns the number of entries (records, slots, names, stretches of padding) that
 * differ; 0: equal.
 */
size_t gpc_image_compare(const struct gpc_image *image, const void *bytes, size_t size,
			 const struct gpc_image_comparison *comparison);

#endif
