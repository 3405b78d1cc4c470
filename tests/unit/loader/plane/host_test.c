/* SPDX-License-Identifier: MIT */
/* What the host is like: CPUs that are plugged in, what doctor finds of devices and next hops. */
#include <sys/mount.h>
#include <sys/wait.h>

#include "gpc/lookup/device.h"
#include "rig.h"

#define ONLINE "/sys/devices/system/cpu/online"
#define GATEWAY(mode, forward, hop)                                                                \
	RIG_HEAD "defaults: {flows: 4096}\ninterfaces: [{name: wan0, mode: " mode "}]\n"           \
		 "backends: [{name: web, next-hop: " hop                                           \
		 ", endpoints: [{name: w1, address: 192.0.2.77}]}]\n"                              \
		 "listeners: [{name: http, address: 192.0.2.10, protocol: TCP, port: 80, "         \
		 "forward: " forward ", backend: web}]\n"

static struct gpc_image one, gateway, generic_ipip, generic_nat, generic_dsr, six, tagged;

/* ---- CPUs ---- */

static void say_online(const char *cpus)
{
	umount(ONLINE);
	rig_run("echo %s >/tmp/gpc-online-%ld", cpus, (long)getpid());
	rig_run("mount --bind /tmp/gpc-online-%ld " ONLINE, (long)getpid());
	rig_run("rm /tmp/gpc-online-%ld", (long)getpid());
}

static uint32_t shared_by(void)
{
	struct gpc_plane_status status = rig_read();
	uint32_t cpus = gpc_view_link(status.image.view)->cpus;

	gpc_plane_status_release(&status);
	return cpus;
}

/* In a mount namespace where the list of CPUs that are online says 1, then 3. */
static int plug_in(void)
{
	int r = 0;

	if (unshare(CLONE_NEWNS) || mount("", "/", "", MS_REC | MS_PRIVATE, NULL))
		return 10;
	say_online("0");
	r |= rig_must_apply(&one).unchanged << 0;
	r |= (shared_by() != 1) << 1;
	say_online("0-2");
	r |= rig_must_apply(&one).unchanged << 2;
	r |= (shared_by() != 3) << 3;
	r |= !rig_must_apply(&one).unchanged << 4;
	return r;
}

static void the_insert_budget_is_shared_by_the_cpus_that_are_online(void)
{
	int result = 0;
	pid_t child;

	fflush(NULL);
	child = fork();
	if (child == 0)
		_exit(plug_in());
	waitpid(child, &result, 0);
	CU_ASSERT_TRUE(WIFEXITED(result));
	CU_ASSERT_EQUAL(WEXITSTATUS(result), 0);
	rig_detach();
}

/* ---- doctor ---- */

/* The probe of this name, in `ret`; health FAIL and no text if there is none. */
static struct gpc_doctor_probe ask(const struct gpc_image *image, const char *name)
{
	struct gpc_doctor_probe *probes, found = {.health = GPC_HEALTH_FAIL};
	size_t count, i;

	CU_ASSERT_EQUAL_FATAL(gpc_doctor(rig_bpffs, image, &probes, &count, &rig_failure), 0);
	for (i = 0; i < count; i++)
		if (!strcmp(probes[i].name, name))
			found = probes[i];
	free(probes);
	return found;
}

/* No route leads to the endpoint; the gateway is known, behind lan0. */
static void doctor_asks_for_the_gateway_where_one_is_configured(void)
{
	struct gpc_doctor_probe probe = ask(&gateway, "next-hops");

	CU_ASSERT_EQUAL(probe.health, GPC_HEALTH_OK);
	rig_run("ip link set lan0 mtu 1400");
	probe = ask(&gateway, "mtu lan0");
	CU_ASSERT_EQUAL(probe.health, GPC_HEALTH_WARN);
	CU_ASSERT_PTR_NOT_NULL(strstr(probe.found, "1400"));
	rig_run("ip link set lan0 mtu 1500");
}

static void doctor_looks_at_forwarding_of_the_families_that_are_sent_to(void)
{
	struct gpc_doctor_probe probe;

	rig_run("sysctl -qw net.ipv4.conf.wan0.forwarding=1 net.ipv6.conf.wan0.forwarding=0");
	CU_ASSERT_EQUAL(ask(&one, "forwarding wan0").health, GPC_HEALTH_OK);
	probe = ask(&six, "forwarding wan0");
	CU_ASSERT_EQUAL(probe.health, GPC_HEALTH_WARN);
	CU_ASSERT_STRING_EQUAL(probe.fix, "sysctl -w net/ipv6/conf/wan0/forwarding=1");
	rig_run("sysctl -qw net.ipv4.conf.wan0.forwarding=0 net.ipv6.conf.wan0.forwarding=1");
	CU_ASSERT_EQUAL(ask(&one, "forwarding wan0").health, GPC_HEALTH_WARN);
	CU_ASSERT_EQUAL(ask(&six, "forwarding wan0").health, GPC_HEALTH_OK);
}

/* /sys shows the devices of the namespace that it was mounted in; a driver is asked for by name. */
static void doctor_asks_the_driver_in_its_own_namespace(void)
{
	CU_ASSERT_PTR_NOT_NULL(strstr(ask(&one, "xdp wan0").found, "driver veth"));
}

static void doctor_sees_that_tags_are_taken_off_where_rules_look_at_them(void)
{
	struct gpc_doctor_probe probe;

	rig_run("ethtool -K wan0 rxvlan on >/dev/null");
	probe = ask(&tagged, "vlan wan0");
	CU_ASSERT_EQUAL(probe.health, GPC_HEALTH_WARN);
	CU_ASSERT_STRING_EQUAL(probe.fix, "ethtool -K wan0 rxvlan off");
	CU_ASSERT_STRING_EQUAL(ask(&one, "vlan wan0").found, "");
	rig_run("ethtool -K wan0 rxvlan off >/dev/null");
	CU_ASSERT_EQUAL(ask(&tagged, "vlan wan0").health, GPC_HEALTH_OK);
	rig_run("ethtool -K wan0 rxvlan on >/dev/null");
}

static void doctor_sees_that_a_stateful_device_is_not_seen_both_ways(void)
{
	CU_ASSERT_STRING_EQUAL(ask(&tagged, "state wan0").found, "");
	rig_must_apply(&tagged);
	CU_ASSERT_EQUAL(ask(&tagged, "state wan0").health, GPC_HEALTH_OK);
	rig_run("rm %s/links/*egress*", rig_bpffs);
	CU_ASSERT_EQUAL(ask(&tagged, "state wan0").health, GPC_HEALTH_WARN);
	CU_ASSERT_PTR_NOT_NULL(strstr(ask(&tagged, "state wan0").found, "what leaves is not seen"));
	rig_must_apply(&tagged);
	CU_ASSERT_EQUAL(ask(&tagged, "state wan0").health, GPC_HEALTH_OK);
	rig_detach();
}

/* ---- merged packets ---- */

static bool warned_of_merging(const struct gpc_image *image)
{
	rig_must_apply(image);
	rig_detach();
	return strstr(rig_notices, "ethtool -K wan0 ");
}

static void merged_packets_where_generic_xdp_wraps_are_warned_of(void)
{
	rig_run("ethtool -K wan0 gro on tso on >/dev/null");
	CU_ASSERT_TRUE(warned_of_merging(&generic_ipip));
	CU_ASSERT_PTR_NOT_NULL(strstr(rig_notices, "gro off tso off"));
	CU_ASSERT_TRUE(warned_of_merging(&generic_nat));
	CU_ASSERT_EQUAL(ask(&generic_ipip, "offloads wan0").health, GPC_HEALTH_WARN);
	CU_ASSERT_FALSE(warned_of_merging(&generic_dsr));
	CU_ASSERT_FALSE(warned_of_merging(&gateway));
	rig_run("ethtool -K wan0 gro off tso off >/dev/null");
	CU_ASSERT_FALSE(warned_of_merging(&generic_ipip));
	CU_ASSERT_EQUAL(ask(&generic_ipip, "offloads wan0").health, GPC_HEALTH_OK);
}

static void a_veth_that_leaves_checksums_is_warned_of(void)
{
	rig_run("ethtool -K wan0 tx on >/dev/null");
	CU_ASSERT_EQUAL(ask(&gateway, "checksums wan0").health, GPC_HEALTH_WARN);
	CU_ASSERT_STRING_EQUAL(ask(&tagged, "checksums wan0").found, "");
	rig_run("ethtool -K wan0 tx off >/dev/null");
	CU_ASSERT_STRING_EQUAL(ask(&gateway, "checksums wan0").found, "");
	rig_run("ethtool -K wan0 tx on >/dev/null");
}

/* `any` falls back to generic mode where the driver refuses: a veth whose peer has a large MTU. */
static void merged_packets_are_warned_of_when_any_became_generic(void)
{
	rig_run("ip link set p-wan0 mtu 9000 && ip link set wan0 mtu 9000 && "
		"ethtool -K wan0 gro on >/dev/null");
	CU_ASSERT_EQUAL(ask(&gateway, "offloads wan0").health, GPC_HEALTH_WARN);
	CU_ASSERT_TRUE(warned_of_merging(&gateway));
	rig_run("ip link set p-wan0 mtu 1500 && ip link set wan0 mtu 1500");
}

static void make_images(void)
{
	rig_up("plane/host");
	one = rig_image(RIG_PLANE("{name: wan0}", RIG_W1));
	gateway = rig_image(GATEWAY("any", "ipip", "10.99.2.12"));
	generic_ipip = rig_image(GATEWAY("generic", "ipip", "10.99.2.12"));
	generic_nat = rig_image(GATEWAY("generic", "nat", "10.99.2.12"));
	generic_dsr = rig_image(RIG_PLANE("{name: wan0, mode: generic}", RIG_W1));
	tagged = rig_image(RIG_HEAD
			   "defaults: {flows: 4096}\n"
			   "interfaces: [{name: wan0, hooks: [xdp, tc-egress]}]\n"
			   "rules: [{name: tag, match: {vlan: 7}, action: allow}]\n"
			   "policies: [{name: in, interfaces: [wan0], direction: ingress, "
			   "rules: [tag]}]\n");
	six = rig_image(
		RIG_HEAD
		"defaults: {flows: 4096}\ninterfaces: [{name: wan0}]\n"
		"backends: [{name: web, endpoints: [{name: w1, address: \"fd99::11\"}]}]\n"
		"listeners: [{name: http, address: \"2001:db8::10\", protocol: TCP, port: 80, "
		"forward: dsr, backend: web}]\n");
}

GPC_UNIT_MAIN_AFTER("plane/host", make_images,
		    {"the_insert_budget_is_shared_by_the_cpus_that_are_online",
		     the_insert_budget_is_shared_by_the_cpus_that_are_online},
		    {"doctor_asks_for_the_gateway_where_one_is_configured",
		     doctor_asks_for_the_gateway_where_one_is_configured},
		    {"doctor_looks_at_forwarding_of_the_families_that_are_sent_to",
		     doctor_looks_at_forwarding_of_the_families_that_are_sent_to},
		    {"doctor_asks_the_driver_in_its_own_namespace",
		     doctor_asks_the_driver_in_its_own_namespace},
		    {"doctor_sees_that_tags_are_taken_off_where_rules_look_at_them",
		     doctor_sees_that_tags_are_taken_off_where_rules_look_at_them},
		    {"doctor_sees_that_a_stateful_device_is_not_seen_both_ways",
		     doctor_sees_that_a_stateful_device_is_not_seen_both_ways},
		    {"a_veth_that_leaves_checksums_is_warned_of",
		     a_veth_that_leaves_checksums_is_warned_of},
		    {"merged_packets_where_generic_xdp_wraps_are_warned_of",
		     merged_packets_where_generic_xdp_wraps_are_warned_of},
		    {"merged_packets_are_warned_of_when_any_became_generic",
		     merged_packets_are_warned_of_when_any_became_generic})
