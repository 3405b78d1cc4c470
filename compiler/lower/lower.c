/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "../model/id.h"
#include "steps.h"

enum gpc_reach gpc_reach(enum gpc_forward forward, enum gpc_family family)
{
	if (forward == GPC_FORWARD_DSR)
		return GPC_REACH_ANY;
	if (family == GPC_V6)
		return GPC_REACH_V6;
	return forward == GPC_FORWARD_NAT ? GPC_REACH_V4 : GPC_REACH_ANY;
}

bool gpc_reach_takes(enum gpc_reach reach, bool has4, bool has6)
{
	switch (reach) {
	case GPC_REACH_V4:
		return has4;
	case GPC_REACH_V6:
		return has6;
	default:
		return has4 || has6;
	}
}

bool gpc_endpoint_usable(const struct gpc_model_endpoint *endpoint, enum gpc_forward forward,
			 enum gpc_family family)
{
	return gpc_reach_takes(gpc_reach(forward, family), endpoint->has4, endpoint->has6);
}

struct name_writer {
	char *names;
	size_t used;
};

static uint32_t put_name(struct name_writer *writer, const char *name)
{
	size_t at = writer->used, size = strlen(name) + 1;

	if (writer->names)
		memcpy(writer->names + at, name, size);
	writer->used += size;
	return (uint32_t)at;
}

static void put_rule_names(struct name_writer *writer, const struct gpc_model *model,
			   struct gpc_rule *next)
{
	for (int i = 0; i < GPC_BUILTIN_COUNT; i++)
		next++->name = put_name(writer, gpc_builtin_names[i]);
	for (size_t i = 0; i < model->protect_count; i++)
		next++->name = put_name(writer, model->protects[i].name);
	for (size_t i = 0; i < model->policy_count; i++) {
		const struct gpc_model_policy *policy = &model->policies[i];

		for (size_t k = 0; k < policy->rule_count; k++)
			next++->name = put_name(writer, model->rules[policy->rules[k]].name);
		next++->name = put_name(writer, GPC_NAME_DEFAULT);
	}
}

/* Run twice: once to count (no memory behind the writer), once to write. */
static void put_names(struct name_writer *writer, const struct gpc_model *model,
		      struct gpc_tables *tables)
{
	tables->name = put_name(writer, model->name);
	for (size_t i = 0; i < model->listener_count; i++)
		tables->listeners[i].name = put_name(writer, model->listeners[i].name);
	for (size_t i = 0; i < model->endpoint_count; i++)
		tables->endpoints[i].name = put_name(writer, model->endpoints[i].name);
	for (size_t i = 0; i < model->backend_count; i++)
		tables->backends[i].name = put_name(writer, model->backends[i].name);
	for (size_t i = 0; i < model->interface_count; i++)
		tables->interfaces[i].name = put_name(writer, model->interfaces[i].name);
	for (size_t i = 0; i < model->policy_count; i++)
		tables->policies[i].name = put_name(writer, model->policies[i].name);
	put_rule_names(writer, model, tables->rules);
	for (size_t i = 0; i < model->invariant_count; i++)
		tables->invariants[i].name = put_name(writer, model->invariants[i].name);
}

void gpc_lower_names(struct gpc_arena *arena, const struct gpc_model *model,
		     struct gpc_tables *tables)
{
	struct name_writer writer = {0};

	put_names(&writer, model, tables);
	tables->names_size = writer.used;
	writer = (struct name_writer){.names = gpc_arena_alloc(arena, writer.used)};
	put_names(&writer, model, tables);
	tables->names = writer.names;
}

static bool check_rules(struct gpc_diags *diags, const struct gpc_model *model)
{
	size_t records = gpc_rule_records(model);

	if (records <= GPC_MAX_IMAGE_BYTES / sizeof(struct gpc_rule))
		return true;
	gpc_diag(diags, GPC_E0410, GPC_NOWHERE,
		 "%zu rules, those of each policy counted, exceed the greatest image, %u bytes",
		 records, GPC_MAX_IMAGE_BYTES);
	return false;
}

bool gpc_lower(struct gpc_diags *diags, const struct gpc_model *model, const struct gpc_view *parent,
	       struct gpc_tables *ret_tables)
{
	struct gpc_arena *arena = diags->arena;
	const struct gpc_parent *before;
	struct gpc_tables tables;

	if (!check_rules(diags, model) || !gpc_parent_read(diags, model, parent, &before))
		return false;
	tables = (struct gpc_tables){
		.listeners = GPC_NEW_ARRAY(arena, struct gpc_listener, model->listener_count),
		.listener_count = model->listener_count,
		.endpoints = GPC_NEW_ARRAY(arena, struct gpc_endpoint, model->endpoint_count),
		.endpoint_count = model->endpoint_count,
		.backends = GPC_NEW_ARRAY(arena, struct gpc_backend, model->backend_count),
		.backend_count = model->backend_count,
		.interfaces = GPC_NEW_ARRAY(arena, struct gpc_interface, model->interface_count),
		.interface_count = model->interface_count,
		.policies = GPC_NEW_ARRAY(arena, struct gpc_policy, model->policy_count),
		.policy_count = model->policy_count,
		.rules = GPC_NEW_ARRAY(arena, struct gpc_rule, gpc_rule_records(model)),
		.rule_count = gpc_rule_records(model),
		.chains = GPC_NEW_ARRAY(arena, struct gpc_chain, model->chain_count),
		.chain_count = model->chain_count,
		.invariants = GPC_NEW_ARRAY(arena, struct gpc_invariant, model->invariant_count),
		.invariant_count = model->invariant_count,
	};

	gpc_lower_names(arena, model, &tables);
	gpc_lower_policies(model, &tables);
	gpc_lower_stamps(arena, model, &tables);
	gpc_lower_invariants(arena, model, &tables);
	if (!gpc_lower_objects(diags, model, &tables) || !gpc_lower_quic(diags, &tables) ||
	    !gpc_lower_listeners(diags, model, before, &tables) || !gpc_lower_vips(diags, model, &tables) ||
	    !gpc_lower_classifiers(diags, model, &tables))
		return false;
	*ret_tables = tables;
	return true;
}
