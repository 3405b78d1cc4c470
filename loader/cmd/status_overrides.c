/* SPDX-License-Identifier: MIT */
#include "status_overrides.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "../../compiler/base/cleanup.h"
#include "../override/words.h"
#include "describe.h"
#include "output.h"
#include "override_text.h"

#define NAMED 5u /* differences between maps and journal */

/* ---- records ---- */

static const struct gpc_endpoint *endpoint_at(const struct gpc_status *status, uint32_t index)
{
	return gpc_image_record(&status->plane.image, GPC_SEC_ENDPOINT, index);
}

static const struct gpc_backend *backend_at(const struct gpc_status *status, uint32_t index)
{
	return gpc_image_record(&status->plane.image, GPC_SEC_BACKEND, index);
}

static const char *name_of(const struct gpc_status *status, uint32_t name)
{
	return gpc_image_name(&status->plane.image, name);
}

struct gpc_endpoint_state gpc_status_endpoint_state(const struct gpc_status *status, uint32_t index)
{
	const struct gpc_link_endpoint *link =
		(const void *)(status->plane.image.bytes + status->link->endpoint_offset);
	uint32_t slot = link[index].counter;

	return slot < status->plane.endpoint_states ? status->plane.endpoints[slot]
						    : (struct gpc_endpoint_state){0};
}

struct gpc_backend_state gpc_status_backend_state(const struct gpc_status *status, uint32_t index)
{
	const struct gpc_link_backend *link =
		(const void *)(status->plane.image.bytes + status->link->backend_offset);
	uint32_t slot = link[index].counter;

	return slot < status->plane.backend_states ? status->plane.backends[slot]
						   : (struct gpc_backend_state){0};
}

bool gpc_status_is_new(const struct gpc_status *status, uint32_t index)
{
	const struct gpc_endpoint *endpoint = endpoint_at(status, index);
	struct gpc_endpoint_state state = gpc_status_endpoint_state(status, index);
	struct gpc_backend_state backend = gpc_status_backend_state(status, endpoint->backend);

	return gpc_words_are_new(endpoint, &state, &backend, gpc_moment_unit(gpc_moment_now()));
}

const char *gpc_status_observed(const struct gpc_status *status, uint32_t index)
{
	return gpc_status_endpoint_state(status, index).flags & GPC_STATE_DOWN ? "down" : "unknown";
}

bool gpc_status_has_overrides(const struct gpc_status *status)
{
	uint32_t count = gpc_image_count(&status->plane.image, GPC_SEC_BACKEND);

	for (uint32_t i = 0; i < count; i++)
		if (gpc_status_backend_state(status, i).flags & GPC_BACKEND_ACTIVE)
			return true;
	return gpc_overrides_live(&status->overrides, status->now);
}

/* ---- the journal's ---- */

/* The live override of an endpoint's weight, or of its state: its own, else its backend's; NULL. */
static const struct gpc_override *find(const struct gpc_status *status, uint32_t index, bool weight)
{
	const struct gpc_endpoint *endpoint = endpoint_at(status, index);
	const char *name = name_of(status, endpoint->name);
	const char *backend = name_of(status, backend_at(status, endpoint->backend)->name);
	const struct gpc_override *found = NULL;

	for (size_t i = 0; i < status->overrides.count; i++) {
		const struct gpc_override *o = &status->overrides.items[i];

		if (!gpc_override_is_live(o, status->now) || strcmp(o->backend, backend) ||
		    (o->kind == GPC_OVERRIDE_WEIGHT) != weight)
			continue;
		if (!strcmp(o->endpoint, name))
			return o;
		if (!*o->endpoint)
			found = o;
	}
	return found;
}

char *gpc_status_overridden(const struct gpc_status *status, uint32_t index,
			    char out[GPC_STATUS_OVERRIDDEN])
{
	const struct gpc_override *state = find(status, index, false);
	const struct gpc_override *weight = find(status, index, true);
	char text[GPC_OVERRIDE_TEXT] = "", more[GPC_OVERRIDE_TEXT] = "";

	if (state)
		gpc_override_text(state, text);
	if (weight)
		gpc_override_text(weight, more);
	snprintf(out, GPC_STATUS_OVERRIDDEN, "%s%s%s", text, state && weight ? ", " : "", more);
	return out;
}

/* ---- what needs attention ---- */

typedef void say_fn(struct gpc_status *status, const char *text);

static void say(struct gpc_status *status, say_fn *said, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static void say(struct gpc_status *status, say_fn *said, const char *format, ...)
{
	GPC_AUTO_FREE char *text = NULL;
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	if (n < 0)
		abort();
	said(status, text);
}

static void check_backend(struct gpc_status *status, uint32_t index, say_fn *said)
{
	const struct gpc_backend *backend = backend_at(status, index);
	struct gpc_backend_state state = gpc_status_backend_state(status, index);
	const char *name = name_of(status, backend->name);
	uint32_t count = 0;

	if (!(state.flags & GPC_BACKEND_ACTIVE))
		return;
	for (uint32_t i = backend->first_endpoint;
	     i < backend->first_endpoint + backend->endpoints; i++)
		count += gpc_status_is_new(status, i);
	if (!count)
		say(status, said, "nobody of backend '%s' takes new flows: they %s", name,
		    backend->failover == GPC_NONE ? "are dropped" : "go to its failover");
	else if (state.flags & GPC_BACKEND_PANIC)
		say(status, said,
		    "backend '%s' is in panic: too few are up, so those that are down get flows, too",
		    name);
}

/* Is what packets meet now what the words say that were made of the journal? */
static bool is_as_journaled(const struct gpc_status *status, const struct gpc_words *words,
			    uint32_t index, uint32_t now)
{
	const struct gpc_endpoint *endpoint = endpoint_at(status, index);
	struct gpc_endpoint_state state = gpc_status_endpoint_state(status, index);
	struct gpc_backend_state backend = gpc_status_backend_state(status, endpoint->backend);
	struct gpc_effect is = gpc_effect(endpoint, &state, &backend, now);
	struct gpc_effect wanted =
		gpc_effect(endpoint, &words->endpoints[index], &words->backends[endpoint->backend], now);

	return is.admin == wanted.admin && is.ratio == wanted.ratio;
}

/* One whose time is over may hold in the maps for a moment more. */
static void check_journal(struct gpc_status *status, say_fn *said)
{
	GPC_CLEANUP(gpc_words_release) struct gpc_words words = {0};
	uint32_t now = gpc_moment_unit(gpc_moment_now()), different = 0;

	if (!status->plane.endpoints || !status->overrides_known)
		return;
	if (gpc_words_make(&status->plane.image, &status->overrides, gpc_moment_now(), NULL, &words))
		abort();
	for (uint32_t i = 0; i < words.endpoint_count; i++) {
		const struct gpc_endpoint *e = endpoint_at(status, i);

		if (is_as_journaled(status, &words, i, now) ||
		    is_as_journaled(status, &words, i, now + 2) || ++different > NAMED)
			continue;
		say(status, said,
		    "the state of '%s/%s' in the kernel is not what the journal of overrides says; "
		    "gpc restore puts it right",
		    name_of(status, backend_at(status, e->backend)->name), name_of(status, e->name));
	}
	if (different > NAMED)
		say(status, said, "and that of %u more endpoints", different - NAMED);
}

void gpc_status_check_overrides(struct gpc_status *status, say_fn *said)
{
	uint32_t count = gpc_image_count(&status->plane.image, GPC_SEC_BACKEND);

	check_journal(status, said);
	for (uint32_t i = 0; i < count; i++)
		check_backend(status, i, said);
}

/* ---- shown ---- */

void gpc_status_overrides_text(const struct gpc_status *status)
{
	if (!gpc_overrides_live(&status->overrides, status->now))
		return;
	putchar('\n');
	gpc_overrides_print(&status->overrides, status->now, false);
}

void gpc_status_overrides_json(const struct gpc_status *status)
{
	gpc_overrides_print_json(&status->overrides, status->now, false);
}

static void add_override(const struct gpc_status *status, const struct gpc_override *override,
			 const char *key, struct json_object *object)
{
	struct json_object *member = override ? gpc_override_json(override, status->now) : NULL;

	if (member)
		json_object_object_del(member, "type");
	json_object_object_add(object, key, member);
}

void gpc_status_override_json(const struct gpc_status *status, uint32_t index,
			      struct json_object *object)
{
	add_override(status, find(status, index, false), "state_override", object);
	add_override(status, find(status, index, true), "weight_override", object);
	gpc_json_text(object, "observed", gpc_status_observed(status, index));
	gpc_json_bool(object, "takes_new", gpc_status_is_new(status, index));
}
