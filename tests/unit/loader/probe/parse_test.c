/* SPDX-License-Identifier: MIT */
#include "loader/probe/probe.h"

#include <string.h>

#include "tests/unit/unit.h"

static struct gpc_probes probes;
static struct gpc_failure failure;

static const struct gpc_probe *parse(const char *text)
{
	gpc_probes_release(&probes);
	failure = (struct gpc_failure){0};
	return gpc_probe_parse(&probes, text, &failure) ? NULL : &probes.items[0];
}

static bool is_refused(const char *text, const char *cause)
{
	bool refused = !parse(text) && failure.code == GPC_EXIT_USAGE &&
		       strstr(failure.message, cause) && failure.hint[0];

	if (!refused)
		fprintf(stderr, "'%s': %s\n", text, failure.message);
	return refused;
}

static bool says(const struct gpc_probe *probe, const char *text)
{
	char *said = gpc_probe_text(probe);
	bool same = !strcmp(said, text);

	if (!same)
		fprintf(stderr, "'%s', not '%s'\n", said, text);
	free(said);
	return same;
}

static void a_tcp_probe_is_an_address_and_a_port(void)
{
	const struct gpc_probe *probe = parse("tcp 203.0.113.10:443");

	CU_ASSERT_PTR_NOT_NULL_FATAL(probe);
	CU_ASSERT_EQUAL(probe->kind, GPC_PROBE_TCP);
	CU_ASSERT_EQUAL(probe->port, 443);
	CU_ASSERT(says(probe, "tcp 203.0.113.10:443"));
	CU_ASSERT_STRING_EQUAL(probe->name, "tcp 203.0.113.10:443");
	CU_ASSERT(probe->given);
	CU_ASSERT_EQUAL(probe->timeout, 2000);
	CU_ASSERT_EQUAL(probe->attempts, 3);
	CU_ASSERT_EQUAL(probe->interval, 1000);
	probe = parse("  tcp  [2001:db8::1]:80 ");
	CU_ASSERT_PTR_NOT_NULL_FATAL(probe);
	CU_ASSERT(says(probe, "tcp [2001:db8::1]:80"));
}

static void an_http_probe_is_a_url_and_a_status(void)
{
	const struct gpc_probe *probe = parse("http http://203.0.113.10/healthz?a=1 204");

	CU_ASSERT_PTR_NOT_NULL_FATAL(probe);
	CU_ASSERT_EQUAL(probe->kind, GPC_PROBE_HTTP);
	CU_ASSERT(says(probe, "http 203.0.113.10:80/healthz?a=1 204-204"));
	probe = parse("host=www.example.org http http://[2001:db8::1]:8080");
	CU_ASSERT_PTR_NOT_NULL_FATAL(probe);
	CU_ASSERT_STRING_EQUAL(probe->host, "www.example.org");
	CU_ASSERT(says(probe, "http [2001:db8::1]:8080/ 200-399"));
}

static void a_udp_probe_sends_text_or_bytes(void)
{
	const struct gpc_probe *probe = parse("udp 192.0.2.1:53 0x00fF 'a b'");

	CU_ASSERT_PTR_NOT_NULL_FATAL(probe);
	CU_ASSERT_EQUAL(probe->send_size, 2);
	CU_ASSERT(!memcmp(probe->send, "\x00\xff", 2));
	CU_ASSERT_EQUAL(probe->expect_size, 3);
	CU_ASSERT(!memcmp(probe->expect, "a b", 3));
	CU_ASSERT_PTR_NOT_NULL_FATAL(probe = parse("udp 192.0.2.1:53 x"));
	CU_ASSERT_PTR_NULL(probe->expect);
}

static void a_program_has_its_arguments_with_quotes_taken_off(void)
{
	const struct gpc_probe *probe = parse("exec ./a \"b 'c\" d'\"e'f ''");

	CU_ASSERT_PTR_NOT_NULL_FATAL(probe);
	CU_ASSERT_STRING_EQUAL(probe->command[0], "./a");
	CU_ASSERT_STRING_EQUAL(probe->command[1], "b 'c");
	CU_ASSERT_STRING_EQUAL(probe->command[2], "d\"ef");
	CU_ASSERT_STRING_EQUAL(probe->command[3], "");
	CU_ASSERT_PTR_NULL(probe->command[4]);
}

static void settings_stand_before_the_kind(void)
{
	const struct gpc_probe *probe = parse("name=web timeout=500ms attempts=7 interval=1m netns=blue "
					      "interface=eth0 tcp 192.0.2.1:1");

	CU_ASSERT_PTR_NOT_NULL_FATAL(probe);
	CU_ASSERT_STRING_EQUAL(probe->name, "web");
	CU_ASSERT_EQUAL(probe->timeout, 500);
	CU_ASSERT_EQUAL(probe->attempts, 7);
	CU_ASSERT_EQUAL(probe->interval, 60000);
	CU_ASSERT_STRING_EQUAL(probe->netns, "blue");
	CU_ASSERT_STRING_EQUAL(probe->interface, "eth0");
}

static void what_is_none_is_refused_with_its_cause(void)
{
	static const struct {
		const char *text, *cause;
	} rows[] = {
		{"", "it asks nothing"},
		{"timeout=1s", "it asks nothing"},
		{"icmp 192.0.2.1", "'icmp' is none of tcp, http, udp and exec"},
		{"tcp", "too few words"},
		{"tcp 192.0.2.1:80 x", "too many words"},
		{"tcp 192.0.2.1", "no port from 1 to 65535"},
		{"tcp 192.0.2.1:0", "no port from 1 to 65535"},
		{"tcp 192.0.2.1:65536", "no port from 1 to 65535"},
		{"tcp 192.0.2.1:080", "no port from 1 to 65535"},
		{"tcp www.example.org:80", "does not begin with an address"},
		{"tcp 2001:db8::1:80", "does not begin with an address"},
		{"tcp [192.0.2.1]:80", "does not begin with an address"},
		{"tcp [2001:db8::1:80", "does not begin with an address"},
		{"http 192.0.2.1", "does not begin with http://"},
		{"http https://192.0.2.1", "https is not spoken"},
		{"http http://192.0.2.1?x", "is no path"},
		{"http http://192.0.2.1/ 99", "is no status"},
		{"http http://192.0.2.1/ 300-200", "is no status"},
		{"udp 192.0.2.1:53", "too few words"},
		{"udp 192.0.2.1:53 0x123", "is not 0x and pairs"},
		{"udp 192.0.2.1:53 ''", "is not of 1 to 1400 bytes"},
		{"exec check.sh", "is no path of a program"},
		{"interface=eth0 exec /bin/true", "a program has no interface"},
		{"host=a tcp 192.0.2.1:1", "only http has a host"},
		{"exec /bin/sh 'a", "a quote is not closed"},
		{"exec /bin/sh \a", "what cannot be shown"},
		{"timeout=0ms tcp 192.0.2.1:1", "is no time"},
		{"timeout=11m tcp 192.0.2.1:1", "is no time"},
		{"attempts=0 tcp 192.0.2.1:1", "is no number"},
		{"netns=../x tcp 192.0.2.1:1", "cannot be such a name"},
		{"color=red tcp 192.0.2.1:1", "'color' is none of name"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CU_ASSERT(is_refused(rows[i].text, rows[i].cause));
	gpc_probes_release(&probes);
}

GPC_UNIT_MAIN("probe/parse", {"a_tcp_probe_is_an_address_and_a_port", a_tcp_probe_is_an_address_and_a_port},
	      {"an_http_probe_is_a_url_and_a_status", an_http_probe_is_a_url_and_a_status},
	      {"a_udp_probe_sends_text_or_bytes", a_udp_probe_sends_text_or_bytes},
	      {"a_program_has_its_arguments_with_quotes_taken_off",
	       a_program_has_its_arguments_with_quotes_taken_off},
	      {"settings_stand_before_the_kind", settings_stand_before_the_kind},
	      {"what_is_none_is_refused_with_its_cause", what_is_none_is_refused_with_its_cause})
