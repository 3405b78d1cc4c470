/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "../../compiler/base/cleanup.h"
#include "activate.h"
#include "guard.h"
#include "output.h"

static const struct gpc_option options[] = {
	{'v', "verbose", NULL, "show every change"},
	GPC_OPTION_FORCE,
	GPC_OPTION_JSON,
};

/* Without a number: the one before the newest, whatever its number. */
static int choose(const struct gpc_call *call, struct gpc_history *history,
		  struct gpc_generation *ret, struct gpc_failure *failure)
{
	GPC_AUTO_FREE struct gpc_generation *list = NULL;
	unsigned long number;
	size_t count;

	if (call->operand_count) {
		if (gpc_number_parse(call->operands[0], 1, UINT32_MAX, &number))
			return gpc_history_find(history, (uint32_t)number, ret, failure);
		return gpc_fail(failure, GPC_EXIT_USAGE, 0, "'%s' is no generation's number",
				call->operands[0]);
	}
	if (gpc_history_list(history, 2, &list, &count, failure))
		return -1;
	if (count < 2) {
		gpc_fail(failure, GPC_EXIT_INVALID, 0,
			 "there is no generation before the current one");
		return gpc_fail_hint(failure, "gpc log lists what there is");
	}
	*ret = list[1];
	return 0;
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
	rc = gpc_activate(call, history, &entry);
	gpc_image_release(&image);
	return rc;
}

static enum gpc_exit run(const struct gpc_call *call)
{
	return gpc_in_session(call, roll_back);
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
		"generation that names the old one. History only grows. An image that is no "
		"longer\n"
		"stored is rebuilt from the generation's sources and must give the same decision. "
		"One with\n"
		"another `flows` needs gpc detach first (4). The lock-out guard of apply looks at it "
		"too.",
	.objects = "notice, change",
	GPC_ROWS(options),
	GPC_EXIT_LIST(GPC_EXIT_OK, GPC_EXIT_FAILED, GPC_EXIT_INVALID, GPC_EXIT_REFUSED,
		      GPC_EXIT_HOST, GPC_EXIT_CONFLICT, GPC_EXIT_ROLLED_BACK, GPC_EXIT_INTERRUPTED,
		      GPC_EXIT_TERMINATED),
	.run = run,
};
