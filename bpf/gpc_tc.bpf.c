// SPDX-License-Identifier: (MIT OR GPL-2.0-only)
/*
 * gpc_tc_ingress, gpc_tc_egress: what the stack receives and sends. They decide nothing yet but
 * follow the same control word: off, and no image, act here as in XDP.
 *
 * XDP and TC of one packet are two invocations; a swap may fall between them. XDP's metadata names
 * the image that decided, and TC takes it if the control word still names that slot and the image
 * there has that generation and nonce. Otherwise TC takes the slot that its own read gives.
 */
#include <linux/pkt_cls.h>

#include "count.bpf.h"

static __always_inline int slot_is_named(__u64 word, __u32 slot)
{
	return slot == gpc_ctl_active(word) || slot == gpc_ctl_fallback(word) ||
	       slot == gpc_ctl_previous(word);
}

/* Takes over the slot of XDP's metadata; 0 if there is metadata that cannot be believed. */
static __always_inline int adopt_meta(struct __sk_buff *skb, struct gpc_pick *pick)
{
	const struct gpc_meta *meta = (void *)(long)skb->data_meta;
	const struct gpc_link_head *link;
	struct gpc_view view;
	__u32 slot;

	if ((void *)(meta + 1) > (void *)(long)skb->data)
		return 1;
	slot = meta->slot_generation & GPC_CTL_SLOT_MASK;
	if (!slot_is_named(pick->word, slot))
		return 0;
	view = image_of(slot);
	if (!view.base)
		return 0;
	link = gpc_view_link(view);
	if ((__u32)link->nonce != meta->nonce || link->generation != meta->slot_generation >> 3)
		return 0;
	pick->slot = slot;
	return 1;
}

static __always_inline int tc_count(struct __sk_buff *skb, enum gpc_hook hook)
{
	__u32 segments = skb->gso_segs ? skb->gso_segs : 1, reason = GPC_REASON_COUNTED;
	struct gpc_pick pick = pick_slot();
	int action = TC_ACT_UNSPEC;

	if (pick.word & GPC_CTL_OFF) {
		reason = GPC_REASON_OFF;
	} else {
		if (!adopt_meta(skb, &pick))
			reason = GPC_REASON_STALE_META;
		if (!image_of(pick.slot).base) {
			reason = GPC_REASON_ON_FAIL;
			if (gpc_ctl_on_fail(pick.word) == GPC_ON_FAIL_DROP)
				action = TC_ACT_SHOT;
		}
	}
	count_reason(hook, reason, segments, skb->len);
	return action;
}

SEC("tc")
int gpc_tc_ingress(struct __sk_buff *skb)
{
	return tc_count(skb, GPC_HOOK_ID_TC_INGRESS);
}

SEC("tc")
int gpc_tc_egress(struct __sk_buff *skb)
{
	return tc_count(skb, GPC_HOOK_ID_TC_EGRESS);
}
