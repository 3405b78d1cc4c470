/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "../../compiler/base/cleanup.h"
#include "../interrupt.h"
#include "activate.h"
#include "describe.h"
#include "journaled.h"
#include "output.h"

static const struct gpc_option options[] = {GPC_OPTION_JSON};

/* As it was: neither drops what was only counted nor opens what was closed. */
static enum gpc_stance recorded_stance(const struct gpc_generation *newest,
				       const struct gpc_image *image)
{
	if (!gpc_has_policies(image->plane))
		return GPC_STANCE_NONE;
	return newest->stance == GPC_STANCE_NONE ? GPC_STANCE_AUDIT : newest->stance;
}

static enum gpc_exit apply(const struct gpc_call *call, const struct gpc_generation *newest,
			   const struct gpc_image *image)
{
	const struct gpc_notice_sink notices = gpc_notices(call);
	struct json_object *result = gpc_json("result");
	GPC_CLEANUP(gpc_journaled_release) struct gpc_journaled journaled = {0};
	struct gpc_apply_outcome outcome = {0};
	enum gpc_stance stance = recorded_stance(newest, image);
	struct gpc_failure failure;
	char devices[32];

	gpc_journaled_read(call, &journaled);
	if (gpc_plane_apply(gpc_bpffs(), image, newest->number, stance, 0,
			    gpc_journaled_overrides(&journaled), &notices, &outcome, &failure)) {
		json_object_put(result);
		return gpc_finish_failed(call, &failure);
	}
	gpc_journaled_settle(call, &journaled, image);
	if (!gpc_call_has(call, "json"))
		printf("generation %u %s, plane %s, %s\n", newest->number,
		       outcome.unchanged && !outcome.turned ? "is running already"
							    : "is live again",
		       gpc_image_name(image, image->plane->name),
		       gpc_text_number(outcome.devices, "device", devices));
	gpc_json_number(result, "generation", newest->number);
	gpc_json_bool(result, "unchanged", outcome.unchanged);
	gpc_say_stance(call, stance);
	gpc_json_number(result, "devices", outcome.devices);
	gpc_json_text(result, "policy_mode", gpc_stance_name(stance));
	gpc_describe_json(image, result);
	return gpc_finish(call, GPC_EXIT_OK, result);
}

/* Neither what was taken back nor what nobody has confirmed. */
static int find_standing(struct gpc_history *history, struct gpc_generation *ret,
			 struct gpc_failure *failure)
{
	bool found;

	if (gpc_history_standing(history, 0, ret, &found, failure))
		return -1;
	if (found)
		return 0;
	gpc_fail(failure, GPC_EXIT_FAILED, 0, "no generation that stands is recorded in '%s'",
		 gpc_state_dir());
	return gpc_fail_hint(failure, "gpc apply records the first one");
}

static enum gpc_exit run(const struct gpc_call *call)
{
	GPC_CLEANUP(gpc_session_close) struct gpc_session session = GPC_SESSION_NONE;
	struct gpc_generation newest;
	struct gpc_failure failure;
	struct gpc_image image;
	enum gpc_exit rc;
	bool rebuilt;

	gpc_interrupts_hold();
	if (gpc_session_open(call, &session, &failure))
		return gpc_finish_failed(call, &failure);
	if (find_standing(session.history, &newest, &failure))
		return gpc_finish_failed(call, &failure);
	if (gpc_history_image(session.history, &newest, &image, &rebuilt, &failure))
		return gpc_finish_failed(call, &failure);
	if (rebuilt)
		gpc_say(call, GPC_DIM, "note",
			"the image of generation %u was rebuilt from its sources", newest.number);
	rc = apply(call, &newest, &image);
	gpc_image_release(&image);
	return rc;
}

const struct gpc_command gpc_command_restore = {
	.name = "restore",
	.side = GPC_SIDE_HOST,
	.summary = "at boot: run the generation that was recorded last",
	.operands = "",
	.description = "Loads the image of the newest generation that was not taken back and does not "
		       "wait for a\n"
		       "confirmation, or says that it is running already. Records no generation and asks no "
		       "probes;\n"
		       "its policies audit or decide as they did. A unit that runs it after the network is up "
		       "makes\n"
		       "the plane survive a reboot.",
	.objects = "notice",
	GPC_ROWS(options),
	GPC_EXIT_LIST(GPC_EXIT_OK, GPC_EXIT_FAILED, GPC_EXIT_REFUSED, GPC_EXIT_HOST, GPC_EXIT_CONFLICT,
		      GPC_EXIT_INTERRUPTED,
		      GPC_EXIT_TERMINATED),
	.run = run,
};
