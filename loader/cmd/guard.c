/* SPDX-License-Identifier: MIT */
#include "guard.h"

#include <stdio.h>
#include <unistd.h>

#include "../../compiler/base/words.h"
#include "../../compiler/base/cleanup.h"
#include "gpc/lookup/chain.h"
#include "output.h"
#include "rulebook.h"

#define SHOWN 8u

/* "rule 'ssh' of policy 'edge' (web.yaml:12:5)", "the default of policy 'edge' (...)" */
static const char *rule_text(const struct gpc_image *image, struct gpc_arena *arena, uint32_t index)
{
	const struct gpc_rule *rule = gpc_rule_at(image->view, index);
	const char *owner = gpc_rule_owner(image, rule);
	char place[GPC_RULE_PLACE];

	gpc_rule_place(image, rule, place);
	if (rule->flags & GPC_RULE_DEFAULT)
		return gpc_arena_printf(arena, "the default of policy '%s' (%s)", owner, place);
	return gpc_arena_printf(arena, "rule '%s' of policy '%s' (%s)",
				gpc_image_name(image, rule->name), owner, place);
}

static const char *finding_text(const struct gpc_image *image, struct gpc_arena *arena,
				const struct gpc_guard_finding *finding)
{
	return gpc_arena_printf(arena, "%s %s on %s: denied at %s by %s%s",
				finding->ssh ? "this SSH session" : "a session of root",
				finding->session, finding->device,
				gpc_direction_name(finding->direction),
				rule_text(image, arena, finding->rule),
				finding->mid_stream ? ", because its flow is not known and may not be "
						      "picked up (defaults.pickup)"
						    : "");
}

static void say_findings(const struct gpc_call *call, const struct gpc_image *image,
			 const struct gpc_guard_report *report, const char *word)
{
	struct gpc_arena arena = {0};

	for (size_t i = 0; i < report->count && i < SHOWN; i++)
		gpc_say(call, GPC_YELLOW, word, "%s",
			finding_text(image, &arena, &report->findings[i]));
	if (report->count > SHOWN)
		gpc_say(call, GPC_YELLOW, word, "and %zu more", report->count - SHOWN);
	gpc_arena_release(&arena);
}

static int refuse(const struct gpc_call *call, const struct gpc_image *image,
		  const struct gpc_guard_report *report, struct gpc_failure *failure)
{
	say_findings(call, image, report, "lock-out");
	gpc_fail(failure, GPC_EXIT_REFUSED, 0,
		 "the new policies would cut %zu session%s of this host's operator; nothing was changed",
		 report->count, report->count == 1 ? "" : "s");
	return gpc_fail_hint(failure, "allow them by a rule or a `protect` item; --force applies it all "
				      "the same");
}

int gpc_guard(const struct gpc_call *call, const struct gpc_image *image, bool fresh,
	      enum gpc_stance stance, struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_guard_report_release) struct gpc_guard_report report = {0};

	if (stance == GPC_STANCE_NONE)
		return 0;
	if (gpc_plane_guard(image, fresh, &report, failure))
		return -1;
	if (!report.ssh_found && isatty(STDIN_FILENO))
		gpc_say(call, GPC_YELLOW, "note",
			"found no SSH session that this command runs in; the lock-out guard looked at "
			"%zu other session%s of root",
			report.sessions, report.sessions == 1 ? "" : "s");
	if (!report.count)
		return 0;
	if (stance == GPC_STANCE_AUDIT) {
		say_findings(call, image, &report, "would be cut once enforced");
		return 0;
	}
	if (!gpc_call_has(call, "force"))
		return refuse(call, image, &report, failure);
	say_findings(call, image, &report, "forced");
	return 0;
}
