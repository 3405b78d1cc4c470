// SPDX-License-Identifier: (MIT OR GPL-2.0-only)
/*
 * gpc_xdp: the walk of a frame that arrives (SEMANTICS 4.1): slot, parse, listener, flow, chain, endpoint,
 * next hop, send; one exit that counts the reason. What is not a whole TCP or UDP packet goes on in gpc_odd.
 */
#include "arrive.bpf.h"

SEC("xdp")
int gpc_xdp(struct xdp_md *ctx)
{
	__u32 frame = frame_size(ctx), reason;
	int action = XDP_PASS;
	struct gpc_end end;
	struct gpc_walk w = {};

	if (enter(ctx, &w, GPC_HOOK_ID_XDP, &end)) {
		struct gpc_service service = no_service(&w);

		reason = parse_xdp(ctx, &w.c->packet);
		if (is_odd(&w, reason)) {
			hand_over(&w, frame);
			w.c->parsed = reason;
			bpf_tail_call(ctx, &gpc_programs, GPC_TAIL_ODD);
			end = end_missing(&w);
		} else {
			end = walk_packet(ctx, &w, &service, 1, 0, GPC_REASON_NO_LISTENER,
					  &action);
		}
		if (wants_asking(&w, frame, end)) {
			bpf_tail_call(ctx, &gpc_programs, GPC_TAIL_CONSULT);
			end = end_missing(&w);
		}
		if (wants_nat(&w, frame, end)) {
			bpf_tail_call(ctx, &gpc_programs, GPC_TAIL_NAT);
			end = end_missing(&w);
		}
		if (wants_answer(&w, frame, end)) {
			bpf_tail_call(ctx, &gpc_programs, GPC_TAIL_ANSWER);
			end = end_missing(&w);
		}
	}
	return leave(ctx, &w, GPC_HOOK_ID_XDP, frame, end, action);
}
