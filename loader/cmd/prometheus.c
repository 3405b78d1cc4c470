/* SPDX-License-Identifier: MIT */
#include <stddef.h>
#include <string.h>

#include "../../compiler/base/utf8.h"
#include "../../compiler/analyze/changes.h"
#include "describe.h"
#include "flow_fill.h"
#include "metrics.h"
#include "rulebook.h"
#include "stats.h"
#include "status_overrides.h"

const struct gpc_metric_fact gpc_metrics[GPC_METRIC_COUNT] = {
#define X(id, name, type, labels, when, help) {name, type, labels, GPC_METRICS_##when, help},
	GPC_METRICS(X)
#undef X
};

struct page {
	FILE *out;
	const struct gpc_reading *reading;
	enum gpc_metric metric; /* whose samples are written */
};

/* ---- samples ---- */

/* As the format wants it: UTF-8, with backslash, quote and line feed escaped. */
static void put_value(FILE *out, const char *text)
{
	size_t length = strlen(text), bytes;
	uint32_t unused;

	for (size_t i = 0; i < length; i += bytes ? bytes : 1) {
		bytes = gpc_utf8_decode(text + i, length - i, &unused);
		if (text[i] == '\n')
			fputs("\\n", out);
		else if (text[i] == '\\' || text[i] == '"')
			fprintf(out, "\\%c", text[i]);
		else if (bytes)
			fwrite(text + i, 1, bytes, out);
		else
			fputs("\xef\xbf\xbd", out);
	}
}

/* Name and labels; the table names the labels, `values` has one for each. */
static void put_name(const struct page *page, const char *const *values)
{
	const struct gpc_metric_fact *fact = &gpc_metrics[page->metric];
	const char *label = fact->labels;

	fputs(fact->name, page->out);
	for (const char *mark = "{"; *label; mark = ",") {
		size_t length = strcspn(label, ",");

		fprintf(page->out, "%s%.*s=\"", mark, (int)length, label);
		put_value(page->out, *values++);
		fputc('"', page->out);
		label += length;
		label += strspn(label, ", ");
	}
	if (*fact->labels)
		fputc('}', page->out);
}

#define VALUES(...) ((const char *const[]){__VA_ARGS__})

static void put(const struct page *page, const char *const *values, uint64_t number)
{
	put_name(page, values);
	fprintf(page->out, " %llu\n", (unsigned long long)number);
}

/* ---- the plane ---- */

static void put_build(const struct page *page, size_t unused)
{
	(void)unused;
	put(page, VALUES(GPC_VERSION), 1);
}

static void put_plane(const struct page *page, size_t unused)
{
	const struct gpc_image *image = &page->reading->status.plane.image;
	char digest[65];

	(void)unused;
	gpc_digest_format(image->head->decision_digest, digest);
	put(page, VALUES(gpc_image_name(image, image->plane->name), digest), 1);
}

static void put_generation(const struct page *page, size_t unused)
{
	(void)unused;
	put(page, NULL, page->reading->status.link->generation);
}

static void put_control(const struct page *page, size_t flag)
{
	put(page, NULL, !!(page->reading->status.plane.control & flag));
}

/* A link whose device went and came back stands beside the new one. */
static bool is_said(const struct gpc_plane_status *plane, size_t index)
{
	const struct gpc_device_status *d = &plane->devices[index];

	for (size_t i = 0; i < index; i++)
		if (plane->devices[i].hook == d->hook && !strcmp(plane->devices[i].name, d->name))
			return true;
	return false;
}

static void put_devices(const struct page *page, size_t unused)
{
	const struct gpc_plane_status *plane = &page->reading->status.plane;

	(void)unused;
	for (size_t i = 0; i < plane->device_count; i++) {
		const struct gpc_device_status *d = &plane->devices[i];
		const struct gpc_interface *interface =
			d->interface < gpc_image_count(&plane->image, GPC_SEC_INTERFACE)
				? gpc_image_record(&plane->image, GPC_SEC_INTERFACE, d->interface)
				: NULL;

		if (is_said(plane, i))
			continue;
		put(page,
		    VALUES(d->name, interface ? gpc_image_name(&plane->image, interface->name) : "",
			   gpc_hook_bit_name(d->hook), gpc_device_mode_name(d)),
		    d->state == GPC_LINK_OK);
	}
}

/* ---- counters; `field` is an offset into struct gpc_counter, gpc_limiter, gpc_rule_counter ----
 */

static uint64_t number_at(const void *record, size_t field)
{
	uint64_t number;

	memcpy(&number, (const char *)record + field, sizeof(number));
	return number;
}

static void put_reasons(const struct page *page, size_t field)
{
	const struct gpc_rows *rows = &page->reading->rows[GPC_SEEN_REASON];

	for (uint32_t i = 0; i < rows->count; i++)
		put(page,
		    VALUES(gpc_hook_id_name(i / GPC_REASON_COUNT),
			   gpc_reason_name(i % GPC_REASON_COUNT)),
		    number_at(&rows->items[i].total, field));
}

static void put_listeners(const struct page *page, size_t field)
{
	const struct gpc_rows *rows = &page->reading->rows[GPC_SEEN_LISTENER];

	for (uint32_t i = 0; i < rows->count; i++)
		put(page, VALUES(gpc_reading_name(page->reading, GPC_SEEN_LISTENER, i)),
		    number_at(&rows->items[i].total, field));
}

static void put_limits(const struct page *page, size_t field)
{
	for (int i = 0; i < GPC_LIMIT_COUNT; i++)
		put(page, VALUES(gpc_limit_name(i)),
		    number_at(&page->reading->status.plane.limits[i], field));
}

static void put_rules(const struct page *page, size_t field)
{
	const struct gpc_status *status = &page->reading->status;
	const struct gpc_image *image = &status->plane.image;

	for (uint32_t i = 0; i < gpc_image_count(image, GPC_SEC_RULE); i++) {
		const struct gpc_rule *rule = gpc_image_record(image, GPC_SEC_RULE, i);
		struct gpc_rule_counter counter = gpc_rule_counter_at(status, i);

		put(page, VALUES(gpc_rule_owner(image, rule), gpc_image_name(image, rule->name)),
		    number_at(&counter, field));
	}
}

/* ---- endpoints ---- */

static const struct gpc_endpoint *endpoint_at(const struct page *page, uint32_t index,
					      const char *names[2])
{
	const struct gpc_endpoint *e =
		gpc_image_record(&page->reading->status.plane.image, GPC_SEC_ENDPOINT, index);

	names[0] = gpc_reading_name(page->reading, GPC_SEEN_BACKEND, e->backend);
	names[1] = gpc_reading_name(page->reading, GPC_SEEN_ENDPOINT, index);
	return e;
}

static void put_endpoints(const struct page *page, size_t field)
{
	const struct gpc_rows *rows = &page->reading->rows[GPC_SEEN_ENDPOINT];
	const char *names[2];

	for (uint32_t i = 0; i < rows->count; i++) {
		endpoint_at(page, i, names);
		put(page, names, number_at(&rows->items[i].total, field));
	}
}

static void put_weights(const struct page *page, size_t unused)
{
	const char *names[2];

	(void)unused;
	for (uint32_t i = 0; i < page->reading->rows[GPC_SEEN_ENDPOINT].count; i++) {
		const struct gpc_endpoint *e = endpoint_at(page, i, names);

		put(page, names, e->weight);
	}
}

static void put_states(const struct page *page, size_t unused)
{
	const char *names[2];

	(void)unused;
	for (uint32_t i = 0; i < page->reading->rows[GPC_SEEN_ENDPOINT].count; i++) {
		const struct gpc_endpoint *e = endpoint_at(page, i, names);

		put(page, VALUES(names[0], names[1], gpc_state_name(e->state)), 1);
	}
}

static void put_takers(const struct page *page, size_t unused)
{
	const char *names[2];

	(void)unused;
	for (uint32_t i = 0; i < page->reading->rows[GPC_SEEN_ENDPOINT].count; i++) {
		endpoint_at(page, i, names);
		put(page, names, gpc_status_is_new(&page->reading->status, i));
	}
}

static void put_shares(const struct page *page, size_t unused)
{
	const char *names[2];

	(void)unused;
	for (uint32_t i = 0; i < page->reading->rows[GPC_SEEN_ENDPOINT].count; i++) {
		double share = gpc_reading_configured(page->reading, i);

		if (share < 0)
			continue;
		endpoint_at(page, i, names);
		put_name(page, names);
		fprintf(page->out, " %.6f\n", share);
	}
}

/* ---- flows ---- */

static void put_flows(const struct page *page, size_t unused)
{
	(void)unused;
	for (int family = GPC_V4; family <= GPC_V6; family++)
		for (int state = 0; state < GPC_FLOW_TWIN; state++)
			put(page, VALUES(gpc_family_name(family), gpc_flow_state_name(state)),
			    page->reading->flows.family[family].active[state]);
}

static uint64_t fill_number(const struct gpc_flow_fill *fill, enum gpc_metric metric)
{
	switch (metric) {
	case GPC_METRIC_FLOW_ENTRIES:
		return fill->entries;
	case GPC_METRIC_FLOW_CAPACITY:
		return fill->capacity;
	default:
		return fill->complete;
	}
}

static void put_fill(const struct page *page, size_t unused)
{
	(void)unused;
	for (int family = GPC_V4; family <= GPC_V6; family++)
		put(page, VALUES(gpc_family_name(family)),
		    fill_number(&page->reading->flows.family[family], page->metric));
}

static void put_active(const struct page *page, size_t unused)
{
	const char *names[2];

	(void)unused;
	for (uint32_t i = 0; i < page->reading->rows[GPC_SEEN_ENDPOINT].count; i++) {
		endpoint_at(page, i, names);
		put(page, names, page->reading->flows.endpoint[i]);
	}
}

/* ---- the page ---- */

#define COUNTER(field) offsetof(struct gpc_counter, field)
#define LIMIT(field) offsetof(struct gpc_limiter, field)
#define RULE(field) offsetof(struct gpc_rule_counter, field)

static const struct {
	void (*put)(const struct page *page, size_t argument);
	size_t argument;
} writers[] = {
	[GPC_METRIC_BUILD] = {put_build, 0},
	[GPC_METRIC_PLANE] = {put_plane, 0},
	[GPC_METRIC_GENERATION] = {put_generation, 0},
	[GPC_METRIC_OFF] = {put_control, GPC_CTL_OFF},
	[GPC_METRIC_AUDIT] = {put_control, GPC_CTL_AUDIT},
	[GPC_METRIC_DEVICE] = {put_devices, 0},
	[GPC_METRIC_PACKETS] = {put_reasons, COUNTER(packets)},
	[GPC_METRIC_BYTES] = {put_reasons, COUNTER(bytes)},
	[GPC_METRIC_LISTENER_PACKETS] = {put_listeners, COUNTER(packets)},
	[GPC_METRIC_LISTENER_BYTES] = {put_listeners, COUNTER(bytes)},
	[GPC_METRIC_LISTENER_FLOWS] = {put_listeners, COUNTER(flows)},
	[GPC_METRIC_LISTENER_DROPPED] = {put_listeners, COUNTER(dropped)},
	[GPC_METRIC_ENDPOINT_PACKETS] = {put_endpoints, COUNTER(packets)},
	[GPC_METRIC_ENDPOINT_BYTES] = {put_endpoints, COUNTER(bytes)},
	[GPC_METRIC_ENDPOINT_FLOWS] = {put_endpoints, COUNTER(flows)},
	[GPC_METRIC_ENDPOINT_DROPPED] = {put_endpoints, COUNTER(dropped)},
	[GPC_METRIC_ENDPOINT_WEIGHT] = {put_weights, 0},
	[GPC_METRIC_ENDPOINT_STATE] = {put_states, 0},
	[GPC_METRIC_ENDPOINT_NEW] = {put_takers, 0},
	[GPC_METRIC_ENDPOINT_SHARE] = {put_shares, 0},
	[GPC_METRIC_LIMIT_LET] = {put_limits, LIMIT(let)},
	[GPC_METRIC_LIMIT_KEPT] = {put_limits, LIMIT(kept)},
	[GPC_METRIC_LIMIT_LOST] = {put_limits, LIMIT(lost)},
	[GPC_METRIC_FLOWS] = {put_flows, 0},
	[GPC_METRIC_FLOW_ENTRIES] = {put_fill, 0},
	[GPC_METRIC_FLOW_CAPACITY] = {put_fill, 0},
	[GPC_METRIC_FLOW_COMPLETE] = {put_fill, 0},
	[GPC_METRIC_ENDPOINT_ACTIVE] = {put_active, 0},
	[GPC_METRIC_RULE_PACKETS] = {put_rules, RULE(packets)},
	[GPC_METRIC_RULE_BYTES] = {put_rules, RULE(bytes)},
	[GPC_METRIC_RULE_WOULD_DENY] = {put_rules, RULE(would_deny)},
	[GPC_METRIC_RULE_EXCEEDED] = {put_rules, RULE(exceeded)},
	[GPC_METRIC_RULE_LOG_LOST] = {put_rules, RULE(log_lost)},
};
_Static_assert(sizeof(writers) / sizeof(writers[0]) == GPC_METRIC_COUNT, "one writer a metric");

static bool is_asked(const struct gpc_call *call, const struct gpc_reading *reading,
		     enum gpc_metrics_when when)
{
	return when == GPC_METRICS_ALWAYS || (when == GPC_METRICS_FLOWS && reading->has_flows) ||
	       (when == GPC_METRICS_VERBOSE && gpc_call_has(call, "verbose"));
}

void gpc_stats_prometheus(const struct gpc_call *call, const struct gpc_reading *reading, FILE *out)
{
	struct page page = {.out = out, .reading = reading};

	for (int i = 0; i < GPC_METRIC_COUNT; i++) {
		const struct gpc_metric_fact *fact = &gpc_metrics[i];

		if (!is_asked(call, reading, fact->when))
			continue;
		fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", fact->name, fact->help, fact->name,
			fact->type);
		page.metric = (enum gpc_metric)i;
		writers[i].put(&page, writers[i].argument);
	}
}
