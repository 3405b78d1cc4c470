/* SPDX-License-Identifier: MIT */
#include "rules.h"

#include <errno.h>
#include <stdlib.h>

#include "../../compiler/base/cleanup.h"
#include "gpc/lookup/vip.h"
#include "held.h"
#include "slots.h"

uint32_t gpc_rule_count(struct gpc_view view)
{
	uint32_t count = gpc_view_plane(view)->section[GPC_SEC_RULE].count;
	uint64_t most = (view.mask + 1) / sizeof(struct gpc_rule);

	return count < most ? count : (uint32_t)most;
}

const struct gpc_rule *gpc_rule_at(struct gpc_view view, uint32_t index)
{
	return gpc_record(view, gpc_view_plane(view)->section[GPC_SEC_RULE].offset, index,
			  sizeof(struct gpc_rule));
}

const struct gpc_link_rule *gpc_link_rule_at(struct gpc_view view, const struct gpc_link_head *link,
					     uint32_t index)
{
	return gpc_record(view, link->rule_offset, index, sizeof(struct gpc_link_rule));
}

struct assignment {
	struct gpc_slots counters;
	struct gpc_ranges buckets;
	struct gpc_rule_fresh fresh;
};

static void release_assignment(struct assignment *assignment)
{
	gpc_slots_release(&assignment->counters);
	gpc_ranges_release(&assignment->buckets);
	gpc_rule_fresh_release(&assignment->fresh);
}

void gpc_rule_fresh_release(struct gpc_rule_fresh *fresh)
{
	free(fresh->counters);
	free(fresh->buckets);
	*fresh = (struct gpc_rule_fresh){0};
}

static int hold_buckets(struct assignment *assignment, const struct gpc_held_object *object)
{
	uint64_t key[2] = {object->id, object->buckets};

	return object->buckets ? gpc_ranges_hold(&assignment->buckets, key,
						 (struct gpc_range){object->rate, object->buckets})
			       : 0;
}

static int hold_image(struct assignment *assignment, struct gpc_view view)
{
	uint32_t i;
	int r = 0;

	for (i = 0; i < gpc_held_count(view, GPC_LINKED_RULE) && !r; i++) {
		struct gpc_held_object rule = gpc_held_at(view, GPC_LINKED_RULE, i);
		uint64_t key[2] = {rule.id, 1};

		r = gpc_slots_hold(&assignment->counters, key, rule.counter);
		if (!r)
			r = hold_buckets(assignment, &rule);
	}
	for (i = 0; i < gpc_held_count(view, GPC_LINKED_LISTENER) && !r; i++) {
		struct gpc_held_object listener = gpc_held_at(view, GPC_LINKED_LISTENER, i);

		r = hold_buckets(assignment, &listener);
	}
	return r;
}

static int take_counter(struct assignment *assignment, const struct gpc_rule *rule,
			struct gpc_link_rule *record)
{
	uint64_t key[2] = {rule->id, 1};
	bool fresh;
	int r = gpc_slots_take(&assignment->counters, key, &record->counter, &fresh);

	if (!r && fresh)
		assignment->fresh.counters[assignment->fresh.counter_count++] = record->counter;
	return r;
}

/* *ret_rate and *ret_buckets become what a link record says of a rate with so many `entries`. */
static int take_buckets(struct assignment *assignment, uint64_t id, uint32_t entries,
			uint32_t *ret_rate, uint32_t *ret_buckets)
{
	uint64_t key[2] = {id, entries};
	struct gpc_range range = {GPC_NONE, 0};
	bool fresh = false;
	int r = 0;

	if (entries)
		r = gpc_ranges_take(&assignment->buckets, key, entries, &range, &fresh);
	if (r)
		return r;
	*ret_rate = range.first;
	*ret_buckets = entries;
	if (fresh)
		assignment->fresh.buckets[assignment->fresh.bucket_count++] = range;
	return 0;
}

static uint32_t listener_count(struct gpc_view view)
{
	uint32_t count = gpc_view_plane(view)->section[GPC_SEC_LISTENER].count;

	return count < GPC_MAX_LISTENERS ? count : GPC_MAX_LISTENERS;
}

static int take_all(struct assignment *assignment, struct gpc_view view,
		    struct gpc_rule_records records)
{
	uint32_t i;
	int r = 0;

	for (i = 0; i < gpc_rule_count(view) && !r; i++) {
		const struct gpc_rule *rule = gpc_rule_at(view, i);
		struct gpc_link_rule *record = &records.rules[i];

		r = take_counter(assignment, rule, record);
		if (!r)
			r = take_buckets(assignment, rule->id, rule->rate_entries, &record->rate,
					 &record->buckets);
	}
	for (i = 0; i < listener_count(view) && !r; i++) {
		const struct gpc_listener *listener = gpc_listener_at(view, i);
		struct gpc_link_listener *record = &records.listeners[i];

		r = take_buckets(assignment, listener->id, listener->rate_entries, &record->rate,
				 &record->buckets);
	}
	return r;
}

int gpc_rules_link(struct gpc_view view, const struct gpc_view *held, size_t held_count,
		   struct gpc_rule_room room, struct gpc_rule_records records,
		   struct gpc_rule_fresh *ret_fresh)
{
	GPC_CLEANUP(release_assignment) struct assignment assignment = {0};
	uint32_t count = gpc_rule_count(view);
	size_t h;
	int r = gpc_slots_init(&assignment.counters, 0, room.counters);

	gpc_ranges_init(&assignment.buckets, room.buckets);
	assignment.fresh.counters = calloc(count + 1, sizeof(*assignment.fresh.counters));
	assignment.fresh.buckets =
		calloc(count + listener_count(view) + 1, sizeof(*assignment.fresh.buckets));
	if (!assignment.fresh.counters || !assignment.fresh.buckets)
		return -ENOMEM;
	for (h = 0; h < held_count && !r; h++)
		r = hold_image(&assignment, held[h]);
	if (!r)
		r = take_all(&assignment, view, records);
	if (r)
		return r;
	*ret_fresh = assignment.fresh;
	assignment.fresh = (struct gpc_rule_fresh){0};
	return 0;
}

static uint32_t end_of(uint32_t rate, uint32_t entries, uint32_t least)
{
	return entries && rate + entries > least ? rate + entries : least;
}

int gpc_rules_need(struct gpc_view view, const struct gpc_view *held, size_t held_count,
		   struct gpc_rule_room room, struct gpc_rule_room *ret)
{
	GPC_CLEANUP(gpc_rule_fresh_release) struct gpc_rule_fresh fresh = {0};
	GPC_AUTO_FREE struct gpc_link_rule *rules = NULL;
	GPC_AUTO_FREE struct gpc_link_listener *listeners = NULL;
	uint32_t count = gpc_rule_count(view), i;
	struct gpc_rule_room need = {0};
	int r;

	/* Numbers are given out from the lowest, so these reach as far as any. */
	room.counters += count;
	room.buckets = UINT32_MAX;
	rules = calloc(count + 1, sizeof(*rules));
	listeners = calloc(listener_count(view) + 1, sizeof(*listeners));
	if (!rules || !listeners)
		return -ENOMEM;
	r = gpc_rules_link(view, held, held_count, room,
			   (struct gpc_rule_records){rules, listeners}, &fresh);
	if (r)
		return r;
	for (i = 0; i < count; i++) {
		if (rules[i].counter >= need.counters)
			need.counters = rules[i].counter + 1;
		need.buckets = end_of(rules[i].rate, rules[i].buckets, need.buckets);
	}
	for (i = 0; i < listener_count(view); i++)
		need.buckets = end_of(listeners[i].rate, listeners[i].buckets, need.buckets);
	*ret = need;
	return 0;
}
