// SPDX-License-Identifier: (MIT OR GPL-2.0-only)
/*
 * gpc_xdp: the walk of a frame that arrives (SEMANTICS 4.1): slot, parse, listener, flow, chain, endpoint,
 * next hop, send; one exit that counts the reason. What is not a whole TCP or UDP packet goes on in gpc_odd.
 */
#include "arrive.bpf.h"

SEC("xdp")
int gpc_xdp(struct xdp_md *ctx)
{
	struct gpc_pick pick = pick_slot();
	int action = XDP_PASS, fast = GPC_SLOW, listener;
	__u32 frame, reason = GPC_PARSED;
	struct gpc_walk w = {};
	struct gpc_end end;

	w.c = case_of(GPC_HOOK_ID_XDP);
	if (likely(w.c && !(pick.word & (GPC_CTL_OFF | GPC_CTL_AUDIT)))) {
		fast = gpc_fast(ctx, w.c, pick.slot);
		if (likely(fast >= 0))
			return fast;
	}
	frame = frame_size(ctx);
	if (enter(ctx, &w, &pick, GPC_HOOK_ID_XDP, &end)) {
		struct gpc_service service = no_service(&w);

		if (fast == GPC_SLOW)
			reason = parse_xdp(ctx, &w.c->packet);
		if (is_odd(&w, reason)) {
			hand_over(&w, frame);
			w.c->parsed = reason;
			bpf_tail_call(ctx, &gpc_programs, GPC_TAIL_ODD);
			end = end_missing(&w);
		} else {
			w.is_new = fast == GPC_SLOW_NEW;
			listener = fast == GPC_SLOW || fast == GPC_SLOW_PARSED
					   ? find_own_listener(&w, &service, 0)
					   : take_listener(&w, &service);
			end = walk_packet(ctx, &w, &service, listener, 1, 0,
					  GPC_REASON_NO_LISTENER, &action);
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
