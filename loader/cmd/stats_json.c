/* SPDX-License-Identifier: MIT */
#include "../../compiler/base/cleanup.h"
#include "describe.h"
#include "flow_fill.h"
#include "stats.h"

#define NANOSECONDS 1000000000ll
#define RATE_DECIMALS 3
#define SHARE_DECIMALS 6

enum counted { PACKETS_AND_BYTES, ALL };

static void add_number(struct json_object *object, const struct gpc_reading *reading,
		       const char *key, uint64_t total, uint64_t since)
{
	char rate[64];

	gpc_json_number(object, key, (int64_t)total);
	if (reading->seconds <= 0)
		return;
	snprintf(rate, sizeof(rate), "%s_per_second", key);
	gpc_json_real(object, rate, gpc_reading_rate(reading, since), RATE_DECIMALS);
}

static void add_counter(struct json_object *object, const struct gpc_reading *reading,
			const struct gpc_row *row, enum counted counted)
{
	const struct gpc_counter *total = &row->total, *since = &row->since;

	add_number(object, reading, "packets", total->packets, since->packets);
	add_number(object, reading, "bytes", total->bytes, since->bytes);
	if (counted == PACKETS_AND_BYTES)
		return;
	add_number(object, reading, "flows", total->flows, since->flows);
	add_number(object, reading, "dropped", total->dropped, since->dropped);
}

static void add_share(struct json_object *object, const char *key, double share)
{
	if (share < 0)
		gpc_json_text(object, key, NULL);
	else
		gpc_json_real(object, key, share, SHARE_DECIMALS);
}

static void print_objects(const struct gpc_reading *reading, enum gpc_seen kind, const char *type)
{
	const struct gpc_rows *rows = &reading->rows[kind];

	for (uint32_t i = 0; i < rows->count; i++) {
		struct json_object *object = gpc_json(type);

		gpc_json_text(object, "name", gpc_reading_name(reading, kind, i));
		add_counter(object, reading, &rows->items[i], ALL);
		gpc_json_print(object);
	}
}

static void print_endpoints(const struct gpc_reading *reading)
{
	const struct gpc_image *image = &reading->status.plane.image;
	GPC_AUTO_FREE uint32_t *order = gpc_endpoint_order(image);
	const struct gpc_rows *rows = &reading->rows[GPC_SEEN_ENDPOINT];

	for (uint32_t n = 0; n < rows->count; n++) {
		const uint32_t i = order[n];
		const struct gpc_endpoint *e = gpc_image_record(image, GPC_SEC_ENDPOINT, i);
		struct json_object *object = gpc_json("endpoint");

		gpc_json_text(object, "backend",
			      gpc_reading_name(reading, GPC_SEEN_BACKEND, e->backend));
		gpc_json_text(object, "name", gpc_image_name(image, e->name));
		add_counter(object, reading, &rows->items[i], ALL);
		add_share(object, "due", gpc_reading_configured(reading, i));
		add_share(object, "got", gpc_reading_observed(reading, i));
		if (reading->has_flows)
			gpc_json_number(object, "active", (int64_t)reading->flows.endpoint[i]);
		gpc_json_print(object);
	}
}

static void print_reasons(const struct gpc_call *call, const struct gpc_reading *reading)
{
	const struct gpc_rows *rows = &reading->rows[GPC_SEEN_REASON];

	for (uint32_t i = 0; i < rows->count; i++) {
		const struct gpc_row *row = &rows->items[i];
		struct json_object *object;

		if (!row->total.packets && !gpc_call_has(call, "verbose"))
			continue;
		object = gpc_json("reason");
		gpc_json_text(object, "hook", gpc_hook_id_name(i / GPC_REASON_COUNT));
		gpc_json_text(object, "reason", gpc_reason_name(i % GPC_REASON_COUNT));
		gpc_json_text(object, "text", gpc_reason_text(i % GPC_REASON_COUNT));
		add_counter(object, reading, row, PACKETS_AND_BYTES);
		gpc_json_print(object);
	}
}

static void print_limits(const struct gpc_reading *reading)
{
	const struct gpc_limiter *total = reading->status.plane.limits, *since = reading->limits;

	for (int i = 0; i < GPC_LIMIT_COUNT; i++) {
		struct json_object *object = gpc_json("limit");

		gpc_json_text(object, "name", gpc_limit_name(i));
		add_number(object, reading, "let", total[i].let, since[i].let);
		add_number(object, reading, "kept", total[i].kept, since[i].kept);
		add_number(object, reading, "lost", total[i].lost, since[i].lost);
		gpc_json_print(object);
	}
}

void gpc_stats_json(const struct gpc_call *call, const struct gpc_reading *reading)
{
	const struct gpc_status *status = &reading->status;
	const struct gpc_image *image = &status->plane.image;
	struct json_object *object = gpc_json("reading");
	char digest[65];

	gpc_json_real(object, "time", (double)reading->wall_ns / NANOSECONDS, 3);
	if (reading->seconds > 0)
		gpc_json_real(object, "seconds", reading->seconds, 6);
	gpc_json_text(object, "plane", gpc_image_name(image, image->plane->name));
	gpc_json_number(object, "generation", status->link->generation);
	gpc_digest_format(image->head->decision_digest, digest);
	gpc_json_text(object, "decision", digest);
	gpc_json_bool(object, "off", status->plane.control & GPC_CTL_OFF);
	gpc_json_print(object);
	print_objects(reading, GPC_SEEN_LISTENER, "listener");
	print_objects(reading, GPC_SEEN_BACKEND, "backend");
	print_endpoints(reading);
	print_reasons(call, reading);
	print_limits(reading);
	if (reading->has_flows)
		gpc_flows_json(&reading->flows);
}
