/* SPDX-License-Identifier: MIT */
/*
 * lever.h: what the commands share that override the intent at run time: drain, undrain, weight.
 *
 *   the journal is written -> the maps are
 *
 * A kill in between leaves a journal that is ahead of the maps. Each of these commands, and apply, rollback
 * and restore (journaled.h), makes the maps what the journal says; `gpc status` says that it is due.
 */
#ifndef GPC_LOADER_CMD_LEVER_H
#define GPC_LOADER_CMD_LEVER_H

#include "../override/journal.h"
#include "../plane/claim.h"
#include "../plane/lock.h"
#include "../plane/plane.h"
#include "command.h"

struct gpc_lever {
	struct gpc_lock lock;
	struct gpc_claim claim;
	struct gpc_plane_status plane;	/* with an image */
	struct gpc_overrides overrides;	/* settled */
	int64_t now;
	/* the object that the command is about */
	uint32_t backend, endpoint;	/* index, GPC_NONE: the backend itself */
};
#define GPC_LEVER_NONE ((struct gpc_lever){.lock = GPC_LOCK_NONE, .claim = GPC_CLAIM_NONE})

#define GPC_OPTION_FOR                                                                             \
	{                                                                                          \
		0, "for", "TIME", "for so long, `30m`; without it until gpc undrain"               \
	}
#define GPC_OPTION_REASON                                                                          \
	{                                                                                          \
		0, "reason", "TEXT", "why; stands in status and journal"                           \
	}

/* Takes the lock, settles what expired (settle.h) and reads plane and journal; FAILED when nothing runs. Close it in either case. */
int gpc_lever_open(const struct gpc_call *call, struct gpc_lever *lever, struct gpc_failure *failure);
void gpc_lever_close(struct gpc_lever *lever);

/* Finds the object written as BACKEND or BACKEND/ENDPOINT and names it in *ret; INVALID. */
int gpc_lever_find(struct gpc_lever *lever, const char *text, struct gpc_override *ret,
		   struct gpc_failure *failure);
const struct gpc_endpoint *gpc_lever_endpoint(const struct gpc_lever *lever);
/* REFUSED, because of what the intent says of the object; `hint` names its place there. */
int gpc_lever_refuse(const struct gpc_lever *lever, struct gpc_failure *failure, const char *format,
		     ...) __attribute__((format(printf, 3, 4)));

/* The call's --for and --reason, the actor, the time: of an override that begins now. USAGE. */
int gpc_lever_begin(const struct gpc_call *call, int64_t now, struct gpc_override *ret,
		    struct gpc_failure *failure);
/* Journal, then maps. */
int gpc_lever_commit(struct gpc_lever *lever, struct gpc_failure *failure);
/* Adds it, commits, says so and ends the command. REFUSED: too many, or too many different ends. */
enum gpc_exit gpc_lever_set(const struct gpc_call *call, struct gpc_lever *lever,
			    const struct gpc_override *override);
/* Says how many take new flows, and ends the command. */
enum gpc_exit gpc_lever_finish(const struct gpc_call *call, const struct gpc_lever *lever,
			       size_t changed);

#endif
