/* SPDX-License-Identifier: MIT */
/*
 * swap.h: the state machine that makes an image the active one. A plan is a row of steps; each step
 * stands beside its undo, which runs, last step first, when a later one fails. SIGKILL between any
 * two steps leaves the old or the new plane; the next apply converges.
 *
 *   first    no plane is there     folder load pin stage verify place hops levers flip publish attach prune
 *   growth   a new instance takes  folder load pin copy keep stage verify place hops levers flip publish
 *            over: larger class,   attach settle prune
 *            larger maps, newer gpc
 *   later    the plane runs on     stage verify place hops attach flip levers prune
 *   same     same image, same      hops attach flip levers prune
 *            link part             (the audit flag alone, if at all)
 *
 * With `confirm_ms` the flip arms the word: what was active is the fallback. A growth stages it into the
 * new instance as well (keep).
 *
 * Nothing of a new instance is visible before `attach`, nothing of a new image before `flip`.
 */
#ifndef GPC_LOADER_PLANE_SWAP_H
#define GPC_LOADER_PLANE_SWAP_H

#include "../link/link.h"
#include "../override/override.h"
#include "fallback.h"
#include "prog.h"

enum gpc_plan { GPC_PLAN_FIRST, GPC_PLAN_GROWTH, GPC_PLAN_LATER, GPC_PLAN_SAME, GPC_PLAN_COUNT };

struct gpc_swap {
	/* given, none of it owned */
	const char *bpffs;
	const struct gpc_image *image;
	struct gpc_survey *survey;
	struct gpc_bindings *bindings;
	const struct gpc_link_result *link;
	const struct gpc_notice_sink *notices;
	const struct gpc_overrides *overrides;	/* NULL: what the maps say of them stays */
	const char *bytes;		/* the linked image, 2^class bytes */
	struct gpc_prog_sizes sizes;	/* of the new instance */
	uint64_t nonce;			/* of the new instance */
	enum gpc_plan plan;
	bool audit;			/* the policies only count */
	bool begins;			/* they begin to decide: flows may be picked up for a while */
	bool begins_again;		/* they will when the time for the confirmation is over */
	uint64_t confirm_ms;		/* 0: for good */
	struct gpc_fallback *fallback;	/* with confirm_ms: present, unless nothing runs */
	/* made by the steps */
	struct gpc_instance fresh;	/* the new instance; owned */
	struct gpc_instance *target;	/* where the image goes */
	struct gpc_staged staged;	/* owned */
	uint32_t slot, fallback_slot;
	uint64_t word_before, word_after;
	uint64_t since_before;		/* GPC_CTL_FLOWS_SINCE */
	double flip_us;
};

void gpc_swap_release(struct gpc_swap *swap);

/* Runs the plan. On failure, or interrupted before the flip, all that was done is undone. */
int gpc_swap_run(struct gpc_swap *swap, struct gpc_failure *failure);

#endif
