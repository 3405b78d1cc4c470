/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "../../unit.h"
#include "base/json_text.h"

static void expect(const char *text, const char *json)
{
	char *written = NULL;
	size_t size;
	FILE *out = open_memstream(&written, &size);

	gpc_json_put(out, text);
	fclose(out);
	CU_ASSERT_STRING_EQUAL(written, json);
	free(written);
}

static void plain_text_is_quoted(void)
{
	expect("", "\"\"");
	expect("web-1", "\"web-1\"");
}

static void what_json_forbids_is_escaped(void)
{
	expect("a\"b\\c\n\x7f", "\"a\\\"b\\\\c\\u000a\\u007f\"");
}

static void text_that_is_not_utf8_becomes_the_replacement_character(void)
{
	expect("\xc3\xa4\xff\xc3", "\"\xc3\xa4\\ufffd\\ufffd\"");
}

GPC_UNIT_MAIN("base/json_text",
	      {"plain_text_is_quoted", plain_text_is_quoted},
	      {"what_json_forbids_is_escaped", what_json_forbids_is_escaped},
	      {"text_that_is_not_utf8_becomes_the_replacement_character",
	       text_that_is_not_utf8_becomes_the_replacement_character})
