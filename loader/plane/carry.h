/* SPDX-License-Identifier: MIT */
/*
 * carry.h: counters that never fall when their map grows. The new map counts from zero; what the old one has
 * counted stands beside it (gpc_carried, gpc_carried_rules) and is added by whoever reads. It is written
 * twice: before anybody reads the new map, and when no packet is left in the old programs, whose counters
 * are final then. Between the two a reader misses what they count; nothing is lost.
 */
#ifndef GPC_LOADER_PLANE_CARRY_H
#define GPC_LOADER_PLANE_CARRY_H

#include "../link/link.h"
#include "instance.h"

/*
 * `to` takes over what `from` has counted, of maps that they do not share; but not in the slots that `link`
 * has given to other objects.
 */
int gpc_carry(const struct gpc_instance *from, const struct gpc_instance *to,
	      const struct gpc_link_result *link, struct gpc_failure *failure);

/* Those slots begin anew. */
void gpc_carry_forget(const struct gpc_instance *instance, const struct gpc_link_result *link);

#endif
