/* SPDX-License-Identifier: MIT */
#include "diag/render.h"

#include <json-c/json.h>

#include "tests/unit/unit.h"

static struct gpc_arena arena;
static struct gpc_diags diags;
static char *output;

static uint32_t set_up(const char *path, const char *text)
{
	gpc_diags_init(&diags, &arena, false);
	return gpc_diags_add_source(&diags, path, text, strlen(text));
}

static const char *render(enum gpc_diag_format format, bool color)
{
	size_t size;
	FILE *out = open_memstream(&output, &size);

	gpc_diags_render(&diags, format, color, out);
	fclose(out);
	return output;
}

static void tear_down(void)
{
	free(output);
	output = NULL;
	gpc_arena_release(&arena);
}

/* The place of `word` in a source. */
static struct gpc_place find(uint32_t source, const char *word)
{
	const char *text = diags.sources.items[source].text;
	uint32_t start = (uint32_t)(strstr(text, word) - text);

	return (struct gpc_place){source, start, start + (uint32_t)strlen(word)};
}

static void text_form_is_that_of_the_design(void)
{
	uint32_t source =
		set_up("edge.gpc.yaml", "backends:\n    healthcheck: {http: {port: 8080}}\n");
	struct gpc_diag *diag = gpc_diag(&diags, GPC_E0001, find(source, "healthcheck"),
					 "unknown key `healthcheck` in backends[0] (web)");

	gpc_diag_hint(&diags, diag, "did you mean `health`?");
	CU_ASSERT_STRING_EQUAL(
		render(GPC_DIAG_TEXT, false),
		"edge.gpc.yaml:2:5: error[E0001]: unknown key `healthcheck` in backends[0] (web)\n"
		"    2 |     healthcheck: {http: {port: 8080}}\n"
		"      |     ^^^^^^^^^^^ did you mean `health`?\n"
		"1 error\n");
	tear_down();
}

/* gpc check -f examples/web.yaml: what is shown can be clicked on where the user stands. */
static void paths_are_shown_below_the_folder_that_was_written(void)
{
	uint32_t source = set_up("web.yaml", "x: 1\n");
	struct gpc_diag *diag = gpc_diag(&diags, GPC_E0001, find(source, "x"), "no");

	diags.prefix = "examples/";
	gpc_diag_place(diag, find(source, "1"), "and here");
	CU_ASSERT_PTR_NOT_NULL(strstr(render(GPC_DIAG_TEXT, false), "examples/web.yaml:1:1: error"));
	CU_ASSERT_PTR_NOT_NULL(strstr(output, "examples/web.yaml:1:4: note: and here"));
	free(output);
	CU_ASSERT_PTR_NOT_NULL(strstr(render(GPC_DIAG_GITHUB, false), "file=examples/web.yaml,line=1"));
	CU_ASSERT_PTR_NOT_NULL(strstr(output, "%0Aexamples/web.yaml:1:4"));
	free(output);
	CU_ASSERT_PTR_NOT_NULL(strstr(render(GPC_DIAG_JSON, false), "\"path\":\"examples/web.yaml\""));
	CU_ASSERT_STRING_EQUAL(diags.sources.items[source].path, "web.yaml");
	tear_down();
}

static void conflict_shows_both_places(void)
{
	uint32_t one = set_up("b.yaml", "- web\n");
	uint32_t two = gpc_diags_add_source(&diags, "a.yaml", "x\n- web\n", 8);
	struct gpc_diag *diag =
		gpc_diag(&diags, GPC_E0013, find(two, "web"), "name `web` is taken");

	gpc_diag_label(diag, "again");
	gpc_diag_place(diag, find(one, "web"), "first used here");
	gpc_diag_hint(&diags, diag, "rename one");
	CU_ASSERT_STRING_EQUAL(render(GPC_DIAG_TEXT, false),
			       "a.yaml:2:3: error[E0013]: name `web` is taken\n"
			       "    2 | - web\n"
			       "      |   ^^^ again\n"
			       "b.yaml:1:3: note: first used here\n"
			       "    1 | - web\n"
			       "      |   ^^^\n"
			       "      = rename one\n"
			       "1 error\n");
	tear_down();
}

static void record_without_a_place_is_message_and_hint(void)
{
	set_up("a.yaml", "");
	gpc_diag_hint(&diags, gpc_diag(&diags, GPC_E0001, GPC_NOWHERE, "no input"), "give one");
	CU_ASSERT_STRING_EQUAL(render(GPC_DIAG_TEXT, false), "error[E0001]: no input\n"
							     "      = give one\n"
							     "1 error\n");
	tear_down();
}

static void output_order_is_path_place_code(void)
{
	uint32_t b = set_up("b.yaml", "one two\n");
	uint32_t a = gpc_diags_add_source(&diags, "a.yaml", "one\n", 4);
	const char *text;

	gpc_diag(&diags, GPC_E0001, GPC_NOWHERE, "5");
	gpc_diag(&diags, GPC_E0001, find(b, "two"), "4");
	gpc_diag(&diags, GPC_E0002, find(b, "one"), "3");
	gpc_diag(&diags, GPC_E0001, find(b, "one"), "2");
	gpc_diag(&diags, GPC_E0001, find(a, "one"), "1");
	text = render(GPC_DIAG_GITHUB, false);
	for (const char *number = "12345"; *number; number++) {
		const char *colon = strstr(text, "::"); /* the command's */

		CU_ASSERT_PTR_NOT_NULL_FATAL(colon);
		text = strchr(colon, '\n') + 1;
		CU_ASSERT_EQUAL(text[-2], *number);
	}
	tear_down();
}

/* Tabs become spaces, wide characters count two, combining marks none. */
static void caret_stands_under_its_text(void)
{
	uint32_t source = set_up("a.yaml", "\ta: \xe6\x97\xa5\xcc\x81 b\r\n");

	gpc_diag(&diags, GPC_E0001, find(source, "b"), "here");
	CU_ASSERT_STRING_EQUAL(render(GPC_DIAG_TEXT, false),
			       "a.yaml:1:8: error[E0001]: here\n"
			       "    1 |         a: \xe6\x97\xa5\xcc\x81 b\n"
			       "      |               ^\n"
			       "1 error\n");
	tear_down();
}

static void caret_at_the_end_of_text_or_line_is_one_wide(void)
{
	uint32_t source = set_up("a.yaml", "ab\n");

	gpc_diag(&diags, GPC_E0001, (struct gpc_place){source, 2, 3}, "line end");
	gpc_diag(&diags, GPC_E0001, (struct gpc_place){source, 3, 3}, "text end");
	gpc_diag(&diags, GPC_E0001, (struct gpc_place){source, 1, 1}, "empty");
	CU_ASSERT_STRING_EQUAL(render(GPC_DIAG_TEXT, false), "a.yaml:1:2: error[E0001]: empty\n"
							     "    1 | ab\n"
							     "      |  ^\n"
							     "a.yaml:1:3: error[E0001]: line end\n"
							     "    1 | ab\n"
							     "      |   ^\n"
							     "a.yaml:2:1: error[E0001]: text end\n"
							     "    2 | \n"
							     "      | ^\n"
							     "3 errors\n");
	tear_down();
}

static void place_over_several_lines_is_shown_by_its_first(void)
{
	uint32_t source = set_up("a.yaml", "a: [1,\n  2]\n");

	gpc_diag(&diags, GPC_E0001, (struct gpc_place){source, 3, 11}, "list");
	CU_ASSERT_STRING_EQUAL(render(GPC_DIAG_TEXT, false), "a.yaml:1:4: error[E0001]: list\n"
							     "    1 | a: [1,\n"
							     "      |    ^^^\n"
							     "1 error\n");
	tear_down();
}

static void long_lines_are_cut_around_the_caret(void)
{
	char text[5000], *line, *caret;
	uint32_t source;

	memset(text, 'x', sizeof(text));
	memcpy(text + 3000, "HERE", 4);
	text[sizeof(text) - 1] = '\0';
	source = set_up("a.yaml", text);
	gpc_diag(&diags, GPC_E0001, find(source, "HERE"), "long");
	render(GPC_DIAG_TEXT, false);
	line = strchr(output, '\n') + 1;
	caret = strchr(line, '\n') + 1;
	CU_ASSERT(caret - line < 130);
	CU_ASSERT_EQUAL(strncmp(line, "    1 | ...xxx", 14), 0);
	CU_ASSERT_EQUAL(strncmp(caret - 7, "xxx...\n", 7), 0);
	CU_ASSERT_EQUAL(strstr(line, "HERE") - line, strstr(caret, "^^^^") - caret);
	tear_down();
}

static void hostile_text_cannot_reach_the_terminal(void)
{
	uint32_t source = set_up("a\x1b[2J.yaml", "k\x1b]0;x\a: \xff\xe2\x80\xae z\n");

	gpc_diag(&diags, GPC_E0001, find(source, " z"), "bad \x1b[31m \xc2\x9b \xe2\x81\xa6");
	CU_ASSERT_STRING_EQUAL(
		render(GPC_DIAG_TEXT, false),
		"a\\x1b[2J.yaml:1:12: error[E0001]: bad \\x1b[31m \\u{9b} \\u{2066}\n"
		"    1 | k\\x1b]0;x\\x07: \\xff\\u{202e} z\n"
		"      |                            ^^\n"
		"1 error\n");
	tear_down();
}

static void colors_come_only_when_asked(void)
{
	uint32_t source = set_up("a.yaml", "a\n");

	gpc_diag(&diags, GPC_E0001, find(source, "a"), "m");
	CU_ASSERT_PTR_NULL(strchr(render(GPC_DIAG_TEXT, false), '\033'));
	free(output);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(render(GPC_DIAG_TEXT, true), "\033[1;31merror[E0001]:\033[0m m"));
	tear_down();
}

static void summary_counts_what_is_not_shown(void)
{
	set_up("a.yaml", "");
	for (unsigned int i = 0; i < GPC_MAX_DIAGS + 3; i++)
		gpc_diag(&diags, GPC_E0001, GPC_NOWHERE, "m");
	CU_ASSERT_PTR_NOT_NULL(
		strstr(render(GPC_DIAG_TEXT, false), "\n203 errors, 3 of them not shown\n"));
	free(output);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(render(GPC_DIAG_JSON, false), "{\"type\":\"not-shown\",\"count\":3}\n"));
	free(output);
	CU_ASSERT_PTR_NOT_NULL(strstr(render(GPC_DIAG_GITHUB, false),
				      "::notice ::3 further errors and warnings are not shown\n"));
	tear_down();
}

static void nothing_is_written_without_records(void)
{
	set_up("a.yaml", "");
	CU_ASSERT_STRING_EQUAL(render(GPC_DIAG_TEXT, true), "");
	tear_down();
}

static void json_holds_every_field(void)
{
	uint32_t source = set_up("a/b.yaml", "\xc3\xa9: x\nk\n");
	struct gpc_diag *diag =
		gpc_diag(&diags, GPC_E0013, find(source, "x\nk"), "say \"%s\"\n", "hi");

	gpc_diag_place(diag, find(source, "k"), "first");
	CU_ASSERT_STRING_EQUAL(
		render(GPC_DIAG_JSON, false),
		"{\"type\":\"diagnostic\",\"code\":\"E0013\",\"severity\":\"error\","
		"\"message\":\"say \\\"hi\\\"\\n\",\"places\":["
		"{\"path\":\"a/"
		"b.yaml\",\"line\":1,\"column\":4,\"end_line\":2,\"end_column\":2,\"label\":null},"
		"{\"path\":\"a/b.yaml\",\"line\":2,\"column\":1,\"end_line\":2,\"end_column\":2,"
		"\"label\":\"first\"}],\"hint\":null}\n");
	tear_down();
}

static void json_stays_json_on_hostile_text(void)
{
	json_object *object;
	const char *message;

	set_up("a.yaml", "");
	gpc_diag(&diags, GPC_E0001, GPC_NOWHERE, "x\x01\xff\"\\\x1b\xc3");
	object = json_tokener_parse(render(GPC_DIAG_JSON, false));
	CU_ASSERT_PTR_NOT_NULL_FATAL(object);
	message = json_object_get_string(json_object_object_get(object, "message"));
	CU_ASSERT_STRING_EQUAL(message, "x\x01\xef\xbf\xbd\"\\\x1b\xef\xbf\xbd");
	json_object_put(object);
	tear_down();
}

static void github_form_is_escaped(void)
{
	uint32_t source = set_up("a,b:c%.yaml", "x: y\n");
	struct gpc_diag *diag =
		gpc_diag(&diags, GPC_E0013, find(source, "y"), "100%% of `y`, twice: a\r\nb");

	gpc_diag_place(diag, find(source, "x"), "first");
	gpc_diag_hint(&diags, diag, "drop one");
	CU_ASSERT_STRING_EQUAL(
		render(GPC_DIAG_GITHUB, false),
		"::error file=a%2Cb%3Ac%25.yaml,line=1,col=4,title=E0013 key is written twice::"
		"100%25 of `y`, twice: a%0D%0Ab%0Aa,b:c%25.yaml:1:1: first%0Adrop one\n");
	tear_down();
}

GPC_UNIT_MAIN("diag/render", {"text_form_is_that_of_the_design", text_form_is_that_of_the_design},
	      {"paths_are_shown_below_the_folder_that_was_written",
	       paths_are_shown_below_the_folder_that_was_written},
	      {"conflict_shows_both_places", conflict_shows_both_places},
	      {"record_without_a_place_is_message_and_hint",
	       record_without_a_place_is_message_and_hint},
	      {"output_order_is_path_place_code", output_order_is_path_place_code},
	      {"caret_stands_under_its_text", caret_stands_under_its_text},
	      {"caret_at_the_end_of_text_or_line_is_one_wide",
	       caret_at_the_end_of_text_or_line_is_one_wide},
	      {"place_over_several_lines_is_shown_by_its_first",
	       place_over_several_lines_is_shown_by_its_first},
	      {"long_lines_are_cut_around_the_caret", long_lines_are_cut_around_the_caret},
	      {"hostile_text_cannot_reach_the_terminal", hostile_text_cannot_reach_the_terminal},
	      {"colors_come_only_when_asked", colors_come_only_when_asked},
	      {"summary_counts_what_is_not_shown", summary_counts_what_is_not_shown},
	      {"nothing_is_written_without_records", nothing_is_written_without_records},
	      {"json_holds_every_field", json_holds_every_field},
	      {"json_stays_json_on_hostile_text", json_stays_json_on_hostile_text},
	      {"github_form_is_escaped", github_form_is_escaped})
