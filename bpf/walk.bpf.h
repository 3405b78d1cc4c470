/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * walk.bpf.h: what the walks of all hooks have in common (SEMANTICS 4.1, 4.2): built-ins, ICMP errors,
 * the packet's flow, the chain of its interface. Nothing here touches the frame.
 *
 * A packet whose flow's entry says that this chain has let it through, and whose epoch is the image's,
 * passes here by comparing what has been loaded. All others go to gpc_judge().
 */
#ifndef GPC_WALK_BPF_H
#define GPC_WALK_BPF_H

#include "cookie.bpf.h"
#include "count.bpf.h"
#include "judge.bpf.h"
#include "nat.bpf.h"
#include "vip.bpf.h"

/* What the stages hand on about one packet. */
struct gpc_walk {
	struct gpc_view view;
	const struct gpc_plane *plane;
	const struct gpc_link_head *link;
	const struct gpc_link_device *in;
	const struct gpc_chain *chain; /* of this hook, NULL: none */
	struct gpc_case *c;	       /* with the packet */
	struct gpc_flow *flow;	       /* the flow's entry as it was found, NULL: none */
	struct gpc_flow now;	       /* its first words, as they are to be: see age_flow() */
	__u64 seen;		       /* now.mark as it was found */
	__u64 packets;
	__u32 slot;
	__u32 epoch;
	__u32 audit; /* GPC_HOW_AUDIT, or 0 */
	__u32 is_new; /* the packet's flow has no entry, as is known already */
	__u32 direction;
	enum gpc_hook hook;
};

/* How a walk ended. */
struct gpc_end {
	__u32 reason;
	enum gpc_verdict verdict;
};

static __always_inline struct gpc_end ended(__u32 reason, enum gpc_verdict verdict)
{
	return (struct gpc_end){.reason = reason, .verdict = verdict};
}

static __always_inline enum gpc_verdict drop_if(int condition)
{
	return condition ? GPC_VERDICT_DROP : GPC_VERDICT_PASS;
}

/* The chain of the interface and direction; one of `protect` items alone decides nothing. */
static __always_inline const struct gpc_chain *chain_of(const struct gpc_walk *w, __u32 direction)
{
	__u16 index = w->in->chain[direction & 1];
	const struct gpc_chain *chain;

	if (likely(index == GPC_NONE16))
		return 0;
	chain = gpc_chain_at(w->view, index);
	return chain->policies ? chain : 0;
}

/* 0: the plane has nothing to do with the device. */
static __always_inline int walk_start(struct gpc_walk *w, const struct gpc_pick *pick,
				      __u32 ifindex, enum gpc_hook hook)
{
	w->slot = w->c->slot = pick->slot;
	w->hook = w->c->hook = hook;
	w->direction = hook == GPC_HOOK_ID_TC_EGRESS ? GPC_EGRESS : GPC_INGRESS;
	w->audit = pick->word & GPC_CTL_AUDIT ? GPC_HOW_AUDIT : 0;
	w->plane = gpc_view_plane(w->view);
	w->link = gpc_view_link(w->view);
	w->c->direction = w->direction;
	w->flow = 0;
	w->in = gpc_device_by_ifindex(w->view, w->link, ifindex);
	if (!w->in || !w->in->interface_bit)
		return 0;
	w->chain = chain_of(w, w->direction);
	return 1;
}

/* Nothing has been said of the packet. */
static __always_inline void clear_case(struct gpc_case *c)
{
	c->opened = 0;
	c->skb_mark = 0;
	c->now = 0;
}

static __always_inline __u64 walk_time(struct gpc_walk *w)
{
	if (!w->c->now)
		w->c->now = bpf_ktime_get_coarse_ns();
	return w->c->now;
}

/* ---- the case of a packet that somebody has to be asked about ---- */

/* Fills in what judges want to know. */
static __always_inline struct gpc_case *open_case(struct gpc_walk *w)
{
	struct gpc_case *c = w->c;

	w->c->opened = 1;
	walk_time(w);
	c->packets = w->packets;
	c->ifindex = w->in->ifindex;
	c->frame = c->packet.frame;
	c->length = c->packet.length;
	c->epoch = w->plane->epoch | (w->audit ? GPC_EPOCH_AUDIT : 0);
	c->chain[GPC_INGRESS] = chain_of(w, GPC_INGRESS) ? w->in->chain[GPC_INGRESS] : GPC_NONE16;
	c->chain[GPC_EGRESS] = chain_of(w, GPC_EGRESS) ? w->in->chain[GPC_EGRESS] : GPC_NONE16;
	c->direction = w->direction;
	c->hook = w->hook;
	c->how = w->audit;
	c->tcp_flags = c->packet.tcp_flags;
	c->reason = GPC_REASON_POLICY;
	c->store = 0;
	c->reopens = 0;
	return c;
}

/* ---- flows ---- */

/* c->nat.reply says whether the packet is one of a `nat` flow. */
static __always_inline void look_for_reply(struct gpc_walk *w)
{
	if (likely(!(w->plane->flags & GPC_PLANE_NAT)))
		return;
	walk_time(w);
	gpc_find_reply(w->c);
}

/* To whom the packet goes is known: if it is a first fragment, its later ones are of no reply. */
static __always_inline void keep_no_reply(struct gpc_walk *w)
{
	if (likely(!(w->plane->flags & GPC_PLANE_NAT)) ||
	    w->c->packet.fragment != GPC_FRAGMENT_FIRST)
		return;
	walk_time(w);
	gpc_remember_own(w->c);
}

/* Of a later fragment whose first one is not known: may it have been one of a reply? */
static __always_inline int is_stray(const struct gpc_walk *w)
{
	return unlikely(w->plane->flags & GPC_PLANE_NAT) &&
	       w->c->packet.fragment == GPC_FRAGMENT_LATER && !w->c->nat.reply && !w->audit &&
	       gpc_is_stray(w->c);
}

/* The reason of an end that is none yet: gpc_nat takes it from here. */
#define GPC_GO_ON_IN_NAT (GPC_PARSED + 2)

static __always_inline struct gpc_end go_on_in_nat(void)
{
	return ended(GPC_GO_ON_IN_NAT, GPC_VERDICT_FORWARD);
}

/* What gpc_nat wants to know of a packet for a listener. */
static __always_inline void keep_for_nat(struct gpc_walk *w, __u32 listener)
{
	struct gpc_nat *nat = &w->c->nat;

	nat->listener = listener;
	nat->opened = w->c->opened;
	nat->found = w->flow != 0;
	nat->endpoint = w->now.endpoint;
	nat->mark = w->now.mark;
	nat->seen = w->seen;
}

/* And takes it back. */
static __always_inline void take_from_walk(struct gpc_walk *w)
{
	const struct gpc_nat *nat = &w->c->nat;

	w->c->opened = nat->opened;
	w->now.endpoint = nat->endpoint;
	w->now.mark = nat->mark;
	w->seen = nat->seen;
	w->flow = nat->found ? find_value(w->c->packet.family, &w->c->key, &w->c->at) : 0;
}

/* c->key becomes that of the packet's flow; a reply of a `nat` flow has it already. `family` is a constant. */
static __always_inline struct gpc_flow_place find_key(struct gpc_case *c, __u32 family)
{
	struct gpc_flow_place place;
	__u8 reversed = 0;

	if (likely(!c->nat.reply))
		reversed = family == GPC_V4 ? flow_key4(&c->key, &c->packet.tuple)
					    : flow_key6(&c->key, &c->packet.tuple);
	place = flow_place(family, c->key.word);
	if (likely(!c->nat.reply))
		c->flags = reversed | flow_tag(&place);
	return place;
}

/* The key, and c->at the number of the flow's element; what most packets go through is find_often(). */
__noinline int gpc_look_up(struct gpc_case *c)
{
	if (!c)
		return 0;
	if (c->packet.family == GPC_V4) {
		find_key(c, GPC_V4);
		c->at = gpc_find_flow4(&c->key);
	} else {
		find_key(c, GPC_V6);
		c->at = gpc_find_flow6(&c->key);
	}
	return 0;
}

static __always_inline void find_seldom(struct gpc_walk *w)
{
	struct gpc_case *c = w->c;
	struct gpc_flow *flow;

	gpc_look_up(c);
	flow = value_at(c->packet.family, c->at);
	if (!flow)
		return;
	w->now.mark = w->seen = READ_ONCE(flow->mark);
	w->now.endpoint = READ_ONCE(flow->endpoint);
	if (holds_key(c->packet.family, &c->key, c->at))
		w->flow = flow;
}

static __always_inline void find_often(struct gpc_walk *w, __u32 family)
{
	struct gpc_flow_place place = find_key(w->c, family);
	const __u64 *key = w->c->key.word;
	__u64 *element;

	if (w->is_new)
		return;
	element = flow_find(family, &w->c->key, &place, &w->c->at);
	if (!element)
		return;
	w->now.mark = w->seen = READ_ONCE(flow_value(family, element)->mark);
	w->now.endpoint = READ_ONCE(flow_value(family, element)->endpoint);
	if (likely(has_key(family, element, key)))
		w->flow = flow_value(family, element);
}

/*
 * Looks for the packet's flow; w->c->key is its key in any case. What is read of the entry stands between two looks
 * at its key. `often` is a constant, 0 where time is worth less than stack and states of the verifier.
 */
static __always_inline void find_flow(struct gpc_walk *w, int often)
{
	w->flow = 0;
	if (!often)
		find_seldom(w);
	else if (w->c->packet.family == GPC_V4)
		find_often(w, GPC_V4);
	else
		find_often(w, GPC_V6);
	w->c->relation = GPC_FLOW_UNKNOWN;
	if (!w->flow)
		return;
	if (likely(w->now.flags == w->c->flags))
		w->c->relation = GPC_FLOW_ORIGINAL;
	else if ((w->now.flags ^ w->c->flags) == GPC_FLOW_REVERSED)
		w->c->relation = GPC_FLOW_REPLY;
	/* else the element is about to go to another flow */
}

/* w->now.mark becomes what it is after this packet. */
static __always_inline void age_flow(struct gpc_walk *w, int one_sided)
{
	const struct gpc_packet *p = &w->c->packet;
	__u32 second = walk_time(w) >> GPC_FLOW_SECOND_SHIFT;
	__s32 idle = second - w->now.last_seen;
	__u8 state = w->now.state & GPC_FLOW_STATE_MASK;
	int reply = w->c->relation == GPC_FLOW_REPLY;

	w->c->fresh = w->c->relation == GPC_FLOW_UNKNOWN ||
		   gpc_flow_expired(w->plane, w->now.state, idle) ||
		   (p->tuple.protocol == IPPROTO_TCP && tcp_opens(p->tcp_flags) &&
		    (state == GPC_FLOW_CLOSING || state == GPC_FLOW_CLOSED) &&
		    !(w->now.state & GPC_FLOW_REVOKED));
	if (unlikely(w->c->fresh)) {
		w->now.endpoint = 0;
		w->now.last_seen = second;
		w->now.state = flow_first_state(p->tuple.protocol, p->tcp_flags, one_sided);
		w->now.flags = w->c->flags;
		return;
	}
	w->now.state = (w->now.state & ~GPC_FLOW_STATE_MASK) |
		       flow_next_state(state, p->tuple.protocol, p->tcp_flags, reply,
				       reply | one_sided);
	if (idle > 0)
		w->now.last_seen = second;
}

/*
 * Stores what is new of an entry. When another CPU was faster, a new state is put into what that one
 * stored; a stamp is not: it is as new.
 */
static __always_inline void mark_flow(const struct gpc_walk *w)
{
	struct gpc_flow was = {.mark = w->seen}, found;
	__u64 seen = w->seen;

	if (likely(w->now.mark == seen) || !w->flow)
		return;
	gpc_age_flow(w->c->packet.family, w->c->at, w->now.last_seen, w->now.state);
	found.mark = __sync_val_compare_and_swap(&w->flow->mark, seen, w->now.mark);
	if (likely(found.mark == seen) || w->now.state == was.state ||
	    found.flags != w->now.flags)
		return;
	seen = found.mark;
	found.state = w->now.state;
	__sync_val_compare_and_swap(&w->flow->mark, seen, found.mark);
}

/* c->entry becomes the entry as found, or an empty one, with w->now.mark. */
static __always_inline void copy_entry(struct gpc_walk *w, struct gpc_case *c)
{
	__builtin_memset(&c->entry, 0, sizeof(c->entry));
	if (w->flow && !w->c->fresh) {
		c->entry = *w->flow;
		if ((READ_ONCE(w->flow->flags) ^ w->c->flags) & ~GPC_FLOW_REVERSED ||
		    !holds_key(c->packet.family, &c->key, w->c->at))
			__builtin_memset(&c->entry, 0, sizeof(c->entry));
	}
	c->entry.endpoint = w->now.endpoint;
	c->entry.mark = w->now.mark;
}

/* Writes c->entry with its key; 0 if it is there now. */
static __always_inline int enter_flow(struct gpc_case *c)
{
	return store_value(c->packet.family, &c->job, &c->key, &c->entry, c->now, BPF_ANY);
}

/* TCP that does not open has its own, so that who has come through a flood of SYNs is entered (SEMANTICS 6.5). */
static __always_inline int take_budget(const struct gpc_walk *w)
{
	const struct gpc_packet *p = &w->c->packet;
	enum gpc_budget_kind kind = w->direction == GPC_INGRESS ? GPC_BUDGET_IN : GPC_BUDGET_OUT;

	if (p->tuple.protocol == IPPROTO_TCP && !tcp_opens(p->tcp_flags))
		kind += GPC_BUDGET_IN_LATER - GPC_BUDGET_IN;
	return flow_budget(w->plane, kind, w->link->cpus, w->c->now);
}

/* Is it a SYN that `syn-cookies` are for? */
static __always_inline int wants_cookie(const struct gpc_walk *w, const struct gpc_listener *listener)
{
	return unlikely(listener->flags & GPC_LISTENER_SYN_COOKIES) &&
	       is_whole_tcp(&w->c->packet) && tcp_opens(w->c->packet.tcp_flags);
}

/* GPC_PARSED: a flow of the listener may be entered. Else the reason why not, and how its packet is answered then. */
static __always_inline __u32 ask_for_entry(const struct gpc_walk *w,
					   const struct gpc_listener *listener)
{
	if (take_budget(w))
		return GPC_PARSED;
	return wants_cookie(w, listener) ? gpc_ask_for_cookie(w->c) : GPC_REASON_FLOW_LIMIT;
}

/* The end of what is refused. */
static __always_inline struct gpc_end end_refused(__u32 reason)
{
	return ended(reason, reason == GPC_REASON_SYN_COOKIE ? GPC_VERDICT_ANSWER
							     : GPC_VERDICT_DROP);
}

/* ---- the chain ---- */

/* Does the entry say that the packet passes this hook? */
static __always_inline int is_settled(const struct gpc_walk *w)
{
	if (!w->flow || w->c->fresh || w->c->packet.fragment || w->now.state & GPC_FLOW_REVOKED)
		return 0;
	if (READ_ONCE(w->flow->epoch) != (w->plane->epoch | (w->audit ? GPC_EPOCH_AUDIT : 0)))
		return 0;
	if (w->c->relation == GPC_FLOW_REPLY)
		return !opens_back(&w->c->packet, w->now.state & GPC_FLOW_STATE_MASK);
	return !w->chain || READ_ONCE(w->flow->chain[w->direction & 1]) == w->chain->tag;
}

/* Takes the mark of a settled flow's entry over. */
static __always_inline void take_mark(struct gpc_walk *w)
{
	__u32 mark = READ_ONCE(w->flow->skb_mark);

	if (unlikely(mark) && w->c->relation == GPC_FLOW_ORIGINAL &&
	    !(w->now.state & GPC_FLOW_EGRESS_MARK) == (w->direction == GPC_INGRESS))
		w->c->skb_mark = mark;
}

/* Prepares the case for judge(); `flow`: the packet's flow has been looked for, and has to be kept. */
static __always_inline void prepare(struct gpc_walk *w, int flow)
{
	struct gpc_case *c = open_case(w);

	c->keeps_flow = flow;
	c->seen = w->seen;
	if (!flow || c->fresh)
		c->relation = GPC_FLOW_UNKNOWN;
	if (flow)
		copy_entry(w, c);
}

/*
 * May the packet of the case pass? From here on its entry changes by its key: the verifier would look at all
 * that follows once more for each table that the element may be of.
 */
static __always_inline enum gpc_action judge(struct gpc_walk *w)
{
	struct gpc_case *c = w->c;
	int action = gpc_judge(c);

	/* Without a flow nothing was said of the entry that a listener's may have: it is still to be read. */
	c->opened = c->keeps_flow;
	w->flow = 0;
	w->now.endpoint = c->entry.endpoint;
	w->now.mark = c->entry.mark;
	if (c->keeps_flow && !c->fresh && c->entry.mark != c->seen)
		c->store = 1;
	return action;
}

/* The end of a packet that may not pass. */
static __always_inline struct gpc_end refuse(struct gpc_walk *w, enum gpc_action action)
{
	if (w->c->store)
		enter_flow(w->c);
	return ended(w->c->reason, action == GPC_ACTION_REJECT ? GPC_VERDICT_REJECT
							       : GPC_VERDICT_DROP);
}

/* What is new of the flow's entry is stored. */
static __always_inline void keep_entry(const struct gpc_walk *w)
{
	if (!w->c->opened)
		mark_flow(w);
	else if (w->c->store)
		enter_flow(w->c);
}

/*
 * A packet without a listener has passed its chain: its entry is kept up. A flow that cannot be entered
 * cannot be let in either, its replies would not pass; unless nobody but audit was asked, who drops nothing.
 */
static __always_inline int keep_flow(struct gpc_walk *w)
{
	if (w->c->opened && w->c->store && w->c->fresh && !take_budget(w))
		return !w->chain || !w->c->enforced;
	keep_entry(w);
	return 1;
}

/* ---- built-ins and what is no packet for rules ---- */

static __always_inline struct gpc_end end_builtin(struct gpc_walk *w, enum gpc_builtin which,
						  __u32 passed)
{
	struct gpc_case *c = open_case(w);
	int deny = w->plane->builtin[which] == GPC_BUILTIN_DENY && !w->audit;

	gpc_count_rule(c, which);
	return ended(deny ? GPC_REASON_BUILTIN : passed, drop_if(deny));
}

static __always_inline int is_link_local(const __u64 address[2])
{
	return (address[0] & 0xc0ff) == 0x80fe;
}

/* The built-in that holds the packet, GPC_BUILTIN_COUNT: none. */
static __always_inline enum gpc_builtin builtin_of(const struct gpc_packet *p)
{
	const __u64 *source = p->tuple.source;

	if (p->tuple.protocol != IPPROTO_ICMPV6 || p->family != GPC_V6 || p->fragment)
		return GPC_BUILTIN_COUNT;
	switch (p->icmp >> 8) {
	case 135:
	case 136:
		return p->hops == 255 ? GPC_BUILTIN_ND : GPC_BUILTIN_COUNT;
	case 133:
		return p->hops == 255 ? GPC_BUILTIN_RA : GPC_BUILTIN_COUNT;
	case 134:
		return p->hops == 255 && is_link_local(source) ? GPC_BUILTIN_RA
							       : GPC_BUILTIN_COUNT;
	case 130:
	case 131:
	case 132:
	case 143:
		return is_link_local(source) || !(source[0] | source[1]) ? GPC_BUILTIN_MLD
									 : GPC_BUILTIN_COUNT;
	default:
		return GPC_BUILTIN_COUNT;
	}
}

static __always_inline enum gpc_fragments fragments_of(const struct gpc_plane *plane)
{
	return (enum gpc_fragments)(plane->flags >> GPC_PLANE_FRAGMENTS_SHIFT & 3);
}

/* Does the plane drop the packet because it is a fragment? `ours`: it is the plane's to judge. */
static __always_inline int drops_fragment(const struct gpc_walk *w, int ours)
{
	return unlikely(w->c->packet.fragment) && fragments_of(w->plane) == GPC_FRAGMENTS_DROP &&
	       ours && !w->audit;
}

/* Is the packet to an address of any listener on its interface? */
static __always_inline int to_listener(const struct gpc_walk *w)
{
	const struct gpc_tuple *t = &w->c->packet.tuple;

	return (__u32)gpc_find_address(w->slot, t->destination[0], t->destination[1],
				       w->in->interface_bit) != GPC_NONE;
}

/* A frame that parsing gave a reason for; `ours`: what is malformed is the plane's to judge. */
static __always_inline struct gpc_end end_unparsed(struct gpc_walk *w, __u32 reason, int ours)
{
	if (reason == GPC_REASON_NON_IP)
		return ended(reason, drop_if(w->plane->flags & GPC_PLANE_NON_IP_DROP));
	if (reason == GPC_REASON_ARP)
		return end_builtin(w, GPC_BUILTIN_ARP, reason);
	return ended(reason,
		     drop_if(ours && w->plane->flags & GPC_PLANE_MALFORMED_DROP && !w->audit));
}

#endif
