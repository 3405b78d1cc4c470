/* SPDX-License-Identifier: MIT */
/* The state machine on a real kernel: first, later, same, growth; undo, retire, detach. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <net/if.h>
#include "../../../../loader/plane/instance.h"
#include "gpc/lookup/device.h"
#include "gpc/lookup/endpoint.h"
#include "rig.h"

static struct gpc_image one, two, three, reordered, large, drops;

static void first_apply_binds_every_hook(void)
{
	struct gpc_apply_outcome outcome = rig_must_apply(&one);
	struct gpc_plane_status status = rig_read();
	size_t i;

	CU_ASSERT_FALSE(outcome.unchanged);
	CU_ASSERT_EQUAL(outcome.devices, 1);
	CU_ASSERT_TRUE(status.present && status.has_image);
	CU_ASSERT_EQUAL(status.size_log2, 22);
	CU_ASSERT_EQUAL(status.device_count, 3);
	for (i = 0; i < status.device_count; i++) {
		CU_ASSERT_EQUAL(status.devices[i].state, GPC_LINK_OK);
		CU_ASSERT_STRING_EQUAL(status.devices[i].name, "wan0");
		CU_ASSERT_FALSE(status.devices[i].generic);
	}
	CU_ASSERT_EQUAL(rig_verify(&one), 0);
	gpc_plane_status_release(&status);
	rig_detach();
}

static void later_apply_flips_to_another_slot(void)
{
	struct gpc_plane_status before, after;
	struct gpc_apply_outcome outcome;

	rig_must_apply(&one);
	before = rig_read();
	outcome = rig_must_apply(&two);
	after = rig_read();
	CU_ASSERT_FALSE(outcome.unchanged);
	CU_ASSERT_NOT_EQUAL(gpc_ctl_active(after.control), gpc_ctl_active(before.control));
	CU_ASSERT_EQUAL(gpc_ctl_previous(after.control), gpc_ctl_active(before.control));
	CU_ASSERT_EQUAL(gpc_ctl_sequence(after.control), gpc_ctl_sequence(before.control) + 1);
	CU_ASSERT_EQUAL(gpc_view_link(after.image.view)->generation, outcome.generation);
	CU_ASSERT_EQUAL(rig_verify(&two), 0);
	CU_ASSERT_TRUE(rig_verify(&one) > 0);
	gpc_plane_status_release(&before);
	gpc_plane_status_release(&after);
	rig_detach();
}

static void unchanged_apply_swaps_nothing(void)
{
	struct gpc_plane_status before, after;

	rig_must_apply(&one);
	before = rig_read();
	CU_ASSERT_TRUE(rig_must_apply(&one).unchanged);
	after = rig_read();
	CU_ASSERT_EQUAL(after.control, before.control);
	gpc_plane_status_release(&before);
	gpc_plane_status_release(&after);
	rig_detach();
}

/* More applies than there are slots, with and without retiring. */
static void slots_are_used_in_turn(void)
{
	int i;

	rig_must_apply(&one);
	for (i = 0; i < 24; i++) {
		const struct gpc_image *image = i % 2 ? &one : &two;

		CU_ASSERT_FALSE(rig_must_apply(image).unchanged);
		if (i >= 12)
			CU_ASSERT_EQUAL(gpc_plane_retire(rig_bpffs, &rig_failure), 0);
		CU_ASSERT_TRUE(rig_runs(image));
	}
	CU_ASSERT_EQUAL(rig_verify(&one), 0);
	rig_detach();
}

/* Its maps are those that there were before policies, under another build's name. */
static void an_older_gpcs_plane_is_taken_over(void)
{
	struct gpc_plane_status status;

	rig_must_apply(&one);
	rig_run("cd %s && d=$(echo inst-*) && rm $d/rules $d/rate $d/limits $d/events $d/fragments $d/cases "
		"$d/replies && "
		"mv $d inst-1-22-0123456789abcdef",
		rig_bpffs);
	status = rig_read();
	CU_ASSERT_TRUE(status.present);
	CU_ASSERT_EQUAL(status.rule_count, 0);
	gpc_plane_status_release(&status);
	CU_ASSERT_TRUE(rig_verify(&one) > 0);
	CU_ASSERT_FALSE(rig_must_apply(&one).unchanged);
	CU_ASSERT_EQUAL(gpc_plane_retire(rig_bpffs, &rig_failure), 0);
	CU_ASSERT_EQUAL(rig_verify(&one), 0);
	/* Of this gpc's own plane no map may be missing. */
	rig_run("rm %s/inst-*/rules", rig_bpffs);
	CU_ASSERT_EQUAL(gpc_plane_read(rig_bpffs, &status, &rig_failure), -1);
	CU_ASSERT_EQUAL(rig_failure.code, GPC_EXIT_HOST);
	rig_detach();
}

static void undo_brings_the_old_image_back(void)
{
	rig_must_apply(&one);
	rig_must_apply(&two);
	CU_ASSERT_EQUAL(gpc_plane_undo(rig_bpffs, &rig_failure), 0);
	CU_ASSERT_TRUE(rig_runs(&one));
	CU_ASSERT_EQUAL(rig_verify(&one), 0);
	CU_ASSERT_EQUAL(gpc_plane_undo(rig_bpffs, &rig_failure), -1);
	CU_ASSERT_FALSE(rig_must_apply(&three).unchanged);
	CU_ASSERT_EQUAL(rig_verify(&three), 0);
	rig_detach();
}

static void undo_is_not_hindered_by_off_and_brings_on_fail_back(void)
{
	struct gpc_plane_status status;

	rig_must_apply(&one);
	rig_must_apply(&drops);
	status = rig_read();
	CU_ASSERT_EQUAL(gpc_ctl_on_fail(status.control), 1);
	gpc_plane_status_release(&status);
	CU_ASSERT_EQUAL(gpc_plane_switch(rig_bpffs, true, NULL, &rig_failure), 0);
	CU_ASSERT_EQUAL(gpc_plane_undo(rig_bpffs, &rig_failure), 0);
	status = rig_read();
	CU_ASSERT_EQUAL(gpc_ctl_on_fail(status.control), 0);
	CU_ASSERT_TRUE(status.control & GPC_CTL_OFF);
	gpc_plane_status_release(&status);
	CU_ASSERT_EQUAL(rig_verify(&one), 0);
	rig_detach();
}

static void undo_of_the_first_apply_leaves_nothing(void)
{
	rig_must_apply(&one);
	CU_ASSERT_EQUAL(gpc_plane_undo(rig_bpffs, &rig_failure), 0);
	CU_ASSERT_NOT_EQUAL(access(rig_bpffs, F_OK), 0);
	CU_ASSERT_FALSE(rig_says("ip link show dev wan0", "xdp"));
}

static void undo_of_growth_goes_back_to_the_old_programs(void)
{
	struct gpc_plane_status status;

	rig_must_apply(&one);
	rig_must_apply(&large);
	CU_ASSERT_EQUAL(gpc_plane_undo(rig_bpffs, &rig_failure), 0);
	status = rig_read();
	CU_ASSERT_EQUAL(status.size_log2, 22);
	CU_ASSERT_EQUAL(status.devices[0].state, GPC_LINK_OK);
	CU_ASSERT_EQUAL(rig_verify(&one), 0);
	gpc_plane_status_release(&status);
	rig_detach();
}

static uint32_t counter_of(const struct gpc_image *image, const char *name)
{
	const struct gpc_link_head *link = gpc_view_link(image->view);
	uint32_t count, i;
	const struct gpc_endpoint *endpoint = gpc_image_section(image, GPC_SEC_ENDPOINT, &count);

	for (i = 0; i < count; i++)
		if (!strcmp(gpc_image_name(image, endpoint[i].name), name))
			return gpc_link_endpoint_at(image->view, link, i)->counter;
	return GPC_NONE;
}

static uint64_t next_of(const struct gpc_plane_status *status, const char *name)
{
	const struct gpc_link_head *link = gpc_view_link(status->image.view);
	uint32_t count, i;
	const struct gpc_endpoint *endpoint =
		gpc_image_section(&status->image, GPC_SEC_ENDPOINT, &count);

	for (i = 0; i < count; i++)
		if (!strcmp(gpc_image_name(&status->image, endpoint[i].name), name))
			return status
				->next[gpc_link_endpoint_at(status->image.view, link, i)->next[0]]
				.hop;
	return 0;
}

static void counters_stay_with_their_object(void)
{
	struct gpc_plane_status before, after;

	rig_must_apply(&two);
	before = rig_read();
	rig_must_apply(&reordered);
	after = rig_read();
	CU_ASSERT_NOT_EQUAL(counter_of(&before.image, "w1"), GPC_NONE);
	CU_ASSERT_EQUAL(counter_of(&after.image, "w1"), counter_of(&before.image, "w1"));
	CU_ASSERT_EQUAL(counter_of(&after.image, "w2"), counter_of(&before.image, "w2"));
	CU_ASSERT_NOT_EQUAL(counter_of(&after.image, "a0"), counter_of(&before.image, "w1"));
	CU_ASSERT_NOT_EQUAL(counter_of(&after.image, "a0"), counter_of(&before.image, "w2"));
	gpc_plane_status_release(&before);
	gpc_plane_status_release(&after);
	rig_detach();
}

static void next_hops_come_from_the_kernel(void)
{
	const uint8_t want[6] = {0x02, 0, 0, 0, 1, 11};
	struct gpc_plane_status status;
	uint64_t hop;

	rig_must_apply(&two);
	CU_ASSERT_STRING_EQUAL(rig_notices, "");
	status = rig_read();
	hop = next_of(&status, "w1");
	CU_ASSERT_EQUAL(memcmp(&hop, want, sizeof(want)), 0);
	CU_ASSERT_EQUAL(hop >> 48, if_nametoindex("wan0"));
	gpc_plane_status_release(&status);
	/* A neighbour that changed is seen by an apply that changes nothing else. */
	rig_run("ip neigh replace 10.99.1.11 lladdr 02:00:00:00:ff:ff dev wan0 nud permanent");
	CU_ASSERT_TRUE(rig_must_apply(&two).unchanged);
	status = rig_read();
	hop = next_of(&status, "w1");
	CU_ASSERT_EQUAL(((uint8_t *)&hop)[4], 0xff);
	gpc_plane_status_release(&status);
	rig_run("ip neigh replace 10.99.1.11 lladdr 02:00:00:00:01:0b dev wan0 nud permanent");
	rig_detach();
}

static void a_configured_gateway_is_the_next_hop(void)
{
	const uint8_t want[6] = {0x02, 0, 0, 0, 2, 12};
	struct gpc_image image =
		rig_image(RIG_HEAD "defaults: {flows: 4096}\ninterfaces: [" RIG_ALL_HOOKS "]\n"
				   "backends: [{name: web, next-hop: 10.99.2.12, endpoints: "
				   "[{name: w1, address: 192.0.2.77}]}]\n"
				   "listeners: [{name: http, address: 192.0.2.10, protocol: TCP, "
				   "port: 80, forward: ipip, "
				   "backend: web}]\n");
	struct gpc_plane_status status;
	const struct gpc_link_head *link;
	uint8_t source[4];
	uint64_t hop;

	rig_must_apply(&image);
	status = rig_read();
	hop = next_of(&status, "w1");
	CU_ASSERT_EQUAL(memcmp(&hop, want, sizeof(want)), 0);
	CU_ASSERT_EQUAL(hop >> 48, if_nametoindex("lan0"));
	link = gpc_view_link(status.image.view);
	memcpy(source, &gpc_link_endpoint_at(status.image.view, link, 0)->source4_be, 4);
	CU_ASSERT_EQUAL(source[2], 2);
	CU_ASSERT_EQUAL(source[3], 1);
	/* Frames leave by a device that is none of the plane's interfaces. */
	CU_ASSERT_PTR_NOT_NULL(
		gpc_device_by_ifindex(status.image.view, link, if_nametoindex("lan0")));
	gpc_plane_status_release(&status);
	gpc_image_release(&image);
	rig_detach();
}

/* Counts a packet in a slot, as the program would. */
static void count_packet(uint32_t slot)
{
	struct gpc_counter *values = calloc((size_t)libbpf_num_possible_cpus(), sizeof(*values));
	struct gpc_instance_id *ids;
	char name[GPC_INSTANCE_NAME], path[GPC_PIN_PATH];
	size_t count;
	int fd;

	CU_ASSERT_EQUAL_FATAL(gpc_instance_list(rig_bpffs, &ids, &count, &rig_failure), 0);
	gpc_instance_name(&ids[0], true, name);
	snprintf(path, sizeof(path), "%s/%s/counters", rig_bpffs, name);
	fd = bpf_obj_get(path);
	values[0].packets = 1;
	CU_ASSERT_EQUAL(bpf_map_update_elem(fd, &slot, values, BPF_ANY), 0);
	close(fd);
	free(ids);
	free(values);
}

static void a_counter_that_changes_its_object_starts_at_zero(void)
{
	struct gpc_plane_status status;
	uint32_t kept, reused;

	rig_must_apply(&two);
	status = rig_read();
	kept = counter_of(&status.image, "w1");
	reused = counter_of(&status.image, "w2");
	gpc_plane_status_release(&status);
	count_packet(kept);
	count_packet(reused);
	rig_must_apply(&one);
	rig_must_apply(&drops);
	rig_must_apply(&one);
	rig_must_apply(&reordered);
	status = rig_read();
	CU_ASSERT_EQUAL(counter_of(&status.image, "w1"), kept);
	CU_ASSERT_TRUE(counter_of(&status.image, "a0") == reused ||
		       counter_of(&status.image, "w2") == reused);
	CU_ASSERT_EQUAL(status.counters[kept].packets, 1);
	CU_ASSERT_EQUAL(status.counters[reused].packets, 0);
	gpc_plane_status_release(&status);
	rig_detach();
}

static void growth_keeps_flows_and_counters(void)
{
	struct gpc_plane_status before, after;
	struct gpc_failure failure;

	rig_must_apply(&two);
	before = rig_read();
	rig_must_apply(&large);
	after = rig_read();
	CU_ASSERT_EQUAL(after.size_log2, 23);
	CU_ASSERT_EQUAL(counter_of(&after.image, "w1"), counter_of(&before.image, "w1"));
	CU_ASSERT_EQUAL(after.devices[0].state, GPC_LINK_OK);
	CU_ASSERT_EQUAL(rig_verify(&large), 0);
	gpc_plane_status_release(&before);
	gpc_plane_status_release(&after);
	CU_ASSERT_EQUAL(gpc_plane_retire(rig_bpffs, &failure), 0);
	CU_ASSERT_EQUAL(rig_verify(&large), 0);
	/* Never shrinks live. */
	rig_must_apply(&two);
	after = rig_read();
	CU_ASSERT_EQUAL(after.size_log2, 23);
	gpc_plane_status_release(&after);
	CU_ASSERT_EQUAL(rig_verify(&two), 0);
	rig_detach();
}

static void off_stays_off_through_applies(void)
{
	struct gpc_plane_status status;
	bool changed = false;

	rig_must_apply(&one);
	CU_ASSERT_EQUAL(gpc_plane_switch(rig_bpffs, true, &changed, &rig_failure), 0);
	CU_ASSERT_TRUE(changed);
	CU_ASSERT_EQUAL(gpc_plane_switch(rig_bpffs, true, &changed, &rig_failure), 0);
	CU_ASSERT_FALSE(changed);
	rig_must_apply(&two);
	rig_must_apply(&large);
	status = rig_read();
	CU_ASSERT_TRUE(status.control & GPC_CTL_OFF);
	gpc_plane_status_release(&status);
	CU_ASSERT_EQUAL(gpc_plane_switch(rig_bpffs, false, NULL, &rig_failure), 0);
	status = rig_read();
	CU_ASSERT_FALSE(status.control & GPC_CTL_OFF);
	gpc_plane_status_release(&status);
	rig_detach();
}

static void another_size_of_the_flow_table_is_refused(void)
{
	struct gpc_image other =
		rig_image(RIG_HEAD "defaults: {flows: 8192}\ninterfaces: [" RIG_ALL_HOOKS "]\n"
				   "backends: [{name: web, endpoints: [" RIG_W1 "]}]\n"
				   "listeners: [{name: http, address: 192.0.2.10, protocol: TCP, "
				   "port: 80, forward: dsr, "
				   "backend: web}]\n");
	struct gpc_apply_outcome outcome;

	rig_must_apply(&one);
	CU_ASSERT_EQUAL(rig_apply(&other, 99, &outcome), -1);
	CU_ASSERT_EQUAL(rig_failure.code, GPC_EXIT_REFUSED);
	CU_ASSERT_PTR_NOT_NULL(strstr(rig_failure.hint, "flows: 4096"));
	CU_ASSERT_TRUE(rig_runs(&one));
	gpc_image_release(&other);
	rig_detach();
}

static void without_a_plane_there_is_nothing_to_read(void)
{
	struct gpc_plane_status status = rig_read();

	CU_ASSERT_FALSE(status.present);
	CU_ASSERT_EQUAL(gpc_plane_switch(rig_bpffs, true, NULL, &rig_failure), -1);
	CU_ASSERT_EQUAL(rig_failure.code, GPC_EXIT_FAILED);
	CU_ASSERT_EQUAL(rig_verify(&one), -1);
	CU_ASSERT_EQUAL(rig_failure.code, GPC_EXIT_FAILED);
	CU_ASSERT_EQUAL(gpc_plane_retire(rig_bpffs, &rig_failure), 0);
	rig_detach();
	rig_detach();
	gpc_plane_status_release(&status);
}

static void make_images(void)
{
	rig_up("plane/swap");
	one = rig_image(RIG_PLANE(RIG_ALL_HOOKS, RIG_W1));
	two = rig_image(RIG_PLANE(RIG_ALL_HOOKS, RIG_W1 ", " RIG_W2));
	three = rig_image(RIG_PLANE(RIG_ALL_HOOKS, RIG_W1 ", " RIG_W2 ", " RIG_W3));
	reordered = rig_image(
		RIG_PLANE(RIG_ALL_HOOKS, "{name: a0, address: 10.99.1.14}, " RIG_W2 ", " RIG_W1));
	drops = rig_image(RIG_HEAD "defaults: {flows: 4096, on-fail: drop}\n"
				   "interfaces: [" RIG_ALL_HOOKS
				   "]\nbackends: [{name: web, endpoints: [" RIG_W1 "]}]\n"
				   "listeners: [{name: http, address: 192.0.2.10, protocol: TCP, "
				   "port: 80, forward: dsr, "
				   "backend: web}]\n");
	large = rig_image(RIG_HEAD "defaults: {flows: 4096}\ninterfaces: [" RIG_ALL_HOOKS "]\n"
				   "backends: [{name: web, table-size: 2097143, endpoints: [" RIG_W1
				   ", " RIG_W2 "]}]\n"
				   "listeners: [{name: http, address: 192.0.2.10, protocol: TCP, "
				   "port: 80, forward: dsr, "
				   "backend: web}]\n");
}

GPC_UNIT_MAIN_AFTER(
	"plane/swap", make_images, {"first_apply_binds_every_hook", first_apply_binds_every_hook},
	{"later_apply_flips_to_another_slot", later_apply_flips_to_another_slot},
	{"unchanged_apply_swaps_nothing", unchanged_apply_swaps_nothing},
	{"slots_are_used_in_turn", slots_are_used_in_turn},
	{"an_older_gpcs_plane_is_taken_over", an_older_gpcs_plane_is_taken_over},
		    {"undo_brings_the_old_image_back", undo_brings_the_old_image_back},
	{"undo_is_not_hindered_by_off_and_brings_on_fail_back",
	 undo_is_not_hindered_by_off_and_brings_on_fail_back},
	{"undo_of_the_first_apply_leaves_nothing", undo_of_the_first_apply_leaves_nothing},
	{"undo_of_growth_goes_back_to_the_old_programs",
	 undo_of_growth_goes_back_to_the_old_programs},
	{"counters_stay_with_their_object", counters_stay_with_their_object},
	{"next_hops_come_from_the_kernel", next_hops_come_from_the_kernel},
	{"a_configured_gateway_is_the_next_hop", a_configured_gateway_is_the_next_hop},
	{"a_counter_that_changes_its_object_starts_at_zero",
	 a_counter_that_changes_its_object_starts_at_zero},
	{"growth_keeps_flows_and_counters", growth_keeps_flows_and_counters},
	{"off_stays_off_through_applies", off_stays_off_through_applies},
	{"another_size_of_the_flow_table_is_refused", another_size_of_the_flow_table_is_refused},
	{"without_a_plane_there_is_nothing_to_read", without_a_plane_there_is_nothing_to_read})
