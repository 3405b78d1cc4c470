/* SPDX-License-Identifier: MIT */
#include "listener_places.h"

#include "../classify/set.h"
#include "../image/vips.h"
#include "gpc/lookup/vip_entry.h"

struct places {
	struct gpc_arena *arena;
	uint32_t listener;
	uint64_t interfaces, here;	/* here: of the entry that is looked at */
	GPC_VEC(struct gpc_prefix) list;
};

static void note_listener(void *user, uint32_t listener, uint64_t interfaces)
{
	struct places *places = user;

	if (listener == places->listener)
		places->here |= interfaces;
}

static void find_places(const struct gpc_image *image, struct places *places)
{
	uint32_t count;
	const struct gpc_vip *vips = gpc_image_section(image, GPC_SEC_VIP, &count);

	for (uint32_t i = 0; i < count; i++) {
		places->here = 0;
		if (!gpc_vip_is_used(&vips[i]) || gpc_vip_kind(&vips[i]) == GPC_VIP_SOLE)
			continue;
		gpc_image_vip_listeners(image, &vips[i], note_listener, places);
		if (places->here)
			gpc_vip_prefix_of(&vips[i], GPC_PUSH(places->arena, &places->list));
		places->interfaces |= places->here;
	}
}

const char *gpc_listener_places(struct gpc_arena *arena, const struct gpc_image *image, uint32_t listener,
				uint64_t *ret_interfaces)
{
	struct places places = {.arena = arena, .listener = listener};
	const struct gpc_prefix *prefixes;
	char prefix[GPC_PREFIX_TEXT];
	const char *text = "";
	size_t n;

	find_places(image, &places);
	prefixes = gpc_set_prefixes(arena, gpc_set_of_prefixes(arena, places.list.items, places.list.n), &n);
	for (size_t i = 0; i < n; i++)
		text = gpc_arena_printf(arena, "%s%s%s", text, i ? ", " : "",
					gpc_address_format(&prefixes[i], prefix));
	*ret_interfaces = places.interfaces;
	return text;
}
