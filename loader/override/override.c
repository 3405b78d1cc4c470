/* SPDX-License-Identifier: MIT */
#include "override.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *const kind_names[GPC_OVERRIDE_KINDS] = {
	[GPC_OVERRIDE_DRAIN] = "drain",
	[GPC_OVERRIDE_MAINT] = "maint",
	[GPC_OVERRIDE_WEIGHT] = "weight",
};
static const char *const end_names[GPC_ENDS] = {
	[GPC_END_TIME] = "time",
	[GPC_END_UNDRAINED] = "undrained",
	[GPC_END_REPLACED] = "replaced",
	[GPC_END_GONE] = "gone",
};

void gpc_overrides_release(struct gpc_overrides *overrides)
{
	free(overrides->items);
	*overrides = (struct gpc_overrides){0};
}

const char *gpc_override_kind_name(enum gpc_override_kind kind)
{
	return kind_names[kind];
}

const char *gpc_override_end_name(enum gpc_override_end end)
{
	return end_names[end];
}

bool gpc_override_kind_parse(const char *text, enum gpc_override_kind *ret)
{
	for (int i = 0; i < GPC_OVERRIDE_KINDS; i++)
		if (!strcmp(text, kind_names[i])) {
			*ret = (enum gpc_override_kind)i;
			return true;
		}
	return false;
}

bool gpc_override_end_parse(const char *text, enum gpc_override_end *ret)
{
	for (int i = GPC_END_NONE + 1; i < GPC_ENDS; i++)
		if (!strcmp(text, end_names[i])) {
			*ret = (enum gpc_override_end)i;
			return true;
		}
	return false;
}

char *gpc_override_object(const struct gpc_override *override, char out[GPC_OVERRIDE_OBJECT])
{
	snprintf(out, GPC_OVERRIDE_OBJECT, "%s%s%s", override->backend,
		 *override->endpoint ? "/" : "", override->endpoint);
	return out;
}

bool gpc_override_is_live(const struct gpc_override *override, int64_t now)
{
	return override->end == GPC_END_NONE && (!override->until || now < override->until);
}

static bool is_object(const struct gpc_override *a, const struct gpc_override *b)
{
	return !strcmp(a->backend, b->backend) && !strcmp(a->endpoint, b->endpoint);
}

bool gpc_override_is_same(const struct gpc_override *a, const struct gpc_override *b)
{
	return is_object(a, b) &&
	       (a->kind == GPC_OVERRIDE_WEIGHT) == (b->kind == GPC_OVERRIDE_WEIGHT);
}

uint32_t gpc_backend_named(const struct gpc_image *image, const char *name)
{
	uint32_t count, i;
	const struct gpc_backend *backend = gpc_image_section(image, GPC_SEC_BACKEND, &count);

	for (i = 0; i < count; i++)
		if (!strcmp(gpc_image_name(image, backend[i].name), name))
			return i;
	return GPC_NONE;
}

uint32_t gpc_endpoint_named(const struct gpc_image *image, uint32_t backend, const char *name)
{
	uint32_t count, i;
	const struct gpc_backend *owner =
		(const struct gpc_backend *)gpc_image_section(image, GPC_SEC_BACKEND, &count) +
		backend;
	const struct gpc_endpoint *endpoint = gpc_image_section(image, GPC_SEC_ENDPOINT, &count);

	for (i = owner->first_endpoint; i < owner->first_endpoint + owner->endpoints; i++)
		if (!strcmp(gpc_image_name(image, endpoint[i].name), name))
			return i;
	return GPC_NONE;
}

bool gpc_override_find(const struct gpc_override *override, const struct gpc_image *image,
		       uint32_t *ret_backend, uint32_t *ret_endpoint)
{
	uint32_t backend = gpc_backend_named(image, override->backend), endpoint = GPC_NONE;

	if (backend == GPC_NONE)
		return false;
	if (*override->endpoint) {
		endpoint = gpc_endpoint_named(image, backend, override->endpoint);
		if (endpoint == GPC_NONE)
			return false;
	}
	*ret_backend = backend;
	*ret_endpoint = endpoint;
	return true;
}

static void end(struct gpc_override *override, enum gpc_override_end how, const char *actor,
		int64_t when)
{
	override->end = how;
	override->ended = when;
	snprintf(override->ended_by, sizeof(override->ended_by), "%s", actor);
}

void gpc_overrides_add(struct gpc_overrides *overrides, const struct gpc_override *override)
{
	struct gpc_override *items =
		reallocarray(overrides->items, overrides->count + 1, sizeof(*items));

	if (!items)
		abort();
	for (size_t i = 0; i < overrides->count; i++)
		if (gpc_override_is_live(&items[i], override->since) &&
		    gpc_override_is_same(&items[i], override))
			end(&items[i], GPC_END_REPLACED, override->actor, override->since);
	items[overrides->count++] = *override;
	overrides->items = items;
}

size_t gpc_overrides_end(struct gpc_overrides *overrides, const struct gpc_override *object,
			 enum gpc_override_end how, const char *actor, int64_t now)
{
	size_t ended = 0;

	for (size_t i = 0; i < overrides->count; i++) {
		struct gpc_override *item = &overrides->items[i];

		if (!gpc_override_is_live(item, now) || !is_object(item, object))
			continue;
		end(item, how, actor, now);
		ended++;
	}
	return ended;
}

size_t gpc_overrides_settle(struct gpc_overrides *overrides, const struct gpc_image *image,
			    int64_t now)
{
	uint32_t backend, endpoint;
	size_t ended = 0;

	for (size_t i = 0; i < overrides->count; i++) {
		struct gpc_override *item = &overrides->items[i];

		if (item->end != GPC_END_NONE)
			continue;
		if (!gpc_override_is_live(item, now))
			end(item, GPC_END_TIME, "", item->until);
		else if (image && !gpc_override_find(item, image, &backend, &endpoint))
			end(item, GPC_END_GONE, "", now);
		else
			continue;
		ended++;
	}
	return ended;
}

int64_t gpc_utc_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
