/* SPDX-License-Identifier: MIT */
/*
 * vip_ports.h: what the entries of the VIP table say, for the listeners that share a prefix: runs of
 * listeners on disjoint interfaces, and intervals of ports. lower/ only.
 */
#ifndef GPC_LOWER_VIP_PORTS_H
#define GPC_LOWER_VIP_PORTS_H

#include "../model/ways.h"
#include "tables.h"

/* VIP_CHOICE and VIP_PORTS as they grow. */
struct gpc_vip_parts {
	struct gpc_arena *arena;
	GPC_VEC(struct gpc_vip_choice) choices;
	GPC_VEC(struct gpc_vip_ports) ports;
};

/* Listeners for one key; on disjoint interfaces. */
struct gpc_vip_takers {
	struct gpc_vip_choice items[GPC_MAX_INTERFACES];
	uint32_t count;
	uint64_t interfaces;	/* union */
};

void gpc_vip_takers_add(struct gpc_vip_takers *takers, uint32_t listener, uint64_t interfaces);

/* What `listener` of an entry or interval is for them, and its flag GPC_VIP_CHOICE or 0. */
uint32_t gpc_vip_takers_put(struct gpc_vip_parts *parts, const struct gpc_vip_takers *takers,
			    uint8_t *ret_flags);

/*
 * Adds the intervals of ways of one prefix and protocol; fills the entry's `listener` and `ports`. The ways
 * are sorted as gpc_ways; no two of them cross on a shared interface.
 */
void gpc_vip_ports_add(struct gpc_vip_parts *parts, const struct gpc_way *ways, size_t count,
		       struct gpc_vip *vip);

#endif
