/* SPDX-License-Identifier: MIT */
/*
 * Pools: the backends that a listener's new flows may meet. First those of its split, in name order,
 * which is that of the model; behind them those failed over to, as they are met.
 */
#include "steps.h"

struct list {
	struct gpc_arena *arena;
	GPC_VEC(struct gpc_pool) pools;
};

static struct gpc_pool *add(struct list *list, uint32_t backend)
{
	struct gpc_pool *pool = GPC_PUSH(list->arena, &list->pools);

	*pool = (struct gpc_pool){.backend = backend, .failover = GPC_NONE};
	return pool;
}

/* The pool of a backend among those from `first` on; it is added if there is none. */
static uint32_t pool_of(struct list *list, size_t first, uint32_t backend)
{
	for (size_t i = first; i < list->pools.n; i++)
		if (list->pools.items[i].backend == backend)
			return (uint32_t)i;
	add(list, backend);
	return (uint32_t)(list->pools.n - 1);
}

static void add_listener(struct list *list, const struct gpc_model *model,
			 const struct gpc_model_listener *from)
{
	size_t first = list->pools.n;
	uint32_t total = 0, until = 0;

	for (size_t i = 0; i < from->share_count; i++)
		total += from->shares[i].weight;
	for (size_t i = 0; i < from->share_count; i++) {
		struct gpc_pool *pool = add(list, from->shares[i].backend);

		pool->until = until += from->shares[i].weight;
		pool->total = total;
	}
	for (size_t i = first; i < list->pools.n; i++) {
		uint32_t failover = model->backends[list->pools.items[i].backend].failover;

		if (failover != GPC_NONE) {
			uint32_t target = pool_of(list, first, failover);

			list->pools.items[i].failover = target;
		}
	}
}

void gpc_lower_pools(struct gpc_arena *arena, const struct gpc_model *model,
		     struct gpc_tables *tables, uint32_t *ret_ends)
{
	struct list list = {.arena = arena};

	for (size_t i = 0; i < model->listener_count; i++) {
		const struct gpc_model_listener *from = &model->listeners[i];
		struct gpc_listener *to = &tables->listeners[i];

		to->pools = (uint16_t)from->share_count;
		to->first_pool = from->share_count ? (uint32_t)list.pools.n : GPC_NONE;
		to->backend = from->share_count ? from->shares[0].backend : GPC_NONE;
		add_listener(&list, model, from);
		if (from->share_count > 1 ||
		    (from->share_count && list.pools.items[to->first_pool].failover != GPC_NONE))
			to->flags |= GPC_LISTENER_POOLS;
		ret_ends[i] = (uint32_t)list.pools.n;
	}
	tables->pools = list.pools.items;
	tables->pool_count = list.pools.n;
}
