/* SPDX-License-Identifier: MIT */
#include "run.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "../interrupt.h"
#include "ask.h"

#define SLICE 50 /* ms after which a signal is seen that came between asking about it and waiting */

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

int64_t gpc_ask_now(void)
{
	return (int64_t)now_ms();
}

bool gpc_ask_fail(struct gpc_ask *ask, int error, const char *format, ...)
{
	char *cause = ask->outcome->cause;
	size_t room = sizeof(ask->outcome->cause), used;
	va_list args;

	va_start(args, format);
	vsnprintf(cause, room, format, args);
	va_end(args);
	used = strlen(cause);
	if (error)
		snprintf(cause + used, room - used, ": %s", strerror(error));
	return false;
}

bool gpc_ask_wait_any(struct gpc_ask *ask, struct pollfd *waited, nfds_t count, const char *what)
{
	for (;;) {
		int64_t left = ask->deadline - gpc_ask_now();
		int ready;

		if (gpc_interrupted()) {
			ask->outcome->interrupted = true;
			return gpc_ask_fail(ask, 0, "interrupted");
		}
		if (left <= 0)
			return gpc_ask_fail(ask, 0, "%s within %u ms", what, ask->probe->timeout);
		ready = poll(waited, count, left < SLICE ? (int)left : SLICE);
		if (ready > 0)
			return true;
		if (ready < 0 && errno != EINTR)
			return gpc_ask_fail(ask, errno, "cannot wait");
	}
}

bool gpc_ask_wait(struct gpc_ask *ask, int fd, short events, const char *what)
{
	struct pollfd waited = {.fd = fd, .events = events};

	return gpc_ask_wait_any(ask, &waited, 1, what);
}

static bool attempt(const struct gpc_probe *probe, struct gpc_probe_outcome *outcome)
{
	static bool (*const kinds[GPC_PROBE_KINDS])(struct gpc_ask *ask) = {
		[GPC_PROBE_TCP] = gpc_ask_tcp,
		[GPC_PROBE_HTTP] = gpc_ask_http,
		[GPC_PROBE_UDP] = gpc_ask_udp,
		[GPC_PROBE_EXEC] = gpc_ask_exec,
	};
	struct gpc_ask ask = {probe, outcome, gpc_ask_now() + probe->timeout};

	outcome->attempts++;
	return kinds[probe->kind](&ask);
}

/* Until the next attempt; the cause of the last one stays. */
static bool rest(const struct gpc_probe *probe, struct gpc_probe_outcome *outcome)
{
	struct gpc_probe_outcome slept = {0};
	struct gpc_ask ask = {probe, &slept, gpc_ask_now() + probe->interval};

	(void)gpc_ask_wait_any(&ask, NULL, 0, "");
	outcome->interrupted = slept.interrupted;
	return !slept.interrupted;
}

void gpc_probe_run(const struct gpc_probe *probe, struct gpc_probe_outcome *ret)
{
	double start = now_ms();

	*ret = (struct gpc_probe_outcome){0};
	do
		ret->passed = attempt(probe, ret);
	while (!ret->passed && !ret->interrupted && ret->attempts < probe->attempts &&
	       rest(probe, ret));
	ret->ms = now_ms() - start;
}
