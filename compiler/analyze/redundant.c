/* SPDX-License-Identifier: MIT */
#include "redundant.h"

#include <assert.h>

#define MAX_CUTS 20000u
#define MAX_SCRATCH (8u * 1024 * 1024)

/* Nothing but the verdict. */
static bool is_plain(const struct gpc_model_rule *rule)
{
	return gpc_action_decides(rule->action) && !rule->log_sample && !rule->mark &&
	       !rule->rate.limited;
}

static bool same_effect(const struct gpc_list *list, uint32_t a, uint32_t b)
{
	const struct gpc_model_rule *x = gpc_list_rule(list, a), *y = gpc_list_rule(list, b);

	return x->action == y->action && is_plain(x) && is_plain(y);
}

/* A search for a rule with another effect that meets a piece. The index looks at few positions. */
struct between {
	const struct gpc_list *list;
	const struct gpc_piece *piece;
	uint32_t from;
	const struct gpc_box *found;
	struct gpc_box box;
};

static bool see_box(void *context, const struct gpc_box *box)
{
	struct between *between = context;

	if (same_effect(between->list, between->from, box->position) ||
	    !gpc_piece_meets(between->piece, &between->list->model->space, box))
		return true;
	between->box = *box;
	between->found = &between->box;
	return false;
}

/*
 * Takes away of a piece what `next` would take over. Packets that something else between the two would
 * take stay, apart, to be looked at again. False: too entangled to say.
 */
static bool cut_next(const struct gpc_list *list, struct gpc_index *index,
		     struct gpc_region *region, const struct gpc_piece *piece, uint32_t position,
		     uint32_t next, const struct gpc_question *packet)
{
	const struct gpc_space *space = &list->model->space;
	const struct gpc_box *box = gpc_list_box(list, next, packet);
	struct gpc_region inside = {.arena = region->arena};
	struct gpc_piece part;

	gpc_region_put_minus(region, piece, space, box);
	gpc_region_put_common(&inside, piece, space, box);
	while (gpc_region_pop(&inside, &part)) {
		struct between between = {.list = list, .piece = &part, .from = position};

		if (!gpc_index_meeting(index, box, position, next, see_box, &between))
			return false;
		if (!between.found)
			continue;
		gpc_region_put_minus(region, &part, space, between.found);
		gpc_region_put_common(region, &part, space, between.found);
	}
	return true;
}

static enum gpc_redundant_verdict judge(const struct gpc_list *list, struct gpc_index *index,
					uint32_t position, struct gpc_region *region)
{
	enum gpc_action action = gpc_list_rule(list, position)->action;
	struct gpc_piece piece;

	for (uint32_t cuts = 0; gpc_region_pop(region, &piece); cuts++) {
		struct gpc_question packet = gpc_piece_packet(&piece);
		uint32_t first = gpc_list_first(list, action, &packet), next;

		assert(first <= position);
		if (cuts == MAX_CUTS || region->arena->used > MAX_SCRATCH)
			return GPC_RULE_UNKNOWN;
		if (first < position) {
			gpc_region_put_minus(region, &piece, &list->model->space,
					     gpc_list_box(list, first, &packet));
			continue;
		}
		next = gpc_index_next(index, &packet, position);
		if (next == GPC_NONE || !same_effect(list, position, next))
			return GPC_RULE_NEEDED;
		if (!cut_next(list, index, region, &piece, position, next, &packet))
			return GPC_RULE_UNKNOWN;
	}
	return GPC_RULE_REDUNDANT;
}

enum gpc_redundant_verdict gpc_redundant_of(const struct gpc_list *list, struct gpc_index *index,
					    uint32_t position,
					    const struct gpc_question *witness, uint32_t *ret_after)
{
	const struct gpc_model_rule *rule = gpc_list_rule(list, position);
	struct gpc_region region = {.arena = list->scratch};
	uint32_t next = gpc_index_next(index, witness, position);
	enum gpc_redundant_verdict verdict;

	if (next == GPC_NONE || !same_effect(list, position, next))
		return GPC_RULE_NEEDED;
	for (size_t i = 0; i < rule->box_count; i++)
		gpc_region_add(&region, &list->model->space, &rule->boxes[i]);
	verdict = judge(list, index, position, &region);
	gpc_arena_reset(list->scratch);
	if (verdict == GPC_RULE_REDUNDANT)
		*ret_after = next;
	return verdict;
}
