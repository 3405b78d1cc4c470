/* SPDX-License-Identifier: MIT */
/*
 * No packet is lost from the counters when their maps grow: at every step of the growth packets go through the
 * program that is attached. The strong gpc_failpoint() of this file is where they come in.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <net/if.h>

#include "../../../../loader/plane/failpoint.h"
#include "../../../../loader/plane/instance.h"
#include "gpc/lookup/device.h"
#include "gpc/lookup/endpoint.h"
#include "rig.h"

#define SENT_AT_ONCE 50u

static struct gpc_image one, other, two, grown;
static bool growing;
static uint64_t sent;
static unsigned int points;

/* Frames that the program counts, whatever it does with them. */
static void send_packets(void)
{
	uint8_t frame[64] = {[12] = 0x08, [14] = 0x45};
	struct bpf_xdp_query_opts query = {.sz = sizeof(query)};
	struct bpf_test_run_opts run = {
		.sz = sizeof(run),
		.data_in = frame,
		.data_size_in = sizeof(frame),
		.repeat = SENT_AT_ONCE,
	};
	int fd;

	CU_ASSERT_EQUAL_FATAL(bpf_xdp_query((int)if_nametoindex("wan0"), 0, &query), 0);
	fd = bpf_prog_get_fd_by_id(query.prog_id);
	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(bpf_prog_test_run_opts(fd, &run), 0);
	close(fd);
	sent += SENT_AT_ONCE;
}

int gpc_failpoint(const char *name)
{
	if (growing && !strncmp(name, "growth.", 7)) {
		send_packets();
		points++;
	}
	return 0;
}

static uint64_t counted(void)
{
	struct gpc_plane_status status = rig_read();
	uint64_t packets = 0;

	for (uint32_t i = 0; i < GPC_REASON_MAX; i++)
		packets += status.counters[GPC_HOOK_ID_XDP * GPC_REASON_MAX + i].packets;
	gpc_plane_status_release(&status);
	return packets;
}

static struct gpc_instance current(void)
{
	struct gpc_instance_id *ids;
	struct gpc_instance instance;
	char name[GPC_INSTANCE_NAME];
	size_t count;

	CU_ASSERT_EQUAL_FATAL(gpc_instance_list(rig_bpffs, &ids, &count, &rig_failure), 0);
	gpc_instance_name(&ids[0], true, name);
	CU_ASSERT_EQUAL_FATAL(gpc_instance_open(rig_bpffs, name, &instance, &rig_failure), 0);
	free(ids);
	return instance;
}

/* How many counters there is room for. */
static uint32_t room(void)
{
	struct gpc_instance instance = current();
	uint32_t entries = instance.entries[GPC_MAP_COUNTERS];

	gpc_instance_close(&instance);
	return entries;
}

static void packets_during_growth_are_counted(void)
{
	uint32_t before;

	sent = 0;
	points = 0;
	rig_must_apply(&one);
	before = room();
	send_packets();
	growing = true;
	rig_must_apply(&grown);
	growing = false;
	CU_ASSERT_TRUE(room() > before);
	CU_ASSERT_EQUAL(points, 15);
	CU_ASSERT_EQUAL(counted(), sent);
	send_packets();
	rig_must_apply(&one);
	CU_ASSERT_EQUAL(counted(), sent);
	rig_detach();
}

static uint32_t counter_of(const char *endpoint)
{
	struct gpc_plane_status status = rig_read();
	const struct gpc_link_head *link = gpc_view_link(status.image.view);
	uint32_t count, i, slot = 0;
	const struct gpc_endpoint *endpoints =
		gpc_image_section(&status.image, GPC_SEC_ENDPOINT, &count);

	for (i = 0; i < count; i++)
		if (!strcmp(gpc_image_name(&status.image, endpoints[i].name), endpoint))
			slot = gpc_link_endpoint_at(status.image.view, link, i)->counter;
	gpc_plane_status_release(&status);
	CU_ASSERT_NOT_EQUAL_FATAL(slot, 0);
	return slot;
}

static uint64_t packets_of(uint32_t slot)
{
	struct gpc_plane_status status = rig_read();
	uint64_t packets = status.counters[slot].packets;

	gpc_plane_status_release(&status);
	return packets;
}

/* What was carried for one object is not another's that gets its slot, at growth or later. */
static void a_slot_that_is_given_out_anew_carries_nothing(void)
{
	struct gpc_instance instance;
	uint32_t slot;

	rig_must_apply(&two);
	rig_must_apply(&grown);
	slot = counter_of("w2");
	instance = current();
	instance.carried[slot].packets = 7;
	gpc_instance_close(&instance);
	CU_ASSERT_EQUAL(packets_of(slot), 7);
	rig_must_apply(&two);
	CU_ASSERT_EQUAL(packets_of(counter_of("w2")), 7);
	rig_must_apply(&one);
	rig_must_apply(&other);
	rig_must_apply(&one);
	rig_must_apply(&two);
	CU_ASSERT_EQUAL(packets_of(counter_of("w2")), 0);
	rig_detach();
}

/* More endpoints than the least number of counters has room for. */
static struct gpc_image grown_image(void)
{
	static char text[400000];
	size_t at = (size_t)snprintf(text, sizeof(text), "%s",
				     RIG_HEAD "defaults: {flows: 4096}\ninterfaces: [" RIG_ALL_HOOKS
					      "]\nbackends: [{name: web, table-size: 65521, endpoints: [" RIG_W1
						      ", " RIG_W2);

	for (unsigned int i = 0; i < 4500; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at,
				       ", {name: g%u, address: 10.1.%u.%u}", i, i / 250, i % 250 + 1);
	snprintf(text + at, sizeof(text) - at,
		 "]}]\nlisteners: [{name: http, address: 192.0.2.10, protocol: TCP, port: 80, "
		 "forward: ipip, backend: web}]\n");
	return rig_image(text);
}

static void make_images(void)
{
	rig_up("plane/carry");
	/* so that the devices are silent */
	rig_run("sysctl -qw net.ipv6.conf.all.disable_ipv6=1");
	one = rig_image(RIG_PLANE(RIG_ALL_HOOKS, RIG_W1));
	other = rig_image(RIG_PLANE(RIG_ALL_HOOKS, "{name: w1, address: 10.99.1.13}"));
	two = rig_image(RIG_PLANE(RIG_ALL_HOOKS, RIG_W1 ", " RIG_W2));
	grown = grown_image();
}

GPC_UNIT_MAIN_AFTER("plane/carry", make_images,
		    {"packets_during_growth_are_counted", packets_during_growth_are_counted},
		    {"a_slot_that_is_given_out_anew_carries_nothing",
		     a_slot_that_is_given_out_anew_carries_nothing})
