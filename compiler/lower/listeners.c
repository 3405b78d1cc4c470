/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <string.h>

#include "maglev.h"
#include "steps.h"

static bool takes_flows(const struct gpc_model_endpoint *endpoint, enum gpc_reach reach)
{
	return endpoint->state == GPC_STATE_READY && endpoint->weight &&
	       gpc_reach_takes(reach, endpoint->has4, endpoint->has6);
}

struct plan {
	bool wanted[GPC_REACH_COUNT];
	uint32_t takers[GPC_REACH_COUNT];	/* endpoints in the table */
	uint32_t in_both;			/* of them in that of V4 and of V6 */
	uint32_t table[GPC_REACH_COUNT];	/* index of TABLE, GPC_NONE: nobody takes flows, or not wanted */
};

static bool has_family(const struct gpc_model_listener *listener, enum gpc_family family)
{
	for (size_t i = 0; i < listener->address_count; i++)
		if (listener->addresses[i].prefix.v4 == (family == GPC_V4))
			return true;
	return false;
}

static void mark_wanted(const struct gpc_model *model, const struct gpc_tables *tables,
			const uint32_t *ends, struct plan *plans)
{
	for (size_t i = 0; i < model->listener_count; i++) {
		const struct gpc_model_listener *listener = &model->listeners[i];

		for (int family = GPC_V4; family <= GPC_V6; family++)
			if (has_family(listener, family))
				for (uint32_t k = tables->listeners[i].first_pool; k < ends[i]; k++)
					plans[tables->pools[k].backend]
						.wanted[gpc_reach(listener->forward, family)] = true;
	}
}

static void count_takers(const struct gpc_model *model, struct plan *plans)
{
	for (size_t i = 0; i < model->endpoint_count; i++) {
		const struct gpc_model_endpoint *endpoint = &model->endpoints[i];
		struct plan *plan = &plans[endpoint->backend];

		for (int reach = 0; reach < GPC_REACH_COUNT; reach++)
			plan->takers[reach] += takes_flows(endpoint, reach);
		plan->in_both += takes_flows(endpoint, GPC_REACH_V4) &&
				 takes_flows(endpoint, GPC_REACH_V6);
	}
}

/* An earlier table with the same endpoints, GPC_NONE if there is none. */
static uint32_t shared_table(const struct plan *plan, enum gpc_reach reach)
{
	uint32_t takers = plan->takers[reach];

	if (reach != GPC_REACH_ANY && plan->takers[GPC_REACH_ANY] == takers &&
	    plan->table[GPC_REACH_ANY] != GPC_NONE)
		return plan->table[GPC_REACH_ANY];
	if (reach == GPC_REACH_V6 && plan->takers[GPC_REACH_V4] == takers &&
	    plan->in_both == takers)
		return plan->table[GPC_REACH_V4];
	return GPC_NONE;
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
			plans[i].table[reach] = shared_table(&plans[i], reach);
			if (plans[i].table[reach] != GPC_NONE)
				continue;
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

/* What a table was numbered for: of those that share it, the first. */
static enum gpc_reach reach_of(const struct plan *plan, uint32_t table)
{
	enum gpc_reach reach = GPC_REACH_ANY;

	while (plan->table[reach] != table)
		reach++;
	return reach;
}

static void fill_tables(struct gpc_diags *diags, const struct gpc_model *model,
			const struct gpc_parent *parent, const struct plan *plans,
			struct gpc_tables *tables)
{
	tables->maglev = GPC_NEW_ARRAY(diags->arena, uint16_t, tables->maglev_count);
	for (size_t i = 0; i < tables->table_count; i++) {
		struct gpc_table *table = &tables->tables[i];

		fill_table(diags, model, parent, reach_of(&plans[table->backend], (uint32_t)i),
			   tables, table);
	}
}

static struct gpc_table_ref refer(const struct gpc_model *model,
				  const struct gpc_model_listener *listener, uint32_t backend,
				  enum gpc_family family, const struct plan *plans,
				  const struct gpc_tables *tables)
{
	struct gpc_table_ref ref = {.offset = GPC_NONE, .table = GPC_NONE};
	uint32_t table;

	if (backend == GPC_NONE || !has_family(listener, family))
		return ref;
	table = plans[backend].table[gpc_reach(listener->forward, family)];
	ref.offset = 0;
	ref.first_endpoint = model->backends[backend].first_endpoint;
	if (table == GPC_NONE)
		return ref;
	ref.offset = tables->tables[table].offset;
	ref.size = tables->tables[table].size;
	ref.table = table;
	return ref;
}

static void fill_rate(const struct gpc_model_rate *from, struct gpc_listener *to)
{
	if (!from->limited)
		return;
	to->flags |= GPC_LISTENER_RATE;
	if (from->per_source)
		to->flags |= GPC_LISTENER_RATE_SOURCE;
	to->rate_exceed = (uint8_t)from->exceed;
	to->rate_cost = from->cost;
	to->rate_burst = from->burst;
	to->rate_entries = from->entries;
}

static uint8_t quic_length(const struct gpc_model *model, const struct gpc_model_listener *listener)
{
	if (listener->affinity != GPC_AFFINITY_QUIC_CID)
		return 0;
	return model->endpoints[model->backends[listener->shares[0].backend].first_endpoint]
		.quic_id->length;
}

/* Fields that a mode has no use for are zero, or say what they always do. */
static void fill_listener(const struct gpc_model *model, const struct gpc_model_listener *from,
			  struct gpc_listener *to)
{
	to->id = from->id;
	to->forward = (uint8_t)from->forward;
	to->protocol = from->protocol;
	to->port_be = htons(from->port);
	to->port_last_be = htons(from->port_last);
	to->hash = (uint8_t)from->hash;
	to->affinity = (uint8_t)from->affinity;
	if (from->affinity == GPC_AFFINITY_SOURCE_IP)
		to->affinity_timeout = from->affinity_timeout;
	to->quic_length = quic_length(model, from);
	to->outer_dscp = from->outer_dscp;
	if (from->forward == GPC_FORWARD_GUE)
		to->gue_port_be = htons(from->gue_port);
	to->ping = (uint8_t)from->ping;
	if (from->stable)
		to->flags |= GPC_LISTENER_STABLE;
	if (from->snat)
		to->flags |= GPC_LISTENER_SNAT;
	if (from->mss_clamp)
		to->flags |= GPC_LISTENER_MSS_CLAMP;
	if (from->syn_cookies)
		to->flags |= GPC_LISTENER_SYN_COOKIES;
	fill_rate(&from->rate, to);
}

static void fill_refs(const struct gpc_model *model, size_t index, uint32_t end,
		      const struct plan *plans, struct gpc_tables *tables)
{
	const struct gpc_model_listener *from = &model->listeners[index];
	struct gpc_listener *to = &tables->listeners[index];

	for (int family = GPC_V4; family <= GPC_V6; family++) {
		to->table[family] = refer(model, from, to->backend, family, plans, tables);
		for (uint32_t i = to->first_pool; i < end; i++)
			tables->pools[i].table[family] =
				refer(model, from, tables->pools[i].backend, family, plans, tables);
	}
}

bool gpc_lower_listeners(struct gpc_diags *diags, const struct gpc_model *model,
			 const struct gpc_parent *parent, struct gpc_tables *tables)
{
	struct plan *plans = GPC_NEW_ARRAY(diags->arena, struct plan, model->backend_count);
	uint32_t *ends = GPC_NEW_ARRAY(diags->arena, uint32_t, model->listener_count);

	gpc_lower_pools(diags->arena, model, tables, ends);
	mark_wanted(model, tables, ends, plans);
	count_takers(model, plans);
	if (!number_tables(diags, model, plans, tables))
		return false;
	fill_tables(diags, model, parent, plans, tables);
	for (size_t i = 0; i < model->listener_count; i++) {
		fill_listener(model, &model->listeners[i], &tables->listeners[i]);
		fill_refs(model, i, ends[i], plans, tables);
	}
	return true;
}
