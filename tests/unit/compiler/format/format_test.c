/* SPDX-License-Identifier: MIT */
/* The canonical layout: what it is, and what stays whatever was written. */
#include "format/format.h"

#include <stdarg.h>
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

/* ---- any comment ---- */

/* A text made by chance: every scalar is a word of its own, `v17`, and comments name their scalar. */
struct made {
	char text[65536];
	size_t used;
	unsigned int words;
	uint64_t seed;
};

static unsigned int chance(struct made *made, unsigned int below)
{
	made->seed = made->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned int)(made->seed >> 33) % below;
}

static void add(struct made *made, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct made *made, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	made->used += (size_t)vsnprintf(made->text + made->used, sizeof(made->text) - made->used,
					format, args);
	va_end(args);
	CU_ASSERT_FATAL(made->used < sizeof(made->text));
}

static void add_blank_lines(struct made *made)
{
	for (unsigned int n = chance(made, 8) / 5; n > 0; n--)
		add(made, "\n");
}

static void add_before(struct made *made, int indent, unsigned int word)
{
	add_blank_lines(made);
	for (unsigned int n = chance(made, 4) / 2; n > 0; n--) {
		add(made, "%*s# before v%u;\n", indent, "", word);
		add_blank_lines(made);
	}
}

static void add_scalar(struct made *made, unsigned int word)
{
	static const char *const forms[] = {"v%u;", "\"v%u;\"", "'v%u;'"};

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	add(made, forms[chance(made, 3)], word);
#pragma GCC diagnostic pop
}

static void add_line(struct made *made, unsigned int word)
{
	if (chance(made, 3) == 0)
		add(made, "%*s# line v%u;", 1 + (int)chance(made, 9), "", word);
	add(made, "\n");
}

static void add_list(struct made *made, int indent)
{
	unsigned int word = 0;

	add(made, "\n");
	for (unsigned int n = 1 + chance(made, 3); n > 0; n--) {
		word = made->words++;
		add_before(made, indent, word);
		add(made, "%*s-%*s", indent, "", 1 + (int)chance(made, 3), "");
		add_scalar(made, word);
		add_line(made, word);
	}
	if (chance(made, 3) == 0)
		add(made, "%*s# behind v%u;\n", indent, "", word);
}

static void add_brackets(struct made *made, int indent)
{
	unsigned int count = 1 + chance(made, 4);

	add(made, " [");
	for (unsigned int n = 0; n < count; n++) {
		unsigned int word = made->words++;
		bool broken = chance(made, 4) == 0;

		if (broken) {
			add(made, "\n");
			add_before(made, indent, word);
			add(made, "%*s", indent + 1, "");
		}
		add_scalar(made, word);
		add(made, n + 1 < count ? "," : "");
		if (broken && chance(made, 2))
			add(made, " # line v%u;\n%*s", word, indent + 1, "");
	}
	add(made, "]\n");
}

static void add_map(struct made *made, int indent, int depth, bool item)
{
	static const char *const keys[] = {"name",  "x-1",   "address", "port",	 "tests",
					   "x-2",   "rules", "weight",	"values", "listeners"};
	unsigned int first = chance(made, 10), step = chance(made, 2) ? 3 : 7;

	for (unsigned int n = 1 + chance(made, 4), i = 0; i < n; i++) {
		const char *key = keys[(first + i * step) % 10];
		unsigned int word = made->words++;
		int inner = indent + 1 + (int)chance(made, 4);

		if (i || !item) {
			add_before(made, indent, word);
			add(made, "%*s", indent, "");
		}
		switch (depth < 4 ? chance(made, 6) : 0) {
		case 0:
		case 1:
			add(made, "%s: ", key);
			add_scalar(made, word);
			add_line(made, word);
			break;
		case 2:
			add(made, "v%u;: # line v%u;\n", word, word);
			add(made, "%*s", inner, "");
			add_map(made, inner, depth + 1, true);
			break;
		case 3:
			add(made, "v%u;:", word);
			add_brackets(made, indent);
			break;
		case 4:
			add(made, "v%u;:", word);
			add_list(made, inner);
			break;
		default:
			add(made, "v%u;:\n", word);
			add(made, "%*s- ", inner, "");
			add_map(made, inner + 2, depth + 1, true);
		}
	}
}

/* Does the comment at `mark` stand where its kind wants it: is there its word in that line? */
static bool stands_well(const char *text, const char *mark, const char *word, size_t size)
{
	const char *line = mark, *end;
	bool behind = mark[2] == 'b' && mark[4] == 'h', before = mark[2] == 'b' && !behind;

	while (line > text && line[-1] != '\n')
		line--;
	while (behind && line > text) {
		for (line--; line > text && line[-1] != '\n';)
			line--;
		if (line[strspn(line, " ")] != '#')
			break;
	}
	while (before && (line[strspn(line, " ")] == '#' || *line == '\n'))
		line += strcspn(line, "\n") + 1;
	end = line + strcspn(line, "\n");
	if (!before && !behind)
		end = mark;
	return memmem(line, (size_t)(end - line), word, size) != NULL;
}

static size_t count_marks(const char *text)
{
	size_t count = 0;

	while ((text = strchr(text, '#')) != NULL) {
		text++;
		count++;
	}
	return count;
}

static void check_comments(const char *text, const char *source)
{
	for (const char *mark = strchr(text, '#'); mark; mark = strchr(mark + 1, '#')) {
		const char *word = strchr(mark, 'v');
		size_t size;

		CU_ASSERT_PTR_NOT_NULL_FATAL(word);
		size = strcspn(word, ";") + 1;
		if (stands_well(text, mark, word, size))
			continue;
		fprintf(stderr, "%.*s\n--- in\n%s--- from\n%s", (int)(word + size - mark), mark, text,
			source);
		CU_FAIL_FATAL("a comment stands elsewhere");
	}
	CU_ASSERT_EQUAL(count_marks(text), count_marks(source));
}

static void any_comment_stays_with_its_scalar(void)
{
	static struct made made;
	size_t comments = 0;

	for (uint64_t seed = 1; seed <= 3000; seed++) {
		char *once, *twice;

		made = (struct made){.seed = seed, .words = 10};
		add(&made, "head: v0;\n");
		add_map(&made, 0, 0, false);
		once = laid_out(made.text);
		if (!once) /* a key twice */
			continue;
		check_comments(once, made.text);
		comments += count_marks(once);
		twice = laid_out(once);
		CU_ASSERT_PTR_NOT_NULL_FATAL(twice);
		CU_ASSERT_STRING_EQUAL_FATAL(twice, once);
		free(once);
		free(twice);
	}
	CU_ASSERT(comments > 5000);
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
	{"any_comment_stays_with_its_scalar", any_comment_stays_with_its_scalar},
	{"what_is_no_intent_is_refused", what_is_no_intent_is_refused},
	{"a_long_key_is_written_so_that_it_can_be_read", a_long_key_is_written_so_that_it_can_be_read})
