// SPDX-License-Identifier: (MIT OR GPL-2.0-only)
/*
 * gpc_fragment: where gpc_odd goes on with a fragment that is not the first (SEMANTICS 4.5), which has no
 * ports: it follows its first one.
 */
#include "arrive.bpf.h"

SEC("xdp")
int gpc_fragment(struct xdp_md *ctx)
{
	struct gpc_end end = {.reason = GPC_REASON_INTERNAL, .verdict = GPC_VERDICT_DROP};
	__u32 frame = frame_size(ctx);
	int action = XDP_PASS;
	struct gpc_walk w = {};

	if (resume(ctx, &w)) {
		struct gpc_service service = no_service(&w);

		end = walk_later(ctx, &w, &service, &action);
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
