/* SPDX-License-Identifier: MIT */
/* Parsing of options from the rows of a command. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "loader/cmd/command.h"
#include "tests/unit/unit.h"

static enum gpc_exit run(const struct gpc_call *call)
{
	(void)call;
	return GPC_EXIT_OK;
}

static const struct gpc_option options[] = {
	{'f', "file", "FILE...", "a file"}, {'e', "env", "ENV", "a name"},
	{'v', "verbose", NULL, "more"},	    {0, "verify", NULL, "begins as verbose does"},
	{'x', "extra", NULL, "another"},
};
static const struct gpc_command command = {
	.name = "try",
	.summary = "a command",
	.operands = "ONE [TWO]",
	.operands_min = 1,
	.operands_max = 2,
	.description = "",
	.objects = "",
	GPC_ROWS(options),
	.run = run,
};

static struct gpc_failure failure;
static const char *const said = failure.message;

/* Parses words given as one string, split at spaces. */
static enum gpc_exit parse(const char *line, struct gpc_call *ret)
{
	static char text[1024];
	static char *argv[32];
	int argc = 0;

	snprintf(text, sizeof(text), "try %s", line);
	for (char *p = text; *p && argc < 31;) {
		argv[argc++] = p;
		p += strcspn(p, " ");
		if (*p)
			*p++ = '\0';
	}
	argv[argc] = NULL;
	return gpc_call_parse(&command, argc, argv, ret, &failure);
}

static void options_and_operands_may_stand_in_any_order(void)
{
	struct gpc_call call;

	CU_ASSERT_FATAL(!parse("a -v --file x b -f y", &call));
	CU_ASSERT_EQUAL(call.operand_count, 2);
	CU_ASSERT_STRING_EQUAL(call.operands[0], "a");
	CU_ASSERT_STRING_EQUAL(call.operands[1], "b");
	CU_ASSERT(gpc_call_has(&call, "verbose"));
	CU_ASSERT(!gpc_call_has(&call, "verify"));
	CU_ASSERT_STRING_EQUAL(gpc_call_value(&call, "file"), "y");
	CU_ASSERT_EQUAL(call.given_count, 3);
	gpc_call_release(&call);
}

static void values_may_be_joined_and_letters_bundled(void)
{
	struct gpc_call call;

	CU_ASSERT_FATAL(!parse("--file=one -vx -ftwo a", &call));
	CU_ASSERT_EQUAL(call.given_count, 4);
	CU_ASSERT_STRING_EQUAL(call.given[0].value, "one");
	CU_ASSERT_STRING_EQUAL(call.given[3].value, "two");
	CU_ASSERT(gpc_call_has(&call, "extra"));
	gpc_call_release(&call);
}

static void behind_two_dashes_all_are_operands(void)
{
	struct gpc_call call;

	CU_ASSERT_FATAL(!parse("-- -v --file", &call));
	CU_ASSERT_EQUAL(call.operand_count, 2);
	CU_ASSERT_STRING_EQUAL(call.operands[1], "--file");
	CU_ASSERT_EQUAL(call.given_count, 0);
	gpc_call_release(&call);
}

static bool is_refused(const char *line)
{
	struct gpc_call call;
	enum gpc_exit rc = parse(line, &call);

	gpc_call_release(&call);
	return rc == GPC_EXIT_USAGE;
}

static void long_options_are_not_abbreviated(void)
{
	struct gpc_call call;

	CU_ASSERT(is_refused("--fil x a"));
	CU_ASSERT_PTR_NOT_NULL(strstr(said, "unknown option '--fil', did you mean '--file'?"));
	CU_ASSERT(is_refused("--ver a"));
	CU_ASSERT(is_refused("--hel"));
	CU_ASSERT_FATAL(!parse("--verify a", &call));
	gpc_call_release(&call);
}

static void what_is_wrong_is_named(void)
{
	CU_ASSERT(is_refused("a --qqqqqqqq"));
	CU_ASSERT_PTR_NOT_NULL(strstr(said, "unknown option '--qqqqqqqq'"));
	CU_ASSERT(is_refused("a -q"));
	CU_ASSERT_PTR_NOT_NULL(strstr(said, "unknown option '-q'"));
	CU_ASSERT(is_refused("a --file"));
	CU_ASSERT_PTR_NOT_NULL(strstr(said, "option '--file' wants FILE"));
	CU_ASSERT(is_refused("a -f"));
	CU_ASSERT_PTR_NOT_NULL(strstr(said, "option '--file' wants FILE"));
	CU_ASSERT(is_refused("a --verbose=3"));
	CU_ASSERT_PTR_NOT_NULL(strstr(said, "option '--verbose' takes no value"));
	CU_ASSERT_PTR_NOT_NULL(strstr(failure.hint, "gpc try --help"));
}

static void operands_are_counted(void)
{
	CU_ASSERT(is_refused("-v"));
	CU_ASSERT_PTR_NOT_NULL(strstr(said, "ONE [TWO] is missing"));
	CU_ASSERT(is_refused("a b c"));
	CU_ASSERT_PTR_NOT_NULL(strstr(said, "'c' is one argument too many"));
}

static void only_what_says_so_may_be_given_twice(void)
{
	struct gpc_call call;

	CU_ASSERT(is_refused("a -e one --env two"));
	CU_ASSERT_PTR_NOT_NULL(strstr(said, "option '--env' is given twice"));
	CU_ASSERT_FATAL(!parse("a -f one -f two -v -v -e x", &call));
	gpc_call_release(&call);
}

static void a_refused_call_knows_of_json(void)
{
	char *with[] = {(char[]){"try"}, (char[]){"-q"}, (char[]){"--json"}, NULL};
	char *behind[] = {(char[]){"try"}, (char[]){"-q"}, (char[]){"--"}, (char[]){"--json"},
			  NULL};
	struct gpc_call call;

	CU_ASSERT_EQUAL(gpc_call_parse(&command, 3, with, &call, &failure), GPC_EXIT_USAGE);
	CU_ASSERT(gpc_call_has(&call, "json"));
	gpc_call_release(&call);
	CU_ASSERT_EQUAL(gpc_call_parse(&command, 4, behind, &call, &failure), GPC_EXIT_USAGE);
	CU_ASSERT(!gpc_call_has(&call, "json"));
	gpc_call_release(&call);
}

static void help_needs_no_operand(void)
{
	struct gpc_call call;

	CU_ASSERT_FATAL(!parse("--help", &call));
	CU_ASSERT(call.help);
	gpc_call_release(&call);
	CU_ASSERT_FATAL(!parse("-h a b c d", &call));
	CU_ASSERT(call.help);
	gpc_call_release(&call);
}

static void an_empty_word_is_an_operand(void)
{
	char *argv[] = {(char[]){"try"}, (char[]){""}, NULL};
	struct gpc_call call;

	CU_ASSERT_FATAL(!gpc_call_parse(&command, 2, argv, &call, &failure));
	CU_ASSERT_EQUAL(call.operand_count, 1);
	gpc_call_release(&call);
}

static void numbers_are_whole_and_in_range(void)
{
	unsigned long n = 7;

	CU_ASSERT(gpc_number_parse("0", 0, 9, &n));
	CU_ASSERT_EQUAL(n, 0);
	CU_ASSERT(gpc_number_parse("4294967295", 1, UINT32_MAX, &n));
	CU_ASSERT_EQUAL(n, UINT32_MAX);
	CU_ASSERT(!gpc_number_parse("4294967296", 1, UINT32_MAX, &n));
	CU_ASSERT(!gpc_number_parse("99999999999999999999999", 1, UINT32_MAX, &n));
	CU_ASSERT(!gpc_number_parse("", 0, 9, &n));
	CU_ASSERT(!gpc_number_parse("-1", 0, 9, &n));
	CU_ASSERT(!gpc_number_parse("+1", 0, 9, &n));
	CU_ASSERT(!gpc_number_parse(" 1", 0, 9, &n));
	CU_ASSERT(!gpc_number_parse("1x", 0, 9, &n));
	CU_ASSERT(!gpc_number_parse("0", 1, 9, &n));
	CU_ASSERT_EQUAL(n, UINT32_MAX);
}

GPC_UNIT_MAIN("cmd/options",
	      {"options_and_operands_may_stand_in_any_order",
	       options_and_operands_may_stand_in_any_order},
	      {"values_may_be_joined_and_letters_bundled",
	       values_may_be_joined_and_letters_bundled},
	      {"behind_two_dashes_all_are_operands", behind_two_dashes_all_are_operands},
	      {"long_options_are_not_abbreviated", long_options_are_not_abbreviated},
	      {"what_is_wrong_is_named", what_is_wrong_is_named},
	      {"operands_are_counted", operands_are_counted},
	      {"only_what_says_so_may_be_given_twice", only_what_says_so_may_be_given_twice},
	      {"a_refused_call_knows_of_json", a_refused_call_knows_of_json},
	      {"help_needs_no_operand", help_needs_no_operand},
	      {"an_empty_word_is_an_operand", an_empty_word_is_an_operand},
	      {"numbers_are_whole_and_in_range", numbers_are_whole_and_in_range})
