/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "../../compiler/base/cleanup.h"
#include "control.h"
#include "plane.h"
#include "prog.h"
#include "survey.h"

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
	ret->generation = gpc_stage_generation(
		instance, gpc_ctl_active(gpc_control_now(gpc_control_load(instance->control))));
	return 0;
}
