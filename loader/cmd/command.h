/* SPDX-License-Identifier: MIT */
/*
 * command.h: the command table. A command is data (name, options, operands, exit codes, help) and
 * one function; main() finds it by its exact name, options are parsed from the rows, help and
 * docs/commands.md are printed from them.
 */
#ifndef GPC_LOADER_CMD_COMMAND_H
#define GPC_LOADER_CMD_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "../fail.h"

struct gpc_option {
	char letter;	      /* 0: none */
	const char *name;     /* long name, always there */
	const char *argument; /* NULL: a switch; "FILE...": may be given several times */
	const char *help;
};

enum gpc_side { GPC_SIDE_AUTHOR, GPC_SIDE_HOST };

struct gpc_call;

struct gpc_command {
	const char *name;
	enum gpc_side side;
	const char *summary;  /* one line */
	const char *operands; /* "[FILE.yaml | IMAGE.gpi]", "" if none */
	unsigned int operands_min, operands_max;
	const char *description; /* paragraphs, lines of at most 80 characters */
	const char *objects; /* types of the objects before the result, with --json; "" if none */
	const struct gpc_option *options;
	size_t option_count;
	const enum gpc_exit *exits; /* those it can give, beside USAGE */
	size_t exit_count;
	enum gpc_exit (*run)(const struct gpc_call *call);
};

#define GPC_ROWS(array) .options = (array), .option_count = sizeof(array) / sizeof((array)[0])
#define GPC_EXIT_LIST(...)                                                                         \
	.exits = (const enum gpc_exit[]){__VA_ARGS__},                                             \
	.exit_count = sizeof((const enum gpc_exit[]){__VA_ARGS__}) / sizeof(enum gpc_exit)

#define GPC_OPTION_JSON                                                                            \
	{                                                                                          \
		0, "json", NULL, "one JSON object a line; the last one is of type result"          \
	}

/* In the order of the help: each row is `extern const struct gpc_command gpc_command_NAME`. */
#define GPC_COMMANDS(X)                                                                            \
	X(init)                                                                                    \
	X(fmt)                                                                                     \
	X(check)                                                                                   \
	X(compile)                                                                                 \
	X(test)                                                                                    \
	X(inspect)                                                                                 \
	X(diff)                                                                                    \
	X(explain)                                                                                 \
	X(matrix)                                                                                  \
	X(blame)                                                                                   \
	X(bisect)                                                                                  \
	X(replay)                                                                                  \
	X(maglev)                                                                                  \
	X(completion)                                                                              \
	X(plan)                                                                                    \
	X(apply)                                                                                   \
	X(confirm)                                                                                 \
	X(abort)                                                                                   \
	X(status)                                                                                  \
	X(verify)                                                                                  \
	X(rollback)                                                                                \
	X(log)                                                                                     \
	X(show)                                                                                    \
	X(stats)                                                                                   \
	X(top)                                                                                     \
	X(events)                                                                                  \
	X(drain)                                                                                   \
	X(undrain)                                                                                 \
	X(weight)                                                                                  \
	X(off)                                                                                     \
	X(on)                                                                                      \
	X(upgrade)                                                                                 \
	X(detach)                                                                                  \
	X(restore)                                                                                 \
	X(doctor)

#define X(name) extern const struct gpc_command gpc_command_##name;
GPC_COMMANDS(X)
#undef X

extern const struct gpc_command *const gpc_commands[];
extern const size_t gpc_command_count;

/* NULL if there is none of exactly this name. */
const struct gpc_command *gpc_command_find(const char *name);

struct gpc_given {
	const struct gpc_option *option;
	const char *value; /* NULL for a switch */
};

/* One invocation; points into argv. */
struct gpc_call {
	const struct gpc_command *command;
	struct gpc_given *given;
	size_t given_count;
	const char **operands;
	size_t operand_count;
	bool help;
	bool quiet;	/* diagnostics are nobody's business: what does not compile is passed over */
};

/*
 * Parses argv[0..argc), argv[0] being the command's name. Long options must be written in full. On
 * wrong usage fills the failure, gives a blank call and returns GPC_EXIT_USAGE. gpc_call_release()
 * is due in either case.
 */
enum gpc_exit gpc_call_parse(const struct gpc_command *command, int argc, char **argv,
			     struct gpc_call *ret_call, struct gpc_failure *failure);
/* A call of nothing (command NULL: of none), that only knows whether --json stands among the words.
 */
void gpc_call_blank(const struct gpc_command *command, int argc, char **argv,
		    struct gpc_call *ret_call);
void gpc_call_release(struct gpc_call *call);

bool gpc_call_has(const struct gpc_call *call, const char *option);
/* The value given (of FILE... the last one), NULL if none. */
const char *gpc_call_value(const struct gpc_call *call, const char *option);
/* A number from `min` to `max`; false after a message when it is something else. */
bool gpc_number_parse(const char *text, unsigned long min, unsigned long max, unsigned long *ret);

const char *gpc_exit_meaning(enum gpc_exit code);
void gpc_help_print(FILE *out);
void gpc_help_command(const struct gpc_command *command, FILE *out);

#endif
