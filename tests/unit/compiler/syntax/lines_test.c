/* SPDX-License-Identifier: MIT */
#include "syntax/lines.h"

#include <string.h>

#include "tests/unit/unit.h"

/* The lines of what starts at line:column of `text`, as "2 3 5". */
static void check(const char *text, uint32_t line, uint32_t column, const char *expected)
{
	struct gpc_documents documents;
	struct gpc_arena arena = {0};
	struct gpc_diags diags;
	struct gpc_lines lines;
	const char *found = "";

	gpc_diags_init(&diags, &arena, false);
	CU_ASSERT_FATAL(gpc_yaml_parse(
		&diags, &arena, gpc_diags_add_source(&diags, "a.yaml", text, strlen(text)),
		&documents));
	gpc_lines_find(&diags, &documents, (struct gpc_line_column){line, column}, &lines);
	for (size_t i = 0; i < lines.numbers.n; i++)
		found = gpc_arena_printf(&arena, "%s%s%u", found, i ? " " : "",
					 lines.numbers.items[i]);
	CU_ASSERT_STRING_EQUAL(found, expected);
	gpc_arena_release(&arena);
}

static void every_line_with_a_key_or_a_value_counts(void)
{
	const char *text = "rules:\n"
			   "  - name: a\n"
			   "    to: 10.0.0.1\n"
			   "    ports:\n"
			   "      - tcp/80\n"
			   "      - tcp/81\n"
			   "  - {name: b, to: 10.0.0.2}\n";

	check(text, 2, 5, "2 3 4 5 6");
	check(text, 7, 5, "7");
	check(text, 4, 5, "");
	check(text, 5, 7, "5 6");
}

static void comments_blank_lines_and_lone_brackets_do_not(void)
{
	check("rules:\n"
	      "  - name: a # one\n"
	      "\n"
	      "    # what it is for\n"
	      "    to: b\n"
	      "    # behind it\n"
	      "  - name: c\n",
	      2, 5, "2 5");
	check("rules: [\n"
	      "  {\n"
	      "    name: a,\n"
	      "    to: b\n"
	      "  }]\n",
	      2, 3, "3 4");
}

static void a_text_of_several_lines_counts_whole(void)
{
	check("- name: a\n"
	      "  why: |\n"
	      "    one\n"
	      "    two\n"
	      "\n"
	      "- name: b\n",
	      1, 3, "1 2 3 4");
	check("- name: a\n"
	      "  why: one\n"
	      "    two\n"
	      "- name: b\n",
	      1, 3, "1 2 3");
}

static void any_document_is_looked_into(void)
{
	check("a: b\n---\n- {c: d,\n   e: f}\n", 3, 3, "3 4");
	check("a: b\n", 7, 1, "");
}

GPC_UNIT_MAIN("syntax/lines",
	      {"every_line_with_a_key_or_a_value_counts", every_line_with_a_key_or_a_value_counts},
	      {"comments_blank_lines_and_lone_brackets_do_not",
	       comments_blank_lines_and_lone_brackets_do_not},
	      {"a_text_of_several_lines_counts_whole", a_text_of_several_lines_counts_whole},
	      {"any_document_is_looked_into", any_document_is_looked_into})
