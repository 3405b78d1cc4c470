/* SPDX-License-Identifier: MIT */
#include "diag/diag.h"

#include "tests/unit/unit.h"

static struct gpc_arena arena;
static struct gpc_diags diags;

static uint32_t set_up(bool strict, const char *text)
{
	gpc_diags_init(&diags, &arena, strict);
	return gpc_diags_add_source(&diags, "a.yaml", text, strlen(text));
}

static void tear_down(void)
{
	gpc_arena_release(&arena);
}

static void check_position(uint32_t source, uint32_t offset, uint32_t line, uint32_t column)
{
	struct gpc_line_column found =
		gpc_place_position(&diags, (struct gpc_place){source, offset, offset});

	CU_ASSERT_EQUAL(found.line, line);
	CU_ASSERT_EQUAL(found.column, column);
}

static void positions_count_lines_and_code_points_from_one(void)
{
	uint32_t source = set_up(false, "ab\n\n\xc3\xa9x\xe6\x97\xa5y\n");

	check_position(source, 0, 1, 1);
	check_position(source, 2, 1, 3);
	check_position(source, 3, 2, 1);
	check_position(source, 4, 3, 1);
	check_position(source, 6, 3, 2);
	check_position(source, 7, 3, 3);
	check_position(source, 10, 3, 4);
	check_position(source, 12, 4, 1);
	tear_down();
}

/* Against counting byte by byte, over lines that are longer than a block of the index. */
static void positions_in_long_lines_are_exact(void)
{
	static char text[30000];
	uint32_t source, line = 1, column = 1;

	for (size_t i = 0; i + 2 < sizeof(text); i += 2)
		memcpy(text + i, i % 14 ? "\xc3\xa9" : "xy", 2);
	text[9000] = '\n';
	source = set_up(false, text);
	for (uint32_t i = 0; text[i]; i++) {
		if (((unsigned char)text[i] & 0xc0) != 0x80) {
			check_position(source, i, line, column);
			column++;
		}
		if (text[i] == '\n') {
			line++;
			column = 1;
		}
	}
	tear_down();
}

static void positions_of_an_empty_text_exist(void)
{
	check_position(set_up(false, ""), 0, 1, 1);
	tear_down();
}

static void sources_are_copies(void)
{
	char text[] = "a: 1\n", path[] = "x.yaml";
	uint32_t source;

	gpc_diags_init(&diags, &arena, false);
	source = gpc_diags_add_source(&diags, path, text, 5);
	memset(text, 'z', 5);
	memset(path, 'z', 4);
	CU_ASSERT_STRING_EQUAL(diags.sources.items[source].text, "a: 1\n");
	CU_ASSERT_STRING_EQUAL(diags.sources.items[source].path, "x.yaml");
	CU_ASSERT_EQUAL(diags.sources.items[source].line_count, 2);
	tear_down();
}

static void records_keep_places_labels_and_hint(void)
{
	uint32_t source = set_up(false, "abc");
	struct gpc_place place = {source, 1, 2};
	struct gpc_diag *diag = gpc_diag(&diags, GPC_E0013, place, "key `%s`", "k");

	gpc_diag_label(diag, "here");
	gpc_diag_place(diag, GPC_NOWHERE, "nowhere");
	for (int i = 0; i < 5; i++)
		gpc_diag_place(diag, place, "more");
	gpc_diag_hint(&diags, diag, "remove %d", 1);
	CU_ASSERT_EQUAL(diags.errors, 1);
	CU_ASSERT_EQUAL(diag->code, GPC_E0013);
	CU_ASSERT_STRING_EQUAL(diag->message, "key `k`");
	CU_ASSERT_STRING_EQUAL(diag->places[0].label, "here");
	CU_ASSERT_EQUAL(diag->place_count, GPC_DIAG_PLACES);
	CU_ASSERT_STRING_EQUAL(diag->hint, "remove 1");
	tear_down();
}

static void records_past_the_limit_are_counted_only(void)
{
	struct gpc_diag *diag = NULL;

	set_up(false, "");
	for (unsigned int i = 0; i < GPC_MAX_DIAGS + 50; i++) {
		diag = gpc_diag(&diags, GPC_E0001, GPC_NOWHERE, "number %u", i);
		gpc_diag_hint(&diags, diag, "hint");
	}
	CU_ASSERT_PTR_EQUAL(diag, &diags.scratch);
	CU_ASSERT_EQUAL(diags.records.n, GPC_MAX_DIAGS);
	CU_ASSERT_EQUAL(diags.errors, GPC_MAX_DIAGS + 50);
	tear_down();
}

/* Any warning of the table. */
static enum gpc_code a_warning(void)
{
	for (unsigned int code = 0; code < GPC_CODE_COUNT; code++)
		if (gpc_code_severity((enum gpc_code)code) == GPC_WARNING)
			return (enum gpc_code)code;
	CU_FAIL_FATAL("codes.def has no warning");
	return GPC_CODE_COUNT;
}

static void strict_makes_errors_of_warnings(void)
{
	set_up(false, "");
	CU_ASSERT_EQUAL(gpc_diag(&diags, a_warning(), GPC_NOWHERE, "w")->severity, GPC_WARNING);
	CU_ASSERT_EQUAL(diags.warnings, 1);
	CU_ASSERT_EQUAL(diags.errors, 0);
	tear_down();
	set_up(true, "");
	CU_ASSERT_EQUAL(gpc_diag(&diags, a_warning(), GPC_NOWHERE, "w")->severity, GPC_ERROR);
	CU_ASSERT_EQUAL(diags.warnings, 0);
	CU_ASSERT_EQUAL(diags.errors, 1);
	tear_down();
}

static void codes_are_unique_ordered_and_explained(void)
{
	for (unsigned int i = 0; i < GPC_CODE_COUNT; i++) {
		const char *text = gpc_code_text((enum gpc_code)i);

		CU_ASSERT_EQUAL(strlen(text), 5);
		CU_ASSERT(text[0] == 'E' || text[0] == 'W');
		CU_ASSERT(strlen(gpc_code_title((enum gpc_code)i)) > 5);
		CU_ASSERT(strlen(gpc_code_help((enum gpc_code)i)) > 5);
		if (i)
			CU_ASSERT(strcmp(gpc_code_text((enum gpc_code)(i - 1)) + 1, text + 1) < 0);
	}
}

static void check_meant(const char *word, const char *expected)
{
	static const char *const keys[] = {"health", "weight", "address", "addresses",
					   "port",   "ports",  "TCP"};
	const char *found = gpc_did_you_mean(word, keys, sizeof(keys) / sizeof(keys[0]));

	if (!expected || !found)
		CU_ASSERT_PTR_EQUAL(found, expected)
	else
		CU_ASSERT_STRING_EQUAL(found, expected);
}

static void nearest_candidate_within_a_third_is_meant(void)
{
	check_meant("helath", "health");
	check_meant("heath", "health");
	check_meant("wieght", "weight");
	check_meant("addres", "address");
	check_meant("adresses", "addresses");
	check_meant("pots", "ports");
	check_meant("prot", "port");
	check_meant("tcp", "TCP");
	check_meant("udp", NULL);
	check_meant("healthcheck", NULL);
	check_meant("", NULL);
	check_meant("xx", NULL);
	check_meant("an-endless-word-that-is-longer-than-any-name-could-ever-be-in-this-language",
		    NULL);
}

GPC_UNIT_MAIN("diag/diag",
	      {"positions_count_lines_and_code_points_from_one",
	       positions_count_lines_and_code_points_from_one},
	      {"positions_in_long_lines_are_exact", positions_in_long_lines_are_exact},
	      {"positions_of_an_empty_text_exist", positions_of_an_empty_text_exist},
	      {"sources_are_copies", sources_are_copies},
	      {"records_keep_places_labels_and_hint", records_keep_places_labels_and_hint},
	      {"records_past_the_limit_are_counted_only", records_past_the_limit_are_counted_only},
	      {"strict_makes_errors_of_warnings", strict_makes_errors_of_warnings},
	      {"codes_are_unique_ordered_and_explained", codes_are_unique_ordered_and_explained},
	      {"nearest_candidate_within_a_third_is_meant",
	       nearest_candidate_within_a_third_is_meant})
