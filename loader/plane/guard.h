/* SPDX-License-Identifier: MIT */
/*
 * guard.h: asks a new image about the sessions of its operator (link/session.h), by the lookups that
 * the kernel runs: those that it would cut, or not let in again. The result types stand in plane.h.
 *
 * A session is taken to arrive by the device of the route to its remote side. The flow table is not
 * read: a session that only `existing: keep` would spare counts as cut, because its operator could not
 * come back.
 */
#ifndef GPC_LOADER_PLANE_GUARD_H
#define GPC_LOADER_PLANE_GUARD_H

#include "../link/session.h"
#include "plane.h"

/* What the image does to one session on an interface (index of INTERFACE). */
struct gpc_guard_verdict {
	bool cut;
	enum gpc_direction direction;	/* of the chain that cuts it */
	uint32_t rule;			/* RULE that decides so */
	bool mid_stream;		/* only because the flow is unknown and already open */
};

/* `fresh`: no flow is known, as after the first apply. */
struct gpc_guard_verdict gpc_guard_judge(const struct gpc_image *image, uint32_t interface,
					 const struct gpc_tcp_session *session, bool fresh);

#endif
