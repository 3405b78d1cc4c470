/* SPDX-License-Identifier: MIT */
/* What is counted of the flow tables: entries, those that are not over, by state, family, endpoint.
 */
#include "rig.h"

#include <time.h>

#include "../../../../loader/plane/survey.h"
#include "gpc/lookup/flow.h"
#include "tests/flow_entry.h"

#define MANY 3000u

static uint32_t ago(unsigned int seconds)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint32_t)(((uint64_t)now.tv_sec * GPC_SECOND - seconds * GPC_SECOND) >>
			  GPC_FLOW_SECOND_SHIFT);
}

/* Maps a running plane's table, writable. */
static struct gpc_flow_table open_table(enum gpc_family family)
{
	struct gpc_survey survey = {0};
	struct gpc_flow_table table = {0};
	const int *map;

	CU_ASSERT_EQUAL_FATAL(gpc_survey_open(rig_bpffs, &survey, &rig_failure), 0);
	map = survey.instances[0].map;
	CU_ASSERT_EQUAL_FATAL(
		family == GPC_V4
			? gpc_flow_table_map(map[GPC_MAP_HEADS4], map[GPC_MAP_FLOWS4], family, true, &table)
			: gpc_flow_table_map(map[GPC_MAP_HEADS6], map[GPC_MAP_FLOWS6], family, true, &table),
		0);
	gpc_survey_close(&survey);
	return table;
}

static void enter(enum gpc_family family, uint32_t number, const struct gpc_flow *flow)
{
	struct gpc_flow_table table = open_table(family);
	union {
		struct gpc_flow_key4 v4;
		struct gpc_flow_key6 v6;
	} key = {0};

	key.v4.address[0] = number;
	CU_ASSERT_TRUE(flow_entry_put(&table, &key, flow));
	gpc_flow_table_unmap(&table);
}

static struct gpc_plane_status status;
static struct gpc_flows flows;

static void start(void)
{
	struct gpc_image image = rig_image(RIG_PLANE(RIG_ALL_HOOKS, RIG_W1 ", " RIG_W2));

	rig_clean();
	rig_must_apply(&image);
	gpc_image_release(&image);
	status = rig_read();
}

static void count(unsigned int budget_ms)
{
	CU_ASSERT_EQUAL_FATAL(gpc_plane_flows(rig_bpffs, &status, budget_ms, &flows, &rig_failure),
			      0);
}

static void stop(void)
{
	gpc_flows_release(&flows);
	gpc_plane_status_release(&status);
}

static uint64_t endpoint_id(uint32_t index)
{
	uint32_t unused;
	const struct gpc_endpoint *e = gpc_image_section(&status.image, GPC_SEC_ENDPOINT, &unused);

	return e[index].id;
}

static void empty_tables_are_complete_and_have_their_capacity(void)
{
	start();
	count(10000);
	for (int family = 0; family < 2; family++) {
		CU_ASSERT(flows.family[family].complete);
		CU_ASSERT_EQUAL(flows.family[family].capacity, 4096);
		CU_ASSERT_EQUAL(flows.family[family].entries, 0);
	}
	stop();
}

static void flows_that_are_over_are_entries_but_not_active(void)
{
	start();
	enter(GPC_V4, 1,
	      &(struct gpc_flow){.endpoint = endpoint_id(0),
				 .state = GPC_FLOW_ESTABLISHED,
				 .last_seen = ago(5)});
	enter(GPC_V4, 2,
	      &(struct gpc_flow){.endpoint = endpoint_id(0),
				 .state = GPC_FLOW_CLOSED,
				 .last_seen = ago(3000)});
	enter(GPC_V4, 3,
	      &(struct gpc_flow){.endpoint = endpoint_id(1),
				 .last_seen = ago(0),
				 .state = GPC_FLOW_ESTABLISHED | GPC_FLOW_WOULD_DENY});
	enter(GPC_V4, 4,
	      &(struct gpc_flow){.last_seen = ago(200),
				 .state = GPC_FLOW_ESTABLISHED | GPC_FLOW_REVOKED});
	enter(GPC_V4, 5, &(struct gpc_flow){.last_seen = ago(0), .state = GPC_FLOW_TWIN});
	enter(GPC_V6, 6,
	      &(struct gpc_flow){.last_seen = ago(0), .state = GPC_FLOW_UDP_NEW});
	count(10000);
	CU_ASSERT_EQUAL(flows.family[GPC_V4].entries, 5);
	CU_ASSERT_EQUAL(flows.family[GPC_V4].active[GPC_FLOW_ESTABLISHED], 2);
	CU_ASSERT_EQUAL(flows.family[GPC_V4].active[GPC_FLOW_CLOSED], 0);
	CU_ASSERT_EQUAL(flows.family[GPC_V6].entries, 1);
	CU_ASSERT_EQUAL(flows.family[GPC_V6].active[GPC_FLOW_UDP_NEW], 1);
	CU_ASSERT_EQUAL(flows.endpoint[0], 1);
	CU_ASSERT_EQUAL(flows.endpoint[1], 1);
	stop();
}

static void a_table_of_many_entries_is_counted_to_its_end(void)
{
	const struct gpc_flow flow = {.state = GPC_FLOW_ESTABLISHED, .last_seen = ago(0)};
	struct gpc_flow_table table;
	uint64_t entered = 0;

	start();
	table = open_table(GPC_V4);
	for (uint32_t i = 1; i <= MANY; i++) {
		struct gpc_flow_key4 key = {.address = {i, ~i}, .protocol = 6};

		entered += flow_entry_put(&table, &key, &flow);
	}
	gpc_flow_table_unmap(&table);
	count(10000);
	CU_ASSERT(entered > MANY / 2 && flows.family[GPC_V4].complete);
	CU_ASSERT_EQUAL(flows.family[GPC_V4].active[GPC_FLOW_ESTABLISHED], entered);
	CU_ASSERT_EQUAL(flows.family[GPC_V4].entries, entered);
	stop();
}

static void without_time_nothing_is_said_to_be_complete(void)
{
	start();
	count(0);
	CU_ASSERT_FALSE(flows.family[GPC_V4].complete);
	CU_ASSERT_FALSE(flows.family[GPC_V6].complete);
	CU_ASSERT_EQUAL(flows.family[GPC_V4].capacity, 4096);
	stop();
}

static void a_plane_that_has_gone_is_a_conflict(void)
{
	start();
	rig_clean();
	CU_ASSERT_EQUAL(gpc_plane_flows(rig_bpffs, &status, 1000, &flows, &rig_failure), -1);
	CU_ASSERT_EQUAL(rig_failure.code, GPC_EXIT_CONFLICT);
	stop();
}

/* ---- reading again ---- */

static void an_image_that_is_still_active_is_kept_and_counters_are_new(void)
{
	struct gpc_image image = rig_image(RIG_PLANE(RIG_ALL_HOOKS, RIG_W1 ", " RIG_W3));
	const void *bytes;

	start();
	bytes = status.image.bytes;
	CU_ASSERT_EQUAL(status.images_read, 1);
	CU_ASSERT_EQUAL_FATAL(gpc_plane_read_again(rig_bpffs, &status, &rig_failure), 0);
	CU_ASSERT_PTR_EQUAL(status.image.bytes, bytes);
	CU_ASSERT_EQUAL(status.images_read, 1);
	rig_must_apply(&image);
	gpc_image_release(&image);
	CU_ASSERT_EQUAL_FATAL(gpc_plane_read_again(rig_bpffs, &status, &rig_failure), 0);
	CU_ASSERT_EQUAL(status.images_read, 2);
	CU_ASSERT(status.has_image && status.device_count > 0 && status.counter_count > 0);
	rig_clean();
	CU_ASSERT_EQUAL_FATAL(gpc_plane_read_again(rig_bpffs, &status, &rig_failure), 0);
	CU_ASSERT_FALSE(status.present || status.has_image);
	gpc_plane_status_release(&status);
}

static void set_up(void)
{
	rig_up("plane/flows");
}

GPC_UNIT_MAIN_AFTER("plane/flows", set_up,
		    {"empty_tables_are_complete_and_have_their_capacity",
		     empty_tables_are_complete_and_have_their_capacity},
		    {"flows_that_are_over_are_entries_but_not_active",
		     flows_that_are_over_are_entries_but_not_active},
		    {"a_table_of_many_entries_is_counted_to_its_end",
		     a_table_of_many_entries_is_counted_to_its_end},
		    {"without_time_nothing_is_said_to_be_complete",
		     without_time_nothing_is_said_to_be_complete},
		    {"a_plane_that_has_gone_is_a_conflict", a_plane_that_has_gone_is_a_conflict},
		    {"an_image_that_is_still_active_is_kept_and_counters_are_new",
		     an_image_that_is_still_active_is_kept_and_counters_are_new})
