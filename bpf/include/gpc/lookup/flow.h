/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * flow.h: when an entry of the flow tables is over (SEMANTICS 5.4). The program asks it about the packet's
 * flow, user space when it counts the flows that are active.
 */
#ifndef GPC_LOOKUP_FLOW_H
#define GPC_LOOKUP_FLOW_H

#include "../abi.h"
#include "view.h"

#define GPC_FLOW_SECOND_SHIFT	30
#define GPC_SECOND		1000000000ull
#define GPC_REVOKED_SECONDS	60u	/* idle for that long, a revoked flow is unknown */

/*
 * Has nothing come for so long? `idle`: units of 2^30 ns since last_seen. Both are rounded down, so one
 * unit of grace keeps an entry from ending before its time. It is negative when another CPU has read the
 * clock a unit later and stored it first.
 */
GPC_INLINE int gpc_idle_for(__s32 idle, __u64 seconds)
{
	return idle > 1 && (__u64)(idle - 1) << GPC_FLOW_SECOND_SHIFT > seconds * GPC_SECOND;
}

GPC_INLINE int gpc_flow_expired(const struct gpc_plane *plane, __u8 state, __s32 idle)
{
	_Static_assert((int)GPC_FLOW_OTHER == (int)GPC_TIMEOUT_OTHER &&
			       (int)GPC_FLOW_UDP == (int)GPC_TIMEOUT_UDP &&
			       (int)GPC_FLOW_SYN == (int)GPC_TIMEOUT_SYN,
		       "a state indexes its timeout");
	__u64 timeout = plane->timeout[state & (GPC_TIMEOUT_COUNT - 1)];

	if (__builtin_expect(state & GPC_FLOW_REVOKED, 0))
		timeout = GPC_REVOKED_SECONDS;
	return gpc_idle_for(idle, timeout);
}

#endif
