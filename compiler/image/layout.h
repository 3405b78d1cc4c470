/* SPDX-License-Identifier: MIT */
/*
 * layout.h: where everything stands in an image, from the counts alone. The writer follows it and
 * the reader demands it, so there is one way only to lay out given records.
 */
#ifndef GPC_IMAGE_LAYOUT_H
#define GPC_IMAGE_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "gpc/image.h"

struct gpc_layout {
	struct gpc_section section[GPC_SEC_MAX];
	uint32_t decision_offset, decision_size;
	uint32_t provenance_offset, provenance_size;
	uint32_t link_offset, link_size;
	uint32_t size;
};

/* False if the image would exceed GPC_MAX_IMAGE_BYTES; *ret_size then still holds its size. */
bool gpc_layout_compute(const uint32_t counts[GPC_SEC_COUNT], uint64_t provenance_size,
			struct gpc_layout *ret, uint64_t *ret_size);

/* "vip-displacement" */
const char *gpc_section_name(enum gpc_section_id id);
uint32_t gpc_section_entry_size(enum gpc_section_id id);

/* Smallest size class (log2) that holds `size` bytes; size <= GPC_MAX_IMAGE_BYTES. */
uint32_t gpc_size_class(uint64_t size);

/* Where the arrays of the link part stand, from its start; struct gpc_link_head stands at 0. */
struct gpc_link_layout {
	uint32_t device, listener, endpoint, backend, rule;
};
struct gpc_link_layout gpc_link_layout(uint32_t listeners, uint32_t endpoints,
				       uint32_t backends);

/* Fills in head->objects, the frozen directory of image.h, from the sections and the offsets in `head`. */
void gpc_link_describe(const struct gpc_section *directory, struct gpc_link_head *head);

#endif
