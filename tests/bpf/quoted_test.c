// SPDX-License-Identifier: MIT
/* The packets that ICMP errors quote, whole and cut, in XDP and in TC. */
#include <arpa/inet.h>
#include <linux/bpf.h>

#include "staged.h"
#include "tests/unit/unit.h"

#define V4 "192.0.2.1"
#define V6 "2001:db8:99::1"
#define ECHO_ID 1 /* of every echo frame */

static struct stages *stages;

static void start(void)
{
	stages = staged_open();
}

static void stop(void)
{
	stages__destroy(stages);
}

/*
 * The packet of `spec` quoted by an error, `quote` bytes of it (0: all), asked for at both contexts;
 * what it was read as in *ret. -1: they differ.
 */
static int ask(const struct frame_spec *spec, uint32_t quote, struct stages_answer *ret)
{
	struct frame_spec error = {.to = strchr(spec->to, ':') ? V6 : V4, .payload = 1};
	struct stages_answer answers[2];
	struct frame in, quoted;
	struct stages_ask ask = {};
	uint32_t zero = 0;

	frame_build(&error, &in);
	frame_build(spec, &quoted);
	ask.question.family = strchr(spec->to, ':') ? GPC_V6 : GPC_V4;
	ask.at = in.l3 + (ask.question.family == GPC_V6 ? 48 : 28);
	if (!quote)
		quote = quoted.size - quoted.l3;
	memcpy(in.bytes + ask.at, quoted.bytes + quoted.l3, quote);
	in.size = ask.limit = ask.at + quote;
	staged_ask(stages, &ask);
	for (int i = 0; i < 2; i++) {
		staged_run(i ? stages->progs.quoted_at_tc : stages->progs.quoted_at_xdp, &in, NULL);
		if (bpf_map_lookup_elem(bpf_map__fd(stages->maps.stages_answer), &zero,
					&answers[i]))
			err(1, "answer");
	}
	if (memcmp(&answers[0], &answers[1], sizeof(answers[0])))
		return -1;
	*ret = answers[0];
	ret->l4 -= ask.at;
	return (int)ret->result;
}

static void flows_are_named(void)
{
	static const struct {
		const char *name;
		struct frame_spec spec;
		uint32_t l4; /* offset behind the quoted packet's begin */
		uint16_t source_port, port;
	} rows[] = {
		{"tcp", {.to = V4}, 20, 40000, 80},
		{"udp", {.to = V4, .protocol = UDP, .port = 53}, 20, 40000, 53},
		{"tcp, v6", {.to = V6, .source_port = 1, .port = 65535}, 40, 1, 65535},
		{"tcp, options", {.to = V4, .options = 10}, 60, 40000, 80},
		{"first fragment", {.to = V4, .fragment = 0x2000}, 20, 40000, 80},
		{"echo request", {.to = V4, .protocol = ICMP}, 20, ECHO_ID, ECHO_ID},
		{"gre", {.to = V4, .protocol = GRE}, 20, 0, 0},
		{"esp, v6", {.to = V6, .protocol = ESP}, 40, 0, 0},
		{"extension headers",
		 {.to = V6, .extensions = {HOP_BY_HOP, ROUTING, DESTINATION}},
		 64,
		 40000,
		 80},
		{"long extension headers",
		 {.to = V6, .extensions = {HOP_BY_HOP, DESTINATION}, .extension_words = 4},
		 120,
		 40000,
		 80},
		{"AH", {.to = V6, .extensions = {AH}}, 64, 40000, 80},
		{"six extension headers",
		 {.to = V6,
		  .protocol = UDP,
		  .extensions = {HOP_BY_HOP, DESTINATION, DESTINATION, DESTINATION, DESTINATION,
				 DESTINATION}},
		 88,
		 40000,
		 80},
		{"first fragment, v6",
		 {.to = V6, .extensions = {FRAGMENT_HEADER}, .fragment = 1},
		 48,
		 40000,
		 80},
	};
	struct stages_answer got;
	uint8_t source[16], destination[16];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct frame_spec *spec = &rows[i].spec;
		bool v6 = strchr(spec->to, ':');

		memcpy(source, (uint8_t[16]){[10] = 0xff, 0xff}, 16);
		memcpy(destination, source, 16);
		inet_pton(v6 ? AF_INET6 : AF_INET, v6 ? "2001:db8:10::7" : "198.51.100.7",
			  source + (v6 ? 0 : 12));
		inet_pton(v6 ? AF_INET6 : AF_INET, spec->to, destination + (v6 ? 0 : 12));
		for (int whole = 0; whole < 2; whole++) {
			int result = ask(spec, whole ? 0 : rows[i].l4 + 8, &got);

			if (result != 1)
				printf("%s: %d\n", rows[i].name, result);
			CU_ASSERT_EQUAL(result, 1);
			CU_ASSERT(!memcmp(got.source, source, 16));
			CU_ASSERT(!memcmp(got.destination, destination, 16));
			CU_ASSERT_EQUAL(ntohs(got.source_port), rows[i].source_port);
			CU_ASSERT_EQUAL(ntohs(got.destination_port), rows[i].port);
			CU_ASSERT_EQUAL(got.protocol, spec->protocol ? spec->protocol : TCP);
			CU_ASSERT_EQUAL(got.l4, rows[i].l4);
		}
		for (uint32_t cut = 1; cut < rows[i].l4 + 8; cut++)
			CU_ASSERT_EQUAL(ask(spec, cut, &got), 0);
	}
}

static void some_name_no_flow(void)
{
	static const struct frame_spec rows[] = {
		{.to = V4, .version = 6},
		{.to = V4, .ihl = 4},
		{.to = V4, .fragment = 0x0001},
		{.to = V4, .fragment = 0x3fff},
		{.to = V6, .version = 4},
		{.to = V6, .extensions = {FRAGMENT_HEADER}, .fragment = 8},
		{.to = V6,
		 .extensions = {HOP_BY_HOP, DESTINATION, DESTINATION, DESTINATION, DESTINATION,
				DESTINATION, DESTINATION}},
	};
	struct stages_answer got;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		CU_ASSERT_EQUAL(ask(&rows[i], 0, &got), 0);
}

/* Every ICMP type in a quote: an echo or its reply only, of the family that it belongs to. */
static void only_echoes_of_icmp(void)
{
	for (int v6 = 0; v6 < 2; v6++)
		for (unsigned int type = 0; type < 256; type++) {
			struct frame_spec spec = {.to = v6 ? V6 : V4,
						  .protocol = v6 ? ICMP6 : ICMP};
			struct stages_ask ask = {.question.family = v6 ? GPC_V6 : GPC_V4};
			struct frame in;
			int want = v6 ? type == 128 || type == 129 : type == 0 || type == 8;

			frame_build(&spec, &in);
			in.bytes[in.l3 + (v6 ? 40 : 20)] = (uint8_t)type;
			ask.at = in.l3;
			ask.limit = in.size;
			staged_ask(stages, &ask);
			CU_ASSERT_EQUAL(staged_run(stages->progs.quoted_at_xdp, &in, NULL), want);
		}
}

GPC_UNIT_MAIN("bpf/quoted", {"start", start}, {"flows_are_named", flows_are_named},
	      {"some_name_no_flow", some_name_no_flow},
	      {"only_echoes_of_icmp", only_echoes_of_icmp}, {"stop", stop})
