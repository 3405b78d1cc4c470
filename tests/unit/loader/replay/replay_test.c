/* SPDX-License-Identifier: MIT */
/* Recorded traffic: what frames are called, what lists say, and files whose bytes are anybody's. */
#include "loader/replay/replay.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "compiler/analyze/packet.h"
#include "tests/bpf/linked.h"
#include "tests/unit/unit.h"

#define MUTATIONS 120u
#define FILE_MAX_BYTES 65536u

static const char plane_text[] =
	"apiVersion: gpc/v1\nkind: Plane\nmetadata: {name: p}\ndefaults: {on-fail: pass}\n"
	"interfaces: [{name: wan0, mode: any, hooks: [xdp, tc-egress]}]\n"
	"backends: [{name: web, endpoints: [{name: w, address: 10.0.0.1}]}]\n"
	"listeners: [{name: https, address: 203.0.113.10, protocol: TCP, port: 443, backend: web}]\n"
	"rules:\n  - {name: ssh, action: allow, ports: [tcp/22]}\n"
	"  - {name: web, action: allow, to: {listeners: \"*\"}}\n"
	"policies: [{name: in, interfaces: [wan0], direction: ingress, rules: [ssh, web]}]\n";

static struct gpc_failure failure;

/* ---- files in memory ---- */

static const char *file_of(const void *bytes, size_t size, char path[64])
{
	int fd = memfd_create("records", MFD_CLOEXEC);

	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_FATAL(write(fd, bytes, size) == (ssize_t)size);
	snprintf(path, 64, "/proc/self/fd/%d", fd);
	return path;
}

static void drop_file(const char *path)
{
	const char *slash = strrchr(path, '/');

	close((int)strtol(slash + 1, NULL, 10));
}

/* ---- dissection ---- */

static const char *named(const uint8_t *frame, size_t size)
{
	static char text[GPC_PACKET_TEXT];
	struct gpc_dissected dissected;

	if (!gpc_dissect(frame, size, &dissected))
		return "cut";
	return dissected.ip ? gpc_packet_format(&dissected.packet, text) : "no IP";
}

static size_t put_hex(uint8_t *to, const char *hex)
{
	size_t n = 0;
	unsigned int byte;

	for (; *hex; hex += *hex == ' ' ? 1 : 2) {
		if (*hex == ' ')
			continue;
		CU_ASSERT_FATAL(sscanf(hex, "%2x", &byte) == 1);
		to[n++] = (uint8_t)byte;
	}
	return n;
}

static void frames_have_names(void)
{
	static const struct {
		const char *hex, *name;
	} rows[] = {
		{"020000000002 020000000001 0800 4500002800014000 4006 0000 0a000105 0a000903 "
		 "9c40 1538 00000001 00000000 5002ffff 00000000",
		 "tcp 10.0.1.5:40000 -> 10.0.9.3:5432"},
		{"020000000002 020000000001 8100 0007 0800 4500001c00014000 4011 0000 0a000105 0a000903 "
		 "0035 0035 0008 0000",
		 "udp 10.0.1.5:53 -> 10.0.9.3:53 vlan 7"},
		{"020000000002 020000000001 0800 4500001c00010001 4011 0000 0a000105 0a000903 0102030405060708",
		 "udp 10.0.1.5 -> 10.0.9.3 fragment later"},
		{"020000000002 020000000001 0800 4500001c00014000 4001 0000 0a000105 0a000903 0800 0000 0001 0001",
		 "icmp 10.0.1.5 -> 10.0.9.3 type 8 code 0"},
		{"020000000002 020000000001 86dd 60000000 001c 00 40 20010db8000000000000000000000001 "
		 "20010db8000000000000000000000002 0600000000000000 0001 0016 00000001 00000000 5010ffff 00000000",
		 "tcp [2001:db8::1]:1 -> [2001:db8::2]:22 flags ack"},
		{"020000000002 020000000001 0806 0001", "no IP"},
		{"020000000002 020000000001 0800 4500002800014000 4006 0000 0a000105 0a000903 9c40 1538", "cut"},
		{"020000000002 0200", "cut"},
	};
	uint8_t frame[256];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		CU_ASSERT_STRING_EQUAL(named(frame, put_hex(frame, rows[i].hex)), rows[i].name);
}

/* ---- lists ---- */

/* "PACKET packets bytes direction device" of a line, or what is wrong with it. */
static const char *read_line(const char *line)
{
	static char text[1024];
	struct gpc_records *records = NULL;
	struct gpc_record record;
	char path[64], packet[GPC_PACKET_TEXT];
	int r;

	CU_ASSERT_FATAL(!gpc_flows_open(file_of(line, strlen(line), path), &records, &failure));
	r = records->next(records, &record, &failure);
	if (r == 1)
		snprintf(text, sizeof(text), "%s %llu %llu %s %s",
			 gpc_packet_format(&record.packet, packet), (unsigned long long)record.packets,
			 (unsigned long long)record.bytes,
			 !record.directed		     ? "-"
			 : record.direction == GPC_EGRESS ? "out"
							    : "in",
			 *record.device ? record.device : "-");
	else
		snprintf(text, sizeof(text), "%s", r ? strchr(failure.message, ':') : "nothing");
	gpc_records_close(&records);
	drop_file(path);
	return text;
}

static void lines_are_flows(void)
{
	CU_ASSERT_STRING_EQUAL(read_line("tcp 10.0.1.5:7 -> 10.0.9.3:22\n"),
			       "tcp 10.0.1.5:7 -> 10.0.9.3:22 1 0 - -");
	CU_ASSERT_STRING_EQUAL(
		read_line("tcp 10.0.1.5 -> 10.0.9.3:22 flags ack bytes 9 packets 3 out wan0 # why\n"),
		"tcp 10.0.1.5:40000 -> 10.0.9.3:22 flags ack 3 9 out wan0");
	CU_ASSERT_STRING_EQUAL(read_line("\n# nothing\n   \n"), "nothing");
	CU_ASSERT_STRING_EQUAL(
		read_line("{\"source\":\"2001:db8::1\",\"destination\":\"2001:db8::2\",\"protocol\":\"icmp6\","
			  "\"icmp_type\":1,\"icmp_code\":4,\"packets\":2,\"length\":80,\"hook\":\"tc-egress\"}"),
		"icmp6 2001:db8::1 -> 2001:db8::2 type 1 code 4 2 160 out -");
	CU_ASSERT_STRING_EQUAL(
		read_line("{\"type\":\"event\",\"source\":\"10.0.0.1\",\"destination\":\"10.0.0.2\",\"protocol\":\"tcp\","
			  "\"source_port\":1,\"destination_port\":2,\"tcp_flags\":\"SPA\",\"device\":\"wan0\"}"),
		"tcp 10.0.0.1:1 -> 10.0.0.2:2 flags syn,ack 1 0 in wan0");
	CU_ASSERT_STRING_EQUAL(read_line("{\"type\":\"result\",\"exit\":0}\n"), "nothing");
}

static void lines_may_be_wrong(void)
{
	char *line = malloc(10001);

	CU_ASSERT_PTR_NOT_NULL(strstr(read_line("tcp 10.0.1.5:7 -> 10.0.9.3:22 packets -1\n"), "a count or a device"));
	CU_ASSERT_PTR_NOT_NULL(strstr(read_line("tcp 10.0.1.5:7 -> 10.0.9.3:22 in a-device-with-a-long-name\n"),
				      "a count or a device"));
	CU_ASSERT_PTR_NOT_NULL(strstr(read_line("{\"source\":\"10.0.0.1\"}"), ":1:1: "));
	CU_ASSERT_PTR_NOT_NULL(strstr(read_line("{\"packets\":18446744073709551615}"), "a number is none"));
	CU_ASSERT_PTR_NOT_NULL(strstr(read_line("{\"packets\""), "no object of JSON"));
	CU_ASSERT_PTR_NOT_NULL_FATAL(line);
	memset(line, 'x', 10000);
	line[10000] = '\0';
	CU_ASSERT_PTR_NOT_NULL(strstr(read_line(line), "the line is too long"));
	free(line);
}

/* ---- anybody's bytes ---- */

static uint32_t seed = 3;

static uint32_t draw(uint32_t most)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % most;
}

static void put32(uint8_t *to, size_t *at, uint32_t value)
{
	memcpy(to + *at, &value, sizeof(value));
	*at += sizeof(value);
}

/* A capture with some packets; link types as libpcap has them. */
static size_t make_capture(uint8_t *to, uint32_t link)
{
	static const char *const packets[] = {
		"4500002800014000 4006 0000 08080808 cb00710a 9c40 01bb 00000001 00000000 5002ffff 00000000",
		"4500002800014000 4006 0000 09090909 c6336401 03e8 0016 00000001 00000000 5002ffff 00000000",
		"4500002000014000 4011 0000 09090909 c6336401 03e8 0035 000c 0000 01020304",
		"60000000 0014 06 40 20010db8000000000000000000000001 20010db8000000000000000000000002 "
		"0001 0016 00000001 00000000 5002ffff 00000000",
	};
	size_t at = 0;

	put32(to, &at, 0xa1b2c3d4);
	put32(to, &at, 4u << 16 | 2);
	put32(to, &at, 0);
	put32(to, &at, 0);
	put32(to, &at, 65535);
	put32(to, &at, link);
	for (uint32_t i = 0; i < 12; i++) {
		uint8_t packet[128];
		size_t size = 0;

		if (link == 1)
			size = put_hex(packet, i % 4 == 3 ? "02aabbccddee 020000000001 86dd"
							  : "02aabbccddee 020000000001 0800");
		if (link == 113)
			size = put_hex(packet, i % 3 ? "0000 0001 0006 020000000001 0000 0800"
						     : "0004 0001 0006 020000000001 0000 0800");
		if (link == 276)
			size = put_hex(packet, i % 4 == 3 ? "86dd 0000 00000002 0001 00 06 020000000001 0000"
							  : "0800 0000 00000002 0001 00 06 020000000001 0000");
		size += put_hex(packet + size, packets[i % 4]);
		put32(to, &at, i);
		put32(to, &at, i * 1000);
		put32(to, &at, (uint32_t)size);
		put32(to, &at, (uint32_t)size);
		memcpy(to + at, packet, size);
		at += size;
	}
	return at;
}

/* Sums fit together, whatever the records were. */
static void replay_file(const struct gpc_image *image, const char *path, bool capture)
{
	const struct gpc_image *const images[] = {image, image};
	const struct gpc_replay_options options = {.in = "wan0", .out = "wan0", .kind = GPC_SIM_USER};
	struct gpc_records *records = NULL;
	struct gpc_replay replay;
	struct gpc_sum sum = {0};

	if (capture ? gpc_capture_open(path, NULL, &records, &failure)
		    : gpc_flows_open(path, &records, &failure))
		return;
	CU_ASSERT_FATAL(!gpc_replay_open(images, 2, &options, &replay, &failure));
	if (gpc_replay_run(&replay, records, &failure))
		CU_ASSERT(failure.code == GPC_EXIT_INVALID);
	for (int v = 0; v < GPC_VERDICTS; v++) {
		sum.packets += replay.tallies[0].verdicts[v].packets;
		sum.bytes += replay.tallies[0].verdicts[v].bytes;
	}
	CU_ASSERT_EQUAL(sum.packets, replay.tallies[0].all.packets);
	CU_ASSERT_EQUAL(sum.bytes, replay.tallies[0].all.bytes);
	CU_ASSERT_EQUAL(replay.tallies[1].all.packets, replay.tallies[0].all.packets);
	CU_ASSERT_EQUAL(replay.differences.all.packets, 0);
	gpc_replay_release(&replay);
	gpc_records_close(&records);
}

static void mutate(uint8_t *bytes, size_t size, size_t from)
{
	for (uint32_t n = 1 + draw(6); n; n--)
		bytes[from + draw((uint32_t)(size - from))] = draw(2) ? (uint8_t)draw(256) : draw(2) ? 0xff : 0;
}

static void bytes_are_those_of_ethernet_frames(void)
{
	static const uint32_t links[] = {1, 101, 113, 276};
	uint8_t *bytes = malloc(FILE_MAX_BYTES);
	char path[64];

	CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
	for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++) {
		size_t size = make_capture(bytes, links[i]), count = 0;
		struct gpc_records *records = NULL;
		struct gpc_record record;
		uint64_t sum = 0;

		CU_ASSERT_FATAL(
			!gpc_capture_open(file_of(bytes, size, path), NULL, &records, &failure));
		for (; records->next(records, &record, &failure) == 1; count++)
			sum += record.bytes;
		CU_ASSERT_EQUAL(count, 12);
		CU_ASSERT_EQUAL(sum, 3 * (40 + 40 + 32 + 60) + 12 * 14);
		gpc_records_close(&records);
		drop_file(path);
	}
	free(bytes);
}

static void damaged_captures_are_counted_not_followed(void)
{
	static const uint32_t links[] = {1, 101, 113, 276};
	struct gpc_image image = linked_compile(plane_text);
	uint8_t *original = malloc(FILE_MAX_BYTES), *bytes = malloc(FILE_MAX_BYTES);
	char path[64];

	CU_ASSERT_FATAL(original && bytes);
	for (uint32_t i = 0; i < MUTATIONS; i++) {
		size_t size = make_capture(original, links[i % 4]);

		memcpy(bytes, original, size);
		mutate(bytes, size, i % 5 ? 24 : 0);
		if (!draw(4))
			size = draw((uint32_t)size) + 1;
		replay_file(&image, file_of(bytes, size, path), true);
		drop_file(path);
	}
	free(original);
	free(bytes);
	gpc_image_release(&image);
}

static void damaged_lists_are_refused(void)
{
	static const char text[] =
		"tcp 9.9.9.9:1000 -> 198.51.100.1:22 packets 7 bytes 900\n"
		"tcp [2001:db8::1]:1 -> [2001:db8::2]:443 flags syn,ack vlan 7 in wan0\n"
		"{\"type\":\"event\",\"device\":\"wan0\",\"hook\":\"xdp\",\"protocol\":\"udp\",\"source\":\"9.9.9.9\","
		"\"source_port\":5,\"destination\":\"198.51.100.1\",\"destination_port\":53,\"length\":100,\"packets\":3}\n";
	struct gpc_image image = linked_compile(plane_text);
	uint8_t bytes[sizeof(text)];
	char path[64];

	for (uint32_t i = 0; i < MUTATIONS; i++) {
		memcpy(bytes, text, sizeof(text));
		mutate(bytes, sizeof(text) - 1, 0);
		replay_file(&image, file_of(bytes, sizeof(text) - 1, path), false);
		drop_file(path);
	}
	gpc_image_release(&image);
}

static void time_goes_on_and_never_back(void)
{
	struct gpc_image image = linked_compile(plane_text);
	uint8_t *bytes = malloc(FILE_MAX_BYTES);
	const struct gpc_image *const images[] = {&image};
	const struct gpc_replay_options options = {.in = "wan0", .kind = GPC_SIM_USER};
	struct gpc_records *records = NULL;
	struct gpc_replay replay;
	uint32_t late = 0x7ffffff0u;
	size_t size;
	char path[64];

	CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
	size = make_capture(bytes, 101);
	memcpy(bytes + 24 + 16 + 40, &late, sizeof(late)); /* the second packet's second: 2038 */
	CU_ASSERT_FATAL(!gpc_capture_open(file_of(bytes, size, path), NULL, &records, &failure));
	CU_ASSERT_FATAL(!gpc_replay_open(images, 1, &options, &replay, &failure));
	CU_ASSERT(!gpc_replay_run(&replay, records, &failure));
	CU_ASSERT_EQUAL(replay.backwards, 10);
	CU_ASSERT_EQUAL(replay.begin, 0);
	CU_ASSERT(replay.elapsed <= 31ull * 365 * 86400 * 1000000000);
	CU_ASSERT_EQUAL(replay.tallies[0].all.packets, 12);
	gpc_replay_release(&replay);
	gpc_records_close(&records);
	drop_file(path);
	free(bytes);
	gpc_image_release(&image);
}

GPC_UNIT_MAIN("replay/replay", {"frames_have_names", frames_have_names}, {"lines_are_flows", lines_are_flows},
	      {"lines_may_be_wrong", lines_may_be_wrong},
	      {"bytes_are_those_of_ethernet_frames", bytes_are_those_of_ethernet_frames},
	      {"damaged_captures_are_counted_not_followed", damaged_captures_are_counted_not_followed},
	      {"damaged_lists_are_refused", damaged_lists_are_refused},
	      {"time_goes_on_and_never_back", time_goes_on_and_never_back})
