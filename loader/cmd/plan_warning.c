/* SPDX-License-Identifier: MIT */
#include "plan_warning.h"

#include <stdarg.h>
#include <stdlib.h>

#include "../../compiler/base/cleanup.h"
#include "../override/journal.h"
#include "output.h"
#include "override_text.h"
#include "pending.h"
#include "probing.h"

struct warning {
	const struct gpc_call *call;
	const struct gpc_plane_status *plane;
	const struct gpc_image *image;
	struct gpc_arena *arena;
	struct gpc_plan_warnings *list;
};

__attribute__((format(printf, 2, 3))) static void add(struct warning *w, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	*GPC_PUSH(w->arena, &w->list->texts) = gpc_arena_vprintf(w->arena, format, args);
	va_end(args);
}

void gpc_plan_warn_of_refusal(struct gpc_plan_warnings *warnings, struct gpc_arena *arena,
			      const struct gpc_failure *why)
{
	struct warning w = {.arena = arena, .list = warnings};

	warnings->refused = true;
	add(&w, "gpc apply would be refused (%d): %s%s%s", why->code, why->message,
	    *why->hint ? "; " : "", why->hint);
}

/* ---- what runs ---- */

static void warn_of_confirm(struct warning *w)
{
	const struct gpc_confirm *confirm = &w->plane->confirm;
	char left[GPC_LEFT_TEXT];

	if (confirm->expired && confirm->first)
		add(w, "generation %u was not confirmed in time, and nothing ran before it: every packet "
		       "passes",
		    confirm->generation);
	else if (confirm->expired)
		add(w, "generation %u was not confirmed in time: generation %u decides",
		    confirm->generation, confirm->fallback);
	else if (confirm->armed) {
		w->list->refused = true;
		add(w, "generation %u waits for its confirmation, %s: gpc apply is refused (6) until gpc "
		       "confirm or gpc abort",
		    confirm->generation, gpc_left_text(confirm, left));
	}
}

static void warn_of_off(struct warning *w)
{
	if (w->plane->has_image && w->plane->control & GPC_CTL_OFF)
		add(w, "the plane is off: every packet passes, also after gpc apply, until gpc on");
}

/* ---- what would be refused ---- */

/* REFUSED is what is asked for, anything else a failure of its own. */
static int take_refusal(struct warning *w, int r, struct gpc_failure *failure)
{
	if (!r)
		return 0;
	if (failure->code != GPC_EXIT_REFUSED && failure->code != GPC_EXIT_HOST)
		return -1;
	gpc_plan_warn_of_refusal(w->list, w->arena, failure);
	return 0;
}

static int warn_of_quarantine(struct warning *w, struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_history_free) struct gpc_history *history = NULL;

	return gpc_history_open(gpc_state_dir(), false, &history, failure) ||
	       take_refusal(w, gpc_quarantine_check(w->call, history, w->image, failure), failure);
}

static int warn_of_probes(struct warning *w, struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_probes_release) struct gpc_probes probes = {0};

	return take_refusal(w, gpc_probing_own(w->call, w->image, &probes, failure), failure);
}

static int warn_of_devices(struct warning *w, struct gpc_failure *failure)
{
	return take_refusal(w, gpc_plane_bindable(gpc_bpffs(), w->image, failure), failure);
}

/* ---- what would end ---- */

static void warn_of_overrides(struct warning *w)
{
	GPC_CLEANUP(gpc_overrides_release) struct gpc_overrides overrides = {0};
	char object[GPC_OVERRIDE_OBJECT], text[GPC_OVERRIDE_TEXT];
	int64_t now = gpc_utc_ms();
	struct gpc_failure failure;
	uint32_t ignored;

	if (gpc_journal_load(gpc_state_dir(), &overrides, &failure)) {
		add(w, "what operators have set is not known: %s", failure.message);
		return;
	}
	for (size_t i = 0; i < overrides.count; i++) {
		const struct gpc_override *o = &overrides.items[i];

		if (gpc_override_is_live(o, now) &&
		    !gpc_override_find(o, w->image, &ignored, &ignored))
			add(w, "the override '%s' of '%s' would end: it is no longer there",
			    gpc_override_text(o, text), gpc_override_object(o, object));
	}
}

int gpc_plan_warn(const struct gpc_call *call, const struct gpc_plane_status *plane,
		  const struct gpc_image *image, bool switches, struct gpc_arena *arena,
		  struct gpc_plan_warnings *ret, struct gpc_failure *failure)
{
	struct warning w = {call, plane, image, arena, ret};

	*ret = (struct gpc_plan_warnings){0};
	warn_of_confirm(&w);
	warn_of_off(&w);
	if ((switches && warn_of_quarantine(&w, failure)) || warn_of_probes(&w, failure) ||
	    warn_of_devices(&w, failure))
		return -1;
	warn_of_overrides(&w);
	return 0;
}

/* ---- as text and JSON ---- */

/* They hold names of a foreign image: the grid escapes what could harm a terminal. */
void gpc_plan_warnings_text(const struct gpc_plan_warnings *warnings, FILE *out)
{
	for (size_t i = 0; i < warnings->texts.n; i++) {
		struct gpc_grid grid = {.alignment = "l"};

		gpc_grid_add(&grid, GPC_YELLOW, "warning: %s", warnings->texts.items[i]);
		gpc_grid_print(&grid, out, 0);
	}
}

void gpc_plan_warnings_json(const struct gpc_plan_warnings *warnings)
{
	for (size_t i = 0; i < warnings->texts.n; i++) {
		struct json_object *object = gpc_json("warning");

		gpc_json_text(object, "text", warnings->texts.items[i]);
		gpc_json_print(object);
	}
}
