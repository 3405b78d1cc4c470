/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * nat_send.bpf.h: how packets of `nat` flows leave: translated as c->nat.to says, with other MAC addresses. Where
 * no neighbour is known, or an IPv4 packet has to be cut into fragments, the stack routes the translated
 * packet: it asks for neighbours, and cuts.
 *
 * What TC sends meets the egress hook of its device, which must not judge it: the plane's sign in skb->mark
 * says so there, as of gpc's own answers (reject.bpf.h).
 */
#ifndef GPC_NAT_SEND_BPF_H
#define GPC_NAT_SEND_BPF_H

#include <linux/pkt_cls.h>

#include "encap.bpf.h"
#include "mss.bpf.h"
#include "reject.bpf.h"
#include "walk.bpf.h"

/* ---- the way ---- */

/* c->nat.route becomes the way that c->nat.to leads; ifindex 0: the kernel knows no neighbour there. */
static __always_inline int find_way(void *ctx, __u32 ifindex, struct gpc_case *c)
{
	const struct gpc_tuple *to = &c->nat.to.outer;
	struct bpf_fib_lookup fib = {.ifindex = ifindex};
	struct gpc_route *route = &c->nat.route;
	long found;

	fib.l4_protocol = to->protocol;
	fib.sport = to->source_port;
	fib.dport = to->destination_port;
	if (c->packet.family == GPC_V4) {
		fib.family = GPC_AF_INET;
		fib.tos = c->packet.tos & 0x1c;
		fib.ipv4_src = to->source[1] >> 32;
		fib.ipv4_dst = to->destination[1] >> 32;
	} else {
		fib.family = GPC_AF_INET6;
		fib.flowinfo = c->packet.word & bpf_htonl(0x0fffffff);
		__builtin_memcpy(fib.ipv6_src, to->source, sizeof(to->source));
		__builtin_memcpy(fib.ipv6_dst, to->destination, sizeof(to->destination));
	}
	route->ifindex = route->mtu = 0;
	found = bpf_fib_lookup(ctx, &fib, sizeof(fib), 0);
	/* An skb larger than the device takes has a way all the same, and its sender is to be told. */
	if (found != BPF_FIB_LKUP_RET_SUCCESS && found != BPF_FIB_LKUP_RET_FRAG_NEEDED)
		return 0;
	route->destination_mac = mac_of(fib.dmac);
	route->source_mac = mac_of(fib.smac);
	route->ifindex = fib.ifindex;
	route->mtu = fib.mtu_result;
	return 1;
}

__noinline int gpc_find_way_xdp(struct xdp_md *ctx, struct gpc_case *c)
{
	if (!ctx || !c)
		return 0;
	return find_way(ctx, ctx->ingress_ifindex, c);
}

__noinline int gpc_find_way_skb(struct __sk_buff *ctx, struct gpc_case *c)
{
	if (!ctx || !c)
		return 0;
	return find_way(ctx, ctx->ifindex, c);
}

/* ---- what stands in the way ---- */

static __always_inline int is_error(const struct gpc_packet *p)
{
	return p->fragment != GPC_FRAGMENT_LATER && is_icmp(p->tuple.protocol);
}

static __always_inline int may_be_cut(const struct gpc_packet *p)
{
	return p->family == GPC_V4 && !(p->word >> 16 & GPC_IPV4_DF);
}

/* Is it larger than the way takes? */
static __always_inline int exceeds(const struct gpc_packet *p, __u32 mtu)
{
	return mtu && p->length > mtu;
}

/* Each says in the case why the packet is not sent, and gives -1. */
static __always_inline int say_too_big(struct gpc_case *c)
{
	c->nat.reason = GPC_REASON_TOO_BIG;
	c->reply = GPC_REPLY_TOO_BIG;
	c->mtu = c->nat.route.mtu;
	return -1;
}

static __always_inline int say_why(struct gpc_case *c, int why)
{
	c->nat.reason = why == GPC_TRANSLATED_NO_HOPS ? GPC_REASON_TTL : GPC_REASON_MALFORMED_SHORT;
	c->reply = GPC_REPLY_TTL;
	return -1;
}

/* The end of a packet that is not sent: of what its sender can mend he is told. */
static __always_inline struct gpc_end unsent(const struct gpc_case *c)
{
	__u32 reason = c->nat.reason;

	return ended(reason, reason == GPC_REASON_TTL || reason == GPC_REASON_TOO_BIG
				     ? GPC_VERDICT_ANSWER
				     : GPC_VERDICT_DROP);
}

/* Do the listeners of the client's destination clamp? On whatever interface: the reply came by another one. */
__noinline int gpc_reply_clamps(const struct gpc_case *c)
{
	const struct gpc_tuple *t;
	struct gpc_view view;
	__u32 listener;

	if (!c)
		return 0;
	view = image_of(c->slot);
	if (!view.base)
		return 0;
	t = &c->nat.client;
	listener = find_listener_at(view, t->destination, t->destination_port, t->protocol, ~0ull);
	return listener != GPC_NONE &&
	       gpc_listener_at(view, listener)->flags & GPC_LISTENER_MSS_CLAMP;
}

/* ---- XDP ---- */

/* The frame gets the MAC addresses of its way, and loses its tags if it leaves by another device. */
static __always_inline int write_l2(struct xdp_md *ctx, const struct gpc_packet *p,
				    const struct gpc_route *route, __u32 tags)
{
	__u8 *data, *end;

	if (tags && bpf_xdp_adjust_head(ctx, (int)(4 * (tags & 3))))
		return 0;
	data = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	if (data + GPC_ETH_SIZE > end)
		return 0;
	*(__u64 *)data = route->destination_mac | route->source_mac << 48;
	*(__u32 *)(data + 8) = route->source_mac >> 16;
	if (tags)
		*(__be16 *)(data + 12) = p->family == GPC_V4 ? bpf_htons(ETH_P_IP)
							     : bpf_htons(ETH_P_IPV6);
	return 1;
}

/* The packet, translated, out by c->nat.route. */
static __always_inline int send_routed(struct xdp_md *ctx, struct gpc_case *c)
{
	const struct gpc_route *route = &c->nat.route;
	int back = route->ifindex == ctx->ingress_ifindex;

	c->nat.reason = GPC_REASON_NO_HEADROOM;
	if (!write_l2(ctx, &c->packet, route, back ? 0 : c->packet.tags))
		return -1;
	return back ? XDP_TX : bpf_redirect(route->ifindex, 0);
}

/*
 * Sends the packet out by c->nat.route; with ifindex 0 up to the stack. `mtu`: of the device where it came in, if
 * MSS options are lowered, else 0. The XDP action, or negative: it is dropped for c->nat.reason. A global
 * function, so that the states of its callers do not matter here.
 */
__noinline int gpc_send_translated(struct xdp_md *ctx, struct gpc_case *c, __u32 mtu)
{
	struct gpc_route *route;
	int r;

	if (!ctx || !c)
		return -1;
	route = &c->nat.route;
	if (route->ifindex && exceeds(&c->packet, route->mtu)) {
		if (!may_be_cut(&c->packet))
			return say_too_big(c);
		route->ifindex = 0;
	}
	c->nat.to.hops = route->ifindex != 0;
	r = is_error(&c->packet)
		    ? gpc_translate_error_xdp(ctx, &c->packet, &c->quoted, &c->nat.to)
		    : gpc_translate_xdp(ctx, &c->packet, &c->nat.to);
	if (r != GPC_TRANSLATED)
		return say_why(c, r);
	if (c->packet.fragment == GPC_FRAGMENT_FIRST)
		gpc_remember_translated(c);
	if (mtu && is_syn(&c->packet))
		gpc_clamp_xdp(ctx, &c->packet,
			      mss_of(narrower(mtu, route->mtu), c->packet.family));
	return route->ifindex ? send_routed(ctx, c) : XDP_PASS;
}

/* Sends a packet of the endpoint's side to the client; as above. */
__noinline int gpc_send_reply(struct xdp_md *ctx, struct gpc_case *c, __u32 mtu)
{
	if (!ctx || !c)
		return -1;
	if (!is_syn(&c->packet) || !gpc_reply_clamps(c))
		mtu = 0;
	if (!is_error(&c->packet))
		gpc_keep_client(c);
	gpc_find_way_xdp(ctx, c);
	return gpc_send_translated(ctx, c, mtu);
}

static __always_inline struct gpc_end sent(const struct gpc_walk *w, int action, __u32 reason)
{
	if (likely(action >= 0))
		return ended(reason, GPC_VERDICT_FORWARD);
	return unsent(w->c);
}

/* A later fragment is of a reply, or of what a client sent to a listener. */
static __always_inline struct gpc_end send_reply(struct xdp_md *ctx, struct gpc_walk *w, int *action)
{
	int later = w->c->packet.fragment == GPC_FRAGMENT_LATER;
	__u32 reason = later && to_listener(w) ? GPC_REASON_FORWARDED : GPC_REASON_TRANSLATED;

	*action = gpc_send_reply(ctx, w->c, w->in->mtu);
	return sent(w, *action, reason);
}

/* ---- TC ---- */

/* Other MAC addresses, and no tags if it leaves by another device. */
static __always_inline int write_head_skb(struct __sk_buff *skb, const struct gpc_packet *p,
					  const struct gpc_route *route)
{
	__u64 mac[2] = {route->destination_mac | route->source_mac << 48, route->source_mac >> 16};

	if (route->ifindex != skb->ifindex) {
		if (skb->vlan_present && bpf_skb_vlan_pop(skb))
			return 0;
		if (p->tags && bpf_skb_vlan_pop(skb))
			return 0;
		if (p->tags > 1 && bpf_skb_vlan_pop(skb))
			return 0;
	}
	return !bpf_skb_store_bytes(skb, 0, mac, 12, 0);
}

/* As gpc_send_reply(), but TC's action; TC_ACT_UNSPEC: up to the stack. */
__noinline int gpc_send_reply_skb(struct __sk_buff *skb, struct gpc_case *c, __u32 mtu)
{
	struct gpc_route *route;
	struct gpc_view view;
	int known, r;

	if (!skb || !c)
		return TC_ACT_SHOT;
	view = image_of(c->slot);
	if (!view.base)
		return TC_ACT_SHOT;
	route = &c->nat.route;
	if (!is_error(&c->packet))
		gpc_keep_client(c);
	known = gpc_find_way_skb(skb, c);
	/* An aggregate of several segments is cut anyway. */
	if (known && skb->gso_segs <= 1 && exceeds(&c->packet, route->mtu)) {
		if (!may_be_cut(&c->packet)) {
			say_too_big(c);
			return TC_ACT_SHOT;
		}
		known = 0;
	}
	c->nat.to.hops = known;
	r = is_error(&c->packet)
		    ? gpc_translate_error_skb(skb, &c->packet, &c->quoted, &c->nat.to)
		    : gpc_translate_skb(skb, &c->packet, &c->nat.to);
	if (r != GPC_TRANSLATED) {
		say_why(c, r);
		return TC_ACT_SHOT;
	}
	if (c->packet.fragment == GPC_FRAGMENT_FIRST)
		gpc_remember_translated(c);
	if (is_syn(&c->packet) && gpc_reply_clamps(c))
		gpc_clamp_skb(skb, &c->packet,
			      mss_of(narrower(mtu, route->mtu), c->packet.family));
	if (!known)
		return TC_ACT_UNSPEC;
	c->nat.reason = GPC_REASON_NO_HEADROOM;
	if (!write_head_skb(skb, &c->packet, route))
		return TC_ACT_SHOT;
	skb->mark = answer_sign(gpc_view_link(view)->nonce);
	return bpf_redirect(route->ifindex, 0);
}

static __always_inline struct gpc_end send_reply_skb(struct __sk_buff *skb, struct gpc_walk *w,
						     int *action)
{
	*action = gpc_send_reply_skb(skb, w->c, w->in->mtu);
	if (*action == TC_ACT_SHOT)
		return unsent(w->c);
	return ended(GPC_REASON_TRANSLATED,
		     *action == TC_ACT_UNSPEC ? GPC_VERDICT_PASS : GPC_VERDICT_FORWARD);
}

#endif
