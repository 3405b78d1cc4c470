/* SPDX-License-Identifier: MIT */
/*
 * activate.h: makes an image the running one and records it: what apply and rollback share.
 *
 *   prepare the history -> apply to the plane -> ask the probes -> publish the history
 *
 * What can fail on the disk fails before the flip; when publishing fails after it, the flip is
 * undone. An interrupt (interrupt.h) counts until the flip begins, and while probes run.
 * SIGKILL while they run leaves the new image active and unrecorded: applied again, they are asked again.
 */
#ifndef GPC_LOADER_CMD_ACTIVATE_H
#define GPC_LOADER_CMD_ACTIVATE_H

#include "../history/history.h"
#include "../plane/claim.h"
#include "../plane/lock.h"
#include "../probe/probe.h"
#include "command.h"

/* What a command that changes the plane holds open. */
struct gpc_session {
	struct gpc_lock lock;
	struct gpc_claim claim;
	struct gpc_history *history;
};
#define GPC_SESSION_NONE                                                                           \
	((struct gpc_session){.lock = GPC_LOCK_NONE, .claim = GPC_CLAIM_NONE})

/* Takes the lock, opens (makes) the history, and claims the plane. */
int gpc_session_take(struct gpc_session *ret, struct gpc_failure *failure);
/*
 * The same; who holds the lock has two seconds to end. An apply tidies up after it has said what there is to
 * confirm.
 */
int gpc_session_take_soon(struct gpc_session *ret, struct gpc_failure *failure);
/* gpc_session_take(), and settles (settle.h). CONFLICT while an apply waits for its confirmation. */
int gpc_session_open(const struct gpc_call *call, struct gpc_session *ret,
		     struct gpc_failure *failure);
void gpc_session_close(struct gpc_session *session);
/* Runs `work` in a session of its own; interrupts count from here on only where they are asked about. */
enum gpc_exit gpc_in_session(const struct gpc_call *call,
			     enum gpc_exit (*work)(const struct gpc_call *call,
						   struct gpc_history *history));
/* The same, whatever waits, and by gpc_session_take_soon(). */
enum gpc_exit gpc_in_bare_session(const struct gpc_call *call,
				  enum gpc_exit (*work)(const struct gpc_call *call,
							struct gpc_history *history));

/*
 * Does all of it and speaks; `entry`'s actor, at_least and stance are filled in here, and pending if the
 * call has --confirm. With --wait it does not end the command: gpc_activate_end() does, after the session.
 * `probes` (NULL: none) are asked after a switch, before it is recorded: when one fails, or a signal comes,
 * what ran before runs again and the generation is recorded as rolled back.
 */
enum gpc_exit gpc_activate(const struct gpc_call *call, struct gpc_history *history,
			   struct gpc_history_entry *entry, const struct gpc_probes *probes);

/* The code of gpc_activate() and, of one that succeeded and is to be waited for, what becomes of it. */
enum gpc_exit gpc_activate_end(const struct gpc_call *call, enum gpc_exit rc);

/* What differs between two images (before NULL: everything is new), as text or JSON objects. */
void gpc_say_changes(const struct gpc_call *call, const struct gpc_image *before,
		     const struct gpc_image *after);
/* Loud, where policies only audit. */
void gpc_say_stance(const struct gpc_call *call, enum gpc_stance stance);
/* The generation that stands in a linked image. */
uint32_t gpc_linked_generation(const struct gpc_image *linked);

#endif
