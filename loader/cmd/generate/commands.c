/* SPDX-License-Identifier: MIT */
/* commands: writes docs/commands.md from the command table. */
#include "loader/cmd/command.h"

static void print_options(const struct gpc_command *command)
{
	static const struct gpc_option help = {'h', "help", NULL, "this text"};

	fputs("\n| option | meaning |\n|---|---|\n", stdout);
	for (size_t i = 0; i <= command->option_count; i++) {
		const struct gpc_option *o =
			i < command->option_count ? &command->options[i] : &help;

		fputs("| ", stdout);
		if (o->letter)
			printf("`-%c`, ", o->letter);
		printf("`--%s%s%s` | %s |\n", o->name, o->argument ? " " : "",
		       o->argument ? o->argument : "", o->help);
	}
}

static void print_command(const struct gpc_command *command)
{
	printf("\n## gpc %s\n\n`gpc %s%s%s%s`: %s\n\n%s\n", command->name, command->name,
	       command->option_count ? " [OPTION]..." : "", *command->operands ? " " : "",
	       command->operands, command->summary, command->description);
	print_options(command);
	if (*command->objects)
		printf("\nObjects with `--json`: %s; then the result.\n", command->objects);
	fputs("\nExits with", stdout);
	for (size_t i = 0; i < command->exit_count; i++)
		printf(" %d,", (int)command->exits[i]);
	printf(" %d.\n", GPC_EXIT_USAGE);
}

static void print_side(enum gpc_side side)
{
	fputs("\n| command | what it does |\n|---|---|\n", stdout);
	for (size_t i = 0; i < gpc_command_count; i++)
		if (gpc_commands[i]->side == side)
			printf("| [%s](#gpc-%s) | %s |\n", gpc_commands[i]->name,
			       gpc_commands[i]->name, gpc_commands[i]->summary);
}

int main(void)
{
	fputs("<!-- Generated from the command table by `make generate`. -->\n# Commands\n\n"
	      "Names and options are matched exactly. Results go to stdout, messages to stderr. "
	      "With\n"
	      "`--json` stdout carries one object a line, and the last one is\n"
	      "`{\"type\":\"result\",\"exit\":N,...}`. Colour only on a terminal, and never with "
	      "`NO_COLOR`.\n\n"
	      "On the author's side; no root, no kernel:\n",
	      stdout);
	print_side(GPC_SIDE_AUTHOR);
	fputs("\nOn the host; CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON:\n", stdout);
	print_side(GPC_SIDE_HOST);
	fputs("\n## Exit codes\n\n| code | meaning |\n|---|---|\n", stdout);
#define X(id, number, meaning) printf("| %d | %s |\n", number, meaning);
	GPC_EXITS(X)
#undef X
	fputs("\n## Environment\n\n| variable | meaning |\n|---|---|\n"
	      "| `GPC_STATE_DIR` | history and images, default `/var/lib/gpc` |\n"
	      "| `GPC_BPFFS` | pins of the running plane, default `/sys/fs/bpf/gpc` |\n"
	      "| `NO_COLOR` | set and not empty: no colour on a terminal |\n",
	      stdout);
	for (size_t i = 0; i < gpc_command_count; i++)
		print_command(gpc_commands[i]);
	return fflush(stdout) || ferror(stdout);
}
