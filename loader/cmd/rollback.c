/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "../../compiler/base/cleanup.h"
#include "activate.h"
#include "guard.h"
#include "output.h"
#include "probing.h"
#include "settle.h"

static const struct gpc_option options[] = {
	{'v', "verbose", NULL, "show every change"},
	GPC_OPTION_CONFIRM,
	GPC_OPTION_WAIT,
	GPC_OPTION_FORCE,
	GPC_OPTION_RETRY,
	GPC_OPTION_JSON,
};

/* Does this decision run? What cannot be read is taken for nothing that runs. */
static bool runs(const char *decision)
{
	GPC_CLEANUP(gpc_plane_status_release) struct gpc_plane_status plane = {0};
	struct gpc_failure ignored;
	char digest[65];

	return gpc_plane_read(gpc_bpffs(), &plane, &ignored) || !plane.has_image ||
	       !strcmp(gpc_digest_format(plane.image.head->decision_digest, digest), decision);
}

/*
 * Without a number: the one that stood before the newest that stands. If that one does not run, because
 * an apply was killed before it was recorded, it is what to go back to.
 */
static int choose_before(struct gpc_history *history, struct gpc_generation *ret,
			 struct gpc_failure *failure)
{
	struct gpc_generation current;
	bool found;

	if (gpc_history_standing(history, 0, &current, &found, failure))
		return -1;
	if (found && !runs(current.decision)) {
		*ret = current;
		return 0;
	}
	if (found && gpc_history_stood_before(history, &current, ret, &found, failure))
		return -1;
	if (found)
		return 0;
	gpc_fail(failure, GPC_EXIT_INVALID, 0, "there is no generation before the current one");
	return gpc_fail_hint(failure, "gpc log lists what there is");
}

static int choose(const struct gpc_call *call, struct gpc_history *history,
		  struct gpc_generation *ret, struct gpc_failure *failure)
{
	unsigned long number;

	if (call->operand_count) {
		if (gpc_number_parse(call->operands[0], 1, UINT32_MAX, &number))
			return gpc_history_find(history, (uint32_t)number, ret, failure);
		return gpc_fail(failure, GPC_EXIT_USAGE, 0, "'%s' is no generation's number",
				call->operands[0]);
	}
	return choose_before(history, ret, failure);
}

static enum gpc_exit roll_back(const struct gpc_call *call, struct gpc_history *history)
{
	struct gpc_generation target;
	struct gpc_failure failure;
	struct gpc_image image;
	char source[64];
	struct gpc_history_entry entry = {
		.image = &image, .source = source, .rollback_of = &target};
	enum gpc_exit rc;
	bool rebuilt;

	if (choose(call, history, &target, &failure) ||
	    gpc_history_image(history, &target, &image, &rebuilt, &failure))
		return gpc_finish_failed(call, &failure);
	if (rebuilt)
		gpc_say(call, GPC_DIM, "note",
			"the image of generation %u was rebuilt from its sources", target.number);
	snprintf(source, sizeof(source), "rollback to %u", target.number);
	rc = gpc_activate(call, history, &entry, NULL);
	gpc_image_release(&image);
	return rc;
}

static enum gpc_exit run(const struct gpc_call *call)
{
	return gpc_activate_end(call, gpc_in_session(call, roll_back));
}

const struct gpc_command gpc_command_rollback = {
	.name = "rollback",
	.side = GPC_SIDE_HOST,
	.summary = "go back to an earlier generation",
	.operands = "[N]",
	.operands_max = 1,
	.description =
		"Applies the image of generation N, by default of the one before the newest, as a "
		"new\n"
		"generation that names the old one; what was rolled back does not count. History "
		"only\n"
		"grows. An image that is no longer stored is rebuilt from the generation's sources "
		"and must\n"
		"give the same decision. One with another `flows` needs gpc detach first (4). The "
		"lock-out\n"
		"guard of apply looks at it too; no probes are asked, so that nothing stands in the "
		"way.\n"
		"--confirm works as with apply.",
	.objects = "notice, change, pending",
	GPC_ROWS(options),
	GPC_EXIT_LIST(GPC_EXIT_OK, GPC_EXIT_FAILED, GPC_EXIT_INVALID, GPC_EXIT_REFUSED,
		      GPC_EXIT_HOST, GPC_EXIT_CONFLICT, GPC_EXIT_ROLLED_BACK, GPC_EXIT_INTERRUPTED,
		      GPC_EXIT_TERMINATED),
	.run = run,
};
