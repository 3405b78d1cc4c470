// SPDX-License-Identifier: (MIT OR GPL-2.0-only)
/*
 * gpc_xdp: the walk of a frame that arrives (SEMANTICS 4.1): slot, parse, built-ins, listener, flow,
 * chain, endpoint, next hop, send; one exit that counts the reason.
 */
#include "arrive.bpf.h"

SEC("xdp")
int gpc_xdp(struct xdp_md *ctx)
{
	__u32 frame = frame_size(ctx);
	int action = XDP_PASS;
	struct gpc_end end;
	struct gpc_walk w = {};

	if (enter(ctx, &w, GPC_HOOK_ID_XDP, &end))
		end = walk_in(ctx, &w, parse_xdp(ctx, &w.c->packet), 1, GPC_REASON_NO_LISTENER,
			      &action);
	return leave(ctx, &w, GPC_HOOK_ID_XDP, frame, end, action);
}
