/* SPDX-License-Identifier: MIT */
/* The command table: what it says of itself, and docs/commands.md, which is printed from it. */
#include "loader/cmd/command.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

#define DOCS "docs/commands.md"

/* ---- docs/commands.md; UPDATE=1 writes it ---- */

static void print_options(FILE *out, const struct gpc_command *command)
{
	static const struct gpc_option help = {'h', "help", NULL, "this text"};

	fputs("\n| option | meaning |\n|---|---|\n", out);
	for (size_t i = 0; i <= command->option_count; i++) {
		const struct gpc_option *o =
			i < command->option_count ? &command->options[i] : &help;

		fputs("| ", out);
		if (o->letter)
			fprintf(out, "`-%c`, ", o->letter);
		fprintf(out, "`--%s%s%s` | %s |\n", o->name, o->argument ? " " : "",
			o->argument ? o->argument : "", o->help);
	}
}

static void print_command(FILE *out, const struct gpc_command *command)
{
	fprintf(out, "\n## gpc %s\n\n`gpc %s%s%s%s`: %s\n\n%s\n", command->name, command->name,
		command->option_count ? " [OPTION]..." : "", *command->operands ? " " : "",
		command->operands, command->summary, command->description);
	print_options(out, command);
	if (*command->objects)
		fprintf(out, "\nObjects with `--json`: %s; then the result.\n", command->objects);
	fputs("\nExits with", out);
	for (size_t i = 0; i < command->exit_count; i++)
		fprintf(out, " %d,", (int)command->exits[i]);
	fprintf(out, " %d.\n", GPC_EXIT_USAGE);
}

static void print_side(FILE *out, enum gpc_side side)
{
	fputs("\n| command | what it does |\n|---|---|\n", out);
	for (size_t i = 0; i < gpc_command_count; i++)
		if (gpc_commands[i]->side == side)
			fprintf(out, "| [%s](#gpc-%s) | %s |\n", gpc_commands[i]->name,
				gpc_commands[i]->name, gpc_commands[i]->summary);
}

static void print_docs(FILE *out)
{
	fputs("<!-- Printed from the command table by tests/unit/loader/cmd/commands_test.c; make "
	      "generate "
	      "writes it. -->\n# Commands\n\n"
	      "Names and options are matched exactly. Results go to stdout, messages to stderr. "
	      "With\n"
	      "`--json` stdout carries one object a line, and the last one is\n"
	      "`{\"type\":\"result\",\"exit\":N,...}`. Colour only on a terminal, and never with "
	      "`NO_COLOR`.\n\n"
	      "On the author's side; no root, no kernel:\n",
	      out);
	print_side(out, GPC_SIDE_AUTHOR);
	fputs("\nOn the host; CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON:\n", out);
	print_side(out, GPC_SIDE_HOST);
	fputs("\n## Exit codes\n\n| code | meaning |\n|---|---|\n", out);
#define X(id, number, meaning) fprintf(out, "| %d | %s |\n", number, meaning);
	GPC_EXITS(X)
#undef X
	fputs("\n## Environment\n\n| variable | meaning |\n|---|---|\n"
	      "| `GPC_STATE_DIR` | history and images, default `/var/lib/gpc` |\n"
	      "| `GPC_BPFFS` | pins of the running plane, default `/sys/fs/bpf/gpc` |\n"
	      "| `NO_COLOR` | set and not empty: no colour on a terminal |\n",
	      out);
	for (size_t i = 0; i < gpc_command_count; i++)
		print_command(out, gpc_commands[i]);
}

static char *read_docs(void)
{
	static char text[65536];
	FILE *in = fopen(DOCS, "r");
	size_t n = in ? fread(text, 1, sizeof(text) - 1, in) : 0;

	text[n] = '\0';
	if (in)
		fclose(in);
	return text;
}

static void the_docs_are_what_the_table_says(void)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	CU_ASSERT_PTR_NOT_NULL_FATAL(out);
	print_docs(out);
	fclose(out);
	if (getenv("UPDATE")) {
		out = fopen(DOCS, "w");
		CU_ASSERT_PTR_NOT_NULL_FATAL(out);
		fputs(text, out);
		fclose(out);
	}
	if (strcmp(read_docs(), text))
		fputs("commands_test: " DOCS " is out of date; run make generate\n", stderr);
	CU_ASSERT_STRING_EQUAL(read_docs(), text);
	free(text);
}

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
		CU_ASSERT(json);
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
	      {"the_docs_are_what_the_table_says", the_docs_are_what_the_table_says},
	      {"a_command_is_found_by_its_exact_name_only",
	       a_command_is_found_by_its_exact_name_only},
	      {"no_name_and_no_option_stands_twice", no_name_and_no_option_stands_twice},
	      {"every_reporting_command_has_json_and_every_row_is_whole",
	       every_reporting_command_has_json_and_every_row_is_whole},
	      {"help_fits_a_terminal_and_names_all", help_fits_a_terminal_and_names_all},
	      {"exit_codes_are_those_of_the_design", exit_codes_are_those_of_the_design})
