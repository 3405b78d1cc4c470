/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * fast_new.bpf.h: the short way of gpc_fast() for flows that have no entry and get none, because the budget of new
 * ones is spent: under a flood, or with many flows that are not worth one. The listener's backend is all that is
 * to choose from, and no rate, cookie or chain is asked first.
 */
#ifndef GPC_FAST_NEW_BPF_H
#define GPC_FAST_NEW_BPF_H

#include "forward.bpf.h"

/* What of a listener has to be asked about a new flow by others than its backend's table. */
#define GPC_LISTENER_ASKS (GPC_LISTENER_POOLS | GPC_LISTENER_RATE | GPC_LISTENER_SYN_COOKIES)

/*
 * Would take_budget() give none? Then it is as if it had been asked; else nothing was taken. It shares no code with
 * flow_budget(): split in two, that made the verifier of 6.1 look at 1.7 times as many instructions of gpc_odd.
 */
static __always_inline int budget_spent(const struct gpc_plane *plane, const struct gpc_link_head *link,
					const struct gpc_packet *p, __u64 now)
{
	__u32 which = p->tuple.protocol == IPPROTO_TCP && !tcp_opens(p->tcp_flags) ? GPC_BUDGET_IN_LATER
										    : GPC_BUDGET_IN;
	struct gpc_budget *budget = bpf_map_lookup_elem(&gpc_budget, &which);
	__u64 rate = plane->flow_inserts, cost = link->cpus * GPC_SECOND, elapsed, credit;

	if (!budget || !rate)
		return 1;
	elapsed = now - budget->filled;
	credit = budget->credit + elapsed * rate;
	if (!budget->filled || elapsed > GPC_SECOND * (rate < link->cpus ? link->cpus : 1) ||
	    credit >= cost)
		return 0;
	budget->filled = now;
	budget->credit = credit;
	return 1;
}

/* The endpoint of a plain packet whose flow has no entry and gets none; GPC_NONE: that takes more, or nobody. */
static __always_inline __u32 unentered_endpoint(struct gpc_view view, const struct gpc_plane *plane,
						const struct gpc_link_head *link,
						const struct gpc_packet *p,
						const struct gpc_listener *listener, __u64 now)
{
	if ((listener->flags & GPC_LISTENER_ASKS) | listener->hash ||
	    !budget_spent(plane, link, p, now) || is_active(view, listener->backend))
		return GPC_NONE;
	return gpc_endpoint_by_hash(view, &listener->table[p->family & 1],
				    gpc_flow_hash(plane->hash_seed, &p->tuple, 0));
}

/* As enter_choice() has it of a flow without entry: is it counted as a new one? */
static __always_inline __u32 counts_as_new(const struct gpc_packet *p)
{
	return p->tuple.protocol != IPPROTO_TCP || tcp_opens(p->tcp_flags);
}

#endif
