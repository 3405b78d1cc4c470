/* SPDX-License-Identifier: MIT */
#include "probing.h"

#include <stdlib.h>
#include <string.h>

#include "../../compiler/base/cleanup.h"
#include "../probe/run.h"
#include "output.h"

#define SHOWN_LINES 20u /* the last ones that a program printed */

int gpc_probing_given(const struct gpc_call *call, struct gpc_probes *probes,
		      struct gpc_failure *failure)
{
	for (size_t i = 0; i < call->given_count; i++)
		if (!strcmp(call->given[i].option->name, "probe") &&
		    gpc_probe_parse(probes, call->given[i].value, failure))
			return -1;
	return 0;
}

static int refuse_program(const struct gpc_probe *probe, struct gpc_failure *failure)
{
	gpc_fail(failure, GPC_EXIT_REFUSED, 0, "probe '%s' of the plane would run '%s'",
		 probe->name, probe->command[0]);
	return gpc_fail_hint(failure,
			     "--allow-exec lets the plane's probes run programs, --no-probes leaves "
			     "all of them out");
}

int gpc_probing_own(const struct gpc_call *call, const struct gpc_image *image,
		    struct gpc_probes *probes, struct gpc_failure *failure)
{
	struct gpc_probes own = {0};
	int rc = 0;

	if (gpc_call_has(call, "no-probes"))
		return 0;
	if (gpc_probes_of_image(&own, image, failure)) {
		gpc_probes_release(&own);
		return -1;
	}
	for (size_t i = 0; i < own.count && !rc; i++)
		if (own.items[i].kind == GPC_PROBE_EXEC && !gpc_call_has(call, "allow-exec"))
			rc = refuse_program(&own.items[i], failure);
	for (size_t i = 0; i < probes->count; i++)
		*gpc_probes_add(&own) = probes->items[i];
	free(probes->items);
	*probes = own;
	return rc;
}

/* ---- speaking ---- */

static void say_json(const struct gpc_probe *probe, const char *asks,
		     const struct gpc_probe_outcome *outcome)
{
	struct json_object *object = gpc_json("probe");

	gpc_json_text(object, "name", probe->name);
	gpc_json_text(object, "asks", asks);
	gpc_json_bool(object, "passed", outcome->passed);
	gpc_json_number(object, "attempts", outcome->attempts);
	gpc_json_real(object, "ms", outcome->ms, 3);
	gpc_json_text(object, "cause", outcome->passed ? NULL : outcome->cause);
	gpc_json_text(object, "output", outcome->output_size ? outcome->output : NULL);
	gpc_json_print(object);
}

/* The end of what a program printed, line by line. */
static void say_output(const struct gpc_call *call, const struct gpc_probe_outcome *outcome)
{
	const char *line = outcome->output, *end = line + strlen(line);
	size_t lines = 0;

	for (const char *at = end; at > line; at--)
		if (at[-1] == '\n' && at < end && ++lines == SHOWN_LINES)
			line = at;
	while (line < end) {
		int length = (int)strcspn(line, "\n");

		gpc_say(call, GPC_DIM, "output", "%.*s", length, line);
		line += length + (line[length] == '\n');
	}
}

static void say_outcome(const struct gpc_call *call, const struct gpc_probe *probe,
			const struct gpc_probe_outcome *outcome)
{
	GPC_AUTO_FREE char *asks = gpc_probe_text(probe);

	if (gpc_call_has(call, "json"))
		say_json(probe, asks, outcome);
	else if (outcome->passed)
		printf("probe %s passed in %.0f ms%s\n", probe->name, outcome->ms,
		       outcome->attempts > 1 ? ", not at once" : "");
	if (outcome->passed)
		return;
	fflush(stdout);
	gpc_say(call, GPC_RED, "probe", "%s (%s) failed, %u of %u attempts: %s", probe->name, asks,
		outcome->attempts, probe->attempts, outcome->cause);
	say_output(call, outcome);
}

int gpc_probing_run(const struct gpc_call *call, const struct gpc_probes *probes,
		    char result[GPC_RESULT_TEXT], struct gpc_failure *failure)
{
	GPC_AUTO_FREE struct gpc_probe_outcome *outcome = malloc(sizeof(*outcome));

	if (!outcome)
		abort();
	for (size_t i = 0; i < probes->count; i++) {
		const struct gpc_probe *probe = &probes->items[i];

		gpc_probe_run(probe, outcome);
		say_outcome(call, probe, outcome);
		if (outcome->passed)
			continue;
		if (outcome->interrupted)
			snprintf(result, GPC_RESULT_TEXT, "rolled-back(interrupted)");
		else
			snprintf(result, GPC_RESULT_TEXT, "rolled-back(probe %.63s: %s)",
				 probe->name, outcome->cause);
		return gpc_fail(failure, GPC_EXIT_ROLLED_BACK, 0, "probe '%s' %s%s", probe->name,
				outcome->interrupted ? "" : "failed: ", outcome->cause);
	}
	return 0;
}

/* ---- quarantine ---- */

int gpc_quarantine_check(const struct gpc_call *call, struct gpc_history *history,
			 const struct gpc_image *image, struct gpc_failure *failure)
{
	struct gpc_generation last;
	char digest[65];
	bool found;

	gpc_digest_format(image->head->decision_digest, digest);
	if (gpc_call_has(call, "retry"))
		return 0;
	if (gpc_history_judged(history, digest, &last, &found, failure))
		return -1;
	if (!found || !gpc_generation_quarantined(&last))
		return 0;
	gpc_fail(failure, GPC_EXIT_REFUSED, 0, "this plane was live as generation %u: %s",
		 last.number, last.result);
	return gpc_fail_hint(failure, "change the plane, or apply it with --retry when the cause "
				      "was elsewhere");
}
