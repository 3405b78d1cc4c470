/* SPDX-License-Identifier: MIT */
#include "intent/scalar.h"

#include <inttypes.h>

#include "tests/unit/unit.h"

typedef enum gpc_scalar_error parse_number(const char *text, uint64_t *ret);

static const struct row {
	parse_number *parse;
	const char *text;
	enum gpc_scalar_error error;
	uint64_t value;
} rows[] = {
	{gpc_scalar_uint, "0", GPC_SCALAR_OK, 0},
	{gpc_scalar_uint, "65535", GPC_SCALAR_OK, 65535},
	{gpc_scalar_uint, "18446744073709551615", GPC_SCALAR_OK, UINT64_MAX},
	{gpc_scalar_uint, "18446744073709551616", GPC_SCALAR_RANGE, 0},
	{gpc_scalar_uint, "99999999999999999999999", GPC_SCALAR_RANGE, 0},
	{gpc_scalar_uint, "00", GPC_SCALAR_LEADING_ZERO, 0},
	{gpc_scalar_uint, "0644", GPC_SCALAR_LEADING_ZERO, 0},
	{gpc_scalar_uint, "", GPC_SCALAR_SYNTAX, 0},
	{gpc_scalar_uint, "-1", GPC_SCALAR_SYNTAX, 0},
	{gpc_scalar_uint, "+1", GPC_SCALAR_SYNTAX, 0},
	{gpc_scalar_uint, " 1", GPC_SCALAR_SYNTAX, 0},
	{gpc_scalar_uint, "1 ", GPC_SCALAR_SYNTAX, 0},
	{gpc_scalar_uint, "1e3", GPC_SCALAR_SYNTAX, 0},
	{gpc_scalar_uint, "0x10", GPC_SCALAR_SYNTAX, 0},
	{gpc_scalar_uint, "1_000", GPC_SCALAR_SYNTAX, 0},
	{gpc_scalar_uint, "22:22", GPC_SCALAR_SYNTAX, 0},
	{gpc_scalar_uint, "1.0", GPC_SCALAR_SYNTAX, 0},
	{gpc_scalar_size, "0", GPC_SCALAR_OK, 0},
	{gpc_scalar_size, "64Ki", GPC_SCALAR_OK, 65536},
	{gpc_scalar_size, "64KiB", GPC_SCALAR_OK, 65536},
	{gpc_scalar_size, "1Mi", GPC_SCALAR_OK, 1048576},
	{gpc_scalar_size, "1GiB", GPC_SCALAR_OK, 1073741824},
	{gpc_scalar_size, "1KB", GPC_SCALAR_OK, 1000},
	{gpc_scalar_size, "2GB", GPC_SCALAR_OK, 2000000000},
	{gpc_scalar_size, "17179869184Gi", GPC_SCALAR_RANGE, 0},
	{gpc_scalar_size, "1M", GPC_SCALAR_SYNTAX, 0},
	{gpc_scalar_size, "1 Mi", GPC_SCALAR_SYNTAX, 0},
	{gpc_scalar_size, "1mi", GPC_SCALAR_SYNTAX, 0},
	{gpc_scalar_size, "Mi", GPC_SCALAR_SYNTAX, 0},
	{gpc_scalar_size, "01Mi", GPC_SCALAR_LEADING_ZERO, 0},
	{gpc_scalar_rate, "500/s", GPC_SCALAR_OK, 500},
	{gpc_scalar_rate, "119/m", GPC_SCALAR_OK, 1},
	{gpc_scalar_rate, "7200/h", GPC_SCALAR_OK, 2},
	{gpc_scalar_rate, "500", GPC_SCALAR_SYNTAX, 0},
	{gpc_scalar_rate, "500/d", GPC_SCALAR_SYNTAX, 0},
	{gpc_scalar_rate, "10MB/s", GPC_SCALAR_SYNTAX, 0},
	{gpc_scalar_sample, "1/1000", GPC_SCALAR_OK, 1000},
	{gpc_scalar_sample, "2/1000", GPC_SCALAR_SYNTAX, 0},
	{gpc_scalar_sample, "1/", GPC_SCALAR_SYNTAX, 0},
	{gpc_scalar_sample, "1/010", GPC_SCALAR_LEADING_ZERO, 0},
	{gpc_scalar_mark, "42", GPC_SCALAR_OK, 42},
	{gpc_scalar_mark, "0xfF", GPC_SCALAR_OK, 255},
	{gpc_scalar_mark, "0x00000000000000ff", GPC_SCALAR_OK, 255},
	{gpc_scalar_mark, "0x10000000000000000", GPC_SCALAR_RANGE, 0},
	{gpc_scalar_mark, "0x", GPC_SCALAR_SYNTAX, 0},
	{gpc_scalar_mark, "0X1", GPC_SCALAR_SYNTAX, 0},
	{gpc_scalar_mark, "ff", GPC_SCALAR_SYNTAX, 0},
	{gpc_scalar_mark, "010", GPC_SCALAR_LEADING_ZERO, 0},
	{gpc_scalar_date, "1970-01-01", GPC_SCALAR_OK, 86400},
	{gpc_scalar_date, "1970-01-01T00:00:00Z", GPC_SCALAR_OK, 0},
	{gpc_scalar_date, "2000-02-29", GPC_SCALAR_OK, 951868800},
	{gpc_scalar_date, "2026-12-31", GPC_SCALAR_OK, 1798761600},
	{gpc_scalar_date, "2026-12-31T23:59:59Z", GPC_SCALAR_OK, 1798761599},
	{gpc_scalar_date, "9999-12-31", GPC_SCALAR_OK, 253402300800},
	{gpc_scalar_date, "2100-02-29", GPC_SCALAR_RANGE, 0},
	{gpc_scalar_date, "2026-13-01", GPC_SCALAR_RANGE, 0},
	{gpc_scalar_date, "2026-00-01", GPC_SCALAR_RANGE, 0},
	{gpc_scalar_date, "2026-04-31", GPC_SCALAR_RANGE, 0},
	{gpc_scalar_date, "2026-04-00", GPC_SCALAR_RANGE, 0},
	{gpc_scalar_date, "1969-12-31", GPC_SCALAR_RANGE, 0},
	{gpc_scalar_date, "2026-01-01T23:59:60Z", GPC_SCALAR_RANGE, 0},
	{gpc_scalar_date, "2026-1-01", GPC_SCALAR_SYNTAX, 0},
	{gpc_scalar_date, "2026-01-01T00:00:00", GPC_SCALAR_SYNTAX, 0},
	{gpc_scalar_date, "2026-01-01T00:00:00+01:00", GPC_SCALAR_SYNTAX, 0},
	{gpc_scalar_date, "2026-01-01 ", GPC_SCALAR_SYNTAX, 0},
	{gpc_scalar_duration, "500ms", GPC_SCALAR_OK, 500},
	{gpc_scalar_duration, "5s", GPC_SCALAR_OK, 5000},
	{gpc_scalar_duration, "2m", GPC_SCALAR_OK, 120000},
	{gpc_scalar_duration, "1h", GPC_SCALAR_OK, 3600000},
	{gpc_scalar_duration, "365d", GPC_SCALAR_OK, 31536000000},
	{gpc_scalar_duration, "5", GPC_SCALAR_SYNTAX, 0},
	{gpc_scalar_duration, "1m30s", GPC_SCALAR_SYNTAX, 0},
	{gpc_scalar_duration, "1.5s", GPC_SCALAR_SYNTAX, 0},
	{gpc_scalar_duration, "213503982335d", GPC_SCALAR_RANGE, 0},
};

static void numbers_follow_their_grammar_and_nothing_else(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t value = 4711;
		enum gpc_scalar_error error = rows[i].parse(rows[i].text, &value);

		if (error != rows[i].error || value != (error ? 4711 : rows[i].value))
			fprintf(stderr, "'%s': error %d, value %" PRIu64 "\n", rows[i].text, error,
				value);
		CU_ASSERT_EQUAL(error, rows[i].error);
		CU_ASSERT_EQUAL(value, error ? 4711 : rows[i].value);
	}
}

static void names_are_letters_first_and_63_bytes_at_most(void)
{
	static const char long_name[] =
		"a23456789012345678901234567890123456789012345678901234567890123";

	CU_ASSERT_TRUE(gpc_scalar_is_name("a"));
	CU_ASSERT_TRUE(gpc_scalar_is_name("Web-1.b_c"));
	CU_ASSERT_EQUAL(strlen(long_name), 63);
	CU_ASSERT_TRUE(gpc_scalar_is_name(long_name));
	CU_ASSERT_FALSE(gpc_scalar_is_name(
		"a234567890123456789012345678901234567890123456789012345678901234"));
	CU_ASSERT_FALSE(gpc_scalar_is_name(""));
	CU_ASSERT_FALSE(gpc_scalar_is_name("1a"));
	CU_ASSERT_FALSE(gpc_scalar_is_name("-a"));
	CU_ASSERT_FALSE(gpc_scalar_is_name("a b"));
	CU_ASSERT_FALSE(gpc_scalar_is_name("a/b"));
	CU_ASSERT_FALSE(gpc_scalar_is_name("caf\xc3\xa9"));
	CU_ASSERT_TRUE(gpc_scalar_is_reserved_name("host"));
	CU_ASSERT_FALSE(gpc_scalar_is_reserved_name("Host"));
}

static void interfaces_are_devices_or_heads_of_devices(void)
{
	CU_ASSERT_TRUE(gpc_scalar_is_interface("wan0"));
	CU_ASSERT_TRUE(gpc_scalar_is_interface("enp0s31f6.4094"));
	CU_ASSERT_TRUE(gpc_scalar_is_interface("a23456789012345"));
	CU_ASSERT_TRUE(gpc_scalar_is_interface("lan*"));
	CU_ASSERT_TRUE(gpc_scalar_is_interface("a2345678901234*"));
	CU_ASSERT_FALSE(gpc_scalar_is_interface("a23456789012345*"));
	CU_ASSERT_FALSE(gpc_scalar_is_interface("a234567890123456"));
	CU_ASSERT_FALSE(gpc_scalar_is_interface(""));
	CU_ASSERT_FALSE(gpc_scalar_is_interface("*"));
	CU_ASSERT_FALSE(gpc_scalar_is_interface("a*b"));
	CU_ASSERT_FALSE(gpc_scalar_is_interface("a**"));
	CU_ASSERT_FALSE(gpc_scalar_is_interface("a/b"));
	CU_ASSERT_FALSE(gpc_scalar_is_interface("a b"));
	CU_ASSERT_FALSE(gpc_scalar_is_interface("a\nb"));
	CU_ASSERT_FALSE(gpc_scalar_is_interface("."));
	CU_ASSERT_FALSE(gpc_scalar_is_interface(".."));
	CU_ASSERT_FALSE(gpc_scalar_is_interface("b\303\274ro"));
	CU_ASSERT_FALSE(gpc_scalar_is_interface("a\x7f"));
	CU_ASSERT_TRUE(gpc_scalar_is_device("b\303\274ro"));
	CU_ASSERT_FALSE(gpc_scalar_is_device("b\303\274*"));
}

static void labels_paths_and_statuses(void)
{
	uint8_t seed[16] = {0};
	uint64_t low, high;

	CU_ASSERT_TRUE(gpc_scalar_is_label("app.kubernetes.io/name"));
	CU_ASSERT_TRUE(gpc_scalar_is_label("1"));
	CU_ASSERT_FALSE(gpc_scalar_is_label("/a"));
	CU_ASSERT_FALSE(gpc_scalar_is_label(""));
	CU_ASSERT_TRUE(gpc_scalar_is_url_path("/"));
	CU_ASSERT_TRUE(gpc_scalar_is_url_path("/healthz?a=1"));
	CU_ASSERT_FALSE(gpc_scalar_is_url_path("healthz"));
	CU_ASSERT_FALSE(gpc_scalar_is_url_path("/a b"));
	CU_ASSERT_FALSE(gpc_scalar_is_url_path("/a\r\nX: y"));
	CU_ASSERT_EQUAL(gpc_scalar_status("200"), GPC_SCALAR_OK);
	CU_ASSERT_EQUAL(gpc_scalar_status("200-399"), GPC_SCALAR_OK);
	CU_ASSERT_EQUAL(gpc_scalar_status("99-200"), GPC_SCALAR_RANGE);
	CU_ASSERT_EQUAL(gpc_scalar_status("200-600"), GPC_SCALAR_RANGE);
	CU_ASSERT_EQUAL(gpc_scalar_status("200-"), GPC_SCALAR_SYNTAX);
	CU_ASSERT_EQUAL(gpc_scalar_status("200,204"), GPC_SCALAR_SYNTAX);
	CU_ASSERT_EQUAL(gpc_scalar_range("0-99999", &low, &high), GPC_SCALAR_OK);
	CU_ASSERT(low == 0 && high == 99999);
	CU_ASSERT_EQUAL(gpc_scalar_range("7", &low, &high), GPC_SCALAR_OK);
	CU_ASSERT(low == 7 && high == 7);
	CU_ASSERT_EQUAL(gpc_scalar_range("1-", &low, &high), GPC_SCALAR_SYNTAX);
	CU_ASSERT_EQUAL(gpc_scalar_range("-1", &low, &high), GPC_SCALAR_SYNTAX);
	CU_ASSERT_EQUAL(gpc_scalar_range("1-2-3", &low, &high), GPC_SCALAR_SYNTAX);
	CU_ASSERT_EQUAL(gpc_scalar_range("1-02", &low, &high), GPC_SCALAR_LEADING_ZERO);
	CU_ASSERT_EQUAL(gpc_scalar_percent("0%", &low), GPC_SCALAR_OK);
	CU_ASSERT_EQUAL(low, 0);
	CU_ASSERT_EQUAL(gpc_scalar_percent("33.3%", &low), GPC_SCALAR_OK);
	CU_ASSERT_EQUAL(low, 3330);
	CU_ASSERT_EQUAL(gpc_scalar_percent("100.00%", &low), GPC_SCALAR_OK);
	CU_ASSERT_EQUAL(low, 10000);
	CU_ASSERT_EQUAL(gpc_scalar_percent("12.345%", &low), GPC_SCALAR_SYNTAX);
	CU_ASSERT_EQUAL(gpc_scalar_percent("12.%", &low), GPC_SCALAR_SYNTAX);
	CU_ASSERT_EQUAL(gpc_scalar_percent("12", &low), GPC_SCALAR_SYNTAX);
	CU_ASSERT_EQUAL(gpc_scalar_percent("18446744073709551615%", &low), GPC_SCALAR_RANGE);
	CU_ASSERT_EQUAL(gpc_scalar_hex128("000102030405060708090a0B0c0D0e0f", seed), GPC_SCALAR_OK);
	for (uint8_t i = 0; i < 16; i++)
		CU_ASSERT_EQUAL(seed[i], i);
	CU_ASSERT_EQUAL(gpc_scalar_hex128("000102030405060708090a0b0c0d0e0", seed),
			GPC_SCALAR_SYNTAX);
	CU_ASSERT_EQUAL(gpc_scalar_hex128("000102030405060708090a0b0c0d0e0f0", seed),
			GPC_SCALAR_SYNTAX);
	CU_ASSERT_EQUAL(gpc_scalar_hex128("0x0102030405060708090a0b0c0d0e0f", seed),
			GPC_SCALAR_SYNTAX);
	CU_ASSERT_EQUAL(seed[15], 15);
}

static void limits_are_packets_or_bytes(void)
{
	static const struct {
		const char *text;
		enum gpc_scalar_error error;
		uint64_t value;
		uint32_t period;
		bool bytes;
	} limits[] = {
		{"500/s", GPC_SCALAR_OK, 500, 1, false},
		{"7/m", GPC_SCALAR_OK, 7, 60, false},
		{"1/h", GPC_SCALAR_OK, 1, 3600, false},
		{"1B/s", GPC_SCALAR_OK, 1, 1, true},
		{"10MB/s", GPC_SCALAR_OK, 10000000, 1, true},
		{"1GiB/s", GPC_SCALAR_OK, 1073741824, 1, true},
		{"99999999999999999GiB/s", GPC_SCALAR_RANGE, 0, 0, false},
		{"10MB/m", GPC_SCALAR_SYNTAX, 0, 0, false},
		{"10Mi/s", GPC_SCALAR_SYNTAX, 0, 0, false},
		{"10MB", GPC_SCALAR_SYNTAX, 0, 0, false},
		{"/s", GPC_SCALAR_SYNTAX, 0, 0, false},
		{"5/s/s", GPC_SCALAR_SYNTAX, 0, 0, false},
		{"05/s", GPC_SCALAR_LEADING_ZERO, 0, 0, false},
		{"1000000000000000000000000000000000000000/s", GPC_SCALAR_SYNTAX, 0, 0, false},
	};

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		uint64_t value = 0;
		uint32_t period = 0;
		bool bytes = false;

		CU_ASSERT_EQUAL(gpc_scalar_limit(limits[i].text, &value, &period, &bytes),
				limits[i].error);
		CU_ASSERT_EQUAL(value, limits[i].value);
		CU_ASSERT_EQUAL(period, limits[i].period);
		CU_ASSERT_EQUAL(bytes, limits[i].bytes);
	}
}

static void patterns_are_names_with_a_final_star(void)
{
	CU_ASSERT_TRUE(gpc_scalar_is_name_pattern("*"));
	CU_ASSERT_TRUE(gpc_scalar_is_name_pattern("web"));
	CU_ASSERT_TRUE(gpc_scalar_is_name_pattern("web-*"));
	CU_ASSERT_FALSE(gpc_scalar_is_name_pattern(""));
	CU_ASSERT_FALSE(gpc_scalar_is_name_pattern("*web"));
	CU_ASSERT_FALSE(gpc_scalar_is_name_pattern("w*b*"));
	CU_ASSERT_FALSE(gpc_scalar_is_name_pattern("1*"));
	CU_ASSERT_TRUE(gpc_scalar_is_device("wan0"));
	CU_ASSERT_FALSE(gpc_scalar_is_device("wan*"));
}

GPC_UNIT_MAIN("intent/scalar",
	      {"numbers_follow_their_grammar_and_nothing_else",
	       numbers_follow_their_grammar_and_nothing_else},
	      {"names_are_letters_first_and_63_bytes_at_most",
	       names_are_letters_first_and_63_bytes_at_most},
	      {"interfaces_are_devices_or_heads_of_devices",
	       interfaces_are_devices_or_heads_of_devices},
	      {"labels_paths_and_statuses", labels_paths_and_statuses},
	      {"limits_are_packets_or_bytes", limits_are_packets_or_bytes},
	      {"patterns_are_names_with_a_final_star", patterns_are_names_with_a_final_star})
