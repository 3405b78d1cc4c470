/* SPDX-License-Identifier: MIT */
#include "base/utf8.h"

#include <string.h>

#include "tests/unit/unit.h"

static size_t encode(uint32_t c, char out[4])
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

static void every_code_point_is_decoded_and_surrogates_are_not(void)
{
	for (uint32_t c = 0; c < 0x110100; c++) {
		bool valid = c < 0x110000 && (c < 0xd800 || c > 0xdfff);
		uint32_t decoded = UINT32_MAX;
		char text[4];
		size_t len = encode(c, text);

		CU_ASSERT_EQUAL_FATAL(gpc_utf8_decode(text, len, &decoded), valid ? len : 0);
		CU_ASSERT_EQUAL_FATAL(decoded, valid ? c : UINT32_MAX);
		if (len > 1)
			CU_ASSERT_EQUAL_FATAL(gpc_utf8_decode(text, len - 1, &decoded), 0);
	}
}

static void malformed_bytes_are_refused(void)
{
	static const char *const rows[] = {
		"\x80",
		"\xbf",
		"\xc0\x80",
		"\xc1\xbf",
		"\xe0\x80\x80",
		"\xe0\x9f\xbf",
		"\xf0\x80\x80\x80",
		"\xf0\x8f\xbf\xbf",
		"\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80",
		"\xff",
		"\xfe",
		"\xc3\x28",
		"\xe2\x28\xa1",
		"\xe2\x82\x28",
		"\xed\xa0\x80",
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t decoded = 7;

		CU_ASSERT_EQUAL(gpc_utf8_decode(rows[i], strlen(rows[i]), &decoded), 0);
		CU_ASSERT_EQUAL(decoded, 7);
	}
}

static void widths_and_dangers_are_known(void)
{
	CU_ASSERT_EQUAL(gpc_utf8_width('a'), 1);
	CU_ASSERT_EQUAL(gpc_utf8_width(0xe9), 1);
	CU_ASSERT_EQUAL(gpc_utf8_width(0x0301), 0);
	CU_ASSERT_EQUAL(gpc_utf8_width(0x65e5), 2);
	CU_ASSERT_EQUAL(gpc_utf8_width(0x1f600), 2);
	CU_ASSERT_TRUE(gpc_utf8_is_unsafe(0x1b));
	CU_ASSERT_TRUE(gpc_utf8_is_unsafe(0x9b));
	CU_ASSERT_TRUE(gpc_utf8_is_unsafe(0x202e));
	CU_ASSERT_TRUE(gpc_utf8_is_unsafe(0x2066));
	CU_ASSERT_FALSE(gpc_utf8_is_unsafe('a'));
	CU_ASSERT_FALSE(gpc_utf8_is_unsafe(0x65e5));
}

GPC_UNIT_MAIN("base/utf8",
	      {"every_code_point_is_decoded_and_surrogates_are_not",
	       every_code_point_is_decoded_and_surrogates_are_not},
	      {"malformed_bytes_are_refused", malformed_bytes_are_refused},
	      {"widths_and_dangers_are_known", widths_and_dangers_are_known})
