/* SPDX-License-Identifier: MIT */
#include "intent/ports.h"

#include <netinet/in.h>

#include "tests/unit/unit.h"

static const struct item {
	const char *text;
	bool any, ranged;
	uint8_t protocol;
	uint32_t first, last;
} items[] = {
	{.text = "any", .any = true},
	{.text = "tcp", .protocol = IPPROTO_TCP},
	{.text = "sctp", .protocol = IPPROTO_SCTP},
	{.text = "tcp/0", .ranged = true, .protocol = IPPROTO_TCP},
	{.text = "tcp/22", .ranged = true, .protocol = IPPROTO_TCP, .first = 22, .last = 22},
	{.text = "udp/0-65535", .ranged = true, .protocol = IPPROTO_UDP, .last = 65535},
	{.text = "icmp", .protocol = IPPROTO_ICMP},
	{.text = "icmp/8", .ranged = true, .protocol = IPPROTO_ICMP, .first = 0x800, .last = 0x8ff},
	{.text = "icmp/redirect",
	 .ranged = true,
	 .protocol = IPPROTO_ICMP,
	 .first = 0x500,
	 .last = 0x5ff},
	{.text = "icmp/destination-unreachable/4",
	 .ranged = true,
	 .protocol = IPPROTO_ICMP,
	 .first = 0x304,
	 .last = 0x304},
	{.text = "icmp6/destination-unreachable",
	 .ranged = true,
	 .protocol = IPPROTO_ICMPV6,
	 .first = 0x100,
	 .last = 0x1ff},
	{.text = "icmp6/neighbour-advertisement/0",
	 .ranged = true,
	 .protocol = IPPROTO_ICMPV6,
	 .first = 0x8800,
	 .last = 0x8800},
	{.text = "icmp6/255/255",
	 .ranged = true,
	 .protocol = IPPROTO_ICMPV6,
	 .first = 0xffff,
	 .last = 0xffff},
	{.text = "proto/0"},
	{.text = "proto/255", .protocol = 255},
	{.text = "proto/vrrp", .protocol = 112},
	{.text = "proto/tcp", .protocol = IPPROTO_TCP},
};

static const struct refusal {
	const char *text;
	enum gpc_ports_error error;
} refusals[] = {
	{"", GPC_PORTS_SYNTAX},
	{"TCP", GPC_PORTS_SYNTAX},
	{"22", GPC_PORTS_SYNTAX},
	{"any/22", GPC_PORTS_SYNTAX},
	{"proto", GPC_PORTS_SYNTAX},
	{"ospf", GPC_PORTS_PORTLESS},
	{"gre/1", GPC_PORTS_PORTLESS},
	{"tcp/", GPC_PORTS_NUMBER},
	{"tcp/22-", GPC_PORTS_NUMBER},
	{"tcp/-22", GPC_PORTS_NUMBER},
	{"tcp/22-23-24", GPC_PORTS_NUMBER},
	{"tcp/22/23", GPC_PORTS_NUMBER},
	{"tcp/ 22", GPC_PORTS_NUMBER},
	{"tcp/022", GPC_PORTS_LEADING_ZERO},
	{"tcp/1-08", GPC_PORTS_LEADING_ZERO},
	{"icmp/08", GPC_PORTS_LEADING_ZERO},
	{"tcp/65536", GPC_PORTS_PORT},
	{"tcp/99999999999999999999", GPC_PORTS_PORT},
	{"tcp/23-22", GPC_PORTS_ORDER},
	{"icmp/256", GPC_PORTS_BYTE},
	{"icmp/8/256", GPC_PORTS_BYTE},
	{"proto/256", GPC_PORTS_BYTE},
	{"icmp/packet-too-big", GPC_PORTS_TYPE},
	{"icmp/", GPC_PORTS_TYPE},
	{"icmp6/8/", GPC_PORTS_NUMBER},
	{"proto/", GPC_PORTS_PROTOCOL},
	{"proto/tcp/22", GPC_PORTS_PROTOCOL},
	{"tcp/22222222222222222222222222222222222222222222222222222222222222222", GPC_PORTS_SYNTAX},
};

static void items_say_protocol_and_ports(void)
{
	for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
		const struct item *wanted = &items[i];
		struct gpc_ports_item item = {0};

		CU_ASSERT_EQUAL(gpc_ports_parse(wanted->text, &item), GPC_PORTS_OK);
		CU_ASSERT_EQUAL(item.any, wanted->any);
		CU_ASSERT_EQUAL(item.ranged, wanted->ranged);
		CU_ASSERT_EQUAL(item.protocol, wanted->protocol);
		CU_ASSERT_EQUAL(item.first, wanted->first);
		CU_ASSERT_EQUAL(item.last, wanted->last);
	}
}

static void what_is_no_item_is_refused_for_its_cause(void)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct gpc_ports_item item = {.first = 77};

		CU_ASSERT_EQUAL(gpc_ports_parse(refusals[i].text, &item), refusals[i].error);
		CU_ASSERT_EQUAL(item.first, 77);
	}
}

static void types_belong_to_their_protocol(void)
{
	uint8_t type = 1;

	CU_ASSERT_EQUAL(gpc_icmp_type_parse("echo-request", IPPROTO_ICMP, &type), GPC_PORTS_OK);
	CU_ASSERT_EQUAL(type, 8);
	CU_ASSERT_EQUAL(gpc_icmp_type_parse("echo-request", IPPROTO_ICMPV6, &type), GPC_PORTS_OK);
	CU_ASSERT_EQUAL(type, 128);
	CU_ASSERT_EQUAL(gpc_icmp_type_parse("router-solicitation", IPPROTO_ICMP, &type),
			GPC_PORTS_TYPE);
	CU_ASSERT_EQUAL(type, 128);
}

GPC_UNIT_MAIN("intent/ports", {"items_say_protocol_and_ports", items_say_protocol_and_ports},
	      {"what_is_no_item_is_refused_for_its_cause",
	       what_is_no_item_is_refused_for_its_cause},
	      {"types_belong_to_their_protocol", types_belong_to_their_protocol})
