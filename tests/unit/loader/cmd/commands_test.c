/* SPDX-License-Identifier: MIT */
/* The command table and what it says of itself. */
#include "loader/cmd/command.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

/* ---- the table ---- */

static void a_command_is_found_by_its_exact_name_only(void)
{
	CU_ASSERT_PTR_NOT_NULL_FATAL(gpc_command_find("apply"));
	CU_ASSERT_STRING_EQUAL(gpc_command_find("apply")->name, "apply");
	CU_ASSERT_PTR_NULL(gpc_command_find("appl"));
	CU_ASSERT_PTR_NULL(gpc_command_find("Apply"));
	CU_ASSERT_PTR_NULL(gpc_command_find("applyx"));
	CU_ASSERT_PTR_NULL(gpc_command_find(""));
}

static void no_name_and_no_option_stands_twice(void)
{
	for (size_t i = 0; i < gpc_command_count; i++) {
		const struct gpc_command *c = gpc_commands[i];

		CU_ASSERT_PTR_EQUAL(gpc_command_find(c->name), c);
		for (size_t a = 0; a < c->option_count; a++) {
			CU_ASSERT_STRING_NOT_EQUAL(c->options[a].name, "help");
			CU_ASSERT_NOT_EQUAL(c->options[a].letter, 'h');
			for (size_t b = 0; b < a; b++) {
				CU_ASSERT_STRING_NOT_EQUAL(c->options[a].name, c->options[b].name);
				CU_ASSERT(!c->options[a].letter ||
					  c->options[a].letter != c->options[b].letter);
			}
		}
	}
}

static void every_reporting_command_has_json_and_every_row_is_whole(void)
{
	for (size_t i = 0; i < gpc_command_count; i++) {
		const struct gpc_command *c = gpc_commands[i];
		bool json = false;

		for (size_t o = 0; o < c->option_count; o++) {
			json |= !strcmp(c->options[o].name, "json");
			CU_ASSERT(*c->options[o].help);
		}
		CU_ASSERT(json || !strcmp(c->name, "top")); /* draws on a terminal */
		CU_ASSERT(*c->summary && *c->description && c->objects && c->run);
		CU_ASSERT(c->operands_min <= c->operands_max);
		CU_ASSERT_EQUAL(*c->operands == '\0', c->operands_max == 0);
		CU_ASSERT(c->exit_count > 0);
		for (size_t e = 0; e < c->exit_count; e++)
			CU_ASSERT_NOT_EQUAL(c->exits[e], GPC_EXIT_USAGE);
	}
}

static void help_fits_a_terminal_and_names_all(void)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	CU_ASSERT_PTR_NOT_NULL_FATAL(out);
	gpc_help_print(out);
	for (size_t i = 0; i < gpc_command_count; i++)
		gpc_help_command(gpc_commands[i], out);
	fclose(out);
	for (char *line = text; *line;) {
		size_t length = strcspn(line, "\n");

		if (length > 100)
			fprintf(stderr, "commands_test: too long: %.*s\n", (int)length, line);
		CU_ASSERT(length <= 100);
		line += length + (line[length] == '\n');
	}
	for (size_t i = 0; i < gpc_command_count; i++)
		CU_ASSERT_PTR_NOT_NULL(strstr(text, gpc_commands[i]->summary));
	free(text);
}

static void exit_codes_are_those_of_the_design(void)
{
	static const int numbers[] = {0, 1, 2, 3, 4, 5, 6, 7, 64, 130, 143};
	size_t n = 0;

#define X(id, number, meaning)                                                                     \
	CU_ASSERT_EQUAL(number, numbers[n]);                                                       \
	CU_ASSERT_STRING_EQUAL(gpc_exit_meaning(number), meaning);                                 \
	n++;
	GPC_EXITS(X)
#undef X
	CU_ASSERT_EQUAL(n, sizeof(numbers) / sizeof(numbers[0]));
}

GPC_UNIT_MAIN("cmd/commands",
	      {"a_command_is_found_by_its_exact_name_only",
	       a_command_is_found_by_its_exact_name_only},
	      {"no_name_and_no_option_stands_twice", no_name_and_no_option_stands_twice},
	      {"every_reporting_command_has_json_and_every_row_is_whole",
	       every_reporting_command_has_json_and_every_row_is_whole},
	      {"help_fits_a_terminal_and_names_all", help_fits_a_terminal_and_names_all},
	      {"exit_codes_are_those_of_the_design", exit_codes_are_those_of_the_design})
