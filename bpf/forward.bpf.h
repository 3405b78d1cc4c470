/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * forward.bpf.h: balancing (SEMANTICS 6): a packet for a listener gets its flow's endpoint, or a new
 * one, and is sent there.
 */
#ifndef GPC_FORWARD_BPF_H
#define GPC_FORWARD_BPF_H

#include "encap.bpf.h"
#include "walk.bpf.h"

/* For whom the packet is, and who gets it. */
struct gpc_service {
	const struct gpc_listener *listener;
	__u32 listener_index; /* GPC_NONE: for none */
	__u32 endpoint;	      /* index */
	__u32 new_flow;	      /* 1: counted as one */
};

/* Can the endpoint take a packet of this family by this way of forwarding? */
static __always_inline int usable(const struct gpc_endpoint *endpoint, __u8 forward, __u8 family)
{
	__u8 families = GPC_ENDPOINT_V4 | GPC_ENDPOINT_V6;

	if ((forward == GPC_FORWARD_IPIP || forward == GPC_FORWARD_GUE) && family == GPC_V6)
		families = GPC_ENDPOINT_V6;
	return endpoint->flags & families;
}

/* The endpoint that the entry names, if it still keeps its flows; GPC_NONE: pick anew. */
static __always_inline __u32 kept_endpoint(const struct gpc_walk *w, const struct gpc_service *s,
					   struct gpc_flow *seen)
{
	__u32 index = seen->hint;
	const struct gpc_endpoint *endpoint = gpc_endpoint_at(w->view, index);

	/* The hint saves two loads that wait for each other; the id decides, wherever it is found. */
	if (unlikely(endpoint->id != seen->endpoint ||
		     index >= w->plane->section[GPC_SEC_ENDPOINT].count)) {
		index = gpc_endpoint_by_id(w->view, seen->endpoint);
		if (index == GPC_NONE)
			return GPC_NONE;
		endpoint = gpc_endpoint_at(w->view, index);
		seen->hint = index;
	}
	if (!(endpoint->flags & GPC_ENDPOINT_KEEP) ||
	    !usable(endpoint, s->listener->forward, w->c->packet.family))
		return GPC_NONE;
	return index;
}

/* The endpoint that the listener's table gives a flow. */
static __always_inline __u32 picked_endpoint(const struct gpc_walk *w, const struct gpc_service *s,
					     const struct gpc_tuple *tuple)
{
	const struct gpc_table_ref *table = &s->listener->table[w->c->packet.family & 1];

	return gpc_endpoint_by_hash(w->view, table,
				    gpc_flow_hash(w->plane->hash_seed, tuple, 0));
}

/* The entry goes: the next packet of the flow is the first of an unknown one. */
static __always_inline void forget_flow(const struct gpc_walk *w)
{
	if (w->c->packet.family == GPC_V4)
		bpf_map_delete_elem(&gpc_flows4, &w->c->key);
	else
		bpf_map_delete_elem(&gpc_flows6, &w->c->key);
}

/* Writes the entry with s->endpoint; 0 if it is there now. */
static __always_inline long enter_endpoint(struct gpc_walk *w, const struct gpc_service *s)
{
	struct gpc_case *c = w->c;

	if (!w->c->opened)
		copy_entry(w, c);
	c->entry.endpoint = gpc_endpoint_at(w->view, s->endpoint)->id;
	c->entry.mark = w->now.mark;
	c->entry.hint = s->endpoint;
	return enter_flow(w);
}

/* The endpoint of a known flow changes, or a flow opens: an entry within the budget. */
static __always_inline void pick_endpoint(struct gpc_walk *w, struct gpc_service *s)
{
	const struct gpc_packet *p = &w->c->packet;
	long failed = 1;

	s->endpoint = picked_endpoint(w, s, &p->tuple);
	if (s->endpoint == GPC_NONE)
		return;
	if (take_budget(w))
		failed = enter_endpoint(w, s);
	/* An entry that cannot be renewed must not lead the flow back to where it was. */
	if (failed && w->c->relation != GPC_FLOW_UNKNOWN)
		forget_flow(w);
	s->new_flow = !failed || w->c->relation != GPC_FLOW_UNKNOWN ||
		      p->tuple.protocol != IPPROTO_TCP || tcp_opens(p->tcp_flags);
}

/* Finds s->endpoint, GPC_NONE if nobody takes the flow. */
static __always_inline void choose_endpoint(struct gpc_walk *w, struct gpc_service *s)
{
	s->new_flow = 0;
	if (unlikely(!w->c->fresh && w->c->relation == GPC_FLOW_REPLY)) {
		/* two listeners' addresses talk to each other: the entry is the other way's */
		s->endpoint = picked_endpoint(w, s, &w->c->packet.tuple);
		return;
	}
	s->endpoint = likely(!w->c->fresh) ? kept_endpoint(w, s, &w->now) : GPC_NONE;
	if (unlikely(s->endpoint == GPC_NONE))
		pick_endpoint(w, s);
	else if (unlikely(w->c->opened && w->c->store))
		enter_endpoint(w, s);
	else
		mark_flow(w);
}

/* Sends the packet to s->endpoint; *action is what the program returns then. */
static __always_inline struct gpc_end forward(struct xdp_md *ctx, struct gpc_walk *w,
					      const struct gpc_service *s, int *action)
{
	const struct gpc_plane *plane = w->plane;
	const struct gpc_endpoint *endpoint = gpc_endpoint_at(w->view, s->endpoint);
	const struct gpc_link_endpoint *host = gpc_link_endpoint_at(w->view, w->link, s->endpoint);
	const struct gpc_packet *p = &w->c->packet;
	struct gpc_outer outer = {};
	struct gpc_route route;
	__u32 family = p->family;

	/* Sent to by the packet's own family if the endpoint has it, else by the other. */
	if (!(endpoint->flags & (family == GPC_V4 ? GPC_ENDPOINT_V4 : GPC_ENDPOINT_V6)))
		family ^= 1;
	if (!find_route(ctx, w->view, w->link, w->in, endpoint, host->next[family & 1], family,
			w->c->now, &route))
		return ended(GPC_REASON_NO_NEXT_HOP, GPC_VERDICT_DROP);
	outer_start(&outer, s->listener, p);
	if (s->listener->forward == GPC_FORWARD_DSR) {
		outer.type = p->family == GPC_V4 ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_IPV6);
	} else if (family == GPC_V4) {
		if (!host->source4_be)
			return ended(GPC_REASON_NO_NEXT_HOP, GPC_VERDICT_DROP);
		outer_v4(&outer, p, host->source4_be, endpoint->address4_be);
	} else {
		if (!(host->source6_be[0] | host->source6_be[1]))
			return ended(GPC_REASON_NO_NEXT_HOP, GPC_VERDICT_DROP);
		outer_v6(&outer, plane, p, host->source6_be, endpoint->address6_be);
	}
	if (unlikely(too_big(p, &outer, route.mtu)))
		return ended(GPC_REASON_TOO_BIG, GPC_VERDICT_DROP);
	if (outer.gue && unlikely(!outer_udp(ctx, &outer, plane, w->c, s->listener->gue_port_be)))
		return ended(GPC_REASON_TOO_BIG, GPC_VERDICT_DROP);
	*action = send(ctx, p, w->in, &route, &outer);
	if (unlikely(*action < 0))
		return ended(GPC_REASON_NO_HEADROOM,
			     drop_if(plane->flags & GPC_PLANE_ON_FAIL_DROP));
	count(gpc_link_listener_at(w->view, w->link, s->listener_index)->counter, 1, p->frame,
	      s->new_flow);
	count(host->counter, 1, p->frame, s->new_flow);
	return ended(GPC_REASON_FORWARDED, GPC_VERDICT_FORWARD);
}

#endif
