/* SPDX-License-Identifier: MIT */
/* completion: writes docs/gpc.bash, the completion of bash, from the command table. */
#include "loader/cmd/command.h"

#include <string.h>

/* What the argument of an option or an operand is by its word in the table. */
static const struct {
	const char *word, *shell;
} values[] = {
	{"show|whatif", "compgen -f -W 'show whatif'"},
	{"FILE", "compgen -f"},
	{"IMAGE", "compgen -f"},
	{"FORMAT", "compgen -W 'text json github'"},
	{"TYPE", "compgen -W 'flow deny would-deny log revoked'"},
	{"IF", "compgen -W \"$(ls /sys/class/net)\""},
	{"ENV", "compgen -W \"$(_gpc_overlays)\""},
};

static const char *shell_of(const char *argument)
{
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (strstr(argument, values[i].word))
			return values[i].shell;
	return ":";
}

/* `apply:-f | apply:--file) compgen -f ... ;;` for each option that takes a value. */
static void put_values(const struct gpc_command *command)
{
	for (size_t i = 0; i < command->option_count; i++) {
		const struct gpc_option *option = &command->options[i];

		if (!option->argument)
			continue;
		fputs("\t", stdout);
		if (option->letter)
			printf("%s:-%c | ", command->name, option->letter);
		printf("%s:--%s) %s -- \"$2\" ;;\n", command->name, option->name,
		       shell_of(option->argument));
	}
}

static void put_operands(const struct gpc_command *command)
{
	if (*command->operands)
		printf("\t%s) %s -- \"$2\" ;;\n", command->name, shell_of(command->operands));
}

static void put_options(const struct gpc_command *command)
{
	printf("\t%s) echo '--help", command->name);
	for (size_t i = 0; i < command->option_count; i++)
		printf(" --%s", command->options[i].name);
	puts("' ;;");
}

static void put_function(const char *name, void (*put)(const struct gpc_command *),
			 const char *otherwise)
{
	printf("%s() {\n\tcase $1 in\n", name);
	for (size_t i = 0; i < gpc_command_count; i++)
		put(gpc_commands[i]);
	printf("%s\tesac\n}\n", otherwise);
}

int main(void)
{
	puts("# SPDX-License-Identifier: MIT\n"
	     "# Completion of gpc's commands, options and files in bash. Generated from the "
	     "command\n"
	     "# table by `make generate`.\n"
	     "# shellcheck shell=bash disable=SC2012,SC2181,SC2207\n\n"
	     "_gpc_overlays() {\n"
	     "\tlocal file\n"
	     "\tfor file in overlays/*.yaml; do [ ! -e \"$file\" ] || basename \"$file\" .yaml; "
	     "done\n"
	     "}");
	put_function("_gpc_value", put_values, "\t*) return 2 ;; # takes no value\n");
	put_function("_gpc_operand", put_operands, "");
	put_function("_gpc_options", put_options, "");
	fputs("_gpc() {\n"
	      "\tlocal current=$2 command=${COMP_WORDS[1]:-} before=$3 found\n"
	      "\tCOMPREPLY=()\n"
	      "\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n"
	      "\t\tCOMPREPLY=($(compgen -W '--help --version",
	      stdout);
	for (size_t i = 0; i < gpc_command_count; i++)
		printf(" %s", gpc_commands[i]->name);
	puts("' -- \"$current\"))\n"
	     "\t\treturn\n"
	     "\tfi\n"
	     "\tfound=$(_gpc_value \"$command:$before\" \"$current\")\n"
	     "\tif [ $? -eq 2 ]; then\n"
	     "\t\tcase $current in\n"
	     "\t\t-*) found=$(compgen -W \"$(_gpc_options \"$command\")\" -- \"$current\") ;;\n"
	     "\t\t*) found=$(_gpc_operand \"$command\" \"$current\") ;;\n"
	     "\t\tesac\n"
	     "\tfi\n"
	     "\tmapfile -t COMPREPLY < <([ -z \"$found\" ] || echo \"$found\")\n"
	     "}\n"
	     "complete -o filenames -F _gpc gpc");
	return fflush(stdout) || ferror(stdout);
}
