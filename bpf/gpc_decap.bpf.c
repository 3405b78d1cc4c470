// SPDX-License-Identifier: (MIT OR GPL-2.0-only)
/*
 * gpc_decap: `role: decap` on a backend (SEMANTICS 3). IP in IP whose inner packet is for a
 * listener with `forward: ipip` is unwrapped for the stack; every other frame passes as it came.
 */
#include "count.bpf.h"
#include "encap.bpf.h"

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

static __always_inline __u32 walk_decap(struct xdp_md *ctx, struct gpc_view view)
{
	struct gpc_packet outer, inner;
	const struct gpc_tuple *t = &inner.tuple;
	__u32 reason = parse_other(ctx, &outer);
	__u8 protocol = outer.tuple.protocol;

	if (reason != GPC_REASON_NO_LISTENER)
		return reason == GPC_PARSED ? GPC_REASON_NO_LISTENER : reason;
	if (protocol != IPPROTO_IPIP && protocol != IPPROTO_IPV6)
		return reason;
	__builtin_memset(&inner, 0, sizeof(inner));
	inner.family = protocol == IPPROTO_IPIP ? GPC_V4 : GPC_V6;
	inner.frame = GPC_ETH_SIZE + 4 * outer.tags + outer.length;
	if (gpc_parse_inner(ctx, &inner, outer.l4) != GPC_PARSED ||
	    !gpc_vip_forwards(view, t->destination[0], t->destination[1], t->destination_port,
			      t->protocol, GPC_FORWARD_IPIP))
		return reason;
	return unwrap(ctx, &outer, inner.family) ? GPC_REASON_DECAPSULATED : reason;
}

SEC("xdp")
int gpc_decap(struct xdp_md *ctx)
{
	__u32 frame = frame_size(ctx), reason;
	struct gpc_pick pick = pick_slot();
	struct gpc_view view;
	int action = XDP_PASS;

	if (pick.word & GPC_CTL_OFF) {
		reason = GPC_REASON_OFF;
		goto out;
	}
	view = image_of(pick.slot);
	if (!view.base) {
		reason = GPC_REASON_ON_FAIL;
		if (gpc_ctl_on_fail(pick.word) == GPC_ON_FAIL_DROP)
			action = XDP_DROP;
		goto out;
	}
	reason = walk_decap(ctx, view);
	if (reason == GPC_REASON_NON_IP && gpc_view_plane(view)->flags & GPC_PLANE_NON_IP_DROP)
		action = XDP_DROP;
out:
	count_reason(GPC_HOOK_ID_DECAP, reason, 1, frame);
	return action;
}
