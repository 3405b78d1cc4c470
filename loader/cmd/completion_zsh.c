/* SPDX-License-Identifier: MIT */
#include "completion.h"

#include <string.h>

/* Inside single quotes, where brackets and colons would part an explanation. */
static void put_quoted(const char *text, FILE *out)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\''", out);
		else if (strchr("[]:\\", *text))
			fprintf(out, "\\%c", *text);
		else
			putc(*text, out);
	}
}

static void put_action(const struct gpc_hint *hint, FILE *out)
{
	if (hint->files)
		fprintf(out, "{_files; compadd -- %s}", hint->words);
	else if (hint->folders)
		fputs("_files -/", out);
	else if (hint->interfaces)
		fputs("_gpc_interfaces", out);
	else if (hint->overlays)
		fputs("_gpc_overlays", out);
	else if (hint->templates)
		fputs("_gpc_templates", out);
	else if (*hint->words)
		fprintf(out, "(%s)", hint->words);
	else
		fputs(" ", out);
}

/* `'*'{-f,--file=}'[...]:FILE...:action'`; what may not be repeated is offered once. */
static void put_option(const struct gpc_option *option, FILE *out)
{
	struct gpc_hint hint = gpc_hint_of(option->argument ? option->argument : "");
	const char *equals = option->argument ? "=" : "";

	fputs("\t\t\t", out);
	if (option->argument && strstr(option->argument, "..."))
		fputs("'*'", out);
	else if (option->letter)
		fprintf(out, "'(-%c --%s)'", option->letter, option->name);
	if (option->letter)
		fprintf(out, "{-%c,--%s%s}", option->letter, option->name, equals);
	else
		fprintf(out, "--%s%s", option->name, equals);
	fputs("'[", out);
	put_quoted(option->help, out);
	fputs("]", out);
	if (option->argument) {
		fputs(":", out);
		put_quoted(option->argument, out);
		fputs(":", out);
		put_action(&hint, out);
	}
	fputs("' \\\n", out);
}

static void put_command(const struct gpc_command *command, FILE *out)
{
	static const struct gpc_option help = {'h', "help", NULL, "this text"};
	struct gpc_hint hint = gpc_hint_of(command->operands);

	fprintf(out, "\t%s)\n\t\t_arguments \\\n", command->name);
	for (size_t i = 0; i < command->option_count; i++)
		put_option(&command->options[i], out);
	put_option(&help, out);
	fputs("\t\t\t'*:", out);
	put_quoted(*command->operands ? command->operands : "no operands", out);
	fputs(":", out);
	put_action(&hint, out);
	fputs("'\n\t\t;;\n", out);
}

void gpc_completion_zsh(FILE *out)
{
	fputs("#compdef gpc\n"
	      "# SPDX-License-Identifier: MIT\n"
	      "# Completion of gpc's commands, options and files in zsh. Generated from the command\n"
	      "# table by `gpc completion zsh`.\n\n"
	      "_gpc_overlays() { compadd -- overlays/*.yaml(N:t:r); }\n"
	      "_gpc_interfaces() { compadd -- /sys/class/net/*(N:t); }\n"
	      "_gpc_templates() { compadd -- ${${(f)\"$(gpc init --list)\"}%% *}; }\n"
	      "_gpc() {\n"
	      "\tlocal -a commands\n"
	      "\tcommands=(\n",
	      out);
	for (size_t i = 0; i < gpc_command_count; i++) {
		fprintf(out, "\t\t'%s:", gpc_commands[i]->name);
		put_quoted(gpc_commands[i]->summary, out);
		fputs("'\n", out);
	}
	fputs("\t)\n"
	      "\tif (( CURRENT == 2 )); then\n"
	      "\t\t_describe command commands\n"
	      "\t\treturn\n"
	      "\tfi\n"
	      "\tshift words\n"
	      "\t(( CURRENT-- ))\n"
	      "\tcase $words[1] in\n",
	      out);
	for (size_t i = 0; i < gpc_command_count; i++)
		put_command(gpc_commands[i], out);
	fputs("\tesac\n"
	      "}\n"
	      "# As a file of $fpath it is the function itself; sourced, it is one to be named.\n"
	      "if [ \"$funcstack[1]\" = _gpc ]; then\n"
	      "\t_gpc \"$@\"\n"
	      "else\n"
	      "\tcompdef _gpc gpc\n"
	      "fi\n",
	      out);
}
