// SPDX-License-Identifier: (MIT OR GPL-2.0-only)
/*
 * gpc_odd: where gpc_xdp goes on with what is not a whole TCP or UDP packet: fragments, ICMP, other
 * protocols, and what cannot be parsed. The packet lies parsed in the case, with the slot of the image.
 * ICMP errors go to gpc_error first, and come back if they turn out to be ordinary packets; later fragments
 * go to gpc_fragment.
 */
#include "arrive.bpf.h"

SEC("xdp")
int gpc_odd(struct xdp_md *ctx)
{
	struct gpc_end end = {.reason = GPC_REASON_INTERNAL, .verdict = GPC_VERDICT_DROP};
	__u32 frame = frame_size(ctx), reason;
	int action = XDP_PASS;
	struct gpc_walk w = {};

	if (resume(ctx, &w)) {
		struct gpc_service service = no_service(&w);

		reason = w.c->parsed;
		end = walk_odd(&w, reason == GPC_NO_ERROR ? GPC_PARSED : reason, 1);
		if (end.reason == GPC_PARSED && reason == GPC_PARSED &&
		    quotes_packet(&w.c->packet)) {
			bpf_tail_call(ctx, &gpc_programs, GPC_TAIL_ERROR);
			end = end_missing(&w);
		}
		if (end.reason == GPC_PARSED && w.c->packet.fragment == GPC_FRAGMENT_LATER) {
			bpf_tail_call(ctx, &gpc_programs, GPC_TAIL_FRAGMENT);
			end = end_missing(&w);
		}
		if (end.reason == GPC_PARSED)
			end = walk_packet(ctx, &w, &service, find_own_listener(&w, &service, 1), 1,
					  1, GPC_REASON_NO_LISTENER, &action);
		if (wants_error(&w, frame, end)) {
			bpf_tail_call(ctx, &gpc_programs, GPC_TAIL_ERROR);
			end = end_missing(&w);
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
