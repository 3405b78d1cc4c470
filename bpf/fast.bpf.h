/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * fast.bpf.h: the walk of nearly all packets, with nothing that only others need: a plain frame of TCP or UDP
 * that is for no listener and no chain sees; or of a known flow whose entry stays as it is but for the time, or of
 * one that gets none (fast_new.bpf.h), by a way that was asked about this second, with `ipip` or `dsr`. Any other
 * packet is left as it is, and goes the whole way of arrive.bpf.h: each verdict here is the one that it would have
 * there.
 */
#ifndef GPC_FAST_BPF_H
#define GPC_FAST_BPF_H

#include "fast_new.bpf.h"

/* What gpc_fast() gives, beside XDP actions, of a packet that goes the whole way. */
enum gpc_slow {
	GPC_SLOW = -1,	      /* nothing is known of it */
	GPC_SLOW_PARSED = -2, /* c->packet is complete */
	GPC_SLOW_FOUND = -3,  /* and c->listener is whom it is for, or GPC_NONE */
	GPC_SLOW_NEW = -4,    /* and its flow has no entry */
};

struct gpc_fast {
	struct gpc_view view;
	const struct gpc_plane *plane;
	const struct gpc_link_head *link;
	const struct gpc_link_device *in;
	const struct gpc_chain *chain;
	const struct gpc_listener *listener;
	const struct gpc_endpoint *endpoint;
	const struct gpc_link_endpoint *host;
	struct gpc_packet *packet;
	union flow_key *key;
	struct gpc_flow *flow;	/* the flow's entry */
	struct gpc_flow known;	/* its first words, as they were found */
	__u32 at;		/* its number */
	struct gpc_flow_place place;
	struct gpc_busy_use *busy;
	struct gpc_clock *clock;
	struct gpc_busy_line *line; /* where a busy flow would stand; NULL: not looked at */
	__u64 busy_key;
	__u32 slot;	/* of the image */
	__u32 vip_slot;
	__u32 listener_index;
	__u32 odd; /* that is not known yet */
	__u32 family; /* of the address that it is sent to */
	__u32 flows;  /* 1: counted as a new one */
	__u64 now;
};

/* As chain_of() has it. */
static __always_inline const struct gpc_chain *chain_fast(const struct gpc_fast *q)
{
	__u16 index = q->in->chain[GPC_INGRESS];
	const struct gpc_chain *chain;

	if (likely(index == GPC_NONE16))
		return 0;
	chain = gpc_chain_at(q->view, index);
	return chain->policies ? chain : 0;
}

/* Of a whole address with one port that has one listener; q->odd: there may be another, or a choice. */
static __always_inline void find_listener_fast(struct gpc_fast *q)
{
	const struct gpc_tuple *t = &q->packet->tuple;
	const struct gpc_vip *vip;
	__u64 differs;

	q->vip_slot = gpc_vip_slot(q->view, t->destination[0], t->destination[1],
				   t->destination_port, t->protocol, GPC_VIP_EXACT, &differs);
	vip = gpc_vip_at(q->view, q->vip_slot);
	if (differs || !(vip->interfaces & q->in->interface_bit)) {
		q->odd = q->plane->flags & GPC_PLANE_VIP_PORTS;
		q->listener_index = GPC_NONE;
	} else {
		q->odd = vip->flags & GPC_VIP_CHOICE;
		q->listener_index = vip->listener;
	}
	q->listener = gpc_listener_at(q->view, q->listener_index);
}

/* Up to whom the packet is for; 0: it is not a plain one. */
static __always_inline int begin_fast(struct xdp_md *ctx, struct gpc_fast *q, __u32 slot)
{
	q->slot = slot;
	q->view = image_of(slot);
	if (unlikely(!q->view.base))
		return 0;
	q->plane = gpc_view_plane(q->view);
	q->link = gpc_view_link(q->view);
	q->in = gpc_device_by_ifindex(q->view, q->link, ctx->ingress_ifindex);
	if (unlikely(!q->in || !q->in->interface_bit))
		return 0;
	q->packet->frame = frame_size(ctx);
	q->packet->vlan = GPC_VLAN_NONE;
	if (unlikely(!parse_plain((void *)(long)ctx->data, (void *)(long)ctx->data_end, q->packet)))
		return 0;
	find_listener_fast(q);
	q->chain = chain_fast(q);
	return 1;
}

/* A packet for no listener: does it pass without anybody being asked, or told? */
static __always_inline int passes_fast(const struct gpc_fast *q)
{
	return !(q->plane->flags & GPC_PLANE_NAT) && !(q->in->flags & GPC_DEVICE_META) && !q->chain;
}

/* One for a listener: may its flow's entry be all that is needed? */
static __always_inline int serves_fast(const struct gpc_fast *q)
{
	__u8 forward = q->listener->forward;

	return (forward == GPC_FORWARD_IPIP || forward == GPC_FORWARD_DSR) &&
	       q->listener->affinity == GPC_AFFINITY_NONE &&
	       (!q->chain || q->chain->flags & GPC_CHAIN_STATEFUL);
}

/* Does the flow's entry let the packet in, as is_settled() has it? */
static __always_inline int settled_fast(const struct gpc_fast *q, const struct gpc_flow *flow)
{
	return !q->chain || (READ_ONCE(flow->epoch) == q->plane->epoch &&
			     READ_ONCE(flow->chain[GPC_INGRESS]) == q->chain->tag &&
			     !READ_ONCE(flow->skb_mark));
}

/* Does the packet leave the state of its flow, of which one side is seen, as it is? */
static __always_inline int keeps_state(const struct gpc_packet *p, __u8 state)
{
	if (unlikely(state & GPC_FLOW_REVOKED))
		return 0;
	state &= GPC_FLOW_STATE_MASK;
	if (p->tuple.protocol != IPPROTO_TCP)
		return state != GPC_FLOW_UDP_NEW;
	return !(p->tcp_flags & (GPC_TCP_SYN | GPC_TCP_FIN | GPC_TCP_RST)) && state != GPC_FLOW_SYN;
}

/* Does the endpoint keep a flow whose entry is in `state`? 0: no, or its backend is to be settled first. */
static __always_inline int keeps_fast(const struct gpc_fast *q, __u32 index, __u8 state)
{
	const struct gpc_backend_state *backend = backend_state(q->view, q->endpoint->backend);
	__u32 settled;

	if (likely(!backend || !(gpc_operating(backend).flags & GPC_BACKEND_ACTIVE)))
		return q->endpoint->flags & GPC_ENDPOINT_KEEP;
	settled = READ_ONCE(backend->settled);
	if (settled && q->now >> GPC_FLOW_SECOND_SHIFT >= settled)
		return 0;
	return gpc_keeps_known(effect_of(q->view, q->endpoint, index, q->now),
			       stays(q->packet, q->listener, state));
}

/* ---- busy flows ---- */

/* Where the packet's flow stands if it is a busy one. What opens or ends a flow is the entry's matter. */
static __always_inline void place_busy(struct gpc_fast *q)
{
	const struct gpc_tuple *t = &q->packet->tuple;

	q->line = 0;
	q->busy_key = (__u64)q->vip_slot << 48 | (__u64)t->source_port << 32 | t->source[1] >> 32;
	if (q->chain || q->vip_slot > 0xffff || !keeps_state(q->packet, GPC_FLOW_ESTABLISHED) ||
	    !busy_worth(q->busy))
		return;
	q->line = busy_line(q->place.set[0]);
}

static __always_inline __u64 stamp_fast(const struct gpc_fast *q)
{
	return busy_stamp(q->now >> GPC_FLOW_SECOND_SHIFT, q->link->generation, q->slot);
}

/* Does the table of busy flows say where the packet goes, and does the endpoint keep its flows? */
static __always_inline int find_busy(struct gpc_fast *q)
{
	__u64 what;
	__u32 index;

	if (!q->line)
		return 0;
	what = busy_find(q->line, q->busy_key);
	if (!what)
		return 0;
	q->now = clock_now(q->clock);
	if (what >> GPC_BUSY_INDEX_BITS != stamp_fast(q))
		return 0;
	busy_paid(q->busy);
	index = what & ((1u << GPC_BUSY_INDEX_BITS) - 1);
	q->endpoint = gpc_endpoint_at(q->view, index);
	q->host = gpc_link_endpoint_at(q->view, q->link, index);
	return likely(!is_active(q->view, q->endpoint->backend)) &&
	       q->endpoint->flags & GPC_ENDPOINT_KEEP;
}

/* Its entry has said that the packet's flow goes to q->endpoint, and was seen in this second before. */
static __always_inline void note_fast(struct gpc_fast *q)
{
	const struct gpc_busy_flow flow = {
		q->line, q->busy_key, q->key, q->place, q->at, q->known.endpoint,
	};

	if (!q->line || q->now >> GPC_FLOW_SECOND_SHIFT == 0)
		return;
	if (note_busy4(&flow, stamp_fast(q), q->known.hint))
		busy_paid(q->busy);
	else
		busy_in_vain(q->busy);
}

/* ---- known flows ---- */

/* Its key, and where that belongs; returns what the flow's flags are for this direction. `family` is a constant. */
static __always_inline __u8 place_fast(struct gpc_fast *q, __u32 family)
{
	__u8 flags = family == GPC_V4 ? flow_key4(q->key, &q->packet->tuple)
				      : flow_key6(q->key, &q->packet->tuple);

	q->place = flow_place(family, q->key->word);
	return flags | flow_tag(&q->place);
}

/* The flow's entry and what is needed of it, read between two looks at its key. 0: there is none. */
static __always_inline int find_flow_fast(struct gpc_fast *q, __u32 family)
{
	__u64 *element = flow_find(family, q->key, &q->place, &q->at);

	if (!element)
		return 0;
	q->flow = flow_value(family, element);
	q->known.mark = READ_ONCE(q->flow->mark);
	q->known.endpoint = READ_ONCE(q->flow->endpoint);
	return likely(has_key(family, element, q->key->word));
}

/* Finds the flow's endpoint, and keeps its entry up. 0: that takes more. `flags` are the flow's for its key. */
static __always_inline int take_endpoint(struct gpc_fast *q, __u32 family, __u8 flags)
{
	struct gpc_flow *flow = q->flow, now = q->known;
	__u64 seen = now.mark;
	__u32 second, index;
	__s32 idle;

	q->now = clock_now(q->clock);
	second = q->now >> GPC_FLOW_SECOND_SHIFT;
	idle = second - now.last_seen;
	if (unlikely(now.flags != flags || !keeps_state(q->packet, now.state) ||
		     gpc_flow_expired(q->plane, now.state, idle) || !settled_fast(q, flow)))
		return 0;
	index = now.hint;
	q->endpoint = gpc_endpoint_at(q->view, index);
	q->host = gpc_link_endpoint_at(q->view, q->link, index);
	if (unlikely(q->endpoint->id != now.endpoint ||
		     index >= q->plane->section[GPC_SEC_ENDPOINT].count ||
		     !gpc_endpoint_takes(q->endpoint, q->listener->forward, family) ||
		     !keeps_fast(q, index, now.state)))
		return 0;
	if (idle > 0) {
		now.last_seen = second;
		__sync_val_compare_and_swap(&flow->mark, seen, now.mark);
		gpc_age_flow(family, q->at, second, now.state);
	} else if (family == GPC_V4) {
		note_fast(q);
	}
	return 1;
}

/* Finds the endpoint of a known flow: 1, or enum gpc_slow. `family` is a constant. */
static __always_inline int find_endpoint_fast(struct gpc_fast *q, __u32 family)
{
	__u8 flags = place_fast(q, family);

	if (family == GPC_V4) {
		place_busy(q);
		if (likely(find_busy(q)))
			return 1;
	}
	if (!find_flow_fast(q, family)) {
		if (family == GPC_V4 && q->line)
			busy_in_vain(q->busy);
		return GPC_SLOW_NEW;
	}
	return take_endpoint(q, family, flags) ? 1 : GPC_SLOW_FOUND;
}

/* The way there, if it need not be asked for. */
static __always_inline int find_route_fast(struct gpc_fast *q, struct gpc_route *route)
{
	const struct gpc_next *next;
	__u64 hop, checked;
	__u32 slot;

	q->family = family_to(q->endpoint, q->packet->family);
	slot = q->host->next[q->family & 1];
	next = bpf_map_lookup_elem(&gpc_next, &slot);
	if (!next || q->endpoint->flags & GPC_ENDPOINT_FIB)
		return 0;
	hop = READ_ONCE(next->hop);
	checked = READ_ONCE(next->checked);
	return likely(hop && checked && !(checked & GPC_NEXT_REFUSED) &&
		      (__s64)(q->now - checked) < (__s64)GPC_SECOND) &&
	       route_of(q->view, q->link, q->in, hop, route);
}

/* Finds the endpoint of a flow that has no entry and gets none: 1, or enum gpc_slow. */
static __always_inline int find_new_fast(struct gpc_fast *q)
{
	__u32 index;

	if (q->chain)
		return GPC_SLOW_NEW;
	q->now = clock_now(q->clock);
	index = unentered_endpoint(q->view, q->plane, q->link, q->packet, q->listener, q->now);
	if (unlikely(index == GPC_NONE))
		return GPC_SLOW_NEW;
	q->endpoint = gpc_endpoint_at(q->view, index);
	q->host = gpc_link_endpoint_at(q->view, q->link, index);
	q->flows = counts_as_new(q->packet);
	return 1;
}

static __always_inline void count_fast(const struct gpc_fast *q)
{
	__u32 frame = q->packet->frame;

	count(gpc_link_listener_at(q->view, q->link, q->listener_index)->counter, 1, frame, q->flows);
	count(q->host->counter, 1, frame, q->flows);
	count_reason(GPC_HOOK_ID_XDP, GPC_REASON_FORWARDED, 1, frame);
}

/* The XDP action of a packet for a listener, or enum gpc_slow. */
static __always_inline int forward_fast(struct xdp_md *ctx, struct gpc_fast *q)
{
	struct gpc_route route;
	int action, found;
	__u32 grows;

	if (!serves_fast(q))
		return GPC_SLOW_FOUND;
	found = q->packet->family == GPC_V4 ? find_endpoint_fast(q, GPC_V4)
					    : find_endpoint_fast(q, GPC_V6);
	if (unlikely(found == GPC_SLOW_NEW))
		found = find_new_fast(q);
	if (found < 0)
		return found;
	if (!find_route_fast(q, &route))
		return GPC_SLOW_FOUND;
	grows = grows_by(q->listener->forward, q->family);
	if (unlikely((grows && !has_source(q->host, q->family)) ||
		     too_big(q->packet, grows, route.mtu)))
		return GPC_SLOW_FOUND;
	action = send_plain(ctx, q->packet, 0, q->plane->hash_seed[0], q->in->ifindex, q->listener,
			    q->endpoint, q->host, &route, q->family);
	if (unlikely(action < 0))
		return GPC_SLOW_FOUND;
	count_fast(q);
	return action;
}

/* The XDP action, or enum gpc_slow. A global function: the states of its caller do not matter here, nor its there. */
__noinline int gpc_fast(struct xdp_md *ctx, struct gpc_case *c, __u32 slot)
{
	struct gpc_fast q;

	if (!ctx || !c)
		return GPC_SLOW;
	q.packet = &c->packet;
	q.key = &c->key;
	q.busy = &c->busy;
	q.clock = &c->clock;
	q.flows = 0;
	if (!begin_fast(ctx, &q, slot))
		return GPC_SLOW;
	if (unlikely(q.odd))
		return GPC_SLOW_PARSED;
	c->listener = q.listener_index;
	if (q.listener_index != GPC_NONE)
		return forward_fast(ctx, &q);
	if (!passes_fast(&q))
		return GPC_SLOW_FOUND;
	count_reason(GPC_HOOK_ID_XDP, GPC_REASON_NO_LISTENER, 1, q.packet->frame);
	return XDP_PASS;
}

#endif
