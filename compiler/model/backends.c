/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "build.h"
#include "id.h"
#include "table_size.h"

static int by_name(const void *a, const void *b)
{
	const struct gpc_backend_intent *const *x = a, *const *y = b;

	return strcmp((*x)->name.text, (*y)->name.text);
}

static int by_id(const void *a, const void *b)
{
	const struct gpc_model_endpoint *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static struct gpc_model_endpoint build_endpoint(const struct gpc_endpoint_intent *from,
						const char *owner, uint32_t backend)
{
	struct gpc_model_endpoint endpoint = {
		.id = gpc_stable_id(GPC_KIND_ENDPOINT, owner, from->name.text),
		.name = from->name.text,
		.backend = backend,
		.addresses = from->addresses.items,
		.address_count = from->addresses.n,
		.weight = from->weight.set ? (uint16_t)from->weight.value : 1,
		.state = from->state.set ? (enum gpc_state)from->state.value : GPC_STATE_READY,
		.port = (uint16_t)from->port.value,
		.port_at = from->port.at,
		.quic_id = &from->quic_id,
		.at = from->at,
	};

	for (size_t i = 0; i < from->addresses.n; i++) {
		const struct gpc_prefix *address = &from->addresses.items[i].prefix;

		if (address->v4 && !endpoint.has4) {
			endpoint.has4 = true;
			endpoint.ip4 = address->ip;
		} else if (!address->v4 && !endpoint.has6) {
			endpoint.has6 = true;
			endpoint.ip6 = address->ip;
		}
	}
	return endpoint;
}

static struct gpc_model_backend build_backend(const struct gpc_backend_intent *from,
					      uint32_t first_endpoint)
{
	bool given = from->table_size.set;

	return (struct gpc_model_backend){
		.id = gpc_stable_id(GPC_KIND_BACKEND, NULL, from->name.text),
		.name = from->name.text,
		.first_endpoint = first_endpoint,
		.endpoint_count = (uint32_t)from->endpoints.n,
		.table_size = given ? (uint32_t)from->table_size.value
				    : gpc_maglev_default_size(from->endpoints.n),
		.table_size_given = given,
		.rebalance = (enum gpc_rebalance)from->rebalance.value,
		.next_hop = from->next_hop.set ? (enum gpc_next_hop)from->next_hop.value
					       : GPC_NEXT_HOP_AUTO,
		.next_hop_address = from->next_hop_address.prefix,
		.min_healthy = (uint16_t)from->min_healthy.value,
		.failover = GPC_NONE,
		.has_health = from->has_health,
		.at = from->at,
		.table_size_at = from->table_size.at,
		.rebalance_at = from->rebalance.at,
		.next_hop_at = from->next_hop_address.at,
		.failover_at = from->failover.at,
		.health_at = from->health_at,
	};
}

static size_t count_endpoints(struct gpc_diags *diags, const struct gpc_intent *intent)
{
	size_t count = 0;

	for (size_t i = 0; i < intent->backends.n; i++) {
		const struct gpc_backend_intent *backend = &intent->backends.items[i];

		if (backend->endpoints.n > GPC_MAX_ENDPOINTS_PER_BACKEND)
			gpc_diag(diags, GPC_E0403, backend->endpoints_at,
				 "%zu endpoints in backend `%s`, the most is %u",
				 backend->endpoints.n, backend->name.text,
				 GPC_MAX_ENDPOINTS_PER_BACKEND);
		count += backend->endpoints.n;
	}
	if (count > GPC_MAX_ENDPOINTS)
		gpc_diag(diags, GPC_E0404,
			 intent->backends.items[intent->backends.n - 1].endpoints_at,
			 "%zu endpoints in all backends together, the most is %u", count,
			 GPC_MAX_ENDPOINTS);
	return count;
}

uint32_t gpc_model_backend_named(struct gpc_diags *diags, struct gpc_model *model,
				 const struct gpc_text_value *name, const char *owner_kind,
				 const char *owner)
{
	size_t low = 0, high = model->backend_count;
	const char **names;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(model->backends[middle].name, name->text);

		if (!order) {
			model->backends[middle].used = true;
			return (uint32_t)middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	names = GPC_NEW_ARRAY(diags->arena, const char *, model->backend_count);
	for (size_t i = 0; i < model->backend_count; i++)
		names[i] = model->backends[i].name;
	gpc_model_unknown(diags, GPC_E0301, name, "backend", owner_kind, owner, names,
			  model->backend_count);
	return GPC_NONE;
}

/* Each backend leads to one other, so a circle is met within as many steps as there may be. */
static void check_failover(struct gpc_diags *diags, const struct gpc_model *model, uint32_t index)
{
	const struct gpc_model_backend *backend = &model->backends[index];
	uint32_t at = backend->failover;

	for (unsigned int depth = 1; at != GPC_NONE; depth++) {
		if (at == index) {
			gpc_diag(diags, GPC_E0230, backend->failover_at,
				 "`failover` of backend `%s` leads back to it", backend->name);
			return;
		}
		if (depth > GPC_MAX_FAILOVER)
			break;
		at = model->backends[at].failover;
	}
	if (at != GPC_NONE)
		gpc_diag(diags, GPC_E0231, backend->failover_at,
			 "more than %u backends in a row behind backend `%s`", GPC_MAX_FAILOVER,
			 backend->name);
}

static void resolve_failovers(struct gpc_diags *diags,
			      const struct gpc_backend_intent *const *sorted,
			      struct gpc_model *model)
{
	for (size_t i = 0; i < model->backend_count; i++)
		if (sorted[i]->failover.text)
			model->backends[i].failover =
				gpc_model_backend_named(diags, model, &sorted[i]->failover,
							"backend", sorted[i]->name.text);
	for (size_t i = 0; i < model->backend_count; i++)
		check_failover(diags, model, (uint32_t)i);
}

void gpc_model_backends(struct gpc_diags *diags, const struct gpc_intent *intent,
			struct gpc_model *model)
{
	size_t count = intent->backends.n, endpoints = count_endpoints(diags, intent), next = 0;
	const struct gpc_backend_intent **sorted =
		GPC_NEW_ARRAY(diags->arena, const struct gpc_backend_intent *, count);

	if (count > GPC_MAX_BACKENDS)
		gpc_diag(diags, GPC_E0402, intent->backends.items[GPC_MAX_BACKENDS].at,
			 "%zu backends, the most is %u", count, GPC_MAX_BACKENDS);
	for (size_t i = 0; i < count; i++)
		sorted[i] = &intent->backends.items[i];
	if (count)
		qsort(sorted, count, sizeof(*sorted), by_name);
	model->backends = GPC_NEW_ARRAY(diags->arena, struct gpc_model_backend, count);
	model->backend_count = count;
	model->endpoints = GPC_NEW_ARRAY(diags->arena, struct gpc_model_endpoint, endpoints);
	model->endpoint_count = endpoints;
	for (size_t i = 0; i < count; i++) {
		struct gpc_model_endpoint *own = &model->endpoints[next];
		size_t n = sorted[i]->endpoints.n;

		model->backends[i] = build_backend(sorted[i], (uint32_t)next);
		for (size_t k = 0; k < n; k++)
			own[k] = build_endpoint(&sorted[i]->endpoints.items[k],
						sorted[i]->name.text, (uint32_t)i);
		if (n)
			qsort(own, n, sizeof(*own), by_id);
		next += n;
	}
	resolve_failovers(diags, sorted, model);
}
