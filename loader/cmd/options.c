/* SPDX-License-Identifier: MIT */
#include "command.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "../../compiler/base/cleanup.h"
#include "../../compiler/diag/diag.h"

#define LONG_BASE 256 /* getopt's value of row i is LONG_BASE + i; a letter stays below */

static const struct gpc_option help_option = {'h', "help", NULL, "this text"};

static const struct gpc_option json_option = GPC_OPTION_JSON;

struct parser {
	struct gpc_call *call;
	struct option *longs;
	char *shorts;
	struct gpc_failure *failure;
};

static const struct gpc_option *row(const struct gpc_command *command, size_t index)
{
	return index < command->option_count ? &command->options[index] : &help_option;
}

static enum gpc_exit complain(const struct parser *p, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static enum gpc_exit complain(const struct parser *p, const char *format, ...)
{
	GPC_AUTO_FREE char *text = NULL;
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	if (n < 0)
		abort();
	gpc_fail(p->failure, GPC_EXIT_USAGE, 0, "%s", text);
	gpc_fail_hint(p->failure, "gpc %s --help", p->call->command->name);
	return GPC_EXIT_USAGE;
}

/* Tables for getopt_long from the rows, help last. */
static void build(struct parser *p)
{
	const struct gpc_command *command = p->call->command;
	size_t count = command->option_count + 1, used = 0;

	p->longs = calloc(count + 1, sizeof(*p->longs));
	p->shorts = malloc(2 * count + 3);
	if (!p->longs || !p->shorts)
		abort();
	p->shorts[used++] = '-'; /* operands in their place, so that argv is not reordered */
	p->shorts[used++] = ':';
	for (size_t i = 0; i < count; i++) {
		const struct gpc_option *o = row(command, i);

		p->longs[i] =
			(struct option){o->name, o->argument ? required_argument : no_argument,
					NULL, LONG_BASE + (int)i};
		if (!o->letter)
			continue;
		p->shorts[used++] = o->letter;
		if (o->argument)
			p->shorts[used++] = ':';
	}
	p->shorts[used] = '\0';
}

static const struct gpc_option *by_value(const struct gpc_command *command, int value)
{
	for (size_t i = 0; i <= command->option_count; i++)
		if (value == LONG_BASE + (int)i ||
		    (value < LONG_BASE && value == row(command, i)->letter))
			return row(command, i);
	return NULL;
}

static enum gpc_exit unknown(const struct parser *p, const char *written)
{
	const struct gpc_command *command = p->call->command;
	GPC_AUTO_FREE const char **names = calloc(command->option_count + 1, sizeof(*names));
	GPC_AUTO_FREE char *word = NULL;
	const char *near;

	if (strncmp(written, "--", 2))
		return complain(p, "unknown option '-%c'", optopt);
	word = strndup(written + 2, strcspn(written + 2, "="));
	if (!names || !word)
		abort();
	for (size_t i = 0; i <= command->option_count; i++)
		names[i] = row(command, i)->name;
	near = gpc_did_you_mean(word, names, command->option_count + 1);
	if (near)
		return complain(p, "unknown option '--%s', did you mean '--%s'?", word, near);
	return complain(p, "unknown option '--%s'", word);
}

/* getopt_long takes any unambiguous beginning: a script would break with the next option. */
static bool is_exact(const char *written, const struct gpc_option *option)
{
	size_t length = strlen(option->name);

	return !strncmp(written + 2, option->name, length) &&
	       (written[2 + length] == '\0' || written[2 + length] == '=');
}

static void add_operand(struct gpc_call *call, const char *text)
{
	call->operands[call->operand_count++] = text;
}

/* Only what says FILE... may be given again: which of two environments was meant? */
static bool is_repeated(const struct gpc_call *call, const struct gpc_option *option)
{
	return option->argument && !strstr(option->argument, "...") &&
	       gpc_call_has(call, option->name);
}

static enum gpc_exit take(struct parser *p, int value, const char *written)
{
	struct gpc_call *call = p->call;
	const struct gpc_option *option;

	if (value == 1) {
		add_operand(call, optarg);
		return GPC_EXIT_OK;
	}
	if (value == ':' || value == '?') {
		option = by_value(call->command, optopt);
		if (option && value == ':')
			return complain(p, "option '--%s' wants %s", option->name,
					option->argument);
		if (option && optopt >= LONG_BASE && is_exact(written, option))
			return complain(p, "option '--%s' takes no value", option->name);
		return unknown(p, written);
	}
	option = by_value(call->command, value);
	if (value >= LONG_BASE && !is_exact(written, option))
		return unknown(p, written);
	if (is_repeated(call, option))
		return complain(p, "option '--%s' is given twice", option->name);
	if (option == &help_option)
		call->help = true;
	else
		call->given[call->given_count++] = (struct gpc_given){option, optarg};
	return GPC_EXIT_OK;
}

static enum gpc_exit count_operands(const struct parser *p)
{
	const struct gpc_call *call = p->call;
	const struct gpc_command *command = call->command;

	if (call->help)
		return GPC_EXIT_OK;
	if (call->operand_count > command->operands_max)
		return complain(p, "'%s' is one argument too many",
				call->operands[command->operands_max]);
	if (call->operand_count < command->operands_min)
		return complain(p,
				call->operand_count ? "too few arguments, wanted are %s"
						    : "%s is missing",
				command->operands);
	return GPC_EXIT_OK;
}

static enum gpc_exit parse(struct parser *p, int argc, char **argv)
{
	optind = 0; /* glibc: begin anew */
	opterr = 0;
	for (;;) {
		int at = optind ? optind : 1;
		int value = getopt_long(argc, argv, p->shorts, p->longs, NULL);
		enum gpc_exit rc;

		if (value < 0)
			break;
		rc = take(p, value, argv[at]);
		if (rc)
			return rc;
	}
	while (optind < argc)
		add_operand(p->call, argv[optind++]);
	return count_operands(p);
}

void gpc_call_blank(const struct gpc_command *command, int argc, char **argv,
		    struct gpc_call *ret_call)
{
	struct gpc_call call = {.command = command, .given = calloc(1, sizeof(*call.given))};

	if (!call.given)
		abort();
	for (int i = 0; i < argc && strcmp(argv[i], "--"); i++)
		if (!strcmp(argv[i], "--json"))
			call.given_count = 1;
	call.given[0].option = &json_option;
	*ret_call = call;
}

enum gpc_exit gpc_call_parse(const struct gpc_command *command, int argc, char **argv,
			     struct gpc_call *ret_call, struct gpc_failure *failure)
{
	struct gpc_call call = {.command = command};
	struct parser p = {.call = &call, .failure = failure};
	enum gpc_exit rc;

	/* A word may hold several letters: -vj. */
	size_t room = 1;
	for (int i = 0; i < argc; i++)
		room += strlen(argv[i]) + 1;
	call.given = calloc(room, sizeof(*call.given));
	call.operands = calloc((size_t)argc + 1, sizeof(*call.operands));
	if (!call.given || !call.operands)
		abort();
	build(&p);
	rc = parse(&p, argc, argv);
	free(p.longs);
	free(p.shorts);
	if (rc) {
		gpc_call_release(&call);
		gpc_call_blank(command, argc, argv, &call);
	}
	*ret_call = call;
	return rc;
}

void gpc_call_release(struct gpc_call *call)
{
	free(call->given);
	free(call->operands);
	*call = (struct gpc_call){0};
}

bool gpc_call_has(const struct gpc_call *call, const char *option)
{
	for (size_t i = 0; i < call->given_count; i++)
		if (!strcmp(call->given[i].option->name, option))
			return true;
	return false;
}

const char *gpc_call_value(const struct gpc_call *call, const char *option)
{
	for (size_t i = call->given_count; i-- > 0;)
		if (!strcmp(call->given[i].option->name, option))
			return call->given[i].value;
	return NULL;
}

bool gpc_number_parse(const char *text, unsigned long min, unsigned long max, unsigned long *ret)
{
	unsigned long value;
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || *end || value < min || value > max)
		return false;
	*ret = value;
	return true;
}
