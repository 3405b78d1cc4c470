/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "gpc/image.h"
#include "id.h"
#include "resolve.h"

#define DEFAULT_PRIORITY 100u

/* ---- rules of a policy ---- */

/* A rule that a policy names. */
struct named {
	uint32_t rule;
	uint32_t position; /* as written */
	struct gpc_place at;
};

/* What the policies need of the rules: their index by name, and names for suggestions. */
struct rule_finder {
	struct gpc_resolver *resolver;
	const struct gpc_catalog *catalog;
	const char **candidates; /* made when first needed */
};

static void report_unknown(struct rule_finder *finder, const struct gpc_text_value *name,
			   const char *policy)
{
	const struct gpc_model *model = finder->resolver->model;

	if (!finder->candidates) {
		finder->candidates = GPC_NEW_ARRAY(finder->resolver->diags->arena, const char *,
						   model->rule_count);
		for (size_t i = 0; i < model->rule_count; i++)
			finder->candidates[i] = model->rules[i].name;
	}
	gpc_model_unknown(finder->resolver->diags, GPC_E0325, name, "rule", "policy", policy,
			  finder->candidates, model->rule_count);
}

/* The rules that a policy names, as written; what is unknown is left out. */
static struct named *find_rules(struct rule_finder *finder, const struct gpc_policy_intent *from,
				size_t *ret_count)
{
	struct gpc_resolver *resolver = finder->resolver;
	struct named *named = GPC_NEW_ARRAY(resolver->diags->arena, struct named, from->rules.n);
	size_t count = 0;

	for (uint32_t i = 0; i < from->rules.n; i++) {
		const struct gpc_text_value *name = &from->rules.items[i];
		uint32_t rule = gpc_catalog_find(finder->catalog, name->text);

		if (rule == GPC_NONE) {
			report_unknown(finder, name, from->name.text);
			continue;
		}
		resolver->model->rules[rule].used = true;
		named[count++] = (struct named){rule, i, name->at};
	}
	*ret_count = count;
	return named;
}

/* Priority on all or none. */
static bool has_priorities(struct gpc_resolver *resolver, const struct named *named, size_t count,
			   const char *policy)
{
	const struct gpc_model_rule *rules = resolver->model->rules;
	const struct named *with = NULL, *without = NULL;

	for (size_t i = 0; i < count; i++) {
		const struct named **first = rules[named[i].rule].has_priority ? &with : &without;

		if (!*first)
			*first = &named[i];
	}
	if (with && without)
		gpc_diag_place(gpc_diag(resolver->diags, GPC_E0327, without->at,
					"rule `%s` of policy `%s` has no priority, others have one",
					rules[without->rule].name, policy),
			       with->at, "has one");
	return with && !without;
}

/* A rule with its sort key. */
struct ranked {
	struct named named;
	uint16_t priority;
};

static int by_priority(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	return x->named.position < y->named.position ? -1 : x->named.position > y->named.position;
}

static void sort_rules(struct gpc_resolver *resolver, struct named *named, size_t count)
{
	struct ranked *ranked = GPC_NEW_ARRAY(resolver->diags->arena, struct ranked, count);

	for (size_t i = 0; i < count; i++)
		ranked[i] =
			(struct ranked){named[i], resolver->model->rules[named[i].rule].priority};
	qsort(ranked, count, sizeof(*ranked), by_priority);
	for (size_t i = 0; i < count; i++)
		named[i] = ranked[i].named;
}

static void resolve_rules(struct rule_finder *finder, const struct gpc_policy_intent *from,
			  struct gpc_model_policy *policy)
{
	struct gpc_resolver *resolver = finder->resolver;
	struct gpc_arena *arena = resolver->diags->arena;
	size_t count;
	struct named *named = find_rules(finder, from, &count);
	uint32_t *rules = GPC_NEW_ARRAY(arena, uint32_t, count);
	uint64_t *ids = GPC_NEW_ARRAY(arena, uint64_t, count);
	struct gpc_ids rule_ids;
	struct gpc_place *places = GPC_NEW_ARRAY(arena, struct gpc_place, count);

	if (has_priorities(resolver, named, count, policy->name))
		sort_rules(resolver, named, count);
	gpc_ids_start(&rule_ids, GPC_KIND_POLICY_RULE, policy->name);
	for (size_t i = 0; i < count; i++) {
		rules[i] = named[i].rule;
		places[i] = named[i].at;
		ids[i] = gpc_ids_next(&rule_ids, resolver->model->rules[rules[i]].name);
	}
	gpc_ids_end(&rule_ids);
	policy->rules = rules;
	policy->rules_at = places;
	policy->rule_ids = ids;
	policy->rule_count = count;
}

/* ---- policies ---- */

uint64_t gpc_model_interface_mask(struct gpc_diags *diags, const struct gpc_model *model,
				  const struct gpc_text_value *names, size_t count,
				  const char *owner_kind, const char *owner)
{
	uint64_t all =
		model->interface_count == 64 ? UINT64_MAX : (1ull << model->interface_count) - 1;
	uint64_t mask = count ? 0 : all;

	for (size_t i = 0; i < count; i++) {
		uint32_t index;

		if (!strcmp(names[i].text, "*")) {
			mask = all;
			continue;
		}
		index = gpc_model_interface_named(diags, model, &names[i], owner_kind, owner);
		if (index != GPC_NONE)
			mask |= 1ull << index;
	}
	return mask;
}

static struct gpc_place place_of(const struct gpc_uint_value *value)
{
	return value->set ? value->at : GPC_NOWHERE;
}

static struct gpc_model_policy build_policy(struct rule_finder *finder,
					    const struct gpc_policy_intent *from)
{
	const struct gpc_intent *intent = finder->resolver->intent;
	struct gpc_model_policy policy = {
		.id = gpc_stable_id(GPC_KIND_POLICY, NULL, from->name.text),
		.name = from->name.text,
		.interfaces = gpc_model_interface_mask(
			finder->resolver->diags, finder->resolver->model, from->interfaces.items,
			from->interfaces.n, "policy", from->name.text),
		.direction = (enum gpc_direction)from->direction.value,
		.stateful = !from->stateful.set || from->stateful.value,
		.keep = from->keep.value,
		.mid_stream = from->mid_stream.value,
		.fallback = from->fallback.set ? (enum gpc_action)from->fallback.value
					       : GPC_ACTION_DENY,
		.mode = (enum gpc_policy_mode)from->mode.value,
		.priority = from->priority.set ? (uint16_t)from->priority.value : DEFAULT_PRIORITY,
		.document = from->document,
		.position = (uint32_t)(from - intent->policies.items),
		.default_id =
			gpc_stable_id(GPC_KIND_POLICY_RULE, from->name.text, GPC_NAME_DEFAULT),
		.at = from->at,
		.interfaces_at = from->interfaces.n ? from->interfaces.items[0].at : from->at,
		.stateful_at = place_of(&from->stateful),
		.existing_at = place_of(&from->keep),
		.mid_stream_at = place_of(&from->mid_stream),
	};

	resolve_rules(finder, from, &policy);
	return policy;
}

static int by_name(const void *a, const void *b)
{
	const struct gpc_policy_intent *const *x = a, *const *y = b;

	return strcmp((*x)->name.text, (*y)->name.text);
}

void gpc_model_policy_list(struct gpc_resolver *resolver, const struct gpc_catalog *catalog)
{
	const struct gpc_intent *intent = resolver->intent;
	struct gpc_model *model = resolver->model;
	struct gpc_arena *arena = resolver->diags->arena;
	struct rule_finder finder = {.resolver = resolver, .catalog = catalog};
	size_t count = intent->policies.n;
	const struct gpc_policy_intent **sorted =
		GPC_NEW_ARRAY(arena, const struct gpc_policy_intent *, count);

	if (count > GPC_MAX_POLICIES)
		gpc_diag(resolver->diags, GPC_E0414, intent->policies.items[GPC_MAX_POLICIES].at,
			 "%zu policies, the most is %u", count, GPC_MAX_POLICIES);
	for (size_t i = 0; i < count; i++)
		sorted[i] = &intent->policies.items[i];
	if (count)
		qsort(sorted, count, sizeof(*sorted), by_name);
	model->policies = GPC_NEW_ARRAY(arena, struct gpc_model_policy, count);
	model->policy_count = count;
	for (size_t i = 0; i < count; i++)
		model->policies[i] = build_policy(&finder, sorted[i]);
}

void gpc_model_policies(struct gpc_diags *diags, const struct gpc_intent *intent,
			struct gpc_model *model)
{
	struct gpc_catalog rules = {0};
	struct gpc_resolver resolver;

	gpc_resolver_init(&resolver, diags, intent, model);
	gpc_resolve_segments(&resolver);
	gpc_model_rules(&resolver, &rules);
	gpc_model_protects(&resolver);
	gpc_model_policy_list(&resolver, &rules);
	gpc_model_invariants(&resolver);
	gpc_resolver_finish(&resolver);
	gpc_model_chains(diags, model);
}
