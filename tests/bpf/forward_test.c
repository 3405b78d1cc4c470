// SPDX-License-Identifier: MIT
/* Exact bytes of what leaves, for every way of forwarding, family and shape of frame. */
#include <linux/bpf.h>
#include <string.h>

#include "rig.h"
#include "tests/unit/unit.h"

static struct rig rig;

/* How the frame leaves: outer header by families of outside and inside, or MAC addresses alone. */
enum out { V4_IN_V4, V4_IN_V6, V6_IN_V6, MACS };

struct row {
	const char *name;
	struct frame_spec spec;
	enum out out;
	uint32_t backend;
};

#define A(n) "203.0.113." #n
#define B(n) "2001:db8:ff::" #n

static const struct row rows[] = {
	/* each mode and family, back out of the device it came by */
	{"v4 in v4", {.to = A(1)}, V4_IN_V4, RIG_V4},
	{"v4 in v4, udp", {.to = A(1), .protocol = UDP, .port = 53}, V4_IN_V4, RIG_V4},
	{"v4 in v6", {.to = A(2)}, V4_IN_V6, RIG_V6},
	{"v6 in v6", {.to = B(1)}, V6_IN_V6, RIG_V6},
	{"v6 in v6, udp", {.to = B(1), .protocol = UDP, .port = 53}, V6_IN_V6, RIG_V6},
	{"v4 in v4 when both would do", {.to = A(23)}, V4_IN_V4, RIG_BOTH},
	{"v6 in v6 when both would do", {.to = B(23)}, V6_IN_V6, RIG_BOTH},
	{"dsr v4", {.to = A(3)}, MACS, RIG_V4},
	{"dsr v4, udp", {.to = A(22), .protocol = UDP, .port = 53}, MACS, RIG_V4},
	{"dsr v6", {.to = B(3)}, MACS, RIG_V6},
	{"dsr v4 to a v6 endpoint", {.to = A(4)}, MACS, RIG_V6},
	{"dsr v6 to a v4 endpoint", {.to = B(4)}, MACS, RIG_V4},
	/* out of another device */
	{"v4 in v4, elsewhere", {.to = A(5)}, V4_IN_V4, RIG_FAR},
	{"v6 in v6, elsewhere", {.to = B(5)}, V6_IN_V6, RIG_FAR},
	{"dsr, elsewhere", {.to = A(6)}, MACS, RIG_FAR},
	/* tags: kept on the way back, gone elsewhere */
	{"v4 in v4, one tag", {.to = A(1), .tags = 1}, V4_IN_V4, RIG_V4},
	{"v4 in v4, two tags", {.to = A(1), .tags = 2}, V4_IN_V4, RIG_V4},
	{"v4 in v6, one tag", {.to = A(2), .tags = 1}, V4_IN_V6, RIG_V6},
	{"v4 in v6, two tags", {.to = A(2), .tags = 2}, V4_IN_V6, RIG_V6},
	{"v6 in v6, one tag", {.to = B(1), .tags = 1}, V6_IN_V6, RIG_V6},
	{"v6 in v6, two tags", {.to = B(1), .tags = 2}, V6_IN_V6, RIG_V6},
	{"dsr, one tag", {.to = A(3), .tags = 1}, MACS, RIG_V4},
	{"dsr, two tags", {.to = B(3), .tags = 2}, MACS, RIG_V6},
	{"v4 in v4, one tag, elsewhere", {.to = A(5), .tags = 1}, V4_IN_V4, RIG_FAR},
	{"v4 in v4, two tags, elsewhere", {.to = A(5), .tags = 2}, V4_IN_V4, RIG_FAR},
	{"v6 in v6, one tag, elsewhere", {.to = B(5), .tags = 1}, V6_IN_V6, RIG_FAR},
	{"v6 in v6, two tags, elsewhere", {.to = B(5), .tags = 2}, V6_IN_V6, RIG_FAR},
	{"dsr, one tag, elsewhere", {.to = A(6), .tags = 1}, MACS, RIG_FAR},
	{"dsr, two tags, elsewhere", {.to = A(6), .tags = 2}, MACS, RIG_FAR},
	/* IPv4 options */
	{"one word of options", {.to = A(1), .options = 1}, V4_IN_V4, RIG_V4},
	{"ten words of options", {.to = A(1), .options = 10}, V4_IN_V4, RIG_V4},
	{"options, v4 in v6", {.to = A(2), .options = 3}, V4_IN_V6, RIG_V6},
	{"options, dsr", {.to = A(3), .options = 10}, MACS, RIG_V4},
	{"options, udp", {.to = A(1), .protocol = UDP, .port = 53, .options = 2}, V4_IN_V4, RIG_V4},
	{"options behind two tags", {.to = A(1), .tags = 2, .options = 10}, V4_IN_V4, RIG_V4},
	/* TCP options */
	{"tcp options", {.to = A(1), .tcp_options = 10}, V4_IN_V4, RIG_V4},
	{"tcp options, v6", {.to = B(1), .tcp_options = 10}, V6_IN_V6, RIG_V6},
	{"tcp options, nothing behind",
	 {.to = A(1), .tcp_options = 10, .no_payload = true},
	 V4_IN_V4,
	 RIG_V4},
	/* DSCP, ECN, DF, identification, label */
	{"tos", {.to = A(1), .tos = 0xb8}, V4_IN_V4, RIG_V4},
	{"ecn ect", {.to = A(1), .tos = 0x02}, V4_IN_V4, RIG_V4},
	{"ecn ce", {.to = A(1), .tos = 0x03}, V4_IN_V4, RIG_V4},
	{"all of tos", {.to = A(1), .tos = 0xff}, V4_IN_V4, RIG_V4},
	{"tos, v4 in v6", {.to = A(2), .tos = 0xbb}, V4_IN_V6, RIG_V6},
	{"class, v6 in v6", {.to = B(1), .tos = 0xbb}, V6_IN_V6, RIG_V6},
	{"class ff, v6 in v6", {.to = B(1), .tos = 0xff, .label = 0xfffff}, V6_IN_V6, RIG_V6},
	{"label, v6 in v6", {.to = B(1), .label = 0x12345}, V6_IN_V6, RIG_V6},
	{"no DF: identification copied",
	 {.to = A(1), .may_fragment = true, .id = 0xbeef},
	 V4_IN_V4,
	 RIG_V4},
	{"DF: identification 0", {.to = A(1), .id = 0xbeef}, V4_IN_V4, RIG_V4},
	{"no DF, v4 in v6", {.to = A(2), .may_fragment = true, .id = 1}, V4_IN_V6, RIG_V6},
	{"the evil bit is not copied", {.to = A(1), .fragment = 0x8000, .id = 7}, V4_IN_V4, RIG_V4},
	/* as large as the way takes (1500), and larger where a router may cut it or nothing is added */
	{"v4 in v4, 1500", {.to = A(1), .payload = 1440}, V4_IN_V4, RIG_V4},
	{"v4 in v6, 1500", {.to = A(2), .payload = 1420}, V4_IN_V6, RIG_V6},
	{"v6 in v6, 1500", {.to = B(1), .payload = 1400}, V6_IN_V6, RIG_V6},
	{"v4 in v4, 1501 without DF",
	 {.to = A(1), .payload = 1441, .may_fragment = true, .id = 5},
	 V4_IN_V4,
	 RIG_V4},
	{"dsr, 1500", {.to = A(3), .payload = 1460}, MACS, RIG_V4},
	/* IPv6 extension headers */
	{"hop-by-hop", {.to = B(1), .extensions = {HOP_BY_HOP}}, V6_IN_V6, RIG_V6},
	{"destination options", {.to = B(1), .extensions = {DESTINATION}}, V6_IN_V6, RIG_V6},
	{"routing", {.to = B(1), .extensions = {ROUTING}}, V6_IN_V6, RIG_V6},
	{"AH", {.to = B(1), .extensions = {AH}}, V6_IN_V6, RIG_V6},
	{"atomic fragment", {.to = B(1), .extensions = {FRAGMENT_HEADER}}, V6_IN_V6, RIG_V6},
	{"atomic fragment, dsr", {.to = B(3), .extensions = {FRAGMENT_HEADER}}, MACS, RIG_V6},
	{"six extension headers",
	 {.to = B(1),
	  .extensions = {HOP_BY_HOP, DESTINATION, ROUTING, FRAGMENT_HEADER, AH, DESTINATION}},
	 V6_IN_V6,
	 RIG_V6},
	{"six long ones",
	 {.to = B(1),
	  .extension_words = 20,
	  .extensions = {HOP_BY_HOP, DESTINATION, DESTINATION, DESTINATION, DESTINATION,
			 DESTINATION}},
	 V6_IN_V6,
	 RIG_V6},
	{"extension headers behind two tags",
	 {.to = B(1), .tags = 2, .extensions = {HOP_BY_HOP, ROUTING}},
	 V6_IN_V6,
	 RIG_V6},
	{"extension headers, udp",
	 {.to = B(1), .protocol = UDP, .port = 53, .extensions = {DESTINATION}},
	 V6_IN_V6,
	 RIG_V6},
	/* sizes and padding: it stays under dsr, never gets inside an outer header */
	{"nothing behind TCP", {.to = A(1), .no_payload = true}, V4_IN_V4, RIG_V4},
	{"nothing behind TCP, v6", {.to = B(1), .no_payload = true}, V6_IN_V6, RIG_V6},
	{"nothing behind UDP",
	 {.to = A(1), .protocol = UDP, .port = 53, .no_payload = true},
	 V4_IN_V4,
	 RIG_V4},
	{"nothing behind UDP, v6",
	 {.to = B(1), .protocol = UDP, .port = 53, .no_payload = true},
	 V6_IN_V6,
	 RIG_V6},
	{"padded", {.to = A(1), .no_payload = true, .padding = 6}, V4_IN_V4, RIG_V4},
	{"padded UDP",
	 {.to = A(1), .protocol = UDP, .port = 53, .no_payload = true, .padding = 18},
	 V4_IN_V4,
	 RIG_V4},
	{"padded, v4 in v6", {.to = A(2), .no_payload = true, .padding = 6}, V4_IN_V6, RIG_V6},
	{"padded, v6 in v6", {.to = B(1), .no_payload = true, .padding = 9}, V6_IN_V6, RIG_V6},
	{"padded, one tag",
	 {.to = A(1), .tags = 1, .no_payload = true, .padding = 2},
	 V4_IN_V4,
	 RIG_V4},
	{"padded, elsewhere",
	 {.to = A(5), .tags = 2, .no_payload = true, .padding = 40},
	 V4_IN_V4,
	 RIG_FAR},
	{"padded, dsr", {.to = A(3), .no_payload = true, .padding = 6}, MACS, RIG_V4},
	{"padded, dsr, elsewhere",
	 {.to = A(6), .tags = 1, .no_payload = true, .padding = 6},
	 MACS,
	 RIG_FAR},
	{"1400 bytes behind", {.to = A(1), .payload = 1400}, V4_IN_V4, RIG_V4},
	{"1400 bytes behind, v6", {.to = B(1), .payload = 1400}, V6_IN_V6, RIG_V6},
	{"an odd number of bytes", {.to = A(1), .payload = 333}, V4_IN_V4, RIG_V4},
	/* flags do not matter to bytes */
	{"syn", {.to = A(1), .flags = SYN}, V4_IN_V4, RIG_V4},
	{"rst", {.to = A(1), .flags = RST}, V4_IN_V4, RIG_V4},
	{"fin", {.to = B(1), .flags = FIN | ACK}, V6_IN_V6, RIG_V6},
	{"no flags that mean anything", {.to = A(1), .flags = 0xe0}, V4_IN_V4, RIG_V4},
	/* one address, several interfaces: the listener of this one */
	{"this interface's listener", {.to = A(21)}, V4_IN_V4, RIG_V4},
	/* client port and address above and below the VIP's */
	{"client above", {.to = A(1), .from = "203.0.113.254", .source_port = 1}, V4_IN_V4, RIG_V4},
	{"client below", {.to = A(1), .from = "1.0.0.1", .source_port = 65535}, V4_IN_V4, RIG_V4},
	{"client above, v6", {.to = B(1), .from = "fd00::1"}, V6_IN_V6, RIG_V6},
};

/* SipHash's key is in the image; the label that the program gives to v4 in v6 is documented in
 * encap.bpf.h. */
static uint32_t label_of(const struct frame *in)
{
	const uint8_t *ip = in->bytes + in->l3, *l4 = ip + 4 * (ip[0] & 15);
	uint32_t from, to;
	uint16_t ports[2];

	memcpy(&from, ip + 12, 4);
	memcpy(&to, ip + 16, 4);
	memcpy(ports, l4, 4);
	return (uint32_t)gpc_phash_mix(gpc_view_plane(rig_view(&rig))->hash_seed[0],
				       gpc_mapped_v4(from), gpc_mapped_v4(to),
				       (uint64_t)ports[0] << 16 | ports[1]) &
	       0xfffff;
}

static bool check_row(const struct row *row)
{
	static const char *const to4[] = {
		[RIG_V4] = "10.0.1.1", [RIG_BOTH] = "10.0.1.2", [RIG_FAR] = "10.0.1.3"};
	static const char *const to6[] = {[RIG_V6] = "2001:db8:1::1",
					  [RIG_BOTH] = "2001:db8:1::2",
					  [RIG_FAR] = "2001:db8:1::3"};
	bool far = row->backend == RIG_FAR, by6 = row->out == V4_IN_V6 || row->out == V6_IN_V6;
	struct frame_outer outer = {.keep_tags = !far, .label = row->spec.label};
	struct frame in, want;

	frame_build(&row->spec, &in);
	if (row->out == MACS)
		by6 = row->backend == RIG_V6;
	else
		outer.to = by6 ? to6[row->backend] : to4[row->backend];
	outer.from = by6 ? "2001:db8::fe" : "10.0.0.254";
	if (row->out == V4_IN_V6)
		outer.label = label_of(&in);
	rig_hop_mac(2 * row->backend + by6, outer.destination_mac);
	rig_device_mac(far ? RIG_OUT : RIG_HERE, outer.source_mac);
	frame_expect(&in, &outer, &want);
	if (row->out == V4_IN_V4 && frame_checksum(want.bytes + want.l3, 20))
		printf("%s: the test's own checksum is wrong\n", row->name);
	kernel_forget_flows(&rig.kernel);
	return rig_check(&rig, KERNEL_XDP, row->name, &in, far ? XDP_REDIRECT : XDP_TX,
			 GPC_REASON_FORWARDED, &want);
}

static void every_mode_and_shape(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		CU_ASSERT(check_row(&rows[i]));
	printf("forwarding cases: %zu\n", sizeof(rows) / sizeof(*rows));
}

/* Two frames byte by byte, so that builder and program cannot be wrong together. */
static void literal_bytes(void)
{
	static const uint8_t in4[] = {
		2,    0,    0,	  0,	0,    1,    2, 0,  0, 0, 0, 0xcc, 8,  0,   0x45,
		0xb8, 0,    40,	  0x12, 0x34, 0,    0, 63, 6, 0, 0, 198,  51, 100, 7,
		203,  0,    113,  1,	0x9c, 0x40, 0, 80, 0, 0, 0, 1,	  0,  0,   0,
		0,    0x50, 0x10, 0,	1,    0,    0, 0,  0, 0, 0, 0,	  0,  0,   0 /* padding */};
	/* outer checksum: 45b8 + 003c + 1234 + 0000 + 4004 + 0a00 + 00fe + 0a00 + 0101 = ae2b; ~ =
	 * 51d4 */
	static const uint8_t out4[] = {
		6,    0,   0,  0,    0,	   0x40, 2,    0,    0,	   0,	 0,    1,  8,  0, 0x45,
		0xb8, 0,   60, 0x12, 0x34, 0,	 0,    64,   4,	   0x51, 0xd4, 10, 0,  0, 254,
		10,   0,   1,  1,    0x45, 0xb8, 0,    40,   0x12, 0x34, 0,    0,  63, 6, 0,
		0,    198, 51, 100,  7,	   203,	 0,    113,  1,	   0x9c, 0x40, 0,  80, 0, 0,
		0,    1,   0,  0,    0,	   0,	 0x50, 0x10, 0,	   1,	 0,    0,  0,  0};
	static const uint8_t in6[] = {
		2,    0,    0, 0, 0,  1,  2,	0,    0,   0,	 0, 0xcc, 0x86, 0xdd, 0x6b, 0xba,
		0xbc, 0xde, 0, 8, 17, 63, 0x20, 1,    0xd, 0xb8, 0, 0x10, 0,	0,    0,    0,
		0,    0,    0, 0, 0,  7,  0x20, 1,    0xd, 0xb8, 0, 0xff, 0,	0,    0,    0,
		0,    0,    0, 0, 0,  1,  0x9c, 0x40, 0,   53,	 0, 8,	  0,	0};
	static const uint8_t out6[] = {
		6,    0,    0, 0,    0,	 0x43, 2,    0,	   0,	 0,    0, 1, 0x86, 0xdd, 0x6b, 0xba,
		0xbc, 0xde, 0, 48,   41, 64,   0x20, 1,	   0xd,	 0xb8, 0, 0, 0,	   0,	 0,    0,
		0,    0,    0, 0,    0,	 0xfe, 0x20, 1,	   0xd,	 0xb8, 0, 1, 0,	   0,	 0,    0,
		0,    0,    0, 0,    0,	 1,    0x6b, 0xba, 0xbc, 0xde, 0, 8, 17,   63,	 0x20, 1,
		0xd,  0xb8, 0, 0x10, 0,	 0,    0,    0,	   0,	 0,    0, 0, 0,	   7,	 0x20, 1,
		0xd,  0xb8, 0, 0xff, 0,	 0,    0,    0,	   0,	 0,    0, 0, 0,	   1,	 0x9c, 0x40,
		0,    53,   0, 8,    0,	 0};
	struct frame in = {.size = sizeof(in4)}, want = {.size = sizeof(out4)};

	memcpy(in.bytes, in4, sizeof(in4));
	memcpy(want.bytes, out4, sizeof(out4));
	CU_ASSERT(rig_check(&rig, KERNEL_XDP, "literal v4", &in, XDP_TX, GPC_REASON_FORWARDED,
			    &want));
	in.size = sizeof(in6);
	want.size = sizeof(out6);
	memcpy(in.bytes, in6, sizeof(in6));
	memcpy(want.bytes, out6, sizeof(out6));
	CU_ASSERT(rig_check(&rig, KERNEL_XDP, "literal v6", &in, XDP_TX, GPC_REASON_FORWARDED,
			    &want));
}

/* Packets, bytes of the frame as it came in, new flows: at the listener and at the endpoint. */
static void listener_and_endpoint_are_counted(void)
{
	struct frame_spec spec = {.to = A(1), .from = "198.51.100.99", .flags = SYN, .padding = 5};
	uint32_t slots[2] = {plane_listener_counter(0), rig.endpoints[RIG_V4].counter};
	struct gpc_counter before[2], after;
	struct frame frame;

	frame_build(&spec, &frame);
	for (int i = 0; i < 2; i++)
		before[i] = kernel_counter(&rig.kernel, slots[i]);
	for (int i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(rig_send(&rig, &spec), XDP_TX);
	for (int i = 0; i < 2; i++) {
		after = kernel_counter(&rig.kernel, slots[i]);
		CU_ASSERT_EQUAL(after.packets - before[i].packets, 3);
		CU_ASSERT_EQUAL(after.bytes - before[i].bytes, 3 * frame.size);
		CU_ASSERT_EQUAL(after.flows - before[i].flows, 1);
	}
}

static void without_a_way_to_the_endpoint(void)
{
	static const struct {
		const char *name, *to;
		enum gpc_reason reason;
	} cases[] = {
		{"everybody in maintenance", A(7), GPC_REASON_NO_ENDPOINT},
		{"v6 in ipip, v4 endpoints only", B(2), GPC_REASON_NO_ENDPOINT},
		{"next hop unknown", A(8), GPC_REASON_NO_NEXT_HOP},
		{"no source address", A(9), GPC_REASON_NO_NEXT_HOP},
		{"out of an unknown device", A(10), GPC_REASON_NO_NEXT_HOP},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct frame_spec spec = {.to = cases[i].to};
		struct frame in;

		frame_build(&spec, &in);
		CU_ASSERT(rig_check(&rig, KERNEL_XDP, cases[i].name, &in, XDP_DROP, cases[i].reason,
				    NULL));
	}
}

static void start(void)
{
	rig_start(&rig, 4096);
}

static void stop(void)
{
	rig_stop(&rig);
}

GPC_UNIT_MAIN("bpf/forward", {"start", start}, {"every_mode_and_shape", every_mode_and_shape},
	      {"literal_bytes", literal_bytes},
	      {"listener_and_endpoint_are_counted", listener_and_endpoint_are_counted},
	      {"without_a_way_to_the_endpoint", without_a_way_to_the_endpoint}, {"stop", stop})
