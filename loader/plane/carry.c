/* SPDX-License-Identifier: MIT */
#include "carry.h"

#include "../../compiler/base/cleanup.h"
#include "counters.h"

static bool is_shared(const struct gpc_instance *from, const struct gpc_instance *to,
		      enum gpc_map_id id)
{
	return from->map_id[id] == to->map_id[id];
}

static void forget_counted(struct gpc_counters *counted, const struct gpc_link_result *link)
{
	const struct gpc_rule_fresh *rules = &link->fresh_rules;
	size_t i;

	for (i = 0; i < link->fresh_counter_count; i++)
		if (link->fresh_counters[i] < counted->counter_count)
			counted->counters[link->fresh_counters[i]] = (struct gpc_counter){0};
	for (i = 0; i < rules->counter_count; i++)
		if (rules->counters[i] < counted->rule_count)
			counted->rules[rules->counters[i]] = (struct gpc_rule_counter){0};
}

int gpc_carry(const struct gpc_instance *from, const struct gpc_instance *to,
	      const struct gpc_link_result *link, struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_counters_release) struct gpc_counters counted = {0};
	bool counters = !is_shared(from, to, GPC_MAP_COUNTERS);
	bool rules = !is_shared(from, to, GPC_MAP_RULES);
	size_t i;

	if (!counters && !rules)
		return 0;
	if (gpc_counters_read(from, &counted, failure))
		return -1;
	forget_counted(&counted, link);
	for (i = 0; counters && i < counted.counter_count && i < to->entries[GPC_MAP_CARRIED]; i++)
		to->carried[i] = counted.counters[i];
	for (i = 0; rules && i < counted.rule_count && i < to->entries[GPC_MAP_CARRIED_RULES]; i++)
		to->carried_rules[i] = counted.rules[i];
	return 0;
}

void gpc_carry_forget(const struct gpc_instance *instance, const struct gpc_link_result *link)
{
	const struct gpc_rule_fresh *rules = &link->fresh_rules;
	size_t i;

	for (i = 0; i < link->fresh_counter_count; i++)
		if (link->fresh_counters[i] < instance->entries[GPC_MAP_CARRIED])
			instance->carried[link->fresh_counters[i]] = (struct gpc_counter){0};
	for (i = 0; i < rules->counter_count; i++)
		if (rules->counters[i] < instance->entries[GPC_MAP_CARRIED_RULES])
			instance->carried_rules[rules->counters[i]] = (struct gpc_rule_counter){0};
}
