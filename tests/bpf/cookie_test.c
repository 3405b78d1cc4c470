// SPDX-License-Identifier: MIT
/*
 * `syn-cookies`: what a client is sent past `flow-inserts`, what it has to bring back and who is let in then, in the
 * kernel and in user space. The cookie is worked out here a second time; how it is made stands in bpf/cookie.bpf.h.
 */
#include <arpa/inet.h>
#include <err.h>
#include <sched.h>
#include <string.h>
#include <time.h>

#include "gpc/image.h"
#include "loader/sim/host.h"
#include "loader/sim/sim.h"
#include "policy_rig.h"
#include "tests/oracle/slow_siphash.h"
#include "tests/unit/unit.h"

#define HEAD                                                                                       \
	"apiVersion: gpc/v1\nkind: Plane\nmetadata: {name: cookies}\n"                             \
	"defaults: {flow-inserts: 1/s, pickup: never,"                                             \
	" hash-seed: \"000102030405060708090a0b0c0d0e0f\"}\n"                                      \
	"interfaces:\n"                                                                            \
	"  - {name: wan0, hooks: [xdp, tc-egress]}\n"                                              \
	"  - {name: \"lan*\", hooks: [tc-egress]}\n"                                               \
	"  - {name: dmz0, hooks: [tc-egress]}\n"                                                   \
	"backends:\n"                                                                              \
	"  - {name: four, endpoints: [{name: one, address: 10.0.1.1}]}\n"                          \
	"  - {name: six, endpoints: [{name: one, address: \"fd00:1::1\"}]}\n"                      \
	"listeners:\n"                                                                             \
	"  - {name: nat4, address: 203.0.113.1, protocol: TCP, port: 80-89, forward: nat,"         \
	" backend: four, syn-cookies: true}\n"                                                     \
	"  - {name: nat6, address: \"2001:db8:ff::1\", protocol: TCP, port: 80-89, forward: nat,"  \
	" backend: six, syn-cookies: true}\n"                                                      \
	"  - {name: pass4, address: 203.0.113.2, protocol: TCP, port: 80-89, forward: pass,"       \
	" syn-cookies: true}\n"                                                                    \
	"  - {name: pass6, address: \"2001:db8:ff::2\", protocol: TCP, port: 80-89, forward: pass,"\
	" syn-cookies: true}\n"                                                                    \
	"  - {name: udp, address: 203.0.113.2, protocol: UDP, port: 80, forward: pass}\n"          \
	"  - {name: plain, address: 203.0.113.3, protocol: TCP, port: 80, forward: pass}\n"
#define CHAIN                                                                                      \
	"rules:\n"                                                                                 \
	"  - {name: web, action: allow, ports: [tcp/80, udp/80]}\n"                                \
	"policies:\n"                                                                              \
	"  - {name: edge, interfaces: [wan0], direction: ingress, rules: [web]}\n"

static const char *const planes[] = {HEAD, HEAD CHAIN};
static const char *const vips[] = {"203.0.113.1", "2001:db8:ff::1", "203.0.113.2",
				   "2001:db8:ff::2"};
#define VIPS (sizeof(vips) / sizeof(*vips))

static struct gpc_image image;
static struct gpc_sim *sim;
static enum gpc_sim_kind kind;
static uint64_t skipped; /* of the clock in user space */

/* ---- sending ---- */

static bool is_v6(const char *address)
{
	return strchr(address, ':') != NULL;
}

static uint32_t l4_of(const struct frame_spec *spec, const struct frame *frame)
{
	return frame->l3 + (is_v6(spec->to) ? 40 : 20);
}

static struct gpc_sim_outcome send_as(const struct frame_spec *spec, uint32_t sequence,
				      struct frame *frame)
{
	struct gpc_sim_send send = {.direction = GPC_INGRESS, .repeat = 1};
	struct gpc_failure failure = {0};
	struct gpc_sim_outcome outcome;
	uint32_t wire = htonl(sequence);

	frame_build(spec, frame);
	memcpy(frame->bytes + l4_of(spec, frame) + 4, &wire, sizeof(wire));
	send.frame = frame->bytes;
	send.size = frame->size;
	if (gpc_sim_send(sim, &send, &outcome, &failure))
		errx(1, "%s", failure.message);
	return outcome;
}

static struct gpc_sim_outcome send_it(const struct frame_spec *spec, uint32_t sequence)
{
	struct frame frame;

	return send_as(spec, sequence, &frame);
}

static bool ends_as(const struct frame_spec *spec, uint32_t sequence, enum gpc_verdict verdict,
		    enum gpc_reason reason)
{
	struct gpc_sim_outcome outcome = send_it(spec, sequence);

	if (outcome.verdict == verdict && outcome.reason == reason)
		return true;
	printf("%s port %u flags %u: verdict %d, reason %d\n", spec->to, spec->source_port, spec->flags,
	       outcome.verdict, outcome.reason);
	return false;
}

/* Has the flow's listener taken the packet? */
static bool is_let_in(const struct frame_spec *spec)
{
	struct gpc_sim_outcome outcome = send_it(spec, 1);

	return outcome.reason == GPC_REASON_FORWARDED || outcome.reason == GPC_REASON_LOCAL;
}

static void open_plane(enum gpc_sim_kind how, const char *text)
{
	static const char *const devices[] = {"wan0"};
	struct gpc_failure failure = {0};

	kind = how;
	image = policy_compile(text);
	if (gpc_sim_open(kind, &image, devices, 1, &sim, &failure))
		errx(1, "%s", failure.message);
}

static void begin(void)
{
	struct gpc_failure failure = {0};

	skipped = 0;
	if (gpc_sim_reset(sim, &failure))
		errx(1, "%s", failure.message);
}

static void close_plane(void)
{
	gpc_sim_close(sim);
	gpc_image_release(&image);
}

/* Opens flows from ports of its own until the budget is used up. */
static void flood(const char *vip)
{
	struct frame_spec spec = {.to = vip, .flags = SYN, .source_port = 1000};

	while (send_it(&spec, 1).reason != GPC_REASON_SYN_COOKIE)
		if (++spec.source_port == 2000)
			errx(1, "a thousand flows within the budget");
}

/* ---- the cookie ---- */

static uint64_t now_ns(void)
{
	struct timespec now;

	if (kind == GPC_SIM_USER)
		return 400ull * 86400 * 1000000000 + skipped; /* BEGIN of loader/sim/user.c */
	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void put_address(const char *text, uint8_t to[16])
{
	memset(to, 0, 16);
	to[10] = to[11] = 0xff;
	if (inet_pton(is_v6(text) ? AF_INET6 : AF_INET, text, is_v6(text) ? to : to + 12) != 1)
		errx(1, "not an address: %s", text);
}

/* Of the period of 2^36 ns before or after now. */
static uint32_t cookie_of(const struct frame_spec *spec, int64_t periods)
{
	const char *from = spec->from ? spec->from : is_v6(spec->to) ? "2001:db8:10::7" : "198.51.100.7";
	uint64_t period = (now_ns() >> 36) + (uint64_t)periods, nonce = GPC_SIM_NONCE;
	uint16_t source_port = htons(spec->source_port), port = htons(spec->port ? spec->port : 80);
	uint8_t key[16], data[38] = {[32] = TCP, [37] = 18};

	for (int i = 0; i < 8; i++) {
		key[i] = (uint8_t)(nonce >> 8 * i);
		key[8 + i] = (uint8_t)(8 + i) ^ (uint8_t)(period >> 8 * i);
	}
	put_address(from, data);
	put_address(spec->to, data + 16);
	memcpy(data + 33, &source_port, 2);
	memcpy(data + 35, &port, 2);
	return (uint32_t)slow_siphash(1, 3, key, data, sizeof(data));
}

static uint16_t checksum_with(const uint8_t *addresses, uint32_t size, const uint8_t tcp[20])
{
	uint8_t all[32 + 4 + 20] = {0};

	memcpy(all, addresses, size);
	all[size + 1] = TCP;
	all[size + 3] = 20;
	memcpy(all + size + 4, tcp, 20);
	return frame_checksum(all, size + 4 + 20);
}

/* Is the frame an ACK of the cookie, as RFC 9293 has it and back to where `in` came from? */
static bool is_answer_to(const struct frame_spec *spec, const struct frame *in,
			 const struct gpc_sim_outcome *got)
{
	uint32_t l4 = l4_of(spec, in), family = is_v6(spec->to) ? 16 : 4;
	uint32_t at = in->l3 + (family == 16 ? 8 : 12), cookie;
	uint8_t want[128] = {0};

	memcpy(want, in->bytes + 6, 6);
	memcpy(want + 6, in->bytes, 6);
	memcpy(want + 12, in->bytes + 12, in->l3 - 12);
	memcpy(want + in->l3,
	       family == 16 ? "\x60\0\0\0\0\x14\x06\x40" : "\x45\0\0\x28\0\0\x40\0\x40\x06\0\0",
	       family == 16 ? 8 : 12);
	memcpy(want + at, in->bytes + at + family, family);
	memcpy(want + at + family, in->bytes + at, family);
	memcpy(want + l4, in->bytes + l4 + 2, 2);
	memcpy(want + l4 + 2, in->bytes + l4, 2);
	want[l4 + 12] = 5 << 4;
	want[l4 + 13] = ACK;
	if (got->out_size != l4 + 20)
		return false;
	memcpy(&cookie, got->out + l4 + 8, sizeof(cookie));
	memcpy(want + l4 + 8, &cookie, sizeof(cookie));
	memcpy(want + l4 + 16, got->out + l4 + 16, 2);
	if (family == 4)
		memcpy(want + in->l3 + 10, got->out + in->l3 + 10, 2);
	if (memcmp(want, got->out, l4 + 20) != 0)
		frame_show("cookie", got->out, got->out_size, want, l4 + 20);
	cookie = ntohl(cookie);
	return !memcmp(want, got->out, l4 + 20) &&
	       (family == 16 || !frame_checksum(want + in->l3, 20)) &&
	       !checksum_with(want + at, 2 * family, want + l4) &&
	       (cookie == cookie_of(spec, 0) || cookie == cookie_of(spec, -1));
}

/* ---- conversations ---- */

static void the_answer_is_an_ack_of_the_cookie(const char *vip)
{
	struct frame_spec spec = {.to = vip, .flags = SYN, .source_port = 3000};
	struct gpc_sim_outcome got;
	struct frame frame;

	begin();
	flood(vip);
	for (spec.tags = 0; spec.tags < 3; spec.tags++) {
		got = send_as(&spec, 1, &frame);
		CU_ASSERT_EQUAL(got.reason, GPC_REASON_SYN_COOKIE);
		CU_ASSERT_EQUAL(got.verdict, GPC_VERDICT_ANSWER);
		CU_ASSERT(is_answer_to(&spec, &frame, &got));
	}
}

static void who_brings_it_back_is_let_in(const char *vip)
{
	struct frame_spec syn = {.to = vip, .flags = SYN, .source_port = 3001};
	struct frame_spec reset = syn, ack = syn, other = syn, later = syn;

	reset.flags = RST;
	ack.flags = ACK;
	other.source_port = 3002;
	later.source_port = 3003;
	begin();
	flood(vip);
	CU_ASSERT(ends_as(&syn, 1, GPC_VERDICT_ANSWER, GPC_REASON_SYN_COOKIE));
	CU_ASSERT(ends_as(&reset, cookie_of(&syn, 0), GPC_VERDICT_DROP, GPC_REASON_GOOD_COOKIE));
	flood(vip);
	CU_ASSERT(ends_as(&other, 1, GPC_VERDICT_ANSWER, GPC_REASON_SYN_COOKIE));
	CU_ASSERT(is_let_in(&syn));
	CU_ASSERT(is_let_in(&syn));
	CU_ASSERT(is_let_in(&ack));
	flood(vip);
	CU_ASSERT(ends_as(&later, 1, GPC_VERDICT_ANSWER, GPC_REASON_SYN_COOKIE));
}

static void nobody_else_is(const char *vip)
{
	const char *stranger = is_v6(vip) ? "2001:db8:10::8" : "198.51.100.8";
	struct frame_spec syn = {.to = vip, .flags = SYN, .source_port = 3004};
	struct frame_spec reset = syn, elsewhere = syn, another = syn;
	uint32_t cookie;

	begin();
	flood(vip);
	cookie = cookie_of(&syn, 0);
	reset.flags = elsewhere.flags = another.flags = RST;
	elsewhere.from = stranger;
	another.source_port = 3005;
	CU_ASSERT(ends_as(&syn, 1, GPC_VERDICT_ANSWER, GPC_REASON_SYN_COOKIE));
	CU_ASSERT(ends_as(&reset, cookie ^ 1, GPC_VERDICT_DROP, GPC_REASON_BAD_COOKIE));
	CU_ASSERT(ends_as(&reset, 0, GPC_VERDICT_DROP, GPC_REASON_BAD_COOKIE));
	CU_ASSERT(ends_as(&elsewhere, cookie, GPC_VERDICT_DROP, GPC_REASON_BAD_COOKIE));
	CU_ASSERT(ends_as(&another, cookie, GPC_VERDICT_DROP, GPC_REASON_BAD_COOKIE));
	flood(vip);
	CU_ASSERT(ends_as(&syn, 1, GPC_VERDICT_ANSWER, GPC_REASON_SYN_COOKIE));
}

static void a_cookie_grows_old(const char *vip)
{
	struct frame_spec reset = {.to = vip, .flags = RST, .source_port = 3006};

	begin();
	flood(vip);
	CU_ASSERT(ends_as(&reset, cookie_of(&reset, -3), GPC_VERDICT_DROP, GPC_REASON_BAD_COOKIE));
	CU_ASSERT(ends_as(&reset, cookie_of(&reset, 2), GPC_VERDICT_DROP, GPC_REASON_BAD_COOKIE));
	CU_ASSERT(ends_as(&reset, cookie_of(&reset, 0), GPC_VERDICT_DROP, GPC_REASON_GOOD_COOKIE));
	if (kind != GPC_SIM_USER)
		return;
	begin();
	CU_ASSERT(ends_as(&reset, cookie_of(&reset, -1), GPC_VERDICT_DROP, GPC_REASON_GOOD_COOKIE));
	CU_ASSERT_NOT_EQUAL(send_it(&reset, cookie_of(&reset, -2)).reason, GPC_REASON_GOOD_COOKIE);
}

/* In user space, where time can be told. */
static void a_proof_does_too(const char *vip)
{
	struct frame_spec syn = {.to = vip, .flags = SYN, .source_port = 3007}, reset = syn;

	if (kind != GPC_SIM_USER)
		return;
	begin();
	reset.flags = RST;
	CU_ASSERT(ends_as(&reset, cookie_of(&syn, 0), GPC_VERDICT_DROP, GPC_REASON_GOOD_COOKIE));
	skipped = 70000000000;
	gpc_sim_advance(sim, skipped);
	flood(vip);
	CU_ASSERT(ends_as(&syn, 1, GPC_VERDICT_ANSWER, GPC_REASON_SYN_COOKIE));
	CU_ASSERT(ends_as(&reset, cookie_of(&syn, 0), GPC_VERDICT_DROP, GPC_REASON_GOOD_COOKIE));
	CU_ASSERT(is_let_in(&syn));
}

static void each_plane(enum gpc_sim_kind how)
{
	for (size_t p = 0; p < sizeof(planes) / sizeof(*planes); p++) {
		open_plane(how, planes[p]);
		for (size_t i = 0; i < VIPS; i++) {
			the_answer_is_an_ack_of_the_cookie(vips[i]);
			who_brings_it_back_is_let_in(vips[i]);
			nobody_else_is(vips[i]);
			a_cookie_grows_old(vips[i]);
			a_proof_does_too(vips[i]);
		}
		close_plane();
	}
}

static void in_user_space(void)
{
	each_plane(GPC_SIM_USER);
}

static void in_the_kernel(void)
{
	each_plane(GPC_SIM_KERNEL);
}

/* ---- what is not asked for a cookie ---- */

static void without_a_flood_a_reset_is_an_ordinary_packet(void)
{
	struct frame_spec spec = {.to = "203.0.113.2", .flags = RST, .source_port = 3010};

	open_plane(GPC_SIM_USER, HEAD);
	begin();
	CU_ASSERT(ends_as(&spec, 1, GPC_VERDICT_PASS, GPC_REASON_LOCAL));
	spec.to = "203.0.113.1";
	CU_ASSERT(ends_as(&spec, 1, GPC_VERDICT_FORWARD, GPC_REASON_FORWARDED));
	close_plane();
	open_plane(GPC_SIM_USER, HEAD CHAIN);
	begin();
	CU_ASSERT(ends_as(&spec, 1, GPC_VERDICT_DROP, GPC_REASON_MID_STREAM));
	flood("203.0.113.1");
	spec.source_port = 3011;
	CU_ASSERT(ends_as(&spec, 1, GPC_VERDICT_DROP, GPC_REASON_BAD_COOKIE));
	skipped = 140000000000;
	gpc_sim_advance(sim, skipped);
	CU_ASSERT(ends_as(&spec, 1, GPC_VERDICT_DROP, GPC_REASON_MID_STREAM));
	close_plane();
}

static void others_are_dropped_as_ever(void)
{
	struct frame_spec udp = {.to = "203.0.113.2", .protocol = UDP, .source_port = 3012};
	struct frame_spec plain = {.to = "203.0.113.3", .flags = SYN, .source_port = 3013};
	struct frame_spec denied = {.to = "203.0.113.2", .flags = SYN, .source_port = 3014, .port = 81};
	struct frame_spec ack = {.to = "203.0.113.2", .flags = ACK, .source_port = 3015};

	open_plane(GPC_SIM_USER, HEAD CHAIN);
	begin();
	flood("203.0.113.2");
	CU_ASSERT(ends_as(&udp, 0, GPC_VERDICT_DROP, GPC_REASON_FLOW_LIMIT));
	CU_ASSERT(ends_as(&plain, 1, GPC_VERDICT_DROP, GPC_REASON_FLOW_LIMIT));
	CU_ASSERT(ends_as(&denied, 1, GPC_VERDICT_DROP, GPC_REASON_POLICY));
	CU_ASSERT(ends_as(&ack, 1, GPC_VERDICT_DROP, GPC_REASON_MID_STREAM));
	close_plane();
}

/* ---- a flood ---- */

#define SPOOFED 10000u

/* Of as many sources, none of which answers, hardly any leaves an entry; who answers gets in. */
static void a_flood_leaves_no_entries(void)
{
	uint64_t answered, cookies;
	char from[24];

	policy_use(HEAD);
	policy_reset(3600);
	answered = kernel_reason(policy_kernel(), GPC_HOOK_ID_XDP, GPC_REASON_SYN_COOKIE);
	for (uint32_t i = 0; i < SPOOFED; i++) {
		struct frame_spec spec = {.from = from, .to = vips[i & 2], .flags = SYN};

		snprintf(from, sizeof(from), "100.%u.%u.%u", 64 + (i >> 16), i >> 8 & 255, i & 255);
		policy_send(IN, WAN, &spec);
	}
	cookies = kernel_reason(policy_kernel(), GPC_HOOK_ID_XDP, GPC_REASON_SYN_COOKIE) - answered;
	CU_ASSERT(cookies > SPOOFED - 500);
	CU_ASSERT_EQUAL(kernel_reason(policy_kernel(), GPC_HOOK_ID_XDP, GPC_REASON_FLOW_LIMIT), 0);
	CU_ASSERT(kernel_flow_count(policy_kernel(), false) <= 2 * (SPOOFED - cookies));
}

static void start(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_setaffinity(0, sizeof(one), &one); /* each has a budget of its own */
	policy_start();
}

static void stop(void)
{
	policy_stop();
}

GPC_UNIT_MAIN("bpf/cookie", {"start", start}, {"in_user_space", in_user_space},
	      {"in_the_kernel", in_the_kernel},
	      {"without_a_flood_a_reset_is_an_ordinary_packet",
	       without_a_flood_a_reset_is_an_ordinary_packet},
	      {"others_are_dropped_as_ever", others_are_dropped_as_ever},
	      {"a_flood_leaves_no_entries", a_flood_leaves_no_entries}, {"stop", stop})
