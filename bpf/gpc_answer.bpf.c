// SPDX-License-Identifier: (MIT OR GPL-2.0-only)
/*
 * gpc_answer: where all programs of XDP end with a packet that gpc answers itself. The case says what is
 * answered, and the reason that is counted here, at the packet's one exit.
 */
#include "reject.bpf.h"
#include "walk.bpf.h"

SEC("xdp")
int gpc_answer(struct xdp_md *ctx)
{
	struct gpc_case *c = case_of(GPC_HOOK_ID_XDP);
	int action;

	if (!c)
		return XDP_ABORTED;
	action = answer_xdp(ctx, c);
	count_reason(c->hook, c->ended, 1, c->frame);
	return action;
}
