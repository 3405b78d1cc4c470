/* SPDX-License-Identifier: MIT */
/* gpc: finds the command by its exact name and runs it. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "../compiler/diag/diag.h"
#include "cmd/command.h"
#include "cmd/output.h"

static enum gpc_exit unknown_command(int argc, char **argv)
{
	const char *names[64];
	const char *near, *word = argv[1];
	struct gpc_failure failure;
	struct gpc_call call;
	enum gpc_exit rc;
	size_t count = 0;

	while (count < gpc_command_count && count < sizeof(names) / sizeof(names[0])) {
		names[count] = gpc_commands[count]->name;
		count++;
	}
	near = gpc_did_you_mean(word, names, count);
	gpc_fail(&failure, GPC_EXIT_USAGE, 0, "unknown %s '%s'%s%s%s",
		 *word == '-' ? "option" : "command", word, near ? ", did you mean '" : "",
		 near ? near : "", near ? "'?" : "");
	gpc_fail_hint(&failure, "gpc --help");
	gpc_call_blank(NULL, argc, argv, &call);
	rc = gpc_finish_failed(&call, &failure);
	gpc_call_release(&call);
	return rc;
}

static enum gpc_exit run(const struct gpc_command *command, int argc, char **argv)
{
	struct gpc_failure failure;
	struct gpc_call call;
	enum gpc_exit rc = gpc_call_parse(command, argc, argv, &call, &failure);

	if (rc)
		gpc_finish_failed(&call, &failure);
	else if (call.help)
		gpc_help_command(command, stdout);
	else
		rc = command->run(&call);
	gpc_call_release(&call);
	return rc;
}

static enum gpc_exit dispatch(int argc, char **argv)
{
	const struct gpc_command *command;

	if (argc < 2) {
		gpc_help_print(stderr);
		return GPC_EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		gpc_help_print(stdout);
		return GPC_EXIT_OK;
	}
	if (!strcmp(argv[1], "--version")) {
		puts("gpc " GPC_VERSION);
		return GPC_EXIT_OK;
	}
	command = gpc_command_find(argv[1]);
	return command ? run(command, argc - 1, argv + 1) : unknown_command(argc, argv);
}

int main(int argc, char **argv)
{
	enum gpc_exit rc;

	gpc_streams_guard();
	/* `gpc log | head` must end quietly, but a command that changes the plane must not die of
	 * it. */
	signal(SIGPIPE, SIG_IGN);
	rc = dispatch(argc, argv);
	if (fflush(stdout) || ferror(stdout)) {
		if (rc == GPC_EXIT_OK && errno != EPIPE) {
			perror("gpc: error: cannot write to standard output");
			rc = GPC_EXIT_FAILED;
		}
	}
	return rc;
}
