// SPDX-License-Identifier: MIT
/* What is not balanced: other traffic, fragments, malformed packets, cut frames; and the control
 * word. */
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <string.h>
#include <time.h>

#include "rig.h"
#include "tests/bpf/stack.h"
#include "tests/unit/unit.h"

static struct rig rig;

#define A(n) "203.0.113." #n
#define B(n) "2001:db8:ff::" #n
#define OTHER4 "192.0.2.1"
#define OTHER6 "2001:db8:99::1"

struct row {
	const char *name;
	struct frame_spec spec;
	enum gpc_reason reason;
	bool dropped;
};

#define PASSES(id) GPC_REASON_##id, false
#define DROPS(id) GPC_REASON_##id, true

static const struct row rows[] = {
	/* not for a listener */
	{"another address", {.to = OTHER4}, PASSES(NO_LISTENER)},
	{"another address, v6", {.to = OTHER6}, PASSES(NO_LISTENER)},
	{"a closed port", {.to = A(1), .port = 81}, PASSES(NO_LISTENER)},
	{"a closed port, v6", {.to = B(1), .port = 81}, PASSES(NO_LISTENER)},
	{"tcp port asked by udp", {.to = A(3), .protocol = UDP, .port = 80}, PASSES(NO_LISTENER)},
	{"udp port asked by tcp", {.to = A(22), .port = 53}, PASSES(NO_LISTENER)},
	{"sctp", {.to = A(1), .protocol = SCTP}, PASSES(NO_LISTENER)},
	{"icmp to a VIP", {.to = A(1), .protocol = ICMP}, PASSES(NO_LISTENER)},
	{"icmp6 to a VIP", {.to = B(1), .protocol = ICMP6}, PASSES(NO_LISTENER)},
	{"gre to a VIP", {.to = A(1), .protocol = GRE}, PASSES(NO_LISTENER)},
	{"esp to a VIP", {.to = A(1), .protocol = ESP}, PASSES(NO_LISTENER)},
	{"esp to a VIP, v6", {.to = B(1), .protocol = ESP}, PASSES(NO_LISTENER)},
	{"no next header", {.to = B(1), .protocol = 59}, PASSES(NO_LISTENER)},
	{"AH in IPv4 is a protocol", {.to = A(1), .protocol = AH}, PASSES(NO_LISTENER)},
	{"another interface's listener", {.to = A(20)}, PASSES(NO_LISTENER)},
	{"another address, options", {.to = OTHER4, .options = 5}, PASSES(NO_LISTENER)},
	{"another address, one tag", {.to = OTHER4, .tags = 1}, PASSES(NO_LISTENER)},
	{"v4 address of no listener in v6", {.to = "::ffff:203.0.113.99"}, PASSES(MALFORMED_VERSION)},
	{"::", {.to = "::"}, PASSES(NO_LISTENER)},
	/* not IP */
	{"arp", {.to = A(1), .type = 0x0806}, PASSES(ARP)},
	{"arp, two tags", {.to = A(1), .type = 0x0806, .tags = 2}, PASSES(ARP)},
	{"lldp", {.to = A(1), .type = 0x88cc}, PASSES(NON_IP)},
	{"three tags", {.to = A(1), .tags = 3}, PASSES(NON_IP)},
	{"802.3 length instead of a type", {.to = A(1), .type = 0x0040}, PASSES(NON_IP)},
	{"IPv4's type without its header", {.to = A(1), .cut = 14}, PASSES(MALFORMED_SHORT)},
	/* fragments */
	{"first fragment", {.to = A(1), .fragment = 0x2000}, PASSES(FRAGMENT)},
	{"first fragment, udp",
	 {.to = A(1), .protocol = UDP, .port = 53, .fragment = 0x2000},
	 PASSES(FRAGMENT)},
	{"later fragment", {.to = A(1), .fragment = 0x2004}, PASSES(FRAGMENT)},
	{"last fragment", {.to = A(1), .fragment = 0x0100}, PASSES(FRAGMENT)},
	{"udp fragment at 8", {.to = A(1), .protocol = UDP, .fragment = 0x2001}, PASSES(FRAGMENT)},
	{"fragment to nobody's address", {.to = OTHER4, .fragment = 0x2004}, PASSES(NO_LISTENER)},
	{"first fragment, v6",
	 {.to = B(1), .fragment = 1, .extensions = {FRAGMENT_HEADER}},
	 PASSES(FRAGMENT)},
	{"later fragment, v6",
	 {.to = B(1), .fragment = 0x0101, .extensions = {FRAGMENT_HEADER}},
	 PASSES(FRAGMENT)},
	{"last fragment, v6",
	 {.to = B(1), .fragment = 0x0100, .extensions = {FRAGMENT_HEADER}},
	 PASSES(FRAGMENT)},
	{"udp fragment at 8, v6",
	 {.to = B(1), .protocol = UDP, .fragment = 8, .extensions = {FRAGMENT_HEADER}},
	 PASSES(FRAGMENT)},
	{"fragment to nobody's address, v6",
	 {.to = OTHER6, .fragment = 0x0101, .extensions = {FRAGMENT_HEADER}},
	 PASSES(NO_LISTENER)},
	{"options in a fragment", {.to = A(1), .options = 2, .fragment = 0x2000}, PASSES(FRAGMENT)},
	/* malformed, to a listener's address: dropped */
	{"tcp fragment at 8", {.to = A(1), .fragment = 0x2001}, DROPS(MALFORMED_FRAGMENT)},
	{"last tcp fragment at 8", {.to = A(1), .fragment = 0x0001}, DROPS(MALFORMED_FRAGMENT)},
	{"tcp fragment at 8, v6",
	 {.to = B(1), .fragment = 8, .extensions = {FRAGMENT_HEADER}},
	 DROPS(MALFORMED_FRAGMENT)},
	{"first fragment without all of TCP",
	 {.to = A(1), .fragment = 0x2000, .length = -14, .no_payload = true},
	 DROPS(MALFORMED_FRAGMENT)},
	{"first fragment without all of UDP",
	 {.to = A(1), .protocol = UDP, .fragment = 0x2000, .length = -1, .no_payload = true},
	 DROPS(MALFORMED_FRAGMENT)},
	{"first fragment without TCP's options",
	 {.to = A(1), .fragment = 0x2000, .tcp_options = 5, .length = -1, .no_payload = true},
	 DROPS(MALFORMED_FRAGMENT)},
	{"first fragment without all of TCP, v6",
	 {.to = B(1),
	  .fragment = 1,
	  .extensions = {FRAGMENT_HEADER},
	  .length = -1,
	  .no_payload = true},
	 DROPS(MALFORMED_FRAGMENT)},
	{"v6 in an IPv4 frame", {.to = A(1), .version = 6}, DROPS(MALFORMED_VERSION)},
	{"v4 in an IPv6 frame", {.to = B(1), .version = 4}, DROPS(MALFORMED_VERSION)},
	{"v6 to a listener's v4 address, mapped", {.to = "::ffff:" A(1)}, DROPS(MALFORMED_VERSION)},
	{"v6 from a mapped address",
	 {.from = "::ffff:192.0.2.7", .to = B(1)},
	 DROPS(MALFORMED_VERSION)},
	{"version 0", {.to = B(1), .version = 15}, DROPS(MALFORMED_VERSION)},
	{"ihl 4", {.to = A(1), .ihl = 4}, DROPS(MALFORMED_IHL)},
	{"ihl 1", {.to = A(1), .ihl = 1}, DROPS(MALFORMED_IHL)},
	{"ihl behind the end", {.to = A(1), .ihl = 15, .no_payload = true}, DROPS(MALFORMED_SHORT)},
	{"total length above the frame", {.to = A(1), .length = 1}, DROPS(MALFORMED_SHORT)},
	{"total length above the frame, v6", {.to = B(1), .length = 1}, DROPS(MALFORMED_SHORT)},
	{"total length above the frame, udp",
	 {.to = A(1), .protocol = UDP, .port = 53, .length = 1},
	 DROPS(MALFORMED_SHORT)},
	{"total length within the IP header", {.to = A(1), .length = -40}, DROPS(MALFORMED_SHORT)},
	{"total length 20", {.to = A(1), .length = -32}, DROPS(MALFORMED_SHORT)},
	{"total length within TCP", {.to = A(1), .length = -13}, DROPS(MALFORMED_SHORT)},
	{"total length within TCP, v6", {.to = B(1), .length = -13}, DROPS(MALFORMED_SHORT)},
	{"total length within UDP",
	 {.to = A(1), .protocol = UDP, .port = 53, .length = -13},
	 DROPS(MALFORMED_SHORT)},
	{"total length within UDP, v6",
	 {.to = B(1), .protocol = UDP, .port = 53, .length = -13},
	 DROPS(MALFORMED_SHORT)},
	{"total length within ICMP",
	 {.to = A(1), .protocol = ICMP, .length = -17},
	 DROPS(MALFORMED_SHORT)},
	{"payload length 0, v6", {.to = B(1), .length = -32}, DROPS(MALFORMED_SHORT)},
	{"data offset 4", {.to = A(1), .data_offset = 4}, DROPS(MALFORMED_TCP)},
	{"data offset 1, v6", {.to = B(1), .data_offset = 1}, DROPS(MALFORMED_TCP)},
	{"data offset behind the end", {.to = A(1), .data_offset = 15}, DROPS(MALFORMED_SHORT)},
	{"data offset behind the end, v6", {.to = B(1), .data_offset = 15}, DROPS(MALFORMED_SHORT)},
	{"seven extension headers",
	 {.to = B(1),
	  .extensions = {DESTINATION, DESTINATION, DESTINATION, DESTINATION, DESTINATION,
			 DESTINATION, DESTINATION}},
	 DROPS(MALFORMED_EXTENSION)},
	{"routing type 0", {.to = B(1), .extensions = {ROUTING_0}}, DROPS(MALFORMED_EXTENSION)},
	{"hop-by-hop second",
	 {.to = B(1), .extensions = {DESTINATION, HOP_BY_HOP}},
	 DROPS(MALFORMED_EXTENSION)},
	{"hop-by-hop twice",
	 {.to = B(1), .extensions = {HOP_BY_HOP, HOP_BY_HOP}},
	 DROPS(MALFORMED_EXTENSION)},
	{"extension header behind the end",
	 {.to = B(1), .extensions = {DESTINATION}, .length = -36},
	 DROPS(MALFORMED_SHORT)},
	{"seventh behind a first fragment",
	 {.to = B(1),
	  .fragment = 1,
	  .extensions = {FRAGMENT_HEADER, DESTINATION, DESTINATION, DESTINATION, DESTINATION,
			 DESTINATION, DESTINATION}},
	 DROPS(MALFORMED_EXTENSION)},
	{"malformed behind two tags", {.to = A(1), .tags = 2, .ihl = 3}, DROPS(MALFORMED_IHL)},
	{"malformed, closed port",
	 {.to = A(1), .port = 81, .data_offset = 4},
	 DROPS(MALFORMED_TCP)},
	/* malformed, to others: none of our business */
	{"ihl 4 to others", {.to = OTHER4, .ihl = 4}, PASSES(MALFORMED_IHL)},
	{"version to others", {.to = OTHER6, .version = 4}, PASSES(MALFORMED_VERSION)},
	{"data offset to others", {.to = OTHER4, .data_offset = 4}, PASSES(MALFORMED_TCP)},
	{"length to others", {.to = OTHER4, .length = 9}, PASSES(MALFORMED_SHORT)},
	{"extension to others",
	 {.to = OTHER6, .extensions = {ROUTING_0}},
	 PASSES(MALFORMED_EXTENSION)},
	{"tcp fragment at 8 to others", {.to = OTHER4, .fragment = 1}, PASSES(MALFORMED_FRAGMENT)},
	{"malformed to another interface's listener",
	 {.to = A(20), .ihl = 4},
	 PASSES(MALFORMED_IHL)},
};

/* Whatever is not balanced passes untouched. */
static bool check_row(const struct row *row)
{
	struct frame in;

	frame_build(&row->spec, &in);
	return rig_check(&rig, KERNEL_XDP, row->name, &in, row->dropped ? XDP_DROP : XDP_PASS,
			 row->reason, row->dropped ? NULL : &in);
}

static void every_shape(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		CU_ASSERT(check_row(&rows[i]));
	printf("verdict cases: %zu\n", sizeof(rows) / sizeof(*rows));
}

static void malformed_may_pass(void)
{
	uint32_t flags = rig.plane.flags;

	rig.plane.flags = RIG_FLAGS & ~GPC_PLANE_MALFORMED_DROP;
	rig_install(&rig, 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct row row = rows[i];

		row.dropped = row.reason == GPC_REASON_TOO_BIG;
		CU_ASSERT(check_row(&row));
	}
	rig.plane.flags = flags;
	rig_install(&rig, 0);
}

static void non_ip_may_be_dropped(void)
{
	uint32_t flags = rig.plane.flags;

	rig.plane.flags |= GPC_PLANE_NON_IP_DROP;
	rig_install(&rig, 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct row row = rows[i];

		row.dropped |= row.reason == GPC_REASON_NON_IP;
		CU_ASSERT(check_row(&row));
	}
	rig.plane.flags = flags;
	rig_install(&rig, 0);
}

/*
 * Frames that end too early: what is missing decides. A header that says more than the frame holds
 * is malformed; dropped as soon as the destination is there to be known.
 */
static void cut_at_every_length(void)
{
	static const struct {
		const char *name;
		struct frame_spec spec;
		uint32_t destination_ends;
	} frames[] = {
		{"v4", {.to = A(1), .payload = 80}, 34},
		{"v4 udp", {.to = A(1), .protocol = UDP, .port = 53, .payload = 90}, 34},
		{"v4 options", {.to = A(1), .options = 10, .payload = 60}, 34},
		{"v4 two tags", {.to = A(1), .tags = 2, .payload = 80}, 42},
		{"v6", {.to = B(1), .payload = 60}, 54},
		{"v6 udp, one tag",
		 {.to = B(1), .tags = 1, .protocol = UDP, .port = 53, .payload = 60},
		 58},
		{"v6 extensions",
		 {.to = B(1), .extensions = {HOP_BY_HOP, ROUTING, DESTINATION}, .payload = 60},
		 54},
	};

	for (size_t i = 0; i < sizeof(frames) / sizeof(*frames); i++) {
		for (uint16_t size = 0; size <= 120; size++) {
			uint8_t out[KERNEL_FRAME_MAX];
			struct kernel_run run = {.out = out};
			struct frame in;

			frame_build(&frames[i].spec, &in);
			CU_ASSERT_FATAL(in.size > 120);
			in.size = size;
			if (size >= 14) {
				bool known = size >= frames[i].destination_ends;

				CU_ASSERT(rig_check(&rig, KERNEL_XDP, frames[i].name, &in,
						    known ? XDP_DROP : XDP_PASS,
						    GPC_REASON_MALFORMED_SHORT,
						    known ? NULL : &in));
				continue;
			}
			/* Such a frame is none; the kernel itself refuses it. */
			run.in = in.bytes;
			run.in_size = in.size;
			kernel_run(&rig.kernel, KERNEL_XDP, &run);
			CU_ASSERT_EQUAL(run.action, -EINVAL);
		}
	}
}

/* The same frames, cut, with lengths that fit what is left: whole packets of every size. */
static void whole_at_every_length(void)
{
	for (uint16_t payload = 0; payload <= 120; payload++) {
		struct frame_spec specs[] = {
			{.to = A(1), .payload = payload, .no_payload = !payload},
			{.to = B(1), .payload = payload, .no_payload = !payload},
			{.to = A(1),
			 .protocol = UDP,
			 .port = 53,
			 .payload = payload,
			 .no_payload = !payload}};

		for (size_t i = 0; i < sizeof(specs) / sizeof(*specs); i++)
			CU_ASSERT_EQUAL(rig_send(&rig, &specs[i]), XDP_TX);
	}
}

/* ---- the control word ---- */

static uint64_t seconds_from_now(int seconds)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return ((uint64_t)(now.tv_sec + seconds) * 1000000000ull + (uint64_t)now.tv_nsec) >>
	       GPC_CTL_DEADLINE_UNIT_SHIFT << GPC_CTL_DEADLINE_SHIFT;
}

static uint64_t slots(uint32_t active, uint32_t fallback, uint32_t previous)
{
	return active << GPC_CTL_ACTIVE_SHIFT | fallback << GPC_CTL_FALLBACK_SHIFT |
	       previous << GPC_CTL_PREVIOUS_SHIFT;
}

#define ON_FAIL_DROP ((uint64_t)GPC_ON_FAIL_DROP << GPC_CTL_ON_FAIL_SHIFT)

/* Slot 0 has the rig's image, slot 1 one without any listener here, slot 2 nothing, slot 3 zeros.
 */
static void control_word(void)
{
	const struct {
		const char *name;
		uint64_t word;
		int action;
		enum gpc_reason reason;
	} cases[] = {
		{"active", slots(0, 0, 0), XDP_TX, GPC_REASON_FORWARDED},
		{"the other image", slots(1, 0, 0), XDP_PASS, GPC_REASON_NO_LISTENER},
		{"off", slots(0, 0, 0) | GPC_CTL_OFF, XDP_PASS, GPC_REASON_OFF},
		{"off, on-fail drop, no image", slots(2, 2, 2) | GPC_CTL_OFF | ON_FAIL_DROP,
		 XDP_PASS, GPC_REASON_OFF},
		{"no image", slots(2, 0, 0), XDP_PASS, GPC_REASON_ON_FAIL},
		{"no image, on-fail drop", slots(2, 0, 0) | ON_FAIL_DROP, XDP_DROP,
		 GPC_REASON_ON_FAIL},
		{"an image that was never linked", slots(3, 0, 0), XDP_PASS, GPC_REASON_ON_FAIL},
		{"never linked, on-fail drop", slots(3, 0, 0) | ON_FAIL_DROP, XDP_DROP,
		 GPC_REASON_ON_FAIL},
		{"on-fail drop with an image", slots(0, 2, 2) | ON_FAIL_DROP, XDP_TX,
		 GPC_REASON_FORWARDED},
		{"deadline to come", slots(0, 1, 1) | seconds_from_now(3600), XDP_TX,
		 GPC_REASON_FORWARDED},
		{"deadline past", slots(1, 0, 1) | seconds_from_now(-2), XDP_TX,
		 GPC_REASON_FORWARDED},
		{"deadline long past", slots(1, 0, 1) | 1ull << GPC_CTL_DEADLINE_SHIFT, XDP_TX,
		 GPC_REASON_FORWARDED},
		{"deadline past, no fallback", slots(0, 2, 1) | seconds_from_now(-2), XDP_PASS,
		 GPC_REASON_ON_FAIL},
		{"deadline past, off", slots(1, 0, 1) | seconds_from_now(-2) | GPC_CTL_OFF,
		 XDP_PASS, GPC_REASON_OFF},
		{"flags of later issues", slots(0, 1, 1) | GPC_CTL_BANS | GPC_CTL_AUDIT, XDP_TX,
		 GPC_REASON_FORWARDED},
		{"sequence", slots(0, 1, 1) | 0xfffull << GPC_CTL_SEQUENCE_SHIFT, XDP_TX,
		 GPC_REASON_FORWARDED},
	};
	struct frame_spec spec = {.to = A(1)};
	char *zeros = calloc(1, 1u << 22);
	struct frame in;

	rig.devices[0].interface = 5;
	rig_install(&rig, 1);
	rig.devices[0].interface = 0;
	kernel_install(&rig.kernel, 3, zeros);
	free(zeros);
	frame_build(&spec, &in);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		kernel_control(&rig.kernel, cases[i].word);
		CU_ASSERT(rig_check(&rig, KERNEL_XDP, cases[i].name, &in, cases[i].action,
				    cases[i].reason, NULL));
	}
	printf("control word cases: %zu\n", sizeof(cases) / sizeof(*cases));
	kernel_control(&rig.kernel, 0);
}

/* TC follows the same word; it counts, and passes but where nothing can be decided. */
static void control_word_at_tc(void)
{
	const struct {
		const char *name;
		uint64_t word;
		int action;
		enum gpc_reason reason;
	} cases[] = {
		{"tc", slots(0, 0, 0), TC_ACT_UNSPEC, GPC_REASON_COUNTED},
		{"tc, off", slots(0, 0, 0) | GPC_CTL_OFF, TC_ACT_UNSPEC, GPC_REASON_OFF},
		{"tc, no image", slots(2, 0, 0), TC_ACT_UNSPEC, GPC_REASON_ON_FAIL},
		{"tc, no image, on-fail drop", slots(2, 0, 0) | ON_FAIL_DROP, TC_ACT_SHOT,
		 GPC_REASON_ON_FAIL},
		{"tc, deadline past", slots(2, 0, 0) | seconds_from_now(-2), TC_ACT_UNSPEC,
		 GPC_REASON_COUNTED},
	};
	struct frame_spec spec = {.to = A(1)};
	struct frame in;

	frame_build(&spec, &in);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		kernel_control(&rig.kernel, cases[i].word);
		CU_ASSERT(rig_check(&rig, KERNEL_TC_INGRESS, cases[i].name, &in, cases[i].action,
				    cases[i].reason, &in));
		CU_ASSERT(rig_check(&rig, KERNEL_TC_EGRESS, cases[i].name, &in, cases[i].action,
				    cases[i].reason, &in));
	}
	kernel_control(&rig.kernel, 0);
}

/* ---- interfaces ---- */

static void check_interface(uint16_t interface, const char *to, int action, enum gpc_reason reason)
{
	struct frame_spec spec = {.to = to};
	struct frame in;

	rig.devices[0].interface = interface;
	rig_install(&rig, 0);
	kernel_forget_flows(&rig.kernel);
	frame_build(&spec, &in);
	CU_ASSERT(rig_check(&rig, KERNEL_XDP, to, &in, action, reason, NULL));
}

static void listeners_are_of_interfaces(void)
{
	check_interface(1, A(1), XDP_PASS, GPC_REASON_NO_LISTENER);
	check_interface(1, A(20), XDP_TX, GPC_REASON_FORWARDED);
	check_interface(0, A(20), XDP_PASS, GPC_REASON_NO_LISTENER);
	/* One address and port, three listeners: ipip to v4, dsr to v6, ipip elsewhere. */
	check_interface(0, A(21), XDP_TX, GPC_REASON_FORWARDED);
	check_interface(1, A(21), XDP_TX, GPC_REASON_FORWARDED);
	check_interface(2, A(21), XDP_REDIRECT, GPC_REASON_FORWARDED);
	check_interface(63, A(21), XDP_REDIRECT, GPC_REASON_FORWARDED);
	check_interface(3, A(21), XDP_PASS, GPC_REASON_NO_LISTENER);
	check_interface(GPC_NONE16, A(1), XDP_PASS, GPC_REASON_NO_LISTENER);
	rig.plane.devices = rig.devices + 1;
	rig.plane.device_count = 1;
	check_interface(0, A(1), XDP_PASS, GPC_REASON_NO_LISTENER);
	rig.plane.devices = rig.devices;
	rig.plane.device_count = 2;
	check_interface(0, A(1), XDP_TX, GPC_REASON_FORWARDED);
}

/* ---- metadata ---- */

/* Where TC is bound, what passes carries nonce, slot and generation in front; a test run returns it
 * too. */
static void metadata_is_written(void)
{
	struct frame_spec passes = {.to = OTHER4}, malformed = {.to = OTHER4, .cut = 30},
			  sent = {.to = A(3)};
	struct gpc_meta meta = {.nonce = (uint32_t)rig.plane.nonce, .slot_generation = 4 | 77 << 3};
	struct frame in, want = {};

	rig.devices[0].flags = GPC_DEVICE_META;
	rig.plane.generation = 77;
	rig_install(&rig, 4);
	kernel_control(&rig.kernel, slots(4, 0, 0));
	for (int i = 0; i < 2; i++) {
		frame_build(i ? &malformed : &passes, &in);
		memcpy(want.bytes, &meta, sizeof(meta));
		memcpy(want.bytes + sizeof(meta), in.bytes, in.size);
		want.size = in.size + sizeof(meta);
		CU_ASSERT(rig_check(&rig, KERNEL_XDP, "metadata", &in, XDP_PASS,
				    i ? GPC_REASON_MALFORMED_SHORT : GPC_REASON_NO_LISTENER,
				    &want));
	}
	kernel_control(&rig.kernel, slots(4, 0, 0) | GPC_CTL_OFF);
	CU_ASSERT(rig_check(&rig, KERNEL_XDP, "metadata, off", &in, XDP_PASS, GPC_REASON_OFF, &in));
	kernel_control(&rig.kernel, slots(4, 0, 0));
	frame_build(&sent, &want);
	in = want;
	rig_hop_mac(2 * RIG_V4, want.bytes);
	rig_device_mac(RIG_HERE, want.bytes + 6);
	CU_ASSERT(rig_check(&rig, KERNEL_XDP, "metadata, sent", &in, XDP_TX, GPC_REASON_FORWARDED,
			    &want));
	rig.devices[0].flags = 0;
	rig.plane.generation = 5;
	kernel_control(&rig.kernel, 0);
}

/* ---- programs that others go on in ---- */

/* Without it nothing can be decided: on-fail says what becomes of the packet. */
static void a_program_is_missing(void)
{
	static const struct frame_spec quoted = {.from = A(1), .to = "198.51.100.7", .port = 80};
	static const struct {
		enum gpc_tail missing;
		struct frame_spec spec;
	} missed[] = {
		{GPC_TAIL_ODD, {.to = A(1), .protocol = ICMP}},
		{GPC_TAIL_ODD, {.to = A(1), .fragment = 0x2000}},
		{GPC_TAIL_ODD, {.to = A(1), .type = 0x0806}},
		{GPC_TAIL_ODD, {.to = A(1), .cut = 30}},
		{GPC_TAIL_FRAGMENT, {.to = A(1), .fragment = 0x2009}},
		{GPC_TAIL_ERROR, {.to = A(1), .protocol = ICMP, .icmp = 0x0303, .quote = &quoted}},
	};
	struct frame in;

	for (unsigned int drops = 0; drops < 2; drops++) {
		rig.plane.flags = RIG_FLAGS | (drops ? GPC_PLANE_ON_FAIL_DROP : 0);
		rig_install(&rig, 0);
		for (size_t i = 0; i < sizeof(missed) / sizeof(*missed); i++) {
			frame_build(&missed[i].spec, &in);
			kernel_let(&rig.kernel, missed[i].missing, false);
			CU_ASSERT(rig_check(&rig, KERNEL_XDP, "missing", &in,
					    drops ? XDP_DROP : XDP_PASS, GPC_REASON_INTERNAL,
					    drops ? NULL : &in));
			kernel_let(&rig.kernel, missed[i].missing, true);
		}
	}
	frame_build(&(struct frame_spec){.to = A(3)}, &in);
	kernel_let(&rig.kernel, GPC_TAIL_ODD, false);
	CU_ASSERT(rig_check(&rig, KERNEL_XDP, "not odd", &in, XDP_TX, GPC_REASON_FORWARDED, NULL));
	kernel_let(&rig.kernel, GPC_TAIL_ODD, true);
	rig.plane.flags = RIG_FLAGS;
	rig_install(&rig, 0);
}

/* ---- the verifier's limits ---- */

static const char *const names[KERNEL_PROGRAMS] = {
	"gpc_xdp", "gpc_decap",	  "gpc_tc_ingress", "gpc_tc_egress", "gpc_odd",	  "gpc_error",
	"gpc_nat", "gpc_consult", "gpc_serve",	    "gpc_fragment",  "gpc_answer"};

static void within_the_verifiers_budget(void)
{
	for (int i = 0; i < KERNEL_PROGRAMS; i++) {
		uint32_t n = kernel_verified_insns(rig.kernel.program[i]);

		printf("%s: %u verified instructions\n", names[i], n);
		CU_ASSERT(n > 0 && n <= 100000 * kernel_insns_factor());
	}
}

static void within_the_oldest_kernels_stack(void)
{
	for (int i = 0; i < KERNEL_PROGRAMS; i++) {
		uint32_t n =
			stack_of(bpf_object__find_program_by_name(rig.kernel.object, names[i]));

		printf("%s: %u bytes of stack\n", names[i], n);
		CU_ASSERT(n > 0 && n <= MOST_STACK);
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

GPC_UNIT_MAIN("bpf/verdict", {"start", start},
	      {"within_the_verifiers_budget", within_the_verifiers_budget},
	      {"within_the_oldest_kernels_stack", within_the_oldest_kernels_stack},
	      {"every_shape", every_shape}, {"malformed_may_pass", malformed_may_pass},
	      {"non_ip_may_be_dropped", non_ip_may_be_dropped},
	      {"cut_at_every_length", cut_at_every_length},
	      {"whole_at_every_length", whole_at_every_length}, {"control_word", control_word},
	      {"control_word_at_tc", control_word_at_tc},
	      {"listeners_are_of_interfaces", listeners_are_of_interfaces},
	      {"metadata_is_written", metadata_is_written},
	      {"a_program_is_missing", a_program_is_missing}, {"stop", stop})
