/* SPDX-License-Identifier: MIT */
/* Events as lines and as JSON. */
#include "loader/cmd/event_line.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "gpc/lookup/question.h"
#include "tests/unit/unit.h"

static void put_address(const char *text, uint8_t out[16])
{
	memset(out, 0, 16);
	if (strchr(text, ':')) {
		inet_pton(AF_INET6, text, out);
		return;
	}
	out[10] = out[11] = 0xff;
	inet_pton(AF_INET, text, out + 12);
}

static struct gpc_event packet(uint8_t protocol, const char *from, const char *to)
{
	struct gpc_event event = {
		.type = GPC_EVENT_DENY,
		.hook = GPC_HOOK_ID_XDP,
		.action = GPC_ACTION_DENY,
		.reason = GPC_REASON_POLICY,
		.protocol = protocol,
		.vlan = GPC_VLAN_NONE,
		.sample = 1,
		.length = 60,
		.rule = 0x1234,
	};

	put_address(from, event.source);
	put_address(to, event.destination);
	return event;
}

static struct gpc_event tcp(const char *from, const char *to)
{
	struct gpc_event event = packet(IPPROTO_TCP, from, to);

	event.source_port = htons(40000);
	event.destination_port = htons(80);
	event.tcp_flags = 2;
	return event;
}

static const struct gpc_event_names names = {
	.seconds = 1777636800, /* 2026-05-01 12:00:00 */
	.milliseconds = 7,
	.device = "wan0",
	.policy = "edge-in",
	.rule = "default",
	.place = "edge.yaml:12:3",
};

static void check_line(const struct gpc_event *event, const struct gpc_event_names *known,
		       const char *wanted)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	gpc_event_print(event, known, out);
	fclose(out);
	CU_ASSERT_STRING_EQUAL(text, wanted);
	if (strcmp(text, wanted))
		fprintf(stderr, "line: %s", text);
	free(text);
}

static void a_line_says_when_what_where_who_and_why(void)
{
	struct gpc_event event = tcp("8.8.8.8", "203.0.113.10");

	check_line(&event, &names,
		   "2026-05-01 12:00:00.007Z  deny        wan0 xdp  tcp 8.8.8.8:40000 -> "
		   "203.0.113.10:80 S  edge-in/default (edge.yaml:12:3)  policy\n");
	event = tcp("2001:db8::1", "2001:db8::2");
	event.type = GPC_EVENT_WOULD_DENY;
	event.hook = GPC_HOOK_ID_TC_EGRESS;
	event.tcp_flags = 0x12;
	event.vlan = 7;
	event.sample = 1000;
	check_line(&event, &names,
		   "2026-05-01 12:00:00.007Z  would-deny  wan0 tc-egress  tcp [2001:db8::1]:40000 -> "
		   "[2001:db8::2]:80 SA vlan 7  edge-in/default (edge.yaml:12:3)  policy  x1000\n");
}

static void what_has_no_ports_shows_none(void)
{
	struct gpc_event event = packet(IPPROTO_ICMP, "8.8.8.8", "203.0.113.10");

	event.destination_port = htons(8 << 8 | 1);
	check_line(&event, &names,
		   "2026-05-01 12:00:00.007Z  deny        wan0 xdp  icmp 8.8.8.8 -> 203.0.113.10 type "
		   "8 code 1  edge-in/default (edge.yaml:12:3)  policy\n");
	event = tcp("8.8.8.8", "203.0.113.10");
	event.fragment = GPC_FRAGMENT_LATER;
	event.tcp_flags = 0;
	check_line(&event, &names,
		   "2026-05-01 12:00:00.007Z  deny        wan0 xdp  tcp 8.8.8.8 -> 203.0.113.10 later "
		   "fragment  edge-in/default (edge.yaml:12:3)  policy\n");
	event = packet(250, "8.8.8.8", "203.0.113.10");
	check_line(&event, &names,
		   "2026-05-01 12:00:00.007Z  deny        wan0 xdp  proto/250 8.8.8.8 -> "
		   "203.0.113.10  edge-in/default (edge.yaml:12:3)  policy\n");
}

static void what_is_not_known_is_shown_by_number(void)
{
	struct gpc_event event = tcp("8.8.8.8", "203.0.113.10");
	struct gpc_event_names unknown = {.seconds = names.seconds};

	event.ifindex = 9;
	event.type = GPC_EVENT_LOG;
	event.action = GPC_ACTION_ALLOW;
	event.reason = GPC_REASON_COUNT;
	check_line(&event, &unknown,
		   "2026-05-01 12:00:00.000Z  log         ifindex 9 xdp  tcp 8.8.8.8:40000 -> "
		   "203.0.113.10:80 S  rule 0000000000001234  allow\n");
}

static void what_a_terminal_could_take_for_a_command_is_escaped(void)
{
	struct gpc_event event = tcp("8.8.8.8", "203.0.113.10");
	struct gpc_event_names harmful = names;

	harmful.place = "\x1b[2J.yaml:1:1";
	harmful.device = "w\x07n";
	check_line(&event, &harmful,
		   "2026-05-01 12:00:00.007Z  deny        w\\x07n xdp  tcp 8.8.8.8:40000 -> "
		   "203.0.113.10:80 S  edge-in/default (\\x1b[2J.yaml:1:1)  policy\n");
}

/* Members of the object that must be there, as JSON text. */
static void check_json(const struct gpc_event *event, const char *const *members, size_t count)
{
	struct json_object *object = gpc_event_json(event, &names);
	const char *text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN);

	for (size_t i = 0; i < count; i++)
		if (!strstr(text, members[i])) {
			fprintf(stderr, "no %s in %s\n", members[i], text);
			CU_FAIL("a member is missing");
		}
	json_object_put(object);
}

static void json_has_everything_by_name(void)
{
	static const char *const members[] = {
		"\"type\":\"event\"",
		"\"time\":\"2026-05-01T12:00:00.007Z\"",
		"\"event\":\"deny\"",
		"\"device\":\"wan0\"",
		"\"hook\":\"xdp\"",
		"\"protocol\":\"tcp\"",
		"\"source\":\"8.8.8.8\"",
		"\"source_port\":40000",
		"\"destination_port\":80",
		"\"tcp_flags\":\"S\"",
		"\"policy\":\"edge-in\"",
		"\"rule\":\"default\"",
		"\"rule_id\":\"0000000000001234\"",
		"\"reason\":\"policy\"",
		"\"packets\":1}",
	};
	struct gpc_event event = tcp("8.8.8.8", "203.0.113.10");

	check_json(&event, members, sizeof(members) / sizeof(members[0]));
}

static void types_are_found_by_their_whole_name(void)
{
	CU_ASSERT_EQUAL(gpc_event_type_parse("deny,log", 4), GPC_EVENT_DENY);
	CU_ASSERT_EQUAL(gpc_event_type_parse("would-deny", 10), GPC_EVENT_WOULD_DENY);
	CU_ASSERT_EQUAL(gpc_event_type_parse("den", 3), GPC_EVENT_COUNT);
	CU_ASSERT_EQUAL(gpc_event_type_parse("", 0), GPC_EVENT_COUNT);
	CU_ASSERT_STRING_EQUAL(gpc_event_type_name(GPC_EVENT_COUNT), "?");
}

GPC_UNIT_MAIN("cmd/event_line",
	      {"a_line_says_when_what_where_who_and_why", a_line_says_when_what_where_who_and_why},
	      {"what_has_no_ports_shows_none", what_has_no_ports_shows_none},
	      {"what_is_not_known_is_shown_by_number", what_is_not_known_is_shown_by_number},
	      {"what_a_terminal_could_take_for_a_command_is_escaped",
	       what_a_terminal_could_take_for_a_command_is_escaped},
	      {"json_has_everything_by_name", json_has_everything_by_name},
	      {"types_are_found_by_their_whole_name", types_are_found_by_their_whole_name})
