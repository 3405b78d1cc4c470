/* SPDX-License-Identifier: MIT */
#include "syntax/yaml.h"

#include "gpc/limits.h"
#include "tests/unit/unit.h"

static struct gpc_arena arena;
static struct gpc_diags diags;
static struct gpc_documents documents;

static bool parse_bytes(const char *text, size_t size)
{
	gpc_arena_release(&arena);
	gpc_diags_init(&diags, &arena, false);
	return gpc_yaml_parse(&diags, &arena, gpc_diags_add_source(&diags, "a.yaml", text, size),
			      &documents);
}

static bool parse(const char *text)
{
	return parse_bytes(text, strlen(text));
}

/* Record `i` has this code and starts here. */
static void check_record(size_t i, enum gpc_code code, uint32_t line, uint32_t column)
{
	struct gpc_line_column found;

	CU_ASSERT_FATAL(i < diags.records.n);
	CU_ASSERT_STRING_EQUAL(gpc_code_text(diags.records.items[i].code), gpc_code_text(code));
	CU_ASSERT_EQUAL_FATAL(diags.records.items[i].place_count > 0, true);
	found = gpc_place_position(&diags, diags.records.items[i].places[0].place);
	CU_ASSERT_EQUAL(found.line, line);
	CU_ASSERT_EQUAL(found.column, column);
}

static void check_refused_bytes(const char *text, size_t size, enum gpc_code code, uint32_t line,
				uint32_t column)
{
	CU_ASSERT_FALSE(parse_bytes(text, size));
	CU_ASSERT_EQUAL(diags.errors, 1);
	check_record(0, code, line, column);
}

static void check_refused(const char *text, enum gpc_code code, uint32_t line, uint32_t column)
{
	check_refused_bytes(text, strlen(text), code, line, column);
}

/* The text that a place spans. */
static const char *spanned(struct gpc_place place)
{
	return gpc_arena_strndup(&arena, diags.sources.items[place.source].text + place.start,
				 place.end - place.start);
}

/* `count` times `piece` between head and tail, in the arena of its own. */
static struct gpc_arena texts;
static const char *repeated(const char *head, const char *piece, size_t count, const char *tail)
{
	size_t size = strlen(piece);
	char *text = gpc_arena_alloc(&texts, strlen(head) + size * count + strlen(tail) + 1), *p;

	p = stpcpy(text, head);
	for (size_t i = 0; i < count; i++)
		p = mempcpy(p, piece, size);
	stpcpy(p, tail);
	return text;
}

/* ---- what is accepted ----------------------------------------------------------------------- */

static void tree_has_places_on_every_node(void)
{
	const struct gpc_node *root, *list, *map;

	CU_ASSERT_TRUE_FATAL(parse("name: web\nports: [80, \"443\"]\nlabels:\n  rack: r1  # "
				   "comment\n  x: |\n    b\n"));
	CU_ASSERT_EQUAL_FATAL(documents.count, 1);
	root = documents.roots[0];
	CU_ASSERT_EQUAL_FATAL(root->kind, GPC_NODE_MAP);
	CU_ASSERT_EQUAL_FATAL(root->map.count, 3);
	CU_ASSERT_STRING_EQUAL(spanned(root->place), "name: web");
	CU_ASSERT_STRING_EQUAL(root->map.pairs[0].key, "name");
	CU_ASSERT_STRING_EQUAL(spanned(root->map.pairs[0].key_place), "name");
	CU_ASSERT_STRING_EQUAL(root->map.pairs[0].value->scalar.text, "web");
	CU_ASSERT_EQUAL(root->map.pairs[0].value->scalar.size, 3);
	CU_ASSERT_FALSE(root->map.pairs[0].value->quoted);
	list = root->map.pairs[1].value;
	CU_ASSERT_EQUAL_FATAL(list->kind, GPC_NODE_LIST);
	CU_ASSERT_STRING_EQUAL(spanned(list->place), "[80, \"443\"]");
	CU_ASSERT_STRING_EQUAL(list->list.items[1]->scalar.text, "443");
	CU_ASSERT_STRING_EQUAL(spanned(list->list.items[1]->place), "\"443\"");
	CU_ASSERT_TRUE(list->list.items[1]->quoted);
	map = root->map.pairs[2].value;
	CU_ASSERT_STRING_EQUAL(spanned(map->place), "rack: r1  # comment");
	CU_ASSERT_STRING_EQUAL(map->map.pairs[1].value->scalar.text, "b\n");
	CU_ASSERT_TRUE(map->map.pairs[1].value->quoted);
}

static void no_scalar_is_typed(void)
{
	static const char *const texts_[] = {"no", "0644", "22:22", "1e3",
					     "~",  "null", "true",  "2026-12-31"};

	for (size_t i = 0; i < sizeof(texts_) / sizeof(texts_[0]); i++) {
		CU_ASSERT_TRUE_FATAL(parse(texts_[i]));
		CU_ASSERT_STRING_EQUAL(documents.roots[0]->scalar.text, texts_[i]);
	}
}

static void places_count_bytes_behind_other_alphabets(void)
{
	const struct gpc_node *root;

	CU_ASSERT_TRUE_FATAL(
		parse("\xc3\xa9: [\xe6\x97\xa5, {\xf0\x9f\x98\x80: b}]\r\nc: d # \xc3\xa9\n"));
	root = documents.roots[0];
	CU_ASSERT_STRING_EQUAL(spanned(root->map.pairs[0].key_place), "\xc3\xa9");
	CU_ASSERT_STRING_EQUAL(spanned(root->map.pairs[0].value->list.items[0]->place),
			       "\xe6\x97\xa5");
	CU_ASSERT_STRING_EQUAL(spanned(root->map.pairs[0].value->list.items[1]->place),
			       "{\xf0\x9f\x98\x80: b}");
	CU_ASSERT_STRING_EQUAL(spanned(root->map.pairs[1].value->place), "d");
}

static void json_and_several_documents_are_read(void)
{
	CU_ASSERT_TRUE(parse("{\n\t\"a\": [1, true],\n\t\"b\": {\"c\": null}\n}\n"));
	CU_ASSERT_EQUAL(documents.count, 1);
	CU_ASSERT_TRUE(parse("---\na: 1\n---\n# nothing\n---\nb: 2\n...\n---\n"));
	CU_ASSERT_EQUAL_FATAL(documents.count, 2);
	CU_ASSERT_STRING_EQUAL(documents.roots[1]->map.pairs[0].key, "b");
	CU_ASSERT_TRUE(parse(""));
	CU_ASSERT_EQUAL(documents.count, 0);
	CU_ASSERT_TRUE(parse("# only a comment"));
	CU_ASSERT_EQUAL(documents.count, 0);
}

/* ---- what is refused ------------------------------------------------------------------------ */

static void texts_that_are_no_text_are_refused(void)
{
	check_refused_bytes("a: \0b\n", 6, GPC_E0006, 1, 4);
	check_refused("ok: 1\na: \"\\0\"\n", GPC_E0006, 2, 4);
	check_refused("a: 1\nb: \xff\n", GPC_E0003, 2, 4);
	check_refused("a: \xc0\xaf\n", GPC_E0003, 1, 4);
	check_refused("a: \xe0\x80\xaf\n", GPC_E0003, 1, 4);
	check_refused("a: \xed\xa0\x80\n", GPC_E0003, 1, 4);
	check_refused("a: \xe6\x97", GPC_E0003, 1, 4);
	check_refused("a: \x1b[2J\n", GPC_E0007, 1, 4);
	check_refused("a: \xc2\x9b\n", GPC_E0007, 1, 4);
	check_refused("a: \x7f\n", GPC_E0007, 1, 4);
	check_refused("a: 1\nb: \xef\xbb\xbf\n", GPC_E0007, 2, 4);
	check_refused("\xef\xbb\xbf"
		      "a: 1\n",
		      GPC_E0005, 1, 1);
	check_refused_bytes("\xff\xfe"
			    "a\0:\0",
			    6, GPC_E0004, 1, 1);
	check_refused_bytes("\xfe\xff\0a\0:", 6, GPC_E0004, 1, 1);
	check_refused_bytes("a\0:\0 \0001\0", 8, GPC_E0004, 1, 1);
	check_refused_bytes("\0a\0:\0 \0001", 8, GPC_E0004, 1, 1);
	check_refused_bytes("\0\0\0a\0\0\0:", 8, GPC_E0004, 1, 1);
	check_refused_bytes("a\0\0\0:\0\0\0", 8, GPC_E0004, 1, 1);
}

static void tabs_in_the_indentation_are_refused(void)
{
	check_refused("a:\n\tb: 1\n", GPC_E0002, 2, 1);
	check_refused("a:\n  \tb: 1\n", GPC_E0002, 2, 3);
	check_refused("a:\n  b: 1\n\tc: 2\n", GPC_E0002, 3, 1);
	check_refused("a: |\n\tb\n", GPC_E0002, 2, 1);
	CU_ASSERT_TRUE(parse("a:\t1\t# tabs between words\n"));
}

static void language_features_are_refused(void)
{
	check_refused("a: &x 1\n", GPC_E0008, 1, 4);
	check_refused("a: &x [1]\n", GPC_E0008, 1, 4);
	check_refused("a: &x\n  b: 1\n", GPC_E0008, 1, 4);
	check_refused("a: *x\n", GPC_E0009, 1, 4);
	check_refused("a: [*]\n", GPC_E0009, 1, 5);
	check_refused("a: & b\n", GPC_E0008, 1, 4);
	check_refused("a: {<<: 1}\n", GPC_E0010, 1, 5);
	check_refused("a: !!int 1\n", GPC_E0011, 1, 4);
	check_refused("a: !x {b: 1}\n", GPC_E0011, 1, 4);
	check_refused("a: ! b\n", GPC_E0011, 1, 4);
	check_refused("a: !x!y b\n", GPC_E0011, 1, 4);
	check_refused("a: !<\n", GPC_E0011, 1, 4);
	check_refused("%YAML 1.2\n---\na: 1\n", GPC_E0012, 1, 1);
	check_refused("a: 1\r%TAG ! b\r--- 1\r", GPC_E0012, 1, 6);
	check_refused("[a]: 1\n", GPC_E0014, 1, 1);
	check_refused("a: {{ b }}\n", GPC_E0014, 1, 5);
	CU_ASSERT_TRUE(parse("a: {\"<<\": 1, b: \"*x\", c: '&y', d: 50%}\n"));
}

static void duplicate_keys_show_both_places(void)
{
	struct gpc_line_column first;

	check_refused("a: 1\nb: 2\na: 3\n", GPC_E0013, 3, 1);
	CU_ASSERT_EQUAL_FATAL(diags.records.items[0].place_count, 2);
	first = gpc_place_position(&diags, diags.records.items[0].places[1].place);
	CU_ASSERT_EQUAL(first.line, 1);
	CU_ASSERT_STRING_EQUAL(diags.records.items[0].message, "key `a` is written twice");
	check_refused("x: {b: 1, \"b\": 2}\n", GPC_E0013, 1, 11);
	CU_ASSERT_EQUAL(documents.roots[0]->map.pairs[0].value->map.count, 1);
	CU_ASSERT_TRUE(parse("x: {b: 1}\ny: {b: 1}\n"));
}

static void several_faults_are_told_in_one_run(void)
{
	CU_ASSERT_FALSE(parse("a: &x 1\nb: *x\na: !!str 2\nc: [\n"));
	CU_ASSERT_EQUAL_FATAL(diags.errors, 4);
	check_record(0, GPC_E0008, 1, 4);
	check_record(1, GPC_E0009, 2, 4);
	check_record(2, GPC_E0011, 3, 4);
	check_record(3, GPC_E0001, 5, 1);
}

static void faults_of_the_grammar_say_what_is_wrong(void)
{
	static const struct {
		const char *text, *message;
		uint32_t line, column;
	} rows[] = {
		{"a: b: c\n", "`:` does not belong here", 1, 5},
		{"a: - b\n", "list item does not belong here", 1, 4},
		{"a: b\n  c: d\n", "`:` does not belong here", 2, 4},
		{"a: 1\nnonsense\nb: 2\n", "key without `:` behind it", 2, 1},
		{"a:\n  - b\n c: 1\n", "indentation fits no open mapping", 3, 2},
		{"a: [1, 2\nb: 3\n", "`,` or `]` is missing", 2, 2},
		{"a: {b: 1\n", "`,` or `}` is missing", 2, 1},
		{"a: \"b\n", "quote is not closed", 1, 4},
		{"a: \"b\n---\n", "quote is not closed before the document ends", 1, 4},
		{"a: \"\\q\"\n", "unknown escape in a text in double quotes", 1, 5},
		{"a: \"\\xzz\"\n", "escape needs hexadecimal digits", 1, 7},
		{"a: \"\\ud800\"\n", "escape names no character", 1, 7},
		{"a: @b\n", "value cannot start with `@`", 1, 4},
		{"a: `b\n", "value cannot start with ```", 1, 4},
		{"a: |x\n", "only a comment may follow `|` or `>`", 1, 5},
		{"a: |0\n", "indentation of a block text is 1 to 9", 1, 5},
		{"a: ]\n", "value is missing", 1, 4},
		{"[a]\nb\n", "text behind the end of the document", 2, 1},
		{"- \"a\"\nb: 1\n", "indentation fits no open list", 2, 1},
		{"- \"a\" b\n", "text does not belong behind the value", 1, 7},
		{"a: \"x\" y\n", "text does not belong behind the value", 1, 8},
		{"a: ? b\n", "`?` does not belong here", 1, 4},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		check_refused(rows[i].text, GPC_E0001, rows[i].line, rows[i].column);
		CU_ASSERT_STRING_EQUAL(diags.records.items[0].message, rows[i].message);
	}
}

/* ---- limits --------------------------------------------------------------------------------- */

static void depth_is_limited(void)
{
	CU_ASSERT_TRUE(
		parse(repeated(repeated("", "[", GPC_MAX_DEPTH, ""), "]", GPC_MAX_DEPTH, "\n")));
	check_refused(repeated("", "[", GPC_MAX_DEPTH + 1, ""), GPC_E0015, 1, 65);
	check_refused(repeated("", "[", 100000, ""), GPC_E0015, 1, 65);
	check_refused(repeated("", "- ", 100000, ""), GPC_E0015, 1, 129);
	check_refused(repeated("", "{a: ", 100000, ""), GPC_E0015, 1, 257);
	check_refused(repeated("", "? ", 100000, ""), GPC_E0014, 1, 3);
}

static void nodes_are_limited(void)
{
	CU_ASSERT_TRUE(parse(repeated("[", "1,", GPC_MAX_NODES - 1, "]\n")));
	check_refused(repeated("[\n", "1,", GPC_MAX_NODES, "]\n"), GPC_E0016, 2, 2 * GPC_MAX_NODES - 1);
}

static void nodes_of_all_sources_are_limited_together(void)
{
	const char *half = repeated("[", "1,", GPC_MAX_NODES / 2, "]\n");

	CU_ASSERT_TRUE(parse(half));
	CU_ASSERT_FALSE(gpc_yaml_parse(
		&diags, &arena, gpc_diags_add_source(&diags, "b.yaml", half, strlen(half)), &documents));
	check_record(0, GPC_E0016, 1, GPC_MAX_NODES - 2);
	CU_ASSERT_EQUAL(diags.records.items[0].places[0].place.source, 1);
}

static void scalars_are_limited(void)
{
	CU_ASSERT_TRUE(parse(repeated("a: ", "x", GPC_MAX_SCALAR_BYTES, "\n")));
	check_refused(repeated("b: 1\na: ", "x", GPC_MAX_SCALAR_BYTES + 1, "\n"), GPC_E0017, 2, 4);
	CU_ASSERT_EQUAL(documents.roots[0]->map.pairs[1].value->scalar.size, 0);
	check_refused(repeated("? ", "x", GPC_MAX_SCALAR_BYTES + 1, "\n: 1\n"), GPC_E0017, 1, 3);
}

static void floods_end_with_bounded_output(void)
{
	CU_ASSERT_FALSE(parse(repeated("a: &a 1\nb: [", "*a,", 40000, "]\n")));
	CU_ASSERT_EQUAL(diags.errors, 40001);
	CU_ASSERT_EQUAL(diags.records.n, GPC_MAX_DIAGS);
	check_record(1, GPC_E0009, 2, 5);
	CU_ASSERT_FALSE(parse(repeated("", "k: 1\n", 100000, "")));
	CU_ASSERT_EQUAL(diags.errors, 99999);
	check_record(0, GPC_E0013, 2, 1);
	check_refused(repeated("", "%TAG !a! b\n", 200000, "--- 1\n"), GPC_E0012, 1, 1);
}

static void memory_is_given_back(void)
{
	gpc_arena_release(&arena);
	gpc_arena_release(&texts);
	CU_ASSERT_EQUAL(arena.used, 0);
}

GPC_UNIT_MAIN("syntax/yaml", {"tree_has_places_on_every_node", tree_has_places_on_every_node},
	      {"no_scalar_is_typed", no_scalar_is_typed},
	      {"places_count_bytes_behind_other_alphabets",
	       places_count_bytes_behind_other_alphabets},
	      {"json_and_several_documents_are_read", json_and_several_documents_are_read},
	      {"texts_that_are_no_text_are_refused", texts_that_are_no_text_are_refused},
	      {"tabs_in_the_indentation_are_refused", tabs_in_the_indentation_are_refused},
	      {"language_features_are_refused", language_features_are_refused},
	      {"duplicate_keys_show_both_places", duplicate_keys_show_both_places},
	      {"several_faults_are_told_in_one_run", several_faults_are_told_in_one_run},
	      {"faults_of_the_grammar_say_what_is_wrong", faults_of_the_grammar_say_what_is_wrong},
	      {"depth_is_limited", depth_is_limited}, {"nodes_are_limited", nodes_are_limited},
	      {"nodes_of_all_sources_are_limited_together",
	       nodes_of_all_sources_are_limited_together},
	      {"scalars_are_limited", scalars_are_limited},
	      {"floods_end_with_bounded_output", floods_end_with_bounded_output},
	      {"memory_is_given_back", memory_is_given_back})
