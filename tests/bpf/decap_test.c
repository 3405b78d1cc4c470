// SPDX-License-Identifier: MIT
/* gpc_decap: what the balancer wrapped comes out as it went in, and nothing else is touched. */
#include <linux/bpf.h>
#include <string.h>

#include "rig.h"
#include "tests/unit/unit.h"

static struct rig rig;

#define A(n) "203.0.113." #n
#define B(n) "2001:db8:ff::" #n

static void rig_run(enum kernel_program program, const struct frame *in, struct frame *out)
{
	struct kernel_run run = {.in = in->bytes, .in_size = in->size, .out = out->bytes};

	kernel_run(&rig.kernel, program, &run);
	out->size = run.out_size;
}

/* Whatever gpc_xdp sends by ipip, gpc_decap restores; the MAC addresses are those of the way. */
static void there_and_back(void)
{
	static const struct frame_spec specs[] = {
		{.to = A(1)},
		{.to = A(2)},
		{.to = B(1)},
		{.to = A(5)},
		{.to = B(5)},
		{.to = A(23)},
		{.to = B(23)},
		{.to = A(1), .protocol = UDP, .port = 53},
		{.to = B(1), .protocol = UDP, .port = 53},
		{.to = A(1), .tags = 1},
		{.to = A(1), .tags = 2},
		{.to = A(2), .tags = 1},
		{.to = A(2), .tags = 2},
		{.to = B(1), .tags = 1},
		{.to = B(1), .tags = 2},
		{.to = A(1), .options = 10},
		{.to = A(2), .options = 4},
		{.to = B(1),
		 .extensions = {HOP_BY_HOP, DESTINATION, ROUTING, FRAGMENT_HEADER, AH,
				DESTINATION}},
		{.to = A(1), .no_payload = true, .padding = 6},
		{.to = A(1), .payload = 1400},
		{.to = B(1), .payload = 1400},
		{.to = A(1), .tos = 0xff, .may_fragment = true},
		{.to = B(1), .tos = 0xff, .label = 0xabcde},
	};

	for (size_t i = 0; i < sizeof(specs) / sizeof(*specs); i++) {
		struct frame in, wrapped = {}, want = {};
		bool far = !strcmp(specs[i].to, A(5)) || !strcmp(specs[i].to, B(5));

		frame_build(&specs[i], &in);
		rig_run(KERNEL_XDP, &in, &wrapped);
		CU_ASSERT(wrapped.size >= in.l3 + in.ip_size + 20);
		memcpy(want.bytes, wrapped.bytes, 12);
		want.size = far ? 14 : in.l3;
		memcpy(want.bytes + 12, far ? in.bytes + in.l3 - 2 : in.bytes + 12, want.size - 12);
		memcpy(want.bytes + want.size, in.bytes + in.l3, in.ip_size);
		want.size += in.ip_size;
		CU_ASSERT(rig_check(&rig, KERNEL_DECAP, specs[i].to, &wrapped, XDP_PASS,
				    GPC_REASON_DECAPSULATED, &want));
	}
	printf("decap cases, restored: %zu\n", sizeof(specs) / sizeof(*specs));
}

/* An inner packet in an outer header of its own making. */
struct tunnel {
	const char *name;
	struct frame_spec inner;
	const char *outer; /* destination; NULL: not wrapped */
	uint8_t protocol;  /* written into the outer header if not 0 */
	uint16_t fragment; /* likewise, IPv4 */
	int16_t length;	   /* added to the outer length */
	uint16_t cut;	   /* taken off the end */
	enum gpc_reason reason;
};

static const struct tunnel tunnels[] = {
	{"wrapped", {.to = A(1)}, "10.0.1.1", 0, 0, 0, 0, GPC_REASON_DECAPSULATED},
	{"wrapped by anybody for any interface's listener",
	 {.to = A(20)},
	 "192.0.2.9",
	 0,
	 0,
	 0,
	 0,
	 GPC_REASON_DECAPSULATED},
	{"one of several listeners has ipip",
	 {.to = A(21)},
	 "10.0.1.1",
	 0,
	 0,
	 0,
	 0,
	 GPC_REASON_DECAPSULATED},
	{"v6 in v4", {.to = B(1)}, "10.0.1.1", 41, 0, 0, 0, GPC_REASON_DECAPSULATED},
	{"closed port", {.to = A(1), .port = 81}, "10.0.1.1", 0, 0, 0, 0, GPC_REASON_NO_LISTENER},
	{"other address", {.to = "192.0.2.1"}, "10.0.1.1", 0, 0, 0, 0, GPC_REASON_NO_LISTENER},
	{"other protocol",
	 {.to = A(3), .protocol = UDP, .port = 80},
	 "10.0.1.1",
	 0,
	 0,
	 0,
	 0,
	 GPC_REASON_NO_LISTENER},
	{"a dsr listener", {.to = A(3)}, "10.0.1.1", 0, 0, 0, 0, GPC_REASON_NO_LISTENER},
	{"a dsr listener, v6", {.to = B(3)}, "2001:db8:1::1", 0, 0, 0, 0, GPC_REASON_NO_LISTENER},
	{"inner icmp",
	 {.to = A(1), .protocol = ICMP},
	 "10.0.1.1",
	 0,
	 0,
	 0,
	 0,
	 GPC_REASON_NO_LISTENER},
	{"inner fragment",
	 {.to = A(1), .fragment = 0x2000},
	 "10.0.1.1",
	 0,
	 0,
	 0,
	 0,
	 GPC_REASON_DECAPSULATED},
	{"inner malformed", {.to = A(1), .ihl = 4}, "10.0.1.1", 0, 0, 0, 0, GPC_REASON_NO_LISTENER},
	{"inner data offset",
	 {.to = A(1), .data_offset = 4},
	 "10.0.1.1",
	 0,
	 0,
	 0,
	 0,
	 GPC_REASON_NO_LISTENER},
	{"inner longer than outer",
	 {.to = A(1), .length = 1},
	 "10.0.1.1",
	 0,
	 0,
	 0,
	 0,
	 GPC_REASON_NO_LISTENER},
	{"outer ends within the inner packet",
	 {.to = A(1)},
	 "10.0.1.1",
	 0,
	 0,
	 -1,
	 0,
	 GPC_REASON_NO_LISTENER},
	{"outer ends within the inner packet, v6",
	 {.to = B(1)},
	 "2001:db8:1::1",
	 0,
	 0,
	 -1,
	 0,
	 GPC_REASON_NO_LISTENER},
	{"outer longer than the frame",
	 {.to = A(1)},
	 "10.0.1.1",
	 0,
	 0,
	 1,
	 0,
	 GPC_REASON_MALFORMED_SHORT},
	{"frame cut", {.to = A(1)}, "10.0.1.1", 0, 0, 0, 5, GPC_REASON_MALFORMED_SHORT},
	{"outer first fragment", {.to = A(1)}, "10.0.1.1", 0, 0x2000, 0, 0, GPC_REASON_FRAGMENT},
	{"outer later fragment", {.to = A(1)}, "10.0.1.1", 0, 0x0009, 0, 0, GPC_REASON_FRAGMENT},
	{"v4 said to be v6", {.to = A(1)}, "10.0.1.1", 41, 0, 0, 0, GPC_REASON_NO_LISTENER},
	{"v6 said to be v4", {.to = B(1)}, "2001:db8:1::1", 4, 0, 0, 0, GPC_REASON_NO_LISTENER},
	{"gre", {.to = A(1)}, "10.0.1.1", GRE, 0, 0, 0, GPC_REASON_NO_LISTENER},
	{"udp around it", {.to = A(1)}, "10.0.1.1", UDP, 0, 0, 0, GPC_REASON_NO_LISTENER},
	{"not wrapped", {.to = A(1)}, NULL, 0, 0, 0, 0, GPC_REASON_NO_LISTENER},
	{"not wrapped, v6",
	 {.to = B(1), .protocol = UDP, .port = 53},
	 NULL,
	 0,
	 0,
	 0,
	 0,
	 GPC_REASON_NO_LISTENER},
	{"arp", {.to = A(1), .type = 0x0806}, NULL, 0, 0, 0, 0, GPC_REASON_ARP},
	{"three tags", {.to = A(1), .tags = 3}, NULL, 0, 0, 0, 0, GPC_REASON_NON_IP},
	{"malformed, not wrapped",
	 {.to = A(1), .ihl = 4},
	 NULL,
	 0,
	 0,
	 0,
	 0,
	 GPC_REASON_MALFORMED_IHL},
};

static void wrap(const struct tunnel *t, struct frame *ret)
{
	struct frame_outer outer = {.from = strchr(t->outer, ':') ? "2001:db8::9" : "192.0.2.2",
				    .to = t->outer,
				    .destination_mac = {2},
				    .source_mac = {4}};
	bool v6 = strchr(t->outer, ':');
	struct frame inner;
	uint8_t *ip, *length;
	int size;

	frame_build(&t->inner, &inner);
	inner.ip_size -= (uint32_t)(int32_t)t->inner.length; /* all of it, whatever it says */
	frame_expect(&inner, &outer, ret);
	ip = ret->bytes + ret->l3;
	if (t->protocol)
		ip[v6 ? 6 : 9] = t->protocol;
	if (t->fragment) {
		ip[6] = (uint8_t)(t->fragment >> 8);
		ip[7] = (uint8_t)t->fragment;
	}
	length = ip + (v6 ? 4 : 2);
	size = (length[0] << 8 | length[1]) + t->length;
	length[0] = (uint8_t)(size >> 8);
	length[1] = (uint8_t)size;
	ret->size -= t->cut;
}

static void only_its_own(void)
{
	for (size_t i = 0; i < sizeof(tunnels) / sizeof(*tunnels); i++) {
		bool unwrapped = tunnels[i].reason == GPC_REASON_DECAPSULATED;
		struct frame in;

		if (tunnels[i].outer)
			wrap(&tunnels[i], &in);
		else
			frame_build(&tunnels[i].inner, &in);
		CU_ASSERT(rig_check(&rig, KERNEL_DECAP, tunnels[i].name, &in, XDP_PASS,
				    tunnels[i].reason, unwrapped ? NULL : &in));
	}
	printf("decap cases, judged: %zu\n", sizeof(tunnels) / sizeof(*tunnels));
}

static void cut_at_every_length(void)
{
	static const struct tunnel whole[] = {
		{.inner = {.to = A(1), .payload = 60}, .outer = "10.0.1.1"},
		{.inner = {.to = A(1), .payload = 60}, .outer = "2001:db8:1::1"},
		{.inner = {.to = B(1), .payload = 60}, .outer = "2001:db8:1::1"}};

	for (size_t i = 0; i < sizeof(whole) / sizeof(*whole); i++) {
		for (uint32_t size = 14; size <= 120; size++) {
			struct frame in;

			wrap(&whole[i], &in);
			in.size = size;
			CU_ASSERT(rig_check(&rig, KERNEL_DECAP, "cut", &in, XDP_PASS,
					    GPC_REASON_MALFORMED_SHORT, &in));
		}
	}
}

static void control_word(void)
{
	struct frame_spec spec = {.to = A(1)};
	struct frame in, wrapped = {};

	frame_build(&spec, &in);
	rig_run(KERNEL_XDP, &in, &wrapped);
	kernel_control(&rig.kernel, GPC_CTL_OFF);
	CU_ASSERT(
		rig_check(&rig, KERNEL_DECAP, "off", &wrapped, XDP_PASS, GPC_REASON_OFF, &wrapped));
	kernel_control(&rig.kernel, 6);
	CU_ASSERT(rig_check(&rig, KERNEL_DECAP, "no image", &wrapped, XDP_PASS, GPC_REASON_ON_FAIL,
			    &wrapped));
	kernel_control(&rig.kernel, 6 | (uint64_t)GPC_ON_FAIL_DROP << GPC_CTL_ON_FAIL_SHIFT);
	CU_ASSERT(rig_check(&rig, KERNEL_DECAP, "no image, drop", &wrapped, XDP_DROP,
			    GPC_REASON_ON_FAIL, NULL));
	kernel_control(&rig.kernel, 0);
	CU_ASSERT(rig_check(&rig, KERNEL_DECAP, "on", &wrapped, XDP_PASS, GPC_REASON_DECAPSULATED,
			    NULL));
}

static void start(void)
{
	rig_start(&rig, 1024);
}

static void stop(void)
{
	rig_stop(&rig);
}

GPC_UNIT_MAIN("bpf/decap", {"start", start}, {"there_and_back", there_and_back},
	      {"only_its_own", only_its_own}, {"cut_at_every_length", cut_at_every_length},
	      {"control_word", control_word}, {"stop", stop})
