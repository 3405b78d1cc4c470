// SPDX-License-Identifier: (MIT OR GPL-2.0-only)
/*
 * gpc_decap: `role: decap` on a backend (SEMANTICS 3). IP in IP or GUE whose inner packet is for a
 * listener with `forward: ipip` or `gue` is unwrapped; then the walk of what arrives, without listeners.
 * Later fragments and ICMP errors about a listener's flow, which have no ports, are unwrapped if they are to
 * a listener's address.
 *
 * No outer checksum is judged (RFC 6936: the inner packet has its own). An outer CE over an inner packet
 * that knows no ECN, which RFC 6040 would drop, is ignored.
 */
#include "arrive.bpf.h"

#define GPC_ECN_CE 3u

/* A mark of congestion on the way goes on inside, if the inner packet's ends know of it (RFC 6040). */
static __always_inline int mark_congestion(struct xdp_md *ctx, const struct gpc_packet *inner,
					   __u32 at)
{
	__u8 *ip = (__u8 *)(long)ctx->data + (at & GPC_OFFSET_MASK);
	__u32 sum;

	if (ip + GPC_IPV4_SIZE > (__u8 *)(long)ctx->data_end)
		return 0;
	if (inner->family == GPC_V6) {
		ip[1] |= GPC_ECN_CE << 4;
		return 1;
	}
	/* RFC 1624: the header's sum changes with the word that the TOS stands in. */
	sum = (__u16)~load_be16(ip + 10) + (__u16)~load_be16(ip);
	ip[1] |= GPC_ECN_CE;
	sum += load_be16(ip);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	*(__be16 *)(ip + 10) = bpf_htons((__u16)~sum);
	return 1;
}

/* Takes all in front of offset `at` away, so that what follows there follows the Ethernet header. */
static __always_inline int unwrap(struct xdp_md *ctx, const struct gpc_packet *outer,
				  const struct gpc_packet *inner, __u32 at)
{
	const __u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	int shrink = (int)(at & GPC_OFFSET_MASK) - (int)GPC_ETH_SIZE - 4 * outer->tags;
	struct gpc_outer none = {.type = inner->family == GPC_V4 ? bpf_htons(ETH_P_IP)
								 : bpf_htons(ETH_P_IPV6)};
	struct gpc_route same;

	if (data + GPC_ETH_SIZE > end)
		return 0;
	same.destination_mac = load64(data) & GPC_MAC_MASK;
	same.source_mac = load64(data + 6) & GPC_MAC_MASK;
	if ((outer->tos & GPC_ECN_CE) == GPC_ECN_CE && inner->tos & GPC_ECN_CE &&
	    !mark_congestion(ctx, inner, at))
		return 0;
	return !bpf_xdp_adjust_head(ctx, shrink) &&
	       write_head(ctx, outer, &same, &none, outer->tags, 0);
}

/*
 * What the outer packet carries: *inner gets its family and where it has to end, *ret_at where it begins;
 * the enum gpc_forward that it may have come by, 0: none.
 */
static __always_inline __u8 wrapped_by(struct xdp_md *ctx, const struct gpc_packet *outer,
				       struct gpc_packet *inner, __u32 *ret_at)
{
	__u8 protocol = outer->tuple.protocol, head[GPC_UDP_SIZE + 1];

	inner->frame = GPC_ETH_SIZE + 4 * outer->tags + outer->length;
	inner->family = protocol == IPPROTO_IPV6;
	*ret_at = outer->l4;
	if (protocol == IPPROTO_IPIP || protocol == IPPROTO_IPV6)
		return GPC_FORWARD_IPIP;
	if (protocol != IPPROTO_UDP ||
	    frame_load(ctx, GPC_CONTEXT_XDP, outer->l4, head, sizeof(head)))
		return 0;
	if (outer->l4 + load_be16(head + 4) > inner->frame)
		return 0;
	inner->frame = outer->l4 + load_be16(head + 4);
	inner->family = head[GPC_UDP_SIZE] >> 4 == 6;
	*ret_at += GPC_UDP_SIZE;
	return inner->family || head[GPC_UDP_SIZE] >> 4 == 4 ? GPC_FORWARD_GUE : 0;
}

/* Is the inner packet for a listener that sends by `forward`, to this `port` with gue? */
static __always_inline int is_listeners(const struct gpc_walk *w, const struct gpc_packet *inner,
					__u8 forward, __be16 port)
{
	const struct gpc_tuple *t = &inner->tuple;
	__u32 how = forward | (__u32)port << 16;

	/* Without ports: the address alone says that the balancer may have sent it. */
	if (inner->fragment == GPC_FRAGMENT_LATER || quotes_packet(inner))
		return gpc_find_address_forwards(w->slot, t->destination[0], t->destination[1],
						 how);
	return gpc_find_forwards(w->slot, t->destination[0], t->destination[1],
				 t->destination_port | (__u32)t->protocol << 16, how);
}

/* Takes the wrapping off a packet for a listener; 0: it has none, or none of this plane's. */
static __always_inline int unwrapped(struct xdp_md *ctx, const struct gpc_walk *w,
				     struct gpc_packet *inner)
{
	const struct gpc_packet *outer = &w->c->packet;
	__u8 protocol = outer->tuple.protocol, forward;
	__u32 at;

	if (likely(protocol != IPPROTO_IPIP && protocol != IPPROTO_IPV6 &&
		   protocol != IPPROTO_UDP) ||
	    outer->fragment)
		return 0;
	forward = wrapped_by(ctx, outer, inner, &at);
	if (!forward || gpc_parse_ip_xdp(ctx, inner, at) != GPC_PARSED ||
	    !is_listeners(w, inner, forward, outer->tuple.destination_port))
		return 0;
	return unwrap(ctx, outer, inner, at);
}

/* A packet that was parsed for `reason`; `passed` is the reason for what passes untouched. */
static __always_inline struct gpc_end walk_unbalanced(struct xdp_md *ctx, struct gpc_walk *w,
						      __u32 reason, __u32 passed, int *action)
{
	struct gpc_service none = no_service(w);
	struct gpc_end end;

	if (is_odd(w, reason)) {
		end = walk_odd(w, reason, 0);
		if (end.reason == GPC_PARSED && quotes_packet(&w->c->packet))
			end = walk_error(ctx, w, &none, 0);
		if (end.reason != GPC_PARSED)
			return end;
	}
	return walk_packet(ctx, w, &none, 0, 0, 1, passed, action);
}

SEC("xdp")
int gpc_decap(struct xdp_md *ctx)
{
	__u32 frame = frame_size(ctx), reason, passed = GPC_REASON_NO_LISTENER;
	struct gpc_pick pick = pick_slot();
	int action = XDP_PASS;
	struct gpc_end end;
	struct gpc_walk w = {};

	w.c = case_of(GPC_HOOK_ID_DECAP);
	if (enter(ctx, &w, &pick, GPC_HOOK_ID_DECAP, &end)) {
		reason = parse_xdp(ctx, &w.c->packet);
		if (reason == GPC_PARSED && unwrapped(ctx, &w, quote_of(w.c))) {
			passed = GPC_REASON_DECAPSULATED;
			reason = parse_xdp(ctx, &w.c->packet);
		}
		end = walk_unbalanced(ctx, &w, reason, passed, &action);
		if (wants_asking(&w, frame, end)) {
			bpf_tail_call(ctx, &gpc_programs, GPC_TAIL_CONSULT);
			end = end_missing(&w);
		}
		if (wants_nat(&w, frame, end)) {
			bpf_tail_call(ctx, &gpc_programs, GPC_TAIL_NAT);
			end = end_missing(&w);
		}
		if (wants_answer(&w, frame, end)) {
			bpf_tail_call(ctx, &gpc_programs, GPC_TAIL_ANSWER);
			end = end_missing(&w);
		}
	}
	return leave(ctx, &w, GPC_HOOK_ID_DECAP, frame, end, action);
}
