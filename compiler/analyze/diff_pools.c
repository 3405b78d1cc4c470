/* SPDX-License-Identifier: MIT */
#include "diff_parts.h"

#include <stdlib.h>
#include <string.h>

#include "../lower/rebalance.h"
#include "intern.h"
#include "maglev.h"

struct joining {
	struct gpc_arena *arena;
	const struct gpc_pool_view *before, *after;
	uint32_t *index;	/* by endpoint of `before`: the same one of `after`, GPC_SLOT_NOBODY */
	const char *owner[2];	/* backends, to be named with their endpoints; NULL: one backend */
};

/* Endpoints of a view stand by id. */
static void match_endpoints(struct joining *j)
{
	size_t k = 0;

	j->index = GPC_NEW_ARRAY(j->arena, uint32_t, j->before->count);
	for (size_t i = 0; i < j->before->count; i++) {
		uint64_t id = j->before->endpoints[i].id;

		while (k < j->after->count && j->after->endpoints[k].id < id)
			k++;
		j->index[i] = k < j->after->count && j->after->endpoints[k].id == id
				      ? (uint32_t)k
				      : GPC_SLOT_NOBODY;
	}
}

/* What must move to a fair table, from who holds the slots now; all where the size is another. */
static uint32_t least_of(const struct joining *j)
{
	struct gpc_fair *fair;
	uint32_t *held;

	if (j->before->size != j->after->size)
		return j->after->size;
	fair = GPC_NEW_ARRAY(j->arena, struct gpc_fair, j->after->count);
	held = GPC_NEW_ARRAY(j->arena, uint32_t, j->after->count);
	for (size_t i = 0; i < j->before->count; i++)
		if (j->index[i] != GPC_SLOT_NOBODY)
			held[j->index[i]] = j->before->held[i];
	gpc_rebalance_fair(j->after->endpoints, j->after->count, j->after->size, fair);
	return gpc_rebalance_least(fair, held, j->after->count, j->after->size);
}

static int by_name(const void *a, const void *b)
{
	const struct gpc_diff_share *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static const char *share_name(const struct joining *j, int side, const char *name)
{
	return j->owner[side] ? gpc_arena_printf(j->arena, "%s/%s", j->owner[side], name) : name;
}

static void put_shares(const struct joining *j, struct gpc_diff_pool *pool)
{
	const struct gpc_pool_view *before = j->before, *after = j->after;
	struct gpc_diff_share *shares =
		GPC_NEW_ARRAY(j->arena, struct gpc_diff_share, before->count + after->count);
	size_t n = after->count;

	for (size_t i = 0; i < n; i++)
		shares[i] = (struct gpc_diff_share){
			.name = share_name(j, 1, after->names[i]), .slots = {0, after->held[i]}, .there = {false, true}};
	for (size_t i = 0; i < before->count; i++) {
		struct gpc_diff_share *share =
			j->index[i] == GPC_SLOT_NOBODY ? &shares[n++] : &shares[j->index[i]];

		share->name = share_name(j, 0, before->names[i]);
		share->slots[0] = before->held[i];
		share->there[0] = true;
	}
	if (n)
		qsort(shares, n, sizeof(*shares), by_name);
	pool->shares = shares;
	pool->share_count = n;
}

static bool compare_table(struct gpc_arena *arena, const struct gpc_image *before, uint32_t old,
			  const struct gpc_image *after, uint32_t table, struct gpc_diff_pool *ret)
{
	const struct gpc_pool_view a = gpc_pool_view(arena, before, old);
	const struct gpc_pool_view b = gpc_pool_view(arena, after, table);
	struct joining j = {.arena = arena, .before = &a, .after = &b};
	uint32_t count;
	const struct gpc_backend *backends = gpc_image_section(after, GPC_SEC_BACKEND, &count);
	const char *name;

	ret->moved = gpc_pool_moved(&a, &b);
	if (!ret->moved)
		return false;
	match_endpoints(&j);
	ret->backend = gpc_image_name(after, backends[b.backend].name);
	backends = gpc_image_section(before, GPC_SEC_BACKEND, &count);
	name = gpc_image_name(before, backends[a.backend].name);
	if (strcmp(name, ret->backend) != 0) {
		j.owner[0] = name;
		j.owner[1] = ret->backend;
		ret->backend = gpc_arena_printf(arena, "%s -> %s", name, ret->backend);
	}
	ret->size[0] = a.size;
	ret->size[1] = b.size;
	ret->least = least_of(&j);
	put_shares(&j, ret);
	return true;
}

/* Are the tables the same, byte for byte, and their endpoints too? Then nothing need be unpacked. */
static bool is_alike(const struct gpc_image *before, uint32_t old, const struct gpc_image *after,
		     uint32_t table)
{
	uint32_t count;
	const struct gpc_table *a =
		(const struct gpc_table *)gpc_image_section(before, GPC_SEC_TABLE, &count) + old;
	const struct gpc_table *b =
		(const struct gpc_table *)gpc_image_section(after, GPC_SEC_TABLE, &count) + table;
	const struct gpc_backend *x =
		(const struct gpc_backend *)gpc_image_section(before, GPC_SEC_BACKEND, &count) +
		a->backend;
	const struct gpc_backend *y =
		(const struct gpc_backend *)gpc_image_section(after, GPC_SEC_BACKEND, &count) +
		b->backend;
	const struct gpc_endpoint *e = gpc_image_section(before, GPC_SEC_ENDPOINT, &count);
	const struct gpc_endpoint *f = gpc_image_section(after, GPC_SEC_ENDPOINT, &count);

	if (a->size != b->size || x->endpoints != y->endpoints)
		return false;
	for (uint32_t i = 0; i < x->endpoints; i++)
		if (e[x->first_endpoint + i].id != f[y->first_endpoint + i].id)
			return false;
	return !memcmp(before->bytes + a->offset, after->bytes + b->offset,
		       (size_t)a->size * sizeof(uint16_t));
}

static int by_moved(const void *a, const void *b)
{
	const struct gpc_diff_pool *x = a, *y = b;
	double p = (double)x->moved / x->size[1], q = (double)y->moved / y->size[1];

	return p != q ? (p > q ? -1 : 1) : strcmp(x->backend, y->backend);
}

/* ---- listeners that are led to another backend ---- */

typedef GPC_VEC(struct gpc_diff_pool) pool_list;

struct leading {
	struct gpc_arena *arena;
	const struct gpc_image *before, *after;
	struct gpc_steps seen;	/* table before, table after */
	pool_list *pools;
};

static uint32_t table_at(const struct gpc_image *image, struct gpc_table_ref ref)
{
	uint32_t count;
	const struct gpc_table *tables = gpc_image_section(image, GPC_SEC_TABLE, &count);

	for (uint32_t i = 0; i < count && ref.size; i++)
		if (tables[i].offset == ref.offset)
			return i;
	return GPC_NONE;
}

static uint64_t backend_id(const struct gpc_image *image, const struct gpc_listener *listener)
{
	uint32_t count;

	return ((const struct gpc_backend *)gpc_image_section(image, GPC_SEC_BACKEND, &count))[listener->backend].id;
}

/* With one backend before and after: a split is told as such. */
static void compare_led(struct leading *l, const struct gpc_listener *a, const struct gpc_listener *b)
{
	if (a->pools != 1 || b->pools != 1 || backend_id(l->before, a) == backend_id(l->after, b))
		return;
	for (int family = GPC_V4; family <= GPC_V6; family++) {
		uint32_t from = table_at(l->before, a->table[family]), to = table_at(l->after, b->table[family]);
		size_t known = l->seen.items.n;
		struct gpc_diff_pool pool = {0};

		if (from == GPC_NONE || to == GPC_NONE || gpc_step(&l->seen, from, to) < known)
			continue;
		if (compare_table(l->arena, l->before, from, l->after, to, &pool))
			*GPC_PUSH(l->arena, l->pools) = pool;
	}
}

static void compare_listeners(struct leading *l)
{
	uint32_t old, new;
	const struct gpc_listener *a = gpc_image_section(l->before, GPC_SEC_LISTENER, &old);
	const struct gpc_listener *b = gpc_image_section(l->after, GPC_SEC_LISTENER, &new);

	for (uint32_t i = 0, k = 0; i < old && k < new;) {
		int order = strcmp(gpc_image_name(l->before, a[i].name), gpc_image_name(l->after, b[k].name));

		if (!order)
			compare_led(l, &a[i], &b[k]);
		i += order <= 0;
		k += order >= 0;
	}
}

struct gpc_diff_pool *gpc_diff_pools(struct gpc_arena *arena, const struct gpc_image *before,
				     const struct gpc_image *after, size_t *ret_count)
{
	pool_list pools = {0};
	struct leading l = {arena, before, after, {.arena = arena}, &pools};
	uint32_t tables;

	gpc_image_section(after, GPC_SEC_TABLE, &tables);
	for (uint32_t i = 0; i < tables; i++) {
		uint32_t old = gpc_pool_counterpart(after, i, before);
		struct gpc_diff_pool pool = {0};

		if (old != GPC_NONE && !is_alike(before, old, after, i) &&
		    compare_table(arena, before, old, after, i, &pool))
			*GPC_PUSH(arena, &pools) = pool;
	}
	compare_listeners(&l);
	if (pools.n)
		qsort(pools.items, pools.n, sizeof(*pools.items), by_moved);
	*ret_count = pools.n;
	return pools.items;
}
