// SPDX-License-Identifier: (MIT OR GPL-2.0-only)
/*
 * gpc_serve: where a packet for a listener goes on that its chain has been asked about and has let through.
 */
#include "arrive.bpf.h"

SEC("xdp")
int gpc_serve(struct xdp_md *ctx)
{
	struct gpc_end end = {.reason = GPC_REASON_INTERNAL, .verdict = GPC_VERDICT_DROP};
	int action = XDP_PASS;
	__u32 frame = frame_size(ctx);
	struct gpc_walk w = {};

	if (resume(ctx, &w)) {
		frame = w.c->frame;
		struct gpc_service service = {
			.listener = gpc_listener_at(w.view, w.c->listener),
			.listener_index = w.c->listener,
		};

		if (w.c->packet.fragment == GPC_FRAGMENT_LATER) {
			end = serve_later(ctx, &w, &service, &action);
			goto out;
		}
		if (w.c->keeps_flow) {
			w.now.endpoint = w.c->entry.endpoint;
			w.now.mark = w.c->entry.mark;
		} else {
			find_flow(&w, 0);
			age_flow(&w, w.c->one_sided);
		}
		end = walk_listener(ctx, &w, &service, &action, 1);
out:
		if (wants_nat(&w, frame, end)) {
			bpf_tail_call(ctx, &gpc_programs, GPC_TAIL_NAT);
			end = end_missing(&w);
		}
		if (wants_answer(&w, frame, end)) {
			bpf_tail_call(ctx, &gpc_programs, GPC_TAIL_ANSWER);
			end = end_missing(&w);
		}
	}
	return leave(ctx, &w, w.hook, frame, end, action);
}
