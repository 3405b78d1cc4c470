/* SPDX-License-Identifier: MIT */
/* What another image says of a flow entry: which chains are asked, and about which packet. */
#include "loader/plane/recheck.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "base/cleanup.h"
#include "gpc/lookup/chain.h"
#include "tests/unit/loader/history/fixture.h"

#define TEXT(rules, keys)                                                                          \
	"apiVersion: gpc/v1\nkind: Plane\nmetadata: {name: t}\n"                                   \
	"interfaces: [{name: wan0, mode: any, hooks: [xdp, tc-egress]}]\n"                         \
	"rules:\n"                                                                                 \
	"  - {name: ssh, ports: [tcp/22], action: allow}\n"                                        \
	"  - {name: web, to: 10.0.0.2/32, ports: [tcp/80], action: allow}\n"                       \
	"  - {name: web6, to: \"fd00::2/128\", ports: [udp/80], action: allow}\n"                  \
	"  - {name: ping, ports: [icmp/echo-request], action: allow}\n"                            \
	"  - {name: rest, action: reject}\n"                                                       \
	"policies: [{name: in, interfaces: [wan0], direction: ingress, rules: [" rules "]" keys "}]\n"

static const struct gpc_chain *chain_of(const struct gpc_image *image)
{
	return gpc_chain_at(image->view, 0);
}

/* As if `image` had let it through. */
static struct gpc_flow entered(const struct gpc_image *image, uint8_t flags)
{
	return (struct gpc_flow){.state = GPC_FLOW_ESTABLISHED,
				 .flags = flags,
				 .vlan = GPC_VLAN_NONE,
				 .tcp_flags = GPC_ASK_SYN,
				 .chain = {chain_of(image)->tag},
				 .stamp = {chain_of(image)->stamp},
				 .epoch = image->plane->epoch};
}

static const struct gpc_flow_key4 forward = {.protocol = IPPROTO_TCP},
				  echo = {.protocol = IPPROTO_ICMP};

/* 10.0.0.1:1024 and 10.0.0.2:80, in the order of the key. */
static struct gpc_flow_key4 key4(struct gpc_flow_key4 key)
{
	key.address[0] = htonl(0x0a000001);
	key.address[1] = htonl(0x0a000002);
	if (key.protocol == IPPROTO_TCP) {
		key.port[0] = htons(1024);
		key.port[1] = htons(80);
	}
	return key;
}

static enum gpc_recheck says(const char *next, bool audit, const struct gpc_flow_key4 *key,
			     const struct gpc_flow *flow)
{
	GPC_CLEANUP(gpc_image_release) struct gpc_image image = image_of_text(next);

	return gpc_recheck(&image, audit, GPC_V4, key, flow);
}

static void a_chain_that_means_the_same_is_not_asked(void)
{
	GPC_CLEANUP(gpc_image_release) struct gpc_image image = image_of_text(TEXT("web", ""));
	const struct gpc_flow_key4 key = key4(forward);
	struct gpc_flow flow = entered(&image, 0);

	CU_ASSERT_EQUAL(says(TEXT("web", ""), false, &key, &flow), GPC_RECHECK_NOT_ASKED);
	CU_ASSERT_EQUAL(says(TEXT("ssh", ", existing: keep"), false, &key, &flow),
			GPC_RECHECK_NOT_ASKED);
	CU_ASSERT_EQUAL(says(TEXT("ssh", ", stateful: false"), false, &key, &flow),
			GPC_RECHECK_NOT_ASKED);
	flow.chain[GPC_INGRESS] ^= 1;
	CU_ASSERT_EQUAL(says(TEXT("ssh", ""), false, &key, &flow), GPC_RECHECK_NOT_ASKED);
	flow.chain[GPC_INGRESS] = 0;
	CU_ASSERT_EQUAL(says(TEXT("ssh", ""), false, &key, &flow), GPC_RECHECK_NOT_ASKED);
}

static void what_is_no_longer_allowed_is_revoked(void)
{
	GPC_CLEANUP(gpc_image_release) struct gpc_image image = image_of_text(TEXT("web", ""));
	const struct gpc_flow_key4 key = key4(forward);
	struct gpc_flow flow = entered(&image, 0);

	CU_ASSERT_EQUAL(says(TEXT("ssh", ""), false, &key, &flow), GPC_RECHECK_REVOKED);
	CU_ASSERT_EQUAL(says(TEXT("rest", ", default: pass"), false, &key, &flow),
			GPC_RECHECK_REVOKED);
	CU_ASSERT_EQUAL(says(TEXT("ssh, web", ""), false, &key, &flow), GPC_RECHECK_STANDS);
	CU_ASSERT_EQUAL(says(TEXT("ssh", ""), true, &key, &flow), GPC_RECHECK_STANDS);
	flow.flags = GPC_FLOW_REVERSED;
	CU_ASSERT_EQUAL(says(TEXT("ssh, web", ""), false, &key, &flow), GPC_RECHECK_REVOKED);
}

static void a_permission_of_audit_ends_with_it(void)
{
	GPC_CLEANUP(gpc_image_release) struct gpc_image image = image_of_text(TEXT("ssh", ""));
	const struct gpc_flow_key4 key = key4(forward);
	struct gpc_flow flow = entered(&image, 0);

	flow.state |= GPC_FLOW_WOULD_DENY;
	flow.epoch |= GPC_EPOCH_AUDIT;
	CU_ASSERT_EQUAL(says(TEXT("ssh", ""), true, &key, &flow), GPC_RECHECK_NOT_ASKED);
	CU_ASSERT_EQUAL(says(TEXT("ssh", ""), false, &key, &flow), GPC_RECHECK_REVOKED);
}

static void it_is_asked_about_the_first_packet(void)
{
	GPC_CLEANUP(gpc_image_release) struct gpc_image image = image_of_text(TEXT("web", ""));
	GPC_CLEANUP(gpc_image_release) struct gpc_image next = image_of_text(TEXT("web6", ""));
	const struct gpc_flow_key4 ping = key4(echo);
	struct gpc_flow_key6 key6 = {.port = {htons(1024), htons(80)}, .protocol = IPPROTO_UDP};
	struct gpc_flow flow = entered(&image, 0);

	inet_pton(AF_INET6, "fd00::1", key6.address[0]);
	inet_pton(AF_INET6, "fd00::2", key6.address[1]);
	CU_ASSERT_EQUAL(gpc_recheck(&next, false, GPC_V6, &key6, &flow), GPC_RECHECK_STANDS);
	flow.flags = GPC_FLOW_REVERSED;
	CU_ASSERT_EQUAL(gpc_recheck(&next, false, GPC_V6, &key6, &flow), GPC_RECHECK_REVOKED);
	flow.tcp_flags = 0;
	CU_ASSERT_EQUAL(says(TEXT("ping", ""), false, &ping, &flow), GPC_RECHECK_STANDS);
	CU_ASSERT_EQUAL(says(TEXT("ssh", ""), false, &ping, &flow), GPC_RECHECK_REVOKED);
}

GPC_UNIT_MAIN("plane/recheck",
	      {"a_chain_that_means_the_same_is_not_asked", a_chain_that_means_the_same_is_not_asked},
	      {"what_is_no_longer_allowed_is_revoked", what_is_no_longer_allowed_is_revoked},
	      {"a_permission_of_audit_ends_with_it", a_permission_of_audit_ends_with_it},
	      {"it_is_asked_about_the_first_packet", it_is_asked_about_the_first_packet})
