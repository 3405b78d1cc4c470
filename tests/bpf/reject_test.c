// SPDX-License-Identifier: MIT
/*
 * The answers to rejected packets, byte for byte, in XDP and at both TC hooks. The frame that must
 * come out is put together here field by field, its checksums by frame_checksum().
 */
#include <arpa/inet.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include "staged.h"
#include "tests/unit/unit.h"

#define V4 "192.0.2.1"
#define V6 "2001:db8:99::1"
#define SEQUENCE 0x01020304u /* of every TCP frame */
#define ACKNOWLEDGED 0x05060708u
#define QUOTE 128u

static struct stages *stages;
static uint64_t now = 1000000000000ull;

static void start(void)
{
	stages = staged_open();
}

static void stop(void)
{
	stages__destroy(stages);
}

/* ---- the question, from the frame ---- */

static void address_of(__u64 to[2], const uint8_t *from, bool v6)
{
	uint8_t bytes[16] = {[10] = 0xff, [11] = 0xff};

	if (v6)
		memcpy(bytes, from, 16);
	else
		memcpy(bytes + 12, from, 4);
	memcpy(to, bytes, 16);
}

static uint32_t l4_of(const struct frame_spec *spec, const struct frame *in)
{
	uint32_t at = in->l3;

	if (!strchr(spec->to, ':'))
		return at + (in->bytes[at] & 15u) * 4;
	at += 40;
	for (int i = 0; i < 8 && spec->extensions[i]; i++)
		at += spec->extensions[i] == FRAGMENT_HEADER ? 8
							     : (spec->extension_words + 1u) * 8;
	return at;
}

static uint8_t asked_flags(uint8_t flags)
{
	return (uint8_t)((flags & SYN ? GPC_ASK_SYN : 0) | (flags & ACK ? GPC_ASK_ACK : 0) |
			 (flags & FIN ? GPC_ASK_FIN : 0) | (flags & RST ? GPC_ASK_RST : 0));
}

static struct stages_ask ask_of(const struct frame_spec *spec, const struct frame *in)
{
	bool v6 = strchr(spec->to, ':');
	const uint8_t *ip = in->bytes + in->l3;
	struct stages_ask ask = {.now = now += 1000000000, .l4 = l4_of(spec, in)};
	const uint8_t *l4 = in->bytes + ask.l4;
	uint16_t field = v6 ? (uint16_t)(spec->fragment & 0xfff8)
			    : (uint16_t)(spec->fragment & 0x1fff);

	address_of(ask.question.source, ip + (v6 ? 8 : 12), v6);
	address_of(ask.question.destination, ip + (v6 ? 24 : 16), v6);
	ask.question.protocol = spec->protocol ? spec->protocol : TCP;
	ask.question.family = v6 ? GPC_V6 : GPC_V4;
	if (field)
		ask.question.fragment = GPC_FRAGMENT_LATER;
	else if (ask.question.protocol == TCP)
		ask.question.tcp_flags = asked_flags(l4[13]);
	else if (ask.question.protocol == ICMP || ask.question.protocol == ICMP6)
		ask.question.destination_port = (uint32_t)l4[0] << 8 | l4[1];
	ask.length = in->ip_size;
	ask.tags = spec->tags;
	return ask;
}

/* ---- the answer that must come ---- */

static void put(struct frame *f, const void *bytes, size_t size)
{
	memcpy(f->bytes + f->size, bytes, size);
	f->size += (uint32_t)size;
}

static void put16(struct frame *f, uint16_t value)
{
	value = htons(value);
	put(f, &value, 2);
}

static void put32(struct frame *f, uint32_t value)
{
	value = htonl(value);
	put(f, &value, 4);
}

static void put_head(struct frame *f, const struct frame *in, bool v6, uint8_t protocol,
		     uint16_t payload)
{
	const uint8_t *ip = in->bytes + in->l3;
	uint16_t sum;

	put(f, in->bytes + 6, 6);
	put(f, in->bytes, 6);
	put(f, in->bytes + 12, in->l3 - 12);
	f->l3 = f->size;
	if (v6) {
		put32(f, 6u << 28);
		put16(f, payload);
		put(f, (uint8_t[]){protocol, 64}, 2);
		put(f, ip + 24, 16);
		put(f, ip + 8, 16);
		return;
	}
	put16(f, 0x4500);
	put16(f, (uint16_t)(20 + payload));
	put32(f, 0x4000);
	put(f, (uint8_t[]){64, protocol, 0, 0}, 4);
	put(f, ip + 16, 4);
	put(f, ip + 12, 4);
	sum = htons(frame_checksum(f->bytes + f->l3, 20));
	memcpy(f->bytes + f->l3 + 10, &sum, 2);
}

/* Checksum of all behind the IP header, written `at` bytes behind it; pseudo: with its pseudo header. */
static void put_sum(struct frame *f, bool v6, uint8_t protocol, uint32_t at, bool pseudo)
{
	uint32_t head = v6 ? 40 : 20, size = f->size - f->l3 - head;
	struct frame sum = {};
	uint16_t value;

	if (pseudo) {
		put(&sum, f->bytes + f->l3 + (v6 ? 8 : 12), v6 ? 32 : 8);
		put32(&sum, size);
		put32(&sum, protocol);
	}
	put(&sum, f->bytes + f->l3 + head, size);
	value = htons(frame_checksum(sum.bytes, sum.size));
	memcpy(f->bytes + f->l3 + head + at, &value, 2);
}

/* `length` is the segment's: its bytes, and 1 each for SYN and FIN. */
static struct frame reset_for(const struct frame_spec *spec, const struct frame *in, uint32_t length)
{
	bool v6 = strchr(spec->to, ':'), acknowledges = !spec->flags || spec->flags & ACK;
	const uint8_t *tcp = in->bytes + l4_of(spec, in);
	struct frame f = {};

	put_head(&f, in, v6, TCP, 20);
	put(&f, tcp + 2, 2);
	put(&f, tcp, 2);
	put32(&f, acknowledges ? ACKNOWLEDGED : 0);
	put32(&f, acknowledges ? 0 : SEQUENCE + length);
	put(&f, (uint8_t[]){0x50, acknowledges ? RST : RST | ACK}, 2);
	put16(&f, 0);
	put32(&f, 0);
	put_sum(&f, v6, TCP, 16, true);
	return f;
}

static struct frame unreachable_for(const struct frame_spec *spec, const struct frame *in)
{
	bool v6 = strchr(spec->to, ':');
	uint8_t protocol = v6 ? ICMP6 : ICMP;
	uint16_t quote = (uint16_t)(in->ip_size < QUOTE ? in->ip_size : QUOTE);
	struct frame f = {};

	put_head(&f, in, v6, protocol, (uint16_t)(8 + quote));
	put(&f, v6 ? (uint8_t[]){1, 4} : (uint8_t[]){3, 3}, 2);
	put16(&f, 0);
	put32(&f, 0);
	put(&f, in->bytes + in->l3, quote);
	put_sum(&f, v6, protocol, 2, v6);
	return f;
}

/* ---- cases ---- */

static bool same(const char *name, int action, int wanted, const struct frame *out,
		 const struct frame *want)
{
	if (action != wanted)
		printf("%s: action %d, wanted %d\n", name, action, wanted);
	if (!want)
		return action == wanted;
	if (out->size == want->size && !memcmp(out->bytes, want->bytes, want->size))
		return action == wanted;
	frame_show(name, out->bytes, out->size, want->bytes, want->size);
	return false;
}

/* In XDP, at TC ingress and at TC egress; want NULL: no answer. */
static bool everywhere(const char *name, const struct frame_spec *spec, const struct frame *in,
		       const struct frame *want)
{
	const struct bpf_program *const tc[] = {stages->progs.reject_at_ingress,
						stages->progs.reject_at_egress};
	struct stages_ask ask = ask_of(spec, in);
	struct frame out;
	bool ok;
	int action;

	staged_ask(stages, &ask);
	action = staged_run(stages->progs.reject_at_xdp, in, &out);
	ok = same(name, action, want ? XDP_TX : XDP_DROP, &out, want);
	for (int i = 0; i < 2; i++) {
		ask = ask_of(spec, in);
		staged_ask(stages, &ask);
		action = staged_run(tc[i], in, &out);
		ok &= same(name, action, want ? TC_ACT_REDIRECT : TC_ACT_SHOT, &out, want);
	}
	return ok;
}

static void tcp_is_reset(void)
{
	static const struct {
		const char *name;
		struct frame_spec spec;
		uint32_t length; /* of the segment */
	} rows[] = {
		{"syn", {.to = V4, .flags = SYN, .no_payload = true}, 1},
		{"syn, options", {.to = V4, .flags = SYN, .no_payload = true, .tcp_options = 10}, 1},
		{"syn, data", {.to = V4, .flags = SYN}, 13},
		{"syn, v6", {.to = V6, .flags = SYN, .no_payload = true}, 1},
		{"syn and fin", {.to = V4, .flags = SYN | FIN, .no_payload = true}, 2},
		{"fin, data", {.to = V4, .flags = FIN, .payload = 100}, 101},
		{"psh", {.to = V4, .flags = PSH, .payload = 1000}, 1000},
		{"ack", {.to = V4, .flags = ACK}, 0},
		{"ack, v6", {.to = V6, .flags = ACK, .payload = 1300}, 0},
		{"syn and ack", {.to = V4, .flags = SYN | ACK}, 0},
		{"padded", {.to = V4, .flags = SYN, .no_payload = true, .padding = 6}, 1},
		{"one tag", {.to = V4, .flags = SYN, .no_payload = true, .tags = 1}, 1},
		{"two tags, v6", {.to = V6, .flags = SYN, .payload = 3, .tags = 2}, 4},
		{"IPv4 options", {.to = V4, .flags = SYN, .options = 10, .no_payload = true}, 1},
		{"extension headers",
		 {.to = V6, .flags = SYN, .payload = 5, .extensions = {HOP_BY_HOP, DESTINATION}},
		 6},
		{"first fragment", {.to = V4, .flags = SYN, .fragment = 0x2000, .payload = 64}, 65},
	};
	struct frame in, want;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		frame_build(&rows[i].spec, &in);
		want = reset_for(&rows[i].spec, &in, rows[i].length);
		CU_ASSERT(everywhere(rows[i].name, &rows[i].spec, &in, &want));
	}
}

static void the_rest_is_unreachable(void)
{
	static const struct {
		const char *name;
		struct frame_spec spec;
	} rows[] = {
		{"udp", {.to = V4, .protocol = UDP}},
		{"udp, empty", {.to = V4, .protocol = UDP, .no_payload = true}},
		{"udp, v6", {.to = V6, .protocol = UDP}},
		{"udp, long", {.to = V4, .protocol = UDP, .payload = 1400}},
		{"udp, long, v6", {.to = V6, .protocol = UDP, .payload = 1400}},
		{"udp, odd", {.to = V4, .protocol = UDP, .payload = 33}},
		{"udp, odd, v6", {.to = V6, .protocol = UDP, .payload = 33}},
		{"udp, as long as the quote", {.to = V4, .protocol = UDP, .payload = 100}},
		{"udp, one byte longer", {.to = V4, .protocol = UDP, .payload = 101}},
		{"udp, padded", {.to = V4, .protocol = UDP, .payload = 1, .padding = 20}},
		{"udp, tag", {.to = V4, .protocol = UDP, .tags = 1}},
		{"udp, two tags, v6", {.to = V6, .protocol = UDP, .tags = 2}},
		{"udp, options", {.to = V4, .protocol = UDP, .options = 10}},
		{"udp, extension headers",
		 {.to = V6, .protocol = UDP, .extensions = {HOP_BY_HOP, ROUTING, DESTINATION}}},
		{"sctp", {.to = V4, .protocol = SCTP}},
		{"gre", {.to = V4, .protocol = GRE}},
		{"esp, v6", {.to = V6, .protocol = ESP}},
		{"echo request", {.to = V4, .protocol = ICMP}},
		{"first fragment", {.to = V4, .protocol = UDP, .fragment = 0x2000}},
	};
	struct frame in, want;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		frame_build(&rows[i].spec, &in);
		want = unreachable_for(&rows[i].spec, &in);
		CU_ASSERT(everywhere(rows[i].name, &rows[i].spec, &in, &want));
	}
}

static void some_get_no_answer(void)
{
	static const struct {
		const char *name;
		struct frame_spec spec;
	} rows[] = {
		{"rst", {.to = V4, .flags = RST}},
		{"rst and ack", {.to = V4, .flags = RST | ACK}},
		{"rst, v6", {.to = V6, .flags = RST}},
		{"later fragment", {.to = V4, .fragment = 0x2001}},
		{"last fragment, udp", {.to = V4, .fragment = 0x00ff, .protocol = UDP}},
		{"later fragment, v6",
		 {.to = V6, .protocol = UDP, .fragment = 8, .extensions = {FRAGMENT_HEADER}}},
		{"multicast", {.to = "224.0.0.251", .protocol = UDP}},
		{"broadcast", {.to = "255.255.255.255", .protocol = UDP}},
		{"multicast, v6", {.to = "ff02::fb", .protocol = UDP}},
		{"tcp to multicast", {.to = "239.1.1.1", .flags = SYN}},
		{"from no address", {.from = "0.0.0.0", .to = V4, .protocol = UDP}},
		{"from no address, v6", {.from = "::", .to = V6, .protocol = UDP}},
		{"from multicast", {.from = "224.0.0.1", .to = V4, .protocol = UDP}},
		{"from multicast, v6", {.from = "ff02::1", .to = V6, .protocol = UDP}},
		{"from broadcast", {.from = "255.255.255.255", .to = V4, .protocol = UDP}},
		{"from loopback", {.from = "127.0.0.1", .to = V4, .protocol = UDP}},
	};
	struct frame in;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		frame_build(&rows[i].spec, &in);
		CU_ASSERT(everywhere(rows[i].name, &rows[i].spec, &in, NULL));
	}
}

/* All types: an error, of either family, gets no answer; every other does. */
static void icmp_errors_get_no_answer(void)
{
	static const bool error4[256] = {[3] = 1, [4] = 1, [5] = 1, [11] = 1, [12] = 1};
	unsigned int answered = 0;

	for (int v6 = 0; v6 < 2; v6++) {
		struct frame_spec spec = {.to = v6 ? V6 : V4, .protocol = v6 ? ICMP6 : ICMP};
		struct frame in, want;

		for (unsigned int type = 0; type < 256; type++) {
			bool error = v6 ? type < 128 || type == 137 : error4[type];

			frame_build(&spec, &in);
			in.bytes[l4_of(&spec, &in)] = (uint8_t)type;
			want = unreachable_for(&spec, &in);
			CU_ASSERT(everywhere("icmp", &spec, &in, error ? NULL : &want));
			answered += !error;
		}
	}
	CU_ASSERT_EQUAL(answered, 251 + 127);
}

/* A group MAC address on either side: the packet was not for one host, or comes from none. */
static void group_macs_get_no_answer(void)
{
	struct frame_spec spec = {.to = V4, .protocol = UDP};
	struct frame in;

	for (int side = 0; side < 12; side += 6) {
		frame_build(&spec, &in);
		in.bytes[side] |= 1;
		CU_ASSERT(everywhere("group MAC", &spec, &in, NULL));
	}
}

/* 1000 at one instant, then one each millisecond. */
static void answers_are_limited(void)
{
	struct frame_spec spec = {.to = V4, .protocol = UDP};
	struct gpc_limiter before, after;
	struct stages_ask ask;
	struct frame in;
	unsigned int answered = 0;

	frame_build(&spec, &in);
	ask = ask_of(&spec, &in);
	ask.now += 10000000000;
	staged_ask(stages, &ask);
	before = staged_limiter(stages, GPC_LIMIT_REJECT);
	for (int i = 0; i < 1200; i++)
		answered += staged_run(stages->progs.reject_at_xdp, &in, NULL) == XDP_TX;
	CU_ASSERT_EQUAL(answered, 1000);
	ask.now += 3000000;
	staged_ask(stages, &ask);
	for (int i = 0; i < 10; i++)
		answered += staged_run(stages->progs.reject_at_ingress, &in, NULL) == TC_ACT_REDIRECT;
	CU_ASSERT_EQUAL(answered, 1003);
	after = staged_limiter(stages, GPC_LIMIT_REJECT);
	CU_ASSERT_EQUAL(after.let - before.let, 1003);
	CU_ASSERT_EQUAL(after.kept - before.kept, 207);
	now = ask.now + 10000000000;
}

/* The sign in skb->mark: known, and taken off; another plane's is not. */
static void own_answers_are_known(void)
{
	static const struct {
		uint32_t mark;
		int seen;
	} rows[] = {{0x55667789, 1}, {0x55667788, 0}, {0x11223345, 0}, {0, 0}, {1, 0}};
	struct frame_spec spec = {.to = V4};
	struct frame in;

	frame_build(&spec, &in);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct __sk_buff context = {.mark = rows[i].mark};
		LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = in.bytes,
			    .data_size_in = in.size, .ctx_in = &context,
			    .ctx_size_in = sizeof(context), .ctx_out = &context,
			    .ctx_size_out = sizeof(context));

		CU_ASSERT(!bpf_prog_test_run_opts(bpf_program__fd(stages->progs.seen_at_tc),
						  &options));
		CU_ASSERT_EQUAL((int)options.retval, rows[i].seen);
		CU_ASSERT_EQUAL(context.mark, rows[i].seen ? 0 : rows[i].mark);
	}
}

GPC_UNIT_MAIN("bpf/reject", {"start", start}, {"tcp_is_reset", tcp_is_reset},
	      {"the_rest_is_unreachable", the_rest_is_unreachable},
	      {"some_get_no_answer", some_get_no_answer},
	      {"icmp_errors_get_no_answer", icmp_errors_get_no_answer},
	      {"group_macs_get_no_answer", group_macs_get_no_answer},
	      {"answers_are_limited", answers_are_limited},
	      {"own_answers_are_known", own_answers_are_known}, {"stop", stop})
