/* SPDX-License-Identifier: MIT */
/* The words that text and Markdown share. */
#include "diff.h"

#include <string.h>

#include "../../compiler/base/words.h"
#include "describe.h"
#include "gpc/lookup/chain.h"
#include "output.h"
#include "rulebook.h"

/* ---- spaces ---- */

const char *gpc_diff_places(const struct gpc_diff_view *view, const struct gpc_diff_space *space)
{
	const char *text = "";

	for (size_t i = 0; i < space->place_count; i++) {
		const struct gpc_atlas_place *place = &view->diff.places[space->places[i]];

		text = gpc_arena_printf(view->arena, "%s%s%s %s", text, i ? ", " : "",
					place->interface, gpc_direction_name(place->direction));
	}
	return text;
}

const char *gpc_diff_services_text(const struct gpc_diff_view *view,
				   const struct gpc_diff_space *space, size_t most)
{
	size_t shown = most && space->service_count > most ? most : space->service_count;
	const char *text = space->services_but ? "any but " : "";

	for (size_t i = 0; i < shown; i++)
		text = gpc_arena_printf(view->arena, "%s%s%s", text, i ? ", " : "",
					space->services[i]);
	if (shown < space->service_count)
		text = gpc_arena_printf(view->arena, "%s and %zu more", text,
					space->service_count - shown);
	return text;
}

static const char *rule_text(const struct gpc_diff_view *view, const struct gpc_image *image,
			     uint32_t index)
{
	const struct gpc_rule *rule = gpc_rule_at(image->view, index);
	const char *owner = gpc_rule_owner(image, rule), *name = gpc_image_name(image, rule->name);
	char place[GPC_RULE_PLACE];
	const char *at;

	gpc_rule_place(image, rule, place);
	at = *place ? gpc_arena_printf(view->arena, " (%s)", place) : "";
	if (rule->flags & (GPC_RULE_BUILTIN | GPC_RULE_PROTECT))
		return gpc_arena_printf(view->arena, "%s %s%s", owner, name, at);
	if (rule->flags & GPC_RULE_DEFAULT)
		return gpc_arena_printf(view->arena, "the default of policy %s%s", owner, at);
	return gpc_arena_printf(view->arena, "rule %s of policy %s%s", name, owner, at);
}

static const char *listener_name(const struct gpc_image *image, uint32_t listener)
{
	const struct gpc_listener *record;

	if (listener == GPC_NONE)
		return "no listener";
	record = gpc_image_record(image, GPC_SEC_LISTENER, listener);
	return gpc_image_name(image, record->name);
}

static const char *verdict_text(const struct gpc_diff_view *view,
				const struct gpc_diff_space *space, unsigned int i)
{
	const struct gpc_image *image = view->images[i];
	const struct gpc_atlas_verdict *verdict = &space->verdict[i];
	const struct gpc_atlas_place *place = &view->diff.places[space->witness_place];
	const char *word = gpc_action_name(verdict->action);

	if (verdict->rule != GPC_NONE)
		return gpc_arena_printf(view->arena, "%s%s by %s", word,
					verdict->at_times ? ", beyond the rate allow," : "",
					rule_text(view, image, verdict->rule));
	return !place->chain[i] ? "pass, no policy there" : "pass, nobody decides";
}

const char *gpc_diff_decision(const struct gpc_diff_view *view, const struct gpc_diff_space *space,
			      unsigned int i)
{
	const struct gpc_image *image = view->images[i];
	const struct gpc_atlas_verdict *verdict = &space->verdict[i];

	switch (space->effect) {
	case GPC_DIFF_LISTENER:
		return listener_name(image, verdict->listener);
	case GPC_DIFF_MARKED:
		return gpc_arena_printf(view->arena, "mark %u", verdict->mark);
	case GPC_DIFF_LOGGED:
	case GPC_DIFF_UNLOGGED:
		return verdict->log_rule == GPC_NONE
			       ? "not logged"
			       : gpc_arena_printf(view->arena, "logged by %s",
						  rule_text(view, image, verdict->log_rule));
	default:
		return verdict_text(view, space, i);
	}
}

/* ---- objects ---- */

static uint32_t find_listener(const struct gpc_image *image, const char *name)
{
	for (uint32_t i = 0; i < gpc_image_count(image, GPC_SEC_LISTENER); i++)
		if (!strcmp(listener_name(image, i), name))
			return i;
	return GPC_NONE;
}

bool gpc_diff_change_shown(const struct gpc_diff_view *view, const struct gpc_change *change)
{
	switch (change->object) {
	case GPC_CHANGE_POLICY:
	case GPC_CHANGE_RULE:
		return view->all || change->alone;
	case GPC_CHANGE_CHAIN:
		return view->all || change->kind != GPC_CHANGE_CHANGED ||
		       strncmp(change->text, "what it lets through", 20);
	default:
		return true;
	}
}

const char *gpc_diff_change_text(const struct gpc_diff_view *view, const struct gpc_change *change)
{
	unsigned int image = change->kind == GPC_CHANGE_REMOVED ? 0 : 1;
	const char *text = change->text;

	if (change->object == GPC_CHANGE_LISTENER && change->kind != GPC_CHANGE_CHANGED)
		text = gpc_diff_listener_text(view->arena, view->images[image],
					      find_listener(view->images[image], change->name));
	return gpc_arena_printf(view->arena, "%s %s%s%s", gpc_change_object_name(change->object),
				change->name, *text ? ": " : "", text);
}

/* ---- pools ---- */

const char *gpc_diff_pool_text(const struct gpc_diff_view *view, const struct gpc_diff_pool *pool)
{
	const char *size = "";

	if (pool->size[0] != pool->size[1])
		size = gpc_arena_printf(view->arena, ", the table had %u", pool->size[0]);
	return gpc_arena_printf(view->arena, "%u of %u slots move (%.1f %%), the least is %u%s",
				pool->moved, pool->size[1], 100.0 * pool->moved / pool->size[1],
				pool->least, size);
}

static double percent(const struct gpc_diff_pool *pool, const struct gpc_diff_share *share, int i)
{
	return pool->size[i] ? 100.0 * share->slots[i] / pool->size[i] : 0;
}

bool gpc_diff_share_changed(const struct gpc_diff_pool *pool, const struct gpc_diff_share *share)
{
	double change = percent(pool, share, 0) - percent(pool, share, 1);

	return share->there[0] != share->there[1] || change >= 0.1 || change <= -0.1;
}

const char *gpc_diff_share_text(const struct gpc_diff_view *view, const struct gpc_diff_pool *pool,
				const struct gpc_diff_share *share)
{
	if (!share->there[0])
		return gpc_arena_printf(view->arena, "%s new, %.1f %%", share->name,
					percent(pool, share, 1));
	if (!share->there[1])
		return gpc_arena_printf(view->arena, "%s %.1f %% -> gone", share->name,
					percent(pool, share, 0));
	return gpc_arena_printf(view->arena, "%s %.1f -> %.1f %%", share->name,
				percent(pool, share, 0), percent(pool, share, 1));
}

/* ---- in one line ---- */

static const char *add(const struct gpc_diff_view *view, const char *text, const char *more)
{
	return gpc_arena_printf(view->arena, "%s%s%s", text, *text ? ", " : "", more);
}

static const char *add_spaces(const struct gpc_diff_view *view, const char *text)
{
	for (int effect = 0; effect < GPC_DIFF_EFFECTS; effect++) {
		size_t now = 0, later = 0;

		for (size_t i = 0; i < view->diff.space_count; i++)
			if (view->diff.spaces[i].effect == (enum gpc_diff_effect)effect)
				view->diff.spaces[i].enforced ? later++ : now++;
		if (now)
			text = add(view, text,
				   gpc_arena_printf(view->arena, "%zu %s", now,
						    gpc_diff_effect_text(effect)));
		if (later)
			text = add(view, text,
				   gpc_arena_printf(view->arena, "%zu %s once audit enforces", later,
						    gpc_diff_effect_text(effect)));
	}
	return text;
}

static const char *add_changes(const struct gpc_diff_view *view, const char *text,
			       enum gpc_change_object object)
{
	char number[32];

	for (int kind = 0; kind < 3; kind++)
		if (view->diff.changes.counts[object][kind])
			text = add(view, text,
				   gpc_arena_printf(
					   view->arena, "%s %s",
					   gpc_text_number(view->diff.changes.counts[object][kind],
							   gpc_change_object_name(object), number),
					   gpc_change_kind_name((enum gpc_change_kind)kind)));
	return text;
}

const char *gpc_diff_summary(const struct gpc_diff_view *view)
{
	const struct gpc_diff *diff = &view->diff;
	uint64_t moved = 0;
	const char *text;

	if (diff->same_bytes)
		return "bytes identical";
	if (diff->same)
		return add_changes(view, "no packet is treated differently", GPC_CHANGE_INVARIANT);
	text = add_spaces(view, "");
	text = add_changes(view, text, GPC_CHANGE_LISTENER);
	text = add_changes(view, text, GPC_CHANGE_ENDPOINT);
	for (size_t i = 0; i < diff->pool_count; i++)
		moved += diff->pools[i].moved;
	if (moved)
		text = add(view, text, gpc_arena_printf(view->arena, "%lu slots move", moved));
	if (diff->fault)
		text = add(view, text, "what happens to packets is not known");
	return *text ? text : "settings only";
}
