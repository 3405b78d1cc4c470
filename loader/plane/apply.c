/* SPDX-License-Identifier: MIT */
/* apply, undo and retire: what is to be done is found out first, without touching anything; then
 * swap.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "../../compiler/base/cleanup.h"
#include "control.h"
#include "../link/held.h"
#include "failpoint.h"
#include "flow_table.h"
#include "kernel.h"
#include "merging.h"
#include "plane.h"
#include "swap.h"

#define LEAST_COUNTERS 4096u
#define LEAST_NEXT 1024u
#define LEAST_RULES 1024u
#define LEAST_RATE 4096u
#define HELD_MAX 3u

/* What the last apply of this process did, for undo. */
static struct {
	bool valid;
	enum gpc_plan plan;
	char bpffs[GPC_PIN_PATH];
	uint64_t word, before;	    /* that it flipped to, and from */
	uint64_t since;		    /* GPC_CTL_FLOWS_SINCE before it */
	struct gpc_instance_id old; /* before a growth */
} last;

/* Everything of one apply. */
struct apply {
	struct gpc_swap swap;
	struct gpc_survey survey;
	struct gpc_bindings bindings;
	struct gpc_link_result link;
	char *bytes;
	struct gpc_staged held[HELD_MAX]; /* active first */
	struct gpc_view views[HELD_MAX];
	size_t held_count;
	struct gpc_rule_room rule_need;
	size_t bound;
	bool turned; /* the audit flag changes */
};

static void release_apply(struct apply *apply)
{
	size_t i;

	gpc_swap_release(&apply->swap);
	gpc_bindings_release(&apply->bindings);
	gpc_link_result_release(&apply->link);
	for (i = 0; i < apply->held_count; i++)
		gpc_stage_close(&apply->held[i]);
	gpc_survey_close(&apply->survey);
	free(apply->bytes);
}

static struct gpc_instance *current(struct apply *apply)
{
	return apply->survey.present ? &apply->survey.instances[0] : NULL;
}

/* ---- what is there ---- */

static void hold(struct apply *apply, uint32_t slot)
{
	struct gpc_staged *staged = &apply->held[apply->held_count];
	struct gpc_failure ignored;
	struct gpc_view view;

	if (gpc_stage_open(current(apply), slot, staged, &ignored))
		return;
	view = (struct gpc_view){.base = staged->bytes, .mask = staged->size - 1};
	if (!view.base || !gpc_held_linked(view)) {
		gpc_stage_close(staged);
		return;
	}
	apply->views[apply->held_count++] = view;
}

/*
 * The images that stay in use. True if the active one is this gpc's: another's keeps its slots, and is
 * replaced like none.
 */
static bool hold_images(struct apply *apply)
{
	uint64_t word = gpc_control_load(current(apply)->control);
	uint32_t active = gpc_ctl_active(word), previous = gpc_ctl_previous(word);
	uint32_t fallback = gpc_ctl_fallback(word);
	bool has_active;

	hold(apply, active);
	has_active = apply->held_count == 1 && gpc_held_own(apply->views[0]);
	if (previous != active)
		hold(apply, previous);
	if (fallback != active && fallback != previous)
		hold(apply, fallback);
	return has_active;
}

/* ---- what is needed ---- */

static bool has_edge(const struct apply *apply)
{
	size_t i;

	for (i = 0; i < apply->bindings.count; i++)
		if (apply->bindings.items[i].program == GPC_PROGRAM_XDP)
			return true;
	return false;
}

static bool is_stateful(const struct gpc_plane *plane)
{
	return plane->flags & GPC_PLANE_STATEFUL;
}

/* Does the image fill the flow tables? */
static bool wants_flows(const struct apply *apply)
{
	return has_edge(apply) || is_stateful(apply->swap.image->plane);
}

/* Does what runs fill them? */
static bool has_flows(struct apply *apply, bool has_active)
{
	size_t i;

	if (has_active && is_stateful(gpc_view_plane(apply->views[0])))
		return true;
	for (i = 0; i < apply->survey.links.count; i++)
		if (gpc_instance_program(current(apply), apply->survey.links.items[i].program) ==
		    GPC_PROGRAM_XDP)
			return true;
	return false;
}

static uint32_t at_least(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static struct gpc_rule_room room_of(const struct gpc_instance *instance)
{
	if (!instance)
		return (struct gpc_rule_room){0};
	return (struct gpc_rule_room){.counters = instance->entries[GPC_MAP_RULES],
				      .buckets = instance->entries[GPC_MAP_RATE]};
}

static int need_of_rules(struct apply *apply, struct gpc_failure *failure)
{
	int r = gpc_rules_need(apply->swap.image->view, apply->views, apply->held_count,
			       room_of(current(apply)), &apply->rule_need);

	if (r == -ENOSPC)
		return gpc_fail(failure, GPC_EXIT_HOST, 0,
				"the rules' `rate`s need more entries than a map can have");
	return r ? gpc_fail(failure, GPC_EXIT_FAILED, -r, "cannot assign the slots of rules") : 0;
}

/* What `per: source-ip` needs is large and seldom changes: a quarter more. */
static uint32_t rate_with_room(uint32_t need)
{
	return need > UINT32_MAX - need / 4 ? need : need + need / 4;
}

/* Room for three and a half images like this one (rules: half as many more), so that their
 * successors fit as well. */
static struct gpc_prog_sizes wanted_sizes(const struct apply *apply)
{
	const struct gpc_image *image = apply->swap.image;
	struct gpc_link_need need = gpc_link_need(image->view);

	return (struct gpc_prog_sizes){
		.log2 = image->log2,
		.flows = wants_flows(apply) ? image->plane->flows : GPC_MIN_FLOWS,
		.counters = at_least(LEAST_COUNTERS, GPC_COUNTER_FIRST_OBJECT + need.counters * 3 +
							     need.counters / 2),
		.next = at_least(LEAST_NEXT, need.next * 3 + need.next / 2),
		.rules = at_least(LEAST_RULES,
				  apply->rule_need.counters + apply->rule_need.counters / 2),
		.rate = at_least(LEAST_RATE, rate_with_room(apply->rule_need.buckets)),
	};
}

/* Does the running instance take the image beside those that it holds? */
static bool fits(struct apply *apply, const struct gpc_prog_sizes *wanted)
{
	const struct gpc_instance *instance = current(apply);
	struct gpc_link_need need = gpc_link_need(apply->swap.image->view);
	uint64_t counters = GPC_COUNTER_FIRST_OBJECT + (uint64_t)need.counters, next = need.next;
	char build[GPC_BUILD_TEXT];
	size_t i;

	for (i = 0; i < apply->held_count; i++) {
		struct gpc_link_need held = {0};

		if (!gpc_held_own(apply->views[i]))
			return false;
		held = gpc_link_need(apply->views[i]);
		counters += held.counters;
		next += held.next;
	}
	gpc_prog_build(instance->id.log2, build);
	return instance->id.log2 >= wanted->log2 && !strcmp(instance->id.build, build) &&
	       instance->entries[GPC_MAP_COUNTERS] >= counters &&
	       instance->entries[GPC_MAP_NEXT] >= next &&
	       instance->entries[GPC_MAP_RULES] >= apply->rule_need.counters &&
	       instance->entries[GPC_MAP_RATE] >= apply->rule_need.buckets &&
	       instance->entries[GPC_MAP_FLOWS4] >= gpc_flow_table_elements(wanted->flows);
}

/* A flow table cannot change its size while flows are in it. */
static int check_flows(struct apply *apply, bool has_active, struct gpc_failure *failure)
{
	const struct gpc_instance *instance = current(apply);
	uint32_t wanted = gpc_flow_table_elements(apply->swap.image->plane->flows);

	if (!wants_flows(apply) || !has_flows(apply, has_active))
		return 0;
	if (instance->value_size[GPC_MAP_FLOWS4] != sizeof(struct gpc_flow_element4) ||
	    instance->value_size[GPC_MAP_FLOWS6] != sizeof(struct gpc_flow_element6)) {
		gpc_fail(failure, GPC_EXIT_REFUSED, 0,
			 "the running flow tables are of another gpc, in a form that this one cannot take over");
		return gpc_fail_hint(failure, "keep that gpc, or accept the loss of all flows: gpc "
					      "detach, then apply");
	}
	if (instance->entries[GPC_MAP_FLOWS4] == wanted)
		return 0;
	gpc_fail(failure, GPC_EXIT_REFUSED, 0,
		 "`defaults.flows` is %u, but the running flow tables have "
		 "%u entries and cannot change without losing their flows",
		 wanted, instance->entries[GPC_MAP_FLOWS4]);
	return gpc_fail_hint(failure,
			     "write `flows: %u`, or accept the loss: gpc detach, then apply",
			     instance->entries[GPC_MAP_FLOWS4]);
}

/* ---- the link part ---- */

static int random_nonce(uint64_t *ret, struct gpc_failure *failure)
{
	do {
		if (getrandom(ret, sizeof(*ret), 0) != sizeof(*ret))
			return gpc_fail(failure, GPC_EXIT_FAILED, errno, "cannot get random bytes");
	} while (!(uint32_t)*ret);
	return 0;
}

static int fill_link(struct apply *apply, uint32_t generation, bool renew, bool has_active,
		     bool *ret_differs, struct gpc_failure *failure)
{
	struct gpc_swap *swap = &apply->swap;
	struct gpc_instance *instance = current(apply);
	struct gpc_link_input input = {
		.image = swap->image,
		.generation = generation,
		.nonce = renew ? swap->nonce : instance->control[GPC_CTL_NONCE],
		.cpus = gpc_kernel_cpus(),
		.counter_capacity =
			renew ? swap->sizes.counters : instance->entries[GPC_MAP_COUNTERS],
		.next_capacity = renew ? swap->sizes.next : instance->entries[GPC_MAP_NEXT],
		.rule_room = renew ? (struct gpc_rule_room){swap->sizes.rules, swap->sizes.rate}
				   : room_of(instance),
		.next = instance ? instance->next : NULL,
		.held = apply->views,
		.held_count = apply->held_count,
		.devices = &apply->survey.devices,
		.netlink = &apply->survey.netlink,
		.notices = swap->notices,
	};

	apply->bytes = calloc(1, (size_t)1 << (renew ? swap->sizes.log2 : instance->id.log2));
	if (!apply->bytes)
		return gpc_fail(failure, GPC_EXIT_FAILED, ENOMEM, "cannot link the image");
	memcpy(apply->bytes, swap->image->bytes, swap->image->size);
	input.bytes = apply->bytes;
	if (gpc_link_fill(&input, &apply->link, failure))
		return -1;
	*ret_differs = !has_active || gpc_link_differs(apply->views[0], &input);
	return 0;
}

/* ---- the plan ---- */

/* By its bytes: a digest does not say what became of them in the kernel. */
static bool same_decision(const struct apply *apply)
{
	const struct gpc_image *image = apply->swap.image;
	const struct gpc_image_head *head = image->head;
	const struct gpc_image_head *live = (const struct gpc_image_head *)apply->views[0].base;

	return live->decision_offset == head->decision_offset &&
	       live->decision_size == head->decision_size &&
	       !memcmp((const char *)live + head->decision_offset,
		       image->bytes + head->decision_offset, head->decision_size);
}

/* Maps that are shared are not smaller than wanted, but may be larger. */
static void keep_sizes(struct gpc_prog_sizes *sizes, const struct gpc_instance *instance)
{
	const uint32_t *entries = instance->entries;

	sizes->log2 = at_least(sizes->log2, instance->id.log2);
	sizes->counters = at_least(sizes->counters, entries[GPC_MAP_COUNTERS]);
	sizes->next = at_least(sizes->next, entries[GPC_MAP_NEXT]);
	sizes->rules = at_least(sizes->rules, entries[GPC_MAP_RULES]);
	sizes->rate = at_least(sizes->rate, entries[GPC_MAP_RATE]);
}

static bool is_audit(const struct gpc_instance *instance)
{
	return gpc_control_load(instance->control) & GPC_CTL_AUDIT;
}

/* Does another gpc's image run, of other layouts? What its flows were let through by goes on. */
static bool replaces_foreign(const struct apply *apply)
{
	return apply->held_count && !gpc_held_own(apply->views[0]);
}

/*
 * Do policies begin to decide now, or to keep state? Connections that live have no entries then, and
 * must survive it (SEMANTICS 5.4, `pickup`).
 */
static bool begins(struct apply *apply, bool has_active)
{
	const struct gpc_plane *live = has_active ? gpc_view_plane(apply->views[0]) : NULL;

	if (!is_stateful(apply->swap.image->plane) || replaces_foreign(apply))
		return false;
	if (!live || !is_stateful(live))
		return true;
	return apply->turned && !apply->swap.audit;
}

static int choose_plan(struct apply *apply, uint32_t generation, struct gpc_failure *failure)
{
	struct gpc_swap *swap = &apply->swap;
	bool has_active = false, renew, differs = true;

	if (apply->survey.present)
		has_active = hold_images(apply);
	apply->turned = apply->survey.present && is_audit(current(apply)) != swap->audit;
	swap->begins = begins(apply, has_active);
	if (need_of_rules(apply, failure))
		return -1;
	swap->sizes = wanted_sizes(apply);
	if (apply->survey.present) {
		if (check_flows(apply, has_active, failure))
			return -1;
		renew = !fits(apply, &swap->sizes);
		keep_sizes(&swap->sizes, current(apply));
		swap->sizes.own_next = replaces_foreign(apply);
	} else {
		renew = true;
	}
	swap->plan = !apply->survey.present ? GPC_PLAN_FIRST
		     : renew		    ? GPC_PLAN_GROWTH
					    : GPC_PLAN_LATER;
	if (random_nonce(&swap->nonce, failure) ||
	    fill_link(apply, generation, renew, has_active, &differs, failure))
		return -1;
	if (swap->plan == GPC_PLAN_LATER && has_active && !differs && same_decision(apply))
		swap->plan = GPC_PLAN_SAME;
	return 0;
}

/* Devices, links, foreign programs. Nothing is changed. */
static int look(struct apply *apply, struct gpc_failure *failure)
{
	struct gpc_swap *swap = &apply->swap;

	if (gpc_survey_open(swap->bpffs, &apply->survey, failure))
		return -1;
	apply->bound = gpc_devices_match(&apply->survey.devices, swap->image, swap->notices);
	if (!apply->bound) {
		gpc_fail(failure, GPC_EXIT_HOST, 0,
			 "no device of this host matches any of the plane's interfaces");
		return gpc_fail_hint(failure, "compare `interfaces:` with: ip -br link");
	}
	if (gpc_bindings_plan(swap->image, &apply->survey.devices, &apply->survey.links,
			      &apply->bindings, failure))
		return -1;
	return gpc_bindings_check(&apply->bindings, failure);
}

static void remember(const struct apply *apply)
{
	const struct gpc_swap *swap = &apply->swap;

	last.valid = true;
	last.plan = swap->plan;
	last.word = swap->word_after;
	last.before = swap->word_before;
	last.since = swap->since_before;
	snprintf(last.bpffs, sizeof(last.bpffs), "%s", swap->bpffs);
	if (swap->plan == GPC_PLAN_GROWTH)
		last.old = apply->survey.instances[0].id;
}

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

int gpc_plane_apply(const char *bpffs, const struct gpc_image *image, uint32_t generation,
		    enum gpc_stance stance, const struct gpc_overrides *overrides,
		    const struct gpc_notice_sink *notices, struct gpc_apply_outcome *ret,
		    struct gpc_failure *failure)
{
	GPC_CLEANUP(release_apply)
	struct apply apply = {
		.swap = {.bpffs = bpffs,
			 .image = image,
			 .notices = notices,
			 .overrides = overrides,
			 .audit = stance == GPC_STANCE_AUDIT,
			 .staged = GPC_STAGED_NONE},
	};
	struct gpc_swap *swap = &apply.swap;
	double start = now_ms();

	last.valid = false;
	gpc_instance_init(&swap->fresh);
	swap->survey = &apply.survey;
	swap->bindings = &apply.bindings;
	swap->link = &apply.link;
	if (look(&apply, failure) || choose_plan(&apply, generation, failure))
		return -1;
	swap->bytes = apply.bytes;
	if (gpc_swap_run(swap, failure))
		return -1;
	remember(&apply);
	gpc_merging_warn(image, &apply.bindings, notices);
	*ret = (struct gpc_apply_outcome){
		.generation = generation,
		.unchanged = swap->plan == GPC_PLAN_SAME,
		.turned = apply.turned,
		.devices = (uint32_t)apply.bound,
		.flip_us = swap->flip_us,
		.total_ms = now_ms() - start,
	};
	return 0;
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

/* Binds to `target` what the image wants. */
static int bind_as(struct gpc_survey *survey, const struct gpc_instance *target,
		   const struct gpc_image *image, struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_bindings_release) struct gpc_bindings bindings = {0};

	(void)gpc_devices_match(&survey->devices, image, NULL);
	if (gpc_bindings_plan(image, &survey->devices, &survey->links, &bindings, failure) ||
	    gpc_bindings_attach(last.bpffs, &bindings, target, survey->instances, survey->count,
				NULL, failure))
		return -1;
	return gpc_links_prune(&survey->links, NULL, failure);
}

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
	return bind_as(survey, instance, &image, failure);
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
	    bind_as(survey, old, &image, failure))
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
