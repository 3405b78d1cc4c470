/* SPDX-License-Identifier: MIT */
/*
 * fail.h: the exit codes and the one record of what went wrong on the system side. Functions that
 * can fail return 0 or -1 and fill the record; the command prints it once (message, cause, next
 * step). Wrong input is a diagnostic (diag.h), never a failure record.
 */
#ifndef GPC_LOADER_FAIL_H
#define GPC_LOADER_FAIL_H

/* X(id, number, meaning): the one table of exit codes; help, docs and tests come from it. */
#define GPC_EXITS(X)                                                                               \
	X(OK, 0, "done")                                                                           \
	X(FAILED, 1, "operational failure")                                                        \
	X(DIFFERENT, 2, "done, and there is a difference (--exit-code)")                           \
	X(INVALID, 3, "invalid input")                                                             \
	X(REFUSED, 4, "a test, an invariant or a safety rule refused")                             \
	X(HOST, 5, "this host cannot run it")                                                      \
	X(CONFLICT, 6, "conflict: another gpc holds the lock, or the world moved")                 \
	X(ROLLED_BACK, 7, "was applied and then rolled back")                                      \
	X(USAGE, 64, "wrong usage")                                                                \
	X(INTERRUPTED, 130, "interrupted (SIGINT, SIGQUIT), nothing changed")                               \
	X(TERMINATED, 143, "terminated (SIGTERM, SIGHUP), nothing changed")

enum gpc_exit {
#define X(id, number, meaning) GPC_EXIT_##id = number,
	GPC_EXITS(X)
#undef X
};

struct gpc_failure {
	enum gpc_exit code;
	int error;		/* errno, 0 if none */
	char message[1024];	/* lower case, cause first, no full stop */
	char hint[512];		/* the next step; empty if none */
};

/* Fills the record (strerror of `error` is appended when not 0) and returns -1. */
int gpc_fail(struct gpc_failure *failure, enum gpc_exit code, int error, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* Adds the next step to a record; returns -1. */
int gpc_fail_hint(struct gpc_failure *failure, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
