/* SPDX-License-Identifier: MIT */
/* Devices: patterns, modes, foreign programs, devices that come and go, namespaces. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <sys/wait.h>

#include "../../../../loader/plane/instance.h"
#include "gpc/lookup/device.h"
#include "rig.h"

static struct gpc_image wan, wan_generic, wan_native, pattern, decap, nowhere, both, tc_only;

/* How many bindings of a device are in this state? */
static unsigned int count_state(const char *device, enum gpc_link_state state)
{
	struct gpc_plane_status status = rig_read();
	unsigned int count = 0;

	for (size_t i = 0; i < status.device_count; i++)
		count +=
			!strcmp(status.devices[i].name, device) && status.devices[i].state == state;
	gpc_plane_status_release(&status);
	return count;
}

static int attach_foreign(const char *device, int flags)
{
	const struct bpf_insn pass[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS},
		{.code = BPF_JMP | BPF_EXIT},
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "stranger", "GPL", pass, 2, NULL);

	CU_ASSERT_TRUE_FATAL(fd >= 0);
	CU_ASSERT_EQUAL_FATAL(bpf_xdp_attach((int)if_nametoindex(device), fd, (__u32)flags, NULL),
			      0);
	return fd;
}

static void a_foreign_program_is_named_and_left_alone(void)
{
	struct gpc_apply_outcome outcome;
	int fd = attach_foreign("lan0", XDP_FLAGS_DRV_MODE);

	/* wan0 is free, lan0 is not: neither is touched. */
	CU_ASSERT_EQUAL(rig_apply(&both, 1, &outcome), -1);
	CU_ASSERT_EQUAL(rig_failure.code, GPC_EXIT_HOST);
	CU_ASSERT_PTR_NOT_NULL(strstr(rig_failure.message, "'lan0'"));
	CU_ASSERT_PTR_NOT_NULL(strstr(rig_failure.message, "'stranger'"));
	CU_ASSERT_NOT_EQUAL(access(rig_bpffs, F_OK), 0);
	CU_ASSERT_FALSE(rig_says("ip link show dev wan0", "xdp"));
	CU_ASSERT_TRUE(rig_says("ip link show dev lan0", "xdp"));
	rig_run("ip link set dev lan0 xdp off");
	close(fd);
}

static void a_foreign_program_in_another_mode_counts(void)
{
	struct gpc_apply_outcome outcome;
	int fd = attach_foreign("wan0", XDP_FLAGS_SKB_MODE);

	CU_ASSERT_EQUAL(rig_apply(&wan, 1, &outcome), -1);
	CU_ASSERT_EQUAL(rig_failure.code, GPC_EXIT_HOST);
	rig_run("ip link set dev wan0 xdpgeneric off");
	close(fd);
}

static void a_foreign_program_on_a_new_device_leaves_the_plane_running(void)
{
	struct gpc_apply_outcome outcome;
	int fd;

	rig_must_apply(&wan);
	fd = attach_foreign("lan0", XDP_FLAGS_DRV_MODE);
	CU_ASSERT_EQUAL(rig_apply(&both, 1, &outcome), -1);
	CU_ASSERT_TRUE(rig_runs(&wan));
	CU_ASSERT_EQUAL(rig_verify(&wan), 0);
	rig_run("ip link set dev lan0 xdp off");
	close(fd);
	rig_detach();
}

static void the_mode_is_what_was_written(void)
{
	struct gpc_plane_status status;

	rig_must_apply(&wan_generic);
	status = rig_read();
	CU_ASSERT_TRUE(status.devices[0].generic);
	gpc_plane_status_release(&status);
	rig_must_apply(&wan_native);
	CU_ASSERT_PTR_NOT_NULL(strstr(rig_notices, "changes its XDP mode"));
	status = rig_read();
	CU_ASSERT_FALSE(status.devices[0].generic);
	CU_ASSERT_EQUAL(status.devices[0].state, GPC_LINK_OK);
	gpc_plane_status_release(&status);
	CU_ASSERT_EQUAL(rig_verify(&wan_native), 0);
	rig_detach();
}

/* veth refuses native XDP while the peer's MTU is too large for one page. */
static void native_never_falls_back_and_any_says_so(void)
{
	struct gpc_apply_outcome outcome;
	struct gpc_plane_status status;

	rig_run("ip link set dev wan0 mtu 9000 && ip link set dev p-wan0 mtu 9000");
	CU_ASSERT_EQUAL(rig_apply(&wan_native, 1, &outcome), -1);
	CU_ASSERT_EQUAL(rig_failure.code, GPC_EXIT_HOST);
	CU_ASSERT_PTR_NOT_NULL(strstr(rig_failure.hint, "mode: any"));
	CU_ASSERT_NOT_EQUAL(access(rig_bpffs, F_OK), 0);
	rig_must_apply(&wan);
	CU_ASSERT_PTR_NOT_NULL(strstr(rig_notices, "generic mode"));
	status = rig_read();
	CU_ASSERT_TRUE(status.devices[0].generic);
	gpc_plane_status_release(&status);
	rig_detach();
	rig_run("ip link set dev wan0 mtu 1500 && ip link set dev p-wan0 mtu 1500");
}

/* wan0 is free and bound first, then lan0 refuses: nothing of the new plane stays. */
static void a_refusal_half_way_takes_everything_back(void)
{
	struct gpc_apply_outcome outcome;

	rig_run("ip link set dev lan0 mtu 9000 && ip link set dev p-lan0 mtu 9000");
	CU_ASSERT_EQUAL(rig_apply(&both, 1, &outcome), -1);
	CU_ASSERT_NOT_EQUAL(access(rig_bpffs, F_OK), 0);
	CU_ASSERT_FALSE(rig_says("ip link show dev wan0", "xdp"));
	rig_must_apply(&wan);
	CU_ASSERT_EQUAL(rig_apply(&both, 1, &outcome), -1);
	CU_ASSERT_TRUE(rig_runs(&wan));
	CU_ASSERT_EQUAL(rig_verify(&wan), 0);
	rig_detach();
	rig_run("ip link set dev lan0 mtu 1500 && ip link set dev p-lan0 mtu 1500");
}

static void a_device_that_appears_is_bound_by_an_unchanged_apply(void)
{
	struct gpc_plane_status status;
	const struct gpc_link_device *device;

	CU_ASSERT_EQUAL(rig_must_apply(&pattern).devices, 1);
	rig_veth("lan.7", 3);
	CU_ASSERT_EQUAL(count_state("lan.7", GPC_LINK_MISSING), 1);
	CU_ASSERT_TRUE(rig_verify(&pattern) > 0);
	CU_ASSERT_EQUAL(rig_must_apply(&pattern).devices, 2);
	CU_ASSERT_EQUAL(count_state("lan.7", GPC_LINK_OK), 1);
	CU_ASSERT_EQUAL(rig_verify(&pattern), 0);
	status = rig_read();
	device = gpc_device_by_ifindex(status.image.view, gpc_view_link(status.image.view),
				       if_nametoindex("lan.7"));
	CU_ASSERT_PTR_NOT_NULL(device);
	CU_ASSERT_EQUAL(device ? device->interface_bit : 0, 1);
	gpc_plane_status_release(&status);
	CU_ASSERT_TRUE(rig_must_apply(&pattern).unchanged);
	rig_run("ip link del dev lan.7");
	rig_detach();
}

static void a_device_that_vanishes_and_comes_back_is_bound_again(void)
{
	rig_veth("lan8", 4);
	rig_must_apply(&pattern);
	CU_ASSERT_EQUAL(count_state("lan8", GPC_LINK_OK), 1);
	rig_run("ip link del dev lan8");
	CU_ASSERT_EQUAL(count_state("lan8", GPC_LINK_GONE), 1);
	CU_ASSERT_EQUAL(count_state("lan0", GPC_LINK_OK), 1);
	rig_veth("lan8", 4);
	rig_must_apply(&pattern);
	CU_ASSERT_EQUAL(count_state("lan8", GPC_LINK_OK), 1);
	CU_ASSERT_EQUAL(count_state("lan8", GPC_LINK_GONE), 0);
	CU_ASSERT_EQUAL(rig_verify(&pattern), 0);
	rig_run("ip link del dev lan8");
	/* Gone for good: the next apply clears what it left. */
	CU_ASSERT_TRUE(rig_must_apply(&pattern).unchanged);
	CU_ASSERT_EQUAL(count_state("lan8", GPC_LINK_GONE), 0);
	rig_detach();
}

static void an_exact_name_without_a_device_is_a_warning_beside_others(void)
{
	rig_run("ip link set dev lan0 name tmp0");
	CU_ASSERT_EQUAL(rig_must_apply(&both).devices, 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(rig_notices, "warning: interface 'lan0' has no device"));
	CU_ASSERT_EQUAL(count_state("lan0", GPC_LINK_MISSING), 1);
	rig_run("ip link set dev tmp0 name lan0");
	CU_ASSERT_EQUAL(rig_must_apply(&both).devices, 2);
	rig_detach();
}

static void no_device_at_all_is_refused(void)
{
	struct gpc_apply_outcome outcome;

	CU_ASSERT_EQUAL(rig_apply(&nowhere, 1, &outcome), -1);
	CU_ASSERT_EQUAL(rig_failure.code, GPC_EXIT_HOST);
	CU_ASSERT_PTR_NOT_NULL(strstr(rig_failure.hint, "ip -br link"));
	rig_must_apply(&wan);
	CU_ASSERT_EQUAL(rig_apply(&nowhere, 1, &outcome), -1);
	CU_ASSERT_TRUE(rig_runs(&wan));
	rig_detach();
}

static void a_device_taken_out_of_the_intent_is_let_go(void)
{
	rig_must_apply(&both);
	CU_ASSERT_TRUE(rig_says("ip link show dev lan0", "xdp"));
	rig_must_apply(&wan);
	CU_ASSERT_FALSE(rig_says("ip link show dev lan0", "xdp"));
	CU_ASSERT_EQUAL(rig_verify(&wan), 0);
	/* And undo gives it back. */
	CU_ASSERT_EQUAL(gpc_plane_undo(rig_bpffs, &rig_failure), 0);
	CU_ASSERT_TRUE(rig_says("ip link show dev lan0", "xdp"));
	CU_ASSERT_EQUAL(rig_verify(&both), 0);
	rig_detach();
}

static void a_hook_taken_out_of_the_intent_is_let_go(void)
{
	rig_must_apply(&tc_only);
	CU_ASSERT_FALSE(rig_says("ip link show dev wan0", "xdp"));
	CU_ASSERT_EQUAL(count_state("wan0", GPC_LINK_OK), 2);
	rig_must_apply(&wan);
	CU_ASSERT_EQUAL(count_state("wan0", GPC_LINK_OK), 1);
	CU_ASSERT_EQUAL(rig_verify(&wan), 0);
	rig_detach();
}

/* Entries of a pinned map of the plane's only instance. */
static uint32_t entries_of(const char *map)
{
	struct bpf_map_info info = {0};
	__u32 size = sizeof(info);
	struct gpc_instance_id *ids;
	char name[GPC_INSTANCE_NAME], path[GPC_PIN_PATH];
	size_t count;
	int fd;

	CU_ASSERT_EQUAL_FATAL(gpc_instance_list(rig_bpffs, &ids, &count, &rig_failure), 0);
	CU_ASSERT_TRUE_FATAL(count > 0);
	gpc_instance_name(&ids[0], true, name);
	free(ids);
	snprintf(path, sizeof(path), "%s/%s/%s", rig_bpffs, name, map);
	fd = bpf_obj_get(path);
	CU_ASSERT_TRUE(fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &size));
	close(fd);
	return info.max_entries;
}

static void a_host_that_only_unwraps_has_tiny_flow_tables(void)
{
	rig_must_apply(&decap);
	CU_ASSERT_EQUAL(entries_of("flows4"), GPC_MIN_FLOWS);
	CU_ASSERT_PTR_NULL(strstr(rig_notices, "next hop"));
	CU_ASSERT_EQUAL(rig_verify(&decap), 0);
	/* It may become a balancer: no flow is lost, for there is none. */
	rig_must_apply(&wan);
	CU_ASSERT_EQUAL(entries_of("flows4"), 4096);
	CU_ASSERT_EQUAL(rig_verify(&wan), 0);
	rig_detach();
}

static void another_namespace_is_told_to_keep_off(void)
{
	pid_t child;
	int result = -1;

	rig_must_apply(&wan);
	fflush(NULL);
	child = fork();
	if (child == 0) {
		struct gpc_plane_status status;

		if (unshare(CLONE_NEWNET))
			_exit(1);
		if (!gpc_plane_read(rig_bpffs, &status, &rig_failure))
			_exit(2);
		if (rig_failure.code != GPC_EXIT_CONFLICT)
			_exit(3);
		_exit(gpc_plane_detach(rig_bpffs, NULL, &rig_failure) ? 0 : 4);
	}
	waitpid(child, &result, 0);
	CU_ASSERT_EQUAL(result, 0);
	CU_ASSERT_EQUAL(rig_verify(&wan), 0);
	rig_detach();
}

static void doctor_names_every_probe_and_each_fix_is_a_command(void)
{
	struct gpc_doctor_probe *probes;
	size_t count, i, devices = 0;

	rig_must_apply(&wan);
	CU_ASSERT_EQUAL_FATAL(gpc_doctor(rig_bpffs, &both, &probes, &count, &rig_failure), 0);
	for (i = 0; i < count; i++) {
		CU_ASSERT_TRUE(*probes[i].name && *probes[i].found);
		CU_ASSERT_EQUAL(*probes[i].fix != '\0', probes[i].health != GPC_HEALTH_OK);
		devices +=
			!strcmp(probes[i].name, "xdp wan0") || !strcmp(probes[i].name, "xdp lan0");
	}
	CU_ASSERT_EQUAL(devices, 2);
	free(probes);
	/* Trying native mode left nothing behind. */
	CU_ASSERT_FALSE(rig_says("ip link show dev lan0", "xdp"));
	rig_detach();
}

static void make_images(void)
{
	rig_up("plane/binding");
	libbpf_set_print(NULL);
	wan = rig_image(RIG_PLANE("{name: wan0, mode: any}", RIG_W1));
	wan_generic = rig_image(RIG_PLANE("{name: wan0, mode: generic}", RIG_W1));
	wan_native = rig_image(RIG_PLANE("{name: wan0, mode: native}", RIG_W1));
	pattern = rig_image(RIG_PLANE("{name: \"lan*\"}", RIG_W1));
	both = rig_image(RIG_PLANE("{name: wan0}, {name: lan0}", RIG_W1));
	tc_only = rig_image(
		RIG_PLANE("{name: wan0, hooks: [tc-ingress, tc-egress]}, {name: absent}", RIG_W1));
	nowhere = rig_image(RIG_PLANE("{name: \"eth*\"}", RIG_W1));
	decap = rig_image(RIG_HEAD
			  "defaults: {flows: 4096}\n"
			  "interfaces: [{name: wan0, role: decap}, {name: absent}]\n"
			  "backends: [{name: web, endpoints: [{name: w1, address: 10.99.1.1}]}]\n"
			  "listeners: [{name: http, address: 192.0.2.10, protocol: TCP, port: 80, "
			  "forward: ipip, "
			  "backend: web, interfaces: [absent]}]\n");
}

GPC_UNIT_MAIN_AFTER(
	"plane/binding", make_images,
	{"a_foreign_program_is_named_and_left_alone", a_foreign_program_is_named_and_left_alone},
	{"a_foreign_program_in_another_mode_counts", a_foreign_program_in_another_mode_counts},
	{"a_foreign_program_on_a_new_device_leaves_the_plane_running",
	 a_foreign_program_on_a_new_device_leaves_the_plane_running},
	{"the_mode_is_what_was_written", the_mode_is_what_was_written},
	{"native_never_falls_back_and_any_says_so", native_never_falls_back_and_any_says_so},
	{"a_refusal_half_way_takes_everything_back", a_refusal_half_way_takes_everything_back},
	{"a_device_that_appears_is_bound_by_an_unchanged_apply",
	 a_device_that_appears_is_bound_by_an_unchanged_apply},
	{"a_device_that_vanishes_and_comes_back_is_bound_again",
	 a_device_that_vanishes_and_comes_back_is_bound_again},
	{"an_exact_name_without_a_device_is_a_warning_beside_others",
	 an_exact_name_without_a_device_is_a_warning_beside_others},
	{"no_device_at_all_is_refused", no_device_at_all_is_refused},
	{"a_device_taken_out_of_the_intent_is_let_go", a_device_taken_out_of_the_intent_is_let_go},
	{"a_hook_taken_out_of_the_intent_is_let_go", a_hook_taken_out_of_the_intent_is_let_go},
	{"a_host_that_only_unwraps_has_tiny_flow_tables",
	 a_host_that_only_unwraps_has_tiny_flow_tables},
	{"another_namespace_is_told_to_keep_off", another_namespace_is_told_to_keep_off},
	{"doctor_names_every_probe_and_each_fix_is_a_command",
	 doctor_names_every_probe_and_each_fix_is_a_command})
