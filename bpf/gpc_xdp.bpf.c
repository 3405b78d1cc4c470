// SPDX-License-Identifier: (MIT OR GPL-2.0-only)
/*
 * gpc_xdp: the walk of a frame that arrives (SEMANTICS 4.1): slot, parse, listener, flow, endpoint,
 * next hop, send; one exit that counts the reason.
 */
#include "count.bpf.h"
#include "encap.bpf.h"

/* What the stages hand on about one packet. */
struct gpc_walk {
	struct gpc_view view;
	const struct gpc_link_head *link;
	const struct gpc_link_device *in;
	const struct gpc_listener *listener;
	__u32 listener_index;
	__u32 endpoint; /* index */
	__u32 new_flow; /* 1: counted as one */
	__u64 now;
	struct gpc_packet packet;
};

/* How a walk ended. */
struct gpc_end {
	__u32 reason;
	int action;
};

static __always_inline struct gpc_end ended(__u32 reason, int action)
{
	return (struct gpc_end){.reason = reason, .action = action};
}

static __always_inline int drop_if(int condition)
{
	return condition ? XDP_DROP : XDP_PASS;
}

/* Packets without ports, and what is wrong with them: never balanced. */
static __always_inline struct gpc_end end_unbalanced(struct gpc_walk *w, __u32 reason)
{
	const struct gpc_plane *plane = gpc_view_plane(w->view);
	const struct gpc_tuple *t = &w->packet.tuple;
	int ours;

	if (reason == GPC_REASON_NON_IP)
		return ended(reason, drop_if(plane->flags & GPC_PLANE_NON_IP_DROP));
	if (reason == GPC_REASON_ARP || reason == GPC_REASON_NO_LISTENER)
		return ended(reason, XDP_PASS);
	ours = gpc_vip_is_address(w->view, t->destination[0], t->destination[1],
				  w->in->interface_bit);
	if (reason == GPC_REASON_FRAGMENT)
		return ended(ours ? reason : GPC_REASON_NO_LISTENER, XDP_PASS);
	return ended(reason, drop_if(ours && plane->flags & GPC_PLANE_MALFORMED_DROP));
}

/* Can the endpoint take a packet of this family by this way of forwarding? */
static __always_inline int usable(const struct gpc_endpoint *endpoint, __u8 forward, __u8 family)
{
	__u8 families = GPC_ENDPOINT_V4 | GPC_ENDPOINT_V6;

	if (forward == GPC_FORWARD_IPIP && family == GPC_V6)
		families = GPC_ENDPOINT_V6;
	return endpoint->flags & families;
}

/* The endpoint that the entry names, if it still keeps its flows; GPC_NONE: pick anew. */
static __always_inline __u32 kept_endpoint(struct gpc_walk *w, struct gpc_flow *seen)
{
	const struct gpc_plane *plane = gpc_view_plane(w->view);
	__u32 index = seen->hint;
	const struct gpc_endpoint *endpoint = gpc_endpoint_at(w->view, index);

	/* The hint saves two loads that wait for each other; the id decides, wherever it is found. */
	if (unlikely(endpoint->id != seen->endpoint ||
		     index >= plane->section[GPC_SEC_ENDPOINT].count)) {
		index = gpc_endpoint_by_id(w->view, seen->endpoint);
		if (index == GPC_NONE)
			return GPC_NONE;
		endpoint = gpc_endpoint_at(w->view, index);
		seen->hint = index;
	}
	if (!(endpoint->flags & GPC_ENDPOINT_KEEP) ||
	    !usable(endpoint, w->listener->forward, w->packet.family))
		return GPC_NONE;
	return index;
}

/* The endpoint that the listener's table gives. */
static __always_inline __u32 picked_endpoint(struct gpc_walk *w)
{
	const struct gpc_plane *plane = gpc_view_plane(w->view);
	const struct gpc_table_ref *table = &w->listener->table[w->packet.family & 1];

	return gpc_endpoint_by_hash(w->view, table,
				    gpc_flow_hash(plane->hash_seed, &w->packet.tuple, 0));
}

/* Writes the entry of a flow that got w->endpoint, by its key; 0 if it is there now. */
static __always_inline long enter_flow(struct gpc_walk *w, const union flow_key *key,
				       struct gpc_flow *flow)
{
	long failed;

	flow->endpoint = gpc_endpoint_at(w->view, w->endpoint)->id;
	flow->hint = w->endpoint;
	if (w->packet.family == GPC_V4) {
		failed = bpf_map_update_elem(&gpc_flows4, key, flow, BPF_ANY);
		opaque(failed);
	} else {
		failed = bpf_map_update_elem(&gpc_flows6, key, flow, BPF_ANY);
	}
	return failed;
}

/* The entry goes: the next packet of the flow is the first of an unknown one. */
static __always_inline void forget_flow(struct gpc_walk *w, const union flow_key *key)
{
	if (w->packet.family == GPC_V4)
		bpf_map_delete_elem(&gpc_flows4, key);
	else
		bpf_map_delete_elem(&gpc_flows6, key);
}

/*
 * Stores what is new of an entry. When another CPU was faster, a new state is put into what that one
 * stored; a stamp is not: it is as new.
 */
static __always_inline void mark_flow(struct gpc_flow *flow, __u64 seen, const struct gpc_flow *now)
{
	struct gpc_flow was = {.mark = seen}, found;

	found.mark = __sync_val_compare_and_swap(&flow->mark, seen, now->mark);
	if (likely(found.mark == seen) || now->state == was.state || found.flags != now->flags)
		return;
	seen = found.mark;
	found.state = now->state;
	__sync_val_compare_and_swap(&flow->mark, seen, found.mark);
}

/* A known flow: its endpoint, or a new one that its entry gets. `now` is the entry as it was found. */
static __always_inline void follow_flow(struct gpc_walk *w, const union flow_key *key,
					struct gpc_flow *flow, struct gpc_flow *now)
{
	const struct gpc_plane *plane = gpc_view_plane(w->view);
	const struct gpc_packet *p = &w->packet;
	__u64 seen = now->mark;
	__u32 second = w->now >> GPC_FLOW_SECOND_SHIFT;
	__s32 idle = second - now->last_seen;
	__u8 state = now->state;
	int fresh = flow_expired(plane, state, idle) ||
		    (tcp_opens(p->tcp_flags) &&
		     (state == GPC_FLOW_CLOSING || state == GPC_FLOW_CLOSED));

	now->state = fresh ? flow_first_state(p->tuple.protocol, p->tcp_flags)
			   : flow_next_state(state, p->tuple.protocol, p->tcp_flags);
	if (idle > 0)
		now->last_seen = second;
	w->endpoint = likely(!fresh) ? kept_endpoint(w, now) : GPC_NONE;
	if (likely(w->endpoint != GPC_NONE)) {
		if (unlikely(now->mark != seen))
			mark_flow(flow, seen, now);
		return;
	}
	w->endpoint = picked_endpoint(w);
	if (w->endpoint == GPC_NONE)
		return;
	w->new_flow = 1;
	/* An entry that cannot be renewed must not lead the flow back to where it was. */
	if (!flow_budget(plane, w->link->cpus, w->now) || enter_flow(w, key, now))
		forget_flow(w, key);
}

/* An unknown flow: an endpoint from the table, and an entry within the budget. */
static __always_inline void open_flow(struct gpc_walk *w, const union flow_key *key, __u8 flags)
{
	const struct gpc_packet *p = &w->packet;
	struct gpc_flow flow = {
		.last_seen = w->now >> GPC_FLOW_SECOND_SHIFT,
		.state = flow_first_state(p->tuple.protocol, p->tcp_flags),
		.flags = flags,
	};
	long failed = 1;

	w->endpoint = picked_endpoint(w);
	if (w->endpoint == GPC_NONE)
		return;
	if (flow_budget(gpc_view_plane(w->view), w->link->cpus, w->now))
		failed = enter_flow(w, key, &flow);
	w->new_flow = !failed || p->tuple.protocol != IPPROTO_TCP || tcp_opens(p->tcp_flags);
}

/* Finds w->endpoint, GPC_NONE if nobody takes the flow. */
static __always_inline void choose_endpoint(struct gpc_walk *w)
{
	union flow_key key;
	struct gpc_flow *flow, now = {};
	__u8 flags;

	if (w->packet.family == GPC_V4) {
		flags = flow_key4(&key, &w->packet.tuple);
		flow = bpf_map_lookup_elem(&gpc_flows4, &key);
		opaque(flow); /* two calls that were merged into one could not be inlined */
	} else {
		flags = flow_key6(&key, &w->packet.tuple);
		flow = bpf_map_lookup_elem(&gpc_flows6, &key);
	}
	flags |= flow_tag(&key, w->packet.family);
	if (!flow) {
		open_flow(w, &key, flags);
		return;
	}
	now.endpoint = READ_ONCE(flow->endpoint);
	now.mark = READ_ONCE(flow->mark);
	if (likely(now.flags == flags))
		follow_flow(w, &key, flow, &now);
	else if ((now.flags ^ flags) == GPC_FLOW_REVERSED)
		/* two listeners' addresses talk to each other: the entry is the other way's */
		w->endpoint = picked_endpoint(w);
	else /* the element went to another flow since it was found */
		open_flow(w, &key, flags);
}

/* Sends the packet to w->endpoint. */
static __always_inline struct gpc_end forward(struct xdp_md *ctx, struct gpc_walk *w)
{
	const struct gpc_plane *plane = gpc_view_plane(w->view);
	const struct gpc_endpoint *endpoint = gpc_endpoint_at(w->view, w->endpoint);
	const struct gpc_link_endpoint *host = gpc_link_endpoint_at(w->view, w->link, w->endpoint);
	const struct gpc_packet *p = &w->packet;
	struct gpc_outer outer = {};
	struct gpc_route route;
	__u32 family = p->family;
	int action;

	/* Sent to by the packet's own family if the endpoint has it, else by the other. */
	if (!(endpoint->flags & (family == GPC_V4 ? GPC_ENDPOINT_V4 : GPC_ENDPOINT_V6)))
		family ^= 1;
	if (!find_route(ctx, w->view, w->link, w->in, endpoint, host->next[family & 1], family,
			w->now, &route))
		return ended(GPC_REASON_NO_NEXT_HOP, XDP_DROP);
	if (w->listener->forward == GPC_FORWARD_DSR) {
		outer.type = p->family == GPC_V4 ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_IPV6);
	} else if (family == GPC_V4) {
		if (!host->source4_be)
			return ended(GPC_REASON_NO_NEXT_HOP, XDP_DROP);
		outer_v4(&outer, p, host->source4_be, endpoint->address4_be);
	} else {
		if (!(host->source6_be[0] | host->source6_be[1]))
			return ended(GPC_REASON_NO_NEXT_HOP, XDP_DROP);
		outer_v6(&outer, plane, p, host->source6_be, endpoint->address6_be);
	}
	if (unlikely(too_big(p, &outer, route.mtu)))
		return ended(GPC_REASON_TOO_BIG, XDP_DROP);
	action = send(ctx, p, w->in, &route, &outer);
	if (unlikely(action < 0))
		return ended(GPC_REASON_NO_HEADROOM,
			     drop_if(plane->flags & GPC_PLANE_ON_FAIL_DROP));
	count(gpc_link_listener_at(w->view, w->link, w->listener_index)->counter, 1, p->frame,
	      w->new_flow);
	count(host->counter, 1, p->frame, w->new_flow);
	return ended(GPC_REASON_FORWARDED, action);
}

/* The stages in order. */
static __always_inline struct gpc_end walk_in(struct xdp_md *ctx, struct gpc_walk *w)
{
	const struct gpc_tuple *t = &w->packet.tuple;
	__u32 reason = GPC_PARSED;

	w->link = gpc_view_link(w->view);
	w->in = gpc_device_by_ifindex(w->view, w->link, ctx->ingress_ifindex);
	if (!w->in || !w->in->interface_bit)
		return ended(GPC_REASON_NO_LISTENER, XDP_PASS);
	if (!parse_plain(ctx, &w->packet))
		reason = parse_other(ctx, &w->packet);
	if (reason != GPC_PARSED)
		return end_unbalanced(w, reason);
	w->listener_index =
		gpc_vip_listener(w->view, t->destination[0], t->destination[1], t->destination_port,
				 t->protocol, w->in->interface_bit);
	if (w->listener_index == GPC_NONE)
		return ended(GPC_REASON_NO_LISTENER, XDP_PASS);
	w->listener = gpc_listener_at(w->view, w->listener_index);
	w->now = bpf_ktime_get_coarse_ns();
	w->new_flow = 0;
	choose_endpoint(w);
	if (w->endpoint == GPC_NONE)
		return ended(GPC_REASON_NO_ENDPOINT, XDP_DROP);
	return forward(ctx, w);
}

/* Tells TC of the same packet which image decided; a driver without room for it stays silent. */
static __always_inline void write_meta(struct xdp_md *ctx, const struct gpc_walk *w, __u32 slot)
{
	struct gpc_meta *meta;

	if (bpf_xdp_adjust_meta(ctx, -(int)sizeof(*meta)))
		return;
	meta = (void *)(long)ctx->data_meta;
	if ((void *)(meta + 1) > (void *)(long)ctx->data)
		return;
	meta->nonce = w->link->nonce;
	meta->slot_generation = slot | w->link->generation << 3;
}

SEC("xdp")
int gpc_xdp(struct xdp_md *ctx)
{
	__u32 frame = frame_size(ctx);
	struct gpc_pick pick = pick_slot();
	struct gpc_end end;
	struct gpc_walk w;

	if (unlikely(pick.word & GPC_CTL_OFF)) {
		end = ended(GPC_REASON_OFF, XDP_PASS);
		goto out;
	}
	w.view = image_of(pick.slot);
	if (unlikely(!w.view.base)) {
		end = ended(GPC_REASON_ON_FAIL,
			    drop_if(gpc_ctl_on_fail(pick.word) == GPC_ON_FAIL_DROP));
		goto out;
	}
	end = walk_in(ctx, &w);
	if (end.action == XDP_PASS && w.in && w.in->flags & GPC_DEVICE_META)
		write_meta(ctx, &w, pick.slot);
out:
	count_reason(GPC_HOOK_ID_XDP, end.reason, 1, frame);
	return end.action;
}
