/* SPDX-License-Identifier: MIT */
#include "base/ip.h"

#include <arpa/inet.h>
#include <string.h>

#include "tests/unit/unit.h"

static enum gpc_ip_error parse(const char *text, struct gpc_ip *ip)
{
	return gpc_ip_parse(text, strlen(text), ip);
}

/* The module's text of what the module read; NULL if it did not. */
static const char *canonical(const char *text)
{
	static char out[GPC_IP_TEXT];
	struct gpc_ip ip;

	return parse(text, &ip) == GPC_IP_OK ? gpc_ip_format(&ip, out) : NULL;
}

static void every_form_of_rfc4291_is_read_and_printed_as_rfc5952(void)
{
	static const struct {
		const char *text, *expected;
	} rows[] = {
		{"0.0.0.0", "0.0.0.0"},
		{"255.255.255.255", "255.255.255.255"},
		{"10.0.1.11", "10.0.1.11"},
		{"::", "::"},
		{"::1", "::1"},
		{"1::", "1::"},
		{"2001:DB8:0:0:8:800:200C:417A", "2001:db8::8:800:200c:417a"},
		{"2001:0db8::0001", "2001:db8::1"},
		{"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
		{"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
		{"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
		{"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
		{"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
		{"0:0:0:0:0:0:13.1.68.3", "::d01:4403"},
		{"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
		{"1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"},
		{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *printed = canonical(rows[i].text);

		CU_ASSERT_PTR_NOT_NULL_FATAL(printed);
		CU_ASSERT_STRING_EQUAL(printed, rows[i].expected);
	}
}

static void each_fault_has_its_own_error(void)
{
	static const struct {
		const char *text;
		enum gpc_ip_error error;
	} rows[] = {
		{"", GPC_IP_SYNTAX},
		{"1.2.3", GPC_IP_SYNTAX},
		{"1.2.3.4.5", GPC_IP_SYNTAX},
		{"1.2.3.256", GPC_IP_SYNTAX},
		{"1.2.3.4 ", GPC_IP_SYNTAX},
		{" 1.2.3.4", GPC_IP_SYNTAX},
		{"1.2.3.0004", GPC_IP_SYNTAX},
		{"1..2.3", GPC_IP_SYNTAX},
		{"0x1.2.3.4", GPC_IP_SYNTAX},
		{"1.2.3.", GPC_IP_SYNTAX},
		{"01.2.3.4", GPC_IP_LEADING_ZERO},
		{"1.2.3.00", GPC_IP_LEADING_ZERO},
		{"::1.2.3.04", GPC_IP_LEADING_ZERO},
		{":", GPC_IP_SYNTAX},
		{":::", GPC_IP_SYNTAX},
		{"1::2::3", GPC_IP_SYNTAX},
		{":1::2", GPC_IP_SYNTAX},
		{"1:2:3:4:5:6:7", GPC_IP_SYNTAX},
		{"1:2:3:4:5:6:7:8:9", GPC_IP_SYNTAX},
		{"1:2:3:4:5:6:7:8::", GPC_IP_SYNTAX},
		{"::1:2:3:4:5:6:7:8", GPC_IP_SYNTAX},
		{"1:2:3:4:5:6:7:1.2.3.4", GPC_IP_SYNTAX},
		{"12345::", GPC_IP_SYNTAX},
		{"1:2:", GPC_IP_SYNTAX},
		{"g::", GPC_IP_SYNTAX},
		{"::1.2.3.4:5", GPC_IP_SYNTAX},
		{"fe80::1%eth0", GPC_IP_ZONE},
		{"fe80::1%", GPC_IP_ZONE},
		{"x%eth0", GPC_IP_SYNTAX},
		{"::ffff:1.2.3.4", GPC_IP_MAPPED},
		{"::ffff:0:0", GPC_IP_MAPPED},
		{"0:0:0:0:0:FFFF:0102:0304", GPC_IP_MAPPED},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct gpc_ip ip = {{7}}, before = ip;

		CU_ASSERT_EQUAL(parse(rows[i].text, &ip), rows[i].error);
		CU_ASSERT_EQUAL(memcmp(&ip, &before, sizeof(ip)), 0);
	}
}

static enum gpc_ip_error prefix(const char *text, char *out)
{
	struct gpc_prefix value;
	enum gpc_ip_error error = gpc_prefix_parse(text, strlen(text), &value);

	if (error == GPC_IP_OK || error == GPC_IP_HOST_BITS)
		gpc_prefix_format(&value, out);
	return error;
}

static void prefixes_keep_their_length_and_host_bits_are_named(void)
{
	static const struct {
		const char *text;
		enum gpc_ip_error error;
		const char *expected; /* NULL: nothing is returned */
	} rows[] = {
		{"10.0.0.0/8", GPC_IP_OK, "10.0.0.0/8"},
		{"0.0.0.0/0", GPC_IP_OK, "0.0.0.0/0"},
		{"::/0", GPC_IP_OK, "::/0"},
		{"192.0.2.7", GPC_IP_OK, "192.0.2.7/32"},
		{"2001:DB8::1", GPC_IP_OK, "2001:db8::1/128"},
		{"10.0.0.1/24", GPC_IP_HOST_BITS, "10.0.0.0/24"},
		{"10.0.0.255/25", GPC_IP_HOST_BITS, "10.0.0.128/25"},
		{"0.0.0.1/0", GPC_IP_HOST_BITS, "0.0.0.0/0"},
		{"10.0.0.1/31", GPC_IP_HOST_BITS, "10.0.0.0/31"},
		{"2001:db8:ff::1/33", GPC_IP_HOST_BITS, "2001:db8::/33"},
		{"10.0.0.0/33", GPC_IP_LENGTH, NULL},
		{"::/129", GPC_IP_LENGTH, NULL},
		{"::/1000", GPC_IP_LENGTH, NULL},
		{"10.0.0.0/08", GPC_IP_LEADING_ZERO, NULL},
		{"10.0.0.0/0008", GPC_IP_LEADING_ZERO, NULL},
		{"10.0.0.0/", GPC_IP_SYNTAX, NULL},
		{"10.0.0.0/+8", GPC_IP_SYNTAX, NULL},
		{"10.0.0.0/8/8", GPC_IP_SYNTAX, NULL},
		{"/8", GPC_IP_SYNTAX, NULL},
		{"::ffff:10.0.0.0/104", GPC_IP_MAPPED, NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char out[GPC_PREFIX_TEXT] = "untouched";

		CU_ASSERT_EQUAL(prefix(rows[i].text, out), rows[i].error);
		CU_ASSERT_STRING_EQUAL(out, rows[i].expected ? rows[i].expected : "untouched");
	}
}

static void both_families_stand_in_one_order(void)
{
	static const char *const ascending[] = {"::",	    "::1",	 "0.0.0.0",    "10.0.0.1",
						"10.0.0.2", "::1:0:0:0", "2001:db8::1"};
	struct gpc_ip a, b;

	for (size_t i = 1; i < sizeof(ascending) / sizeof(ascending[0]); i++) {
		parse(ascending[i - 1], &a);
		parse(ascending[i], &b);
		CU_ASSERT_EQUAL(gpc_ip_compare(&a, &b), -1);
		CU_ASSERT_EQUAL(gpc_ip_compare(&b, &a), 1);
		CU_ASSERT_EQUAL(gpc_ip_compare(&a, &a), 0);
	}
	parse("10.1.2.3", &a);
	CU_ASSERT_TRUE(gpc_ip_is_v4(&a));
	CU_ASSERT_FALSE(gpc_ip_is_v4(&b));
	CU_ASSERT_EQUAL(gpc_ip_v4_be(&a), htonl(0x0a010203));
}

static uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* True if it is an address. */
static bool compare_with_libc(const char *text)
{
	struct in6_addr v6;
	struct in_addr v4;
	struct gpc_ip ip;
	enum gpc_ip_error error = parse(text, &ip);

	if (inet_pton(AF_INET, text, &v4) == 1) {
		CU_ASSERT_EQUAL_FATAL(error, GPC_IP_OK);
		CU_ASSERT_EQUAL(gpc_ip_v4_be(&ip), v4.s_addr);
	} else if (inet_pton(AF_INET6, text, &v6) == 1) {
		if (IN6_IS_ADDR_V4MAPPED(&v6)) {
			CU_ASSERT_EQUAL(error, GPC_IP_MAPPED);
			return true;
		}
		CU_ASSERT_EQUAL_FATAL(error, GPC_IP_OK);
		CU_ASSERT_EQUAL(memcmp(&ip, &v6, sizeof(ip)), 0);
	} else {
		CU_ASSERT_NOT_EQUAL(error, GPC_IP_OK);
		CU_ASSERT_NOT_EQUAL(error, GPC_IP_MAPPED);
		return false;
	}
	return true;
}

/* libc and the module read the same language, but for v4-mapped addresses. */
static void random_texts_agree_with_inet_pton(void)
{
	static const char *const pieces[] = {":",   "::",    ".",    "0",    "1",   "01",
					     "255", "256",   "ffff", "FFFF", "db8", "10",
					     "00",  "12345", "g",    "f"};
	uint32_t state = 0x1234567, addresses = 0;

	for (int i = 0; i < 400000; i++) {
		char text[128] = "";
		size_t used = 0, count = next_random(&state) % 18;

		for (size_t j = 0; j < count; j++) {
			const char *piece = pieces[next_random(&state) % 16];
			const char *separator = j && (next_random(&state) & 3)
							? (next_random(&state) & 7 ? ":" : ".")
							: "";

			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s",
						 separator, piece);
		}
		addresses += compare_with_libc(text);
	}
	CU_ASSERT(addresses > 2000);
}

static void random_addresses_print_as_inet_ntop_does(void)
{
	uint32_t state = 0x7654321;

	for (int i = 0; i < 200000; i++) {
		char expected[INET6_ADDRSTRLEN], printed[GPC_IP_TEXT];
		uint32_t zero_groups = next_random(&state);
		struct gpc_ip ip, again;

		for (unsigned int g = 0; g < 16; g++)
			ip.bytes[g] = zero_groups >> (g / 2) & 1 ? 0 : (uint8_t)next_random(&state);
		gpc_ip_format(&ip, printed);
		inet_ntop(AF_INET6, ip.bytes, expected, sizeof(expected));
		if (!strchr(expected,
			    '.')) /* libc prints ::1.2.3.4 dotted, RFC 5952 section 5 need not */
			CU_ASSERT_STRING_EQUAL(printed, expected);
		if (gpc_ip_is_v4(&ip))
			continue;
		CU_ASSERT_EQUAL_FATAL(parse(printed, &again), GPC_IP_OK);
		CU_ASSERT_EQUAL(gpc_ip_compare(&ip, &again), 0);
	}
}

GPC_UNIT_MAIN("base/ip",
	      {"every_form_of_rfc4291_is_read_and_printed_as_rfc5952",
	       every_form_of_rfc4291_is_read_and_printed_as_rfc5952},
	      {"each_fault_has_its_own_error", each_fault_has_its_own_error},
	      {"prefixes_keep_their_length_and_host_bits_are_named",
	       prefixes_keep_their_length_and_host_bits_are_named},
	      {"both_families_stand_in_one_order", both_families_stand_in_one_order},
	      {"random_texts_agree_with_inet_pton", random_texts_agree_with_inet_pton},
	      {"random_addresses_print_as_inet_ntop_does",
	       random_addresses_print_as_inet_ntop_does})
