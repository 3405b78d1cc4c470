/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "gpc/lookup/hash.h"
#include "phash.h"
#include "steps.h"

static void lower_interfaces(const struct gpc_model *model, struct gpc_tables *tables)
{
	for (size_t i = 0; i < model->interface_count; i++) {
		const struct gpc_model_interface *from = &model->interfaces[i];
		struct gpc_interface *to = &tables->interfaces[i];

		to->id = from->id;
		to->mode = (uint8_t)from->mode;
		to->role = (uint8_t)from->role;
		to->hooks = from->hooks;
		to->pattern = from->pattern;
	}
}

static void lower_backends(const struct gpc_model *model, struct gpc_tables *tables)
{
	for (size_t i = 0; i < model->backend_count; i++) {
		const struct gpc_model_backend *from = &model->backends[i];
		struct gpc_backend *to = &tables->backends[i];

		to->id = from->id;
		to->first_endpoint = from->first_endpoint;
		to->endpoints = from->endpoint_count;
		to->table_size = from->table_size;
		to->next_hop = (uint8_t)from->next_hop;
		to->rebalance = (uint8_t)from->rebalance;
		to->min_healthy = from->min_healthy;
		to->failover = from->failover;
		if (from->next_hop == GPC_NEXT_HOP_ADDRESS)
			memcpy(to->next_hop_be, from->next_hop_address.ip.bytes,
			       sizeof(to->next_hop_be));
	}
}

static uint8_t endpoint_flags(const struct gpc_model_endpoint *endpoint,
			      const struct gpc_model_backend *backend)
{
	uint8_t flags = 0;

	if (endpoint->has4)
		flags |= GPC_ENDPOINT_V4;
	if (endpoint->has6)
		flags |= GPC_ENDPOINT_V6;
	if (endpoint->state != GPC_STATE_MAINT)
		flags |= GPC_ENDPOINT_KEEP;
	if (backend->next_hop == GPC_NEXT_HOP_FIB)
		flags |= GPC_ENDPOINT_FIB;
	return flags;
}

static void lower_endpoints(const struct gpc_model *model, struct gpc_tables *tables)
{
	for (size_t i = 0; i < model->endpoint_count; i++) {
		const struct gpc_model_endpoint *from = &model->endpoints[i];
		struct gpc_endpoint *to = &tables->endpoints[i];

		to->id = from->id;
		if (from->has6)
			memcpy(to->address6_be, from->ip6.bytes, sizeof(to->address6_be));
		if (from->has4)
			to->address4_be = gpc_ip_v4_be(&from->ip4);
		to->weight = from->weight;
		to->state = (uint8_t)from->state;
		to->flags = endpoint_flags(from, &model->backends[from->backend]);
		to->backend = from->backend;
		to->port_be = htons(from->port);
		to->quic_length = from->quic_id->length;
		memcpy(to->quic_id, from->quic_id->bytes, from->quic_id->length);
	}
}

struct by_name {
	const struct gpc_model_endpoint *endpoint;
	uint32_t index;
};

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct by_name *)a)->endpoint->name,
		      ((const struct by_name *)b)->endpoint->name);
}

/* Endpoints stand by id; their order by name is what the last resort of SEMANTICS 6.3 counts in. */
static void number_endpoints(struct gpc_arena *arena, const struct gpc_model *model,
			     struct gpc_tables *tables)
{
	for (size_t b = 0; b < model->backend_count; b++) {
		const struct gpc_model_backend *backend = &model->backends[b];
		struct by_name *list = GPC_NEW_ARRAY(arena, struct by_name, backend->endpoint_count);

		for (uint32_t i = 0; i < backend->endpoint_count; i++)
			list[i] = (struct by_name){&model->endpoints[backend->first_endpoint + i], i};
		qsort(list, backend->endpoint_count, sizeof(*list), compare_names);
		for (uint32_t i = 0; i < backend->endpoint_count; i++)
			tables->endpoints[backend->first_endpoint + i].by_name = list[i].index;
	}
}

static uint64_t endpoint_key(uint64_t seed, const void *keys, size_t index)
{
	const struct gpc_endpoint *endpoints = keys;

	return gpc_phash_mix(seed, endpoints[index].id, 0, 0);
}

bool gpc_lower_objects(struct gpc_diags *diags, const struct gpc_model *model,
		       struct gpc_tables *tables)
{
	struct gpc_phash_table index;

	lower_interfaces(model, tables);
	lower_backends(model, tables);
	lower_endpoints(model, tables);
	number_endpoints(diags->arena, model, tables);
	if (!gpc_phash_build(diags->arena, tables->endpoints, tables->endpoint_count, endpoint_key,
			     &index)) {
		gpc_diag(diags, GPC_E0411, GPC_NOWHERE,
			 "no perfect hash found for the %zu endpoints", tables->endpoint_count);
		return false;
	}
	tables->endpoint_hash = index.hash;
	tables->endpoint_displacements = index.displacements;
	tables->endpoint_displacement_count = index.hash.bucket_mask + 1ull;
	tables->endpoint_index = index.slots;
	tables->endpoint_index_count = index.hash.slot_mask + 1ull;
	return true;
}
