/* SPDX-License-Identifier: MIT */
/*
 * hop.h: from an address to the neighbour that a frame for it goes to: routing table, then
 * neighbour table of this namespace. Neighbours that the kernel does not know yet are asked for,
 * and waited for as long as the caller allows, all together.
 */
#ifndef GPC_LOADER_LINK_HOP_H
#define GPC_LOADER_LINK_HOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../compiler/base/ip.h"
#include "netlink.h"

enum gpc_hop_state {
	GPC_HOP_KNOWN,	    /* ifindex, source and mac are set */
	GPC_HOP_UNANSWERED, /* routed, but the neighbour does not answer (yet) */
	GPC_HOP_UNROUTED,   /* `error` says why */
	GPC_HOP_LOCAL,	    /* an address of this host */
	GPC_HOP_REFUSED,    /* blackhole, unreachable, prohibit, multicast */
};

struct gpc_hop {
	struct gpc_ip target; /* in */
	bool wait;	      /* in: worth waiting for */
	enum gpc_hop_state state;
	int error;
	uint32_t ifindex;
	struct gpc_ip via;    /* the target itself, or its gateway (of either family) */
	struct gpc_ip source; /* preferred source address of the route, :: if unknown */
	uint8_t mac[6];
};

/* Resolves all; waits at most `wait_ms` for neighbours of hops with `wait`, or until interrupted.
 */
int gpc_hops_resolve(struct gpc_netlink *netlink, struct gpc_hop *hops, size_t count,
		     unsigned int wait_ms, struct gpc_failure *failure);

/* "no route: Network is unreachable"; lives in `out`. */
const char *gpc_hop_explain(const struct gpc_hop *hop, char *out, size_t size);

#endif
