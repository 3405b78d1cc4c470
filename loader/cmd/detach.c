/* SPDX-License-Identifier: MIT */
#include "../../compiler/base/cleanup.h"
#include "../plane/claim.h"
#include "../plane/lock.h"
#include "output.h"
#include "settle.h"

static const struct gpc_option options[] = {GPC_OPTION_JSON};

/* What waits for its confirmation does not get it. A plane that cannot be read can still be detached. */
static void end_waiting(const struct gpc_call *call)
{
	GPC_CLEANUP(gpc_history_free) struct gpc_history *history = NULL;
	struct gpc_confirm found;
	struct gpc_failure ignored;

	if (gpc_history_open(gpc_state_dir(), false, &history, &ignored) ||
	    gpc_confirm_read(gpc_bpffs(), &found, &ignored))
		return;
	if (found.armed)
		gpc_record_end(call, history, found.expired ? "expired" : "detached");
}

static enum gpc_exit run(const struct gpc_call *call)
{
	GPC_CLEANUP(gpc_lock_release) struct gpc_lock lock = GPC_LOCK_NONE;
	GPC_CLEANUP(gpc_claim_release) struct gpc_claim claim = GPC_CLAIM_NONE;
	const struct gpc_notice_sink notices = gpc_notices(call);
	struct gpc_failure failure;

	if (gpc_lock_acquire(gpc_state_dir(), &lock, &failure) ||
	    gpc_claim_take(gpc_bpffs(), false, &claim, &failure))
		return gpc_finish_failed(call, &failure);
	end_waiting(call);
	if (gpc_plane_detach(gpc_bpffs(), &notices, &failure))
		return gpc_finish_failed(call, &failure);
	if (!gpc_call_has(call, "json"))
		puts("detached: nothing of the plane is left in the kernel; the history stays");
	return gpc_finish(call, GPC_EXIT_OK, NULL);
}

const struct gpc_command gpc_command_detach = {
	.name = "detach",
	.side = GPC_SIDE_HOST,
	.summary = "remove the plane from the kernel",
	.operands = "",
	.description =
		"Removes links, then programs and maps. Flows and counters are gone after "
		"it; what was\n"
		"balanced or denied is no longer. The history stays: gpc restore brings back what\n"
		"was, after gpc apply policies only audit again. No error when there is nothing "
		"to\n"
		"remove.",
	.objects = "notice",
	GPC_ROWS(options),
	GPC_EXIT_LIST(GPC_EXIT_OK, GPC_EXIT_FAILED, GPC_EXIT_HOST, GPC_EXIT_CONFLICT),
	.run = run,
};
