// SPDX-License-Identifier: (MIT OR GPL-2.0-only)
/*
 * gpc_tc_ingress, gpc_tc_egress: what the stack receives and sends (SEMANTICS 3, 4.2). At ingress an
 * interface with XDP has been walked there; what is left is the mark that the rules gave. Without it
 * the walk is here, but for listeners.
 *
 * XDP and TC of one packet are two invocations; a swap may fall between them. XDP's metadata names
 * the image that decided, and TC takes it if the control word still names that slot and the image
 * there has that generation and nonce. Otherwise TC takes the slot that its own read gives.
 */
#include <linux/pkt_cls.h>

#include "error.bpf.h"
#include "nat_send.bpf.h"
#include "reject.bpf.h"

static __always_inline int slot_is_named(__u64 word, __u32 slot)
{
	return slot == gpc_ctl_active(word) || slot == gpc_ctl_fallback(word) ||
	       slot == gpc_ctl_previous(word);
}

/*
 * Takes over the slot of XDP's metadata, and the mark in *ret_mark; 0 if there is metadata that cannot be
 * believed.
 */
static __always_inline int adopt_meta(struct __sk_buff *skb, struct gpc_pick *pick, __u32 *ret_mark)
{
	const struct gpc_meta_mark *marked = (void *)(long)skb->data_meta;
	const struct gpc_meta *meta = &marked->meta;
	const struct gpc_link_head *link;
	struct gpc_view view;
	__u32 slot;

	if ((void *)(meta + 1) > (void *)(long)skb->data)
		return 1;
	slot = meta->slot_generation & GPC_CTL_SLOT_MASK;
	if (!slot_is_named(pick->word, slot))
		return 0;
	view = image_of(slot);
	if (!view.base)
		return 0;
	link = gpc_view_link(view);
	if ((__u32)link->nonce != meta->nonce || link->generation != meta->slot_generation >> 3)
		return 0;
	pick->slot = slot;
	if ((void *)(marked + 1) <= (void *)(long)skb->data)
		*ret_mark = marked->mark;
	return 1;
}

/* GPC_PARSED in `reason`: not about a known flow, so an ordinary packet. */
static __always_inline struct gpc_end skb_error(struct __sk_buff *skb, struct gpc_walk *w, int *action)
{
	struct gpc_case *c = open_case(w);
	struct gpc_packet *p = &c->packet, *q = quote_of(c);

	c->relation = GPC_FLOW_UNKNOWN;
	if (!gpc_quoted_skb(skb, q, p->l4 + GPC_ICMP_HEAD,
			    GPC_ETH_SIZE + 4 * p->tags + p->length))
		return ended(GPC_PARSED, GPC_VERDICT_PASS);
	c->one_sided = 0;
	if (w->direction == GPC_INGRESS && w->plane->flags & GPC_PLANE_NAT)
		gpc_find_quoted(c);
	/* What its chain lets through is translated all the same. */
	if (w->plane->builtin[GPC_BUILTIN_ICMP_ERROR] == GPC_BUILTIN_RULES)
		return ended(GPC_PARSED, GPC_VERDICT_PASS);
	if (!gpc_judge_error(c)) {
		c->nat.reply = 0;
		return ended(GPC_PARSED, GPC_VERDICT_PASS);
	}
	if (c->nat.reply && w->plane->builtin[GPC_BUILTIN_ICMP_ERROR] == GPC_BUILTIN_ALLOW) {
		gpc_count_rule(c, GPC_BUILTIN_ICMP_ERROR);
		return send_reply_skb(skb, w, action);
	}
	return end_builtin(w, GPC_BUILTIN_ICMP_ERROR, GPC_REASON_BUILTIN);
}

static __always_inline struct gpc_end skb_special(struct __sk_buff *skb, struct gpc_walk *w,
						  int *action)
{
	enum gpc_builtin builtin = builtin_of(&w->c->packet);

	if (drops_fragment(w, w->chain != 0))
		return ended(GPC_REASON_FRAGMENT, GPC_VERDICT_DROP);
	if (builtin != GPC_BUILTIN_COUNT && w->plane->builtin[builtin] != GPC_BUILTIN_RULES)
		return end_builtin(w, builtin, GPC_REASON_BUILTIN);
	if (quotes_packet(&w->c->packet))
		return skb_error(skb, w, action);
	return ended(GPC_PARSED, GPC_VERDICT_PASS);
}

/* The local stack's answer to the client of a listener that clamps, on whatever interface the client came. */
__noinline int gpc_clamp_local(struct __sk_buff *skb, const struct gpc_case *c, __u32 mtu)
{
	const struct gpc_listener *listener;
	const struct gpc_tuple *t;
	struct gpc_view view;
	__u32 index;

	if (!skb || !c)
		return 0;
	view = image_of(c->slot);
	if (!view.base)
		return 0;
	t = &c->packet.tuple;
	index = find_listener_at(view, t->source, t->source_port, t->protocol, ~0ull);
	if (index == GPC_NONE)
		return 0;
	listener = gpc_listener_at(view, index);
	if (listener->forward != GPC_FORWARD_PASS || !(listener->flags & GPC_LISTENER_MSS_CLAMP))
		return 0;
	return gpc_clamp_skb(skb, &c->packet, mss_of(mtu, c->packet.family));
}

/* Of what nobody objects to: it passes, if it is not a reply of a `nat` flow. */
static __always_inline struct gpc_end end_unasked(struct __sk_buff *skb, struct gpc_walk *w,
						  int *action)
{
	if (w->c->nat.reply)
		return send_reply_skb(skb, w, action);
	if (w->direction == GPC_EGRESS && unlikely(is_syn(&w->c->packet)))
		gpc_clamp_local(skb, w->c, w->in->mtu);
	return ended(GPC_REASON_COUNTED, GPC_VERDICT_PASS);
}

/* Has the packet's chain at ingress decided, as one for a listener of `nat`? */
static __always_inline int is_translated(struct gpc_walk *w)
{
	if (likely(!(w->plane->flags & GPC_PLANE_NAT)))
		return 0;
	walk_time(w);
	return gpc_is_translated(w->c);
}

/* No chain of egress is asked, and none for its later fragments. */
static __always_inline struct gpc_end end_translated(const struct gpc_walk *w)
{
	if (w->chain && w->c->packet.fragment == GPC_FRAGMENT_FIRST)
		gpc_remember_fragment(w->c, w->chain->tag, 0);
	return ended(GPC_REASON_COUNTED, GPC_VERDICT_PASS);
}

/*
 * Both walks, without listeners. What leaves by an interface without a chain still makes and keeps up
 * flows if a chain is stateful anywhere: its replies may come in there.
 */
static __always_inline struct gpc_end walk_tc(struct __sk_buff *skb, struct gpc_walk *w, int *action)
{
	const struct gpc_tuple *t = &w->c->packet.tuple;
	__u32 reason = parse_skb(skb, &w->c->packet);
	enum gpc_action said = GPC_ACTION_PASS;
	int stateful, flow;
	struct gpc_end end;

	if (unlikely(reason != GPC_PARSED))
		return end_unparsed(w, reason, w->chain != 0);
	if (unlikely(w->c->packet.fragment ||
		     (t->protocol != IPPROTO_TCP && t->protocol != IPPROTO_UDP))) {
		end = skb_special(skb, w, action);
		if (end.reason != GPC_PARSED)
			return end;
	}
	stateful = w->chain ? w->chain->flags & GPC_CHAIN_STATEFUL
			    : w->direction == GPC_EGRESS && w->plane->flags & GPC_PLANE_STATEFUL;
	if (w->direction == GPC_INGRESS)
		look_for_reply(w);
	if (w->direction == GPC_INGRESS && is_stray(w))
		return ended(GPC_REASON_FRAGMENT, GPC_VERDICT_DROP);
	if (!w->chain && !stateful)
		return end_unasked(skb, w, action);
	if (w->direction == GPC_EGRESS && is_translated(w))
		return end_translated(w);
	flow = stateful && packet_has_flow(&w->c->packet);
	w->c->one_sided = 0;
	walk_time(w);
	if (flow) {
		find_flow(w, 1);
		age_flow(w, 0);
	}
	if (flow && likely(is_settled(w))) {
		take_mark(w);
	} else if (flow || w->chain) {
		prepare(w, flow);
		said = judge(w);
	}
	if (unlikely(denies(said)))
		return refuse(w, said);
	if (flow && !keep_flow(w))
		return ended(GPC_REASON_FLOW_LIMIT, GPC_VERDICT_DROP);
	return end_unasked(skb, w, action);
}

/* Has XDP walked the packet already? */
static __always_inline int walked_by_xdp(const struct gpc_walk *w)
{
	const struct gpc_interface *interface =
		gpc_record(w->view, w->plane->section[GPC_SEC_INTERFACE].offset,
			   w->in->interface, sizeof(*interface));

	return w->direction == GPC_INGRESS && interface->hooks & GPC_HOOK_XDP;
}

static __always_inline struct gpc_end tc(struct __sk_buff *skb, struct gpc_walk *w,
					 enum gpc_hook hook, int *action)
{
	struct gpc_pick pick = pick_slot();
	__u32 passed = GPC_REASON_COUNTED, mark = 0;
	struct gpc_end end;

	if (pick.word & GPC_CTL_OFF)
		return ended(GPC_REASON_OFF, GPC_VERDICT_PASS);
	if (!adopt_meta(skb, &pick, &mark))
		passed = GPC_REASON_STALE_META;
	w->view = image_of(pick.slot);
	w->c = case_of(hook);
	if (!w->view.base || !w->c)
		return ended(GPC_REASON_ON_FAIL,
			     drop_if(gpc_ctl_on_fail(pick.word) == GPC_ON_FAIL_DROP));
	if (answer_seen(skb, gpc_view_link(w->view)->nonce))
		return ended(GPC_REASON_ANSWERED, GPC_VERDICT_PASS);
	w->c->nat.reply = 0;
	w->packets = skb->gso_segs ? skb->gso_segs : 1;
	clear_case(w->c);
	if (!walk_start(w, &pick, skb->ifindex, hook))
		return ended(passed, GPC_VERDICT_PASS);
	if (walked_by_xdp(w)) {
		if (mark)
			skb->mark = mark;
		return ended(passed, GPC_VERDICT_PASS);
	}
	end = walk_tc(skb, w, action);
	if (w->c->skb_mark && end.verdict == GPC_VERDICT_PASS)
		skb->mark = w->c->skb_mark;
	if (end.verdict == GPC_VERDICT_REJECT)
		w->c->reply = GPC_REPLY_REFUSAL;
	if (end.verdict == GPC_VERDICT_REJECT || end.verdict == GPC_VERDICT_ANSWER)
		*action = answer_in_skb(skb, w->c, w->direction, w->link->nonce);
	if (end.reason == GPC_REASON_COUNTED)
		end.reason = passed;
	return end;
}

static __always_inline int tc_action(struct __sk_buff *skb, enum gpc_hook hook)
{
	__u32 segments = skb->gso_segs ? skb->gso_segs : 1, length = skb->len;
	int action = TC_ACT_SHOT;
	struct gpc_walk w = {};
	struct gpc_end end = tc(skb, &w, hook, &action);

	count_reason(hook, end.reason, segments, length);
	if (end.verdict == GPC_VERDICT_PASS)
		return TC_ACT_UNSPEC;
	return end.verdict == GPC_VERDICT_DROP ? TC_ACT_SHOT : action;
}

SEC("tc")
int gpc_tc_ingress(struct __sk_buff *skb)
{
	return tc_action(skb, GPC_HOOK_ID_TC_INGRESS);
}

SEC("tc")
int gpc_tc_egress(struct __sk_buff *skb)
{
	return tc_action(skb, GPC_HOOK_ID_TC_EGRESS);
}
