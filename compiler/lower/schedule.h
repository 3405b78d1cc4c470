/* SPDX-License-Identifier: MIT */
/*
 * schedule.h: whose turn it is to take a Maglev slot (the weights of maglev.h). A round asks every
 * endpoint once, in order; an endpoint of weight w, W being the greatest, takes its k-th slot in
 * round ceil(k * W / w). Rounds in which nobody takes one are skipped, so the cost is that of the
 * slots taken and not of W / w.
 */
#ifndef GPC_LOWER_SCHEDULE_H
#define GPC_LOWER_SCHEDULE_H

#include "maglev.h"

struct gpc_schedule {
	uint32_t *due;		/* endpoints that take a slot in this round, ascending */
	size_t due_count, next;	/* next: how many of them had their turn */
	const struct gpc_maglev_endpoint *endpoints;
	size_t count;
	uint32_t heaviest;
	enum {
		GPC_SCHEDULE_EQUAL,	/* all, in every round */
		GPC_SCHEDULE_DENSE,	/* most rounds have many: ask everybody */
		GPC_SCHEDULE_SPARSE,	/* most rounds have none or few: a heap of (round, endpoint) */
	} kind;
	uint32_t *credit;	/* dense */
	uint32_t *taken;	/* sparse: slots so far */
	uint64_t *heap;		/* sparse: round << 16 | endpoint */
};

/* count: 1..65535. Aborts when there is no memory. */
void gpc_schedule_init(struct gpc_schedule *schedule, const struct gpc_maglev_endpoint *endpoints,
		       size_t count);

/* Goes to the next round in which anybody takes a slot. */
void gpc_schedule_round(struct gpc_schedule *schedule);

/* Number of the endpoint that takes the next slot. */
static inline uint32_t gpc_schedule_next(struct gpc_schedule *schedule)
{
	if (schedule->next == schedule->due_count)
		gpc_schedule_round(schedule);
	return schedule->due[schedule->next++];
}

void gpc_schedule_release(struct gpc_schedule *schedule);

#endif
