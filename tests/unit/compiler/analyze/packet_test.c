/* SPDX-License-Identifier: MIT */
#include "analyze/packet.h"

#include <stdint.h>
#include <string.h>

#include "../../unit.h"

static void packets_become_questions(void)
{
	static const struct {
		const char *text;
		uint8_t protocol, flags, family, fragment, dscp;
		uint16_t vlan;
		uint32_t source_port, destination_port;
	} rows[] = {
		{"tcp 10.0.1.5:40000 -> 10.0.9.3:5432", 6, GPC_ASK_SYN, GPC_V4, 0, 0,
		 GPC_VLAN_NONE, 40000, 5432},
		{"tcp 10.0.1.5 -> 10.0.9.3:0", 6, GPC_ASK_SYN, GPC_V4, 0, 0, GPC_VLAN_NONE, 40000,
		 0},
		{"  udp\t[2001:db8::1]:53   ->  [2001:db8::2]:65535 \r", 17, 0, GPC_V6, 0, 0,
		 GPC_VLAN_NONE, 53, 65535},
		{"udp 2001:db8::1 -> [::2]:7", 17, 0, GPC_V6, 0, 0, GPC_VLAN_NONE, 40000, 7},
		{"icmp 10.0.1.5 -> 10.0.9.3", 1, 0, GPC_V4, 0, 0, GPC_VLAN_NONE, GPC_PORT_NONE,
		 8 << 8},
		{"icmp6 ::1 -> ::2", 58, 0, GPC_V6, 0, 0, GPC_VLAN_NONE, GPC_PORT_NONE, 128 << 8},
		{"icmp 1.2.3.4 -> 5.6.7.8 type destination-unreachable code 4", 1, 0, GPC_V4, 0, 0,
		 GPC_VLAN_NONE, GPC_PORT_NONE, 3 << 8 | 4},
		{"gre 1.2.3.4 -> 5.6.7.8 dscp 46 vlan 7", 47, 0, GPC_V4, 0, 46, 7, GPC_PORT_NONE,
		 GPC_PORT_NONE},
		{"tcp 1.2.3.4 -> 5.6.7.8:9 flags ack,fin fragment first", 6,
		 GPC_ASK_ACK | GPC_ASK_FIN, GPC_V4, GPC_FRAGMENT_FIRST, 0, GPC_VLAN_NONE, 40000, 9},
		{"tcp 1.2.3.4 -> 5.6.7.8:9 flags none", 6, 0, GPC_V4, 0, 0, GPC_VLAN_NONE, 40000,
		 9},
		{"tcp 1.2.3.4 -> 5.6.7.8 fragment later", 6, 0, GPC_V4, GPC_FRAGMENT_LATER, 0,
		 GPC_VLAN_NONE, GPC_PORT_NONE, GPC_PORT_NONE},
		{"132 1.2.3.4:1 -> 5.6.7.8:2", 132, 0, GPC_V4, 0, 0, GPC_VLAN_NONE, 1, 2},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct gpc_packet_fault fault = {0};
		struct gpc_question q;

		CU_ASSERT_TRUE_FATAL(
			gpc_packet_parse(rows[i].text, strlen(rows[i].text), &q, &fault));
		CU_ASSERT_EQUAL(q.protocol, rows[i].protocol);
		CU_ASSERT_EQUAL(q.tcp_flags, rows[i].flags);
		CU_ASSERT_EQUAL(q.family, rows[i].family);
		CU_ASSERT_EQUAL(q.fragment, rows[i].fragment);
		CU_ASSERT_EQUAL(q.dscp, rows[i].dscp);
		CU_ASSERT_EQUAL(q.vlan, rows[i].vlan);
		CU_ASSERT_EQUAL(q.source_port, rows[i].source_port);
		CU_ASSERT_EQUAL(q.destination_port, rows[i].destination_port);
	}
}

static void faults_are_named_with_their_place(void)
{
	static const struct {
		const char *text, *fault;
		size_t at;
	} rows[] = {
		{"", "no packet", 0},
		{"tpc 1.2.3.4 -> 5.6.7.8:1",
		 "no such protocol: give a name (tcp, udp, icmp, icmp6, gre, ...) or a number", 0},
		{"tcp", "no source address", 3},
		{"tcp 1.2.3.4.5 -> 5.6.7.8:1", "source is not an address", 4},
		{"tcp 1.2.3.4", "no -> behind the source", 11},
		{"tcp 1.2.3.4 5.6.7.8:1", "no -> behind the source", 12},
		{"tcp 1.2.3.4 ->", "no destination address", 14},
		{"tcp 1.2.3.4 -> 5.6.7.8", "no destination port; write ADDRESS:PORT", 22},
		{"tcp 1.2.3.4:70000 -> 5.6.7.8:1",
		 "port of the source is not a number from 0 to 65535", 4},
		{"tcp [::1 -> [::2]:1", "source is not an address; [ADDRESS]:PORT", 4},
		{"gre 1.2.3.4:5 -> 5.6.7.8", "source has a port, which this protocol does not have",
		 4},
		{"tcp 1.2.3.4 -> 5.6.7.8:1 colour red",
		 "not one of flags, type, code, vlan, dscp, fragment", 25},
		{"tcp 1.2.3.4 -> 5.6.7.8:1 vlan", "no value for `vlan`", 29},
		{"tcp 1.2.3.4 -> 5.6.7.8:1 vlan 4096",
		 "vlan is not a number from 0 to 4095, or none", 30},
		{"tcp 1.2.3.4 -> 5.6.7.8:1 flags syn,",
		 "not a list of syn, ack, fin, rst, joined by commas, or none", 31},
		{"udp 1.2.3.4 -> 5.6.7.8:1 flags syn", "only TCP has flags", 31},
		{"tcp 1.2.3.4 -> 5.6.7.8:1 fragment later", "a later fragment has no ports", 39},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct gpc_packet_fault fault = {0};
		struct gpc_question q;

		CU_ASSERT_FALSE_FATAL(
			gpc_packet_parse(rows[i].text, strlen(rows[i].text), &q, &fault));
		CU_ASSERT_STRING_EQUAL(fault.text, rows[i].fault);
		CU_ASSERT_EQUAL(fault.at, rows[i].at);
	}
}

static void what_is_written_reads_the_same(void)
{
	static const char *const texts[] = {
		"tcp 10.0.1.5:40000 -> 10.0.9.3:5432",
		"udp [2001:db8::1]:53 -> [2001:db8::2]:53",
		"icmp 10.0.1.5 -> 10.0.9.3 type 8 code 0",
		"tcp 1.2.3.4:1 -> 5.6.7.8:9 flags syn,ack vlan 7 dscp 46 fragment first",
		"tcp 1.2.3.4:1 -> 5.6.7.8:9 flags ack,fin,rst",
		"tcp 1.2.3.4:1 -> 5.6.7.8:9 flags none",
		"ospf 1.2.3.4 -> 5.6.7.8",
		"253 1.2.3.4 -> 5.6.7.8 fragment later",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct gpc_packet_fault fault;
		char out[GPC_PACKET_TEXT];
		struct gpc_question q;

		CU_ASSERT_TRUE_FATAL(gpc_packet_parse(texts[i], strlen(texts[i]), &q, &fault));
		CU_ASSERT_STRING_EQUAL(gpc_packet_format(&q, out), texts[i]);
	}
}

GPC_UNIT_MAIN("analyze/packet", {"packets_become_questions", packets_become_questions},
	      {"faults_are_named_with_their_place", faults_are_named_with_their_place},
	      {"what_is_written_reads_the_same", what_is_written_reads_the_same})
