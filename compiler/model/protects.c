/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "gpc/image.h"
#include "id.h"
#include "resolve.h"

static int by_name(const void *a, const void *b)
{
	const struct gpc_protect_intent *const *x = a, *const *y = b;

	return strcmp((*x)->name.text, (*y)->name.text);
}

static void resolve_boxes(struct gpc_resolver *resolver, const struct gpc_protect_intent *from,
			  struct gpc_model_protect *protect, struct gpc_boxes_made ret[2])
{
	struct gpc_side source, destination;
	struct gpc_asked asked;

	source = gpc_resolve_selector(resolver, &from->from, true, "protect", protect->name);
	destination =
		gpc_resolve_selector(resolver, &from->to, from->ports.n, "protect", protect->name);
	if (source.wrong || destination.wrong)
		return;
	gpc_resolve_asked(&from->ports, NULL, &asked);
	ret[0] = gpc_resolve_boxes(resolver, &source, &destination, &asked, from->at);
	ret[1] = gpc_resolve_exchanged(resolver, &ret[0]);
	protect->boxes = ret[0].boxes;
	protect->exchanged = ret[1].boxes;
	protect->box_count = protect->exchanged_count = ret[0].count;
	protect->never = ret[0].never;
}

static struct gpc_model_protect build_protect(struct gpc_resolver *resolver,
					      const struct gpc_protect_intent *from,
					      struct gpc_boxes_made made[2])
{
	struct gpc_model_protect protect = {
		.id = gpc_stable_id(GPC_KIND_PROTECT, NULL, from->name.text),
		.name = from->name.text,
		.interfaces = gpc_model_interface_mask(resolver->diags, resolver->model,
						       from->interfaces.items, from->interfaces.n,
						       "protect", from->name.text),
		.direction = from->direction.set ? (enum gpc_direction)from->direction.value
						 : GPC_INGRESS,
		.at = from->at,
	};

	resolve_boxes(resolver, from, &protect, made);
	return protect;
}

void gpc_model_protects(struct gpc_resolver *resolver)
{
	const struct gpc_intent *intent = resolver->intent;
	struct gpc_model *model = resolver->model;
	struct gpc_arena *arena = resolver->diags->arena;
	size_t count = intent->protect.n;
	const struct gpc_protect_intent **sorted =
		GPC_NEW_ARRAY(arena, const struct gpc_protect_intent *, count);

	if (count > GPC_MAX_PROTECT)
		gpc_diag(resolver->diags, GPC_E0415, intent->protect.items[GPC_MAX_PROTECT].at,
			 "%zu `protect` items, the most is %u", count, GPC_MAX_PROTECT);
	for (size_t i = 0; i < count; i++)
		sorted[i] = &intent->protect.items[i];
	if (count)
		qsort(sorted, count, sizeof(*sorted), by_name);
	model->protects = GPC_NEW_ARRAY(arena, struct gpc_model_protect, count);
	model->protect_count = count;
	for (size_t i = 0; i < count; i++)
		model->protects[i] = build_protect(resolver, sorted[i],
						   &resolver->made[intent->rules.n + 2 * i]);
}
