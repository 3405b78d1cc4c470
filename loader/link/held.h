/* SPDX-License-Identifier: MIT */
/*
 * held.h: what an image that is still in use occupies: slots by identity. Reads only what image.h
 * freezes, so the image may be another gpc's; one that lies costs bounded time and occupies nonsense.
 */
#ifndef GPC_LOADER_LINK_HELD_H
#define GPC_LOADER_LINK_HELD_H

#include <stdbool.h>
#include <stdint.h>

#include "gpc/lookup/view.h"

/* Of one object. */
struct gpc_held_object {
	uint64_t id;
	uint32_t counter;
	uint32_t rate, buckets;		/* buckets 0: none, or of a kind without rates */
};

/* Was the image linked, by whatever gpc? */
bool gpc_held_linked(struct gpc_view view);
/* Has it the layouts of this gpc? */
bool gpc_held_own(struct gpc_view view);

uint32_t gpc_held_count(struct gpc_view view, enum gpc_linked_kind kind);
struct gpc_held_object gpc_held_at(struct gpc_view view, enum gpc_linked_kind kind, uint32_t index);

#endif
