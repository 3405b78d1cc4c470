/* SPDX-License-Identifier: MIT */
/*
 * events.h: the reader of a running plane's events (abi.h, gpc_events). The ring has one reader: what
 * it takes is gone for others, so a second one is refused. The lock is flock(2) on a folder of the
 * plane's and ends with the process.
 */
#ifndef GPC_LOADER_PLANE_EVENTS_H
#define GPC_LOADER_PLANE_EVENTS_H

#include "../../compiler/image/image_file.h"
#include "../fail.h"
#include "gpc/abi.h"

struct gpc_events;

/* FAILED when no plane runs, CONFLICT when another gpc reads; else as for the survey of a plane. */
int gpc_events_open(const char *bpffs, struct gpc_events **ret, struct gpc_failure *failure);
void gpc_events_close(struct gpc_events **events);

/* True: go on; false: this was the last one that is wanted. */
typedef bool gpc_events_take(void *context, const struct gpc_event *event);

/*
 * Gives what is in the ring; waits up to `timeout_ms` for a first one, less when a signal comes.
 * *ret_done: `take` said so.
 */
int gpc_events_read(struct gpc_events *events, int timeout_ms, gpc_events_take *take, void *context,
		    bool *ret_done, struct gpc_failure *failure);

/*
 * Looks at the plane again: after a growth or a new first apply its maps are others. FAILED when it
 * is gone.
 */
int gpc_events_refresh(struct gpc_events *events, struct gpc_failure *failure);
/* The active image, as gpc_image_open() gives it. */
int gpc_events_image(const struct gpc_events *events, struct gpc_image *ret,
		     struct gpc_failure *failure);

/* Events that nobody will read. */
struct gpc_events_losses {
	uint64_t limited;	/* kept back by the limits of deny, would-deny and flow events */
	uint64_t full;		/* of these kinds, because the ring was full */
	uint64_t logs;		/* of rules' logs: beyond their rate, or the ring was full */
};
/* `all`: since the maps were made; else since gpc_events_open(). */
int gpc_events_losses(const struct gpc_events *events, bool all, struct gpc_events_losses *ret,
		      struct gpc_failure *failure);

#endif
