/* SPDX-License-Identifier: MIT */
#include "gpc/image.h"
#include "resolve.h"

#define DEFAULT_LOG_RATE 100u

static struct gpc_place place_if(bool written, struct gpc_place at)
{
	return written ? at : GPC_NOWHERE;
}

static void resolve_boxes(struct gpc_resolver *resolver, const struct gpc_rule_intent *from,
			  struct gpc_model_rule *rule, struct gpc_boxes_made *ret)
{
	struct gpc_side source, destination;
	struct gpc_asked asked;

	source = gpc_resolve_selector(resolver, &from->from, true, "rule", rule->name);
	destination = gpc_resolve_selector(resolver, &from->to, from->ports.n, "rule", rule->name);
	if (source.wrong || destination.wrong)
		return;
	gpc_resolve_asked(&from->ports, from->match, &asked);
	*ret = gpc_resolve_boxes(resolver, &source, &destination, &asked, from->at);
	rule->boxes = ret->boxes;
	rule->box_count = ret->count;
	rule->never = ret->never;
}

static void resolve_log(const struct gpc_rule_intent *from, struct gpc_model_rule *rule)
{
	if (!from->log && rule->action != GPC_ACTION_LOG)
		return;
	rule->log_sample = from->log && from->log->sample ? from->log->sample : 1;
	rule->log_rate = from->log && from->log->rate.set ? (uint32_t)from->log->rate.value
							  : DEFAULT_LOG_RATE;
}

static void build_rule(struct gpc_resolver *resolver, const struct gpc_rule_intent *from,
		       uint32_t index)
{
	struct gpc_model_rule *rule = &resolver->model->rules[index];

	*rule = (struct gpc_model_rule){
		.name = from->name.text,
		.action = (enum gpc_action)from->action.value,
		.mark = (uint32_t)from->mark.value,
		.has_priority = from->priority.set,
		.priority = (uint16_t)from->priority.value,
		.expires = from->expires.value,
		.owner = from->owner.text,
		.note = from->note.text,
		.at = from->at,
		.from_at = place_if(from->from.items.n, from->from.at),
		.to_at = place_if(from->to.items.n, from->to.at),
		.ports_at = place_if(from->ports.n, from->ports_at),
		.match_at = from->match ? from->match->at : GPC_NOWHERE,
		.expires_at = place_if(from->expires.set, from->expires.at),
		.rate = gpc_model_rate(resolver->diags, from->rate, "rule", from->name.text),
	};

	resolve_boxes(resolver, from, rule, &resolver->made[index]);
	resolve_log(from, rule);
}

void gpc_model_rules(struct gpc_resolver *resolver, struct gpc_catalog *catalog)
{
	const struct gpc_intent *intent = resolver->intent;
	struct gpc_model *model = resolver->model;
	struct gpc_arena *arena = resolver->diags->arena;
	size_t count = intent->rules.n;

	if (count > GPC_MAX_RULES)
		gpc_diag(resolver->diags, GPC_E0413, intent->rules.items[GPC_MAX_RULES].at,
			 "%zu rules, the most is %u", count, GPC_MAX_RULES);
	gpc_catalog_start(arena, catalog, count);
	for (size_t i = 0; i < count; i++)
		gpc_catalog_add(catalog, intent->rules.items[i].name.text);
	gpc_catalog_sort(arena, catalog);
	model->rules = GPC_NEW_ARRAY(arena, struct gpc_model_rule, count);
	model->rule_count = count;
	/* As written: that is how the texts lie in memory. */
	for (size_t i = 0; i < count; i++)
		build_rule(resolver, &intent->rules.items[i], catalog->index[i]);
}
