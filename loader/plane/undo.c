/* SPDX-License-Identifier: MIT */
#include "undo.h"

#include <stdio.h>
#include <string.h>

#include "../../compiler/base/cleanup.h"
#include "control.h"
#include "failpoint.h"
#include "plane.h"

/* What the last apply of this process did, for undo. */
static struct {
	bool valid;
	enum gpc_plan plan;
	char bpffs[GPC_PIN_PATH];
	uint64_t word, before;	    /* that it flipped to, and from */
	uint64_t since;		    /* GPC_CTL_FLOWS_SINCE before it */
	struct gpc_instance_id old; /* before a growth */
} last;

void gpc_undo_forget(void)
{
	last.valid = false;
}

void gpc_undo_remember(const struct gpc_swap *swap)
{
	last.valid = true;
	last.plan = swap->plan;
	last.word = swap->word_after;
	last.before = swap->word_before;
	last.since = swap->since_before;
	snprintf(last.bpffs, sizeof(last.bpffs), "%s", swap->bpffs);
	if (swap->plan == GPC_PLAN_GROWTH)
		last.old = swap->survey->instances[0].id;
}

/* ---- retire ---- */

int gpc_plane_retire(const char *bpffs, struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_survey_close) struct gpc_survey survey = {0};
	size_t i;

	if (gpc_survey_open(bpffs, &survey, failure))
		return -1;
	if (!survey.present)
		return 0;
	for (i = 1; i < survey.count; i++)
		if (gpc_instance_remove(bpffs, &survey.instances[i].id, failure))
			return -1;
	if (gpc_failpoint("retire.instances"))
		return gpc_failpoint_fail(failure, "retire.instances");
	if (gpc_instance_sweep(bpffs, failure))
		return -1;
	return gpc_stage_retire(&survey.instances[0], failure);
}

/* ---- undo ---- */

static void flip_back(volatile uint64_t *control, const struct gpc_image *image)
{
	bool drop = image->plane->flags & GPC_PLANE_ON_FAIL_DROP;
	bool audit = last.before & GPC_CTL_AUDIT;
	uint64_t word;

	control[GPC_CTL_FLOWS_SINCE] = last.since;
	do {
		word = gpc_control_load(control);
	} while (!gpc_control_swap(control, word,
				   gpc_control_flip(word, gpc_ctl_previous(word), drop, audit)));
}

static int undo_same(struct gpc_survey *survey)
{
	volatile uint64_t *control = survey->instances[0].control;
	bool audit = last.before & GPC_CTL_AUDIT;
	uint64_t word;

	control[GPC_CTL_FLOWS_SINCE] = last.since;
	do {
		word = gpc_control_load(control);
	} while (!(word & GPC_CTL_AUDIT) != !audit &&
		 !gpc_control_swap(control, word, gpc_control_audit(word, audit)));
	return 0;
}

static int undo_later(struct gpc_survey *survey, struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_image_release) struct gpc_image image = {0};
	const struct gpc_instance *instance = &survey->instances[0];
	uint64_t word = gpc_control_load(instance->control);

	if (gpc_ctl_active(word) != gpc_ctl_active(last.word) ||
	    gpc_ctl_previous(word) != gpc_ctl_previous(last.word))
		return gpc_fail(failure, GPC_EXIT_CONFLICT, 0,
				"the plane was changed after the apply");
	if (gpc_stage_read(instance, gpc_ctl_previous(word), &image, failure))
		return -1;
	flip_back(instance->control, &image);
	return gpc_survey_bind(survey, last.bpffs, instance, &image, NULL, failure);
}

/* The old instance still stands: nothing retires it before the answer. */
static int undo_growth(struct gpc_survey *survey, struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_image_release) struct gpc_image image = {0};
	struct gpc_instance *old = NULL;
	size_t i;

	for (i = 0; i < survey->count; i++)
		if (survey->instances[i].id.number == last.old.number)
			old = &survey->instances[i];
	if (!old)
		return gpc_fail(failure, GPC_EXIT_FAILED, 0, "the old instance is gone");
	if (gpc_stage_read(old, gpc_ctl_active(gpc_control_load(old->control)), &image, failure) ||
	    gpc_survey_bind(survey, last.bpffs, old, &image, NULL, failure))
		return -1;
	for (i = 0; i < survey->count; i++)
		if (&survey->instances[i] != old &&
		    gpc_instance_remove(last.bpffs, &survey->instances[i].id, failure))
			return -1;
	return 0;
}

int gpc_plane_undo(const char *bpffs, struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_survey_close) struct gpc_survey survey = {0};

	if (!last.valid || strcmp(last.bpffs, bpffs))
		return gpc_fail(failure, GPC_EXIT_FAILED, 0, "there is no apply to take back");
	last.valid = false;
	if (last.plan == GPC_PLAN_FIRST)
		return gpc_plane_detach(bpffs, NULL, failure);
	if (gpc_survey_open(bpffs, &survey, failure))
		return -1;
	if (!survey.present)
		return gpc_fail(failure, GPC_EXIT_CONFLICT, 0, "the plane is gone");
	switch (last.plan) {
	case GPC_PLAN_SAME:
		return undo_same(&survey);
	case GPC_PLAN_LATER:
		return undo_later(&survey, failure);
	default:
		return undo_growth(&survey, failure);
	}
}
