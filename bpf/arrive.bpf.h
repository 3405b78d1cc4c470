/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * arrive.bpf.h: W-in in XDP, from entry to exit, with balancing and without (gpc_decap). A packet goes from
 * program to program, by bpf_tail_call(), which returns if the program is not there:
 *
 *   gpc_xdp     whole TCP and UDP packets whose flow's entry says that they pass, or that no chain sees
 *   gpc_odd     fragments, other protocols, what cannot be parsed: to here from gpc_xdp
 *   gpc_error   ICMP errors: from gpc_odd, and back if they are ordinary packets
 *   gpc_consult     what a chain has to be asked about: from gpc_xdp, gpc_odd and gpc_decap
 *   gpc_serve   what the chain then let through to a listener: from gpc_consult
 *   gpc_nat     packets of `nat` flows: from all of these
 *   gpc_answer  what gpc answers itself: from all
 *
 * Only the function of the entry point itself does that: so no other is on the stack.
 */
#ifndef GPC_ARRIVE_BPF_H
#define GPC_ARRIVE_BPF_H

#include "admit.bpf.h"
#include "error.bpf.h"
#include "fast.bpf.h"

/* Finds the listener of a tuple on the walk's interface; 0: none. */
static __always_inline int find_listener(const struct gpc_walk *w, struct gpc_service *s,
					 const __u64 address[2], __be16 port, __u8 protocol)
{
	s->listener_index = find_listener_at(w->view, address, port, protocol,
					     w->in->interface_bit);
	s->listener = gpc_listener_at(w->view, s->listener_index);
	return s->listener_index != GPC_NONE;
}

/* An ICMP error for a listener's flow goes to that flow's endpoint, as a whole. */
static __always_inline void choose_quoted(struct gpc_walk *w, struct gpc_service *s)
{
	const struct gpc_tuple *quoted = &w->c->quoted.tuple;
	struct gpc_tuple back = {.source = {quoted->destination[0], quoted->destination[1]},
				 .destination = {quoted->source[0], quoted->source[1]},
				 .source_port = quoted->destination_port,
				 .destination_port = quoted->source_port,
				 .protocol = quoted->protocol};

	s->new_flow = 0;
	s->endpoint = GPC_NONE;
	s->refused = GPC_REASON_NO_ENDPOINT;
	if (w->c->relation == GPC_FLOW_REPLY)
		s->endpoint = kept_endpoint(w, s, &w->c->entry, GPC_FLOW_STAYS);
	if (s->endpoint == GPC_NONE)
		s->endpoint = picked_endpoint(w, s, &back);
}

/* c->parsed of what gpc_error has found to be no error about a known flow, or one that rules judge. */
#define GPC_NO_ERROR (GPC_PARSED + 1)
/* c->parsed of such an error that they have let through: it goes where others go. */
#define GPC_ERROR_LET_THROUGH (GPC_PARSED + 4)

/* Is it an ICMP error that passes its chain as an ordinary packet, and may be for an endpoint? */
static __always_inline int is_ruled_error(const struct gpc_walk *w, struct gpc_end end)
{
	return unlikely(w->plane->builtin[GPC_BUILTIN_ICMP_ERROR] == GPC_BUILTIN_RULES) &&
	       end.verdict == GPC_VERDICT_PASS && end.reason < GPC_PARSED &&
	       quotes_packet(&w->c->packet) && w->c->parsed == GPC_NO_ERROR;
}

/*
 * `reason` of the end: GPC_PARSED, not about a known flow, so an ordinary packet; GPC_REASON_FORWARDED, to
 * be sent to s->endpoint.
 */
static __always_inline struct gpc_end walk_error(struct xdp_md *ctx, struct gpc_walk *w,
						 struct gpc_service *s, int balances)
{
	struct gpc_case *c = open_case(w);
	struct gpc_packet *p = &c->packet, *q = quote_of(c);
	__u8 builtin = w->plane->builtin[GPC_BUILTIN_ICMP_ERROR];
	int listener, asked = balances && c->parsed == GPC_ERROR_LET_THROUGH;

	c->relation = GPC_FLOW_UNKNOWN;
	if ((builtin == GPC_BUILTIN_RULES && !asked) ||
	    !gpc_quoted_xdp(ctx, q, p->l4 + GPC_ICMP_HEAD,
			    GPC_ETH_SIZE + 4 * p->tags + p->length))
		return ended(GPC_PARSED, GPC_VERDICT_PASS);
	if (unlikely(w->plane->flags & GPC_PLANE_NAT))
		gpc_find_quoted(c);
	listener = balances && !c->nat.reply &&
		   find_listener(w, s, q->tuple.source, q->tuple.source_port, q->tuple.protocol);
	c->one_sided = listener && sees_one_side(s->listener);
	if (!gpc_judge_error(c)) {
		c->nat.reply = 0;
		return ended(GPC_PARSED, GPC_VERDICT_PASS);
	}
	if (builtin == GPC_BUILTIN_DENY || !balances ||
	    !(c->nat.reply || (listener && balances_to(s->listener))))
		return asked ? ended(GPC_PARSED, GPC_VERDICT_PASS)
			     : end_builtin(w, GPC_BUILTIN_ICMP_ERROR, GPC_REASON_BUILTIN);
	if (!asked)
		gpc_count_rule(c, GPC_BUILTIN_ICMP_ERROR);
	if (c->nat.reply || is_nat(s->listener)) {
		keep_for_nat(w, s->listener_index);
		return go_on_in_nat();
	}
	choose_quoted(w, s);
	return ended(GPC_REASON_FORWARDED, GPC_VERDICT_FORWARD);
}

/* A later fragment goes where its first one went, or the hash of its addresses says. */
static __always_inline void choose_for_fragment(struct gpc_walk *w, struct gpc_service *s)
{
	s->new_flow = 0;
	s->refused = GPC_REASON_NO_ENDPOINT;
	s->endpoint = GPC_NONE;
	if (w->c->entry.endpoint)
		s->endpoint = kept_endpoint(w, s, &w->c->entry, GPC_FLOW_STAYS);
	if (s->endpoint == GPC_NONE)
		s->endpoint = picked_endpoint(w, s, &w->c->packet.tuple);
}

static __always_inline __u32 chain_tag(const struct gpc_walk *w)
{
	return w->chain ? w->chain->tag : 0;
}

/* Is it a fragment that is not balanced? */
static __always_inline int is_unbalanced(const struct gpc_walk *w)
{
	return w->c->packet.fragment && fragments_of(w->plane) != GPC_FRAGMENTS_L3_HASH;
}

/* Finds the listener of a later fragment; 0: none. What the record of its first says is in the case then. */
static __always_inline int find_later_listener(struct gpc_walk *w, struct gpc_service *s)
{
	const struct gpc_tuple *t = &w->c->packet.tuple;

	if (is_unbalanced(w))
		return 0;
	w->c->entry.endpoint = 0;
	if (gpc_recall_fragment(w->c, chain_tag(w)))
		return find_listener(w, s, t->destination, t->destination_port, t->protocol);
	s->listener_index = gpc_find_sole(w->slot, t->destination[0], t->destination[1],
					  t->protocol, w->in->interface_bit);
	s->listener = gpc_listener_at(w->view, s->listener_index);
	return s->listener_index != GPC_NONE;
}

static __always_inline int is_echo_request(const struct gpc_packet *p)
{
	__u8 type = p->icmp >> 8;

	if (p->fragment)
		return 0;
	return p->family == GPC_V4 ? p->tuple.protocol == IPPROTO_ICMP && type == GPC_ICMP_ECHO
				   : p->tuple.protocol == IPPROTO_ICMPV6 && type == GPC_ICMP6_ECHO;
}

/* An echo request to a listener's address, as its `ping` says. */
static __always_inline struct gpc_end end_echo(struct gpc_walk *w, __u32 passed)
{
	const struct gpc_tuple *t = &w->c->packet.tuple;
	__u32 says = gpc_find_address(w->slot, t->destination[0], t->destination[1],
				      w->in->interface_bit);

	if (says == GPC_NONE || GPC_VIP_ADDRESS_PING(says) == GPC_PING_PASS)
		return ended(passed, GPC_VERDICT_PASS);
	if (GPC_VIP_ADDRESS_PING(says) == GPC_PING_DROP)
		return ended(GPC_REASON_PING, GPC_VERDICT_DROP);
	walk_time(w);
	w->c->reply = GPC_REPLY_ECHO;
	return ended(GPC_REASON_PING, GPC_VERDICT_ANSWER);
}

/* The reason for what is odd, is for no listener and passes. */
static __always_inline __u32 passed_for(const struct gpc_walk *w, int balances, __u32 passed)
{
	if (w->c->packet.fragment && passed == GPC_REASON_NO_LISTENER &&
	    (!balances || to_listener(w)))
		return GPC_REASON_FRAGMENT;
	return passed;
}

/* What passes its chain and is for no listener. */
static __always_inline struct gpc_end end_passed(struct gpc_walk *w, int balances, int odd,
						 __u32 passed)
{
	if (odd)
		passed = passed_for(w, balances, passed);
	if (odd && balances && is_echo_request(&w->c->packet))
		return end_echo(w, passed);
	return ended(passed, GPC_VERDICT_PASS);
}

/* Is it none of the whole TCP and UDP packets that are nearly all there is? */
static __always_inline int is_odd(const struct gpc_walk *w, __u32 reason)
{
	__u8 protocol = w->c->packet.tuple.protocol;

	return unlikely(reason != GPC_PARSED || w->c->packet.fragment ||
			(protocol != IPPROTO_TCP && protocol != IPPROTO_UDP));
}

/* What is odd. `reason` of the end: GPC_PARSED, not decided here, so an ordinary packet or an ICMP error. */
static __always_inline struct gpc_end walk_odd(struct gpc_walk *w, __u32 reason, int balances)
{
	enum gpc_builtin builtin;

	if (reason != GPC_PARSED)
		return end_unparsed(w, reason, w->chain || (balances && to_listener(w)));
	if (drops_fragment(w, w->chain || (balances && to_listener(w))))
		return ended(GPC_REASON_FRAGMENT, GPC_VERDICT_DROP);
	builtin = builtin_of(&w->c->packet);
	if (builtin != GPC_BUILTIN_COUNT && w->plane->builtin[builtin] != GPC_BUILTIN_RULES)
		return end_builtin(w, builtin, GPC_REASON_BUILTIN);
	return ended(GPC_PARSED, GPC_VERDICT_PASS);
}

/* Counts for the listener what it did not let in, or could not serve. */
static __always_inline void note_unserved(const struct gpc_walk *w, const struct gpc_service *s,
					  struct gpc_end end)
{
	if (unlikely(end.verdict != GPC_VERDICT_FORWARD && end.verdict != GPC_VERDICT_PASS &&
		     end.reason != GPC_REASON_SYN_COOKIE && end.reason != GPC_REASON_GOOD_COOKIE))
		count_dropped(gpc_link_listener_at(w->view, w->link, s->listener_index)->counter);
}

/*
 * Sends the packet to s->endpoint, if somebody takes it. On its way through the case the verifier forgets how
 * it was chosen, and looks at the sending once.
 */
static __always_inline struct gpc_end send_chosen(struct xdp_md *ctx, struct gpc_walk *w,
						  struct gpc_service *s, int *action, int nat)
{
	struct gpc_end end;

	WRITE_ONCE(w->c->endpoint, s->endpoint);
	WRITE_ONCE(w->c->new_flow, s->new_flow);
	WRITE_ONCE(w->c->refused, s->refused);
	s->endpoint = READ_ONCE(w->c->endpoint);
	s->new_flow = READ_ONCE(w->c->new_flow);
	if (s->endpoint == GPC_NONE)
		end = end_refused(READ_ONCE(w->c->refused));
	else
		end = forward(ctx, w, s, action, nat);
	note_unserved(w, s, end);
	return end;
}

/* A later fragment for a listener. */
static __always_inline struct gpc_end serve_later(struct xdp_md *ctx, struct gpc_walk *w,
						  struct gpc_service *s, int *action)
{
	choose_for_fragment(w, s);
	return send_chosen(ctx, w, s, action, 0);
}

/* What is for no listener: it passes, if it is not a reply of a `nat` flow. */
static __always_inline struct gpc_end end_unbalanced(struct gpc_walk *w, int balances, int odd,
						     __u32 passed)
{
	return unlikely(w->c->nat.reply) ? go_on_in_nat() : end_passed(w, balances, odd, passed);
}

/* What has passed its chain and is for a listener. */
static __always_inline struct gpc_end walk_listener(struct xdp_md *ctx, struct gpc_walk *w,
						    struct gpc_service *s, int *action, int odd)
{
	enum gpc_action said = admit(w, s);
	struct gpc_end end;

	if (unlikely(denies(said))) {
		end = ended(GPC_REASON_RATE, said == GPC_ACTION_REJECT ? GPC_VERDICT_REJECT
								       : GPC_VERDICT_DROP);
	} else if (unlikely(s->listener->forward == GPC_FORWARD_PASS)) {
		end = end_local(ctx, w, s);
	} else if (is_nat(s->listener)) {
		keep_for_nat(w, s->listener_index);
		return go_on_in_nat();
	} else {
		choose_endpoint(ctx, w, s, 0);
		if (odd)
			gpc_remember_balanced(w->c, chain_tag(w), s->endpoint);
		return send_chosen(ctx, w, s, action, 0);
	}
	note_unserved(w, s, end);
	return end;
}

/* May the packet of a flow that is not known bring a cookie back? */
static __always_inline int may_return_cookie(const struct gpc_walk *w, const struct gpc_service *s)
{
	return s->listener->flags & GPC_LISTENER_SYN_COOKIES && is_reset(&w->c->packet);
}

/* The end of a reset that brought a good cookie or none. */
static __always_inline struct gpc_end end_reset(const struct gpc_walk *w,
						const struct gpc_service *s, __u32 reason)
{
	struct gpc_end end = ended(reason, GPC_VERDICT_DROP);

	note_unserved(w, s, end);
	return end;
}

/* `reason` of an end that is none: the chain has to be asked, in gpc_consult. */
#define GPC_UNASKED (GPC_PARSED + 3)

/* s is the listener of the packet's destination; 0: there is none. `odd` as below. */
static __always_inline int find_own_listener(const struct gpc_walk *w, struct gpc_service *s, int odd)
{
	const struct gpc_tuple *t = &w->c->packet.tuple;

	if (odd && is_unbalanced(w))
		return 0;
	return find_listener(w, s, t->destination, t->destination_port, t->protocol);
}

/* The listener that gpc_fast() found. */
static __always_inline int take_listener(const struct gpc_walk *w, struct gpc_service *s)
{
	s->listener_index = READ_ONCE(w->c->listener);
	s->listener = gpc_listener_at(w->view, s->listener_index);
	return s->listener_index != GPC_NONE;
}

/*
 * An ordinary packet, up to where its chain has to be asked. `listener`: it is for s. Constant: `odd`, 0 for
 * a whole TCP or UDP packet. `passed` is the reason for what passes untouched.
 */
static __always_inline struct gpc_end walk_packet(struct xdp_md *ctx, struct gpc_walk *w,
						  struct gpc_service *s, int listener, int balances,
						  int odd, __u32 passed, int *action)
{
	int stateful, flow;

	if (!listener)
		look_for_reply(w);
	else if (odd)
		keep_no_reply(w);
	if (!listener && !w->chain)
		return end_unbalanced(w, balances, odd, passed);
	stateful = w->chain && w->chain->flags & GPC_CHAIN_STATEFUL;
	/* The same where a listener was found; each way is the cheaper one for the verifier. */
	flow = odd ? (listener || stateful) && packet_has_flow(&w->c->packet)
		   : listener || (stateful && packet_has_flow(&w->c->packet));
	w->c->one_sided = listener && sees_one_side(s->listener);
	walk_time(w);
	if (flow) {
		find_flow(w, !odd);
		age_flow(w, w->c->one_sided);
	}
	if (listener && unlikely(w->c->fresh) && may_return_cookie(w, s)) {
		__u32 reason = gpc_return_cookie(ctx, w->c);

		if (reason != GPC_PARSED)
			return end_reset(w, s, reason);
	}
	if (w->chain && !(flow && stateful && likely(is_settled(w)))) {
		prepare(w, flow && stateful);
		w->c->listener = listener ? s->listener_index : GPC_NONE;
		w->c->passed = listener ? passed : odd ? passed_for(w, balances, passed) : passed;
		return ended(GPC_UNASKED, GPC_VERDICT_PASS);
	}
	if (w->chain)
		take_mark(w);
	if (listener)
		return walk_listener(ctx, w, s, action, odd);
	if (flow && !keep_flow(w))
		return ended(GPC_REASON_FLOW_LIMIT, GPC_VERDICT_DROP);
	return end_unbalanced(w, balances, odd, passed);
}

/* A later fragment, up to where its chain has to be asked. */
static __always_inline struct gpc_end walk_later(struct xdp_md *ctx, struct gpc_walk *w,
						 struct gpc_service *s, int *action)
{
	int listener;

	walk_time(w);
	look_for_reply(w);
	listener = !w->c->nat.reply && find_later_listener(w, s);
	/* Without its first one nobody can say what it becomes. */
	if (is_stray(w) || (listener && is_nat(s->listener) && !w->audit))
		return ended(GPC_REASON_FRAGMENT, GPC_VERDICT_DROP);
	listener = listener && sees_one_side(s->listener);
	if (w->chain) {
		prepare(w, 0);
		w->c->listener = listener ? s->listener_index : GPC_NONE;
		w->c->passed = passed_for(w, 1, GPC_REASON_NO_LISTENER);
		return ended(GPC_UNASKED, GPC_VERDICT_PASS);
	}
	if (!listener)
		return end_unbalanced(w, 1, 1, GPC_REASON_NO_LISTENER);
	return serve_later(ctx, w, s, action);
}

/*
 * Tells TC of the same packet which image decided, and the mark that the rules give it; a driver without
 * room for it stays silent.
 */
static __always_inline void write_meta(struct xdp_md *ctx, const struct gpc_walk *w)
{
	int size = w->c->skb_mark ? sizeof(struct gpc_meta_mark) : sizeof(struct gpc_meta);
	struct gpc_meta_mark *marked;
	struct gpc_meta *meta;

	if (bpf_xdp_adjust_meta(ctx, -size))
		return;
	marked = (void *)(long)ctx->data_meta;
	meta = &marked->meta;
	if ((void *)(meta + 1) > (void *)(long)ctx->data)
		return;
	meta->nonce = w->link->nonce;
	meta->slot_generation = w->slot | w->link->generation << 3;
	if (likely(!w->c->skb_mark) || (void *)(marked + 1) > (void *)(long)ctx->data)
		return;
	marked->mark = w->c->skb_mark;
	marked->pad0 = 0;
}

/* For none yet. Not NULL: the verifier does not see that it is read only where a listener was found. */
static __always_inline struct gpc_service no_service(const struct gpc_walk *w)
{
	return (struct gpc_service){.listener = (const void *)w->view.base};
}

/* Puts into the case what the program that goes on has to know. */
static __always_inline void hand_over(struct gpc_walk *w, __u32 frame)
{
	w->c->how = w->audit;
	w->c->frame = frame;
}

/* Does gpc_error say where it goes? If so, that is told the rest. */
static __always_inline int wants_error(struct gpc_walk *w, __u32 frame, struct gpc_end end)
{
	if (likely(!is_ruled_error(w, end)))
		return 0;
	hand_over(w, frame);
	w->c->parsed = GPC_ERROR_LET_THROUGH;
	w->c->passed = end.reason;
	return 1;
}

/* Is the packet's chain asked by gpc_consult? */
static __always_inline int wants_asking(struct gpc_walk *w, __u32 frame, struct gpc_end end)
{
	if (likely(end.reason != GPC_UNASKED))
		return 0;
	hand_over(w, frame);
	return 1;
}

/* Does it go on in gpc_nat? If so, that is told the rest. */
static __always_inline int wants_nat(struct gpc_walk *w, __u32 frame, struct gpc_end end)
{
	if (likely(end.reason != GPC_GO_ON_IN_NAT))
		return 0;
	hand_over(w, frame);
	return 1;
}

/* Is the packet answered by gpc_answer? If so, that has been told all. */
static __always_inline int wants_answer(struct gpc_walk *w, __u32 frame, struct gpc_end end)
{
	if (likely(end.verdict != GPC_VERDICT_REJECT && end.verdict != GPC_VERDICT_ANSWER))
		return 0;
	if (end.verdict == GPC_VERDICT_REJECT)
		w->c->reply = GPC_REPLY_REFUSAL;
	hand_over(w, frame);
	w->c->ended = end.reason;
	return 1;
}

/* The program to go on in is not there. */
static __always_inline struct gpc_end end_missing(const struct gpc_walk *w)
{
	return ended(GPC_REASON_INTERNAL, drop_if(w->plane->flags & GPC_PLANE_ON_FAIL_DROP));
}

/* The one exit, but for what goes on elsewhere: metadata and the count. */
static __always_inline int leave(struct xdp_md *ctx, struct gpc_walk *w, enum gpc_hook hook,
				 __u32 frame, struct gpc_end end, int action)
{
	if (end.verdict == GPC_VERDICT_PASS) {
		action = XDP_PASS;
		if (w->in && w->in->flags & GPC_DEVICE_META)
			write_meta(ctx, w);
	} else if (end.verdict == GPC_VERDICT_DROP) {
		action = XDP_DROP;
	}
	count_reason(hook, end.reason, 1, frame);
	return action;
}

/* With w->c; 0: *ret_end is how the walk ends before it has begun. */
static __always_inline int enter(struct xdp_md *ctx, struct gpc_walk *w, const struct gpc_pick *pick,
				 enum gpc_hook hook, struct gpc_end *ret_end)
{
	w->packets = 1;
	if (likely(w->c))
		w->c->nat.reply = 0;
	if (unlikely(pick->word & GPC_CTL_OFF)) {
		*ret_end = ended(GPC_REASON_OFF, GPC_VERDICT_PASS);
		return 0;
	}
	w->view = image_of(pick->slot);
	if (unlikely(!w->view.base || !w->c)) {
		*ret_end = ended(GPC_REASON_ON_FAIL,
				 drop_if(gpc_ctl_on_fail(pick->word) == GPC_ON_FAIL_DROP));
		return 0;
	}
	clear_case(w->c);
	if (walk_start(w, pick, ctx->ingress_ifindex, hook))
		return 1;
	*ret_end = ended(GPC_REASON_NO_LISTENER, GPC_VERDICT_PASS);
	return 0;
}

/* The walk as gpc_xdp had begun it; 0: there is nothing to take up. */
static __always_inline int resume(struct xdp_md *ctx, struct gpc_walk *w)
{
	struct gpc_pick pick = {};

	w->packets = 1;
	w->c = case_of(GPC_HOOK_ID_XDP);
	if (!w->c)
		return 0;
	w->view = image_of(w->c->slot);
	if (!w->view.base)
		return 0;
	pick.slot = w->c->slot;
	pick.word = w->c->how & GPC_HOW_AUDIT ? GPC_CTL_AUDIT : 0;
	return walk_start(w, &pick, ctx->ingress_ifindex, w->c->hook);
}

#endif
