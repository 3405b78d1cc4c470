/* SPDX-License-Identifier: MIT */
#include "override_text.h"

#include "../override/journal.h"
#include "output.h"

char *gpc_override_text(const struct gpc_override *override, char out[GPC_OVERRIDE_TEXT])
{
	if (override->kind == GPC_OVERRIDE_WEIGHT)
		snprintf(out, GPC_OVERRIDE_TEXT, "weight %u", override->weight);
	else
		snprintf(out, GPC_OVERRIDE_TEXT, "%s", gpc_override_kind_name(override->kind));
	return out;
}

char *gpc_override_left(const struct gpc_override *override, int64_t now,
			char out[GPC_OVERRIDE_TEXT])
{
	int64_t seconds = (override->until - now + 999) / 1000;

	if (!override->until)
		snprintf(out, GPC_OVERRIDE_TEXT, "-");
	else if (seconds < 120)
		snprintf(out, GPC_OVERRIDE_TEXT, "%lld s", (long long)seconds);
	else if (seconds < 7200)
		snprintf(out, GPC_OVERRIDE_TEXT, "%lld min", (long long)(seconds / 60));
	else if (seconds < 172800)
		snprintf(out, GPC_OVERRIDE_TEXT, "%lld h", (long long)(seconds / 3600));
	else
		snprintf(out, GPC_OVERRIDE_TEXT, "%lld days", (long long)(seconds / 86400));
	return out;
}

static void add_time(struct json_object *object, const char *key, int64_t time)
{
	char text[GPC_JOURNAL_TIME];

	gpc_json_text(object, key, time ? gpc_journal_time(time, text) : NULL);
}

struct json_object *gpc_override_json(const struct gpc_override *override, int64_t now)
{
	struct json_object *object = gpc_json("override");
	bool live = gpc_override_is_live(override, now);

	gpc_json_text(object, "backend", override->backend);
	gpc_json_text(object, "endpoint", *override->endpoint ? override->endpoint : NULL);
	gpc_json_text(object, "override", gpc_override_kind_name(override->kind));
	if (override->kind == GPC_OVERRIDE_WEIGHT)
		gpc_json_number(object, "weight", override->weight);
	gpc_json_bool(object, "live", live);
	add_time(object, "since", override->since);
	add_time(object, "until", override->until);
	if (live && override->until)
		gpc_json_real(object, "left_s", (double)(override->until - now) / 1e3, 3);
	gpc_json_text(object, "by", override->actor);
	gpc_json_text(object, "reason", *override->reason ? override->reason : NULL);
	if (override->end != GPC_END_NONE) {
		gpc_json_text(object, "end", gpc_override_end_name(override->end));
		add_time(object, "ended", override->ended);
		gpc_json_text(object, "ended_by", *override->ended_by ? override->ended_by : NULL);
	}
	return object;
}

size_t gpc_overrides_live(const struct gpc_overrides *overrides, int64_t now)
{
	size_t live = 0;

	for (size_t i = 0; i < overrides->count; i++)
		live += gpc_override_is_live(&overrides->items[i], now);
	return live;
}

/* "29 min left", or how it ended. */
static void add_left(struct gpc_grid *grid, const struct gpc_override *o, int64_t now)
{
	char text[GPC_OVERRIDE_TEXT];

	if (gpc_override_is_live(o, now))
		gpc_grid_add(grid, GPC_PLAIN, "%s", gpc_override_left(o, now, text));
	else if (o->end == GPC_END_NONE || o->end == GPC_END_TIME)
		gpc_grid_add(grid, GPC_DIM, "time over");
	else
		gpc_grid_add(grid, GPC_DIM, "%s%s%s", gpc_override_end_name(o->end),
			     *o->ended_by ? " by " : "", o->ended_by);
}

void gpc_overrides_print(const struct gpc_overrides *overrides, int64_t now, bool all)
{
	static const char *const names[] = {"overridden", "what", "left", "since", "by", "reason"};
	struct gpc_grid grid = {.alignment = "llllll"};
	char object[GPC_OVERRIDE_OBJECT], text[GPC_OVERRIDE_TEXT], since[32];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		gpc_grid_add(&grid, GPC_DIM, "%s", names[i]);
	for (size_t i = 0; i < overrides->count; i++) {
		const struct gpc_override *o = &overrides->items[i];
		bool live = gpc_override_is_live(o, now);
		enum gpc_paint paint = live ? GPC_PLAIN : GPC_DIM;

		if (!live && !all)
			continue;
		gpc_grid_add(&grid, paint, "%s", gpc_override_object(o, object));
		gpc_grid_add(&grid, live ? GPC_YELLOW : GPC_DIM, "%s", gpc_override_text(o, text));
		add_left(&grid, o, now);
		gpc_grid_add(&grid, paint, "%s", gpc_text_time(o->since / 1000, since));
		gpc_grid_add(&grid, paint, "%s", o->actor);
		gpc_grid_add(&grid, paint, "%s", *o->reason ? o->reason : "-");
	}
	gpc_grid_print(&grid, stdout, 0);
}

void gpc_overrides_print_json(const struct gpc_overrides *overrides, int64_t now, bool all)
{
	for (size_t i = 0; i < overrides->count; i++)
		if (all || gpc_override_is_live(&overrides->items[i], now))
			gpc_json_print(gpc_override_json(&overrides->items[i], now));
}
