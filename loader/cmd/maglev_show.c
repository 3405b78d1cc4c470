/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "describe.h"
#include "maglev.h"
#include "output.h"

#define SHOWN_ENDPOINTS 20u /* more only with -v */

struct shown {
	const struct gpc_maglev_asked *asked;
	const struct gpc_pool_view *pool;
	uint32_t *order;
	double *ratio;	 /* by endpoint: slots / exact share */
	size_t most, least; /* endpoints with the greatest and the smallest */
	struct gpc_pool_view before; /* of the parent */
	bool has_before;
	uint32_t moved;
};

static struct shown look(const struct gpc_maglev_asked *asked)
{
	struct gpc_input *input = asked->input;
	struct shown s = {
		.asked = asked,
		.pool = &asked->pool,
		.order = gpc_maglev_by_name(asked, &asked->pool),
		.ratio = GPC_NEW_ARRAY(&input->arena, double, asked->pool.count),
	};
	double one = gpc_maglev_ideal(s.pool, 0) / s.pool->endpoints[0].weight;
	uint32_t table;

	for (size_t i = 0; i < s.pool->count; i++) {
		s.ratio[i] = s.pool->held[i] / (one * s.pool->endpoints[i].weight);
		s.most = s.ratio[i] > s.ratio[s.most] ? i : s.most;
		s.least = s.ratio[i] < s.ratio[s.least] ? i : s.least;
	}
	if (!input->has_parent)
		return s;
	table = gpc_pool_counterpart(&input->image, asked->table, &input->parent);
	if (table == GPC_NONE)
		return s;
	s.has_before = true;
	s.before = gpc_pool_view(&input->arena, &input->parent, table);
	s.moved = gpc_pool_moved(&s.before, s.pool);
	return s;
}

/* Slots of the same endpoint in the parent; 0 if it was not there. */
static uint32_t held_before(const struct shown *s, size_t endpoint)
{
	uint64_t id = s->pool->endpoints[endpoint].id;

	for (size_t i = 0; s->has_before && i < s->before.count; i++)
		if (s->before.endpoints[i].id == id)
			return s->before.held[i];
	return 0;
}

static double percent(uint32_t slots, uint32_t size)
{
	return 100.0 * slots / size;
}

static void show_json(const struct shown *s)
{
	const struct gpc_pool_view *pool = s->pool;
	struct json_object *object = gpc_json("table");

	gpc_json_text(object, "backend", s->asked->backend);
	gpc_json_number(object, "table", s->asked->table);
	gpc_json_number(object, "slots", pool->size);
	gpc_json_number(object, "endpoints", (int64_t)pool->count);
	gpc_json_real(object, "skew_most", s->ratio[s->most], 4);
	gpc_json_real(object, "skew_least", s->ratio[s->least], 4);
	if (s->has_before) {
		gpc_json_number(object, "moved", s->moved);
		gpc_json_real(object, "moved_percent", percent(s->moved, pool->size), 4);
	}
	gpc_json_print(object);
	for (size_t k = 0; k < pool->count; k++) {
		uint32_t i = s->order[k];

		object = gpc_json("endpoint");
		gpc_json_text(object, "backend", s->asked->backend);
		gpc_json_number(object, "table", s->asked->table);
		gpc_json_text(object, "endpoint", pool->names[i]);
		gpc_json_number(object, "weight", pool->endpoints[i].weight);
		gpc_json_number(object, "slots", pool->held[i]);
		gpc_json_real(object, "share_percent", percent(pool->held[i], pool->size), 4);
		gpc_json_real(object, "wanted_percent",
			      100.0 * gpc_maglev_ideal(pool, i) / pool->size, 4);
		if (s->has_before)
			gpc_json_number(object, "slots_before", held_before(s, i));
		gpc_json_print(object);
	}
}

static void show_head(const struct shown *s)
{
	const struct gpc_pool_view *pool = s->pool;
	char endpoints[32];

	printf("%sbackend %s%s: %u slots, %s\n", gpc_paint(stdout, GPC_BOLD), s->asked->backend,
	       gpc_paint(stdout, GPC_PLAIN), pool->size,
	       gpc_text_number(pool->count, "endpoint", endpoints));
	printf("  most %.4f times its share (%s), least %.4f times (%s)\n", s->ratio[s->most],
	       pool->names[s->most], s->ratio[s->least], pool->names[s->least]);
	if (s->has_before && s->before.size != pool->size)
		printf("  the parent's table has %u slots: nearly all flows move\n", s->before.size);
	else if (s->has_before)
		printf("  %u slots have another endpoint than in the parent: %.2f %%\n", s->moved,
		       percent(s->moved, pool->size));
	else if (s->asked->input->has_parent)
		printf("  the parent has no table for it\n");
}

static void show_text(const struct shown *s)
{
	const struct gpc_pool_view *pool = s->pool;
	size_t count = pool->count;
	struct gpc_grid grid = {.alignment = s->has_before ? "lrrrrr" : "lrrrr"};

	if (!gpc_call_has(s->asked->call, "verbose") && count > SHOWN_ENDPOINTS)
		count = SHOWN_ENDPOINTS;
	show_head(s);
	for (const char *const *head = (const char *const[]){"endpoint", "weight", "slots", "share",
							     "wanted", NULL};
	     *head; head++)
		gpc_grid_add(&grid, GPC_DIM, "%s", *head);
	if (s->has_before)
		gpc_grid_add(&grid, GPC_DIM, "before");
	for (size_t k = 0; k < count; k++) {
		uint32_t i = s->order[k];

		gpc_grid_add(&grid, GPC_PLAIN, "%s", pool->names[i]);
		gpc_grid_add(&grid, GPC_PLAIN, "%u", pool->endpoints[i].weight);
		gpc_grid_add(&grid, GPC_PLAIN, "%u", pool->held[i]);
		gpc_grid_add(&grid, GPC_PLAIN, "%.3f %%", percent(pool->held[i], pool->size));
		gpc_grid_add(&grid, GPC_PLAIN, "%.3f %%",
			     100.0 * gpc_maglev_ideal(pool, i) / pool->size);
		if (s->has_before)
			gpc_grid_add(&grid, GPC_PLAIN, "%u", held_before(s, i));
	}
	gpc_grid_print(&grid, stdout, 2);
	if (count < pool->count)
		printf("  ... and %zu more (-v shows all)\n", pool->count - count);
}

void gpc_maglev_show(const struct gpc_maglev_asked *asked)
{
	struct shown s = look(asked);

	if (gpc_call_has(asked->call, "json"))
		show_json(&s);
	else
		show_text(&s);
}
