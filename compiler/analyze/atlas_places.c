/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "atlas_sheet.h"

static const struct gpc_chain *chain_at(const struct gpc_image *image, uint32_t interface, enum gpc_direction direction)
{
	uint32_t count;
	const struct gpc_chain *chains = gpc_image_section(image, GPC_SEC_CHAIN, &count);

	for (uint32_t i = 0; i < count; i++)
		if (chains[i].interface == interface && chains[i].direction == direction)
			return &chains[i];
	return NULL;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names of the interfaces of all images, each once, sorted. */
static size_t names_of(struct gpc_atlas *atlas, const char *names[2 * GPC_MAX_INTERFACES])
{
	size_t n = 0, kept = 0;

	for (unsigned int i = 0; i < atlas->images; i++) {
		uint32_t count;
		const struct gpc_interface *items =
			gpc_image_section(atlas->options.images[i], GPC_SEC_INTERFACE, &count);

		for (uint32_t k = 0; k < count && k < GPC_MAX_INTERFACES; k++)
			names[n++] = gpc_image_name(atlas->options.images[i], items[k].name);
	}
	qsort(names, n, sizeof(*names), by_name);
	for (size_t i = 0; i < n; i++)
		if (!kept || strcmp(names[kept - 1], names[i]))
			names[kept++] = names[i];
	return kept;
}

/* Do all listeners treat the interfaces alike? */
static bool listened_alike(const struct gpc_image *image, uint32_t a, uint32_t b)
{
	uint32_t count;
	const struct gpc_vip *vips = gpc_image_section(image, GPC_SEC_VIP, &count);
	const struct gpc_vip_ports *ports;
	const struct gpc_vip_choice *choices;
	uint64_t differ = 0;

	for (uint32_t i = 0; i < count; i++)
		if ((vips[i].flags & GPC_VIP_KIND) != GPC_VIP_PORTS)
			differ |= vips[i].interfaces >> a ^ vips[i].interfaces >> b;
	ports = gpc_image_section(image, GPC_SEC_VIP_PORTS, &count);
	for (uint32_t i = 0; i < count; i++)
		differ |= ports[i].interfaces >> a ^ ports[i].interfaces >> b;
	choices = gpc_image_section(image, GPC_SEC_VIP_CHOICE, &count);
	for (uint32_t i = 0; i < count; i++)
		differ |= choices[i].interfaces >> a ^ choices[i].interfaces >> b;
	return !(differ & 1);
}

static bool same_policies(const struct gpc_chain *a, const struct gpc_chain *b)
{
	if (!a || !b)
		return a == b;
	return a->flags == b->flags && a->policies == b->policies && a->protect == b->protect &&
	       a->protect_base == b->protect_base && !memcmp(a->policy, b->policy, sizeof(a->policy));
}

static bool alike(const struct gpc_atlas *atlas, const struct gpc_atlas_place *a, const struct gpc_atlas_place *b)
{
	if (a->direction != b->direction)
		return false;
	for (unsigned int i = 0; i < atlas->images; i++) {
		if ((a->index[i] == GPC_NONE) != (b->index[i] == GPC_NONE) ||
		    !same_policies(a->chain[i], b->chain[i]))
			return false;
		if (a->direction == GPC_INGRESS && a->index[i] != GPC_NONE &&
		    !listened_alike(atlas->options.images[i], a->index[i], b->index[i]))
			return false;
	}
	return true;
}

void gpc_atlas_find_places(struct gpc_atlas *atlas)
{
	const char *names[2 * GPC_MAX_INTERFACES];
	size_t count = names_of(atlas, names);

	atlas->places = GPC_NEW_ARRAY(atlas->arena, struct gpc_atlas_place, 2 * count);
	for (size_t i = 0; i < 2 * count; i++) {
		struct gpc_atlas_place *place = &atlas->places[i];

		*place = (struct gpc_atlas_place){.interface = names[i / 2],
						  .direction = i % 2 ? GPC_EGRESS : GPC_INGRESS,
						  .index = {GPC_NONE, GPC_NONE}};
		for (unsigned int k = 0; k < atlas->images; k++) {
			place->index[k] = gpc_image_interface(atlas->options.images[k], place->interface);
			if (place->index[k] != GPC_NONE)
				place->chain[k] = chain_at(atlas->options.images[k], place->index[k],
							   place->direction);
		}
		while (place->alike < i && !alike(atlas, &atlas->places[place->alike], place))
			place->alike++;
	}
	atlas->place_count = 2 * count;
	atlas->sheets = GPC_NEW_ARRAY(atlas->arena, struct gpc_atlas_sheet *, 2 * count);
}
