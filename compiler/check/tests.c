/* SPDX-License-Identifier: MIT */
/*
 * Names in tests that nothing has: such an expectation could never be met, and a packet on a device
 * that no interface takes would meet no rule.
 */
#include <string.h>

#include "../model/id.h"
#include "check.h"

#define MAX_PACKET 65535u
#define MOST_HEADERS 100u	/* IPv6 with a fragment header, and TCP; rounded up */

/* Names of one kind, by index. */
struct scope {
	const char *const *names;
	size_t count;
};

static bool has(const struct scope *scope, const char *name)
{
	for (size_t i = 0; i < scope->count; i++)
		if (!strcmp(scope->names[i], name))
			return true;
	return false;
}

static void unknown(struct gpc_diags *diags, enum gpc_code code, const struct gpc_text_value *name,
		    const char *what, const struct scope *scope)
{
	const char *near = gpc_did_you_mean(name->text, scope->names, scope->count);
	struct gpc_diag *diag = gpc_diag(diags, code, name->at, "no %s `%s`", what, name->text);

	if (near)
		gpc_diag_hint(diags, diag, "did you mean `%s`?", near);
}

/* What names a test may use. */
struct tested {
	struct gpc_diags *diags;
	const struct gpc_model *model;
	struct scope policies, rules, protects, builtins, listeners, backends;
};

#define SCOPE(diags, array, size)                                                                  \
	({                                                                                         \
		size_t gpc_count = (size);                                                         \
		const char **gpc_names =                                                           \
			GPC_NEW_ARRAY((diags)->arena, const char *, gpc_count + 1);                \
		for (size_t gpc_i = 0; gpc_i < gpc_count; gpc_i++)                                 \
			gpc_names[gpc_i] = (array)[gpc_i].name;                                    \
		(struct scope){gpc_names, gpc_count};                                              \
	})

/* ---- packets ---- */

static bool takes(const struct gpc_model_interface *interface, const char *device)
{
	size_t length = strlen(interface->name);

	return interface->pattern ? !strncmp(interface->name, device, length - 1)
				  : !strcmp(interface->name, device);
}

static void check_device(const struct tested *t, const struct gpc_text_value *device)
{
	struct gpc_diag *diag;

	for (size_t i = 0; i < t->model->interface_count; i++)
		if (takes(&t->model->interfaces[i], device->text))
			return;
	diag = gpc_diag(t->diags, GPC_E0385, device->at, "no interface takes device `%s`",
			device->text);
	gpc_diag_hint(t->diags, diag, "a test sends through devices that the plane is bound to");
}

static void check_send(const struct tested *t, const struct gpc_send_intent *send)
{
	check_device(t, send->in.text ? &send->in : &send->out);
	if (send->payload.set && send->payload.value > MAX_PACKET - MOST_HEADERS)
		gpc_diag(t->diags, GPC_E0386, send->payload.at,
			 "packet of more than %u bytes: `payload` may be %u", MAX_PACKET,
			 MAX_PACKET - MOST_HEADERS);
}

/* ---- expectations ---- */

static struct scope rules_of(const struct tested *t, const struct gpc_model_policy *policy)
{
	const char **names = GPC_NEW_ARRAY(t->diags->arena, const char *, policy->rule_count + 1);

	for (size_t i = 0; i < policy->rule_count; i++)
		names[i] = t->model->rules[policy->rules[i]].name;
	names[policy->rule_count] = "default";
	return (struct scope){names, policy->rule_count + 1};
}

static const struct gpc_model_policy *policy_named(const struct gpc_model *model, const char *name)
{
	for (size_t i = 0; i < model->policy_count; i++)
		if (!strcmp(model->policies[i].name, name))
			return &model->policies[i];
	return NULL;
}

static void check_rule_of(const struct tested *t, const struct gpc_expect_intent *expect)
{
	const struct gpc_model_policy *policy = policy_named(t->model, expect->policy.text);
	struct scope scope = !strcmp(expect->policy.text, "protect") ? t->protects : t->builtins;

	if (policy)
		scope = rules_of(t, policy);
	if (!has(&scope, expect->rule.text))
		unknown(t->diags, GPC_E0381, &expect->rule,
			gpc_arena_printf(t->diags->arena, "rule of `%s` called",
					 expect->policy.text),
			&scope);
}

/* A rule of any policy, or an item of `protect`, or a built-in. */
static void check_rule(const struct tested *t, const struct gpc_expect_intent *expect)
{
	if (!strcmp(expect->rule.text, "default") || has(&t->rules, expect->rule.text) ||
	    has(&t->protects, expect->rule.text) || has(&t->builtins, expect->rule.text))
		return;
	unknown(t->diags, GPC_E0381, &expect->rule, "rule", &t->rules);
}

static void check_decider(const struct tested *t, const struct gpc_expect_intent *expect)
{
	const char *policy = expect->policy.text;

	if (policy && strcmp(policy, "protect") && strcmp(policy, "builtin") &&
	    !has(&t->policies, policy)) {
		unknown(t->diags, GPC_E0380, &expect->policy, "policy", &t->policies);
		return;
	}
	if (!expect->rule.text)
		return;
	if (policy)
		check_rule_of(t, expect);
	else
		check_rule(t, expect);
}

static struct scope endpoints_of(const struct tested *t, const char *backend)
{
	const struct gpc_model *model = t->model;
	const char **names = GPC_NEW_ARRAY(t->diags->arena, const char *, model->endpoint_count + 1);
	size_t count = 0;

	for (size_t i = 0; i < model->endpoint_count; i++)
		if (!backend || !strcmp(model->backends[model->endpoints[i].backend].name, backend))
			names[count++] = model->endpoints[i].name;
	return (struct scope){names, count};
}

static void check_expect(const struct tested *t, const struct gpc_expect_intent *expect)
{
	check_decider(t, expect);
	if (expect->listener.text && !has(&t->listeners, expect->listener.text))
		unknown(t->diags, GPC_E0382, &expect->listener, "listener", &t->listeners);
	if (expect->backend.text && !has(&t->backends, expect->backend.text)) {
		unknown(t->diags, GPC_E0383, &expect->backend, "backend", &t->backends);
	} else if (expect->endpoint.text) {
		struct scope endpoints = endpoints_of(t, expect->backend.text);

		if (!has(&endpoints, expect->endpoint.text))
			unknown(t->diags, GPC_E0384, &expect->endpoint, "endpoint", &endpoints);
	}
}

void gpc_check_tests(struct gpc_diags *diags, const struct gpc_model *model)
{
	struct tested t = {
		.diags = diags,
		.model = model,
		.policies = SCOPE(diags, model->policies, model->policy_count),
		.rules = SCOPE(diags, model->rules, model->rule_count),
		.protects = SCOPE(diags, model->protects, model->protect_count),
		.builtins = {gpc_builtin_names, GPC_BUILTIN_COUNT},
		.listeners = SCOPE(diags, model->listeners, model->listener_count),
		.backends = SCOPE(diags, model->backends, model->backend_count),
	};

	for (size_t i = 0; i < model->test_count; i++) {
		const struct gpc_test_intent *test = &model->tests[i];

		for (size_t k = 0; k < test->before.n; k++)
			check_send(&t, &test->before.items[k]);
		check_send(&t, &test->send);
		check_expect(&t, &test->expect);
	}
}
