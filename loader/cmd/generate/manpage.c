/* SPDX-License-Identifier: MIT */
/* manpage: writes docs/gpc.1 from the command table. */
#include "loader/cmd/command.h"

#include <string.h>

/* One line of text: `word` becomes bold, and nothing in it is a request or an escape of roff. */
static void put(const char *text, size_t length)
{
	bool bold = false;

	if (length && (*text == '.' || *text == '\''))
		fputs("\\&", stdout);
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '`') {
			bold = !bold;
			fputs(bold ? "\\fB" : "\\fR", stdout);
		} else if (text[i] == '\\') {
			fputs("\\e", stdout);
		} else if (text[i] == '-') {
			fputs("\\-", stdout);
		} else if (text[i] == '\'') {
			fputs("\\(aq", stdout);
		} else {
			putchar(text[i]);
		}
	}
}

static void put_text(const char *text)
{
	put(text, strlen(text));
}

/* An empty line begins a paragraph; indented lines are shown as they stand. */
static void put_paragraphs(const char *text)
{
	bool verbatim = false;

	while (*text) {
		size_t length = strcspn(text, "\n");
		bool indented = length > 0 && *text == ' ';

		if (indented != verbatim)
			puts(indented ? ".nf" : ".fi");
		verbatim = indented;
		if (length)
			put(text, length);
		else
			fputs(".PP", stdout);
		putchar('\n');
		text += length + (text[length] == '\n');
	}
	if (verbatim)
		puts(".fi");
}

static void put_option(const struct gpc_option *option)
{
	puts(".TP");
	fputs(".B ", stdout);
	if (option->letter)
		printf("\\-%c, ", option->letter);
	fputs("\\-\\-", stdout);
	put_text(option->name);
	if (option->argument) {
		fputs(" \\fI", stdout);
		put_text(option->argument);
		fputs("\\fR", stdout);
	}
	putchar('\n');
	put_text(option->help);
	putchar('\n');
}

static void put_command(const struct gpc_command *command)
{
	static const struct gpc_option help = {'h', "help", NULL, "this text"};

	printf(".SS gpc %s\n.B gpc %s\n", command->name, command->name);
	fputs("[\\fIOPTION\\fR]...", stdout);
	if (*command->operands)
		putchar(' ');
	put_text(command->operands);
	fputs("\n.PP\n", stdout);
	put_text(command->summary);
	fputs("\n.PP\n", stdout);
	put_paragraphs(command->description);
	for (size_t i = 0; i < command->option_count; i++)
		put_option(&command->options[i]);
	put_option(&help);
	fputs(".PP\nExit status:", stdout);
	for (size_t i = 0; i < command->exit_count; i++)
		printf(" %d,", (int)command->exits[i]);
	printf(" %d.\n", GPC_EXIT_USAGE);
}

static void put_exits(void)
{
	puts(".SH EXIT STATUS");
#define X(id, number, meaning)                                                                     \
	printf(".TP\n.B %d\n", number);                                                            \
	put_text(meaning);                                                                         \
	putchar('\n');
	GPC_EXITS(X)
#undef X
}

int main(void)
{
	puts(".\\\" SPDX-License-Identifier: MIT\n"
	     ".\\\" Generated from the command table by `make generate`.\n"
	     ".TH GPC 1 \"\" \"gpc " GPC_VERSION "\" \"User Commands\"\n"
	     ".SH NAME\n"
	     "gpc \\- compile a load balancer and firewall into one image, and run it in XDP and "
	     "TC\n"
	     ".SH SYNOPSIS\n"
	     ".B gpc\n\\fICOMMAND\\fR [\\fIOPTION\\fR]... [\\fIOPERAND\\fR]...\n.br\n"
	     ".B gpc\n\\fICOMMAND\\fR \\fB\\-\\-help\\fR | \\fB\\-\\-help\\fR | "
	     "\\fB\\-\\-version\\fR\n"
	     ".SH DESCRIPTION\n"
	     "gpc compiles an intent, one or more YAML files, into a flat image that holds all "
	     "that a\n"
	     "packet is decided by, and switches the kernel to it by one store. Names of commands "
	     "and\n"
	     "options are matched exactly. Results go to standard output, messages to standard "
	     "error.\n"
	     "With\n.B \\-\\-json\n"
	     "standard output carries one object a line; the last one is of type result.\n"
	     ".SH COMMANDS");
	for (size_t i = 0; i < gpc_command_count; i++)
		put_command(gpc_commands[i]);
	put_exits();
	puts(".SH ENVIRONMENT\n"
	     ".TP\n.B GPC_STATE_DIR\nhistory and images, default /var/lib/gpc\n"
	     ".TP\n.B GPC_BPFFS\npins of the running plane, default /sys/fs/bpf/gpc\n"
	     ".TP\n.B NO_COLOR\nset and not empty: no colour on a terminal\n"
	     ".SH SEE ALSO\n"
	     ".BR gpc.yaml (5),\n.BR gpc\\-image (5),\n.BR git (1),\n.BR bpf (2),\n.BR ip\\-link (8),\n.BR tc (8)");
	return fflush(stdout) || ferror(stdout);
}
