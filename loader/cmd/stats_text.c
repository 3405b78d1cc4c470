/* SPDX-License-Identifier: MIT */
#include "../../compiler/base/cleanup.h"
#include "describe.h"
#include "flow_fill.h"
#include "stats.h"

#define LISTED 40u /* rows of a kind; -v shows all */
#define NANOSECONDS 1000000000ll

/* ---- cells ---- */

static void titles(struct gpc_grid *grid, const char *const *names)
{
	for (size_t i = 0; grid->alignment[i]; i++)
		gpc_grid_add(grid, GPC_DIM, "%s", names[i]);
}

/* A count, or how many came a second. */
static void add_count(struct gpc_grid *grid, const struct gpc_reading *reading, uint64_t total,
		      uint64_t since)
{
	double rate = gpc_reading_rate(reading, since);
	char text[32];

	if (reading->seconds <= 0)
		gpc_grid_add(grid, total ? GPC_PLAIN : GPC_DIM, "%s", gpc_text_count(total, text));
	else if (rate < 100 && since)
		gpc_grid_add(grid, GPC_PLAIN, "%.1f", rate);
	else
		gpc_grid_add(grid, since ? GPC_PLAIN : GPC_DIM, "%s",
			     gpc_text_count((uint64_t)(rate + 0.5), text));
}

static void add_bytes(struct gpc_grid *grid, const struct gpc_reading *reading, uint64_t total,
		      uint64_t since)
{
	uint64_t bytes =
		reading->seconds > 0 ? (uint64_t)(gpc_reading_rate(reading, since) + 0.5) : total;
	char text[32];

	gpc_grid_add(grid, bytes ? GPC_PLAIN : GPC_DIM, "%s", gpc_text_bytes(bytes, text));
}

void gpc_stats_add_frames(struct gpc_grid *grid, const struct gpc_reading *reading,
			  const struct gpc_row *row)
{
	add_count(grid, reading, row->total.packets, row->since.packets);
	add_bytes(grid, reading, row->total.bytes, row->since.bytes);
}

void gpc_stats_add_counter(struct gpc_grid *grid, const struct gpc_reading *reading,
			   const struct gpc_row *row)
{
	gpc_stats_add_frames(grid, reading, row);
	add_count(grid, reading, row->total.flows, row->since.flows);
	add_count(grid, reading, row->total.dropped, row->since.dropped);
}

static void add_share(struct gpc_grid *grid, double share)
{
	if (share < 0)
		gpc_grid_add(grid, GPC_DIM, "-");
	else
		gpc_grid_add(grid, GPC_PLAIN, "%.1f %%", 100 * share);
}

/* ---- rows ---- */

static bool is_nothing(const struct gpc_counter *counter)
{
	return !(counter->packets | counter->bytes | counter->flows | counter->dropped);
}

bool gpc_stats_is_quiet(const struct gpc_reading *reading, const struct gpc_row *row)
{
	return is_nothing(reading->seconds > 0 ? &row->since : &row->total);
}

/* What is shown of a kind: what has counted something, as many as a screen takes; with -v all. */
struct rows {
	const struct gpc_reading *reading;
	bool all;
	uint32_t shown, quiet, more;
};

static bool is_shown(struct rows *rows, const struct gpc_row *row)
{
	if (!rows->all && gpc_stats_is_quiet(rows->reading, row)) {
		rows->quiet++;
		return false;
	}
	if (!rows->all && rows->shown >= LISTED) {
		rows->more++;
		return false;
	}
	rows->shown++;
	return true;
}

static void put(struct gpc_grid *grid, const struct rows *rows)
{
	putchar('\n');
	gpc_grid_print(grid, stdout, 0);
	if (rows->more)
		printf("... and %u more (-v lists all)\n", rows->more);
	if (rows->quiet)
		printf("(%u without a packet; -v lists them)\n", rows->quiet);
}

/* Listeners or backends. */
static void print_objects(const struct gpc_call *call, const struct gpc_reading *reading,
			  enum gpc_seen kind, const char *title)
{
	const struct gpc_rows *list = &reading->rows[kind];
	struct rows rows = {.reading = reading, .all = gpc_call_has(call, "verbose")};
	const char *const names[] = {title, GPC_STATS_TITLES(reading)};
	struct gpc_grid grid = {.alignment = "lrrrr"};

	if (!list->count)
		return;
	titles(&grid, names);
	for (uint32_t i = 0; i < list->count; i++) {
		if (!is_shown(&rows, &list->items[i]))
			continue;
		gpc_grid_add(&grid, GPC_PLAIN, "%s", gpc_reading_name(reading, kind, i));
		gpc_stats_add_counter(&grid, reading, &list->items[i]);
	}
	put(&grid, &rows);
}

static void add_endpoint(struct gpc_grid *grid, const struct gpc_reading *reading, uint32_t index)
{
	const struct gpc_image *image = &reading->status.plane.image;
	const struct gpc_endpoint *e = gpc_image_record(image, GPC_SEC_ENDPOINT, index);

	gpc_grid_add(grid, GPC_PLAIN, "%s/%s",
		     gpc_reading_name(reading, GPC_SEEN_BACKEND, e->backend),
		     gpc_reading_name(reading, GPC_SEEN_ENDPOINT, index));
	gpc_stats_add_counter(grid, reading, &reading->rows[GPC_SEEN_ENDPOINT].items[index]);
	add_share(grid, gpc_reading_configured(reading, index));
	add_share(grid, gpc_reading_observed(reading, index));
	if (reading->has_flows)
		gpc_grid_add(grid, GPC_PLAIN, "%llu",
			     (unsigned long long)reading->flows.endpoint[index]);
}

static void print_endpoints(const struct gpc_call *call, const struct gpc_reading *reading)
{
	const struct gpc_image *image = &reading->status.plane.image;
	GPC_AUTO_FREE uint32_t *order = gpc_endpoint_order(image);
	const struct gpc_rows *list = &reading->rows[GPC_SEEN_ENDPOINT];
	struct rows rows = {.reading = reading, .all = gpc_call_has(call, "verbose")};
	const char *const names[] = {"endpoint", GPC_STATS_TITLES(reading), "due", "got", "active"};
	struct gpc_grid grid = {.alignment = reading->has_flows ? "lrrrrrrr" : "lrrrrrr"};

	if (!list->count)
		return;
	titles(&grid, names);
	for (uint32_t n = 0; n < list->count; n++)
		if (is_shown(&rows, &list->items[order[n]]))
			add_endpoint(&grid, reading, order[n]);
	put(&grid, &rows);
}

static void print_reasons(const struct gpc_call *call, const struct gpc_reading *reading)
{
	const struct gpc_rows *list = &reading->rows[GPC_SEEN_REASON];
	const char *const all_titles[] = {GPC_STATS_TITLES(reading)};
	const char *const names[] = {"hook", "reason", all_titles[0], all_titles[1], "meaning"};
	struct gpc_grid grid = {.alignment = "llrrl"};

	titles(&grid, names);
	for (uint32_t i = 0; i < list->count; i++) {
		const struct gpc_row *row = &list->items[i];

		if (gpc_stats_is_quiet(reading, row) && !gpc_call_has(call, "verbose"))
			continue;
		gpc_grid_add(&grid, GPC_PLAIN, "%s", gpc_hook_id_name(i / GPC_REASON_COUNT));
		gpc_grid_add(&grid, GPC_PLAIN, "%s", gpc_reason_name(i % GPC_REASON_COUNT));
		gpc_stats_add_frames(&grid, reading, row);
		gpc_grid_add(&grid, GPC_DIM, "%s", gpc_reason_text(i % GPC_REASON_COUNT));
	}
	if (grid.count == 5)
		gpc_grid_add(&grid, GPC_DIM, "no packet%s", reading->seconds > 0 ? "" : " yet");
	putchar('\n');
	gpc_grid_print(&grid, stdout, 0);
}

static void print_limits(const struct gpc_call *call, const struct gpc_reading *reading)
{
	static const char *const names[] = {"limit", "let", "kept", "lost"};
	const struct gpc_limiter *total = reading->status.plane.limits, *since = reading->limits;
	struct gpc_grid grid = {.alignment = "lrrr"};

	for (int i = 0; i < GPC_LIMIT_COUNT; i++) {
		const struct gpc_limiter *shown = reading->seconds > 0 ? &since[i] : &total[i];

		if (!(shown->let | shown->kept | shown->lost) && !gpc_call_has(call, "verbose"))
			continue;
		if (!grid.count)
			titles(&grid, names);
		gpc_grid_add(&grid, GPC_PLAIN, "%s", gpc_limit_name(i));
		add_count(&grid, reading, total[i].let, since[i].let);
		add_count(&grid, reading, total[i].kept, since[i].kept);
		add_count(&grid, reading, total[i].lost, since[i].lost);
	}
	if (grid.count)
		putchar('\n');
	gpc_grid_print(&grid, stdout, 0);
}

void gpc_stats_text(const struct gpc_call *call, const struct gpc_reading *reading)
{
	const struct gpc_status *status = &reading->status;
	const struct gpc_image *image = &status->plane.image;
	char when[32];

	printf("%s  plane %s, generation %u%s", gpc_text_time(reading->wall_ns / NANOSECONDS, when),
	       gpc_image_name(image, image->plane->name), status->link->generation,
	       status->plane.control & GPC_CTL_OFF ? ", OFF" : "");
	if (reading->seconds > 0)
		printf(", %.3f s", reading->seconds);
	putchar('\n');
	print_objects(call, reading, GPC_SEEN_LISTENER, "listener");
	print_objects(call, reading, GPC_SEEN_BACKEND, "backend");
	print_endpoints(call, reading);
	print_reasons(call, reading);
	print_limits(call, reading);
	if (reading->has_flows)
		gpc_flows_text(&reading->flows);
}
