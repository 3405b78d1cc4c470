/* SPDX-License-Identifier: MIT */
#include "steps.h"

size_t gpc_rule_records(const struct gpc_model *model)
{
	size_t count = GPC_BUILTIN_COUNT + model->protect_count;

	for (size_t i = 0; i < model->policy_count; i++)
		count += model->policies[i].rule_count + 1;
	return count;
}

/* ---- rules ---- */

static void lower_builtins(const struct gpc_model *model, struct gpc_rule *rules)
{
	static const uint8_t actions[] = {
		[GPC_BUILTIN_ALLOW] = GPC_ACTION_ALLOW,
		[GPC_BUILTIN_DENY] = GPC_ACTION_DENY,
		[GPC_BUILTIN_RULES] = GPC_ACTION_PASS,
	};

	for (int i = 0; i < GPC_BUILTIN_COUNT; i++) {
		rules[i].id = model->builtin_ids[i];
		rules[i].policy = GPC_NONE;
		rules[i].action = actions[model->builtin[i]];
		rules[i].flags = GPC_RULE_BUILTIN;
	}
}

static void lower_protects(const struct gpc_model *model, struct gpc_rule *rules)
{
	for (size_t i = 0; i < model->protect_count; i++) {
		rules[i].id = model->protects[i].id;
		rules[i].policy = GPC_NONE;
		rules[i].action = GPC_ACTION_ALLOW;
		rules[i].flags = GPC_RULE_PROTECT;
	}
}

static void lower_rate(const struct gpc_model_rule *from, struct gpc_rule *to)
{
	to->flags |= GPC_RULE_RATE;
	if (from->rate.per_source)
		to->flags |= GPC_RULE_RATE_SOURCE;
	if (from->rate.bytes)
		to->flags |= GPC_RULE_RATE_BYTES;
	to->exceed = (uint8_t)from->rate.exceed;
	to->rate_cost = from->rate.cost;
	to->rate_burst = from->rate.burst;
	to->rate_entries = from->rate.entries;
}

static void lower_rule(const struct gpc_model_rule *from, struct gpc_rule *to)
{
	to->action = (uint8_t)from->action;
	to->mark = from->mark;
	to->log_sample = from->log_sample;
	to->log_rate = from->log_sample ? from->log_rate : 0;
	to->expires = from->expires;
	if (from->rate.limited)
		lower_rate(from, to);
}

static void lower_policy(const struct gpc_model *model, uint32_t index, uint32_t first_rule,
			 struct gpc_tables *tables)
{
	const struct gpc_model_policy *from = &model->policies[index];
	struct gpc_policy *to = &tables->policies[index];
	struct gpc_rule *rules = tables->rules + first_rule;

	to->id = from->id;
	to->first_rule = first_rule;
	to->rules = (uint32_t)from->rule_count;
	to->decide = to->log = to->mark = GPC_NONE;
	to->mode = (uint8_t)from->mode;
	to->fallback = (uint8_t)from->fallback;
	to->priority = from->priority;
	for (size_t i = 0; i < from->rule_count; i++) {
		rules[i].id = from->rule_ids[i];
		rules[i].policy = index;
		lower_rule(&model->rules[from->rules[i]], &rules[i]);
	}
	rules += from->rule_count;
	rules->id = from->default_id;
	rules->policy = index;
	rules->action = (uint8_t)from->fallback;
	rules->flags = GPC_RULE_DEFAULT;
}

/* ---- chains ---- */

/* Low bits of the id, moved on past 0 and the tags of the interfaces before it. */
static uint16_t tag_of(const uint16_t *earlier, size_t count, uint64_t id)
{
	uint16_t tag = (uint16_t)id;

	for (size_t i = 0; !tag || i < count;) {
		if (tag && earlier[i] != tag) {
			i++;
			continue;
		}
		tag++;
		i = 0;
	}
	return tag;
}

static uint8_t chain_flags(const struct gpc_model_policy *policy)
{
	uint8_t flags = 0;

	if (!policy->stateful)
		return 0;
	flags |= GPC_CHAIN_STATEFUL;
	if (policy->keep)
		flags |= GPC_CHAIN_KEEP;
	if (policy->mid_stream)
		flags |= GPC_CHAIN_MID_STREAM_ALLOW;
	return flags;
}

static void lower_chains(const struct gpc_model *model, struct gpc_chain *chains)
{
	uint16_t tags[GPC_MAX_INTERFACES];

	for (size_t i = 0; i < model->interface_count; i++)
		tags[i] = tag_of(tags, i, model->interfaces[i].id);
	for (size_t i = 0; i < model->chain_count; i++) {
		const struct gpc_model_chain *from = &model->chains[i];
		struct gpc_chain *to = &chains[i];

		to->tag = tags[from->interface];
		to->interface = (uint16_t)from->interface;
		to->direction = (uint8_t)from->direction;
		to->policies = (uint8_t)from->policy_count;
		to->protect = GPC_NONE;
		for (size_t k = 0; k < from->policy_count; k++)
			to->policy[k] = (uint16_t)from->policies[k];
		/* All policies of a chain agree in them. */
		if (from->policy_count)
			to->flags = chain_flags(&model->policies[from->policies[0]]);
	}
}

void gpc_lower_policies(const struct gpc_model *model, struct gpc_tables *tables)
{
	uint32_t next = GPC_BUILTIN_COUNT;

	lower_builtins(model, tables->rules);
	lower_protects(model, tables->rules + next);
	next += (uint32_t)model->protect_count;
	for (uint32_t i = 0; i < model->policy_count; i++) {
		lower_policy(model, i, next, tables);
		next += (uint32_t)model->policies[i].rule_count + 1;
	}
	lower_chains(model, tables->chains);
}
