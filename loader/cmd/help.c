/* SPDX-License-Identifier: MIT */
#include "command.h"

static void print_side(FILE *out, enum gpc_side side, const char *title)
{
	fprintf(out, "\n%s\n", title);
	for (size_t i = 0; i < gpc_command_count; i++)
		if (gpc_commands[i]->side == side)
			fprintf(out, "  %-10s %s\n", gpc_commands[i]->name,
				gpc_commands[i]->summary);
}

static void print_exit(FILE *out, enum gpc_exit code)
{
	fprintf(out, "  %-4d %s\n", (int)code, gpc_exit_meaning(code));
}

void gpc_help_print(FILE *out)
{
	fputs("gpc compiles YAML intent into one image and runs it: an L4 load balancer and firewall in XDP and TC\n\n"
	      "usage: gpc COMMAND [OPTION]... [OPERAND]...\n"
	      "       gpc COMMAND --help | gpc --help | gpc --version\n",
	      out);
	print_side(out, GPC_SIDE_AUTHOR, "author side, needs no root:");
	print_side(out, GPC_SIDE_HOST, "host side, needs CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON:");
	fputs("\nexit codes:\n", out);
#define X(id, number, meaning) print_exit(out, GPC_EXIT_##id);
	GPC_EXITS(X)
#undef X
	fputs("\nenvironment:\n"
	      "  GPC_STATE_DIR  history and images (default /var/lib/gpc)\n"
	      "  GPC_BPFFS      pins of the running plane (default /sys/fs/bpf/gpc)\n"
	      "  NO_COLOR       set and not empty: no colour on a terminal\n",
	      out);
}

static void print_option(FILE *out, const struct gpc_option *o)
{
	char left[64];

	snprintf(left, sizeof(left), "%c%c%s--%s%s%s", o->letter ? '-' : ' ',
		 o->letter ? o->letter : ' ', o->letter ? ", " : "  ", o->name,
		 o->argument ? " " : "", o->argument ? o->argument : "");
	fprintf(out, "  %-26s %s\n", left, o->help);
}

void gpc_help_command(const struct gpc_command *command, FILE *out)
{
	fprintf(out, "gpc %s: %s\n\nusage: gpc %s%s%s%s\n", command->name, command->summary,
		command->name, command->option_count ? " [OPTION]..." : "",
		*command->operands ? " " : "", command->operands);
	if (*command->description)
		fprintf(out, "\n%s\n", command->description);
	if (*command->objects)
		fprintf(out, "\nobjects with --json: %s; then the result\n", command->objects);
	fputs("\noptions:\n", out);
	for (size_t i = 0; i < command->option_count; i++)
		print_option(out, &command->options[i]);
	print_option(out, &(struct gpc_option){'h', "help", NULL, "this text"});
	fputs("\nexit codes:\n", out);
	for (size_t i = 0; i < command->exit_count; i++)
		print_exit(out, command->exits[i]);
	print_exit(out, GPC_EXIT_USAGE);
}
