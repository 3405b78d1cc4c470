/* SPDX-License-Identifier: MIT */
#include "maglev.h"

#include <stdlib.h>
#include <string.h>

#include "../lower/parent.h"
#include "../model/id.h"

/* ---- tables of an image ---- */

struct wanted {
	uint32_t table;
	bool reach[GPC_REACH_COUNT]; /* of the listeners that use it */
};

static void note_reach(void *context, const struct gpc_table_use *use)
{
	struct wanted *wanted = context;

	if (use->table == wanted->table)
		wanted->reach[use->reach] = true;
}

/* Those that share a table take the same endpoints, so any of its reaches says which. */
static enum gpc_reach reach_of(const struct gpc_image *image, uint32_t table)
{
	struct wanted wanted = {.table = table};
	int reach = 0;

	gpc_tables_visit(image->view, note_reach, &wanted);
	while (reach < GPC_REACH_COUNT - 1 && !wanted.reach[reach])
		reach++;
	return (enum gpc_reach)reach;
}

static bool takes_flows(const struct gpc_endpoint *endpoint, enum gpc_reach reach)
{
	return endpoint->state == GPC_STATE_READY && endpoint->weight &&
	       gpc_reach_takes(reach, endpoint->flags & GPC_ENDPOINT_V4,
			       endpoint->flags & GPC_ENDPOINT_V6);
}

static void count_held(struct gpc_pool_view *pool)
{
	memset(pool->held, 0, pool->count * sizeof(*pool->held));
	for (uint32_t slot = 0; slot < pool->size; slot++)
		if (pool->slots[slot] != GPC_SLOT_NOBODY)
			pool->held[pool->slots[slot]]++;
}

struct gpc_pool_view gpc_pool_view(struct gpc_arena *arena, const struct gpc_image *image,
				   uint32_t table)
{
	uint32_t count;
	const struct gpc_table *record =
		(const struct gpc_table *)gpc_image_section(image, GPC_SEC_TABLE, &count) + table;
	const struct gpc_backend *backend =
		(const struct gpc_backend *)gpc_image_section(image, GPC_SEC_BACKEND, &count) +
		record->backend;
	const struct gpc_endpoint *endpoints =
		(const struct gpc_endpoint *)gpc_image_section(image, GPC_SEC_ENDPOINT, &count) +
		backend->first_endpoint;
	const uint16_t *slots = (const void *)(image->bytes + record->offset);
	uint32_t *index = GPC_NEW_ARRAY(arena, uint32_t, backend->endpoints);
	enum gpc_reach reach = reach_of(image, table);
	struct gpc_pool_view pool = {
		.endpoints = GPC_NEW_ARRAY(arena, struct gpc_maglev_endpoint, backend->endpoints),
		.names = GPC_NEW_ARRAY(arena, const char *, backend->endpoints),
		.slots = GPC_NEW_ARRAY(arena, uint32_t, record->size),
		.held = GPC_NEW_ARRAY(arena, uint32_t, backend->endpoints),
		.size = record->size,
		.backend = record->backend,
	};

	for (uint32_t i = 0; i < backend->endpoints; i++) {
		index[i] = GPC_SLOT_NOBODY;
		if (!takes_flows(&endpoints[i], reach))
			continue;
		index[i] = (uint32_t)pool.count;
		pool.names[pool.count] = gpc_image_name(image, endpoints[i].name);
		pool.endpoints[pool.count] = (struct gpc_maglev_endpoint){
			endpoints[i].id, endpoints[i].weight, (uint16_t)pool.count};
		pool.count++;
	}
	for (uint32_t slot = 0; slot < pool.size; slot++)
		pool.slots[slot] = index[slots[slot]];
	count_held(&pool);
	return pool;
}

/* ---- two images ---- */

struct counterpart {
	const struct gpc_image *image;
	uint64_t backend; /* id */
	enum gpc_reach reach;
	uint32_t table;
};

static void note_counterpart(void *context, const struct gpc_table_use *use)
{
	struct counterpart *c = context;
	uint32_t count;
	const struct gpc_backend *backends = gpc_image_section(c->image, GPC_SEC_BACKEND, &count);

	if (backends[use->backend].id != c->backend)
		return;
	if (c->table == GPC_NONE || use->reach == c->reach)
		c->table = use->table;
}

uint32_t gpc_pool_counterpart(const struct gpc_image *image, uint32_t table,
			      const struct gpc_image *other)
{
	uint32_t count;
	const struct gpc_table *tables = gpc_image_section(image, GPC_SEC_TABLE, &count);
	const struct gpc_backend *backends = gpc_image_section(image, GPC_SEC_BACKEND, &count);
	struct counterpart c = {other, backends[tables[table].backend].id, reach_of(image, table),
				GPC_NONE};

	gpc_tables_visit(other->view, note_counterpart, &c);
	return c.table;
}

static uint64_t id_of(const struct gpc_pool_view *pool, uint32_t slot)
{
	return pool->slots[slot] == GPC_SLOT_NOBODY ? 0 : pool->endpoints[pool->slots[slot]].id;
}

uint32_t gpc_pool_moved(const struct gpc_pool_view *before, const struct gpc_pool_view *after)
{
	uint32_t moved = 0;

	if (before->size != after->size)
		return after->size;
	for (uint32_t slot = 0; slot < after->size; slot++)
		moved += id_of(before, slot) != id_of(after, slot);
	return moved;
}

/* ---- what if ---- */

static size_t find(const struct gpc_pool_view *pool, const char *name)
{
	size_t i = 0;

	while (i < pool->count && strcmp(pool->names[i], name))
		i++;
	return i;
}

bool gpc_pool_remove(struct gpc_pool_view *pool, const char *name)
{
	size_t gone = find(pool, name);

	if (gone == pool->count)
		return false;
	pool->count--;
	for (size_t i = gone; i < pool->count; i++) {
		pool->endpoints[i] = pool->endpoints[i + 1];
		pool->endpoints[i].value = (uint16_t)i;
		pool->names[i] = pool->names[i + 1];
	}
	for (uint32_t slot = 0; slot < pool->size; slot++) {
		uint32_t was = pool->slots[slot];

		if (was == gone)
			pool->slots[slot] = GPC_SLOT_NOBODY;
		else if (was != GPC_SLOT_NOBODY && was > gone)
			pool->slots[slot]--;
	}
	count_held(pool);
	return true;
}

bool gpc_pool_weight(struct gpc_pool_view *pool, const char *name, uint32_t weight)
{
	size_t i = find(pool, name);

	if (i == pool->count)
		return false;
	if (!weight)
		return gpc_pool_remove(pool, name);
	pool->endpoints[i].weight = weight;
	return true;
}

bool gpc_pool_add(struct gpc_arena *arena, struct gpc_pool_view *pool, const char *owner,
		  const char *name, uint32_t weight)
{
	uint64_t id = gpc_stable_id(GPC_KIND_ENDPOINT, owner, name);
	size_t n = pool->count, at = 0;
	struct gpc_maglev_endpoint *endpoints =
		GPC_NEW_ARRAY(arena, struct gpc_maglev_endpoint, n + 1);
	const char **names = GPC_NEW_ARRAY(arena, const char *, n + 1);

	if (find(pool, name) < n)
		return false;
	while (at < n && pool->endpoints[at].id < id)
		at++;
	for (size_t i = 0; i <= n; i++) {
		size_t from = i - (i > at);

		endpoints[i] = i == at ? (struct gpc_maglev_endpoint){.id = id, .weight = weight}
				       : pool->endpoints[from];
		endpoints[i].value = (uint16_t)i;
		names[i] = i == at ? name : pool->names[from];
	}
	for (uint32_t slot = 0; slot < pool->size; slot++)
		if (pool->slots[slot] != GPC_SLOT_NOBODY && pool->slots[slot] >= at)
			pool->slots[slot]++;
	pool->endpoints = endpoints;
	pool->names = names;
	pool->count = n + 1;
	pool->held = GPC_NEW_ARRAY(arena, uint32_t, n + 1);
	count_held(pool);
	return true;
}

static void take_table(struct gpc_arena *arena, const struct gpc_pool_view *edited,
		       const uint16_t *table, struct gpc_pool_view *ret)
{
	*ret = *edited;
	ret->slots = GPC_NEW_ARRAY(arena, uint32_t, edited->size);
	ret->held = GPC_NEW_ARRAY(arena, uint32_t, edited->count);
	for (uint32_t slot = 0; slot < edited->size; slot++)
		ret->slots[slot] = table[slot];
	count_held(ret);
}

struct gpc_whatif gpc_pool_whatif(struct gpc_arena *arena, const struct gpc_pool_view *edited)
{
	uint16_t *table = GPC_NEW_ARRAY(arena, uint16_t, edited->size);
	struct gpc_fair *fair = GPC_NEW_ARRAY(arena, struct gpc_fair, edited->count);
	struct gpc_whatif whatif = {0};

	gpc_maglev_fill(edited->endpoints, edited->count, table, edited->size);
	take_table(arena, edited, table, &whatif.fresh);
	whatif.fresh_moved = gpc_pool_moved(edited, &whatif.fresh);
	gpc_rebalance(edited->endpoints, edited->count, edited->slots, table, edited->size);
	take_table(arena, edited, table, &whatif.minimal);
	whatif.minimal_moved = gpc_pool_moved(edited, &whatif.minimal);
	gpc_rebalance_fair(edited->endpoints, edited->count, edited->size, fair);
	whatif.least = gpc_rebalance_least(fair, edited->held, edited->count, edited->size);
	return whatif;
}
