/* SPDX-License-Identifier: MIT */
/* from x to x asked -> boxes; and what of the space the boxes need. */
#include <netinet/in.h>
#include <string.h>

#include "gpc/image.h"
#include "resolve.h"

void gpc_resolver_init(struct gpc_resolver *resolver, struct gpc_diags *diags,
		       const struct gpc_intent *intent, struct gpc_model *model)
{
	*resolver = (struct gpc_resolver){.diags = diags, .intent = intent, .model = model};
	gpc_space_init(&resolver->space, diags->arena);
	resolver->made_count = intent->rules.n + 2 * intent->protect.n;
	resolver->made = GPC_NEW_ARRAY(diags->arena, struct gpc_boxes_made, resolver->made_count);
	resolver->invariant_count = 2 * intent->invariants.n;
	resolver->invariants =
		GPC_NEW_ARRAY(diags->arena, struct gpc_boxes_made, resolver->invariant_count);
}

void gpc_resolver_check_full(struct gpc_resolver *resolver, struct gpc_place at)
{
	if (!resolver->space.full || resolver->told_full)
		return;
	resolver->told_full = true;
	gpc_diag(resolver->diags, GPC_E0418, at,
		 "all address sets of the plane together hold more than %u ranges",
		 GPC_MAX_SET_RANGES);
}

/* ---- boxes ---- */

/* Room for all boxes of one rule; NULL after an error. */
static struct gpc_box *new_boxes(struct gpc_resolver *resolver, size_t count, struct gpc_place at)
{
	if (count > GPC_MAX_RULE_BOXES - resolver->boxes) {
		if (!resolver->told_boxes)
			gpc_diag(resolver->diags, GPC_E0419, at,
				 "rules to listeners make more than %u combinations",
				 GPC_MAX_RULE_BOXES);
		resolver->told_boxes = true;
		return NULL;
	}
	resolver->boxes += count;
	return GPC_NEW_ARRAY(resolver->diags->arena, struct gpc_box, count);
}

/* The boxes of one rule in the making; what speaks against the last one that was left out. */
struct making {
	struct gpc_resolver *resolver;
	uint32_t source;
	struct gpc_match match;
	bool across;
	struct gpc_boxes_made made;
};

static enum gpc_never why_nothing_is_asked(const struct gpc_match *match)
{
	return match->tcp_flags != UINT16_MAX && match->fragments != 1u << GPC_FRAGMENT_LATER
		       ? GPC_NEVER_TCP_FLAGS
		       : GPC_NEVER_FRAGMENTS;
}

/* Changes `items`. */
static void add_box(struct making *making, uint32_t destination, struct gpc_service_item *items,
		    size_t count)
{
	struct gpc_space_builder *space = &making->resolver->space;
	struct gpc_service service = {items, 0, making->match};

	if (!space->sets.items[making->source].count)
		making->made.never = GPC_NEVER_FROM;
	else if (!space->sets.items[destination].count)
		making->made.never = GPC_NEVER_TO;
	else if (!making->across &&
		 !(space->families.items[making->source] & space->families.items[destination]))
		making->made.never = GPC_NEVER_FAMILIES;
	else if (!(service.count = gpc_service_normalise(items, count, &making->match)))
		making->made.never = why_nothing_is_asked(&making->match);
	else
		making->made.boxes[making->made.count++] = (struct gpc_box){
			making->source, destination, gpc_space_service(space, &service), 0};
}

/* As many items as the largest target has; the same room for every rule. */
static struct gpc_service_item *scratch_items(struct gpc_resolver *resolver, size_t count)
{
	if (resolver->scratch_room < count) {
		resolver->scratch_room = 2 * count;
		resolver->scratch = GPC_NEW_ARRAY(resolver->diags->arena, struct gpc_service_item,
						  resolver->scratch_room);
	}
	return resolver->scratch;
}

static void add_targets(struct making *making, const struct gpc_listeners_answer *answer)
{
	for (size_t i = 0; i < answer->count; i++) {
		const struct gpc_target *target = &answer->targets[i];
		struct gpc_service_item *items = scratch_items(making->resolver, target->count);

		memcpy(items, target->items, target->count * sizeof(*items));
		add_box(making, target->set, items, target->count);
	}
}

struct gpc_boxes_made gpc_resolve_boxes(struct gpc_resolver *resolver, const struct gpc_side *from,
					const struct gpc_side *to, struct gpc_asked *asked,
					struct gpc_place at)
{
	struct making making = {resolver, from->set, asked->match, asked->across, {0}};
	size_t count = to->set != GPC_NONE;

	for (size_t i = 0; i < to->listener_count; i++)
		count += to->listeners[i]->count;
	making.made.boxes = new_boxes(resolver, count, at);
	if (!making.made.boxes)
		return making.made;
	if (to->set != GPC_NONE)
		add_box(&making, to->set, asked->items, asked->count);
	for (size_t i = 0; i < to->listener_count; i++)
		add_targets(&making, to->listeners[i]);
	if (making.made.count)
		making.made.never = GPC_NEVER_NOT;
	return making.made;
}

/* ---- exchanged ---- */

/* ICMP has its type where others have their port; it stays (there is no other side of it). */
static struct gpc_service_item exchanged_item(struct gpc_service_item item)
{
	struct gpc_port_range source = item.source;

	if (item.protocol_first == item.protocol_last &&
	    (item.protocol_first == IPPROTO_ICMP || item.protocol_first == IPPROTO_ICMPV6))
		return item;
	item.source = item.destination;
	item.destination = source;
	return item;
}

struct gpc_boxes_made gpc_resolve_exchanged(struct gpc_resolver *resolver,
					    const struct gpc_boxes_made *from)
{
	struct gpc_arena *arena = resolver->diags->arena;
	struct gpc_boxes_made made = {GPC_NEW_ARRAY(arena, struct gpc_box, from->count),
				      from->count, from->never};

	for (size_t i = 0; i < from->count; i++) {
		const struct gpc_box *box = &from->boxes[i];
		struct gpc_service service = resolver->space.services.items[box->service];
		struct gpc_service_item *items =
			GPC_NEW_ARRAY(arena, struct gpc_service_item, service.count);

		for (size_t k = 0; k < service.count; k++)
			items[k] = exchanged_item(service.items[k]);
		service.items = items;
		made.boxes[i] = (struct gpc_box){box->destination, box->source,
						 gpc_space_service(&resolver->space, &service), 0};
	}
	return made;
}

/* ---- the space of the model ---- */

struct renumbering {
	uint32_t *sets, *services; /* old number -> new number, GPC_NONE: not needed yet */
	size_t set_count, service_count;
};

static uint32_t renumber(uint32_t *numbers, uint32_t old, size_t *count)
{
	if (numbers[old] == GPC_NONE)
		numbers[old] = (uint32_t)(*count)++;
	return numbers[old];
}

static void renumber_boxes(struct renumbering *by, const struct gpc_boxes_made *made)
{
	for (size_t i = 0; i < made->count; i++) {
		struct gpc_box *box = &made->boxes[i];

		box->source = renumber(by->sets, box->source, &by->set_count);
		box->destination = renumber(by->sets, box->destination, &by->set_count);
		box->service = renumber(by->services, box->service, &by->service_count);
	}
}

static uint32_t *unnumbered(struct gpc_arena *arena, size_t count)
{
	uint32_t *numbers = GPC_NEW_ARRAY(arena, uint32_t, count);

	for (size_t i = 0; i < count; i++)
		numbers[i] = GPC_NONE;
	return numbers;
}

static struct gpc_space fill_space(const struct gpc_resolver *resolver, const struct renumbering *by)
{
	const struct gpc_space_builder *from = &resolver->space;
	struct gpc_arena *arena = resolver->diags->arena;
	struct gpc_set *sets = GPC_NEW_ARRAY(arena, struct gpc_set, by->set_count);
	struct gpc_service *services = GPC_NEW_ARRAY(arena, struct gpc_service, by->service_count);

	for (size_t i = 0; i < from->sets.n; i++)
		if (by->sets[i] != GPC_NONE)
			sets[by->sets[i]] = from->sets.items[i];
	for (size_t i = 0; i < from->services.n; i++)
		if (by->services[i] != GPC_NONE)
			services[by->services[i]] = from->services.items[i];
	return (struct gpc_space){sets, by->set_count, services, by->service_count};
}

static struct gpc_space space_of(struct gpc_resolver *resolver, const struct gpc_boxes_made *made,
				 size_t count)
{
	struct gpc_arena *arena = resolver->diags->arena;
	struct renumbering by = {
		.sets = unnumbered(arena, resolver->space.sets.n),
		.services = unnumbered(arena, resolver->space.services.n),
	};

	renumber(by.sets, 0, &by.set_count);
	for (size_t i = 0; i < count; i++)
		renumber_boxes(&by, &made[i]);
	return fill_space(resolver, &by);
}

void gpc_resolver_finish(struct gpc_resolver *resolver)
{
	struct gpc_model *model = resolver->model;

	model->space = space_of(resolver, resolver->made, resolver->made_count);
	if (resolver->invariant_count)
		model->invariant_space =
			space_of(resolver, resolver->invariants, resolver->invariant_count);
}
