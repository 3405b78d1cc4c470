/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * error.bpf.h: ICMP errors (SEMANTICS 4.4). One about a packet of a known flow passes by the built-in
 * `icmp-error`; any other is an ordinary packet.
 */
#ifndef GPC_ERROR_BPF_H
#define GPC_ERROR_BPF_H

#include "quoted.bpf.h"
#include "walk.bpf.h"

/* Errors that quote a packet of which a flow can be known. */
static __always_inline int quotes_packet(const struct gpc_packet *p)
{
	__u8 type = p->icmp >> 8;

	if (p->fragment)
		return 0;
	if (p->tuple.protocol == IPPROTO_ICMP)
		return p->family == GPC_V4 && (type == 3 || type == 11 || type == 12);
	return p->tuple.protocol == IPPROTO_ICMPV6 && p->family == GPC_V6 && type >= 1 && type <= 4;
}

/* c->quoted, zero but for what gpc_quoted_xdp() and gpc_quoted_skb() want to know. */
static __always_inline struct gpc_packet *quote_of(struct gpc_case *c)
{
	struct gpc_packet *q = &c->quoted;

	__builtin_memset(q, 0, sizeof(*q));
	q->family = c->packet.family;
	q->vlan = c->packet.vlan;
	return q;
}

/* Is the quoted packet's flow in the table, and not revoked? c->entry and c->relation say what it is. */
static __always_inline int quotes_known_flow(struct gpc_case *c, const struct gpc_plane *plane)
{
	const struct gpc_packet *q = &c->quoted;
	const struct gpc_flow *flow;
	union flow_key key = {};
	__u8 flags = flow_flags(&key, &q->tuple, q->family);
	__u32 at;

	flow = find_value(q->family, &key, &at);
	if (!flow)
		return 0;
	c->entry.mark = READ_ONCE(flow->mark);
	c->entry.endpoint = READ_ONCE(flow->endpoint);
	if (!holds_key(q->family, &key, at))
		return 0;
	if ((c->entry.flags ^ flags) & ~GPC_FLOW_REVERSED || c->entry.state & GPC_FLOW_REVOKED)
		return 0;
	if (gpc_flow_expired(plane, c->entry.state,
			 (__s32)((__u32)(c->now >> GPC_FLOW_SECOND_SHIFT) - c->entry.last_seen)))
		return 0;
	c->relation = c->entry.flags == flags ? GPC_FLOW_ORIGINAL : GPC_FLOW_REPLY;
	return 1;
}

/*
 * Is the packet about another one, c->quoted, of a known flow? -1: not by the flow table, and the chain is
 * not there to be asked.
 */
__noinline int gpc_judge_quoted(struct gpc_case *c)
{
	const struct gpc_tuple *to, *quoted;
	struct gpc_view view;

	if (!c)
		return 0;
	to = &c->packet.tuple;
	quoted = &c->quoted.tuple;
	view = image_of(c->slot);
	if (!view.base || (!c->nat.reply && (to->destination[0] != quoted->source[0] ||
					     to->destination[1] != quoted->source[1])))
		return 0;
	if (quotes_known_flow(c, gpc_view_plane(view)))
		return 1;
	if (c->chain[c->direction & 1] == GPC_NONE16)
		return c->one_sided;
	ask_about(&c->question, &c->quoted);
	put_question(c, c->chain[c->direction & 1], GPC_HOW_PROTECT);
	return -1;
}

/* The chain has been asked about c->quoted reversed, the whole of it if that is for a listener. */
__noinline int gpc_hear_error(struct gpc_case *c)
{
	struct gpc_view view;

	if (!c)
		return 0;
	view = image_of(c->slot);
	if (!view.base)
		return 0;
	return c->answer.protect != GPC_NONE || (c->one_sided && !denies(answered(c, view)));
}

/*
 * 1: the packet is about another one, c->quoted, of a known flow. c->one_sided says that the other
 * direction of that is for a listener.
 */
__noinline int gpc_judge_error(struct gpc_case *c)
{
	int known;

	if (!c)
		return 0;
	known = gpc_judge_quoted(c);
	if (known >= 0)
		return known;
	ask_chain(c);
	if (c->answer.protect != GPC_NONE)
		return 1;
	ask_reversed(&c->question);
	if (c->question.protocol == IPPROTO_TCP)
		c->question.tcp_flags = GPC_ASK_SYN;
	put_question(c, c->chain[c->direction & 1], c->one_sided ? c->how : GPC_HOW_PROTECT);
	ask_chain(c);
	return gpc_hear_error(c);
}

#endif
