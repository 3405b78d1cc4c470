// SPDX-License-Identifier: (MIT OR GPL-2.0-only)
/*
 * gpc_consult: where a packet goes on that its chain has to be asked about, with what was found until then in
 * the case. It ends here, or goes on in gpc_serve or gpc_nat.
 */
#include "arrive.bpf.h"

/* GPC_UNASKED in `reason`: for a listener. */
static __always_inline struct gpc_end consult(struct gpc_walk *w)
{
	enum gpc_action said = judge(w);

	if (denies(said))
		return refuse(w, said);
	if (w->c->listener != GPC_NONE)
		return ended(GPC_UNASKED, GPC_VERDICT_PASS);
	if (w->c->keeps_flow && !keep_flow(w))
		return ended(GPC_REASON_FLOW_LIMIT, GPC_VERDICT_DROP);
	if (unlikely(w->c->nat.reply))
		return go_on_in_nat();
	if (w->hook == GPC_HOOK_ID_XDP && is_echo_request(&w->c->packet))
		return end_echo(w, w->c->passed);
	return ended(w->c->passed, GPC_VERDICT_PASS);
}

SEC("xdp")
int gpc_consult(struct xdp_md *ctx)
{
	struct gpc_end end = {.reason = GPC_REASON_INTERNAL, .verdict = GPC_VERDICT_DROP};
	__u32 frame = frame_size(ctx);
	struct gpc_walk w = {};

	if (resume(ctx, &w)) {
		frame = w.c->frame;
		end = consult(&w);
		if (w.hook == GPC_HOOK_ID_XDP && wants_error(&w, frame, end)) {
			bpf_tail_call(ctx, &gpc_programs, GPC_TAIL_ERROR);
			end = end_missing(&w);
		}
		if (end.reason == GPC_UNASKED) {
			bpf_tail_call(ctx, &gpc_programs, GPC_TAIL_SERVE);
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
	return leave(ctx, &w, w.hook, frame, end, XDP_PASS);
}
