/* SPDX-License-Identifier: MIT */
/* Frames of tests: headers byte for byte where it counts, checksums by sums of the test's own. */
#include <arpa/inet.h>
#include <string.h>

#include "gpc/lookup/question.h"
#include "loader/sim/frame.h"
#include "loader/sim/host.h"
#include "tests/unit/unit.h"

static uint8_t frame[GPC_FRAME_MAX];

static struct gpc_prefix_value address(const char *text)
{
	struct gpc_prefix_value value = {0};

	CU_ASSERT_EQUAL(gpc_prefix_parse(text, strlen(text), &value.prefix), GPC_IP_OK);
	return value;
}

static struct gpc_uint_value number(uint64_t value)
{
	return (struct gpc_uint_value){.set = true, .value = value};
}

static struct gpc_send_intent packet(const char *from, const char *to)
{
	return (struct gpc_send_intent){
		.in = {.text = "wan0"}, .from = address(from), .to = address(to)};
}

static struct gpc_send_intent tcp4(void)
{
	struct gpc_send_intent send = packet("198.51.100.7", "203.0.113.10");

	send.dport = number(443);
	return send;
}

static unsigned int get16(size_t at)
{
	return (unsigned int)frame[at] << 8 | frame[at + 1];
}

/* One's complement sum of bytes [from, end), an odd one taken with a zero behind it. */
static uint32_t sum(size_t from, size_t end)
{
	uint32_t total = 0;

	for (size_t i = from; i < end; i += 2)
		total += (uint32_t)frame[i] << 8 | (i + 1 < end ? frame[i + 1] : 0u);
	return total;
}

/* 0 if a checksum that is part of the sum is right. */
static unsigned int rest(uint32_t total)
{
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return 0xffff - total;
}

static unsigned int rest_l4(size_t ip, size_t l4, size_t end, uint8_t protocol)
{
	uint32_t addresses = frame[ip] >> 4 == 4 ? sum(ip + 12, ip + 20) : sum(ip + 8, ip + 40);

	return rest(addresses + protocol + (uint32_t)(end - l4) + sum(l4, end));
}

/* ---- cases ---- */

static void a_syn_by_default(void)
{
	static const uint8_t want[] = {0x08, 0x00, 0x45, 0, 0, 40, 0, 1, 0x40, 0, 64, 6};
	static const uint8_t ports[] = {0x9c, 0x40, 0x01, 0xbb};
	struct gpc_send_intent send = tcp4();
	size_t size = gpc_frame_build(&send, frame);

	CU_ASSERT_EQUAL(size, 54);
	CU_ASSERT(!memcmp(frame + 12, want, sizeof(want)));
	CU_ASSERT(!memcmp(frame + 34, ports, sizeof(ports)));
	CU_ASSERT_EQUAL(frame[46], 0x50);
	CU_ASSERT_EQUAL(frame[47], 0x02);
	CU_ASSERT_EQUAL(rest(sum(14, 34)), 0);
	CU_ASSERT_EQUAL(rest_l4(14, 34, size, 6), 0);
}

static void what_is_written_counts(void)
{
	struct gpc_send_intent send = tcp4();
	size_t size;

	send.sport = number(1);
	send.tcp_flags = number(GPC_ASK_SYN | GPC_ASK_ACK | GPC_ASK_FIN | GPC_ASK_RST);
	send.dscp = number(46);
	send.ttl = number(0);
	send.vlan = number(101);
	send.payload = number(33);
	size = gpc_frame_build(&send, frame);
	CU_ASSERT_EQUAL(size, 58 + 33);
	CU_ASSERT_EQUAL(get16(12), 0x8100);
	CU_ASSERT_EQUAL(get16(14), 101);
	CU_ASSERT_EQUAL(get16(16), 0x0800);
	CU_ASSERT_EQUAL(frame[19], 46 << 2);
	CU_ASSERT_EQUAL(get16(20), 40 + 33);
	CU_ASSERT_EQUAL(frame[26], 0);
	CU_ASSERT_EQUAL(get16(38), 1);
	CU_ASSERT_EQUAL(frame[51], 0x17);
	CU_ASSERT_EQUAL(rest_l4(18, 38, size, 6), 0);
	send.vlan = number(GPC_VLAN_NONE);
	CU_ASSERT_EQUAL(gpc_frame_build(&send, frame), 54 + 33);
}

/* Every protocol, both families, odd and even payloads. */
static void checksums_are_right(void)
{
	static const struct {
		uint8_t protocol;
		size_t l4;
	} rows[] = {{6, 20}, {17, 8}, {58, 8}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		for (int v6 = 0; v6 < 2; v6++)
			for (unsigned int payload = 0; payload < 40; payload++) {
				struct gpc_send_intent send =
					v6 ? packet("2001:db8::1", "2001:db8::2")
					   : packet("192.0.2.1", "192.0.2.2");
				size_t l4 = v6 ? 54 : 34, size;

				send.protocol = number(rows[i].protocol);
				send.dport = number(53);
				send.payload = number(payload);
				size = gpc_frame_build(&send, frame);
				CU_ASSERT_EQUAL(size, l4 + rows[i].l4 + payload);
				CU_ASSERT_EQUAL(rest_l4(14, l4, size, rows[i].protocol), 0);
				CU_ASSERT_EQUAL(frame[v6 ? 20 : 23], rows[i].protocol);
			}
}

static void icmp_is_an_echo_by_default(void)
{
	struct gpc_send_intent send = packet("192.0.2.1", "192.0.2.2");
	size_t size;

	send.protocol = number(1);
	send.payload = number(5);
	size = gpc_frame_build(&send, frame);
	CU_ASSERT_EQUAL(get16(34), 0x0800);
	CU_ASSERT_EQUAL(rest(sum(34, size)), 0);
	send.icmp_type = number(3);
	send.icmp_code = number(4);
	gpc_frame_build(&send, frame);
	CU_ASSERT_EQUAL(get16(34), 0x0304);
	send = packet("2001:db8::1", "2001:db8::2");
	send.protocol = number(58);
	gpc_frame_build(&send, frame);
	CU_ASSERT_EQUAL(get16(54), 0x8000);
}

static void others_have_no_ports(void)
{
	struct gpc_send_intent send = packet("192.0.2.1", "192.0.2.2");

	send.protocol = number(47);
	send.payload = number(3);
	CU_ASSERT_EQUAL(gpc_frame_build(&send, frame), 34 + 3);
	CU_ASSERT_EQUAL(frame[23], 47);
	/* CRC32c of an SCTP header without chunks, by long division with the unreflected polynomial. */
	send.protocol = number(132);
	send.payload = number(0);
	send.sport = number(1);
	send.dport = number(2);
	CU_ASSERT_EQUAL(gpc_frame_build(&send, frame), 34 + 12);
	CU_ASSERT(!memcmp(frame + 42, (uint8_t[4]){0xfd, 0x98, 0x80, 0x51}, 4));
}

static void fragments(void)
{
	struct gpc_send_intent send = tcp4();

	send.fragment = number(GPC_FRAGMENT_FIRST);
	CU_ASSERT_EQUAL(gpc_frame_build(&send, frame), 34 + 24); /* a multiple of 8 */
	CU_ASSERT_EQUAL(get16(20), 0x2000);
	CU_ASSERT_EQUAL(get16(36), 443);
	send.fragment = number(GPC_FRAGMENT_LATER);
	CU_ASSERT_EQUAL(gpc_frame_build(&send, frame), 34 + 8);
	CU_ASSERT_EQUAL(get16(20), 185);
	send = packet("2001:db8::1", "2001:db8::2");
	send.protocol = number(17);
	send.dport = number(53);
	send.fragment = number(GPC_FRAGMENT_FIRST);
	CU_ASSERT_EQUAL(gpc_frame_build(&send, frame), 54 + 8 + 8);
	CU_ASSERT_EQUAL(frame[20], 44);
	CU_ASSERT_EQUAL(frame[54], 17);
	CU_ASSERT_EQUAL(get16(56), 1);
	CU_ASSERT_EQUAL(get16(64), 53);
	send.fragment = number(GPC_FRAGMENT_LATER);
	CU_ASSERT_EQUAL(gpc_frame_build(&send, frame), 54 + 8 + 8);
	CU_ASSERT_EQUAL(get16(56), 185 << 3);
}

/* What leaves comes from the device's address. */
static void direction_is_in_the_macs(void)
{
	struct gpc_send_intent send = tcp4();
	uint8_t neighbour[6];

	gpc_sim_mac(GPC_SIM_NEIGHBOUR, neighbour);
	gpc_frame_build(&send, frame);
	CU_ASSERT(!memcmp(frame + 6, neighbour, 6));
	CU_ASSERT(memcmp(frame, neighbour, 6));
	send.out = send.in;
	send.in.text = NULL;
	gpc_frame_build(&send, frame);
	CU_ASSERT(!memcmp(frame, neighbour, 6));
	CU_ASSERT(memcmp(frame + 6, neighbour, 6));
}

static void the_largest_fits(void)
{
	struct gpc_send_intent send = packet("2001:db8::1", "2001:db8::2");
	size_t size;

	send.dport = number(1);
	send.vlan = number(1);
	send.payload = number(65435);
	send.fragment = number(GPC_FRAGMENT_FIRST);
	size = gpc_frame_build(&send, frame);
	CU_ASSERT(size <= sizeof(frame));
	CU_ASSERT_EQUAL(get16(22), size - 18 - 40);
}

GPC_UNIT_MAIN("sim/frame", {"a_syn_by_default", a_syn_by_default},
	      {"what_is_written_counts", what_is_written_counts},
	      {"checksums_are_right", checksums_are_right},
	      {"icmp_is_an_echo_by_default", icmp_is_an_echo_by_default},
	      {"others_have_no_ports", others_have_no_ports}, {"fragments", fragments},
	      {"direction_is_in_the_macs", direction_is_in_the_macs},
	      {"the_largest_fits", the_largest_fits})
