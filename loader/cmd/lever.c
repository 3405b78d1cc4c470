/* SPDX-License-Identifier: MIT */
#include "lever.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "../../compiler/base/arena.h"
#include "../../compiler/base/cleanup.h"
#include "../../compiler/base/utf8.h"
#include "../../compiler/diag/diag.h"
#include "../../compiler/intent/scalar.h"
#include "../actor.h"
#include "../override/words.h"
#include "../plane/failpoint.h"
#include "describe.h"
#include "output.h"
#include "override_text.h"
#include "settle.h"

#define MAX_FOR_MS (365ull * 24 * 3600 * 1000)

/* ---- open ---- */

int gpc_lever_open(const struct gpc_call *call, struct gpc_lever *lever, struct gpc_failure *failure)
{
	struct gpc_confirm found;

	*lever = GPC_LEVER_NONE;
	lever->now = gpc_utc_ms();
	if (gpc_lock_acquire(gpc_state_dir(), &lever->lock, failure) ||
	    gpc_claim_take(gpc_bpffs(), false, &lever->claim, failure) ||
	    gpc_settle_alone(call, &found, failure) ||
	    gpc_journal_load(gpc_state_dir(), &lever->overrides, failure) ||
	    gpc_plane_read(gpc_bpffs(), &lever->plane, failure))
		return -1;
	if (!lever->plane.has_image) {
		gpc_fail(failure, GPC_EXIT_FAILED, 0, "no plane is running below '%s'%s%s",
			 gpc_bpffs(), lever->plane.present ? ": " : "", lever->plane.problem);
		return gpc_fail_hint(failure, "run: gpc apply");
	}
	/* While an apply waits, an object that is gone may come back. */
	gpc_overrides_settle(&lever->overrides, found.armed && !found.expired ? NULL : &lever->plane.image,
			     lever->now);
	return 0;
}

void gpc_lever_close(struct gpc_lever *lever)
{
	gpc_plane_status_release(&lever->plane);
	gpc_overrides_release(&lever->overrides);
	gpc_claim_release(&lever->claim);
	gpc_lock_release(&lever->lock);
}

/* ---- the object ---- */

/* INVALID: there is no such thing among the records first.. of a section; which was meant? */
static int fail_unknown(const struct gpc_image *image, enum gpc_section_id section, uint32_t first,
			uint32_t count, const char *name, struct gpc_failure *failure)
{
	GPC_AUTO_FREE const char **names = calloc(count + 1ul, sizeof(*names));
	const char *near;

	if (!names)
		abort();
	for (uint32_t i = 0; i < count; i++) {
		const void *record = gpc_image_record(image, section, first + i);

		names[i] = gpc_image_name(image, section == GPC_SEC_BACKEND
							 ? ((const struct gpc_backend *)record)->name
							 : ((const struct gpc_endpoint *)record)->name);
	}
	near = gpc_did_you_mean(name, names, count);
	gpc_fail(failure, GPC_EXIT_INVALID, 0, "the running plane has no such %s: '%.200s'",
		 section == GPC_SEC_BACKEND ? "backend" : "endpoint of the backend", name);
	return near ? gpc_fail_hint(failure, "did you mean '%s'?", near)
		    : gpc_fail_hint(failure, "gpc status -v lists what there is");
}

int gpc_lever_find(struct gpc_lever *lever, const char *text, struct gpc_override *ret,
		   struct gpc_failure *failure)
{
	const struct gpc_image *image = &lever->plane.image;
	GPC_AUTO_FREE char *backend = strndup(text, strcspn(text, "/"));
	const char *slash = strchr(text, '/'), *endpoint = slash ? slash + 1 : "";
	const struct gpc_backend *owner;

	if (!backend)
		abort();
	if (!*backend || (slash && !*endpoint)) {
		gpc_fail(failure, GPC_EXIT_USAGE, 0, "'%.200s' is no BACKEND or BACKEND/ENDPOINT", text);
		return gpc_fail_hint(failure, "gpc status -v lists what there is");
	}
	lever->backend = gpc_backend_named(image, backend);
	if (lever->backend == GPC_NONE)
		return fail_unknown(image, GPC_SEC_BACKEND, 0,
				    gpc_image_count(image, GPC_SEC_BACKEND), backend, failure);
	owner = gpc_image_record(image, GPC_SEC_BACKEND, lever->backend);
	lever->endpoint = slash ? gpc_endpoint_named(image, lever->backend, endpoint) : GPC_NONE;
	if (slash && lever->endpoint == GPC_NONE)
		return fail_unknown(image, GPC_SEC_ENDPOINT, owner->first_endpoint,
				    owner->endpoints, endpoint, failure);
	snprintf(ret->backend, sizeof(ret->backend), "%s", backend);
	snprintf(ret->endpoint, sizeof(ret->endpoint), "%s", endpoint);
	return 0;
}

const struct gpc_endpoint *gpc_lever_endpoint(const struct gpc_lever *lever)
{
	return lever->endpoint == GPC_NONE
		       ? NULL
		       : gpc_image_record(&lever->plane.image, GPC_SEC_ENDPOINT, lever->endpoint);
}

int gpc_lever_refuse(const struct gpc_lever *lever, struct gpc_failure *failure, const char *format,
		     ...)
{
	const struct gpc_endpoint *endpoint = gpc_lever_endpoint(lever);
	struct gpc_arena arena = {0};
	uint32_t line, column;
	char text[512];
	const char *path;
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	gpc_fail(failure, GPC_EXIT_REFUSED, 0, "%s", text);
	gpc_fail_hint(failure, "change it in the intent, then gpc apply");
	if (endpoint &&
	    gpc_image_place(&lever->plane.image, &arena, endpoint->id, &path, &line, &column))
		gpc_fail_hint(failure, "change it in the intent (%.300s:%u:%u), then gpc apply",
			      path, line, column);
	gpc_arena_release(&arena);
	return -1;
}

/* ---- a new override ---- */

static bool is_reason(const char *text)
{
	return strlen(text) < GPC_OVERRIDE_REASON && gpc_utf8_is_printable(text, strlen(text));
}

/* What no terminal or journal should see becomes `?`. */
static void copy_actor(char out[GPC_OVERRIDE_ACTOR])
{
	snprintf(out, GPC_OVERRIDE_ACTOR, "%s", gpc_actor());
	for (char *p = out; *p; p++)
		if (*p <= ' ' || *p >= 0x7f)
			*p = '?';
}

int gpc_lever_begin(const struct gpc_call *call, int64_t now, struct gpc_override *ret,
		    struct gpc_failure *failure)
{
	const char *time = gpc_call_value(call, "for"), *reason = gpc_call_value(call, "reason");
	uint64_t ms = 0;

	if (time && (gpc_scalar_duration(time, &ms) || !ms || ms > MAX_FOR_MS)) {
		gpc_fail(failure, GPC_EXIT_USAGE, 0, "'%.100s' is no time for --for", time);
		return gpc_fail_hint(failure, "a number and ms, s, m, h or d, up to 365d: --for 30m");
	}
	if (reason && !is_reason(reason)) {
		gpc_fail(failure, GPC_EXIT_USAGE, 0, "this --reason cannot be recorded");
		return gpc_fail_hint(failure, "one line of at most %u bytes of UTF-8",
				     GPC_OVERRIDE_REASON - 1);
	}
	ret->since = now;
	ret->until = time ? now + (int64_t)ms : 0;
	copy_actor(ret->actor);
	snprintf(ret->reason, sizeof(ret->reason), "%s", reason ? reason : "");
	return 0;
}

/* Live ones of the backend; the ends of all of them share its steps. */
static void only_of(const struct gpc_lever *lever, const char *backend, struct gpc_overrides *ret)
{
	for (size_t i = 0; i < lever->overrides.count; i++)
		if (!strcmp(lever->overrides.items[i].backend, backend))
			gpc_overrides_add(ret, &lever->overrides.items[i]);
}

static bool *observed_down(const struct gpc_lever *lever)
{
	const struct gpc_image *image = &lever->plane.image;
	uint32_t count = gpc_image_count(image, GPC_SEC_ENDPOINT);
	const struct gpc_link_head *head =
		(const void *)(image->bytes + image->head->link_offset);
	const struct gpc_link_endpoint *link = (const void *)(image->bytes + head->endpoint_offset);
	bool *down = calloc(count + 1ul, sizeof(*down));

	if (!down)
		abort();
	for (uint32_t i = 0; i < count; i++)
		down[i] = link[i].counter < lever->plane.endpoint_states &&
			  lever->plane.endpoints[link[i].counter].flags & GPC_STATE_DOWN;
	return down;
}

static void work_out(const struct gpc_lever *lever, const struct gpc_overrides *overrides,
		     struct gpc_words *ret)
{
	GPC_AUTO_FREE bool *down = observed_down(lever);

	if (gpc_words_make(&lever->plane.image, overrides, gpc_moment_now(), down, ret))
		abort();
}

/* Has the backend more ends than steps for them? */
static bool is_crowded(const struct gpc_lever *lever, const char *backend)
{
	GPC_CLEANUP(gpc_overrides_release) struct gpc_overrides own = {0};
	GPC_CLEANUP(gpc_words_release) struct gpc_words words = {0};

	only_of(lever, backend, &own);
	work_out(lever, &own, &words);
	return words.crowded != GPC_NONE;
}

/* One that was crowded before, by a changed intent, say, must not keep an operator from draining. */
static int add(struct gpc_lever *lever, const struct gpc_override *override,
	       struct gpc_failure *failure)
{
	bool before = is_crowded(lever, override->backend);

	gpc_overrides_add(&lever->overrides, override);
	if (before || !is_crowded(lever, override->backend))
		return 0;
	gpc_fail(failure, GPC_EXIT_REFUSED, 0,
		 "the weights of backend '%s' would change at more than %u different ends",
		 override->backend, GPC_BACKEND_STEPS);
	return gpc_fail_hint(failure, "let it end with another one (gpc drain lists them), or end one: "
				      "gpc undrain BACKEND/ENDPOINT");
}

static int check_room(const struct gpc_lever *lever, struct gpc_failure *failure)
{
	size_t live = 0;

	for (size_t i = 0; i < lever->overrides.count; i++)
		live += gpc_override_is_live(&lever->overrides.items[i], lever->now);
	if (live <= GPC_JOURNAL_LIVE)
		return 0;
	gpc_fail(failure, GPC_EXIT_REFUSED, 0, "there are %u overrides already", GPC_JOURNAL_LIVE);
	return gpc_fail_hint(failure, "so many belong into the intent");
}

int gpc_lever_commit(struct gpc_lever *lever, struct gpc_failure *failure)
{
	if (gpc_plane_overridable(gpc_bpffs(), &lever->overrides, failure) ||
	    gpc_journal_save(gpc_state_dir(), &lever->overrides, failure))
		return -1;
	if (gpc_failpoint("override.journaled"))
		return gpc_failpoint_fail(failure, "override.journaled");
	if (gpc_plane_override(gpc_bpffs(), &lever->overrides, failure))
		return gpc_fail_hint(failure, "it is in the journal; gpc restore puts it into effect");
	return gpc_failpoint("override.published")
		       ? gpc_failpoint_fail(failure, "override.published")
		       : 0;
}

enum gpc_exit gpc_lever_set(const struct gpc_call *call, struct gpc_lever *lever,
			    const struct gpc_override *override)
{
	char object[GPC_OVERRIDE_OBJECT], text[GPC_OVERRIDE_TEXT], until[32];
	struct gpc_failure failure;

	if (add(lever, override, &failure) || check_room(lever, &failure) ||
	    gpc_lever_commit(lever, &failure))
		return gpc_finish_failed(call, &failure);
	if (gpc_call_has(call, "json"))
		gpc_json_print(gpc_override_json(override, lever->now));
	else
		printf("%s: %s %s%s\n", gpc_override_object(override, object),
		       gpc_override_text(override, text), override->until ? "until " : "until gpc undrain",
		       override->until ? gpc_text_time(override->until / 1000, until) : "");
	return gpc_lever_finish(call, lever, 1);
}

/* ---- what became of it ---- */

static uint32_t count_new(const struct gpc_lever *lever)
{
	GPC_CLEANUP(gpc_words_release) struct gpc_words words = {0};
	const struct gpc_image *image = &lever->plane.image;
	const struct gpc_backend *backend =
		gpc_image_record(image, GPC_SEC_BACKEND, lever->backend);
	uint32_t now = gpc_moment_unit(gpc_moment_now()), count = 0;

	work_out(lever, &lever->overrides, &words);
	for (uint32_t i = backend->first_endpoint;
	     i < backend->first_endpoint + backend->endpoints; i++)
		count += gpc_words_are_new(gpc_image_record(image, GPC_SEC_ENDPOINT, i),
					  &words.endpoints[i], &words.backends[lever->backend], now);
	return count;
}

enum gpc_exit gpc_lever_finish(const struct gpc_call *call, const struct gpc_lever *lever,
			       size_t changed)
{
	const struct gpc_image *image = &lever->plane.image;
	const struct gpc_backend *backend =
		gpc_image_record(image, GPC_SEC_BACKEND, lever->backend);
	struct json_object *result = gpc_json("result");
	uint32_t count = count_new(lever);

	if (!gpc_call_has(call, "json"))
		printf("%u of %u endpoints of %s take new flows\n", count, backend->endpoints,
		       gpc_image_name(image, backend->name));
	if (!count)
		gpc_say(call, GPC_YELLOW, "warning",
			"nobody of backend '%s' takes new flows: they %s",
			gpc_image_name(image, backend->name),
			backend->failover == GPC_NONE ? "are dropped" : "go to its failover");
	gpc_json_number(result, "changed", (int64_t)changed);
	gpc_json_text(result, "backend", gpc_image_name(image, backend->name));
	gpc_json_number(result, "new_flows", count);
	gpc_json_number(result, "endpoints", backend->endpoints);
	return gpc_finish(call, GPC_EXIT_OK, result);
}
