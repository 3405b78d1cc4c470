/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * slot.bpf.h: which image decides about a packet. pick_slot() holds the only read of the control
 * word of an invocation, image_of() the only lookup in gpc_images. Rule R makes every later
 * image_of() of the same slot within the invocation the same image.
 */
#ifndef GPC_SLOT_BPF_H
#define GPC_SLOT_BPF_H

#include "maps.bpf.h"
#include "gpc/lookup/device.h"
#include "gpc/lookup/endpoint.h"

#define READ_ONCE(x) (*(volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile typeof(x) *)&(x) = (v))
#define unlikely(x) __builtin_expect(!!(x), 0)
#define likely(x) __builtin_expect(!!(x), 1)

/* Hides from the compiler where a value comes from: it must not narrow or branch on its way there.
 */
#define opaque(x) asm volatile("" : "+r"(x))

struct gpc_pick {
	__u64 word; /* the control word as it means now */
	__u32 slot;
};

static __always_inline struct gpc_pick pick_slot(void)
{
	__u32 zero = GPC_CTL_WORD;
	const __u64 *control = bpf_map_lookup_elem(&gpc_ctl, &zero);
	struct gpc_pick pick = {};
	__u64 deadline;

	if (!control)
		return pick;
	pick.word = READ_ONCE(*control);
	deadline = gpc_ctl_deadline(pick.word);
	if (unlikely(deadline) &&
	    bpf_ktime_get_coarse_ns() >> GPC_CTL_DEADLINE_UNIT_SHIFT >= deadline)
		pick.word = gpc_ctl_expired(pick.word);
	pick.slot = gpc_ctl_active(pick.word);
	return pick;
}

/* The coarse ktime of a jiffy: the kernel moves it with each, and it takes a call to ask for it. */
struct gpc_clock {
	__u64 jiffies, now;
};

static __always_inline __u64 clock_now(struct gpc_clock *clock)
{
	__u64 jiffies = bpf_jiffies64();

	if (unlikely(jiffies != clock->jiffies)) {
		clock->jiffies = jiffies;
		clock->now = bpf_ktime_get_coarse_ns();
	}
	return clock->now;
}

/* When the flow tables were made, coarse ktime; 0: not known. Not the control word: see pick_slot(). */
static __always_inline __u64 flows_since(void)
{
	__u32 key = GPC_CTL_FLOWS_SINCE;
	const __u64 *since = bpf_map_lookup_elem(&gpc_ctl, &key);

	return since ? READ_ONCE(*since) : 0;
}

/* The image of a slot; base is NULL if there is none or if it was never linked to this host. */
static __always_inline struct gpc_view image_of(__u32 slot)
{
	struct gpc_view view = {.slot = slot};
	__u32 zero = 0;
	void *inner = bpf_map_lookup_elem(&gpc_images, &slot);

	if (inner)
		view.base = bpf_map_lookup_elem(inner, &zero);
	if (view.base && unlikely(gpc_view_link(view)->magic != GPC_LINK_MAGIC))
		view.base = 0;
	return view;
}

#endif
