// SPDX-License-Identifier: (MIT OR GPL-2.0-only)
/*
 * gpc_error: where gpc_odd goes on with an ICMP error (SEMANTICS 4.4). One about a known flow ends here, any
 * other goes back as an ordinary packet. With `icmp-error: rules` all do; those that pass come here once more.
 */
#include "arrive.bpf.h"

SEC("xdp")
int gpc_error(struct xdp_md *ctx)
{
	struct gpc_end end = {.reason = GPC_REASON_INTERNAL, .verdict = GPC_VERDICT_DROP};
	__u32 frame = frame_size(ctx);
	int action = XDP_PASS;
	struct gpc_walk w = {};

	if (resume(ctx, &w)) {
		struct gpc_service service = no_service(&w);

		end = walk_error(ctx, &w, &service, 1);
		if (end.reason == GPC_PARSED && w.c->parsed == GPC_ERROR_LET_THROUGH) {
			end = ended(w.c->passed, GPC_VERDICT_PASS);
		} else if (end.reason == GPC_PARSED) {
			w.c->parsed = GPC_NO_ERROR;
			bpf_tail_call(ctx, &gpc_programs, GPC_TAIL_ODD);
			end = end_missing(&w);
		}
		if (end.reason == GPC_REASON_FORWARDED)
			end = send_chosen(ctx, &w, &service, &action, 0);
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
