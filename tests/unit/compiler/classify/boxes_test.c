/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "../../unit.h"
#include "classify/boxes.h"

#define TCP 6
#define UDP 17
#define ANY_MATCH GPC_MATCH_ANY

static const struct gpc_service_item web = {TCP, TCP, GPC_ANY_PORT, {80, 443}};
static const struct gpc_service_item all_tcp = {TCP, TCP, GPC_ANY_PORT, GPC_ANY_PORT};
static const struct gpc_service_item all = {0, 255, GPC_ANY_PORT, GPC_ANY_PORT};

static struct gpc_question question(const char *from, const char *to, uint8_t protocol,
				    uint32_t port)
{
	struct gpc_question asked = {.source_port = 40000,
				     .destination_port = port,
				     .vlan = GPC_VLAN_NONE,
				     .protocol = protocol};
	struct gpc_ip ip = {{0}};

	gpc_ip_parse(from, strlen(from), &ip);
	memcpy(asked.source, &ip, sizeof(ip));
	gpc_ip_parse(to, strlen(to), &ip);
	memcpy(asked.destination, &ip, sizeof(ip));
	return asked;
}

static bool one(const struct gpc_service_item *item, struct gpc_match match,
		const struct gpc_question *asked)
{
	struct gpc_service service = {item, 1, match};

	return gpc_service_matches(&service, asked);
}

static void ranges_of_ports_include_both_ends(void)
{
	static const uint32_t in[] = {80, 200, 443}, out[] = {79, 444, GPC_PORT_NONE};

	for (int i = 0; i < 3; i++) {
		struct gpc_question asked = question("::", "::", TCP, in[i]);

		CU_ASSERT(one(&web, ANY_MATCH, &asked));
		asked.protocol = UDP;
		CU_ASSERT(!one(&web, ANY_MATCH, &asked));
		asked = question("::", "::", TCP, out[i]);
		CU_ASSERT(!one(&web, ANY_MATCH, &asked));
		CU_ASSERT(one(&all_tcp, ANY_MATCH, &asked) && one(&all, ANY_MATCH, &asked));
	}
}

static void each_field_of_match_is_asked(void)
{
	struct gpc_question asked = question("::", "::", TCP, 80);
	struct gpc_match match = ANY_MATCH;

	asked.dscp = 46;
	asked.tcp_flags = GPC_ASK_SYN;
	asked.vlan = 7;
	asked.fragment = GPC_FRAGMENT_FIRST;
	match.dscp = 1ull << 46;
	CU_ASSERT(one(&all, match, &asked));
	match.dscp = ~(1ull << 46);
	CU_ASSERT(!one(&all, match, &asked));
	match = ANY_MATCH;
	match.tcp_flags = 1u << GPC_ASK_SYN;
	CU_ASSERT(one(&all, match, &asked));
	match.tcp_flags = 1u << (GPC_ASK_SYN | GPC_ASK_ACK);
	CU_ASSERT(!one(&all, match, &asked));
	match = ANY_MATCH;
	match.vlan = 7;
	CU_ASSERT(one(&all, match, &asked));
	match.vlan = GPC_VLAN_NONE;
	CU_ASSERT(!one(&all, match, &asked));
	match = ANY_MATCH;
	match.fragments = 1u << GPC_FRAGMENT_FIRST;
	CU_ASSERT(one(&all, match, &asked));
	match.fragments = 1u << GPC_FRAGMENT_NONE | 1u << GPC_FRAGMENT_LATER;
	CU_ASSERT(!one(&all, match, &asked));
}

static void a_service_without_items_matches_nothing(void)
{
	struct gpc_service none = {NULL, 0, ANY_MATCH};
	struct gpc_question asked = question("::", "::", TCP, 80);

	CU_ASSERT(!gpc_service_matches(&none, &asked));
}

static void services_are_equal_by_value(void)
{
	struct gpc_service_item copy = web;
	struct gpc_service a = {&web, 1, ANY_MATCH}, b = {&copy, 1, ANY_MATCH};

	CU_ASSERT(gpc_service_equal(&a, &b));
	copy.source.last = 1;
	CU_ASSERT(!gpc_service_equal(&a, &b));
	copy = web;
	copy.protocol_last = 7;
	CU_ASSERT(!gpc_service_equal(&a, &b));
	copy = web;
	b.match.vlan = 3;
	CU_ASSERT(!gpc_service_equal(&a, &b));
	b = a;
	b.count = 0;
	CU_ASSERT(!gpc_service_equal(&a, &b));
}

static void the_smallest_position_answers(void)
{
	struct gpc_arena arena = {0};
	struct gpc_prefix ten = {.v4 = true, .length = 8};
	struct gpc_set sets[2];
	struct gpc_service services[] = {{&web, 1, ANY_MATCH}, {&all, 1, ANY_MATCH}};
	struct gpc_space space = {sets, 2, services, 2};
	struct gpc_box boxes[] = {{1, 1, 0, 3}, {1, 0, 0, 5}, {0, 1, 1, 5}, {0, 1, 1, 9}};
	struct gpc_box_list list = {boxes, 4};
	struct gpc_question asked = question("10.1.2.3", "10.0.0.1", TCP, 443);

	gpc_ip_parse("10.0.0.0", 8, &ten.ip);
	sets[0] = gpc_set_all(&arena);
	sets[1] = gpc_set_of_prefixes(&arena, &ten, 1);
	CU_ASSERT_EQUAL(gpc_boxes_first(&space, &list, &asked), 3);
	asked = question("10.1.2.3", "2001:db8::1", TCP, 443);
	CU_ASSERT_EQUAL(gpc_boxes_first(&space, &list, &asked), 5);
	asked = question("2001:db8::1", "10.1.2.3", UDP, 443);
	CU_ASSERT_EQUAL(gpc_boxes_first(&space, &list, &asked), 5);
	asked = question("2001:db8::1", "11.1.2.3", UDP, 443);
	CU_ASSERT_EQUAL(gpc_boxes_first(&space, &list, &asked), UINT32_MAX);
	gpc_arena_release(&arena);
}

GPC_UNIT_MAIN("classify/boxes",
	      {"ranges_of_ports_include_both_ends", ranges_of_ports_include_both_ends},
	      {"each_field_of_match_is_asked", each_field_of_match_is_asked},
	      {"a_service_without_items_matches_nothing", a_service_without_items_matches_nothing},
	      {"services_are_equal_by_value", services_are_equal_by_value},
	      {"the_smallest_position_answers", the_smallest_position_answers})
