/* SPDX-License-Identifier: MIT */
/*
 * rules.h: the link records of rules: a counter slot and, for a rule with a rate, its buckets, both by
 * the identity of the rule; and the buckets of listeners. Who kept his `entries` keeps his buckets.
 */
#ifndef GPC_LOADER_LINK_RULES_H
#define GPC_LOADER_LINK_RULES_H

#include "gpc/lookup/device.h"
#include "ranges.h"

/* What the maps behind the records hold, or must hold. */
struct gpc_rule_room {
	uint32_t counters;	/* entries of gpc_rules */
	uint32_t buckets;	/* entries of gpc_rate */
};

/* Rules that were given something that was another's: to be zeroed. */
struct gpc_rule_fresh {
	uint32_t *counters;
	size_t counter_count;
	struct gpc_range *buckets;
	size_t bucket_count;
};

/* What is filled in: all of a rule's, of a listener's what concerns its rate. */
struct gpc_rule_records {
	struct gpc_link_rule *rules;
	struct gpc_link_listener *listeners;
};

/* Records of RULE; limited so that a bad image costs bounded time. */
uint32_t gpc_rule_count(struct gpc_view view);
const struct gpc_rule *gpc_rule_at(struct gpc_view view, uint32_t index);
const struct gpc_link_rule *gpc_link_rule_at(struct gpc_view view, const struct gpc_link_head *link,
					     uint32_t index);

/*
 * Fills `records` (one per rule and listener of `view`) beside the `held` images, from what `room` has. -ENOSPC,
 * -ENOMEM.
 */
int gpc_rules_link(struct gpc_view view, const struct gpc_view *held, size_t held_count,
		   struct gpc_rule_room room, struct gpc_rule_records records,
		   struct gpc_rule_fresh *ret_fresh);
void gpc_rule_fresh_release(struct gpc_rule_fresh *fresh);

/*
 * The least room in which gpc_rules_link() succeeds, where maps of `room` may only be replaced by
 * larger ones. -ENOSPC (more than any map has), -ENOMEM.
 */
int gpc_rules_need(struct gpc_view view, const struct gpc_view *held, size_t held_count,
		   struct gpc_rule_room room, struct gpc_rule_room *ret);

#endif
