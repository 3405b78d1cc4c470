/* SPDX-License-Identifier: MIT */
#include "problem.h"

#include <string.h>

/*
 * The first row whose words occur in problem and context decides. AT_CONTEXT: the cause stands
 * where the context starts. BEHIND_TEXT: only if something stands before the problem on its line.
 */
static const struct row {
	const char *problem, *context;
	enum gpc_code code;
	enum { AT_PROBLEM, AT_CONTEXT, BEHIND_TEXT } where;
	const char *message, *label, *hint;
} rows[] = {
	{"", "anchor", GPC_E0008, AT_CONTEXT, "`&` starts an anchor", NULL,
	 "quote a text that starts with `&`"},
	{"", "alias", GPC_E0009, AT_CONTEXT, "`*` starts an alias", NULL,
	 "quote a text that starts with `*`"},
	{"", "tag", GPC_E0011, AT_CONTEXT, "`!` starts a tag", NULL,
	 "quote a text that starts with `!`"},
	{"tag handle", "", GPC_E0011, AT_CONTEXT, "`!` starts a tag", NULL,
	 "quote a text that starts with `!`"},
	{"tab character", "", GPC_E0002, AT_PROBLEM, "tab in the indentation", NULL,
	 "indent with spaces"},
	{"could not find expected ':'", "", GPC_E0001, AT_CONTEXT, "key without `:` behind it",
	 NULL, "write `key: value`; a text of several lines needs quotes or `|`"},
	{"mapping values are not allowed", "", GPC_E0001, AT_PROBLEM, "`:` does not belong here",
	 NULL, "quote a value that contains `: `, else mend the indentation"},
	{"block sequence entries are not allowed", "", GPC_E0001, AT_PROBLEM,
	 "list item does not belong here", NULL, "put `-` on a line of its own below the key"},
	{"mapping keys are not allowed", "", GPC_E0001, AT_PROBLEM, "`?` does not belong here",
	 NULL, "quote a text that starts with `?`"},
	{"expected key", "", GPC_E0001, BEHIND_TEXT, "text does not belong behind the value", NULL,
	 "put the whole value into quotes"},
	{"'-' indicator", "", GPC_E0001, BEHIND_TEXT, "text does not belong behind the value", NULL,
	 "put the whole value into quotes"},
	{"expected key", "", GPC_E0001, AT_PROBLEM, "indentation fits no open mapping",
	 "this mapping is open", "let all keys of a mapping start in the same column"},
	{"'-' indicator", "", GPC_E0001, AT_PROBLEM, "indentation fits no open list",
	 "this list is open", "let all items of a list start in the same column"},
	{"',' or '}'", "", GPC_E0001, AT_PROBLEM, "`,` or `}` is missing", "opened here", NULL},
	{"',' or ']'", "", GPC_E0001, AT_PROBLEM, "`,` or `]` is missing", "opened here", NULL},
	{"node content", "", GPC_E0001, AT_PROBLEM, "value is missing", NULL, NULL},
	{"<document start>", "", GPC_E0001, AT_PROBLEM, "text behind the end of the document", NULL,
	 "mend the indentation, or start a further document with `---`"},
	{"unexpected end of stream", "", GPC_E0001, AT_CONTEXT, "quote is not closed", NULL, NULL},
	{"unexpected document indicator", "", GPC_E0001, AT_CONTEXT,
	 "quote is not closed before the document ends", NULL, NULL},
	{"unknown escape", "", GPC_E0001, AT_PROBLEM, "unknown escape in a text in double quotes",
	 "the text starts here", "write `\\\\` for a backslash, or use single quotes"},
	{"hexdecimal", "", GPC_E0001, AT_PROBLEM, "escape needs hexadecimal digits",
	 "the text starts here", NULL},
	{"Unicode character escape", "", GPC_E0001, AT_PROBLEM, "escape names no character",
	 "the text starts here", NULL},
	{"comment or line break", "", GPC_E0001, AT_PROBLEM, "only a comment may follow `|` or `>`",
	 NULL, "quote a text that starts with `|` or `>`"},
	{"indentation indicator", "", GPC_E0001, AT_PROBLEM,
	 "indentation of a block text is 1 to 9", NULL, NULL},
};

static bool is_behind_text(const struct gpc_source *source, size_t at)
{
	while (at > 0 && (source->text[at - 1] == ' ' || source->text[at - 1] == '\t'))
		at--;
	return at > 0 && source->text[at - 1] != '\n' && source->text[at - 1] != '\r';
}

static const struct row *find_row(const struct gpc_diags *diags,
				  const struct gpc_yaml_problem *problem)
{
	const struct gpc_source *source = &diags->sources.items[problem->at.source];
	const char *context = problem->context ? problem->context : "";

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strstr(problem->problem, rows[i].problem) && strstr(context, rows[i].context) &&
		    (rows[i].where != BEHIND_TEXT || is_behind_text(source, problem->at.start)))
			return &rows[i];
	return NULL;
}

/* "cannot start any token": the character itself tells why. */
static void report_character(struct gpc_diags *diags, const struct gpc_yaml_problem *problem)
{
	char c = diags->sources.items[problem->at.source].text[problem->at.start];
	struct gpc_diag *diag;

	if (c == '\t') {
		diag = gpc_diag(diags, GPC_E0002, problem->at, "tab in the indentation");
		gpc_diag_hint(diags, diag, "indent with spaces");
		return;
	}
	diag = gpc_diag(diags, GPC_E0001, problem->at, "value cannot start with `%c`", c);
	gpc_diag_hint(diags, diag, "quote the text");
}

void gpc_yaml_problem_report(struct gpc_diags *diags, const struct gpc_yaml_problem *problem)
{
	const struct row *row = find_row(diags, problem);
	bool has_context = problem->context_at.source != GPC_NO_SOURCE;
	struct gpc_diag *diag;

	if (strstr(problem->problem, "cannot start any token")) {
		report_character(diags, problem);
		return;
	}
	if (!row) {
		gpc_diag(diags, GPC_E0001, problem->at, "text is not valid YAML: %s",
			 problem->problem);
		return;
	}
	diag = gpc_diag(diags, row->code,
			row->where == AT_CONTEXT && has_context ? problem->context_at : problem->at,
			"%s", row->message);
	if (row->label && has_context)
		gpc_diag_place(diag, problem->context_at, row->label);
	if (row->hint)
		gpc_diag_hint(diags, diag, "%s", row->hint);
}
