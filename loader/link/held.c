/* SPDX-License-Identifier: MIT */
#include "held.h"

#include <string.h>

static const struct gpc_image_head *head_of(struct gpc_view view)
{
	return (const struct gpc_image_head *)view.base;
}

static const struct gpc_link_head *link_of(struct gpc_view view)
{
	return (const struct gpc_link_head *)(view.base + head_of(view)->link_offset);
}

bool gpc_held_linked(struct gpc_view view)
{
	const struct gpc_image_head *head = head_of(view);

	return head->magic == GPC_IMAGE_MAGIC &&
	       head->link_offset <= view.mask + 1 - sizeof(struct gpc_link_head) &&
	       !(head->link_offset % GPC_PAGE) && link_of(view)->magic == GPC_LINK_MAGIC;
}

bool gpc_held_own(struct gpc_view view)
{
	return gpc_held_linked(view) && head_of(view)->version == GPC_IMAGE_VERSION &&
	       head_of(view)->abi == GPC_ABI_HASH;
}

static const struct gpc_linked_objects *objects_of(struct gpc_view view, enum gpc_linked_kind kind)
{
	return &link_of(view)->objects[kind];
}

static bool lies_inside(struct gpc_view view, uint64_t at, uint64_t size, uint64_t count,
			uint64_t least)
{
	return size >= least && count <= (view.mask + 1) / size &&
	       at <= view.mask + 1 - count * size;
}

uint32_t gpc_held_count(struct gpc_view view, enum gpc_linked_kind kind)
{
	const struct gpc_linked_objects *objects = objects_of(view, kind);

	if (!lies_inside(view, objects->record, objects->record_size, objects->count,
			 sizeof(uint64_t)) ||
	    !lies_inside(view, objects->link, objects->link_size, objects->count,
			 3 * sizeof(uint32_t)))
		return 0;
	return objects->count;
}

struct gpc_held_object gpc_held_at(struct gpc_view view, enum gpc_linked_kind kind, uint32_t index)
{
	const struct gpc_linked_objects *objects = objects_of(view, kind);
	struct gpc_held_object object = {0};
	uint32_t words[3];

	memcpy(&object.id, view.base + objects->record + (size_t)index * objects->record_size,
	       sizeof(object.id));
	memcpy(words, view.base + objects->link + (size_t)index * objects->link_size,
	       sizeof(words));
	object.counter = words[0];
	if ((kind == GPC_LINKED_LISTENER || kind == GPC_LINKED_RULE) && words[1] != GPC_NONE) {
		object.rate = words[1];
		object.buckets = words[2];
	}
	return object;
}
