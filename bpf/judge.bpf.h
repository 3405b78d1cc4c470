/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * judge.bpf.h: may a packet pass, and what does its flow's entry say from now on (SEMANTICS 5.4)? For
 * all packets but those whose entry already says so: walk.bpf.h lets these through without asking.
 *
 * A judgement goes in stages. Each draws its conclusion from the answer of a chain, if one was asked, and
 * either settles the case or says what is asked next; gpc_judge() goes from stage to stage.
 */
#ifndef GPC_JUDGE_BPF_H
#define GPC_JUDGE_BPF_H

#include "fragment.bpf.h"

#define GPC_CHAINS_MAX (2 * GPC_MAX_INTERFACES)
#define GPC_FLOW_JUDGED (GPC_FLOW_REVOKED | GPC_FLOW_REJECTED | GPC_FLOW_WOULD_DENY)

/* ---- entries ---- */

/* An address that one host cannot have: of no flow. */
static __always_inline int is_multicast(const struct gpc_packet *p)
{
	if (p->family == GPC_V4)
		return (p->tuple.destination[1] >> 32 & 0xf0) == 0xe0 ||
		       p->tuple.destination[1] >> 32 == 0xffffffff;
	return (p->tuple.destination[0] & 0xff) == 0xff;
}

/* c->entry becomes that of a flow which this packet opens. */
__noinline int gpc_begin_entry(struct gpc_case *c)
{
	if (!c)
		return 0;
	c->entry.endpoint = 0;
	c->entry.last_seen = c->now >> GPC_FLOW_SECOND_SHIFT;
	c->entry.state = flow_first_state(c->packet.tuple.protocol, c->packet.tcp_flags, c->one_sided);
	c->entry.flags = c->flags;
	c->entry.hint = 0;
	c->entry.chains = 0;
	c->entry.epoch = c->epoch;
	c->entry.skb_mark = 0;
	c->entry.vlan = c->question.vlan;
	c->entry.tcp_flags = c->question.tcp_flags;
	c->entry.dscp = c->question.dscp;
	c->entry.stamp[0] = c->entry.stamp[1] = 0;
	c->store = c->fresh = 1;
	return 0;
}

/* The chain let the flow through. */
static __always_inline void record_chain(struct gpc_case *c, const struct gpc_chain *chain,
					 __u32 direction)
{
	c->entry.chain[direction & 1] = chain->tag;
	c->entry.stamp[direction & 1] = chain->stamp;
	if (c->would_deny)
		c->entry.state |= GPC_FLOW_WOULD_DENY;
	if (c->skb_mark) {
		c->entry.skb_mark = c->skb_mark;
		c->entry.state &= ~GPC_FLOW_EGRESS_MARK;
		if (direction == GPC_EGRESS)
			c->entry.state |= GPC_FLOW_EGRESS_MARK;
	}
	c->store = 1;
}

/* ---- what recorded chains say now ---- */

/* c->question becomes what the rules were asked about the flow's first packet. */
static __always_inline void ask_first(struct gpc_case *c)
{
	__u8 protocol = c->packet.tuple.protocol;

	ask_about(&c->question, &c->packet);
	if (c->nat.reply)
		ask_of(&c->question, &c->nat.client);
	else if (c->relation == GPC_FLOW_REPLY)
		ask_reversed(&c->question);
	if (protocol == IPPROTO_ICMP)
		c->question.destination_port = GPC_ICMP_ECHO << 8;
	if (protocol == IPPROTO_ICMPV6)
		c->question.destination_port = GPC_ICMP6_ECHO << 8;
	c->question.fragment = GPC_FRAGMENT_NONE;
	c->question.tcp_flags = c->entry.tcp_flags;
	c->question.vlan = c->entry.vlan;
	c->question.dscp = c->entry.dscp;
}

/* Index of the stateful chain with the tag; GPC_NONE: it is gone, or asks nothing any more. */
__noinline int gpc_find_chain(const struct gpc_case *c, __u32 tag, __u32 direction)
{
	struct gpc_view view;
	__u32 count, i;

	if (!c)
		return GPC_NONE;
	view = image_of(c->slot);
	if (!view.base)
		return GPC_NONE;
	count = gpc_view_plane(view)->section[GPC_SEC_CHAIN].count;
#pragma clang loop unroll(disable)
	for (i = 0; i < GPC_CHAINS_MAX && i < count; i++) {
		const struct gpc_chain *chain = gpc_chain_at(view, i);

		if (chain->tag == tag && chain->direction == direction)
			return chain->policies && chain->flags & GPC_CHAIN_STATEFUL ? i : GPC_NONE;
	}
	return GPC_NONE;
}

/*
 * Is the recorded chain to be asked again? Its meaning changed, and it does not keep what it let
 * through; or it only let the flow through in audit, or not at all: under another mode that may end.
 */
static __always_inline int must_ask_again(const struct gpc_case *c, const struct gpc_chain *chain,
					  __u64 stamp)
{
	return c->entry.state & (GPC_FLOW_WOULD_DENY | GPC_FLOW_REVOKED) ||
	       (stamp != chain->stamp && !(chain->flags & GPC_CHAIN_KEEP));
}

/* Stage: the chain recorded for a direction is held against the image. */
static __always_inline void ask_recorded(struct gpc_case *c, struct gpc_view view, __u32 direction)
{
	__u32 tag = c->entry.chain[direction], index;
	const struct gpc_chain *chain;

	if (!tag)
		return;
	index = gpc_find_chain(c, tag, direction);
	if (index == GPC_NONE)
		return;
	chain = gpc_chain_at(view, index);
	if (!must_ask_again(c, chain, c->entry.stamp[direction]))
		return;
	ask_first(c);
	put_question(c, index, c->how);
}

/* What it said: marks for the entry. */
static __always_inline void hear_recorded(struct gpc_case *c, struct gpc_view view, __u32 heard,
					  __u32 direction)
{
	__u32 action;

	if (heard == GPC_NONE)
		return;
	action = answered(c, view);
	c->entry.stamp[direction] = gpc_chain_at(view, heard)->stamp;
	if (denies(action)) {
		c->marks |= GPC_FLOW_REVOKED;
		c->revoker = deciding_rule(c);
	}
	if (action == GPC_ACTION_REJECT)
		c->marks |= GPC_FLOW_REJECTED;
	if (c->would_deny)
		c->marks |= GPC_FLOW_WOULD_DENY;
}

/* Both have been asked: the entry is of this epoch. */
static __always_inline void end_recheck(struct gpc_case *c)
{
	__u8 before = c->entry.state;

	c->entry.state = (before & ~GPC_FLOW_JUDGED) | c->marks;
	c->entry.epoch = c->epoch;
	c->store = 1;
	ask_about(&c->question, &c->packet);
	if (c->marks & GPC_FLOW_REVOKED && !(before & GPC_FLOW_REVOKED)) {
		c->reason = GPC_REASON_REVOKED;
		gpc_tell(c, GPC_EVENT_REVOKED, c->revoker,
			 c->marks & GPC_FLOW_REJECTED ? GPC_ACTION_REJECT : GPC_ACTION_DENY);
	}
}

/* ---- TCP in mid-stream of an unknown flow ---- */

static __always_inline int within_pickup(const struct gpc_plane *plane, __u64 now)
{
	__u64 since;

	if (plane->pickup == 0 || plane->pickup == GPC_NONE)
		return plane->pickup != 0;
	since = flows_since();
	return since && now - since <= plane->pickup * GPC_SECOND;
}

/* As if it opened the flow: asks the chain of a direction of this interface. */
static __always_inline void ask_opening(struct gpc_case *c, __u32 direction)
{
	c->question.tcp_flags = GPC_ASK_SYN;
	if (c->chain[direction] != GPC_NONE16)
		put_question(c, c->chain[direction], c->how);
	else
		c->would_deny = 0;
}

/*
 * What it said; 1: the flow is entered as established. A direction without a chain lets it open, as W-out
 * does; an objection of a policy in audit counts, as the other direction may be the right one.
 */
static __always_inline int hear_opening(struct gpc_case *c, struct gpc_view view, __u32 heard,
					__u32 direction, __u8 flags)
{
	const struct gpc_chain *chain;

	if (heard != GPC_NONE && (denies(answered(c, view)) || c->would_deny))
		return 0;
	c->action = GPC_ACTION_ALLOW;
	if (heard != GPC_NONE && c->answer.protect != GPC_NONE)
		return 1;
	gpc_begin_entry(c);
	c->entry.flags = flags;
	if (heard == GPC_NONE)
		return 1;
	chain = gpc_chain_at(view, heard);
	if (chain->flags & GPC_CHAIN_STATEFUL)
		record_chain(c, chain, direction);
	return 1;
}

/* ---- the rules ---- */

/* Effects of what the policies asked have said; what gpc_apply() gives for the one that decided. */
static __always_inline __u32 apply_all(struct gpc_case *c)
{
	__u32 action = GPC_ACTION_PASS, i;

	c->logged = 0;
	c->would_deny = 0;
#pragma clang loop unroll(disable)
	for (i = 0; i < GPC_MAX_CHAIN_POLICIES && i < c->answer.asked; i++) {
		__u32 said;

		gpc_apply_log(c, i);
		said = gpc_apply(c, i);
		if (i == c->answer.decider)
			action = said;
		if (said & GPC_IN_AUDIT && denies(said & GPC_ACTION_MASK))
			gpc_tell(c, GPC_EVENT_WOULD_DENY, c->answer.rule[i],
				 said & GPC_ACTION_MASK);
	}
	return action;
}

/* TCP of an unknown flow that does not open it. */
static __always_inline int is_mid_stream(const struct gpc_case *c, const struct gpc_chain *chain)
{
	const struct gpc_packet *p = &c->packet;

	return chain->flags & GPC_CHAIN_STATEFUL && c->relation == GPC_FLOW_UNKNOWN &&
	       p->tuple.protocol == IPPROTO_TCP && p->fragment != GPC_FRAGMENT_LATER &&
	       !tcp_opens(p->tcp_flags);
}

/* Is it matched like a first packet all the same? */
static __always_inline int is_like_first(const struct gpc_case *c, const struct gpc_chain *chain)
{
	return c->one_sided || chain->flags & GPC_CHAIN_MID_STREAM_ALLOW;
}

/* Why a packet that the rules do not let through is dropped. */
static __always_inline __u8 why(const struct gpc_case *c, __u32 action)
{
	if (c->reopens)
		return GPC_REASON_REVOKED;
	if (c->asking_how & GPC_HOW_MID_STREAM)
		return GPC_REASON_MID_STREAM;
	return action & GPC_EXCEEDED ? GPC_REASON_RATE : GPC_REASON_POLICY;
}

/* Does an allowed packet make an entry? In mid-stream only if it was matched like a first one. */
static __always_inline int makes_entry(const struct gpc_case *c, const struct gpc_chain *chain)
{
	const struct gpc_packet *p = &c->packet;

	if (!(chain->flags & GPC_CHAIN_STATEFUL) || !packet_has_flow(p) || is_multicast(p))
		return 0;
	if (packet_opens(p))
		return 1;
	return is_mid_stream(c, chain) &&
	       (!(c->asking_how & GPC_HOW_MID_STREAM) || !c->enforced);
}

/* The chain of this hook has been asked about the packet, and its answer takes effect. */
static __always_inline void hear_rules(struct gpc_case *c, const struct gpc_chain *chain)
{
	__u32 action;

	if (c->answer.protect != GPC_NONE) {
		gpc_count_rule(c, c->answer.protect);
		c->action = GPC_ACTION_ALLOW;
		return;
	}
	action = apply_all(c);
	c->action = action & GPC_ACTION_MASK;
	if (denies(c->action)) {
		c->reason = why(c, action);
		gpc_tell(c, GPC_EVENT_DENY, deciding_rule(c), c->action);
	} else if (c->relation == GPC_FLOW_ORIGINAL) {
		record_chain(c, chain, c->direction);
	} else if (makes_entry(c, chain)) {
		gpc_begin_entry(c);
		record_chain(c, chain, c->direction);
		gpc_tell(c, GPC_EVENT_FLOW, deciding_rule(c), GPC_ACTION_ALLOW);
	}
}

/* ---- known flows ---- */

/* The mark that the entry gives to packets of the original direction at this hook. */
static __always_inline __u32 entry_mark(const struct gpc_flow *entry, __u32 direction)
{
	int egress = (entry->state & GPC_FLOW_EGRESS_MARK) != 0;

	return egress == (direction == GPC_EGRESS) ? entry->skb_mark : 0;
}

/*
 * May this packet open a revoked flow anew, if the rules allow it? What is no TCP opens with any packet,
 * so there the other end must not.
 */
static __always_inline int may_reopen(const struct gpc_case *c)
{
	if (c->packet.tuple.protocol == IPPROTO_TCP)
		return tcp_opens(c->packet.tcp_flags);
	return c->relation == GPC_FLOW_ORIGINAL && packet_opens(&c->packet);
}

/* ---- the stages ---- */

enum gpc_stage {
	GPC_STAGE_INGRESS, /* is the chain recorded for ingress to be asked again? */
	GPC_STAGE_EGRESS,  /* that for egress? */
	GPC_STAGE_RECHECKED,
	GPC_STAGE_KNOWN,   /* what does the entry say? */
	GPC_STAGE_REVOKED, /* `protect` has been asked about a packet of a revoked flow */
	GPC_STAGE_OPEN,	   /* the entry does not say; what is to be asked? */
	GPC_STAGE_PICK_UP, /* may it have opened in this direction? */
	GPC_STAGE_PICK_UP_BACK, /* in the other? */
	GPC_STAGE_RULES,   /* the rules have been asked about the packet */
	GPC_STAGE_SETTLED,
};

static __always_inline __u8 settle(struct gpc_case *c, enum gpc_action action)
{
	c->action = action;
	return GPC_STAGE_SETTLED;
}

static __always_inline __u8 stage_known(struct gpc_case *c, const struct gpc_chain *chain)
{
	__u8 state = c->entry.state & GPC_FLOW_STATE_MASK;

	if (c->entry.state & GPC_FLOW_REVOKED) {
		c->reason = GPC_REASON_REVOKED;
		if (chain && may_reopen(c)) {
			c->relation = GPC_FLOW_UNKNOWN;
			c->reopens = 1;
			return GPC_STAGE_OPEN;
		}
		if (chain)
			put_question(c, c->chain[c->direction & 1], GPC_HOW_PROTECT);
		return GPC_STAGE_REVOKED;
	}
	if (c->relation == GPC_FLOW_REPLY) {
		if (!opens_back(&c->packet, state))
			return settle(c, GPC_ACTION_ALLOW);
		c->relation = GPC_FLOW_UNKNOWN;
		return GPC_STAGE_OPEN;
	}
	if (chain && c->entry.chain[c->direction & 1] != chain->tag) {
		c->question.tcp_flags = c->entry.tcp_flags;
		return GPC_STAGE_OPEN;
	}
	c->skb_mark = entry_mark(&c->entry, c->direction);
	return settle(c, GPC_ACTION_ALLOW);
}

static __always_inline __u8 stage_revoked(struct gpc_case *c, int asked)
{
	if (!asked || c->answer.protect == GPC_NONE)
		return settle(c, c->entry.state & GPC_FLOW_REJECTED ? GPC_ACTION_REJECT
								    : GPC_ACTION_DENY);
	gpc_count_rule(c, c->answer.protect);
	return settle(c, GPC_ACTION_ALLOW);
}

/* Without a chain (W-out of a stateful plane) what opens is entered as if it had been allowed. */
static __always_inline __u8 stage_open(struct gpc_case *c, struct gpc_view view,
				       const struct gpc_chain *chain)
{
	__u32 how = c->how | GPC_HOW_EFFECT;

	if (!chain) {
		if (packet_opens(&c->packet) && !is_multicast(&c->packet))
			gpc_begin_entry(c);
		return settle(c, GPC_ACTION_PASS);
	}
	if (c->packet.fragment == GPC_FRAGMENT_LATER && gpc_recall_fragment(c, chain->tag))
		return settle(c, GPC_ACTION_ALLOW);
	if (is_mid_stream(c, chain) && !is_like_first(c, chain)) {
		how |= GPC_HOW_MID_STREAM;
		if (within_pickup(gpc_view_plane(view), c->now)) {
			ask_opening(c, c->direction & 1);
			return GPC_STAGE_PICK_UP;
		}
	}
	put_question(c, c->chain[c->direction & 1], how);
	return GPC_STAGE_RULES;
}

static __always_inline __u8 stage_pick_up(struct gpc_case *c, struct gpc_view view, __u32 heard)
{
	if (hear_opening(c, view, heard, c->direction & 1, c->flags))
		return GPC_STAGE_SETTLED;
	ask_reversed(&c->question);
	ask_opening(c, !(c->direction & 1));
	return GPC_STAGE_PICK_UP_BACK;
}

static __always_inline __u8 stage_pick_up_back(struct gpc_case *c, struct gpc_view view,
					       __u32 heard)
{
	if (hear_opening(c, view, heard, !(c->direction & 1), c->flags ^ GPC_FLOW_REVERSED))
		return GPC_STAGE_SETTLED;
	ask_about(&c->question, &c->packet);
	put_question(c, c->chain[c->direction & 1],
		     c->how | GPC_HOW_EFFECT | GPC_HOW_MID_STREAM);
	return GPC_STAGE_RULES;
}

/* The stage after c->stage; `heard` is the chain that has been asked before it, or GPC_NONE. */
static __always_inline __u8 next_stage(struct gpc_case *c, struct gpc_view view,
				       const struct gpc_chain *chain, __u32 heard)
{
	switch (c->stage) {
	case GPC_STAGE_INGRESS:
		ask_recorded(c, view, GPC_INGRESS);
		return GPC_STAGE_EGRESS;
	case GPC_STAGE_EGRESS:
		hear_recorded(c, view, heard, GPC_INGRESS);
		ask_recorded(c, view, GPC_EGRESS);
		return GPC_STAGE_RECHECKED;
	case GPC_STAGE_RECHECKED:
		hear_recorded(c, view, heard, GPC_EGRESS);
		end_recheck(c);
		return GPC_STAGE_KNOWN;
	case GPC_STAGE_KNOWN:
		return stage_known(c, chain);
	case GPC_STAGE_REVOKED:
		return stage_revoked(c, heard != GPC_NONE);
	case GPC_STAGE_OPEN:
		return stage_open(c, view, chain);
	case GPC_STAGE_PICK_UP:
		return stage_pick_up(c, view, heard);
	case GPC_STAGE_PICK_UP_BACK:
		return stage_pick_up_back(c, view, heard);
	case GPC_STAGE_RULES:
		if (chain)
			hear_rules(c, chain);
		return GPC_STAGE_SETTLED;
	default:
		return GPC_STAGE_SETTLED;
	}
}

/*
 * One stage. Afterwards c->asking is the chain that has to be asked before the next one, or GPC_NONE. At
 * last c->action is the packet's; `store`, `entry`, `skb_mark` and, if it does not pass, `reason` say
 * what follows.
 */
__noinline int gpc_judge_stage(struct gpc_case *c)
{
	const struct gpc_chain *chain = 0;
	struct gpc_view view;
	__u32 heard;

	if (!c)
		return 0;
	view = image_of(c->slot);
	if (!view.base) {
		c->stage = settle(c, GPC_ACTION_PASS);
		return 0;
	}
	if (c->chain[c->direction & 1] != GPC_NONE16)
		chain = gpc_chain_at(view, c->chain[c->direction & 1]);
	heard = c->asking;
	c->asking = GPC_NONE;
	c->stage = next_stage(c, view, chain, heard);
	if (c->stage == GPC_STAGE_SETTLED && chain && !denies(c->action) &&
	    c->packet.fragment == GPC_FRAGMENT_FIRST)
		gpc_remember_fragment(c, chain->tag, 0);
	return 0;
}

/* Stage by stage, and the questions between them: the packet's action. */
__noinline int gpc_judge(struct gpc_case *c)
{
	__u32 i;

	if (!c)
		return GPC_ACTION_PASS;
	c->stage = c->relation == GPC_FLOW_UNKNOWN   ? GPC_STAGE_OPEN
		   : c->entry.epoch != c->epoch ? GPC_STAGE_INGRESS
						: GPC_STAGE_KNOWN;
	c->action = GPC_ACTION_PASS;
	c->asking = GPC_NONE;
	c->marks = 0;
	ask_about(&c->question, &c->packet);
#pragma clang loop unroll(disable)
	for (i = 0; i < GPC_STAGE_SETTLED; i++) {
		gpc_judge_stage(c);
		if (c->stage == GPC_STAGE_SETTLED)
			break;
		if (c->asking != GPC_NONE)
			ask_chain(c);
	}
	return c->action;
}

#endif
