/* SPDX-License-Identifier: MIT */
/* `{listeners: PATTERN}`: where the listeners are, and what reaches them. */
#include <stdlib.h>
#include <string.h>

#include "gpc/image.h"
#include "resolve.h"

static bool pattern_matches(const char *pattern, const char *name)
{
	size_t head = strlen(pattern);

	if (!head || pattern[head - 1] != '*')
		return !strcmp(pattern, name);
	return !strncmp(pattern, name, head - 1);
}

/* A listener, or all of one protocol and ports, and their addresses. */
struct reached {
	const struct gpc_model_listener *listener;
	uint32_t set;
};

static int by_protocol_and_port(const void *a, const void *b)
{
	const struct gpc_model_listener *x = ((const struct reached *)a)->listener;
	const struct gpc_model_listener *y = ((const struct reached *)b)->listener;

	if (x->protocol != y->protocol)
		return x->protocol < y->protocol ? -1 : 1;
	if (x->port != y->port)
		return x->port < y->port ? -1 : 1;
	return x->port_last < y->port_last ? -1 : x->port_last > y->port_last;
}

static int by_set(const void *a, const void *b)
{
	const struct reached *x = a, *y = b;

	if (x->set != y->set)
		return x->set < y->set ? -1 : 1;
	return by_protocol_and_port(a, b);
}

static uint32_t addresses_of(struct gpc_resolver *resolver, const struct reached *reached,
			     size_t count)
{
	struct gpc_arena *arena = resolver->diags->arena;
	struct gpc_prefix *prefixes;
	size_t total = 0;

	for (size_t i = 0; i < count; i++)
		total += reached[i].listener->address_count;
	prefixes = GPC_NEW_ARRAY(arena, struct gpc_prefix, total);
	total = 0;
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < reached[i].listener->address_count; k++)
			prefixes[total++] = reached[i].listener->addresses[k].prefix;
	return gpc_space_set(&resolver->space, gpc_set_of_prefixes(arena, prefixes, total));
}

/* Joins those of one protocol and ports; gives each its set. */
static size_t join(struct gpc_resolver *resolver, struct reached *reached, size_t count)
{
	size_t kept = 0;

	qsort(reached, count, sizeof(*reached), by_protocol_and_port);
	for (size_t start = 0, i = 0; i < count; start = i) {
		while (i < count && !by_protocol_and_port(&reached[start], &reached[i]))
			i++;
		reached[kept].set = addresses_of(resolver, &reached[start], i - start);
		reached[kept++].listener = reached[start].listener;
	}
	return kept;
}

static struct gpc_service_item item_of(uint8_t protocol, uint32_t first, uint32_t last)
{
	return (struct gpc_service_item){protocol, protocol, GPC_ANY_PORT, {first, last}};
}

/* One target for all of one set. A later fragment has no port and needs none (SEMANTICS 5.1). */
static struct gpc_target target_of(struct gpc_arena *arena, const struct reached *reached,
				   size_t count)
{
	struct gpc_service_item *items = GPC_NEW_ARRAY(arena, struct gpc_service_item, 2 * count);
	struct gpc_match any = GPC_MATCH_ANY;

	for (size_t i = 0; i < count; i++) {
		const struct gpc_model_listener *listener = reached[i].listener;

		items[2 * i] = item_of(listener->protocol, listener->port, listener->port_last);
		items[2 * i + 1] = item_of(listener->protocol, GPC_PORT_NONE, GPC_PORT_NONE);
	}
	return (struct gpc_target){reached[0].set, items,
				   gpc_service_normalise(items, 2 * count, &any)};
}

static struct gpc_listeners_answer answer_of(struct gpc_resolver *resolver, const char *pattern)
{
	const struct gpc_model *model = resolver->model;
	struct gpc_arena *arena = resolver->diags->arena;
	struct gpc_listeners_answer answer = {.pattern = pattern, .addresses = GPC_NONE};
	struct reached *reached = GPC_NEW_ARRAY(arena, struct reached, model->listener_count);
	struct gpc_target *targets;
	size_t count = 0;

	for (size_t i = 0; i < model->listener_count; i++)
		if (pattern_matches(pattern, model->listeners[i].name))
			reached[count++].listener = &model->listeners[i];
	if (!count)
		return answer;
	answer.addresses = addresses_of(resolver, reached, count);
	count = join(resolver, reached, count);
	qsort(reached, count, sizeof(*reached), by_set);
	targets = GPC_NEW_ARRAY(arena, struct gpc_target, count);
	for (size_t start = 0, i = 0; i < count; start = i) {
		while (i < count && reached[i].set == reached[start].set)
			i++;
		targets[answer.count++] = target_of(arena, &reached[start], i - start);
	}
	answer.targets = targets;
	return answer;
}

struct pattern_key {
	const struct gpc_resolver *resolver;
	const char *pattern;
};

static bool same_pattern(const void *context, uint32_t number)
{
	const struct pattern_key *key = context;

	return !strcmp(key->resolver->listeners_answers.items[number]->pattern, key->pattern);
}

const struct gpc_listeners_answer *gpc_resolve_listeners(struct gpc_resolver *resolver,
							 const char *pattern)
{
	struct pattern_key key = {resolver, pattern};
	uint64_t hash = gpc_intern_mix_bytes(4, pattern, strlen(pattern));
	uint32_t number = gpc_intern_find(&resolver->listeners_index, hash, same_pattern, &key);
	struct gpc_listeners_answer *answer;

	if (number != GPC_NONE)
		return resolver->listeners_answers.items[number];
	answer = GPC_NEW(resolver->diags->arena, struct gpc_listeners_answer);
	*answer = answer_of(resolver, pattern);
	gpc_intern_add(resolver->diags->arena, &resolver->listeners_index, hash,
		       (uint32_t)resolver->listeners_answers.n);
	*GPC_PUSH(resolver->diags->arena, &resolver->listeners_answers) = answer;
	return answer;
}
