/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../compiler/base/cleanup.h"
#include "../../compiler/intent/scalar.h"
#include "../interrupt.h"
#include "describe.h"
#include "stats.h"
#include "terminal.h"

#define NANOSECONDS 1000000000ll
#define MILLISECOND 1000000ll
#define LOOK_MS 200 /* between two looks at signals */
#define LEAST_MS 100u
#define MOST_MS 3600000u
#define HEAD_LINES 4u /* above the first table */

static const struct gpc_option options[] = {
	{'i', "interval", "TIME", "between two readings: 1s, 500ms; default 1s"},
};

enum sort { BY_PACKETS, BY_BYTES, BY_FLOWS, BY_DROPPED, BY_NAME, SORT_COUNT };
static const char *const sort_names[SORT_COUNT] = {"packets/s", "bytes/s", "flows/s", "dropped/s",
						   "name"};

struct top {
	struct gpc_reading reading;
	uint64_t interval_ms;
	enum sort sort;
	struct gpc_terminal_size drawn; /* for which size; 0: what is drawn is old */
	bool paused, done;
};

/* ---- order ---- */

struct order {
	const struct gpc_reading *reading;
	enum gpc_seen kind;
	enum sort sort;
};

static uint64_t key_of(const struct order *order, uint32_t index)
{
	const struct gpc_counter *since = &order->reading->rows[order->kind].items[index].since;

	switch (order->sort) {
	case BY_BYTES:
		return since->bytes;
	case BY_FLOWS:
		return since->flows;
	case BY_DROPPED:
		return since->dropped;
	default:
		return since->packets;
	}
}

static int compare_names(const struct order *order, uint32_t x, uint32_t y)
{
	int r = order->kind == GPC_SEEN_REASON
			? 0
			: strcmp(gpc_reading_name(order->reading, order->kind, x),
				 gpc_reading_name(order->reading, order->kind, y));

	return r ? r : (x > y) - (x < y);
}

static int compare(const void *a, const void *b, void *context)
{
	const struct order *order = context;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	uint64_t left, right;

	if (order->sort == BY_NAME)
		return compare_names(order, x, y);
	left = key_of(order, x);
	right = key_of(order, y);
	return left == right ? compare_names(order, x, y) : left < right ? 1 : -1;
}

/* Indexes of a kind in the order asked for; malloc'ed. */
static uint32_t *sorted(const struct top *top, enum gpc_seen kind)
{
	struct order order = {&top->reading, kind, top->sort};
	uint32_t count = top->reading.rows[kind].count;
	uint32_t *list = calloc(count + 1ul, sizeof(*list));

	if (!list)
		abort();
	for (uint32_t i = 0; i < count; i++)
		list[i] = i;
	qsort_r(list, count, sizeof(*list), compare, &order);
	return list;
}

/* ---- the screen ---- */

static void put_hooks(const struct top *top, FILE *out)
{
	char packets[32], bytes[32];

	for (int hook = 0; hook < GPC_HOOK_ID_COUNT; hook++) {
		struct gpc_row row = gpc_reading_hook(&top->reading, hook);
		double rate = gpc_reading_rate(&top->reading, row.since.packets);

		if (!row.total.packets)
			continue;
		fprintf(out, "%s %s packets/s, %s/s   ", gpc_hook_id_name(hook),
			gpc_text_count((uint64_t)(rate + 0.5), packets),
			gpc_text_bytes((uint64_t)gpc_reading_rate(&top->reading, row.since.bytes),
				       bytes));
	}
	fputc('\n', out);
}

static void put_head(const struct top *top, FILE *out)
{
	const struct gpc_status *status = &top->reading.status;
	const struct gpc_image *image = &status->plane.image;
	char when[32];

	fprintf(out, "gpc top%s%s  plane %s, generation %u  %s\n", top->paused ? "  PAUSED" : "",
		status->plane.control & GPC_CTL_OFF ? "  OFF" : "",
		gpc_image_name(image, image->plane->name), status->link->generation,
		gpc_text_time(top->reading.wall_ns / NANOSECONDS, when));
	put_hooks(top, out);
	fprintf(out, "sorted by %s   s: sort, space: %s, q: quit\n", sort_names[top->sort],
		top->paused ? "go on" : "pause");
}

static void add_titles(struct gpc_grid *grid, const struct top *top, const char *first)
{
	const char *const names[] = {first, GPC_STATS_TITLES(&top->reading)};

	for (size_t i = 0; grid->alignment[i]; i++)
		gpc_grid_add(grid, GPC_PLAIN, "%s", names[i]);
}

static void add_name(struct gpc_grid *grid, const struct top *top, enum gpc_seen kind,
		     uint32_t index)
{
	const struct gpc_image *image = &top->reading.status.plane.image;
	const struct gpc_endpoint *e;

	if (kind != GPC_SEEN_ENDPOINT) {
		gpc_grid_add(grid, GPC_PLAIN, "%s", gpc_reading_name(&top->reading, kind, index));
		return;
	}
	e = gpc_image_record(image, GPC_SEC_ENDPOINT, index);
	gpc_grid_add(grid, GPC_PLAIN, "%s/%s",
		     gpc_reading_name(&top->reading, GPC_SEEN_BACKEND, e->backend),
		     gpc_reading_name(&top->reading, kind, index));
}

static void put_objects(const struct top *top, enum gpc_seen kind, const char *title, uint32_t room,
			FILE *out)
{
	GPC_AUTO_FREE uint32_t *list = sorted(top, kind);
	struct gpc_grid grid = {.alignment = "lrrrr"};
	const struct gpc_rows *rows = &top->reading.rows[kind];

	add_titles(&grid, top, title);
	for (uint32_t n = 0; n < rows->count && n < room; n++) {
		add_name(&grid, top, kind, list[n]);
		gpc_stats_add_counter(&grid, &top->reading, &rows->items[list[n]]);
	}
	fputc('\n', out);
	gpc_grid_print(&grid, out, 0);
}

static void put_reasons(const struct top *top, uint32_t room, FILE *out)
{
	GPC_AUTO_FREE uint32_t *list = sorted(top, GPC_SEEN_REASON);
	const struct gpc_rows *rows = &top->reading.rows[GPC_SEEN_REASON];
	struct gpc_grid grid = {.alignment = "lrr"};
	uint32_t shown = 0;

	add_titles(&grid, top, "hook: reason");
	for (uint32_t n = 0; n < rows->count && shown < room; n++) {
		const struct gpc_row *row = &rows->items[list[n]];

		if (!row->since.packets)
			continue;
		gpc_grid_add(&grid, GPC_PLAIN, "%s: %s",
			     gpc_hook_id_name(list[n] / GPC_REASON_COUNT),
			     gpc_reason_name(list[n] % GPC_REASON_COUNT));
		gpc_stats_add_frames(&grid, &top->reading, row);
		shown++;
	}
	fputc('\n', out);
	gpc_grid_print(&grid, out, 0);
}

/* Reasons and listeners get at most a quarter of the screen each, endpoints the rest. */
static void draw(struct top *top)
{
	uint32_t rows = top->drawn.rows, quarter = rows / 4 > 2 ? rows / 4 - 2 : 1;
	GPC_AUTO_FREE char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		abort();
	put_head(top, out);
	if (top->reading.seconds > 0) {
		put_reasons(top, quarter, out);
		put_objects(top, GPC_SEEN_LISTENER, "listener", quarter, out);
		put_objects(top, GPC_SEEN_ENDPOINT, "endpoint", rows, out);
	} else {
		fputs("\nthe first rates come after one interval\n", out);
	}
	if (fclose(out))
		abort();
	if (gpc_terminal_show(text))
		top->done = true;
}

/* When something has changed, the size of the screen, too. */
static void redraw(struct top *top)
{
	struct gpc_terminal_size size = gpc_terminal_size();

	if (size.rows == top->drawn.rows && size.columns == top->drawn.columns)
		return;
	top->drawn = size;
	draw(top);
}

/* ---- keys ---- */

static void press(struct top *top, int key)
{
	if (key != GPC_KEY_NONE)
		top->drawn.rows = 0;
	switch (key) {
	case 'q':
	case 'Q':
	case GPC_KEY_GONE:
		top->done = true;
		return;
	case ' ':
		top->paused = !top->paused;
		return;
	case 's':
		top->sort = (top->sort + 1) % SORT_COUNT;
		return;
	case GPC_KEY_SUSPEND:
		gpc_terminal_suspend();
		return;
	default:
		return;
	}
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / MILLISECOND;
}

static int step(struct top *top, int64_t *due, struct gpc_failure *failure)
{
	int64_t left = *due - now_ms();

	if (left <= 0 && !top->paused) {
		if (gpc_reading_take(&top->reading, false, failure))
			return -1;
		left = (int64_t)top->interval_ms;
		*due = now_ms() + left;
		top->drawn.rows = 0;
	}
	redraw(top);
	press(top, gpc_terminal_key(left > 0 && left < LOOK_MS ? (int)left : LOOK_MS));
	return 0;
}

static int parse(const struct gpc_call *call, struct top *top, struct gpc_failure *failure)
{
	const char *text = gpc_call_value(call, "interval");

	top->interval_ms = 1000;
	if (!text || (!gpc_scalar_duration(text, &top->interval_ms) &&
		      top->interval_ms >= LEAST_MS && top->interval_ms <= MOST_MS))
		return 0;
	gpc_fail(failure, GPC_EXIT_USAGE, 0, "'%s' is no interval", text);
	return gpc_fail_hint(failure, "a number with ms, s or m, from 100ms to 60m: -i 1s");
}

static void release(struct top *top)
{
	gpc_reading_release(&top->reading);
}

static enum gpc_exit run(const struct gpc_call *call)
{
	GPC_CLEANUP(release) struct top top = {0};
	struct gpc_failure failure;
	int64_t due;
	int r = 0;

	if (parse(call, &top, &failure) || gpc_terminal_check(&failure) ||
	    gpc_reading_take(&top.reading, false, &failure))
		return gpc_finish_failed(call, &failure);
	gpc_interrupts_hold();
	if (gpc_terminal_open(&failure))
		return gpc_finish_failed(call, &failure);
	due = now_ms() + (int64_t)top.interval_ms;
	while (!r && !top.done && !gpc_interrupted())
		r = step(&top, &due, &failure);
	gpc_terminal_close();
	return r ? gpc_finish_failed(call, &failure) : GPC_EXIT_OK;
}

const struct gpc_command gpc_command_top = {
	.name = "top",
	.side = GPC_SIDE_HOST,
	.summary = "rates of listeners, endpoints and reasons, live in the terminal",
	.operands = "",
	.description =
		"What comes per second, the most first. Keys: s takes another column to sort by, "
		"space\n"
		"pauses, q quits; so do SIGINT and SIGTERM, and the terminal is as it was. Without "
		"a\n"
		"terminal: gpc stats --interval 1s. Changes nothing, takes no lock.",
	.objects = "",
	GPC_ROWS(options),
	GPC_EXIT_LIST(GPC_EXIT_OK, GPC_EXIT_FAILED, GPC_EXIT_HOST, GPC_EXIT_CONFLICT),
	.run = run,
};
