/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "../../compiler/base/cleanup.h"
#include "../link/held.h"
#include "control.h"
#include "gpc/lookup/device.h"
#include "plane.h"
#include "prog.h"
#include "stage.h"
#include "survey.h"

static uint32_t active_generation(const struct gpc_instance *instance)
{
	uint32_t slot = gpc_ctl_active(gpc_control_load(instance->control)), generation = 0;
	struct gpc_staged staged = GPC_STAGED_NONE;
	struct gpc_failure ignored;
	struct gpc_view view;

	if (gpc_stage_open(instance, slot, &staged, &ignored))
		return 0;
	view = (struct gpc_view){.base = staged.bytes, .mask = staged.size - 1};
	if (view.base && gpc_held_linked(view))
		generation = gpc_view_link(view)->generation;
	gpc_stage_close(&staged);
	return generation;
}

int gpc_plane_programs(const char *bpffs, struct gpc_plane_programs *ret,
		       struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_survey_close) struct gpc_survey survey = {0};
	const struct gpc_instance *instance;

	*ret = (struct gpc_plane_programs){0};
	if (gpc_survey_open(bpffs, &survey, failure))
		return -1;
	if (!survey.present)
		return 0;
	instance = &survey.instances[0];
	ret->present = true;
	memcpy(ret->running, instance->id.build, sizeof(ret->running));
	gpc_prog_build(instance->id.log2, ret->carried);
	ret->own = !strcmp(ret->running, ret->carried);
	ret->generation = active_generation(instance);
	return 0;
}
