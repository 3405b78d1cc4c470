/* SPDX-License-Identifier: MIT */
#include "reading.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../compiler/base/cleanup.h"
#include "describe.h"
#include "flow_fill.h"
#include "output.h"

#define NANOSECONDS 1000000000ll

static int64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * NANOSECONDS + now.tv_nsec;
}

/* ---- rows ---- */

static void make_rows(struct gpc_rows *rows, uint32_t count)
{
	rows->items = calloc(count + 1ul, sizeof(*rows->items));
	rows->count = count;
	if (!rows->items)
		abort();
}

static void release_rows(struct gpc_rows *rows)
{
	free(rows->items);
	*rows = (struct gpc_rows){0};
}

static void add(struct gpc_counter *sum, const struct gpc_counter *counter)
{
	sum->packets += counter->packets;
	sum->bytes += counter->bytes;
	sum->flows += counter->flows;
	sum->dropped += counter->dropped;
}

static void fill_listeners(struct gpc_reading *reading)
{
	struct gpc_rows *rows = &reading->rows[GPC_SEEN_LISTENER];
	const struct gpc_image *image = &reading->status.plane.image;

	make_rows(rows, gpc_image_count(image, GPC_SEC_LISTENER));
	for (uint32_t i = 0; i < rows->count; i++) {
		const struct gpc_listener *l = gpc_image_record(image, GPC_SEC_LISTENER, i);

		rows->items[i] = (struct gpc_row){
			.id = l->id, .total = gpc_listener_counter(&reading->status, i)};
	}
}

static void fill_endpoints(struct gpc_reading *reading)
{
	struct gpc_rows *rows = &reading->rows[GPC_SEEN_ENDPOINT];
	const struct gpc_image *image = &reading->status.plane.image;

	make_rows(rows, gpc_image_count(image, GPC_SEC_ENDPOINT));
	for (uint32_t i = 0; i < rows->count; i++) {
		const struct gpc_endpoint *e = gpc_image_record(image, GPC_SEC_ENDPOINT, i);

		rows->items[i] = (struct gpc_row){
			.id = e->id, .total = gpc_endpoint_counter(&reading->status, i)};
	}
}

/* What a backend's own slot has; its endpoints are added when both have been compared. */
static void fill_backends(struct gpc_reading *reading)
{
	const struct gpc_image *image = &reading->status.plane.image;

	make_rows(&reading->own, gpc_image_count(image, GPC_SEC_BACKEND));
	for (uint32_t i = 0; i < reading->own.count; i++) {
		const struct gpc_backend *b = gpc_image_record(image, GPC_SEC_BACKEND, i);

		reading->own.items[i] = (struct gpc_row){
			.id = b->id, .total = gpc_backend_counter(&reading->status, i)};
	}
}

static void fill_reasons(struct gpc_reading *reading)
{
	struct gpc_rows *rows = &reading->rows[GPC_SEEN_REASON];

	make_rows(rows, (uint32_t)GPC_HOOK_ID_COUNT * GPC_REASON_COUNT);
	for (uint32_t i = 0; i < rows->count; i++)
		rows->items[i] = (struct gpc_row){
			.id = i + 1,
			.total = gpc_status_counter(&reading->status,
						    i / GPC_REASON_COUNT * GPC_REASON_MAX +
							    i % GPC_REASON_COUNT)};
}

/* ---- what came since ---- */

static int compare_rows(const void *a, const void *b)
{
	const struct gpc_row *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static uint64_t since(uint64_t now, uint64_t before)
{
	return now >= before ? now - before : now;
}

static struct gpc_counter counter_since(const struct gpc_counter *now,
					const struct gpc_counter *before)
{
	if (now->packets < before->packets)
		return *now;
	return (struct gpc_counter){
		.packets = now->packets - before->packets,
		.bytes = since(now->bytes, before->bytes),
		.flows = since(now->flows, before->flows),
		.dropped = since(now->dropped, before->dropped),
	};
}

/* Sorts the rows of before: they are of no further use. */
static void compare(struct gpc_rows *now, struct gpc_rows *before)
{
	static const struct gpc_counter nothing;

	qsort(before->items, before->count, sizeof(*before->items), compare_rows);
	for (uint32_t i = 0; i < now->count; i++) {
		struct gpc_row *row = &now->items[i];
		const struct gpc_row *found = bsearch(row, before->items, before->count,
						      sizeof(*before->items), compare_rows);

		row->since = counter_since(&row->total, found ? &found->total : &nothing);
	}
}

static void sum_backends(struct gpc_reading *reading)
{
	const struct gpc_image *image = &reading->status.plane.image;
	struct gpc_row *backends, *endpoints = reading->rows[GPC_SEEN_ENDPOINT].items;

	make_rows(&reading->rows[GPC_SEEN_BACKEND], reading->own.count);
	backends = reading->rows[GPC_SEEN_BACKEND].items;
	for (uint32_t i = 0; i < reading->own.count; i++) {
		backends[i].id = reading->own.items[i].id;
		backends[i].total.dropped = reading->own.items[i].total.dropped;
		backends[i].since.dropped = reading->own.items[i].since.dropped;
	}
	for (uint32_t i = 0; i < reading->rows[GPC_SEEN_ENDPOINT].count; i++) {
		const struct gpc_endpoint *e = gpc_image_record(image, GPC_SEC_ENDPOINT, i);

		add(&backends[e->backend].total, &endpoints[i].total);
		add(&backends[e->backend].since, &endpoints[i].since);
	}
}

static void compare_limits(struct gpc_reading *reading, const struct gpc_limiter *before)
{
	const struct gpc_limiter *now = reading->status.plane.limits;

	for (int i = 0; i < GPC_LIMIT_COUNT; i++)
		reading->limits[i] = (struct gpc_limiter){
			.let = since(now[i].let, before[i].let),
			.kept = since(now[i].kept, before[i].kept),
			.lost = since(now[i].lost, before[i].lost),
		};
}

/* ---- the reading ---- */

static void release_rows_of(struct gpc_reading *reading)
{
	for (int kind = 0; kind < GPC_SEEN_COUNT; kind++)
		release_rows(&reading->rows[kind]);
	release_rows(&reading->own);
}

static int look(struct gpc_status *status, struct gpc_failure *failure)
{
	uint32_t known = status->plane.images_read;

	if (gpc_plane_read_again(gpc_bpffs(), &status->plane, failure))
		return -1;
	if (!status->plane.present) {
		gpc_fail(failure, GPC_EXIT_FAILED, 0, "no plane is running below '%s'",
			 gpc_bpffs());
		return gpc_fail_hint(failure, "run: gpc apply");
	}
	if (!status->plane.has_image) {
		gpc_fail(failure, GPC_EXIT_FAILED, 0, "no image is active: %s",
			 status->plane.problem);
		return gpc_fail_hint(failure, "run: gpc apply");
	}
	gpc_status_link(status);
	if (known != status->plane.images_read)
		gpc_status_count_slots(status);
	return 0;
}

static void fill(struct gpc_reading *reading)
{
	fill_listeners(reading);
	fill_endpoints(reading);
	fill_backends(reading);
	fill_reasons(reading);
}

static void compare_all(struct gpc_reading *reading, struct gpc_reading *before)
{
	compare(&reading->rows[GPC_SEEN_LISTENER], &before->rows[GPC_SEEN_LISTENER]);
	compare(&reading->rows[GPC_SEEN_ENDPOINT], &before->rows[GPC_SEEN_ENDPOINT]);
	compare(&reading->rows[GPC_SEEN_REASON], &before->rows[GPC_SEEN_REASON]);
	compare(&reading->own, &before->own);
	compare_limits(reading, before->status.plane.limits);
}

int gpc_reading_take(struct gpc_reading *reading, bool flows, struct gpc_failure *failure)
{
	GPC_CLEANUP(release_rows_of) struct gpc_reading before = *reading;
	int64_t now;

	/* The status goes on in `reading`; of `before` only the numbers are asked for. */
	memset(reading->rows, 0, sizeof(reading->rows));
	reading->own = (struct gpc_rows){0};
	if (look(&reading->status, failure))
		return -1;
	now = clock_ns(CLOCK_MONOTONIC);
	reading->seconds =
		before.monotonic_ns ? (double)(now - before.monotonic_ns) / NANOSECONDS : 0;
	reading->monotonic_ns = now;
	reading->wall_ns = clock_ns(CLOCK_REALTIME);
	fill(reading);
	if (before.monotonic_ns)
		compare_all(reading, &before);
	sum_backends(reading);
	gpc_flows_release(&reading->flows);
	reading->has_flows = flows;
	return flows ? gpc_plane_flows(gpc_bpffs(), &reading->status.plane, GPC_FLOWS_MS,
				       &reading->flows, failure)
		     : 0;
}

void gpc_reading_release(struct gpc_reading *reading)
{
	release_rows_of(reading);
	gpc_flows_release(&reading->flows);
	gpc_status_release(&reading->status);
	*reading = (struct gpc_reading){0};
}

/* ---- values ---- */

double gpc_reading_configured(const struct gpc_reading *reading, uint32_t endpoint)
{
	const struct gpc_status *status = &reading->status;
	const struct gpc_endpoint *e =
		gpc_image_record(&status->plane.image, GPC_SEC_ENDPOINT, endpoint);
	uint64_t all = status->backend_slots[e->backend];

	return all ? (double)status->slots[endpoint] / (double)all : -1;
}

static uint64_t flows_of(const struct gpc_reading *reading, const struct gpc_row *row)
{
	return reading->seconds > 0 ? row->since.flows : row->total.flows;
}

double gpc_reading_observed(const struct gpc_reading *reading, uint32_t endpoint)
{
	const struct gpc_endpoint *e =
		gpc_image_record(&reading->status.plane.image, GPC_SEC_ENDPOINT, endpoint);
	uint64_t all = flows_of(reading, &reading->rows[GPC_SEEN_BACKEND].items[e->backend]);
	uint64_t part = flows_of(reading, &reading->rows[GPC_SEEN_ENDPOINT].items[endpoint]);

	return all ? (double)part / (double)all : -1;
}

const char *gpc_reading_name(const struct gpc_reading *reading, enum gpc_seen kind, uint32_t index)
{
	const struct gpc_image *image = &reading->status.plane.image;
	const struct gpc_listener *l;
	const struct gpc_backend *b;
	const struct gpc_endpoint *e;

	switch (kind) {
	case GPC_SEEN_LISTENER:
		l = gpc_image_record(image, GPC_SEC_LISTENER, index);
		return gpc_image_name(image, l->name);
	case GPC_SEEN_BACKEND:
		b = gpc_image_record(image, GPC_SEC_BACKEND, index);
		return gpc_image_name(image, b->name);
	default:
		e = gpc_image_record(image, GPC_SEC_ENDPOINT, index);
		return gpc_image_name(image, e->name);
	}
}

double gpc_reading_rate(const struct gpc_reading *reading, uint64_t since_before)
{
	return reading->seconds > 0 ? (double)since_before / reading->seconds : 0;
}

struct gpc_row gpc_reading_hook(const struct gpc_reading *reading, enum gpc_hook hook)
{
	const struct gpc_row *rows =
		reading->rows[GPC_SEEN_REASON].items + (uint32_t)hook * GPC_REASON_COUNT;
	struct gpc_row sum = {.id = rows->id};

	for (uint32_t i = 0; i < GPC_REASON_COUNT; i++) {
		add(&sum.total, &rows[i].total);
		add(&sum.since, &rows[i].since);
	}
	return sum;
}
