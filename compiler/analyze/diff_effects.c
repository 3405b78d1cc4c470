/* SPDX-License-Identifier: MIT */
/* What a piece is told as; and from what to what, where that is told too. */
#include "diff_parts.h"

#include <string.h>

#include "gpc/lookup/chain.h"

static const struct gpc_rule *rule_of(const struct gpc_diff_pair *pair, int image,
				      const struct gpc_atlas_verdict *verdict)
{
	return verdict->rule == GPC_NONE ? NULL
					 : gpc_rule_at(pair->images[image]->view, verdict->rule);
}

#define RATE_FLAGS (GPC_RULE_RATE | GPC_RULE_RATE_SOURCE | GPC_RULE_RATE_BYTES)

/* What a rate does to packets; all zero: there is none. */
struct limit {
	uint64_t cost, burst;
	uint32_t entries, exceed, flags, beyond;
};

static struct limit limit_of(const struct gpc_diff_pair *pair, int image,
			     const struct gpc_atlas_verdict *verdict)
{
	const struct gpc_rule *rule = rule_of(pair, image, verdict);
	struct limit limit = {0};

	if (rule && rule->flags & GPC_RULE_RATE)
		limit = (struct limit){.cost = rule->rate_cost,
				       .burst = rule->rate_burst,
				       .entries = rule->rate_entries,
				       .exceed = (uint32_t)rule->exceed,
				       .flags = rule->flags & RATE_FLAGS};
	limit.beyond = verdict->at_times ? 1 + (uint32_t)verdict->action : 0;
	return limit;
}

static uint64_t listener_id(const struct gpc_diff_pair *pair, int image, uint32_t index)
{
	uint32_t count;
	const struct gpc_listener *listeners =
		gpc_image_section(pair->images[image], GPC_SEC_LISTENER, &count);

	return index == GPC_NONE ? 0 : listeners[index].id;
}

/* What of a verdict is told, besides the effect. */
struct told {
	struct limit limit;
	uint64_t listener;
	uint32_t mark, action;
};

static struct told told_of(const struct gpc_diff_pair *pair, int image,
			   const struct gpc_atlas_verdict *verdict, enum gpc_diff_effect effect)
{
	struct told told = {0};

	switch (effect) {
	case GPC_DIFF_ANSWERED:
		told.action = (uint32_t)verdict->action;
		break;
	case GPC_DIFF_LISTENER:
		told.listener = listener_id(pair, image, verdict->listener);
		break;
	case GPC_DIFF_LIMITED:
		told.limit = limit_of(pair, image, verdict);
		break;
	case GPC_DIFF_MARKED:
		told.mark = verdict->mark;
		break;
	default:
		break;
	}
	return told;
}

static bool can_have(const struct gpc_atlas_piece *piece, enum gpc_diff_effect effect)
{
	const struct gpc_atlas_verdict *a = &piece->verdict[0], *b = &piece->verdict[1];
	bool before = gpc_atlas_passes(a), after = gpc_atlas_passes(b);

	switch (effect) {
	case GPC_DIFF_ALLOWED:
		return !before && after;
	case GPC_DIFF_DENIED:
		return before && !after;
	case GPC_DIFF_ANSWERED:
		return !before && !after;
	case GPC_DIFF_LISTENER:
	case GPC_DIFF_MARKED:
		return before && after;
	case GPC_DIFF_LIMITED:
		return before == after;
	case GPC_DIFF_LOGGED:
		return a->log_rule == GPC_NONE && b->log_rule != GPC_NONE;
	case GPC_DIFF_UNLOGGED:
		return a->log_rule != GPC_NONE && b->log_rule == GPC_NONE;
	case GPC_DIFF_EFFECTS:
		break;
	}
	return false;
}

static bool is_about_a_move(enum gpc_diff_effect effect)
{
	return effect == GPC_DIFF_ANSWERED || effect == GPC_DIFF_LISTENER ||
	       effect == GPC_DIFF_LIMITED || effect == GPC_DIFF_MARKED;
}

bool gpc_diff_effect_of(const struct gpc_diff_pair *pair, const struct gpc_atlas_piece *piece,
			enum gpc_diff_effect effect, uint32_t *ret_move)
{
	struct told told[2];

	*ret_move = 0;
	if (!can_have(piece, effect))
		return false;
	if (!is_about_a_move(effect))
		return true;
	for (int i = 0; i < 2; i++)
		told[i] = told_of(pair, i, &piece->verdict[i], effect);
	if (!memcmp(&told[0], &told[1], sizeof(told[0])))
		return false;
	*ret_move = gpc_intern(pair->moves, (const uint32_t *)(const void *)told,
			       sizeof(told) / (sizeof(uint32_t)));
	return true;
}
