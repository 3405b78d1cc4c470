/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "activate.h"
#include "guard.h"
#include "output.h"

static const struct gpc_option options[] = {
	{'v', "verbose", NULL, "show every change"},
	GPC_OPTION_FORCE,
	GPC_OPTION_JSON,
};

/* The generation that runs, as the history knows it. */
static int find_running(struct gpc_history *history, const struct gpc_plane_programs *programs,
			struct gpc_generation *ret, struct gpc_failure *failure)
{
	if (!programs->present) {
		gpc_fail(failure, GPC_EXIT_FAILED, 0, "no plane is running");
		return gpc_fail_hint(failure, "gpc restore runs what was recorded last");
	}
	if (programs->generation && !gpc_history_find(history, programs->generation, ret, failure))
		return 0;
	gpc_fail(failure, GPC_EXIT_CONFLICT, 0,
		 "what runs is not in the history, so its sources are not known");
	return gpc_fail_hint(failure, "gpc apply FILE brings the new programs, too");
}

static void say_programs(const struct gpc_call *call, const struct gpc_plane_programs *programs)
{
	struct json_object *object;

	if (!gpc_call_has(call, "json")) {
		printf(programs->own ? "programs %s: this gpc's already\n"
				     : "programs %s -> %s\n",
		       programs->running, programs->carried);
		return;
	}
	object = gpc_json("programs");
	gpc_json_text(object, "running", programs->running);
	gpc_json_text(object, "carried", programs->carried);
	gpc_json_bool(object, "replaced", !programs->own);
	gpc_json_print(object);
}

static enum gpc_exit upgrade(const struct gpc_call *call, struct gpc_history *history)
{
	struct gpc_plane_programs programs;
	struct gpc_generation running;
	struct gpc_failure failure;
	struct gpc_image image;
	char source[64];
	struct gpc_history_entry entry = {
		.image = &image, .source = source, .rollback_of = &running, .upgrade = true};
	enum gpc_exit rc;
	bool rebuilt;

	if (gpc_plane_programs(gpc_bpffs(), &programs, &failure) ||
	    find_running(history, &programs, &running, &failure) ||
	    gpc_history_image(history, &running, &image, &rebuilt, &failure))
		return gpc_finish_failed(call, &failure);
	if (rebuilt)
		gpc_say(call, GPC_DIM, "note", "generation %u was compiled anew from its sources",
			running.number);
	say_programs(call, &programs);
	snprintf(source, sizeof(source), "upgrade of %u to gpc %s", running.number, GPC_VERSION);
	rc = gpc_activate(call, history, &entry, NULL);
	gpc_image_release(&image);
	return rc;
}

static enum gpc_exit run(const struct gpc_call *call)
{
	return gpc_in_session(call, upgrade);
}

const struct gpc_command gpc_command_upgrade = {
	.name = "upgrade",
	.side = GPC_SIDE_HOST,
	.summary = "replace the running programs by those of this gpc",
	.operands = "",
	.description =
		"Runs the same generation by the programs that this gpc carries. Each hook changes by "
		"one\n"
		"replacement of its program: no packet is lost, flows and counters go on. An older gpc "
		"takes\n"
		"back in the same way. If this gpc writes images of another layout, the generation's "
		"sources\n"
		"are compiled anew and recorded as a new generation that names the old one.",
	.objects = "notice, programs, change",
	GPC_ROWS(options),
	GPC_EXIT_LIST(GPC_EXIT_OK, GPC_EXIT_FAILED, GPC_EXIT_INVALID, GPC_EXIT_REFUSED,
		      GPC_EXIT_HOST, GPC_EXIT_CONFLICT, GPC_EXIT_ROLLED_BACK, GPC_EXIT_INTERRUPTED,
		      GPC_EXIT_TERMINATED),
	.run = run,
};
