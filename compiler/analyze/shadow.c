/* SPDX-License-Identifier: MIT */
#include "shadow.h"

#include <string.h>

/*
 * Cuts, and bytes of pieces, that one rule may take. Each takes the packets of one box away for good, so a judgement ends; the
 * bound is for lists that were made to be slow, and a rule that meets it is reported as not judged.
 */
#define MAX_CUTS 20000u
#define MAX_SCRATCH (64u * 1024 * 1024)

#define QUICK_BOXES 4u

/* Insertion into the sorted list of the first blockers. */
static void add_blocker(struct gpc_shadow *shadow, uint32_t position)
{
	size_t at = shadow->blocker_count;

	for (size_t i = 0; i < shadow->blocker_count; i++) {
		if (shadow->blockers[i] == position)
			return;
		if (shadow->blockers[i] > position && i < at)
			at = i;
	}
	if (shadow->blocker_count < GPC_BLOCKERS)
		shadow->blocker_count++;
	else
		shadow->more_blockers = true;
	if (at == GPC_BLOCKERS)
		return;
	memmove(&shadow->blockers[at + 1], &shadow->blockers[at],
		(shadow->blocker_count - at - 1) * sizeof(shadow->blockers[0]));
	shadow->blockers[at] = position;
}

/* Most rules are proved live by a packet from a corner of a box. */
static bool quickly_live(const struct gpc_list *list, uint32_t position, struct gpc_shadow *shadow)
{
	const struct gpc_model_rule *rule = gpc_list_rule(list, position);
	size_t boxes = rule->box_count < QUICK_BOXES ? rule->box_count : QUICK_BOXES;

	for (size_t i = 0; i < boxes; i++)
		for (unsigned int corner = 0; corner < GPC_BOX_CORNERS; corner++)
			if (gpc_box_packet(&list->model->space, &rule->boxes[i], corner,
					   &shadow->witness) &&
			    gpc_list_first(list, rule->action, &shadow->witness) >= position)
				return true;
	return false;
}

static bool range_covers(struct gpc_port_range outer, struct gpc_port_range inner)
{
	return outer.first <= inner.first && inner.last <= outer.last;
}

static bool item_covers(const struct gpc_service_item *outer, const struct gpc_service_item *inner)
{
	return outer->protocol_first <= inner->protocol_first &&
	       inner->protocol_last <= outer->protocol_last &&
	       range_covers(outer->source, inner->source) &&
	       range_covers(outer->destination, inner->destination);
}

/* Each item by one item: enough for what is quick. */
static bool service_covers(const struct gpc_service *outer, const struct gpc_service *inner)
{
	const struct gpc_match *o = &outer->match, *m = &inner->match;

	if (m->dscp & ~o->dscp || m->tcp_flags & ~o->tcp_flags || m->fragments & ~o->fragments ||
	    (o->vlan != GPC_VLAN_ANY && o->vlan != m->vlan))
		return false;
	for (size_t i = 0; i < inner->count; i++) {
		size_t k = 0;

		while (k < outer->count && !item_covers(&outer->items[k], &inner->items[i]))
			k++;
		if (k == outer->count)
			return false;
	}
	return true;
}

/* Does the box that takes one packet of `box` take all of them? Then *shadow names its rule. */
static bool taken_whole(const struct gpc_list *list, enum gpc_action action, uint32_t position,
			const struct gpc_box *box, struct gpc_shadow *shadow)
{
	const struct gpc_space *space = &list->model->space;

	for (unsigned int corner = 0; corner < GPC_BOX_CORNERS; corner++) {
		const struct gpc_box *taker;
		struct gpc_question packet;
		uint32_t first;

		if (!gpc_box_packet(space, box, corner, &packet))
			continue;
		first = gpc_list_first(list, action, &packet);
		if (first >= position)
			return false;
		taker = gpc_list_box(list, first, &packet);
		if (gpc_set_covers(space->sets[taker->source], space->sets[box->source]) &&
		    gpc_set_covers(space->sets[taker->destination],
				   space->sets[box->destination]) &&
		    service_covers(&space->services[taker->service],
				   &space->services[box->service])) {
			add_blocker(shadow, first);
			return true;
		}
	}
	return false;
}

/* Most rules that never act are inside of another one. */
static bool quickly_shadowed(const struct gpc_list *list, uint32_t position,
			     struct gpc_shadow *shadow)
{
	const struct gpc_model_rule *rule = gpc_list_rule(list, position);

	for (size_t i = 0; i < rule->box_count; i++)
		if (!taken_whole(list, rule->action, position, &rule->boxes[i], shadow)) {
			shadow->blocker_count = 0;
			shadow->more_blockers = false;
			return false;
		}
	shadow->verdict = GPC_RULE_SHADOWED;
	return true;
}

static enum gpc_shadow_verdict judge(const struct gpc_list *list, uint32_t position,
				     struct gpc_region *region, struct gpc_shadow *shadow)
{
	enum gpc_action action = gpc_list_rule(list, position)->action;
	struct gpc_piece piece;
	uint32_t cuts = 0;

	while (gpc_region_pop(region, &piece)) {
		struct gpc_question packet = gpc_piece_packet(&piece);
		uint32_t first = gpc_list_first(list, action, &packet);

		if (first >= position) {
			shadow->witness = packet;
			return GPC_RULE_LIVE;
		}
		if (cuts++ == MAX_CUTS || region->arena->used > MAX_SCRATCH)
			return GPC_RULE_UNJUDGED;
		add_blocker(shadow, first);
		gpc_region_put_minus(region, &piece, &list->model->space,
				     gpc_list_box(list, first, &packet));
	}
	return GPC_RULE_SHADOWED;
}

struct gpc_shadow gpc_shadow_of(const struct gpc_list *list, uint32_t position)
{
	const struct gpc_model_rule *rule = gpc_list_rule(list, position);
	struct gpc_region region = {.arena = list->scratch};
	struct gpc_shadow shadow = {.verdict = GPC_RULE_LIVE};

	if (quickly_live(list, position, &shadow) || quickly_shadowed(list, position, &shadow))
		return shadow;
	for (size_t i = 0; i < rule->box_count; i++)
		gpc_region_add(&region, &list->model->space, &rule->boxes[i]);
	shadow.verdict = judge(list, position, &region, &shadow);
	gpc_arena_reset(list->scratch);
	return shadow;
}
