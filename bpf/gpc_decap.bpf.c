// SPDX-License-Identifier: (MIT OR GPL-2.0-only)
/*
 * gpc_decap: `role: decap` on a backend (SEMANTICS 3). IP in IP whose inner packet is for a
 * listener with `forward: ipip` is unwrapped; then the walk of what arrives, without listeners.
 */
#include "arrive.bpf.h"

/* Takes the outer IP headers away, so that what follows at offset `at` follows the Ethernet header.
 */
static __always_inline int unwrap(struct xdp_md *ctx, const struct gpc_packet *outer, __u8 family)
{
	const __u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	int shrink = (int)(outer->l4 & GPC_OFFSET_MASK) - (int)GPC_ETH_SIZE - 4 * outer->tags;
	struct gpc_outer none = {.type = family == GPC_V4 ? bpf_htons(ETH_P_IP)
							  : bpf_htons(ETH_P_IPV6)};
	struct gpc_route same;

	if (data + GPC_ETH_SIZE > end)
		return 0;
	same.destination_mac = load64(data) & GPC_MAC_MASK;
	same.source_mac = load64(data + 6) & GPC_MAC_MASK;
	return !bpf_xdp_adjust_head(ctx, shrink) &&
	       write_head(ctx, outer, &same, &none, outer->tags);
}

/* Takes the wrapping off a packet for a listener; 0: it has none, or none of this plane's. */
static __always_inline int unwrapped(struct xdp_md *ctx, const struct gpc_walk *w,
				     struct gpc_packet *inner)
{
	const struct gpc_packet *outer = &w->c->packet;
	const struct gpc_tuple *t = &inner->tuple;
	__u8 protocol = outer->tuple.protocol;

	if (likely(protocol != IPPROTO_IPIP && protocol != IPPROTO_IPV6) || outer->fragment)
		return 0;
	inner->family = protocol == IPPROTO_IPIP ? GPC_V4 : GPC_V6;
	inner->frame = GPC_ETH_SIZE + 4 * outer->tags + outer->length;
	if (gpc_parse_ip_xdp(ctx, inner, outer->l4) != GPC_PARSED || inner->fragment ||
	    !gpc_vip_forwards(w->view, t->destination[0], t->destination[1], t->destination_port,
			      t->protocol, GPC_FORWARD_IPIP))
		return 0;
	return unwrap(ctx, outer, inner->family);
}

SEC("xdp")
int gpc_decap(struct xdp_md *ctx)
{
	__u32 frame = frame_size(ctx), reason, passed = GPC_REASON_NO_LISTENER;
	int action = XDP_PASS;
	struct gpc_end end;
	struct gpc_walk w = {};

	if (enter(ctx, &w, GPC_HOOK_ID_DECAP, &end)) {
		reason = parse_xdp(ctx, &w.c->packet);
		if (reason == GPC_PARSED && unwrapped(ctx, &w, quote_of(w.c))) {
			passed = GPC_REASON_DECAPSULATED;
			reason = parse_xdp(ctx, &w.c->packet);
		}
		end = walk_in(ctx, &w, reason, 0, passed, &action);
	}
	return leave(ctx, &w, GPC_HOOK_ID_DECAP, frame, end, action);
}
