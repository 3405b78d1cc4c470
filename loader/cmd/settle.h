/* SPDX-License-Identifier: MIT */
/*
 * settle.h: what became of an apply that waited for its confirmation, in the kernel and in the history.
 *
 * The control word is what packets follow; the history only says it. So a rollback is recorded first and
 * then stored in the word, where past the deadline it holds already. A confirmation is stored first, but
 * only when its record lies on the disk and wants one rename. A kill between the two leaves what the next
 * command settles in the same sense.
 */
#ifndef GPC_LOADER_CMD_SETTLE_H
#define GPC_LOADER_CMD_SETTLE_H

#include "../history/history.h"
#include "../plane/plane.h"
#include "command.h"

#define GPC_OPTION_CONFIRM                                                                         \
	{                                                                                          \
		0, "confirm", "TIME",                                                              \
			"back to what runs now after TIME (60s, 5m) without gpc confirm"  \
	}
#define GPC_OPTION_WAIT                                                                            \
	{                                                                                          \
		0, "wait", NULL, "with --confirm: wait for what becomes of it (7: rolled back)"       \
	}

/* The call's --confirm in ms, 0 without. USAGE when it is no such time, or --wait stands alone. */
int gpc_confirm_option(const struct gpc_call *call, uint64_t *ret_ms, struct gpc_failure *failure);

/*
 * Brings kernel and history together: what expired is stored and recorded, what ended otherwise is
 * recorded. Says what it did. *ret: how it was found; armed and not expired: it waits still.
 */
int gpc_settle_plane(const struct gpc_call *call, struct gpc_history *history, struct gpc_confirm *ret,
	       struct gpc_failure *failure);
/* The same; what cannot be recorded is a warning. */
int gpc_settle_anyway(const struct gpc_call *call, struct gpc_history *history,
		      struct gpc_confirm *ret, struct gpc_failure *failure);
/*
 * For commands that only read: writes down what is over, unless somebody is at work or it cannot be written;
 * says nothing of that. The control word stays as it is.
 */
void gpc_settle_in_passing(const struct gpc_call *call);
/* CONFLICT if an apply waits. */
int gpc_settle_refuse(const struct gpc_confirm *confirm, struct gpc_failure *failure);
/* With a history of its own; one that cannot be opened is nothing to record in. */
int gpc_settle_alone(const struct gpc_call *call, struct gpc_confirm *ret,
		     struct gpc_failure *failure);

/* Records ROLLED_BACK for `reason` of the newest generation if it waits; failing is a warning. */
void gpc_record_end(const struct gpc_call *call, struct gpc_history *history, const char *reason);

/*
 * After the lock is given back: until this generation waits no more. Says and ends the command: 0 or 7; a signal
 * ends only the waiting (130, 143).
 */
enum gpc_exit gpc_wait_settled(const struct gpc_call *call, uint32_t generation);

#endif
