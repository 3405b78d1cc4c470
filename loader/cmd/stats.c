/* SPDX-License-Identifier: MIT */
#include "stats.h"

#include <errno.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include "../../compiler/base/cleanup.h"
#include "../../compiler/intent/scalar.h"
#include "../interrupt.h"

#define LOOK_MS 200 /* between two looks at signals and at who reads */
#define LEAST_MS 100u
#define MOST_MS (24u * 3600 * 1000)
#define MILLISECOND 1000000ll

static const struct gpc_option options[] = {
	{'i', "interval", "TIME", "rates, one block every 1s, 500ms, 5m, until interrupted"},
	{'n', "count", "N", "end after N blocks; the interval is 1s if none is given"},
	{'f', "flows", NULL,
	 "count the active flows, too (walks over the flow tables, 2 s at most)"},
	{0, "prometheus", NULL, "one reading in the text format of Prometheus"},
	{'v', "verbose", NULL, "also what is 0, and all rows"},
	GPC_OPTION_JSON,
};

struct plan {
	uint64_t interval_ms; /* 0: one reading, no rates */
	unsigned long blocks; /* 0: until interrupted */
};

/* ---- options ---- */

static int parse_interval(const char *text, struct plan *plan, struct gpc_failure *failure)
{
	if (gpc_scalar_duration(text, &plan->interval_ms) || plan->interval_ms < LEAST_MS ||
	    plan->interval_ms > MOST_MS) {
		gpc_fail(failure, GPC_EXIT_USAGE, 0, "'%s' is no interval", text);
		return gpc_fail_hint(failure, "a number with ms, s, m or h, from 100ms to 24h: "
					      "--interval 1s");
	}
	return 0;
}

static int parse(const struct gpc_call *call, struct plan *plan, struct gpc_failure *failure)
{
	const char *interval = gpc_call_value(call, "interval");
	const char *count = gpc_call_value(call, "count");

	if (interval && parse_interval(interval, plan, failure))
		return -1;
	if (count && !gpc_number_parse(count, 1, UINT32_MAX, &plan->blocks)) {
		gpc_fail(failure, GPC_EXIT_USAGE, 0, "'%s' is no number of blocks", count);
		return gpc_fail_hint(failure, "a whole number from 1 on; without --count it goes on "
					      "until interrupted");
	}
	if (count && !interval)
		plan->interval_ms = 1000;
	if (!gpc_call_has(call, "prometheus"))
		return 0;
	if (plan->interval_ms || gpc_call_has(call, "json")) {
		gpc_fail(failure, GPC_EXIT_USAGE, 0,
			 "--prometheus gives one reading, in its own format");
		return gpc_fail_hint(failure, "leave out --interval, --count and --json: the "
					      "scraper makes the rates");
	}
	return 0;
}

/* ---- the blocks ---- */

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / MILLISECOND;
}

/* Nobody reads any more, or the disk is full: main() says so if it must be said. */
static bool output_ended(void)
{
	struct pollfd out = {.fd = STDOUT_FILENO};

	return ferror(stdout) || (poll(&out, 1, 0) == 1 && out.revents & (POLLERR | POLLNVAL));
}

/* False: there will be no further block. */
static bool wait_until(int64_t due)
{
	struct pollfd out = {.fd = STDOUT_FILENO};

	while (!gpc_interrupted() && !output_ended()) {
		int64_t left = due - now_ms();

		if (left <= 0)
			return true;
		poll(&out, 1, left < LOOK_MS ? (int)left : LOOK_MS);
	}
	return false;
}

static void print(const struct gpc_call *call, const struct gpc_reading *reading)
{
	if (gpc_call_has(call, "prometheus"))
		gpc_stats_prometheus(call, reading, stdout);
	else if (gpc_call_has(call, "json"))
		gpc_stats_json(call, reading);
	else
		gpc_stats_text(call, reading);
	fflush(stdout);
}

static int watch(const struct gpc_call *call, const struct plan *plan, struct gpc_reading *reading,
		 unsigned long *ret_blocks, struct gpc_failure *failure)
{
	int64_t due = now_ms();

	while (!plan->blocks || *ret_blocks < plan->blocks) {
		due += (int64_t)plan->interval_ms;
		if (due < now_ms()) /* a block took longer than the interval: none is made up for */
			due = now_ms();
		if (!wait_until(due))
			return 0;
		if (gpc_reading_take(reading, gpc_call_has(call, "flows"), failure))
			return -1;
		if (*ret_blocks && !gpc_call_has(call, "json"))
			putchar('\n');
		print(call, reading);
		++*ret_blocks;
	}
	return 0;
}

static enum gpc_exit run(const struct gpc_call *call)
{
	GPC_CLEANUP(gpc_reading_release) struct gpc_reading reading = {0};
	struct gpc_failure failure;
	struct json_object *result;
	unsigned long blocks = 0;
	struct plan plan = {0};

	if (parse(call, &plan, &failure))
		return gpc_finish_failed(call, &failure);
	if (plan.interval_ms)
		gpc_interrupts_hold();
	if (gpc_reading_take(&reading, !plan.interval_ms && gpc_call_has(call, "flows"), &failure))
		return gpc_finish_failed(call, &failure);
	if (!plan.interval_ms)
		print(call, &reading);
	else if (watch(call, &plan, &reading, &blocks, &failure))
		return gpc_finish_failed(call, &failure);
	result = gpc_json("result");
	gpc_json_number(result, "readings", (int64_t)(plan.interval_ms ? blocks : 1));
	return gpc_finish(call, GPC_EXIT_OK, result);
}

const struct gpc_command gpc_command_stats = {
	.name = "stats",
	.side = GPC_SIDE_HOST,
	.summary = "what was counted, or comes per second: listeners, endpoints, reasons",
	.operands = "",
	.description =
		"Packets, bytes, new flows and drops of each listener, backend and endpoint, "
		"packets "
		"by hook\n"
		"and reason, events and answers kept back. `due` is the share of new flows that an "
		"endpoint's\n"
		"weight gives it in its backend, `got` the one that it got. Counted since the "
		"plane "
		"began; no\n"
		"apply sets it back. With --interval: per second, one block an interval; SIGINT "
		"ends "
		"it (0).\n"
		"The names of --prometheus stand in docs/metrics.md. Changes nothing, takes no "
		"lock.",
	.objects = "reading, listener, backend, endpoint,\n  reason, limit, flows",
	GPC_ROWS(options),
	GPC_EXIT_LIST(GPC_EXIT_OK, GPC_EXIT_FAILED, GPC_EXIT_HOST, GPC_EXIT_CONFLICT),
	.run = run,
};
