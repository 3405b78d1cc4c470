/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "check.h"

static void check_interfaces(struct gpc_diags *diags, const struct gpc_model *model,
			     const struct gpc_model_listener *listener)
{
	if (!listener->interfaces) {
		gpc_diag(diags, GPC_E0313,
			 listener->use_count ? listener->uses[0].at : listener->at,
			 "no interface with hook `xdp` and role `edge` for listener `%s`",
			 listener->name);
		return;
	}
	for (size_t i = 0; i < listener->use_count; i++) {
		const struct gpc_model_interface *interface =
			&model->interfaces[listener->uses[i].interface];
		struct gpc_diag *diag;

		if (listener->interfaces >> listener->uses[i].interface & 1)
			continue;
		diag = gpc_diag(diags, GPC_W0314, listener->uses[i].at,
				"listener `%s` does not exist on interface `%s`", listener->name,
				interface->name);
		gpc_diag_place(diag, interface->at,
			       interface->role == GPC_ROLE_DECAP ? "role `decap`"
								 : "no hook `xdp`");
	}
}

/* ---- families: only `ipip` from a v6 address is choosy (SEMANTICS 6.2) ---- */

struct lack {
	uint32_t count; /* endpoints without a v6 address */
	const struct gpc_model_endpoint *first;
};

static struct lack *count_lacks(struct gpc_arena *arena, const struct gpc_model *model)
{
	struct lack *lacks = GPC_NEW_ARRAY(arena, struct lack, model->backend_count);

	for (size_t i = 0; i < model->endpoint_count; i++) {
		const struct gpc_model_endpoint *endpoint = &model->endpoints[i];
		struct lack *lack = &lacks[endpoint->backend];

		if (endpoint->has6)
			continue;
		if (!lack->count++ || endpoint->at.start < lack->first->at.start)
			lack->first = endpoint;
	}
	return lacks;
}

static bool has_v6(const struct gpc_model_listener *listener)
{
	for (size_t i = 0; i < listener->address_count; i++)
		if (!listener->addresses[i].prefix.v4)
			return true;
	return false;
}

static void check_families(struct gpc_diags *diags, const struct gpc_model *model,
			   const struct gpc_model_listener *listener, const struct lack *lacks)
{
	const struct gpc_model_backend *backend = &model->backends[listener->backend];
	const struct lack *lack = &lacks[listener->backend];
	struct gpc_diag *diag;

	if (listener->forward != GPC_FORWARD_IPIP || !has_v6(listener) || !lack->count)
		return;
	if (lack->count == backend->endpoint_count)
		diag = gpc_diag(diags, GPC_E0305, listener->backend_at,
				"no endpoint of backend `%s` has an IPv6 address, which `ipip` of "
				"listener `%s` needs",
				backend->name, listener->name);
	else
		diag = gpc_diag(
			diags, GPC_W0306, listener->backend_at,
			"%u of %u endpoints of backend `%s` get no IPv6 flows of listener `%s`",
			lack->count, backend->endpoint_count, backend->name, listener->name);
	gpc_diag_place(diag, lack->first->at, "has no IPv6 address");
}

/* ---- conflicts ---- */

struct key {
	const struct gpc_prefix_value *address;
	const struct gpc_model_listener *listener;
};

static int compare_keys(const struct key *a, const struct key *b)
{
	int order = gpc_ip_compare(&a->address->prefix.ip, &b->address->prefix.ip);

	if (order)
		return order;
	if (a->listener->protocol != b->listener->protocol)
		return a->listener->protocol < b->listener->protocol ? -1 : 1;
	return a->listener->port < b->listener->port ? -1 : a->listener->port > b->listener->port;
}

static int by_key(const void *a, const void *b)
{
	const struct key *x = a, *y = b;
	int order = compare_keys(x, y);

	/* The listeners stand in one array, in name order. */
	return order ? order : x->listener < y->listener ? -1 : x->listener > y->listener;
}

/* keys[0..index) are the other listeners of the same address, protocol and port. */
static void report_conflict(struct gpc_diags *diags, const struct key *keys, size_t index)
{
	const struct key *later = &keys[index], *earlier = keys;
	char text[GPC_IP_TEXT];
	struct gpc_diag *diag;

	while (!(earlier->listener->interfaces & later->listener->interfaces))
		earlier++;
	diag = gpc_diag(diags, GPC_E0303, later->address->at,
			"address %s, protocol and port of listener `%s` are those of listener `%s`",
			gpc_ip_format(&later->address->prefix.ip, text), later->listener->name,
			earlier->listener->name);
	gpc_diag_place(diag, earlier->address->at, "the other one");
}

static void check_conflicts(struct gpc_diags *diags, const struct gpc_model *model)
{
	size_t count = 0, next = 0;
	struct key *keys;

	for (size_t i = 0; i < model->listener_count; i++)
		count += model->listeners[i].address_count;
	keys = GPC_NEW_ARRAY(diags->arena, struct key, count);
	for (size_t i = 0; i < model->listener_count; i++)
		for (size_t k = 0; k < model->listeners[i].address_count; k++)
			keys[next++] = (struct key){&model->listeners[i].addresses[k],
						    &model->listeners[i]};
	if (count)
		qsort(keys, count, sizeof(*keys), by_key);
	for (size_t start = 0, i = 0; i < count; start = i) {
		uint64_t taken = 0;

		for (; i < count && !compare_keys(&keys[start], &keys[i]); i++) {
			if (taken & keys[i].listener->interfaces)
				report_conflict(diags, &keys[start], i - start);
			taken |= keys[i].listener->interfaces;
		}
	}
}

void gpc_check_listeners(struct gpc_diags *diags, const struct gpc_model *model)
{
	const struct lack *lacks = count_lacks(diags->arena, model);

	for (size_t i = 0; i < model->listener_count; i++) {
		check_interfaces(diags, model, &model->listeners[i]);
		check_families(diags, model, &model->listeners[i], lacks);
	}
	check_conflicts(diags, model);
}
