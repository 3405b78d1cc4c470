/* SPDX-License-Identifier: MIT */
#include "confirm.h"

#include "../../compiler/base/cleanup.h"
#include "../clock.h"
#include "control.h"
#include "failpoint.h"
#include "plane.h"
#include "survey.h"

#define TRIES 1000u

/* ---- how it stands ---- */

struct gpc_confirm gpc_confirm_describe(const struct gpc_instance *instance, uint64_t word)
{
	struct gpc_confirm confirm = {.present = true};
	int64_t left = gpc_control_left_ns(word, gpc_clock_coarse());

	confirm.generation = gpc_stage_generation(instance, gpc_ctl_active(word));
	if (!gpc_ctl_deadline(word))
		return confirm;
	confirm.armed = true;
	confirm.expired = left <= 0;
	confirm.first = gpc_ctl_fallback(word) == gpc_ctl_active(word);
	confirm.left_ms = confirm.expired ? 0 : (uint64_t)left / 1000000u;
	if (!confirm.first)
		confirm.fallback = gpc_stage_generation(instance, gpc_ctl_fallback(word));
	return confirm;
}

int gpc_confirm_read(const char *bpffs, struct gpc_confirm *ret, struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_survey_close) struct gpc_survey survey = {0};

	if (gpc_survey_open(bpffs, &survey, failure))
		return -1;
	*ret = (struct gpc_confirm){0};
	if (survey.present)
		*ret = gpc_confirm_describe(&survey.instances[0],
				gpc_control_load(survey.instances[0].control));
	return 0;
}

/* ---- afterwards ---- */

/* A time that lay in the future, for the deadline's sake. */
static void end_future(volatile uint64_t *control)
{
	uint64_t now = gpc_control_flows_since();

	if (control[GPC_CTL_FLOWS_SINCE] > now)
		control[GPC_CTL_FLOWS_SINCE] = now;
}

static int reached(const char *point, struct gpc_failure *failure)
{
	return gpc_failpoint(point) ? gpc_failpoint_fail(failure, point) : 0;
}

/* The links of what stays. It decides already: what fails here is mended by the next apply. */
static int bind_active(struct gpc_survey *survey, const char *bpffs,
		       const struct gpc_notice_sink *notices, struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_image_release) struct gpc_image image = {0};
	const struct gpc_instance *instance = &survey->instances[0];
	uint32_t slot = gpc_ctl_active(gpc_control_load(instance->control));

	end_future(instance->control);
	if (reached("confirm.flipped", failure) ||
	    gpc_stage_read(instance, slot, &image, failure) ||
	    gpc_survey_bind(survey, bpffs, instance, &image, notices, failure))
		return -1;
	return reached("confirm.bound", failure);
}

static int fail_moving(struct gpc_failure *failure)
{
	return gpc_fail(failure, GPC_EXIT_CONFLICT, 0, "the control word never stood still");
}

/* ---- keep ---- */

static int refuse_keep(const struct gpc_confirm *confirm, uint32_t generation,
		       struct gpc_failure *failure)
{
	if (!confirm->armed)
		return gpc_fail(failure, GPC_EXIT_CONFLICT, 0, "nothing waits for a confirmation");
	if (confirm->expired)
		return gpc_fail(failure, GPC_EXIT_ROLLED_BACK, 0,
				"too late: the time of generation %u is over, %s",
				confirm->generation,
				confirm->first ? "and nothing ran before it"
					       : "what ran before decides again");
	if (confirm->generation != generation)
		return gpc_fail(failure, GPC_EXIT_CONFLICT, 0,
				"it is generation %u that waits, not %u", confirm->generation,
				generation);
	if (confirm->left_ms >= GPC_CONFIRM_TOO_LATE_MS)
		return 0;
	return gpc_fail(failure, GPC_EXIT_CONFLICT, 0,
			"too late: only %llu ms are left for generation %u, an answer may not come "
			"before the deadline",
			(unsigned long long)confirm->left_ms, confirm->generation);
}

/* Stopped between looking at the clock and the store, and then for longer than what was left? */
static bool came_too_late(uint64_t word)
{
	return gpc_control_left_ns(word, gpc_clock_coarse()) <= 0;
}

int gpc_confirm_keep(const char *bpffs, uint32_t generation, const struct gpc_notice_sink *notices,
		     struct gpc_confirm *ret, struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_survey_close) struct gpc_survey survey = {0};
	volatile uint64_t *control;
	uint64_t word, kept;

	*ret = (struct gpc_confirm){0};
	if (gpc_survey_open(bpffs, &survey, failure))
		return -1;
	if (!survey.present)
		return gpc_fail(failure, GPC_EXIT_CONFLICT, 0, "no plane is running below '%s'", bpffs);
	control = survey.instances[0].control;
	for (unsigned int try = 0; try < TRIES; try++) {
		word = gpc_control_load(control);
		*ret = gpc_confirm_describe(&survey.instances[0], word);
		if (refuse_keep(ret, generation, failure))
			return -1;
		kept = gpc_control_keep(word);
		if (!gpc_control_swap(control, word, kept))
			continue;
		if (!came_too_late(word))
			return bind_active(&survey, bpffs, notices, failure);
		/* Packets have been decided by the fallback since: it stays. */
		if (!gpc_control_swap(control, kept, word))
			return fail_moving(failure);
	}
	return fail_moving(failure);
}

/* ---- fall back ---- */

/* By the image that becomes active; one that cannot be read leaves the bit as it is. */
static bool drops_on_fail(const struct gpc_instance *instance, uint64_t word)
{
	GPC_CLEANUP(gpc_image_release) struct gpc_image image = {0};
	struct gpc_failure ignored;

	if (gpc_stage_read(instance, gpc_ctl_fallback(word), &image, &ignored))
		return gpc_ctl_on_fail(word) == GPC_ON_FAIL_DROP;
	return image.plane->flags & GPC_PLANE_ON_FAIL_DROP;
}

int gpc_confirm_fall_back(const char *bpffs, const struct gpc_notice_sink *notices,
			  struct gpc_confirm *ret, struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_survey_close) struct gpc_survey survey = {0};
	const struct gpc_instance *instance;

	*ret = (struct gpc_confirm){0};
	if (gpc_survey_open(bpffs, &survey, failure))
		return -1;
	if (!survey.present)
		return 0;
	instance = &survey.instances[0];
	for (unsigned int try = 0; try < TRIES; try++) {
		uint64_t word = gpc_control_load(instance->control);

		*ret = gpc_confirm_describe(instance, word);
		if (!ret->armed)
			return 0;
		if (ret->first)
			return gpc_plane_detach(bpffs, notices, failure);
		if (gpc_control_swap(instance->control, word,
				     gpc_control_fall_back(word, drops_on_fail(instance, word))))
			return bind_active(&survey, bpffs, notices, failure);
	}
	return fail_moving(failure);
}
