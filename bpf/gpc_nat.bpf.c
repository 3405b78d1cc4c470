// SPDX-License-Identifier: (MIT OR GPL-2.0-only)
/*
 * gpc_nat: where the programs of XDP go on with packets of `nat` flows that their chains have let through: for a
 * listener, from an endpoint, or ICMP errors about either. The case says which.
 */
#include "arrive.bpf.h"

/* A packet for a listener gets its flow's endpoint, or a new one. */
static __always_inline struct gpc_end walk_nat(struct xdp_md *ctx, struct gpc_walk *w, int *action)
{
	struct gpc_service service = no_service(w);

	service.listener_index = w->c->nat.listener;
	service.listener = gpc_listener_at(w->view, service.listener_index);
	take_from_walk(w);
	if (is_error(&w->c->packet))
		aim_error(w, &service);
	else
		choose_endpoint(ctx, w, &service, 1);
	return send_chosen(ctx, w, &service, action, 1);
}

SEC("xdp")
int gpc_nat(struct xdp_md *ctx)
{
	struct gpc_end end = {.reason = GPC_REASON_INTERNAL, .verdict = GPC_VERDICT_DROP};
	enum gpc_hook hook = GPC_HOOK_ID_XDP;
	__u32 frame = frame_size(ctx);
	int action = XDP_PASS;
	struct gpc_walk w = {};

	if (resume(ctx, &w)) {
		hook = w.hook = w.c->hook;
		frame = w.c->frame;
		walk_time(&w);
		end = w.c->nat.reply ? send_reply(ctx, &w, &action) : walk_nat(ctx, &w, &action);
		if (wants_answer(&w, frame, end)) {
			bpf_tail_call(ctx, &gpc_programs, GPC_TAIL_ANSWER);
			end = end_missing(&w);
		}
	}
	return leave(ctx, &w, hook, frame, end, action);
}
