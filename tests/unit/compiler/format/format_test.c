/* SPDX-License-Identifier: MIT */
/* The canonical layout: what it is, and what stays whatever was written. */
#include "format/format.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

static char *laid_out(const char *text)
{
	struct gpc_arena arena = {0};
	struct gpc_diags diags;
	const char *result;
	char *copy = NULL;
	size_t size;

	gpc_diags_init(&diags, &arena, false);
	gpc_diags_add_source(&diags, "in.yaml", text, strlen(text));
	if (gpc_format_yaml(&diags, 0, &result, &size)) {
		copy = strndup(result, size);
		CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
		CU_ASSERT_EQUAL(strlen(copy), size);
	}
	gpc_arena_release(&arena);
	return copy;
}

static void becomes(const char *text, const char *wanted)
{
	char *once = laid_out(text), *twice;

	CU_ASSERT_PTR_NOT_NULL_FATAL(once);
	if (strcmp(once, wanted) != 0)
		fprintf(stderr, "--- wanted\n%s--- got\n%s", wanted, once);
	CU_ASSERT_STRING_EQUAL(once, wanted);
	twice = laid_out(once);
	CU_ASSERT_PTR_NOT_NULL_FATAL(twice);
	CU_ASSERT_STRING_EQUAL(twice, once);
	free(once);
	free(twice);
}

#define stays(text) becomes(text, text)

/* ---- the layout ---- */

static void lists_stand_two_deeper_than_their_key(void)
{
	becomes("backends:\n- name: web\n  endpoints:\n       -   name: a\n",
		"backends:\n  - name: web\n    endpoints:\n      - name: a\n");
	stays("include:\n  - - a\n    - b\n  - - c\n");
}

static void keys_come_in_the_order_of_the_language(void)
{
	becomes("kind: Plane\nlisteners:\n  - port: 80\n    name: a\n    x-note: 1\n    address: 10.0.0.1\n"
		"apiVersion: gpc/v1\n",
		"apiVersion: gpc/v1\nkind: Plane\nlisteners:\n  - name: a\n    address: 10.0.0.1\n    port: 80\n"
		"    x-note: 1\n");
	stays("backends:\n  - {name: web, $delete: true}\n");
	stays("values: {z: 1, a: 2}\n");
	stays("metadata:\n  labels:\n    z: 1\n    a: 2\n");
}

static void brackets_stay_where_they_fit(void)
{
	stays("values: {a: 1, b: [x, y], c: {d: 1}}\n");
	becomes("values: { a : 1,\n b: [ x,y ] }\n", "values: {a: 1, b: [x, y]}\n");
	becomes("values: {a: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, b: [bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb]}\n",
		"values:\n  a: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"
		"  b: [bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb]\n");
	becomes("values: []\ntests: {\n}\n", "values: []\ntests: {}\n");
	becomes("values: [a: b, c]\n", "values: [{a: b}, c]\n");
}

static void the_hundredth_column_is_still_used(void)
{
	stays("values: {a: 123456789012345678901234567890123456789012345678901234567890123456789012345678901234567}\n");
	becomes("values: {a: 1234567890123456789012345678901234567890123456789012345678901234567890123456789012345678}\n",
		"values:\n  a: 1234567890123456789012345678901234567890123456789012345678901234567890123456789012345678\n");
}

static void json_becomes_yaml(void)
{
	becomes("{\"apiVersion\": \"gpc/v1\", \"kind\": \"Plane\", \"values\": {\"a\": \"no\", \"b\": \"x y\", \"c\": 1}}",
		"apiVersion: gpc/v1\nkind: Plane\nvalues: {a: \"no\", b: x y, c: 1}\n");
}

static void quotes_stand_where_something_would_read_otherwise(void)
{
	becomes("a: \"x\"\nb: 'y z'\nc: \"10.0.0.1\"\nd: \"${e}\"\n", "a: x\nb: y z\nc: 10.0.0.1\nd: ${e}\n");
	stays("a: \"no\"\nb: \"0644\"\nc: \"1e3\"\nd: \"22:22\"\ne: \"2026-01-01\"\nf: \"null\"\ng: \"0x1f\"\n");
	stays("a: no\nb: 0644\nc: 1e3\nd: 22:22\n");
	stays("a: \"x: y\"\nb: \"x #y\"\nc: \"- x\"\nd: \" x\"\ne: \"\"\nf: \"x:\"\ng: \"*\"\n");
	becomes("a: 'it''s'\nb: \"say \\\"hi\\\"\"\nc: 'tab\there'\n",
		"a: it's\nb: say \"hi\"\nc: \"tab\\there\"\n");
	becomes("a: '\"x'\nb: '\"x'''\n", "a: '\"x'\nb: \"\\\"x'\"\n");
	becomes("a: 2001:db8::1\nb: [2001:db8::1, '${x}', \"10.0.0.0/8\"]\n",
		"a: 2001:db8::1\nb: [\"2001:db8::1\", \"${x}\", 10.0.0.0/8]\n");
}

static void texts_of_several_lines_keep_them(void)
{
	stays("a: |\n  one\n\n   two\nb: |-\n  three\nc: >\n  four\n  five\n\n  six\n");
	becomes("rules:\n- note: one\n       two\n\n       three\n  name: x\n",
		"rules:\n  - name: x\n    note: one\n      two\n\n      three\n");
	becomes("a: \"one\n  two\"\nb: \"one\\\n  two\"\n", "a: \"one\n  two\"\nb: onetwo\n");
	becomes("a: |+\n  one\n\n", "a: \"one\\n\\n\"\n");
	becomes("a: |2\n   one\n", "a: \" one\\n\"\n");
	becomes("a: >\n  one\n    two\n", "a: \"one\\n  two\\n\"\n");
}

static void blank_lines_part_and_never_pile_up(void)
{
	becomes("\n\na: 1\n\n\n\nb:\n\n  c: 1\n\n  d: 2\n\n\n", "a: 1\n\nb:\n  c: 1\n\n  d: 2\n");
}

static void line_ends_are_line_feeds(void)
{
	becomes("a: 1 # x\r\n# y\r\nb: |\r\n  one\r\n  two\r\n",
		"a: 1                                            # x\n# y\nb: |\n  one\n  two\n");
	becomes("a: 1\rb: 2", "a: 1\nb: 2\n");
}

static void documents_are_parted_by_dashes_alone(void)
{
	becomes("--- # one\na: 1\n...\n# two\n---\nb: 2\n---\n---\n# end\n",
		"# one\na: 1\n---\n# two\nb: 2\n# end\n");
	becomes("# nothing\n---\n# else\n", "# nothing\n# else\n");
	becomes("", "");
}

/* ---- comments ---- */

static void comments_go_with_what_they_belong_to(void)
{
	becomes("listeners:\n"
		"  # about the port\n"
		"  - port: 80 # the port\n"
		"    # about the name\n"
		"    name: web # the name\n",
		"listeners:\n"
		"  # about the port\n"
		"  # about the name\n"
		"  - name: web                                   # the name\n"
		"    port: 80                                    # the port\n");
	becomes("kind: Plane #k\n# about the version\napiVersion: gpc/v1\n",
		"# about the version\napiVersion: gpc/v1\nkind: Plane                                     #k\n");
}

static void the_head_of_a_document_stays_at_its_head(void)
{
	becomes("# head\nkind: Plane\napiVersion: gpc/v1\n", "# head\napiVersion: gpc/v1\nkind: Plane\n");
	becomes("# head\n\nkind: Plane\n\napiVersion: gpc/v1\n", "# head\n\napiVersion: gpc/v1\nkind: Plane\n");
}

static void the_end_of_a_list_keeps_its_comments(void)
{
	stays("backends:\n  - name: a\n    endpoints:\n      - name: b\n      # - name: c\n    # more\n  # last\n"
	      "# next\nlisteners: []\n# end\n");
	stays("backends:\n  - name: a\n\n  # - name: c\n\n# end\n");
	becomes("tests:\n   # - name: none yet\nvalues: 1\n", "values: 1\ntests:\n  # - name: none yet\n");
}

static void comments_in_brackets_open_them(void)
{
	becomes("ports: [tcp/22, # ssh\n  # web\n  tcp/80 ] # all\n",
		"ports:                                          # all\n"
		"  - tcp/22                                      # ssh\n  # web\n  - tcp/80\n");
	becomes("a: [ # none\n ]\n", "a: []                                           # none\n");
	becomes("a: [\n # none\n ]\n", "# none\na: []\n");
	becomes("a: [ # one\n x ] # two\n", "# two\na: [x]                                          # one\n");
}

static void comments_behind_long_lines_are_two_spaces_away(void)
{
	stays("metadata: {name: this-is-quite-a-long-name-for-a-plane}  # long\n");
	stays("metadata: {name: this-is-quite-a-long-name-fo}  # long\n");
	stays("metadata: {name: this-is-quite-a-long-name-f}   # short\n");
}

static void comments_of_texts_of_several_lines(void)
{
	becomes("a: | # head\n  one\n  # no comment\n# comment\nb: \"one\n  # no comment\" # end\n",
		"a: |                                            # head\n  one\n  # no comment\n# comment\n"
		"b: \"one\n  # no comment\"                                 # end\n");
}

static void a_hash_inside_a_text_is_no_comment(void)
{
	stays("a: x#y\nb: \"x # y\"\nc: 'he said: \"x # y\"'\n");
	becomes("a: 'x # y'#z\n", "a: \"x # y\"                                      #z\n");
}

/* ---- what is refused ---- */

static void what_is_no_intent_is_refused(void)
{
	static const char *const texts[] = {
		"a: [\n",
		"a: 1\na: 2\n",
		"a: &x 1\n",
		"kind: Pod\napiVersion: v1\n",
		"- apiVersion: gpc/v1\n",
		"apiVersion: gpc/v1\n",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct gpc_arena arena = {0};
		struct gpc_diags diags;
		const char *text = NULL;
		size_t size;

		gpc_diags_init(&diags, &arena, false);
		gpc_diags_add_source(&diags, "in.yaml", texts[i], strlen(texts[i]));
		CU_ASSERT_FALSE(gpc_format(&diags, 0, &text, &size));
		CU_ASSERT(diags.errors > 0);
		CU_ASSERT_PTR_NULL(text);
		gpc_arena_release(&arena);
	}
}

static void a_long_key_is_written_so_that_it_can_be_read(void)
{
	char text[1300], wanted[1300];

	snprintf(text, sizeof(text), "? \"%01022d x\"\n# c\n: - 1\n", 7);
	snprintf(wanted, sizeof(wanted), "? %01022d x\n:\n  # c\n  - 1\n", 7);
	becomes(text, wanted);
}

GPC_UNIT_MAIN(
	"format/format",
	{"lists_stand_two_deeper_than_their_key", lists_stand_two_deeper_than_their_key},
	{"keys_come_in_the_order_of_the_language", keys_come_in_the_order_of_the_language},
	{"brackets_stay_where_they_fit", brackets_stay_where_they_fit},
	{"the_hundredth_column_is_still_used", the_hundredth_column_is_still_used},
	{"json_becomes_yaml", json_becomes_yaml},
	{"quotes_stand_where_something_would_read_otherwise",
	 quotes_stand_where_something_would_read_otherwise},
	{"texts_of_several_lines_keep_them", texts_of_several_lines_keep_them},
	{"blank_lines_part_and_never_pile_up", blank_lines_part_and_never_pile_up},
	{"line_ends_are_line_feeds", line_ends_are_line_feeds},
	{"documents_are_parted_by_dashes_alone", documents_are_parted_by_dashes_alone},
	{"comments_go_with_what_they_belong_to", comments_go_with_what_they_belong_to},
	{"the_head_of_a_document_stays_at_its_head", the_head_of_a_document_stays_at_its_head},
	{"the_end_of_a_list_keeps_its_comments", the_end_of_a_list_keeps_its_comments},
	{"comments_in_brackets_open_them", comments_in_brackets_open_them},
	{"comments_behind_long_lines_are_two_spaces_away",
	 comments_behind_long_lines_are_two_spaces_away},
	{"comments_of_texts_of_several_lines", comments_of_texts_of_several_lines},
	{"a_hash_inside_a_text_is_no_comment", a_hash_inside_a_text_is_no_comment},
	{"what_is_no_intent_is_refused", what_is_no_intent_is_refused},
	{"a_long_key_is_written_so_that_it_can_be_read", a_long_key_is_written_so_that_it_can_be_read})
