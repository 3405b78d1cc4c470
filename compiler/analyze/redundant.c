/* SPDX-License-Identifier: MIT */
#include "redundant.h"

#include <assert.h>

#define MAX_CUTS 20000u

/* Nothing but the verdict. */
static bool is_plain(const struct gpc_model_rule *rule)
{
	return gpc_action_decides(rule->action) && !rule->log_sample && !rule->mark &&
	       !rule->limited;
}

static bool same_effect(const struct gpc_list *list, uint32_t a, uint32_t b)
{
	const struct gpc_model_rule *x = gpc_list_rule(list, a), *y = gpc_list_rule(list, b);

	return x->action == y->action && is_plain(x) && is_plain(y);
}

/* A search for a rule between two positions with another effect that meets a piece. */
struct between {
	const struct gpc_list *list;
	const struct gpc_piece *piece;
	uint32_t from, to;
	const struct gpc_box *found;
};

static bool see_box(void *context, const struct gpc_box *box)
{
	struct between *between = context;

	if (box->position <= between->from || box->position >= between->to ||
	    same_effect(between->list, between->from, box->position) ||
	    !gpc_piece_meets(between->piece, &between->list->model->space, box))
		return true;
	between->found = box;
	return false;
}

/*
 * A box of such a rule, NULL: none. The packets that it has in common with the piece have to be looked at
 * apart. `near`: a box that holds the piece.
 */
static const struct gpc_box *other_between(const struct gpc_list *list, struct gpc_index *index,
					   uint32_t from, uint32_t to, const struct gpc_box *near,
					   const struct gpc_piece *piece)
{
	struct between between = {.list = list, .piece = piece, .from = from, .to = to};

	gpc_index_meeting(index, near, see_box, &between);
	return between.found;
}

/* Takes away of a piece what `next` would take over, or splits it where something else is first. */
static void cut_next(const struct gpc_list *list, struct gpc_index *index, struct gpc_region *region,
		     const struct gpc_piece *piece, uint32_t position, uint32_t next,
		     const struct gpc_question *packet)
{
	const struct gpc_space *space = &list->model->space;
	const struct gpc_box *box = gpc_list_box(list, next, packet), *other;
	struct gpc_region inside = {.arena = region->arena};
	struct gpc_piece part;

	gpc_region_put_minus(region, piece, space, box);
	gpc_region_put_common(&inside, piece, space, box);
	while (gpc_region_pop(&inside, &part)) {
		other = other_between(list, index, position, next, box, &part);
		if (!other)
			continue;
		gpc_region_put_minus(region, &part, space, other);
		gpc_region_put_common(region, &part, space, other);
	}
}

static bool all_taken_over(const struct gpc_list *list, struct gpc_index *index,
			   uint32_t position, struct gpc_region *region)
{
	enum gpc_action action = gpc_list_rule(list, position)->action;
	struct gpc_piece piece;

	for (uint32_t cuts = 0; gpc_region_pop(region, &piece); cuts++) {
		struct gpc_question packet = gpc_piece_packet(&piece);
		uint32_t first = gpc_list_first(list, action, &packet), next;

		assert(first <= position);
		if (cuts == MAX_CUTS)
			return false;
		if (first < position) {
			gpc_region_put_minus(region, &piece, &list->model->space,
					     gpc_list_box(list, first, &packet));
			continue;
		}
		next = gpc_index_next(index, &packet, position);
		if (next == GPC_NONE || !same_effect(list, position, next))
			return false;
		cut_next(list, index, region, &piece, position, next, &packet);
	}
	return true;
}

bool gpc_is_redundant(const struct gpc_list *list, struct gpc_index *index, uint32_t position,
		      const struct gpc_question *witness, uint32_t *ret_after)
{
	const struct gpc_model_rule *rule = gpc_list_rule(list, position);
	struct gpc_arena scratch = {0};
	struct gpc_region region = {.arena = &scratch};
	uint32_t next = gpc_index_next(index, witness, position);
	bool redundant;

	if (next == GPC_NONE || !same_effect(list, position, next))
		return false;
	for (size_t i = 0; i < rule->box_count; i++)
		gpc_region_add(&region, &list->model->space, &rule->boxes[i]);
	redundant = all_taken_over(list, index, position, &region);
	gpc_arena_release(&scratch);
	if (redundant)
		*ret_after = next;
	return redundant;
}
