/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * admit.bpf.h: what a listener lets in beside its endpoints: its `rate`, and packets for the local stack
 * (SEMANTICS 6.2, 6.5).
 */
#ifndef GPC_ADMIT_BPF_H
#define GPC_ADMIT_BPF_H

#include "choose.bpf.h"
#include "mss.bpf.h"

/* Charges the listener's rate with an opening packet: GPC_ACTION_ALLOW, or what it says beyond the rate. */
__noinline int gpc_charge_listener(struct gpc_case *c, __u32 index)
{
	const struct gpc_listener *listener;
	struct gpc_rule rate = {};
	struct gpc_view view;

	if (!c)
		return GPC_ACTION_ALLOW;
	view = image_of(c->slot);
	if (!view.base)
		return GPC_ACTION_ALLOW;
	listener = gpc_listener_at(view, index);
	ask_about(&c->question, &c->packet);
	rate.id = listener->id;
	if (listener->flags & GPC_LISTENER_RATE_SOURCE)
		rate.flags |= GPC_RULE_RATE_SOURCE;
	if (listener->flags & GPC_LISTENER_RATE_BYTES)
		rate.flags |= GPC_RULE_RATE_BYTES;
	rate.rate_cost = listener->rate_cost;
	rate.rate_burst = listener->rate_burst;
	rate.rate_entries = listener->rate_entries;
	if (rate_take(&rate, gpc_link_listener_at(view, gpc_view_link(view), index)->rate,
		      gpc_view_plane(view)->hash_seed, &c->question, 1, c->packet.length, c->now))
		return GPC_ACTION_ALLOW;
	return listener->rate_exceed;
}

/* Does the listener's rate let the packet in? Known flows are not asked. */
static __always_inline enum gpc_action admit(struct gpc_walk *w, const struct gpc_service *s)
{
	if (likely(!(s->listener->flags & GPC_LISTENER_RATE)) || !w->c->fresh ||
	    !packet_opens(&w->c->packet))
		return GPC_ACTION_ALLOW;
	return gpc_charge_listener(w->c, s->listener_index);
}

/* Does the packet make the entry of a flow to the local stack, whether a chain asks for one or not? */
static __always_inline int enters_local(const struct gpc_walk *w)
{
	if (!w->c->fresh)
		return 0;
	return w->c->opened ? w->c->store : packet_opens(&w->c->packet);
}

/* Its entry is there, GPC_PARSED, or it cannot pass for the reason given. */
static __always_inline __u32 keep_local(struct gpc_walk *w, const struct gpc_service *s)
{
	__u32 refused;

	if (!enters_local(w)) {
		keep_entry(w);
		return GPC_PARSED;
	}
	refused = ask_for_entry(w, s->listener);
	if (refused != GPC_PARSED)
		return refused;
	if (!w->c->opened)
		copy_entry(w, w->c);
	return enter_flow(w->c) ? GPC_REASON_FLOW_LIMIT : GPC_PARSED;
}

/* A packet for a listener that passes to the local stack. */
static __always_inline struct gpc_end end_local(struct xdp_md *ctx, struct gpc_walk *w,
						const struct gpc_service *s)
{
	__u32 slot = gpc_link_listener_at(w->view, w->link, s->listener_index)->counter;
	__u32 fresh = w->c->fresh, refused = keep_local(w, s);

	if (refused != GPC_PARSED)
		return end_refused(refused);
	if (unlikely(s->listener->flags & GPC_LISTENER_MSS_CLAMP) && is_syn(&w->c->packet))
		gpc_clamp_xdp(ctx, &w->c->packet, mss_of(w->in->mtu, w->c->packet.family));
	count(slot, 1, w->c->packet.frame, fresh);
	return ended(GPC_REASON_LOCAL, GPC_VERDICT_PASS);
}

#endif
