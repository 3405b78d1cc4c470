/* SPDX-License-Identifier: MIT */
/* ask.h: one attempt of each kind, and what they share; for the files of this folder only. */
#ifndef GPC_LOADER_PROBE_ASK_H
#define GPC_LOADER_PROBE_ASK_H

#include <poll.h>

#include "run.h"

/* An attempt that is under way. */
struct gpc_ask {
	const struct gpc_probe *probe;
	struct gpc_probe_outcome *outcome;
	int64_t deadline;	/* ms, gpc_ask_now() */
};

int64_t gpc_ask_now(void); /* ms, CLOCK_MONOTONIC */

/* Writes the cause and returns false, as an attempt does that has failed. `error`: errno, 0 for none. */
bool gpc_ask_fail(struct gpc_ask *ask, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Waits until something is there for one of the descriptors (none: for the time alone). False after the
 * deadline or a signal; the cause is then "WHAT within N ms", or the signal.
 */
bool gpc_ask_wait_any(struct gpc_ask *ask, struct pollfd *waited, nfds_t count, const char *what);
bool gpc_ask_wait(struct gpc_ask *ask, int fd, short events, const char *what);

/* Enters the probe's network namespace; *ret_back leads back, -1 when there is nowhere to go back to. */
bool gpc_ask_enter(struct gpc_ask *ask, int *ret_back);

/* The attempts; true when it passed. */
bool gpc_ask_tcp(struct gpc_ask *ask);
bool gpc_ask_http(struct gpc_ask *ask);
bool gpc_ask_udp(struct gpc_ask *ask);
bool gpc_ask_exec(struct gpc_ask *ask);

/* A connected, non-blocking socket (SOCK_STREAM or SOCK_DGRAM); -1 with the cause. */
int gpc_ask_connect(struct gpc_ask *ask, int type);

#endif
