/* SPDX-License-Identifier: MIT */
#include "rules.h"

#include <errno.h>
#include <stdlib.h>

#include "../../compiler/base/cleanup.h"
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

static int hold_image(struct assignment *assignment, struct gpc_view view)
{
	uint32_t i;
	int r = 0;

	for (i = 0; i < gpc_held_count(view, GPC_LINKED_RULE) && !r; i++) {
		struct gpc_held_object rule = gpc_held_at(view, GPC_LINKED_RULE, i);
		uint64_t counter_key[2] = {rule.id, 1}, bucket_key[2] = {rule.id, rule.buckets};

		r = gpc_slots_hold(&assignment->counters, counter_key, rule.counter);
		if (!r && rule.buckets)
			r = gpc_ranges_hold(&assignment->buckets, bucket_key,
					    (struct gpc_range){rule.rate, rule.buckets});
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

static int take_buckets(struct assignment *assignment, const struct gpc_rule *rule,
			struct gpc_link_rule *record)
{
	uint64_t key[2] = {rule->id, rule->rate_entries};
	struct gpc_range range;
	bool fresh;
	int r;

	record->rate = GPC_NONE;
	record->buckets = rule->rate_entries;
	if (!rule->rate_entries)
		return 0;
	r = gpc_ranges_take(&assignment->buckets, key, rule->rate_entries, &range, &fresh);
	if (r)
		return r;
	record->rate = range.first;
	if (fresh)
		assignment->fresh.buckets[assignment->fresh.bucket_count++] = range;
	return 0;
}

int gpc_rules_link(struct gpc_view view, const struct gpc_view *held, size_t held_count,
		   struct gpc_rule_room room, struct gpc_link_rule *records,
		   struct gpc_rule_fresh *ret_fresh)
{
	GPC_CLEANUP(release_assignment) struct assignment assignment = {0};
	uint32_t count = gpc_rule_count(view), i;
	size_t h;
	int r = gpc_slots_init(&assignment.counters, 0, room.counters);

	gpc_ranges_init(&assignment.buckets, room.buckets);
	assignment.fresh.counters = calloc(count + 1, sizeof(*assignment.fresh.counters));
	assignment.fresh.buckets = calloc(count + 1, sizeof(*assignment.fresh.buckets));
	if (!assignment.fresh.counters || !assignment.fresh.buckets)
		return -ENOMEM;
	for (h = 0; h < held_count && !r; h++)
		r = hold_image(&assignment, held[h]);
	for (i = 0; i < count && !r; i++) {
		r = take_counter(&assignment, gpc_rule_at(view, i), &records[i]);
		if (!r)
			r = take_buckets(&assignment, gpc_rule_at(view, i), &records[i]);
	}
	if (r)
		return r;
	*ret_fresh = assignment.fresh;
	assignment.fresh = (struct gpc_rule_fresh){0};
	return 0;
}

int gpc_rules_need(struct gpc_view view, const struct gpc_view *held, size_t held_count,
		   struct gpc_rule_room room, struct gpc_rule_room *ret)
{
	GPC_CLEANUP(gpc_rule_fresh_release) struct gpc_rule_fresh fresh = {0};
	GPC_AUTO_FREE struct gpc_link_rule *records = NULL;
	uint32_t count = gpc_rule_count(view), i;
	struct gpc_rule_room need = {0};
	int r;

	/* Numbers are given out from the lowest, so these reach as far as any. */
	room.counters += count;
	room.buckets = UINT32_MAX;
	records = calloc(count + 1, sizeof(*records));
	if (!records)
		return -ENOMEM;
	r = gpc_rules_link(view, held, held_count, room, records, &fresh);
	for (i = 0; i < count && !r; i++) {
		uint32_t entries = gpc_rule_at(view, i)->rate_entries;

		if (records[i].counter >= need.counters)
			need.counters = records[i].counter + 1;
		if (entries && records[i].rate + entries > need.buckets)
			need.buckets = records[i].rate + entries;
	}
	if (!r)
		*ret = need;
	return r;
}
