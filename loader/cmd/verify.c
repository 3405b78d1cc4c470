/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "../../compiler/base/cleanup.h"
#include "../history/history.h"
#include "activate.h"
#include "input.h"
#include "output.h"
#include "settle.h"
#include "status_policies.h"

static const struct gpc_option options[] = {
	{0, "exit-code", NULL, "exit with 2 on a difference (without: 1)"},
	GPC_OPTION_JSON,
};

#define NAMED_RULES 5u
#define STRAY 256 /* room for what is wrong between plane and history; empty: nothing */

/* For a plane whose active image cannot be read: what was recorded last should be there. */
static int find_newest(struct gpc_history *history, struct gpc_image *ret,
		       struct gpc_failure *failure)
{
	struct gpc_generation newest;
	bool found;

	if (gpc_history_standing(history, 0, &newest, &found, failure))
		return -1;
	if (!found) {
		gpc_fail(failure, GPC_EXIT_FAILED, 0, "no generation that stands is recorded");
		return gpc_fail_hint(failure, "give the image to compare with");
	}
	return gpc_history_image(history, &newest, ret, NULL, failure);
}

static void compare_stances(const struct gpc_image *running, uint64_t control,
			    const struct gpc_generation *newest, char stray[STRAY])
{
	enum gpc_stance stance = gpc_stance_of(running->plane, control);

	if (stance != newest->stance)
		snprintf(stray, STRAY,
			 "the policies %s, recorded last is %s (generation %u); run: gpc restore",
			 gpc_stance_name(stance), gpc_stance_name(newest->stance), newest->number);
}

/* The recorded image of what runs; `stray` says when another one was recorded last. */
static int find_running(struct gpc_history *history, const struct gpc_image *running,
			uint64_t control, struct gpc_image *ret, char stray[STRAY], struct gpc_failure *failure)
{
	struct gpc_generation recorded, newest;
	char decision[65];
	bool found;

	gpc_digest_format(running->head->decision_digest, decision);
	if (gpc_history_find_decision(history, decision, &recorded, &found, failure))
		return -1;
	if (!found) {
		gpc_fail(failure, GPC_EXIT_FAILED, 0,
			 "the running decision %.12s is not in the history", decision);
		return gpc_fail_hint(failure,
				     "give the image to compare with, or apply what should run");
	}
	if (gpc_history_standing(history, gpc_linked_generation(running), &newest, &found, failure))
		return -1;
	if (found && !strcmp(newest.decision, decision))
		compare_stances(running, control, &newest, stray);
	else if (found)
		snprintf(stray, STRAY,
			 "the plane runs generation %u (decision %.12s), recorded last is %u "
			 "(decision %.12s); run: gpc restore",
			 gpc_linked_generation(running), decision, newest.number, newest.decision);
	return gpc_history_image(history, &recorded, ret, NULL, failure);
}

static int find_recorded(struct gpc_image *ret, char stray[STRAY], struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_plane_status_release) struct gpc_plane_status status = {0};
	GPC_CLEANUP(gpc_history_free) struct gpc_history *history = NULL;

	if (gpc_plane_read(gpc_bpffs(), &status, failure))
		return -1;
	if (!status.present) {
		gpc_fail(failure, GPC_EXIT_FAILED, 0, "no plane is running below '%s'",
			 gpc_bpffs());
		return gpc_fail_hint(failure, "gpc apply, or gpc restore");
	}
	if (gpc_history_open(gpc_state_dir(), false, &history, failure))
		return -1;
	return status.has_image ? find_running(history, &status.image, status.control, ret,
					       stray, failure)
				: find_newest(history, ret, failure);
}

static void print_findings(const struct gpc_verify_report *report)
{
	char size[32], links[32], differences[32];

	for (size_t i = 0; i < report->count; i++)
		printf("%sdifferent%s: %s%s%s%s\n", gpc_paint(stdout, GPC_RED),
		       gpc_paint(stdout, GPC_PLAIN), report->findings[i].what,
		       *report->findings[i].place ? " (" : "", report->findings[i].place,
		       *report->findings[i].place ? ")" : "");
	if (report->total > report->count)
		printf("... and %zu more\n", report->total - report->count);
	gpc_text_bytes(report->bytes_compared, size);
	gpc_text_number(report->links_checked, "link", links);
	if (!report->total)
		printf("%sverified%s: %s and %s are what they should be\n",
		       gpc_paint(stdout, GPC_GREEN), gpc_paint(stdout, GPC_PLAIN), size, links);
	else
		printf("%s in %s and %s\n",
		       gpc_text_number(report->total, "difference", differences), size, links);
}

static void print_findings_json(const struct gpc_verify_report *report)
{
	for (size_t i = 0; i < report->count; i++) {
		struct json_object *object = gpc_json("difference");

		gpc_json_text(object, "what", report->findings[i].what);
		gpc_json_text(object, "place",
			      *report->findings[i].place ? report->findings[i].place : NULL);
		gpc_json_print(object);
	}
}

/* In front of what is found in the kernel. */
static void add_stray(struct gpc_verify_report *report, const char *stray)
{
	struct gpc_verify_finding *findings =
		reallocarray(report->findings, report->count + 1, sizeof(*findings));

	if (!findings)
		abort();
	memmove(findings + 1, findings, report->count * sizeof(*findings));
	findings[0] = (struct gpc_verify_finding){0};
	snprintf(findings[0].what, sizeof(findings[0].what), "%s", stray);
	report->findings = findings;
	report->count++;
	report->total++;
}

/* Not a difference: the image says so, only the day has come. */
static void warn_expired(const struct gpc_call *call, const struct gpc_image *image)
{
	const struct gpc_notice_sink notices = gpc_notices(call);
	char *texts[NAMED_RULES];
	size_t found = gpc_expired_rules(image, texts, NAMED_RULES);

	for (size_t i = 0; i < found && i < NAMED_RULES; i++) {
		gpc_warn(&notices, "%s", texts[i]);
		free(texts[i]);
	}
	if (found > NAMED_RULES)
		gpc_warn(&notices, "and %zu more expired rules", found - NAMED_RULES);
}

/* `stray`: a difference between plane and history; empty if there is none. */
static enum gpc_exit compare(const struct gpc_call *call, const struct gpc_image *image,
			     const char *stray)
{
	GPC_CLEANUP(gpc_verify_report_release) struct gpc_verify_report report = {0};
	enum gpc_exit code = GPC_EXIT_OK;
	struct gpc_failure failure;
	struct json_object *result;

	if (gpc_plane_verify(gpc_bpffs(), image, &report, &failure))
		return gpc_finish_failed(call, &failure);
	if (*stray)
		add_stray(&report, stray);
	if (report.recompiled)
		gpc_say(call, GPC_DIM, "note",
			"the same decision runs, compiled from other text: places and digest of "
			"the file differ");
	if (report.constants_unseen)
		gpc_say(call, GPC_DIM, "note",
			"not compared: the secret of the flow tables that the programs were given; "
			"to see it takes CAP_SYS_ADMIN");
	(gpc_call_has(call, "json") ? print_findings_json : print_findings)(&report);
	warn_expired(call, image);
	if (report.total)
		code = gpc_call_has(call, "exit-code") ? GPC_EXIT_DIFFERENT : GPC_EXIT_FAILED;
	result = gpc_json("result");
	gpc_json_number(result, "differences", (int64_t)report.total);
	gpc_json_number(result, "bytes", (int64_t)report.bytes_compared);
	gpc_json_number(result, "links", report.links_checked);
	gpc_json_bool(result, "recompiled", report.recompiled);
	gpc_json_bool(result, "constants-compared", !report.constants_unseen);
	return gpc_finish(call, code, result);
}

static enum gpc_exit run(const struct gpc_call *call)
{
	GPC_CLEANUP(gpc_input_release) struct gpc_input input = {0};
	struct gpc_failure failure;
	char stray[STRAY] = "";
	enum gpc_exit rc;

	if (call->operand_count) {
		rc = gpc_input_image(call, call->operands[0], &input);
		return rc ? gpc_input_end(call, &input, rc) : compare(call, &input.image, stray);
	}
	gpc_settle_in_passing(call);
	if (find_recorded(&input.image, stray, &failure))
		return gpc_finish_failed(call, &failure);
	input.has_image = true;
	return compare(call, &input.image, stray);
}

const struct gpc_command gpc_command_verify = {
	.name = "verify",
	.side = GPC_SIDE_HOST,
	.summary = "does the kernel hold and run those very bytes?",
	.operands = "[IMAGE.gpi]",
	.operands_max = 1,
	.description =
		"Compares the image in the kernel byte for byte with IMAGE, by default with the "
		"recorded\n"
		"one, and checks that links, programs and maps belong together and that what was "
		"recorded\n"
		"last runs. The same decision compiled from other text is a note, no difference.\n"
		"Differences name the entry and its line in the YAML; they end in 1, or in 2 with\n"
		"--exit-code, so that a script can tell them from a check that could not be made.\n"
		"Rules that are past their `expires` and decide all the same are named.",
	.objects = "diagnostic, difference, notice",
	GPC_ROWS(options),
	GPC_EXIT_LIST(GPC_EXIT_OK, GPC_EXIT_FAILED, GPC_EXIT_DIFFERENT, GPC_EXIT_INVALID,
		      GPC_EXIT_HOST),
	.run = run,
};
