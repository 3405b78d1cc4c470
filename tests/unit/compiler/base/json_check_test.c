/* SPDX-License-Identifier: MIT */
#include "base/json_check.h"

#include <json-c/json.h>
#include <stdint.h>

#include "tests/unit/unit.h"

static bool is_clean(const char *text)
{
	return gpc_json_is_clean(text, strlen(text));
}

static void json_is_clean(void)
{
	static const char *const texts[] = {
		"{}", "[]", " [ ] ", "null", "\"\"", "0", "-0.5e+10", "[1,2,[3]]", "{\"a\":{\"b\":[true,false]}}\n",
		"\"\\\"\\\\\\/\\u00e9\\ufffd\"", "\"\xc3\xa9\"", "{\"tool\":\"0.1.0\",\n\"commit\":null}",
		"[[[[[[[[]]]]]]]]",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		CU_ASSERT_TRUE(is_clean(texts[i]));
}

static void what_is_not_json_or_not_fit_to_be_shown_is_refused(void)
{
	static const char *const texts[] = {
		"", " ", "{", "[", "[1,]", "{\"a\"}", "{\"a\":}", "{a:1}", "[1 2]", "01", "1.", "-", "+1", "1e",
		"nul", "truee", "{} {}", "\"", "\"\\x\"", "\"\\u12\"", "\"\\n\"", "\"\x1b[31m\"", "\"\\u001b\"",
		"\"\\u202e\"", "\"\\ud83d\\ude00\"", "\"\xff\"", "\"\xc3\"", "\"\x7f\"", "[[[[[[[[[]]]]]]]]]",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (is_clean(texts[i]))
			printf("accepted: %s\n", texts[i]);
		CU_ASSERT_FALSE(is_clean(texts[i]));
	}
	CU_ASSERT_FALSE(gpc_json_is_clean("{}\0", 3));
	CU_ASSERT_FALSE(gpc_json_is_clean("\"a\0b\"", 5));
}

/* Whatever is accepted must be JSON to a library that was written by others. */
static void what_is_accepted_is_json_to_another_parser(void)
{
	static const char alphabet[] = "{}[]\",:\\u0019ae+-.tfnrlsx \xc3\xa9";
	uint64_t state = 88172645463325252ull;
	unsigned int accepted = 0;

	for (int round = 0; round < 400000; round++) {
		char text[12];
		size_t size;

		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		size = 1 + state % 10;
		for (size_t i = 0; i < size; i++)
			text[i] = alphabet[(state >> (6 * i)) % (sizeof(alphabet) - 1)];
		text[size] = 0;
		if (!gpc_json_is_clean(text, size))
			continue;
		accepted++;
		enum json_tokener_error error;
		json_object *object = json_tokener_parse_verbose(text, &error);

		CU_ASSERT_EQUAL(error, json_tokener_success);
		json_object_put(object);
	}
	CU_ASSERT(accepted > 100);
}

GPC_UNIT_MAIN("base/json_check", {"json_is_clean", json_is_clean},
	      {"what_is_not_json_or_not_fit_to_be_shown_is_refused",
	       what_is_not_json_or_not_fit_to_be_shown_is_refused},
	      {"what_is_accepted_is_json_to_another_parser",
	       what_is_accepted_is_json_to_another_parser})
