/* SPDX-License-Identifier: MIT */
/*
 * What came between two readings, and the page for Prometheus, on planes that a stand-in describes:
 * its gpc_plane_read_again() and gpc_plane_flows() take the real ones' places.
 */
#include "loader/cmd/reading.h"

#include "loader/cmd/describe.h"
#include "loader/cmd/metrics.h"
#include "loader/cmd/stats.h"
#include "tests/unit/loader/history/fixture.h"

#define ABC                                                                                        \
	"{name: a, address: 10.0.0.1}, {name: b, address: 10.0.0.2}, {name: c, address: 10.0.0.3}"
#define CB "{name: c, address: 10.0.0.3}, {name: b, address: 10.0.0.2}"
#define SLOTS 512u

/* ---- the stand-in ---- */

static struct {
	bool present, damaged;
	const char *yaml;
	struct gpc_limiter limits[GPC_LIMIT_COUNT];
	struct gpc_device_status devices[2];
	size_t device_count;
} set;
static struct gpc_counter counters[SLOTS];

/* The slot of an object, whatever its place in the image: by its name's first letter. */
static uint32_t slot_of(const char *name, uint32_t kind)
{
	return GPC_COUNTER_FIRST_OBJECT + kind * 32 + (uint32_t)(*name - 'a');
}
#define LISTENER(name) counters[slot_of(name, 0)]
#define ENDPOINT(name) counters[slot_of(name, 1)]
#define BACKEND(name) counters[slot_of(name, 2)]
#define REASON(hook, reason) counters[GPC_HOOK_ID_##hook * GPC_REASON_MAX + GPC_REASON_##reason]

static void link_image(struct gpc_image *image)
{
	struct gpc_link_head *head = (void *)(image->bytes + image->head->link_offset);
	uint32_t at = image->head->link_offset + (uint32_t)sizeof(*head), n;
	const struct gpc_endpoint *e = gpc_image_section(image, GPC_SEC_ENDPOINT, &n);
	struct gpc_link_endpoint *endpoints;
	struct gpc_link_listener *listeners;
	struct gpc_link_backend *backends;

	head->generation = 7;
	head->endpoint_offset = at;
	endpoints = (void *)(image->bytes + at);
	for (uint32_t i = 0; i < n; i++)
		endpoints[i].counter = slot_of(gpc_image_name(image, e[i].name), 1);
	head->listener_offset = at += n * (uint32_t)sizeof(*endpoints);
	listeners = (void *)(image->bytes + at);
	listeners[0].counter = slot_of("http", 0);
	head->backend_offset = at += (uint32_t)sizeof(*listeners);
	backends = (void *)(image->bytes + at);
	backends[0].counter = slot_of("web", 2);
	head->rule_offset = at + (uint32_t)sizeof(*backends);
}

int gpc_plane_read_again(const char *bpffs, struct gpc_plane_status *status,
			 struct gpc_failure *failure)
{
	uint32_t before = status->images_read;

	(void)bpffs;
	(void)failure;
	gpc_plane_status_release(status);
	*status = (struct gpc_plane_status){.present = set.present,
					    .has_image = set.present && !set.damaged,
					    .images_read = before + 1,
					    .control = GPC_CTL_OFF,
					    .counters = counters,
					    .counter_count = SLOTS,
					    .devices = set.devices,
					    .device_count = set.device_count};
	if (!status->has_image)
		return 0;
	memcpy(status->limits, set.limits, sizeof(set.limits));
	status->image = image_of_text(set.yaml);
	link_image(&status->image);
	return 0;
}

void gpc_plane_status_release(struct gpc_plane_status *status)
{
	if (status->has_image)
		gpc_image_release(&status->image);
	*status = (struct gpc_plane_status){0};
}

int gpc_plane_flows(const char *bpffs, const struct gpc_plane_status *status,
		    unsigned int budget_ms, struct gpc_flows *ret, struct gpc_failure *failure)
{
	uint32_t n = gpc_image_count(&status->image, GPC_SEC_ENDPOINT);

	(void)bpffs;
	(void)failure;
	CU_ASSERT_EQUAL(budget_ms, 2000);
	*ret = (struct gpc_flows){.endpoint = calloc(n, sizeof(*ret->endpoint))};
	if (!ret->endpoint)
		abort();
	ret->family[GPC_V4] =
		(struct gpc_flow_fill){.capacity = 100, .entries = 7, .complete = true};
	ret->family[GPC_V4].active[GPC_FLOW_SYN] = 3;
	ret->endpoint[0] = 3;
	return 0;
}

void gpc_flows_release(struct gpc_flows *flows)
{
	free(flows->endpoint);
	flows->endpoint = NULL;
}

/* ---- readings ---- */

static struct gpc_reading reading;
static struct gpc_failure failure;

static void begin(void)
{
	memset(&set, 0, sizeof(set));
	memset(counters, 0, sizeof(counters));
	set.present = true;
	set.yaml = PLANE(ABC);
	reading = (struct gpc_reading){0};
}

/* The next reading, as if it came `seconds` after the one before. */
static void take(double seconds)
{
	CU_ASSERT_EQUAL_FATAL(gpc_reading_take(&reading, false, &failure), 0);
	if (reading.seconds > 0)
		reading.seconds = seconds;
}

static const struct gpc_row *endpoint(const char *name, uint32_t *ret_index)
{
	for (uint32_t i = 0; i < reading.rows[GPC_SEEN_ENDPOINT].count; i++)
		if (!strcmp(gpc_reading_name(&reading, GPC_SEEN_ENDPOINT, i), name)) {
			if (ret_index)
				*ret_index = i;
			return &reading.rows[GPC_SEEN_ENDPOINT].items[i];
		}
	CU_FAIL_FATAL("no such endpoint");
	return NULL;
}

static void the_first_reading_has_totals_and_no_rates(void)
{
	begin();
	LISTENER("http") = (struct gpc_counter){10, 1000, 2, 1};
	take(1);
	CU_ASSERT_EQUAL(reading.seconds, 0);
	CU_ASSERT_EQUAL(reading.rows[GPC_SEEN_LISTENER].items[0].total.packets, 10);
	CU_ASSERT_EQUAL(reading.rows[GPC_SEEN_LISTENER].items[0].total.dropped, 1);
	CU_ASSERT_EQUAL(gpc_reading_rate(&reading, 5), 0);
	gpc_reading_release(&reading);
}

static void what_came_since_is_matched_by_identity_not_by_place(void)
{
	begin();
	ENDPOINT("a").packets = 100;
	ENDPOINT("b").packets = 200;
	ENDPOINT("c").packets = 300;
	take(1);
	ENDPOINT("b").packets = 210;
	ENDPOINT("c").packets = 330;
	set.yaml = PLANE(CB); /* a goes, the others stand in another order */
	take(2);
	CU_ASSERT_EQUAL(endpoint("b", NULL)->since.packets, 10);
	CU_ASSERT_EQUAL(endpoint("c", NULL)->since.packets, 30);
	CU_ASSERT_EQUAL(gpc_reading_rate(&reading, 30), 15);
	/* The backend's total falls by what a had, what came since does not. */
	CU_ASSERT_EQUAL(reading.rows[GPC_SEEN_BACKEND].items[0].total.packets, 540);
	CU_ASSERT_EQUAL(reading.rows[GPC_SEEN_BACKEND].items[0].since.packets, 40);
	gpc_reading_release(&reading);
}

static void an_object_that_is_new_or_began_again_brings_all_that_it_has(void)
{
	begin();
	set.yaml = PLANE(CB);
	ENDPOINT("b") = (struct gpc_counter){.packets = 50, .flows = 9};
	take(1);
	set.yaml = PLANE(ABC);
	ENDPOINT("a").packets = 4;
	ENDPOINT("b") = (struct gpc_counter){.packets = 3, .flows = 2};
	take(1);
	CU_ASSERT_EQUAL(endpoint("a", NULL)->since.packets, 4);
	CU_ASSERT_EQUAL(endpoint("b", NULL)->since.packets, 3);
	CU_ASSERT_EQUAL(endpoint("b", NULL)->since.flows, 2);
	gpc_reading_release(&reading);
}

static void a_backend_adds_what_was_dropped_before_an_endpoint_was_chosen(void)
{
	begin();
	ENDPOINT("a").dropped = 2;
	BACKEND("web").dropped = 5;
	take(1);
	BACKEND("web").dropped = 6;
	take(1);
	CU_ASSERT_EQUAL(reading.rows[GPC_SEEN_BACKEND].items[0].total.dropped, 8);
	CU_ASSERT_EQUAL(reading.rows[GPC_SEEN_BACKEND].items[0].since.dropped, 1);
	gpc_reading_release(&reading);
}

static void shares_are_of_the_backend_and_of_what_came_since(void)
{
	uint32_t a, b;

	begin();
	ENDPOINT("a").flows = 30;
	ENDPOINT("b").flows = 10;
	take(1);
	endpoint("a", &a);
	endpoint("b", &b);
	CU_ASSERT_DOUBLE_EQUAL(gpc_reading_configured(&reading, a), 1.0 / 3, 0.02);
	CU_ASSERT_EQUAL(gpc_reading_observed(&reading, a), 0.75);
	take(1);
	CU_ASSERT(gpc_reading_observed(&reading, a) < 0); /* of nothing */
	ENDPOINT("b").flows += 4;
	take(1);
	CU_ASSERT_EQUAL(gpc_reading_observed(&reading, a), 0);
	CU_ASSERT_EQUAL(gpc_reading_observed(&reading, b), 1);
	gpc_reading_release(&reading);
}

static void reasons_are_summed_by_hook_and_limits_are_compared(void)
{
	begin();
	REASON(XDP, FORWARDED).packets = 10;
	REASON(XDP, ARP).packets = 1;
	REASON(TC_INGRESS, COUNTED).packets = 99;
	set.limits[GPC_LIMIT_REJECT].kept = 3;
	take(1);
	CU_ASSERT_EQUAL(gpc_reading_hook(&reading, GPC_HOOK_ID_XDP).total.packets, 11);
	CU_ASSERT_EQUAL(gpc_reading_hook(&reading, GPC_HOOK_ID_DECAP).total.packets, 0);
	REASON(XDP, ARP).packets = 3;
	set.limits[GPC_LIMIT_REJECT].kept = 10;
	take(1);
	CU_ASSERT_EQUAL(gpc_reading_hook(&reading, GPC_HOOK_ID_XDP).since.packets, 2);
	CU_ASSERT_EQUAL(reading.limits[GPC_LIMIT_REJECT].kept, 7);
	gpc_reading_release(&reading);
}

static void without_a_plane_or_an_image_it_fails(void)
{
	begin();
	set.present = false;
	CU_ASSERT_EQUAL(gpc_reading_take(&reading, false, &failure), -1);
	CU_ASSERT_EQUAL(failure.code, GPC_EXIT_FAILED);
	CU_ASSERT_STRING_EQUAL(failure.hint, "run: gpc apply");
	set.present = set.damaged = true;
	CU_ASSERT_EQUAL(gpc_reading_take(&reading, false, &failure), -1);
	CU_ASSERT_EQUAL(failure.code, GPC_EXIT_FAILED);
	/* A plane that comes back is read on. */
	set.damaged = false;
	take(1);
	set.present = false;
	CU_ASSERT_EQUAL(gpc_reading_take(&reading, false, &failure), -1);
	gpc_reading_release(&reading);
}

/* ---- the page ---- */

static char *page(const char *option)
{
	char *argv[] = {strdup("stats"), strdup("--prometheus"), strdup(option), NULL};
	struct gpc_call call;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	CU_ASSERT_EQUAL_FATAL(gpc_call_parse(&gpc_command_stats, 3, argv, &call, &failure), 0);
	CU_ASSERT_EQUAL_FATAL(gpc_reading_take(&reading, gpc_call_has(&call, "flows"), &failure),
			      0);
	gpc_stats_prometheus(&call, &reading, out);
	fclose(out);
	gpc_call_release(&call);
	gpc_reading_release(&reading);
	for (int i = 0; i < 3; i++)
		free(argv[i]);
	return text;
}

static void a_metric_is_given_when_it_was_asked_for(void)
{
	const char *const asked[] = {"--flows", "--verbose"};

	for (int o = 0; o < 2; o++) {
		char *text, line[128];

		begin();
		text = page(asked[o]);
		for (int i = 0; i < GPC_METRIC_COUNT; i++) {
			const struct gpc_metric_fact *m = &gpc_metrics[i];
			bool wanted = m->when == GPC_METRICS_ALWAYS ||
				      (m->when == GPC_METRICS_FLOWS) == (o == 0);

			snprintf(line, sizeof(line), "# TYPE %s %s\n", m->name, m->type);
			CU_ASSERT_EQUAL(strstr(text, line) != NULL, wanted);
		}
		free(text);
	}
}

static void labels_are_escaped_and_made_utf8(void)
{
	char *text;

	begin();
	set.devices[0] = (struct gpc_device_status){.name = "a\"b\\c\nd\xff", .hook = GPC_HOOK_XDP};
	set.devices[1] = set.devices[0]; /* a dead link beside the new one */
	set.devices[1].state = GPC_LINK_GONE;
	set.device_count = 2;
	text = page("--flows");
	CU_ASSERT_PTR_NOT_NULL(strstr(
		text, "gpc_device_bound{device=\"a\\\"b\\\\c\\nd\xef\xbf\xbd\",interface=\"wan0\","
		      "hook=\"xdp\",mode=\"native\"} 1\n"));
	CU_ASSERT_PTR_NULL(strstr(text, "mode=\"native\"} 0\n"));
	free(text);
}

static void numbers_stand_where_they_belong(void)
{
	char *text;

	begin();
	set.yaml = PLANE(ABC ", {name: z, address: 10.0.0.9, state: drain}");
	LISTENER("http") = (struct gpc_counter){1, 22, 333, 4444};
	ENDPOINT("a") = (struct gpc_counter){5, 66, 777, UINT64_MAX};
	REASON(TC_EGRESS, POLICY).bytes = 12345;
	set.limits[GPC_LIMIT_EVENT_DENY].lost = 9;
	text = page("--flows");
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "gpc_listener_bytes_total{listener=\"http\"} 22\n"));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(text, "gpc_listener_dropped_packets_total{listener=\"http\"} 4444\n"));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(text, "gpc_endpoint_new_flows_total{backend=\"web\",endpoint=\"a\"} 777\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "gpc_endpoint_dropped_packets_total{backend=\"web\","
					    "endpoint=\"a\"} 18446744073709551615\n"));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(text, "gpc_bytes_total{hook=\"tc-egress\",reason=\"policy\"} 12345\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "gpc_limit_lost_total{limit=\"deny-events\"} 9\n"));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(text, "gpc_endpoint_takes_new_flows{backend=\"web\",endpoint=\"a\"} 1\n"));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(text, "gpc_endpoint_takes_new_flows{backend=\"web\",endpoint=\"z\"} 0\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "gpc_plane_off 1\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "gpc_plane_generation 7\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "gpc_active_flows{family=\"v4\",state=\"syn\"} 3\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "gpc_flow_table_entries{family=\"v4\"} 7\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "gpc_flow_table_complete{family=\"v6\"} 0\n"));
	free(text);
}

GPC_UNIT_MAIN("cmd/reading",
	      {"the_first_reading_has_totals_and_no_rates",
	       the_first_reading_has_totals_and_no_rates},
	      {"what_came_since_is_matched_by_identity_not_by_place",
	       what_came_since_is_matched_by_identity_not_by_place},
	      {"an_object_that_is_new_or_began_again_brings_all_that_it_has",
	       an_object_that_is_new_or_began_again_brings_all_that_it_has},
	      {"a_backend_adds_what_was_dropped_before_an_endpoint_was_chosen",
	       a_backend_adds_what_was_dropped_before_an_endpoint_was_chosen},
	      {"shares_are_of_the_backend_and_of_what_came_since",
	       shares_are_of_the_backend_and_of_what_came_since},
	      {"reasons_are_summed_by_hook_and_limits_are_compared",
	       reasons_are_summed_by_hook_and_limits_are_compared},
	      {"without_a_plane_or_an_image_it_fails", without_a_plane_or_an_image_it_fails},
	      {"a_metric_is_given_when_it_was_asked_for", a_metric_is_given_when_it_was_asked_for},
	      {"labels_are_escaped_and_made_utf8", labels_are_escaped_and_made_utf8},
	      {"numbers_stand_where_they_belong", numbers_stand_where_they_belong})
