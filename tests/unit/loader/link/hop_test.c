/* SPDX-License-Identifier: MIT */
#include "../../../../loader/link/hop.h"

#include <errno.h>
#include <net/if.h>
#include <signal.h>

#include "../../../../loader/interrupt.h"

#include "../plane/rig.h"

static struct gpc_netlink netlink;

static struct gpc_hop resolve_within(const char *address, unsigned int wait_ms)
{
	struct gpc_hop hop = {.wait = wait_ms > 0};

	CU_ASSERT_EQUAL_FATAL(gpc_ip_parse(address, strlen(address), &hop.target), GPC_IP_OK);
	CU_ASSERT_EQUAL(gpc_hops_resolve(&netlink, &hop, 1, wait_ms, &rig_failure), 0);
	return hop;
}

static struct gpc_hop resolve(const char *address)
{
	return resolve_within(address, 0);
}

static bool is(const struct gpc_ip *ip, const char *text)
{
	char out[GPC_IP_TEXT];

	return !strcmp(gpc_ip_format(ip, out), text);
}

static void a_neighbour_on_the_link_is_its_own_next_hop(void)
{
	struct gpc_hop hop = resolve("10.99.1.11");

	CU_ASSERT_EQUAL(hop.state, GPC_HOP_KNOWN);
	CU_ASSERT_EQUAL(hop.ifindex, if_nametoindex("wan0"));
	CU_ASSERT_TRUE(is(&hop.via, "10.99.1.11"));
	CU_ASSERT_TRUE(is(&hop.source, "10.99.1.1"));
	CU_ASSERT_EQUAL(hop.mac[5], 11);
}

static void behind_a_gateway_its_mac_counts(void)
{
	struct gpc_hop hop;

	rig_run("ip route add 198.51.100.0/24 via 10.99.2.12 src 10.99.1.1");
	hop = resolve("198.51.100.7");
	CU_ASSERT_EQUAL(hop.state, GPC_HOP_KNOWN);
	CU_ASSERT_EQUAL(hop.ifindex, if_nametoindex("lan0"));
	CU_ASSERT_TRUE(is(&hop.via, "10.99.2.12"));
	CU_ASSERT_TRUE(is(&hop.source, "10.99.1.1"));
	CU_ASSERT_EQUAL(hop.mac[4], 2);
	CU_ASSERT_EQUAL(hop.mac[5], 12);
}

static void v6_and_a_v4_route_by_a_v6_gateway_work(void)
{
	struct gpc_hop hop;

	rig_run("ip -6 addr add 2001:db8:1::1/64 dev wan0 nodad && "
		"ip neigh add 2001:db8:1::9 lladdr 02:00:00:00:06:09 dev wan0 nud permanent && "
		"ip route add 203.0.113.0/24 via inet6 2001:db8:1::9 dev wan0");
	hop = resolve("2001:db8:1::9");
	CU_ASSERT_EQUAL(hop.state, GPC_HOP_KNOWN);
	CU_ASSERT_TRUE(is(&hop.source, "2001:db8:1::1"));
	CU_ASSERT_EQUAL(hop.mac[4], 6);
	hop = resolve("203.0.113.5");
	CU_ASSERT_EQUAL(hop.state, GPC_HOP_KNOWN);
	CU_ASSERT_TRUE(is(&hop.via, "2001:db8:1::9"));
	CU_ASSERT_EQUAL(hop.mac[5], 9);
}

static void what_cannot_be_sent_to_is_told_apart(void)
{
	char why[160];
	struct gpc_hop hop;

	CU_ASSERT_EQUAL(resolve("10.99.1.1").state, GPC_HOP_LOCAL);
	hop = resolve("8.8.8.8");
	CU_ASSERT_EQUAL(hop.state, GPC_HOP_UNROUTED);
	CU_ASSERT_EQUAL(hop.error, ENETUNREACH);
	CU_ASSERT_PTR_NOT_NULL(strstr(gpc_hop_explain(&hop, why, sizeof(why)), "no route"));
	rig_run("ip route add blackhole 8.8.8.0/24");
	CU_ASSERT_NOT_EQUAL(resolve("8.8.8.8").state, GPC_HOP_KNOWN);
	CU_ASSERT_NOT_EQUAL(resolve("8.8.8.8").state, GPC_HOP_UNANSWERED);
}

static void an_unknown_neighbour_is_asked_for(void)
{
	char why[160];
	struct gpc_hop hop = resolve("10.99.1.77");

	CU_ASSERT_EQUAL(hop.state, GPC_HOP_UNANSWERED);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(gpc_hop_explain(&hop, why, sizeof(why)), "does not answer on wan0"));
	CU_ASSERT_TRUE(rig_says("ip neigh show 10.99.1.77", "wan0"));
}

/* The peer moves to a namespace of its own, held by a process that sleeps, and answers from there.
 */
static void an_answer_is_waited_for(void)
{
	struct gpc_hop hop;

	rig_run("unshare -n sleep 30 & pid=$!; "
		"until [ \"$(readlink /proc/$pid/ns/net)\" != \"$(readlink /proc/self/ns/net)\" ]; "
		"do sleep 0.01; done; ip link set dev p-lan0 netns $pid; "
		"nsenter --net=/proc/$pid/ns/net sh -c 'ip link set p-lan0 up && "
		"ip addr add 10.99.2.200/24 dev p-lan0'; echo $pid >/tmp/gpc-hop-%ld; "
		"until ip -br link show lan0 | grep -q ' UP '; do sleep 0.01; done",
		(long)getpid());
	hop = resolve_within("10.99.2.200", 10000);
	CU_ASSERT_EQUAL(hop.state, GPC_HOP_KNOWN);
	CU_ASSERT_EQUAL(hop.ifindex, if_nametoindex("lan0"));
	rig_run("kill $(cat /tmp/gpc-hop-%ld); rm /tmp/gpc-hop-%ld", (long)getpid(),
		(long)getpid());
}

static void an_interrupt_ends_the_wait(void)
{
	struct gpc_hop hop = {.wait = true};

	CU_ASSERT_EQUAL_FATAL(gpc_ip_parse("10.99.1.78", 10, &hop.target), GPC_IP_OK);
	gpc_interrupts_hold();
	raise(SIGTERM);
	CU_ASSERT_EQUAL(gpc_hops_resolve(&netlink, &hop, 1, 60000, &rig_failure), -1);
	CU_ASSERT_EQUAL(rig_failure.code, GPC_EXIT_TERMINATED);
	gpc_interrupts_hold();
	CU_ASSERT_EQUAL(resolve("10.99.1.11").state, GPC_HOP_KNOWN);
}

static void many_at_once_keep_their_order(void)
{
	enum { N = 500 };
	static struct gpc_hop hops[N];
	size_t wrong = 0, i;

	for (i = 0; i < N; i++) {
		char text[32];

		snprintf(text, sizeof(text), "10.99.%zu.%zu", 1 + i % 2, 11 + i / 2 % 4);
		gpc_ip_parse(text, strlen(text), &hops[i].target);
	}
	CU_ASSERT_EQUAL(gpc_hops_resolve(&netlink, hops, N, 0, &rig_failure), 0);
	for (i = 0; i < N; i++)
		wrong += hops[i].state != GPC_HOP_KNOWN || hops[i].mac[4] != 1 + i % 2 ||
			 hops[i].mac[5] != 11 + i / 2 % 4;
	CU_ASSERT_EQUAL(wrong, 0);
}

static void prepare(void)
{
	rig_up("link/hop");
	if (gpc_netlink_open(&netlink, &rig_failure)) {
		fprintf(stderr, "%s\n", rig_failure.message);
		exit(1);
	}
}

GPC_UNIT_MAIN_AFTER("link/hop", prepare,
		    {"a_neighbour_on_the_link_is_its_own_next_hop",
		     a_neighbour_on_the_link_is_its_own_next_hop},
		    {"behind_a_gateway_its_mac_counts", behind_a_gateway_its_mac_counts},
		    {"v6_and_a_v4_route_by_a_v6_gateway_work",
		     v6_and_a_v4_route_by_a_v6_gateway_work},
		    {"what_cannot_be_sent_to_is_told_apart", what_cannot_be_sent_to_is_told_apart},
		    {"an_unknown_neighbour_is_asked_for", an_unknown_neighbour_is_asked_for},
		    {"an_interrupt_ends_the_wait", an_interrupt_ends_the_wait},
		    {"many_at_once_keep_their_order", many_at_once_keep_their_order},
		    {"an_answer_is_waited_for", an_answer_is_waited_for})
