/* SPDX-License-Identifier: MIT */
#include "model.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "build.h"
#include "id.h"
#include "intern.h"

/* SEMANTICS 2.3, in the order of enum gpc_timeout. */
static const uint32_t default_timeouts[GPC_TIMEOUT_COUNT] = {
	[GPC_TIMEOUT_SYN] = 60,	   [GPC_TIMEOUT_ESTABLISHED] = 7440, [GPC_TIMEOUT_CLOSING] = 120,
	[GPC_TIMEOUT_CLOSED] = 10, [GPC_TIMEOUT_UDP_NEW] = 30,	     [GPC_TIMEOUT_UDP] = 180,
	[GPC_TIMEOUT_ICMP] = 30,   [GPC_TIMEOUT_OTHER] = 600,
};
#define DEFAULT_PICKUP 300u
#define DEFAULT_FLOWS 1048576u
#define FLOW_INSERT_SECONDS 60u

static uint64_t value_or(const struct gpc_uint_value *value, uint64_t fallback)
{
	return value->set ? value->value : fallback;
}

void gpc_model_defaults(const struct gpc_intent *intent, struct gpc_model *model)
{
	const struct gpc_defaults_intent *written = &intent->defaults;
	uint8_t digest[32];
	uint64_t flows, inserts;

	model->name = intent->name.text;
	model->parent = &intent->parent;
	model->fragments = (enum gpc_fragments)value_or(&written->fragments, GPC_FRAGMENTS_L3_HASH);
	model->malformed_drop = value_or(&written->malformed_drop, 1);
	model->non_ip_drop = value_or(&written->non_ip_drop, 0);
	model->on_fail_drop = value_or(&written->on_fail_drop, 0);
	flows = value_or(&written->flows, DEFAULT_FLOWS);
	inserts = value_or(&written->flow_inserts, flows / FLOW_INSERT_SECONDS);
	/* The ranges are those of keys.def. */
	assert(flows >= GPC_MIN_FLOWS && flows <= GPC_MAX_FLOWS && inserts &&
	       inserts <= UINT32_MAX);
	model->flows = (uint32_t)flows;
	model->flow_inserts = (uint32_t)inserts;
	model->on_fail_given = written->on_fail_drop.set;
	model->pickup = (uint32_t)value_or(&written->pickup, DEFAULT_PICKUP);
	for (size_t i = 0; i < GPC_BUILTIN_COUNT; i++) {
		model->builtin[i] =
			(enum gpc_builtin_action)value_or(&written->builtin[i], GPC_BUILTIN_ALLOW);
		model->builtin_ids[i] = gpc_stable_id(GPC_KIND_BUILTIN, NULL, gpc_builtin_names[i]);
	}
	for (int i = 0; i < GPC_TIMEOUT_COUNT; i++)
		model->timeout[i] = (uint32_t)value_or(&written->timeout[i], default_timeouts[i]);
	for (int i = 0; i < GPC_BUILTIN_COUNT; i++)
		model->builtin_ids[i] = gpc_stable_id(GPC_KIND_BUILTIN, NULL, gpc_builtin_names[i]);
	gpc_identity_digest(GPC_KIND_SEED, NULL, model->name, digest);
	memcpy(model->hash_seed, written->hash_seed.set ? written->hash_seed.bytes : digest,
	       sizeof(model->hash_seed));
}

void gpc_model_unknown(struct gpc_diags *diags, enum gpc_code code,
		       const struct gpc_text_value *name, const char *kind, const char *owner_kind,
		       const char *owner, const char *const *candidates, size_t count)
{
	struct gpc_diag *diag = gpc_diag(diags, code, name->at, "unknown %s `%s` in %s `%s`", kind,
					 name->text, owner_kind, owner);
	const char *near = NULL;

	/* Only for those that are shown: nearest of thousands, thousands of times, would take long.
	 */
	if (diags->errors <= GPC_MAX_DIAGS)
		near = gpc_did_you_mean(name->text, candidates, count);
	if (near)
		gpc_diag_hint(diags, diag, "did you mean `%s`?", near);
}

static int by_interface_name(const void *a, const void *b)
{
	const struct gpc_model_interface *x = a, *y = b;

	return strcmp(x->name, y->name);
}

void gpc_model_interfaces(struct gpc_diags *diags, const struct gpc_intent *intent,
			  struct gpc_model *model)
{
	size_t count = intent->interfaces.n;

	if (count > GPC_MAX_INTERFACES) {
		gpc_diag(diags, GPC_E0405, intent->interfaces.items[GPC_MAX_INTERFACES].at,
			 "%zu interfaces, the most is %u", count, GPC_MAX_INTERFACES);
		count = GPC_MAX_INTERFACES;
	}
	model->interfaces = GPC_NEW_ARRAY(diags->arena, struct gpc_model_interface, count);
	model->interface_count = count;
	for (size_t i = 0; i < count; i++) {
		const struct gpc_interface_intent *from = &intent->interfaces.items[i];
		const char *name = from->name.text;

		model->interfaces[i] = (struct gpc_model_interface){
			.id = gpc_stable_id(GPC_KIND_INTERFACE, NULL, name),
			.name = name,
			.mode = (enum gpc_mode)value_or(&from->mode, GPC_MODE_NATIVE),
			.role = (enum gpc_role)value_or(&from->role, GPC_ROLE_EDGE),
			.hooks = (uint8_t)value_or(&from->hooks, GPC_HOOK_XDP),
			.pattern = name[strlen(name) - 1] == '*',
			.at = from->at,
		};
	}
	if (count)
		qsort(model->interfaces, count, sizeof(*model->interfaces), by_interface_name);
}

uint32_t gpc_model_interface_named(struct gpc_diags *diags, const struct gpc_model *model,
				   const struct gpc_text_value *name, const char *owner_kind,
				   const char *owner)
{
	const char *names[GPC_MAX_INTERFACES];

	for (size_t i = 0; i < model->interface_count; i++) {
		names[i] = model->interfaces[i].name;
		if (!strcmp(names[i], name->text))
			return (uint32_t)i;
	}
	gpc_model_unknown(diags, GPC_E0302, name, "interface", owner_kind, owner, names,
			  model->interface_count);
	return GPC_NONE;
}

struct identity {
	uint64_t id;
	const char *kind, *name;
	struct gpc_place at;
};

static int by_id(const void *a, const void *b)
{
	const struct identity *x = a, *y = b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return x->at.start < y->at.start ? -1 : x->at.start > y->at.start;
}

#define COLLECT(into, objects, count, kind_)                                                       \
	for (size_t i_ = 0; i_ < (count); i_++)                                                    \
		*(into)++ = (struct identity)                                                      \
		{                                                                                  \
			(objects)[i_].id, (kind_), (objects)[i_].name, (objects)[i_].at            \
		}

static size_t count_identities(const struct gpc_model *model)
{
	size_t count = model->interface_count + model->backend_count + model->endpoint_count +
		       model->listener_count + 2 * model->policy_count + model->protect_count +
		       model->invariant_count + GPC_BUILTIN_COUNT;

	for (size_t i = 0; i < model->policy_count; i++)
		count += model->policies[i].rule_count;
	return count;
}

static struct identity *collect_policies(const struct gpc_model *model, struct identity *next)
{
	COLLECT(next, model->policies, model->policy_count, GPC_KIND_POLICY);
	COLLECT(next, model->protects, model->protect_count, GPC_KIND_PROTECT);
	COLLECT(next, model->invariants, model->invariant_count, GPC_KIND_INVARIANT);
	for (size_t i = 0; i < GPC_BUILTIN_COUNT; i++)
		*next++ = (struct identity){model->builtin_ids[i], GPC_KIND_BUILTIN,
					    gpc_builtin_names[i], GPC_NOWHERE};
	for (size_t i = 0; i < model->policy_count; i++) {
		const struct gpc_model_policy *policy = &model->policies[i];

		*next++ = (struct identity){policy->default_id, GPC_KIND_POLICY_RULE, "default",
					    policy->at};
		for (size_t k = 0; k < policy->rule_count; k++)
			*next++ = (struct identity){policy->rule_ids[k], GPC_KIND_POLICY_RULE,
						    model->rules[policy->rules[k]].name,
						    policy->rules_at[k]};
	}
	return next;
}

static bool always(const void *context, uint32_t number)
{
	(void)context;
	(void)number;
	return true;
}

/* An id is a hash already: no id 0, no id twice? */
static bool are_distinct(struct gpc_arena *arena, const struct identity *all, size_t count)
{
	struct gpc_intern seen = {0};

	gpc_intern_reserve(arena, &seen, count);
	for (size_t i = 0; i < count; i++) {
		if (!all[i].id || gpc_intern_find(&seen, all[i].id, always, NULL) != GPC_NONE)
			return false;
		gpc_intern_add(arena, &seen, all[i].id, (uint32_t)i);
	}
	return true;
}

/* Counters and flows are keyed by id alone, so ids are distinct over all kinds. */
void gpc_model_identities(struct gpc_diags *diags, const struct gpc_model *model)
{
	size_t count = count_identities(model);
	struct identity *all = GPC_NEW_ARRAY(diags->arena, struct identity, count), *next = all;

	COLLECT(next, model->interfaces, model->interface_count, GPC_KIND_INTERFACE);
	COLLECT(next, model->backends, model->backend_count, GPC_KIND_BACKEND);
	COLLECT(next, model->endpoints, model->endpoint_count, GPC_KIND_ENDPOINT);
	COLLECT(next, model->listeners, model->listener_count, GPC_KIND_LISTENER);
	next = collect_policies(model, next);
	assert((size_t)(next - all) == count);
	if (are_distinct(diags->arena, all, count))
		return;
	qsort(all, count, sizeof(*all), by_id);
	if (!all[0].id)
		gpc_diag(diags, GPC_E0409, all[0].at,
			 "stable id of %s `%s` is 0: give it another name", all[0].kind,
			 all[0].name);
	for (size_t i = 1; i < count; i++) {
		struct gpc_diag *diag;

		if (all[i].id != all[i - 1].id)
			continue;
		diag = gpc_diag(diags, GPC_E0409, all[i].at,
				"same stable id for %s `%s` and %s `%s`: rename one", all[i].kind,
				all[i].name, all[i - 1].kind, all[i - 1].name);
		gpc_diag_place(diag, all[i - 1].at, "the other one");
	}
}

bool gpc_model_build(struct gpc_diags *diags, const struct gpc_intent *intent,
		     struct gpc_model *ret_model)
{
	struct gpc_model model = {0};
	size_t errors = diags->errors;

	assert(intent->name.text);
	gpc_model_defaults(intent, &model);
	gpc_model_interfaces(diags, intent, &model);
	gpc_model_backends(diags, intent, &model);
	gpc_model_listeners(diags, intent, &model);
	gpc_model_policies(diags, intent, &model);
	gpc_model_probes(diags, intent, &model);
	model.tests = intent->tests.items;
	model.test_count = intent->tests.n;
	if (diags->errors == errors)
		gpc_model_identities(diags, &model);
	*ret_model = model;
	return diags->errors == errors;
}
