/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "../../compiler/base/cleanup.h"
#include "../../compiler/intent/scalar.h"
#include "gpc/limits.h"
#include "maglev.h"
#include "output.h"

#define SHOWN_ENDPOINTS 20u /* more only with -v */

static int no_endpoint(const struct gpc_maglev_asked *asked, const char *name,
		       struct gpc_failure *failure)
{
	const char *near = gpc_did_you_mean(name, asked->pool.names, asked->pool.count);

	return gpc_fail(failure, GPC_EXIT_INVALID, 0,
			"no endpoint '%s' takes new flows in backend '%s'%s%s%s", name, asked->backend,
			near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* NAME<separator>WEIGHT; without the separator the weight is `fallback`, GPC_NONE: it must be there. */
static int split(const char *text, char separator, uint32_t fallback, uint32_t least,
		 struct gpc_arena *arena, const char **ret_name, uint32_t *ret_weight,
		 struct gpc_failure *failure)
{
	const char *at = strchr(text, separator);
	unsigned long weight = fallback;

	if ((!at && fallback == GPC_NONE) ||
	    (at && !gpc_number_parse(at + 1, least, GPC_MAX_WEIGHT, &weight)))
		return gpc_fail(failure, GPC_EXIT_USAGE, 0,
				"'%s' is not NAME%cWEIGHT, the weight from %u to %u", text, separator,
				least, GPC_MAX_WEIGHT);
	*ret_name = at ? gpc_arena_strndup(arena, text, (size_t)(at - text)) : text;
	*ret_weight = (uint32_t)weight;
	return 0;
}

static int add(const struct gpc_maglev_asked *asked, struct gpc_pool_view *pool, const char *text,
	       struct gpc_failure *failure)
{
	const char *name;
	uint32_t weight;

	if (split(text, ':', 1, 1, &asked->input->arena, &name, &weight, failure))
		return -1;
	if (!gpc_scalar_is_name(name) || gpc_scalar_is_reserved_name(name))
		return gpc_fail(failure, GPC_EXIT_USAGE, 0, "'%s' cannot be the name of an endpoint", name);
	if (pool->count >= GPC_MAX_ENDPOINTS_PER_BACKEND)
		return gpc_fail(failure, GPC_EXIT_INVALID, 0, "a backend has at most %u endpoints",
				GPC_MAX_ENDPOINTS_PER_BACKEND);
	if (!gpc_pool_add(&asked->input->arena, pool, asked->backend, name, weight))
		return gpc_fail(failure, GPC_EXIT_INVALID, 0, "endpoint '%s' is there already", name);
	return 0;
}

static int change(const struct gpc_maglev_asked *asked, struct gpc_pool_view *pool,
		  const struct gpc_given *given, struct gpc_failure *failure)
{
	const char *option = given->option->name, *name = given->value;
	uint32_t weight;

	if (!strcmp(option, "add"))
		return add(asked, pool, given->value, failure);
	if (!strcmp(option, "remove"))
		return gpc_pool_remove(pool, name) ? 0 : no_endpoint(asked, name, failure);
	if (strcmp(option, "weight"))
		return 0;
	if (split(given->value, '=', GPC_NONE, 0, &asked->input->arena, &name, &weight, failure))
		return -1;
	return gpc_pool_weight(pool, name, weight) ? 0 : no_endpoint(asked, name, failure);
}

/* ---- speaking ---- */

static double percent(uint32_t slots, uint32_t size)
{
	return 100.0 * slots / size;
}

static void say_json(const struct gpc_maglev_asked *asked, const struct gpc_pool_view *edited,
		     const struct gpc_whatif *whatif)
{
	uint32_t *order = gpc_maglev_by_name(asked, edited), size = edited->size;
	struct json_object *object = gpc_json("table");

	gpc_json_text(object, "backend", asked->backend);
	gpc_json_number(object, "table", asked->table);
	gpc_json_number(object, "slots", size);
	gpc_json_number(object, "endpoints", (int64_t)edited->count);
	gpc_json_number(object, "fresh_moved", whatif->fresh_moved);
	gpc_json_real(object, "fresh_moved_percent", percent(whatif->fresh_moved, size), 4);
	gpc_json_number(object, "minimal_moved", whatif->minimal_moved);
	gpc_json_real(object, "minimal_moved_percent", percent(whatif->minimal_moved, size), 4);
	gpc_json_number(object, "least", whatif->least);
	gpc_json_real(object, "least_percent", percent(whatif->least, size), 4);
	gpc_json_print(object);
	for (size_t k = 0; k < edited->count; k++) {
		uint32_t i = order[k];

		object = gpc_json("endpoint");
		gpc_json_text(object, "backend", asked->backend);
		gpc_json_number(object, "table", asked->table);
		gpc_json_text(object, "endpoint", edited->names[i]);
		gpc_json_number(object, "weight", edited->endpoints[i].weight);
		gpc_json_number(object, "slots", edited->held[i]);
		gpc_json_number(object, "fresh", whatif->fresh.held[i]);
		gpc_json_number(object, "minimal", whatif->minimal.held[i]);
		gpc_json_real(object, "share_percent", percent(whatif->minimal.held[i], size), 4);
		gpc_json_print(object);
	}
}

static void add_way(struct gpc_grid *grid, const char *name, uint32_t moved, uint32_t size)
{
	gpc_grid_add(grid, GPC_PLAIN, "%s", name);
	gpc_grid_add(grid, GPC_PLAIN, "%u", moved);
	gpc_grid_add(grid, GPC_PLAIN, "%.2f %%", percent(moved, size));
}

static void say_endpoints(const struct gpc_maglev_asked *asked, const struct gpc_pool_view *edited,
			  const struct gpc_whatif *whatif)
{
	uint32_t *order = gpc_maglev_by_name(asked, edited);
	struct gpc_grid grid = {.alignment = "lrrrrr"};
	size_t count = edited->count;

	if (!gpc_call_has(asked->call, "verbose") && count > SHOWN_ENDPOINTS)
		count = SHOWN_ENDPOINTS;
	for (const char *const *head = (const char *const[]){"endpoint", "weight", "slots now", "fresh",
							     "minimal", "share", NULL};
	     *head; head++)
		gpc_grid_add(&grid, GPC_DIM, "%s", *head);
	for (size_t k = 0; k < count; k++) {
		uint32_t i = order[k];

		gpc_grid_add(&grid, GPC_PLAIN, "%s", edited->names[i]);
		gpc_grid_add(&grid, GPC_PLAIN, "%u", edited->endpoints[i].weight);
		gpc_grid_add(&grid, GPC_PLAIN, "%u", edited->held[i]);
		gpc_grid_add(&grid, GPC_PLAIN, "%u", whatif->fresh.held[i]);
		gpc_grid_add(&grid, GPC_PLAIN, "%u", whatif->minimal.held[i]);
		gpc_grid_add(&grid, GPC_PLAIN, "%.3f %%",
			     percent(whatif->minimal.held[i], edited->size));
	}
	gpc_grid_print(&grid, stdout, 2);
	if (count < edited->count)
		printf("  ... and %zu more (-v shows all)\n", edited->count - count);
}

static void say_text(const struct gpc_maglev_asked *asked, const struct gpc_pool_view *edited,
		     const struct gpc_whatif *whatif)
{
	struct gpc_grid grid = {.alignment = "lrr"};
	char endpoints[32];

	printf("%sbackend %s%s: %u slots, then %s\n", gpc_paint(stdout, GPC_BOLD), asked->backend,
	       gpc_paint(stdout, GPC_PLAIN), edited->size,
	       gpc_text_number(edited->count, "endpoint", endpoints));
	gpc_grid_add(&grid, GPC_DIM, "table");
	gpc_grid_add(&grid, GPC_DIM, "slots moved");
	gpc_grid_add(&grid, GPC_DIM, "of the flows");
	add_way(&grid, "made anew (fresh)", whatif->fresh_moved, edited->size);
	add_way(&grid, "from this one (minimal)", whatif->minimal_moved, edited->size);
	add_way(&grid, "the least that must move", whatif->least, edited->size);
	gpc_grid_print(&grid, stdout, 2);
	say_endpoints(asked, edited, whatif);
}

int gpc_maglev_whatif(const struct gpc_maglev_asked *asked, struct gpc_failure *failure)
{
	const struct gpc_call *call = asked->call;
	struct gpc_pool_view edited = asked->pool;
	struct gpc_whatif whatif;

	for (size_t i = 0; i < call->given_count; i++)
		if (change(asked, &edited, &call->given[i], failure))
			return -1;
	if (!edited.count) {
		gpc_fail(failure, GPC_EXIT_INVALID, 0,
			 "nobody would take new flows of backend '%s': there would be no table",
			 asked->backend);
		return -1;
	}
	whatif = gpc_pool_whatif(&asked->input->arena, &edited);
	if (gpc_call_has(call, "json"))
		say_json(asked, &edited, &whatif);
	else
		say_text(asked, &edited, &whatif);
	return 0;
}
