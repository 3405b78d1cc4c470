/* SPDX-License-Identifier: MIT */
/* apply: what is to be done is found out first, without touching anything; then swap.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "../../compiler/base/cleanup.h"
#include "../clock.h"
#include "control.h"
#include "../link/held.h"
#include "failpoint.h"
#include "flow_table.h"
#include "kernel.h"
#include "merging.h"
#include "plane.h"
#include "undo.h"

#define LEAST_COUNTERS 4096u
#define LEAST_NEXT 1024u
#define LEAST_RULES 1024u
#define LEAST_RATE 4096u
#define HELD_MAX 3u

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
	struct gpc_fallback fallback;
	size_t bound;
	bool turned; /* the audit flag changes */
};

static void release_apply(struct apply *apply)
{
	size_t i;

	gpc_swap_release(&apply->swap);
	gpc_bindings_release(&apply->bindings);
	gpc_fallback_close(&apply->fallback);
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

/* Will they, when the time for the confirmation is over? */
static bool begins_again(struct apply *apply, bool has_active)
{
	const struct gpc_swap *swap = &apply->swap;

	return swap->confirm_ms && has_active && is_stateful(gpc_view_plane(apply->views[0])) &&
	       !is_audit(current(apply)) && (!is_stateful(swap->image->plane) || swap->audit);
}

/* ---- a time for the confirmation ---- */

/* What runs is what it falls back to; it must be there, and one word must be enough to bring it back. */
static int plan_fallback(struct apply *apply, bool has_active, struct gpc_failure *failure)
{
	struct gpc_swap *swap = &apply->swap;
	uint64_t word, ignored;

	if (!swap->confirm_ms)
		return 0;
	if (!gpc_control_deadline(gpc_clock_coarse(), swap->confirm_ms, &ignored))
		return gpc_fail(failure, GPC_EXIT_HOST, 0,
				"this host runs too long without a reboot for --confirm");
	if (!apply->survey.present)
		return 0;
	if (!has_active) {
		gpc_fail(failure, GPC_EXIT_REFUSED, 0,
			 "what runs cannot be fallen back to: it is %s",
			 apply->held_count ? "another gpc's image" : "not readable");
		return gpc_fail_hint(failure, "apply without --confirm first%s",
				     apply->held_count ? ", or gpc upgrade" : "");
	}
	word = gpc_control_load(current(apply)->control);
	return gpc_fallback_open(&apply->survey, gpc_ctl_active(word), word & GPC_CTL_AUDIT,
				 &apply->fallback, failure);
}

/* Bindings and overrides of both images, once the new one is linked. */
static int join_fallback(struct apply *apply, struct gpc_failure *failure)
{
	struct gpc_swap *swap = &apply->swap;
	struct gpc_view linked = {.base = apply->bytes, .mask = swap->image->view.mask};

	if (!apply->fallback.present)
		return 0;
	if (gpc_fallback_join(&apply->fallback, &apply->bindings, failure))
		return -1;
	if (gpc_fallback_agree(&apply->fallback, swap->image, linked, swap->overrides, failure))
		return gpc_fail_hint(failure, "end it (gpc undrain), or apply without --confirm");
	return 0;
}

static int choose_plan(struct apply *apply, uint32_t generation, struct gpc_failure *failure)
{
	struct gpc_swap *swap = &apply->swap;
	bool has_active = false, renew, differs = true;

	if (apply->survey.present)
		has_active = hold_images(apply);
	apply->turned = apply->survey.present && is_audit(current(apply)) != swap->audit;
	swap->begins = begins(apply, has_active);
	swap->begins_again = begins_again(apply, has_active);
	if (plan_fallback(apply, has_active, failure) || need_of_rules(apply, failure))
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
	if (swap->plan == GPC_PLAN_LATER && !swap->confirm_ms && has_active && !differs &&
	    same_decision(apply))
		swap->plan = GPC_PLAN_SAME;
	return join_fallback(apply, failure);
}

/* Devices, links, foreign programs. Nothing is changed. */
static int look_at_hooks(struct apply *apply, struct gpc_failure *failure)
{
	struct gpc_swap *swap = &apply->swap;

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

static int look(struct apply *apply, struct gpc_failure *failure)
{
	if (gpc_survey_open(apply->swap.bpffs, &apply->survey, failure))
		return -1;
	if (apply->survey.present &&
	    gpc_ctl_deadline(gpc_control_load(current(apply)->control)))
		return gpc_fail(failure, GPC_EXIT_CONFLICT, 0,
				"an apply waits for its confirmation");
	return look_at_hooks(apply, failure);
}

int gpc_plane_bindable(const char *bpffs, const struct gpc_image *image,
		       struct gpc_failure *failure)
{
	GPC_CLEANUP(release_apply)
	struct apply apply = {
		.swap = {.bpffs = bpffs, .image = image, .staged = GPC_STAGED_NONE},
	};

	return gpc_survey_open(bpffs, &apply.survey, failure) || look_at_hooks(&apply, failure) ? -1
											       : 0;
}

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

int gpc_plane_apply(const char *bpffs, const struct gpc_image *image, uint32_t generation,
		    enum gpc_stance stance, uint64_t confirm_ms,
		    const struct gpc_overrides *overrides, const struct gpc_notice_sink *notices, struct gpc_apply_outcome *ret,
		    struct gpc_failure *failure)
{
	GPC_CLEANUP(release_apply)
	struct apply apply = {
		.swap = {.bpffs = bpffs,
			 .image = image,
			 .notices = notices,
			 .overrides = overrides,
			 .audit = stance == GPC_STANCE_AUDIT,
			 .confirm_ms = confirm_ms,
			 .staged = GPC_STAGED_NONE},
	};
	struct gpc_swap *swap = &apply.swap;
	double start = now_ms();

	gpc_undo_forget();
	gpc_instance_init(&swap->fresh);
	swap->survey = &apply.survey;
	swap->bindings = &apply.bindings;
	swap->link = &apply.link;
	swap->fallback = &apply.fallback;
	if (look(&apply, failure) || choose_plan(&apply, generation, failure))
		return -1;
	swap->bytes = apply.bytes;
	if (gpc_swap_run(swap, failure))
		return -1;
	gpc_undo_remember(swap);
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
