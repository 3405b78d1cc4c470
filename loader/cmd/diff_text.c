/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "../../compiler/analyze/packet.h"
#include "../../compiler/base/cleanup.h"
#include "diff.h"
#include "output.h"

#define SHOWN_SPACES 8u
#define SHOWN_CHANGES 12u
#define SHOWN_POOLS 5u
#define SHOWN_SHARES 6u
#define SHOWN_TERMS 4u

static size_t limit(const struct gpc_diff_view *view, size_t count, size_t most)
{
	return view->all || count <= most ? count : most;
}

static void say_rest(FILE *out, size_t shown, size_t count)
{
	if (shown < count)
		fprintf(out, "  ... and %zu more (-v shows all)\n", count - shown);
}

/* What is shown of names from a foreign image must not reach the terminal as it is. */
static void put_line(FILE *out, const char *begin, const char *text)
{
	struct gpc_grid grid = {.alignment = "l"};

	gpc_grid_add(&grid, GPC_PLAIN, "%s%s", begin, text);
	gpc_grid_print(&grid, out, 0);
}

static enum gpc_paint paint_of(enum gpc_diff_effect effect)
{
	switch (effect) {
	case GPC_DIFF_ALLOWED:
		return GPC_GREEN;
	case GPC_DIFF_DENIED:
		return GPC_RED;
	default:
		return GPC_YELLOW;
	}
}

static void put_space(const struct gpc_diff_view *view, const struct gpc_diff_space *space,
		      FILE *out)
{
	size_t most = view->all ? 0 : SHOWN_TERMS;
	char packet[GPC_PACKET_TEXT];

	fprintf(out, "  %s%s%s%s: ", gpc_paint(out, paint_of(space->effect)),
		gpc_diff_effect_text(space->effect), gpc_paint(out, GPC_PLAIN),
		space->enforced ? " once audit enforces" : "");
	put_line(out, "",
		 gpc_arena_printf(view->arena, "%s -> %s  %s  on %s%s",
				  gpc_party_text(view->arena, &space->from, most),
				  gpc_party_text(view->arena, &space->to, most),
				  gpc_diff_services_text(view, space, most),
				  gpc_diff_places(view, space),
				  space->opens ? "" : "  (opens no flow)"));
	put_line(out, "      e.g. ", gpc_packet_format(&space->witness, packet));
	put_line(out, "      ",
		 gpc_arena_printf(view->arena, "%s  ->  %s", gpc_diff_decision(view, space, 0),
				  gpc_diff_decision(view, space, 1)));
}

static void put_spaces(const struct gpc_diff_view *view, FILE *out)
{
	size_t shown = limit(view, view->diff.space_count, SHOWN_SPACES);

	if (view->diff.fault)
		fprintf(out, "packets: not known, %s\n", view->diff.fault);
	if (!view->diff.space_count)
		return;
	fputs("packets\n", out);
	for (size_t i = 0; i < shown; i++)
		put_space(view, &view->diff.spaces[i], out);
	say_rest(out, shown, view->diff.space_count);
}

static void put_changes(const struct gpc_diff_view *view, FILE *out, bool listeners)
{
	static const char *const marks[] = {"  + ", "  - ", "  ~ "};
	size_t total = 0, shown = 0;

	for (size_t i = 0; i < view->diff.changes.count; i++) {
		const struct gpc_change *change = &view->diff.changes.items[i];

		if ((change->object == GPC_CHANGE_LISTENER) != listeners ||
		    !gpc_diff_change_shown(view, change))
			continue;
		if (!total++)
			fprintf(out, "%s\n", listeners ? "listeners" : "settings");
		if (shown < limit(view, total, SHOWN_CHANGES)) {
			put_line(out, marks[change->kind], gpc_diff_change_text(view, change));
			shown++;
		}
	}
	say_rest(out, shown, total);
}

static void put_pool(const struct gpc_diff_view *view, const struct gpc_diff_pool *pool, FILE *out)
{
	size_t total = 0, shown = 0;
	const char *text = "";

	put_line(out, "  ",
		 gpc_arena_printf(view->arena, "%s: %s", pool->backend,
				  gpc_diff_pool_text(view, pool)));
	for (size_t i = 0; i < pool->share_count; i++) {
		if (!gpc_diff_share_changed(pool, &pool->shares[i]))
			continue;
		if (++total > SHOWN_SHARES && !view->all)
			continue;
		text = gpc_arena_printf(view->arena, "%s%s%s", text, shown++ ? "; " : "",
					gpc_diff_share_text(view, pool, &pool->shares[i]));
	}
	if (shown < total)
		text = gpc_arena_printf(view->arena, "%s; and %zu more", text, total - shown);
	if (total)
		put_line(out, "      ", text);
}

static void put_pools(const struct gpc_diff_view *view, FILE *out)
{
	size_t shown = limit(view, view->diff.pool_count, SHOWN_POOLS);

	if (!view->diff.pool_count)
		return;
	fputs("backends\n", out);
	for (size_t i = 0; i < shown; i++)
		put_pool(view, &view->diff.pools[i], out);
	say_rest(out, shown, view->diff.pool_count);
}

/* What is not listed without -v, in one line. */
static void put_causes(const struct gpc_diff_view *view, FILE *out)
{
	const struct gpc_changes *changes = &view->diff.changes;
	const enum gpc_change_object objects[] = {GPC_CHANGE_POLICY, GPC_CHANGE_RULE};
	const char *text = "";

	for (size_t i = 0; i < 2; i++)
		for (int kind = 0; kind < 3; kind++)
			if (changes->counts[objects[i]][kind])
				text = gpc_arena_printf(
					view->arena, "%s%s%u %s %s", text, *text ? ", " : "",
					changes->counts[objects[i]][kind],
					changes->counts[objects[i]][kind] == 1
						? gpc_change_object_name(objects[i])
						: gpc_change_object_names(objects[i]),
					gpc_change_kind_name((enum gpc_change_kind)kind));
	if (*text && !view->all)
		fprintf(out, "written: %s (-v lists them)\n", text);
}

void gpc_diff_text(const struct gpc_diff_view *view, FILE *out)
{
	if (view->diff.same_bytes)
		return;
	put_spaces(view, out);
	put_changes(view, out, true);
	put_pools(view, out);
	put_changes(view, out, false);
	put_causes(view, out);
	for (size_t i = 0; i < view->diff.warning_count; i++) {
		fprintf(out, "%swarning%s: ", gpc_paint(out, GPC_YELLOW), gpc_paint(out, GPC_PLAIN));
		put_line(out, "", view->diff.warnings[i]);
	}
}
