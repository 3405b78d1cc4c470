/* SPDX-License-Identifier: MIT */
#include "completion.h"

static void put_compgen(const struct gpc_hint *hint, FILE *out)
{
	if (gpc_hint_is_empty(hint)) {
		fputs(":", out);
		return;
	}
	fputs("compgen", out);
	if (hint->files)
		fputs(" -f", out);
	if (hint->folders)
		fputs(" -d", out);
	if (hint->interfaces)
		fputs(" -W \"$(ls /sys/class/net)\"", out);
	if (hint->overlays)
		fputs(" -W \"$(_gpc_overlays)\"", out);
	if (hint->templates)
		fputs(" -W \"$(_gpc_templates)\"", out);
	if (*hint->words)
		fprintf(out, " -W '%s'", hint->words);
}

/* `apply:-f | apply:--file) compgen -f ... ;;` for each option that takes a value. */
static void put_values(const struct gpc_command *command, FILE *out)
{
	for (size_t i = 0; i < command->option_count; i++) {
		const struct gpc_option *option = &command->options[i];
		struct gpc_hint hint;

		if (!option->argument)
			continue;
		hint = gpc_hint_of(option->argument);
		fputs("\t", out);
		if (option->letter)
			fprintf(out, "%s:-%c | ", command->name, option->letter);
		fprintf(out, "%s:--%s) ", command->name, option->name);
		put_compgen(&hint, out);
		fputs(" -- \"$2\" ;;\n", out);
	}
}

static void put_operands(const struct gpc_command *command, FILE *out)
{
	struct gpc_hint hint = gpc_hint_of(command->operands);

	if (!*command->operands)
		return;
	fprintf(out, "\t%s) ", command->name);
	put_compgen(&hint, out);
	fputs(" -- \"$2\" ;;\n", out);
}

static void put_options(const struct gpc_command *command, FILE *out)
{
	fprintf(out, "\t%s) echo '--help", command->name);
	for (size_t i = 0; i < command->option_count; i++)
		fprintf(out, " --%s", command->options[i].name);
	fputs("' ;;\n", out);
}

static void put_function(const char *name, void (*put)(const struct gpc_command *, FILE *),
			 const char *otherwise, FILE *out)
{
	fprintf(out, "%s() {\n\tcase $1 in\n", name);
	for (size_t i = 0; i < gpc_command_count; i++)
		put(gpc_commands[i], out);
	fprintf(out, "%s\tesac\n}\n", otherwise);
}

void gpc_completion_bash(FILE *out)
{
	fputs("# SPDX-License-Identifier: MIT\n"
	      "# Completion of gpc's commands, options and files in bash. Generated from the "
	      "command\n"
	      "# table by `gpc completion bash`.\n"
	      "# shellcheck shell=bash disable=SC2012,SC2181,SC2207\n\n"
	      "_gpc_overlays() {\n"
	      "\tlocal file\n"
	      "\tfor file in overlays/*.yaml; do [ ! -e \"$file\" ] || basename \"$file\" .yaml; "
	      "done\n"
	      "}\n"
	      "_gpc_templates() { gpc init --list | cut -d ' ' -f 1; }\n",
	      out);
	put_function("_gpc_value", put_values, "\t*) return 2 ;; # takes no value\n", out);
	put_function("_gpc_operand", put_operands, "", out);
	put_function("_gpc_options", put_options, "", out);
	fputs("_gpc() {\n"
	      "\tlocal current=$2 command=${COMP_WORDS[1]:-} before=$3 found\n"
	      "\tCOMPREPLY=()\n"
	      "\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n"
	      "\t\tCOMPREPLY=($(compgen -W '--help --version",
	      out);
	for (size_t i = 0; i < gpc_command_count; i++)
		fprintf(out, " %s", gpc_commands[i]->name);
	fputs("' -- \"$current\"))\n"
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
	      "complete -o filenames -F _gpc gpc\n",
	      out);
}
