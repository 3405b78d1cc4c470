/* SPDX-License-Identifier: MIT */
#include "atlas_sheet.h"

struct gpc_atlas *gpc_atlas_new(struct gpc_arena *arena, const struct gpc_atlas_options *options)
{
	struct gpc_atlas *atlas = GPC_NEW(arena, struct gpc_atlas);

	atlas->arena = arena;
	atlas->options = *options;
	atlas->images = options->images[1] ? 2 : 1;
	if (!atlas->options.aspects)
		atlas->options.aspects = GPC_ATLAS_ALL;
	gpc_atlas_find_places(atlas);
	gpc_atlas_find_atoms(atlas);
	return atlas;
}

const char *gpc_atlas_fault(const struct gpc_atlas *atlas)
{
	return atlas->fault;
}

const struct gpc_atlas_place *gpc_atlas_places(const struct gpc_atlas *atlas, size_t *ret_count)
{
	*ret_count = atlas->place_count;
	return atlas->places;
}

const struct gpc_atlas_atom *gpc_atlas_atoms(const struct gpc_atlas *atlas, enum gpc_atlas_side side,
					     size_t *ret_count)
{
	*ret_count = atlas->atoms[side].count;
	return atlas->atoms[side].items;
}

bool *gpc_atlas_atoms_in(struct gpc_arena *arena, const struct gpc_atlas *atlas, enum gpc_atlas_side side,
			 const uint32_t *sets, size_t set_count)
{
	const struct gpc_atlas_atoms *atoms = &atlas->atoms[side];
	bool *wanted = GPC_NEW_ARRAY(arena, bool, atlas->options.set_count);
	bool *ret = GPC_NEW_ARRAY(arena, bool, atoms->count);

	for (size_t i = 0; i < set_count; i++)
		wanted[sets[i]] = true;
	for (size_t i = 0; i < atoms->count; i++)
		for (size_t k = 0; k < atoms->items[i].member_count && !ret[i]; k++)
			ret[i] = wanted[atoms->items[i].members[k]];
	return ret;
}

bool gpc_atlas_audits(const struct gpc_image *image)
{
	uint32_t count;
	const struct gpc_policy *policies = gpc_image_section(image, GPC_SEC_POLICY, &count);

	for (uint32_t i = 0; i < count; i++)
		if (policies[i].mode == GPC_POLICY_AUDIT)
			return true;
	return false;
}
