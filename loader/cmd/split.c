/* SPDX-License-Identifier: MIT */
#include "split.h"

#include <stdlib.h>

#include "../../compiler/base/cleanup.h"
#include "describe.h"
#include "output.h"

#define LISTED 40u

static const struct gpc_pool *pool_at(const struct gpc_image *image, uint32_t index)
{
	return gpc_image_record(image, GPC_SEC_POOL, index);
}

static const char *backend_name(const struct gpc_image *image, const struct gpc_pool *pool)
{
	const struct gpc_backend *backend =
		gpc_image_record(image, GPC_SEC_BACKEND, pool->backend);

	return gpc_image_name(image, backend->name);
}

/* The share of a pool of a split as it is written. */
static double share_due(const struct gpc_image *image, const struct gpc_listener *listener,
			uint32_t index)
{
	const struct gpc_pool *pool = pool_at(image, index);
	uint32_t before = index == listener->first_pool ? 0 : pool_at(image, index - 1)->until;

	return (double)(pool->until - before) / pool->total;
}

char *gpc_listener_backends(const struct gpc_image *image, const struct gpc_listener *listener)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		abort();
	if (!listener->pools)
		fputc('-', out);
	for (uint32_t i = 0; i < listener->pools; i++) {
		uint32_t index = listener->first_pool + i;

		fprintf(out, "%s%s", i ? ", " : "", backend_name(image, pool_at(image, index)));
		if (listener->pools > 1)
			fprintf(out, " %.4g %%", 100 * share_due(image, listener, index));
	}
	fclose(out);
	if (!text)
		abort();
	return text;
}

/* By backend, whether flows of several listeners meet there; malloc'ed. */
static bool *find_shared(const struct gpc_image *image)
{
	uint32_t backends = gpc_image_count(image, GPC_SEC_BACKEND);
	uint32_t pools = gpc_image_count(image, GPC_SEC_POOL), listener = 0;
	GPC_AUTO_FREE uint32_t *owner = calloc(backends + 1ul, sizeof(*owner));
	GPC_AUTO_FREE uint32_t *begins = calloc(pools + 1ul, sizeof(*begins));
	bool *shared = calloc(backends + 1ul, sizeof(*shared));

	if (!owner || !begins || !shared)
		abort();
	for (uint32_t i = 0; i < gpc_image_count(image, GPC_SEC_LISTENER); i++) {
		const struct gpc_listener *l = gpc_image_record(image, GPC_SEC_LISTENER, i);

		if (l->pools)
			begins[l->first_pool] = i + 1;
	}
	for (uint32_t i = 0; i < pools; i++) {
		uint32_t backend = pool_at(image, i)->backend;

		listener = begins[i] ? begins[i] : listener;
		shared[backend] |= owner[backend] && owner[backend] != listener;
		owner[backend] = listener;
	}
	return shared;
}

/* One split, and what can be said of it. */
struct split {
	const struct gpc_image *image;
	const struct gpc_listener *listener;
	const bool *shared;		/* by backend */
	const uint64_t *backend_flows;
	uint64_t whole, apart;		/* new flows of the listener; of these, in backends of its own */
	uint32_t meeting;		/* backends that are shared */
};

static uint32_t backend_of(const struct split *split, uint32_t pool)
{
	return pool_at(split->image, pool)->backend;
}

static struct split look_at(const struct gpc_status *status, uint32_t index, const bool *shared)
{
	const struct gpc_image *image = &status->plane.image;
	struct split split = {
		.image = image,
		.listener = gpc_image_record(image, GPC_SEC_LISTENER, index),
		.shared = shared,
		.backend_flows = status->backend_flows,
		.whole = gpc_listener_counter(status, index).flows,
	};

	for (uint32_t i = 0; i < split.listener->pools; i++) {
		uint32_t backend = backend_of(&split, split.listener->first_pool + i);

		split.meeting += shared[backend];
		if (!shared[backend])
			split.apart += status->backend_flows[backend];
	}
	return split;
}

/*
 * False: it is not known. What one shared backend got of the listener is what the others did not. Counters
 * may hold what a backend got of others before it became the listener's own.
 */
static bool is_counted(const struct split *split, uint32_t pool)
{
	return split->apart <= split->whole &&
	       (!split->shared[backend_of(split, pool)] || split->meeting == 1);
}

static double share_got(const struct split *split, uint32_t pool)
{
	uint32_t backend = backend_of(split, pool);
	uint64_t part = split->shared[backend] ? split->whole - split->apart
					       : split->backend_flows[backend];

	return (double)part / (double)split->whole;
}

static void add_split(struct gpc_grid *grid, const struct split *split)
{
	const struct gpc_listener *listener = split->listener;

	for (uint32_t i = listener->first_pool; i < listener->first_pool + listener->pools; i++) {
		gpc_grid_add(grid, GPC_PLAIN, "%s", gpc_image_name(split->image, listener->name));
		gpc_grid_add(grid, GPC_PLAIN, "%s",
			     backend_name(split->image, pool_at(split->image, i)));
		gpc_grid_add(grid, GPC_PLAIN, "%.1f %%",
			     100 * share_due(split->image, listener, i));
		if (!is_counted(split, i))
			gpc_grid_add(grid, GPC_DIM, "not counted apart");
		else if (split->whole)
			gpc_grid_add(grid, GPC_PLAIN, "%.1f %%", 100 * share_got(split, i));
		else
			gpc_grid_add(grid, GPC_DIM, "-");
	}
}

static bool has_splits(const struct gpc_image *image)
{
	for (uint32_t i = 0; i < gpc_image_count(image, GPC_SEC_POOL); i++)
		if (pool_at(image, i)->until < pool_at(image, i)->total)
			return true;
	return false;
}

void gpc_splits_text(const struct gpc_status *status)
{
	static const char *const names[] = {"split of", "backend", "due", "got"};
	const struct gpc_image *image = &status->plane.image;
	GPC_AUTO_FREE bool *shared = NULL;
	struct gpc_grid grid = {.alignment = "llrr"};
	uint32_t splits = 0;

	if (!has_splits(image))
		return;
	shared = find_shared(image);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		gpc_grid_add(&grid, GPC_DIM, "%s", names[i]);
	for (uint32_t i = 0; i < gpc_image_count(image, GPC_SEC_LISTENER) && splits < LISTED; i++) {
		struct split split = look_at(status, i, shared);

		if (split.listener->pools < 2)
			continue;
		splits++;
		add_split(&grid, &split);
	}
	putchar('\n');
	gpc_grid_print(&grid, stdout, 0);
}

void gpc_split_json(const struct gpc_status *status, uint32_t listener, struct json_object *object)
{
	const struct gpc_listener *l =
		gpc_image_record(&status->plane.image, GPC_SEC_LISTENER, listener);
	uint32_t first = l->first_pool, pools = l->pools;
	GPC_AUTO_FREE bool *shared = NULL;
	struct json_object *parts;
	struct split split;

	if (pools < 2)
		return;
	shared = find_shared(&status->plane.image);
	split = look_at(status, listener, shared);
	parts = json_object_new_array();
	for (uint32_t i = first; i < first + pools; i++) {
		struct json_object *part = json_object_new_object();

		gpc_json_text(part, "backend", backend_name(split.image, pool_at(split.image, i)));
		gpc_json_real(part, "due", share_due(split.image, split.listener, i), 4);
		if (split.whole && is_counted(&split, i))
			gpc_json_real(part, "got", share_got(&split, i), 4);
		else
			gpc_json_text(part, "got", NULL);
		json_object_array_add(parts, part);
	}
	json_object_object_add(object, "split", parts);
}
