/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * forward.bpf.h: balancing (SEMANTICS 6): a packet for a listener gets its flow's endpoint, or a new
 * one, and is sent there.
 */
#ifndef GPC_FORWARD_BPF_H
#define GPC_FORWARD_BPF_H

#include "client.bpf.h"
#include "nat_send.bpf.h"

static __always_inline int is_nat(const struct gpc_listener *listener)
{
	return unlikely(listener->forward == GPC_FORWARD_NAT);
}

/* Has it endpoints? */
static __always_inline int balances_to(const struct gpc_listener *listener)
{
	return listener->forward != GPC_FORWARD_PASS;
}

/* Do replies go another way? */
static __always_inline int sees_one_side(const struct gpc_listener *listener)
{
	return listener->forward != GPC_FORWARD_NAT && listener->forward != GPC_FORWARD_PASS;
}

/* Writes the entry with s->endpoint; 0 if it is there now. */
static __always_inline int enter_endpoint(struct gpc_walk *w, const struct gpc_service *s)
{
	struct gpc_case *c = w->c;

	if (!w->c->opened)
		copy_entry(w, c);
	c->entry.endpoint = gpc_endpoint_at(w->view, s->endpoint)->id;
	c->entry.mark = w->now.mark;
	if (!(s->listener->flags & GPC_LISTENER_SNAT))
		c->entry.hint = s->endpoint;
	return enter_flow(c);
}

/* A `nat` flow whose replies could not find it is not sent on. `port`: that it has taken with `snat`, or 0. */
static __always_inline void have_twin(struct gpc_walk *w, struct gpc_service *s, __u32 port)
{
	__u32 snat = s->listener->flags & GPC_LISTENER_SNAT;

	if (!gpc_keep_twin(w->c, s->endpoint, snat, port)) {
		s->endpoint = GPC_NONE;
		s->refused = w->c->nat.reason;
		return;
	}
	gpc_note_side(w->c);
	if (snat)
		w->now.hint = w->c->nat.port;
}

/* An ICMP error for a listener of `nat` goes to the endpoint of the flow that it is about. */
static __always_inline void aim_error(struct gpc_walk *w, struct gpc_service *s)
{
	int snat = s->listener->flags & GPC_LISTENER_SNAT;
	struct gpc_case *c = w->c;
	__u32 port = snat ? snat_port(c->entry.hint) : 0;

	s->new_flow = 0;
	s->endpoint = GPC_NONE;
	s->refused = GPC_REASON_NO_ENDPOINT;
	if (c->relation != GPC_FLOW_REPLY || (snat && !port))
		return;
	s->endpoint = kept_endpoint(w, s, &c->entry, GPC_FLOW_STAYS);
	if (s->endpoint != GPC_NONE && !gpc_aim_error(c, s->endpoint, port))
		s->endpoint = GPC_NONE;
}

/* Of a known `nat` flow the twin is looked for again when its entry changes, which it does each second. */
static __always_inline void aim_known(struct gpc_walk *w, struct gpc_service *s)
{
	int snat = s->listener->flags & GPC_LISTENER_SNAT;
	__u32 port = snat ? snat_port(w->now.hint) : 0;

	if (unlikely(w->now.mark != w->seen || (snat && !port)) ||
	    !gpc_aim(w->c, &w->c->packet.tuple, s->endpoint, port))
		have_twin(w, s, port);
}

/*
 * The endpoint of a known flow changes, or a flow opens: an entry within the budget. 0: it is there. A `nat`
 * flow without one is not sent on. `nat` is a constant.
 */
static __always_inline int enter_choice(struct gpc_walk *w, struct gpc_service *s, int nat)
{
	const struct gpc_packet *p = &w->c->packet;
	__u32 refused = nat ? ask_for_entry(w, s->listener) : GPC_PARSED;
	int failed = 1, budget = nat ? refused == GPC_PARSED : take_budget(w);

	if (nat && budget)
		have_twin(w, s, 0);
	if (budget && s->endpoint != GPC_NONE)
		failed = enter_endpoint(w, s);
	/*
	 * An entry that cannot be renewed must not lead the flow back to where it was. A SYN on an old `nat`
	 * flow goes nowhere then, and has no say in what becomes of that.
	 */
	if (failed && w->c->relation != GPC_FLOW_UNKNOWN && !(nat && w->c->fresh))
		delete_value(w->c->packet.family, &w->c->key);
	s->new_flow = !failed || w->c->relation != GPC_FLOW_UNKNOWN ||
		      p->tuple.protocol != IPPROTO_TCP || tcp_opens(p->tcp_flags);
	if (nat && failed && s->endpoint != GPC_NONE) {
		s->endpoint = GPC_NONE;
		s->refused = budget ? GPC_REASON_FLOW_LIMIT : refused;
	}
	return failed;
}

/* The endpoint that the packet names, that its flow has, or that it gets: what is so first. */
static __always_inline __u32 find_endpoint(struct xdp_md *ctx, struct gpc_walk *w,
					   const struct gpc_service *s, int *ret_chosen)
{
	__u32 index = GPC_NONE;

	w->c->moves = 0;
	if (unlikely(s->listener->affinity == GPC_AFFINITY_QUIC_CID))
		index = gpc_named_endpoint(ctx, w->c, s->listener_index);
	if (likely(!w->c->fresh) && index == GPC_NONE)
		index = kept_endpoint(w, s, &w->now, w->now.state);
	*ret_chosen = w->c->fresh || index == GPC_NONE;
	if (likely(index != GPC_NONE))
		return index;
	if (unlikely(s->listener->affinity == GPC_AFFINITY_SOURCE_IP))
		return gpc_choose_for_client(w->c, s->listener_index, w->now.state);
	return picked_endpoint(w, s, &w->c->packet.tuple);
}

/* Finds s->endpoint, GPC_NONE if nobody takes the flow: s->refused says why. `nat` is a constant. */
static __always_inline void choose_endpoint(struct xdp_md *ctx, struct gpc_walk *w,
					    struct gpc_service *s, int nat)
{
	int chosen, failed = 0;

	s->new_flow = 0;
	s->refused = GPC_REASON_NO_ENDPOINT;
	if (unlikely(!w->c->fresh && w->c->relation == GPC_FLOW_REPLY)) {
		/* two listeners' addresses talk to each other: the entry is the other way's */
		s->endpoint = picked_endpoint(w, s, &w->c->packet.tuple);
		if (nat && s->endpoint != GPC_NONE)
			have_twin(w, s, 0);
		return;
	}
	s->endpoint = find_endpoint(ctx, w, s, &chosen);
	if (s->endpoint == GPC_NONE)
		return;
	if (nat && w->now.endpoint != gpc_endpoint_at(w->view, s->endpoint)->id)
		chosen = 1;
	if (nat && !chosen) {
		aim_known(w, s);
		if (s->endpoint == GPC_NONE)
			return;
	}
	if (unlikely(chosen))
		failed = enter_choice(w, s, nat);
	else if (unlikely(w->c->opened && w->c->store))
		enter_endpoint(w, s);
	else
		mark_flow(w);
	if (unlikely(s->listener->affinity == GPC_AFFINITY_SOURCE_IP) && !failed)
		gpc_note_client(w->c, s->listener_index, s->endpoint);
}

/* Its sender is told what would fit; no IPv4 sender without DF expects that. */
static __always_inline struct gpc_end end_too_big(struct gpc_walk *w, __u32 grows, __u32 mtu)
{
	const struct gpc_packet *p = &w->c->packet;

	walk_time(w);
	w->c->reply = GPC_REPLY_TOO_BIG;
	w->c->mtu = (mtu ? mtu : GPC_IP_LENGTH_MAX) - grows;
	return ended(GPC_REASON_TOO_BIG, p->family == GPC_V6 || p->word >> 16 & GPC_IPV4_DF
						 ? GPC_VERDICT_ANSWER
						 : GPC_VERDICT_DROP);
}

/* Does the host have an address for the outer header of this family? */
static __always_inline int has_source(const struct gpc_link_endpoint *host, __u32 family)
{
	return family == GPC_V4 ? host->source4_be != 0
				: (host->source6_be[0] | host->source6_be[1]) != 0;
}

/* Wraps and sends with `gue`. */
static __always_inline int send_gue(struct xdp_md *ctx, struct gpc_walk *w,
				    const struct gpc_listener *listener,
				    const struct gpc_endpoint *endpoint,
				    const struct gpc_link_endpoint *host,
				    const struct gpc_route *route, __u32 family)
{
	struct gpc_wrap *wrap = &w->c->wrap;

	if (family == GPC_V4) {
		wrap->source[1] = gpc_mapped_v4(host->source4_be);
		wrap->destination[1] = gpc_mapped_v4(endpoint->address4_be);
	} else {
		wrap->source[0] = host->source6_be[0];
		wrap->source[1] = host->source6_be[1];
		wrap->destination[0] = endpoint->address6_be[0];
		wrap->destination[1] = endpoint->address6_be[1];
	}
	wrap->family = family;
	wrap->destination_mac = route->destination_mac;
	wrap->source_mac = route->source_mac;
	wrap->ifindex = route->ifindex;
	wrap->in = w->in->ifindex;
	wrap->seed = w->plane->hash_seed[0];
	wrap->port = listener->gue_port_be;
	wrap->tos = outer_tos(listener, &w->c->packet);
	return gpc_send_gue(ctx, w->c);
}

/* Sends with an outer IP header, or with other MAC addresses only; the frame has `had` tags. */
static __always_inline int send_plain(struct xdp_md *ctx, const struct gpc_packet *p, __u32 had,
				      __u64 seed, __u32 in, const struct gpc_listener *listener,
				      const struct gpc_endpoint *endpoint,
				      const struct gpc_link_endpoint *host,
				      const struct gpc_route *route, __u32 family)
{
	struct gpc_outer outer = {};

	outer.tos = outer_tos(listener, p);
	if (listener->forward == GPC_FORWARD_DSR)
		outer.type = p->family == GPC_V4 ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_IPV6);
	else if (family == GPC_V4)
		outer_v4(&outer, p, host->source4_be, endpoint->address4_be, 0);
	else
		outer_v6(&outer, seed, p, host->source6_be, endpoint->address6_be, 0);
	return send(ctx, p, had, in, route, &outer, 0);
}

/* Bytes that the listener's way of forwarding puts in front of the packet. */
static __always_inline __u32 grows_by(__u8 forward, __u32 family)
{
	__u32 size = family == GPC_V4 ? GPC_IPV4_SIZE : GPC_IPV6_SIZE;

	if (forward == GPC_FORWARD_DSR || forward == GPC_FORWARD_NAT)
		return 0;
	return forward == GPC_FORWARD_GUE ? size + GPC_UDP_SIZE : size;
}

static __always_inline void count_forwarded(const struct gpc_walk *w, const struct gpc_service *s,
					    const struct gpc_link_endpoint *host)
{
	__u32 frame = w->c->packet.frame;

	count(gpc_link_listener_at(w->view, w->link, s->listener_index)->counter, 1, frame,
	      s->new_flow);
	count(host->counter, 1, frame, s->new_flow);
}

/* Sends the packet to s->endpoint; *action is what the program returns then. `nat` is a constant. */
static __always_inline struct gpc_end forward(struct xdp_md *ctx, struct gpc_walk *w,
					      const struct gpc_service *s, int *action, int nat)
{
	const struct gpc_endpoint *endpoint = gpc_endpoint_at(w->view, s->endpoint);
	const struct gpc_link_endpoint *host = gpc_link_endpoint_at(w->view, w->link, s->endpoint);
	const struct gpc_packet *p = &w->c->packet;
	__u32 family = family_to(endpoint, p->family), grows;
	struct gpc_route route;

	grows = grows_by(s->listener->forward, family);
	if (!find_route(ctx, w->view, w->link, w->in, endpoint, host->next[family & 1], family,
			w->c->now, &route) ||
	    (grows && !has_source(host, family)))
		return ended(GPC_REASON_NO_NEXT_HOP, GPC_VERDICT_DROP);
	if (nat) {
		w->c->nat.route = route;
		*action = gpc_send_translated(
			ctx, w->c, s->listener->flags & GPC_LISTENER_MSS_CLAMP ? w->in->mtu : 0);
		if (*action >= 0)
			count_forwarded(w, s, host);
		return sent(w, *action, GPC_REASON_FORWARDED);
	}
	if (unlikely(too_big(p, grows, route.mtu)))
		return end_too_big(w, grows, route.mtu);
	if (s->listener->forward == GPC_FORWARD_GUE)
		*action = send_gue(ctx, w, s->listener, endpoint, host, &route, family);
	else
		*action = send_plain(ctx, p, p->tags, w->plane->hash_seed[0], w->in->ifindex,
				     s->listener, endpoint, host, &route, family);
	if (unlikely(*action < 0))
		return ended(GPC_REASON_NO_HEADROOM,
			     drop_if(w->plane->flags & GPC_PLANE_ON_FAIL_DROP));
	count_forwarded(w, s, host);
	return ended(GPC_REASON_FORWARDED, GPC_VERDICT_FORWARD);
}

#endif
