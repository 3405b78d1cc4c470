/* SPDX-License-Identifier: MIT */
#include "completion.h"

static void put_quoted(const char *text, FILE *out)
{
	putc('\'', out);
	for (; *text; text++) {
		if (*text == '\'' || *text == '\\')
			putc('\\', out);
		putc(*text, out);
	}
	putc('\'', out);
}

/* `-r -F` or `-x -a ...`; files beside words come with the words. */
static void put_hint(const struct gpc_hint *hint, const char *needs, FILE *out)
{
	fputs(needs, out);
	fputs(hint->files ? " -F" : " -f", out);
	if (hint->folders)
		fputs(" -a '(__fish_complete_directories)'", out);
	if (hint->interfaces)
		fputs(" -a '(command ls /sys/class/net)'", out);
	if (hint->overlays)
		fputs(" -a '(__gpc_overlays)'", out);
	if (hint->templates)
		fputs(" -a '(gpc init --list | string split -f 1 \" \")'", out);
	if (*hint->words)
		fprintf(out, " -a '%s'", hint->words);
}

static void put_option(const struct gpc_command *command, const struct gpc_option *option, FILE *out)
{
	struct gpc_hint hint;

	fprintf(out, "complete -c gpc -n '__gpc_is %s'", command->name);
	if (option->letter)
		fprintf(out, " -s %c", option->letter);
	fprintf(out, " -l %s", option->name);
	if (option->argument) {
		hint = gpc_hint_of(option->argument);
		put_hint(&hint, " -r", out);
	}
	fputs(" -d ", out);
	put_quoted(option->help, out);
	putc('\n', out);
}

static void put_command(const struct gpc_command *command, FILE *out)
{
	static const struct gpc_option help = {'h', "help", NULL, "this text"};
	struct gpc_hint hint = gpc_hint_of(command->operands);

	fprintf(out, "complete -c gpc -n __gpc_wants_command -a %s -d ", command->name);
	put_quoted(command->summary, out);
	putc('\n', out);
	for (size_t i = 0; i < command->option_count; i++)
		put_option(command, &command->options[i], out);
	put_option(command, &help, out);
	if (gpc_hint_is_empty(&hint))
		return;
	fprintf(out, "complete -c gpc -n '__gpc_is %s'", command->name);
	put_hint(&hint, "", out);
	putc('\n', out);
}

void gpc_completion_fish(FILE *out)
{
	fputs("# SPDX-License-Identifier: MIT\n"
	      "# Completion of gpc's commands, options and files in fish. Generated from the command\n"
	      "# table by `gpc completion fish`.\n\n"
	      "function __gpc_wants_command\n"
	      "\ttest (count (commandline -opc)) -eq 1\n"
	      "end\n"
	      "function __gpc_is\n"
	      "\tset -l words (commandline -opc)\n"
	      "\ttest (count $words) -ge 2; and test $words[2] = $argv[1]\n"
	      "end\n"
	      "function __gpc_overlays\n"
	      "\tfor file in overlays/*.yaml\n"
	      "\t\tstring replace -r '.*/(.*)\\.yaml$' '$1' $file\n"
	      "\tend\n"
	      "end\n"
	      "complete -c gpc -f\n"
	      "complete -c gpc -n __gpc_wants_command -s h -l help -d 'the commands'\n"
	      "complete -c gpc -n __gpc_wants_command -l version -d 'the version'\n",
	      out);
	for (size_t i = 0; i < gpc_command_count; i++)
		put_command(gpc_commands[i], out);
}
