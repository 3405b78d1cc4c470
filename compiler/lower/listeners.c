/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <string.h>

#include "maglev.h"
#include "steps.h"

enum gpc_reach gpc_reach(enum gpc_forward forward, enum gpc_family family)
{
	struct gpc_model_endpoint v4_only = {.has4 = true};

	return gpc_endpoint_usable(&v4_only, forward, family) ? GPC_REACH_ANY : GPC_REACH_V6;
}

bool gpc_reach_takes(enum gpc_reach reach, bool has4, bool has6)
{
	return has6 || (has4 && reach == GPC_REACH_ANY);
}

static bool takes_flows(const struct gpc_model_endpoint *endpoint, enum gpc_reach reach)
{
	return endpoint->state == GPC_STATE_READY && endpoint->weight &&
	       gpc_reach_takes(reach, endpoint->has4, endpoint->has6);
}

struct plan {
	bool wanted[GPC_REACH_COUNT];
	uint32_t takers[GPC_REACH_COUNT]; /* endpoints in the table */
	uint32_t table
		[GPC_REACH_COUNT]; /* index of TABLE, GPC_NONE: nobody takes flows, or not wanted */
};

static bool has_family(const struct gpc_model_listener *listener, enum gpc_family family)
{
	for (size_t i = 0; i < listener->address_count; i++)
		if (listener->addresses[i].prefix.v4 == (family == GPC_V4))
			return true;
	return false;
}

static void mark_wanted(const struct gpc_model *model, struct plan *plans)
{
	for (size_t i = 0; i < model->listener_count; i++) {
		const struct gpc_model_listener *listener = &model->listeners[i];

		for (int family = GPC_V4; family <= GPC_V6; family++)
			if (has_family(listener, family))
				plans[listener->backend]
					.wanted[gpc_reach(listener->forward, family)] = true;
	}
}

static void count_takers(const struct gpc_model *model, struct plan *plans)
{
	for (size_t i = 0; i < model->endpoint_count; i++) {
		const struct gpc_model_endpoint *endpoint = &model->endpoints[i];

		for (int reach = 0; reach < GPC_REACH_COUNT; reach++)
			plans[endpoint->backend].takers[reach] += takes_flows(endpoint, reach);
	}
}

/* Numbers the tables, by backend, and says where each starts. */
static bool number_tables(struct gpc_diags *diags, const struct gpc_model *model,
			  struct plan *plans, struct gpc_tables *tables)
{
	uint64_t slots = 0;

	tables->tables =
		GPC_NEW_ARRAY(diags->arena, struct gpc_table, GPC_REACH_COUNT * model->backend_count);
	for (size_t i = 0; i < model->backend_count; i++) {
		const struct gpc_model_backend *backend = &model->backends[i];

		for (int reach = 0; reach < GPC_REACH_COUNT; reach++) {
			plans[i].table[reach] = GPC_NONE;
			if (!plans[i].wanted[reach] || !plans[i].takers[reach])
				continue;
			if (reach == GPC_REACH_V6 && plans[i].table[GPC_REACH_ANY] != GPC_NONE &&
			    plans[i].takers[GPC_REACH_V6] == plans[i].takers[GPC_REACH_ANY]) {
				plans[i].table[GPC_REACH_V6] = plans[i].table[GPC_REACH_ANY];
				continue;
			}
			plans[i].table[reach] = (uint32_t)tables->table_count;
			tables->tables[tables->table_count++] = (struct gpc_table){
				.offset = (uint32_t)(slots * sizeof(uint16_t)),
				.size = backend->table_size,
				.backend = (uint32_t)i,
			};
			slots += backend->table_size;
			if (slots * sizeof(uint16_t) <= GPC_MAX_IMAGE_BYTES)
				continue;
			gpc_diag(
				diags, GPC_E0410, backend->at,
				"maglev tables up to backend `%s` exceed the greatest image, %u bytes",
				backend->name, GPC_MAX_IMAGE_BYTES);
			return false;
		}
	}
	tables->maglev_count = slots;
	return true;
}

static uint32_t count_present(const uint16_t *slots, uint32_t size, uint32_t endpoints)
{
	uint64_t seen[65536 / 64] = {0};
	uint32_t count = 0;

	for (uint32_t i = 0; i < size; i++)
		seen[slots[i] / 64] |= 1ull << (slots[i] % 64);
	for (uint32_t i = 0; i < (endpoints + 63) / 64; i++)
		count += (uint32_t)__builtin_popcountll(seen[i]);
	return count;
}

static void fill_table(struct gpc_diags *diags, const struct gpc_model *model,
		       const struct gpc_parent *parent, enum gpc_reach reach,
		       struct gpc_tables *tables, struct gpc_table *table)
{
	const struct gpc_model_backend *backend = &model->backends[table->backend];
	const struct gpc_model_endpoint *endpoints = &model->endpoints[backend->first_endpoint];
	struct gpc_maglev_endpoint *takers =
		GPC_NEW_ARRAY(diags->arena, struct gpc_maglev_endpoint, backend->endpoint_count);
	uint16_t *slots = tables->maglev + table->offset / sizeof(uint16_t);
	size_t count = 0;

	for (uint32_t i = 0; i < backend->endpoint_count; i++)
		if (takes_flows(&endpoints[i], reach))
			takers[count++] = (struct gpc_maglev_endpoint){
				.id = endpoints[i].id,
				.weight = endpoints[i].weight,
				.value = (uint16_t)i,
			};
	if (backend->rebalance != GPC_REBALANCE_MINIMAL ||
	    !gpc_parent_rebalance(diags, parent, backend, reach, takers, count, slots))
		gpc_maglev_fill(takers, count, slots, table->size);
	table->endpoints = count_present(slots, table->size, backend->endpoint_count);
}

static void fill_tables(struct gpc_diags *diags, const struct gpc_model *model,
			const struct gpc_parent *parent, const struct plan *plans,
			struct gpc_tables *tables)
{
	tables->maglev = GPC_NEW_ARRAY(diags->arena, uint16_t, tables->maglev_count);
	for (size_t i = 0; i < tables->table_count; i++) {
		struct gpc_table *table = &tables->tables[i];

		/* A shared table is numbered by GPC_REACH_ANY, which then has the same endpoints. */
		fill_table(diags, model, parent,
			   plans[table->backend].table[GPC_REACH_ANY] == i ? GPC_REACH_ANY : GPC_REACH_V6,
			   tables, table);
	}
}

static struct gpc_table_ref refer(const struct gpc_model *model,
				  const struct gpc_model_listener *listener, enum gpc_family family,
				  const struct plan *plans, const struct gpc_tables *tables)
{
	struct gpc_table_ref ref = {.offset = GPC_NONE, .table = GPC_NONE};
	uint32_t table;

	if (!has_family(listener, family))
		return ref;
	table = plans[listener->backend].table[gpc_reach(listener->forward, family)];
	ref.offset = 0;
	ref.first_endpoint = model->backends[listener->backend].first_endpoint;
	if (table == GPC_NONE)
		return ref;
	ref.offset = tables->tables[table].offset;
	ref.size = tables->tables[table].size;
	ref.table = table;
	return ref;
}

bool gpc_lower_listeners(struct gpc_diags *diags, const struct gpc_model *model,
			 const struct gpc_parent *parent, struct gpc_tables *tables)
{
	struct plan *plans = GPC_NEW_ARRAY(diags->arena, struct plan, model->backend_count);

	mark_wanted(model, plans);
	count_takers(model, plans);
	if (!number_tables(diags, model, plans, tables))
		return false;
	fill_tables(diags, model, parent, plans, tables);
	tables->pools = GPC_NEW_ARRAY(diags->arena, struct gpc_pool, model->listener_count);
	for (size_t i = 0; i < model->listener_count; i++) {
		const struct gpc_model_listener *from = &model->listeners[i];
		struct gpc_listener *to = &tables->listeners[i];

		to->id = from->id;
		for (int family = GPC_V4; family <= GPC_V6; family++)
			to->table[family] = refer(model, from, family, plans, tables);
		to->forward = (uint8_t)from->forward;
		to->protocol = from->protocol;
		to->port_be = htons(from->port);
		to->port_last_be = htons(from->port_last);
		to->backend = from->backend;
		to->outer_dscp = GPC_DSCP_COPY;
		to->ping = GPC_PING_PASS;
		to->pools = 1;
		to->first_pool = (uint32_t)tables->pool_count;
		tables->pools[tables->pool_count++] = (struct gpc_pool){
			.table = {to->table[GPC_V4], to->table[GPC_V6]},
			.until = 1,
			.total = 1,
			.backend = from->backend,
			.failover = GPC_NONE,
		};
	}
	return true;
}
