/* SPDX-License-Identifier: MIT */
/*
 * journaled.h: the journal of overrides as apply, rollback and restore need it: read before the plane is
 * changed, brought up to date after it.
 */
#ifndef GPC_LOADER_CMD_JOURNALED_H
#define GPC_LOADER_CMD_JOURNALED_H

#include "../override/override.h"
#include "command.h"

struct gpc_journaled {
	struct gpc_overrides overrides;
	bool known;	/* it could be read */
};

/* Needs the lock. Warns when it cannot be read: then what the maps say stays. */
void gpc_journaled_read(const struct gpc_call *call, struct gpc_journaled *ret);
void gpc_journaled_release(struct gpc_journaled *journaled);
/* What gpc_plane_apply() takes. */
const struct gpc_overrides *gpc_journaled_overrides(const struct gpc_journaled *journaled);
/* After the change: writes down what has ended by time or with its object, and says the latter. */
void gpc_journaled_settle(const struct gpc_call *call, struct gpc_journaled *journaled,
			  const struct gpc_image *image);
/* After a change that was taken back: they hold for what runs now. */
void gpc_journaled_republish(const struct gpc_call *call, const struct gpc_journaled *journaled);

#endif
