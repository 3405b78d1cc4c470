/* SPDX-License-Identifier: MIT */
#include "swap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../compiler/base/cleanup.h"
#include "../clock.h"
#include "../interrupt.h"
#include "buckets.h"
#include "carry.h"
#include "control.h"
#include "failpoint.h"
#include "kernel.h"
#include "state.h"

#define FLIP_TRIES 1000u

void gpc_swap_release(struct gpc_swap *swap)
{
	gpc_stage_close(&swap->staged);
	gpc_instance_close(&swap->fresh);
}

static bool on_fail_drop(const struct gpc_swap *swap)
{
	return swap->image->plane->flags & GPC_PLANE_ON_FAIL_DROP;
}

static struct gpc_instance *current(const struct gpc_swap *swap)
{
	return swap->survey->present ? &swap->survey->instances[0] : NULL;
}

/* ---- folder ---- */

static int make_folder(struct gpc_swap *swap, struct gpc_failure *failure)
{
	if (gpc_pin_make(swap->bpffs, failure))
		return -1;
	return gpc_instance_sweep(swap->bpffs, failure);
}

static void unmake_folder(struct gpc_swap *swap)
{
	struct gpc_failure ignored;

	if (!swap->survey->folder)
		(void)gpc_pin_unmake(swap->bpffs, &ignored);
	else if (!swap->survey->used)
		(void)gpc_pin_empty(swap->bpffs, &ignored);
}

/* ---- load, pin ---- */

static bool is_shared(const struct gpc_instance *from, const struct gpc_instance *to,
		      enum gpc_map_id id)
{
	return from->map_id[id] == to->map_id[id];
}

/*
 * Since when the flow tables of the new instance have what they have. Of what flows before policies
 * decide about it nobody has entered anything: then it counts as if they were new.
 */
static uint64_t flows_since(const struct gpc_swap *swap)
{
	const struct gpc_instance *from = current(swap);

	return from && is_shared(from, &swap->fresh, GPC_MAP_FLOWS4) && !swap->begins
		       ? from->control[GPC_CTL_FLOWS_SINCE]
		       : gpc_control_flows_since();
}

static int load(struct gpc_swap *swap, struct gpc_failure *failure)
{
	if (gpc_prog_load(&swap->sizes, current(swap), false, &swap->fresh, failure))
		return -1;
	swap->fresh.id.number = gpc_survey_last_number(swap->survey) + 1;
	swap->fresh.control[GPC_CTL_NONCE] = swap->nonce;
	swap->fresh.control[GPC_CTL_FLOWS_SINCE] = flows_since(swap);
	swap->target = &swap->fresh;
	return 0;
}

static void unload(struct gpc_swap *swap)
{
	gpc_instance_close(&swap->fresh);
}

static int pin(struct gpc_swap *swap, struct gpc_failure *failure)
{
	return gpc_instance_pin(&swap->fresh, swap->bpffs, failure);
}

static void unpin(struct gpc_swap *swap)
{
	struct gpc_failure ignored;

	/* By its name, whatever it is at this moment: complete or not. */
	(void)gpc_instance_remove(swap->bpffs, &swap->fresh.id, &ignored);
}

/* ---- copy: what a larger map of a new instance takes over ---- */

/* What an older gpc did not have, or had in another form, begins anew. */
static bool can_copy(const struct gpc_instance *from, const struct gpc_instance *to,
		     enum gpc_map_id id)
{
	return from->map[id] >= 0 && from->value_size[id] == to->value_size[id];
}

static int copy_rate(const struct gpc_instance *from, const struct gpc_instance *to)
{
	GPC_CLEANUP(gpc_buckets_unmap) struct gpc_buckets source = {0}, target = {0};
	uint32_t i;
	int r;

	if (is_shared(from, to, GPC_MAP_RATE) || !can_copy(from, to, GPC_MAP_RATE))
		return 0;
	r = gpc_buckets_map(from, &source);
	if (!r)
		r = gpc_buckets_map(to, &target);
	for (i = 0; i < source.count && !r; i++)
		target.words[i] = source.words[i];
	return r;
}

static int copy(struct gpc_swap *swap, struct gpc_failure *failure)
{
	const struct gpc_instance *from = current(swap), *to = &swap->fresh;
	uint32_t slot;
	int r = copy_rate(from, to);

	if (r)
		return gpc_kernel_fail(failure, -r, "cannot copy the rates");
	if (!swap->sizes.own_next && !is_shared(from, to, GPC_MAP_NEXT) &&
	    can_copy(from, to, GPC_MAP_NEXT))
		for (slot = 0; slot < from->entries[GPC_MAP_NEXT]; slot++)
			to->next[slot].hop = from->next[slot].hop;
	gpc_states_copy(from, to);
	return 0;
}

/* ---- keep: what it falls back to, in a new instance ---- */

/* The running image with this instance's nonce, in its size class; malloc'ed. */
static char *for_fresh(const struct gpc_swap *swap)
{
	const struct gpc_image *image = &swap->fallback->image;
	char *bytes = calloc(1, (size_t)1 << swap->fresh.id.log2);
	struct gpc_link_head *link;

	if (!bytes)
		return NULL;
	memcpy(bytes, image->bytes, image->head->size);
	link = (struct gpc_link_head *)(bytes + image->head->link_offset);
	link->nonce = swap->nonce;
	return bytes;
}

static int keep(struct gpc_swap *swap, struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_stage_close) struct gpc_staged staged = GPC_STAGED_NONE;
	GPC_AUTO_FREE char *bytes = NULL;

	if (!swap->confirm_ms)
		return 0;
	bytes = for_fresh(swap);
	if (!bytes)
		return gpc_fail(failure, GPC_EXIT_FAILED, ENOMEM, "cannot keep the running image");
	if (gpc_stage_pick(&swap->fresh, &swap->fallback_slot, failure) ||
	    gpc_stage_fill(&swap->fresh, bytes, &staged, failure) ||
	    gpc_stage_verify(&staged, bytes, failure))
		return -1;
	return gpc_stage_place(&swap->fresh, swap->fallback_slot, &staged, failure);
}

/* ---- stage, verify, place ---- */

static int stage(struct gpc_swap *swap, struct gpc_failure *failure)
{
	if (gpc_stage_pick(swap->target, &swap->slot, failure))
		return -1;
	return gpc_stage_fill(swap->target, swap->bytes, &swap->staged, failure);
}

static void unstage(struct gpc_swap *swap)
{
	gpc_stage_close(&swap->staged);
}

static int verify(struct gpc_swap *swap, struct gpc_failure *failure)
{
	return gpc_stage_verify(&swap->staged, swap->bytes, failure);
}

static int place(struct gpc_swap *swap, struct gpc_failure *failure)
{
	return gpc_stage_place(swap->target, swap->slot, &swap->staged, failure);
}

static void unplace(struct gpc_swap *swap)
{
	struct gpc_failure ignored;

	/* A new instance, whose word names it still, goes as a whole. */
	if (gpc_control_names(gpc_control_load(swap->target->control), swap->slot))
		return;
	/* If the flip was taken back a moment ago, packets may still be at work on it (rule R). */
	if (!gpc_kernel_grace())
		(void)gpc_stage_clear(swap->target, swap->slot, &ignored);
}

/* ---- hops: what packets of the new image will read beside it ---- */

static int zero_buckets(const struct gpc_instance *instance, const struct gpc_rule_fresh *fresh)
{
	GPC_CLEANUP(gpc_buckets_unmap) struct gpc_buckets buckets = {0};
	size_t i;
	uint32_t k;
	int r = gpc_buckets_map(instance, &buckets);

	for (i = 0; i < fresh->bucket_count && !r; i++)
		for (k = 0; k < fresh->buckets[i].count; k++)
			__atomic_store_n(&buckets.words[fresh->buckets[i].first + k], 0,
					 __ATOMIC_RELAXED);
	return r;
}

/* What was given out now may hold the counts of what it was given to before. */
static int zero_fresh(const struct gpc_instance *instance, const struct gpc_link_result *link)
{
	struct gpc_percpu counters =
		gpc_instance_percpu(instance, GPC_MAP_COUNTERS, sizeof(struct gpc_counter));
	struct gpc_percpu rules =
		gpc_instance_percpu(instance, GPC_MAP_RULES, sizeof(struct gpc_rule_counter));
	const struct gpc_rule_fresh *fresh = &link->fresh_rules;
	int r = gpc_percpu_zero(&counters, link->fresh_counters, link->fresh_counter_count);

	gpc_states_zero(instance, link->fresh_counters, link->fresh_counter_count);
	gpc_carry_forget(instance, link);
	if (!r)
		r = gpc_percpu_zero(&rules, fresh->counters, fresh->counter_count);
	return r ? r : zero_buckets(instance, fresh);
}

static int write_hops(struct gpc_swap *swap, struct gpc_failure *failure)
{
	volatile struct gpc_next *next = swap->target->next;
	size_t i;
	int r = 0;

	for (i = 0; i < swap->link->update_count; i++) {
		const struct gpc_next_update *update = &swap->link->updates[i];

		if (!update->fresh && !update->hop)
			continue;
		__atomic_store_n(&next[update->slot].hop, update->hop, __ATOMIC_RELAXED);
		__atomic_store_n(&next[update->slot].checked, 0, __ATOMIC_RELEASE);
	}
	if (swap->plan != GPC_PLAN_FIRST)
		r = zero_fresh(swap->target, swap->link);
	return r ? gpc_kernel_fail(failure, -r, "cannot zero the counters") : 0;
}

/* ---- levers: what operators have overridden, by the image's own order and weights ---- */

/* Before packets come to a new instance, but after the flip where the states are those of another image. */
static int pull_levers(struct gpc_swap *swap, struct gpc_failure *failure)
{
	struct gpc_view linked = {.base = swap->bytes, .mask = swap->image->view.mask};

	if (!swap->overrides)
		return 0;
	if (swap->confirm_ms && swap->fallback->present &&
	    gpc_states_publish(swap->target, &swap->fallback->image, swap->fallback->image.view,
			       swap->overrides, failure))
		return -1;
	return gpc_states_publish(swap->target, swap->image, linked, swap->overrides, failure);
}

static void unpull_levers(struct gpc_swap *swap)
{
	GPC_CLEANUP(gpc_image_release) struct gpc_image before = {0};
	struct gpc_instance *old = current(swap);
	struct gpc_failure ignored;
	uint64_t word;

	/* A new instance goes as a whole, but may share the maps of the old one. */
	if (!swap->overrides || !old)
		return;
	word = swap->target == old ? swap->word_before : gpc_control_load(old->control);
	if (!gpc_stage_read(old, gpc_ctl_active(word), &before, &ignored))
		(void)gpc_states_publish(old, &before, before.view, swap->overrides, &ignored);
}

/* ---- flip, publish ---- */

static double elapsed_us(const struct timespec *from, const struct timespec *to)
{
	return (double)(to->tv_sec - from->tv_sec) * 1e6 +
	       (double)(to->tv_nsec - from->tv_nsec) / 1e3;
}

/* The word with the deadline; one that was too far has been refused before. */
static uint64_t armed(const struct gpc_swap *swap, uint64_t word)
{
	uint32_t fallback = swap->plan == GPC_PLAN_LATER ? gpc_ctl_active(swap->word_before)
			    : swap->plan == GPC_PLAN_GROWTH ? swap->fallback_slot
							    : swap->slot;
	uint64_t deadline;

	if (!swap->confirm_ms ||
	    !gpc_control_deadline(gpc_clock_coarse(), swap->confirm_ms, &deadline))
		return word;
	return gpc_control_arm(word, fallback, swap->fallback->audit, deadline);
}

static uint64_t next_word(const struct gpc_swap *swap)
{
	uint64_t word = swap->word_before;

	switch (swap->plan) {
	case GPC_PLAN_LATER:
		return armed(swap,
			     gpc_control_flip(word, swap->slot, on_fail_drop(swap), swap->audit));
	case GPC_PLAN_SAME:
		return !(word & GPC_CTL_AUDIT) == !swap->audit
			       ? word
			       : gpc_control_audit(word, swap->audit);
	default:
		return armed(swap, gpc_control_first(swap->slot, on_fail_drop(swap), swap->audit));
	}
}

/*
 * Policies that begin to decide when the time is over are not told by anybody then: they learn now since
 * when connections may be unknown to them. Until then it lies in the future, where nothing is picked up.
 */
static void set_flows_since(const struct gpc_swap *swap, volatile uint64_t *control)
{
	if (swap->begins)
		control[GPC_CTL_FLOWS_SINCE] = gpc_control_flows_since();
	else if (swap->begins_again)
		control[GPC_CTL_FLOWS_SINCE] =
			gpc_control_flows_since() + swap->confirm_ms * 1000000u;
}

/* `gpc off` needs no lock: when it comes between reading and writing the word, it is read again. */
static int flip(struct gpc_swap *swap, struct gpc_failure *failure)
{
	volatile uint64_t *control = swap->target->control;
	struct timespec before, after;
	unsigned int try;
	bool done = false;

	swap->since_before = control[GPC_CTL_FLOWS_SINCE];
	set_flows_since(swap, control);
	for (try = 0; try < FLIP_TRIES && !done; try++) {
		swap->word_before = gpc_control_load(control);
		swap->word_after = next_word(swap);
		clock_gettime(CLOCK_MONOTONIC, &before);
		done = gpc_control_swap(control, swap->word_before, swap->word_after);
		clock_gettime(CLOCK_MONOTONIC, &after);
	}
	swap->flip_us = elapsed_us(&before, &after);
	if (done)
		return 0;
	return gpc_fail(failure, GPC_EXIT_CONFLICT, 0, "the control word never stood still");
}

static bool is_unflipped(const struct gpc_swap *swap, uint64_t word)
{
	if (swap->plan == GPC_PLAN_LATER)
		return gpc_ctl_active(word) != swap->slot;
	return swap->plan != GPC_PLAN_SAME || !swap->word_before ||
	       !((word ^ swap->word_before) & GPC_CTL_AUDIT);
}

static void unflip(struct gpc_swap *swap)
{
	volatile uint64_t *control = swap->target->control;
	uint64_t word;

	if (swap->since_before)
		control[GPC_CTL_FLOWS_SINCE] = swap->since_before;
	/* A flip that never happened has left the slot unnamed; a new instance goes as a whole. */
	do {
		word = gpc_control_load(control);
	} while (!is_unflipped(swap, word) &&
		 !gpc_control_swap(control, word, gpc_control_restore(word, swap->word_before)));
}

/*
 * What an operator set on the old instance holds on the new one. Who switches does so on all
 * instances that are published, the oldest first, and looks again whether there are more: whatever
 * was set on the old one alone is read here, however often that changes.
 */
static int follow_operator(struct gpc_swap *swap, struct gpc_failure *failure)
{
	const volatile uint64_t *old = current(swap)->control;
	volatile uint64_t *control = swap->fresh.control;
	unsigned int try;

	for (try = 0; try < FLIP_TRIES; try++) {
		uint64_t set = gpc_control_load(old), word = gpc_control_load(control);

		if (gpc_control_swap(control, word, gpc_control_follow(word, set)) &&
		    !((gpc_control_load(old) ^ set) & GPC_CTL_OPERATOR))
			return 0;
	}
	return gpc_fail(failure, GPC_EXIT_CONFLICT, 0, "the control word never stood still");
}

static int publish(struct gpc_swap *swap, struct gpc_failure *failure)
{
	/* Whoever reads counters reads the new ones from now on. */
	if ((swap->plan == GPC_PLAN_GROWTH &&
	     gpc_carry(current(swap), &swap->fresh, swap->link, failure)) ||
	    gpc_instance_publish(&swap->fresh, swap->bpffs, failure))
		return -1;
	return swap->plan == GPC_PLAN_GROWTH ? follow_operator(swap, failure) : 0;
}

/* ---- attach, prune ---- */

static int attach(struct gpc_swap *swap, struct gpc_failure *failure)
{
	return gpc_bindings_attach(swap->bpffs, swap->bindings, swap->target,
				   swap->survey->instances, swap->survey->count, swap->notices,
				   failure);
}

static void unattach(struct gpc_swap *swap)
{
	gpc_bindings_undo(swap->bindings);
}

/* ---- settle: what the programs before these have counted to their end ---- */

static int settle(struct gpc_swap *swap, struct gpc_failure *failure)
{
	int r = gpc_kernel_grace();

	if (r)
		return gpc_kernel_fail(failure, -r, "cannot wait for packets of the old programs");
	return gpc_carry(current(swap), &swap->fresh, swap->link, failure);
}

/* What is not wanted any more: links, and instances older than the one before this apply. */
static int prune(struct gpc_swap *swap, struct gpc_failure *failure)
{
	size_t i;

	if (gpc_links_prune(&swap->survey->links, swap->notices, failure))
		return -1;
	for (i = 1; i < swap->survey->count; i++)
		if (gpc_instance_remove(swap->bpffs, &swap->survey->instances[i].id, failure))
			return -1;
	return gpc_instance_sweep(swap->bpffs, failure);
}

/* ---- the table ---- */

enum step_id {
	END,
	FOLDER,
	LOAD,
	PIN,
	COPY,
	KEEP,
	STAGE,
	VERIFY,
	PLACE,
	HOPS,
	LEVERS,
	FLIP,
	PUBLISH,
	ATTACH,
	SETTLE,
	PRUNE,
};

static const struct step {
	const char *name;
	int (*run)(struct gpc_swap *swap, struct gpc_failure *failure);
	/* Of a run that failed half-way or never began, too; NULL: nothing to undo, or another's
	 * undo does it. */
	void (*undo)(struct gpc_swap *swap);
} steps[] = {
	[FOLDER] = {"folder", make_folder, unmake_folder},
	[LOAD] = {"load", load, unload},
	[PIN] = {"pin", pin, unpin},
	[COPY] = {"copy", copy, NULL},
	[KEEP] = {"keep", keep, NULL},
	[STAGE] = {"stage", stage, unstage},
	[VERIFY] = {"verify", verify, NULL},
	[PLACE] = {"place", place, unplace},
	[HOPS] = {"hops", write_hops, NULL},
	[LEVERS] = {"levers", pull_levers, unpull_levers},
	[FLIP] = {"flip", flip, unflip},
	[PUBLISH] = {"publish", publish, NULL},
	[ATTACH] = {"attach", attach, unattach},
	[SETTLE] = {"settle", settle, NULL},
	[PRUNE] = {"prune", prune, NULL},
};

static const struct {
	const char *name;
	enum step_id steps[17];
} plans[GPC_PLAN_COUNT] = {
	[GPC_PLAN_FIRST] = {"first",
			    {FOLDER, LOAD, PIN, STAGE, VERIFY, PLACE, HOPS, LEVERS, FLIP, PUBLISH,
			     ATTACH, PRUNE}},
	[GPC_PLAN_GROWTH] = {"growth",
			     {FOLDER, LOAD, PIN, COPY, KEEP, STAGE, VERIFY, PLACE, HOPS, LEVERS, FLIP,
			      PUBLISH, ATTACH, SETTLE, PRUNE}},
	[GPC_PLAN_LATER] = {"later", {STAGE, VERIFY, PLACE, HOPS, ATTACH, FLIP, LEVERS, PRUNE}},
	[GPC_PLAN_SAME] = {"same", {HOPS, ATTACH, FLIP, LEVERS, PRUNE}},
};

/* An interrupt counts until the flip; what begins with it is done to its end. */
static bool may_stop(enum step_id id)
{
	return id != PUBLISH && id != ATTACH && id != LEVERS && id != SETTLE &&
	       id != PRUNE;
}

static int run_step(struct gpc_swap *swap, enum step_id id, struct gpc_failure *failure)
{
	const struct step *step = &steps[id];
	char point[64];

	if (may_stop(id) && gpc_interrupt_check(failure))
		return -1;
	if (step->run(swap, failure))
		return -1;
	snprintf(point, sizeof(point), "%s.%s", plans[swap->plan].name, step->name);
	return gpc_failpoint(point) ? gpc_failpoint_fail(failure, point) : 0;
}

int gpc_swap_run(struct gpc_swap *swap, struct gpc_failure *failure)
{
	const enum step_id *first = plans[swap->plan].steps, *at;

	gpc_kernel_listen();
	if (swap->plan == GPC_PLAN_LATER || swap->plan == GPC_PLAN_SAME)
		swap->target = current(swap);
	for (at = first; *at != END; at++) {
		if (!run_step(swap, *at, failure))
			continue;
		for (; at >= first; at--)
			if (steps[*at].undo)
				steps[*at].undo(swap);
		return -1;
	}
	return 0;
}
