/* SPDX-License-Identifier: MIT */
/*
 * service.h: what a rule asks about a packet besides its addresses: protocols, ports, ICMP types and
 * `match`. The port domain is 0..65536; 65536 (GPC_PORT_NONE) is that of packets without ports, so a
 * range that ends at 65536 is "any port, or none". ICMP type and code are the destination port.
 */
#ifndef GPC_CLASSIFY_SERVICE_H
#define GPC_CLASSIFY_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/arena.h"
#include "gpc/lookup/question.h"

struct gpc_port_range {
	uint32_t first, last;		/* inclusive, 0..65536 */
};
#define GPC_ANY_PORT ((struct gpc_port_range){0, GPC_PORT_NONE})

/* One box: a range of protocols, source ports, destination ports. */
struct gpc_service_item {
	uint8_t protocol_first, protocol_last;
	struct gpc_port_range source, destination;
};

#define GPC_VLAN_ANY 0xffffu
#define GPC_MATCH_ANY ((struct gpc_match){UINT64_MAX, 0xffff, GPC_VLAN_ANY, 7})
struct gpc_match {
	uint64_t dscp;		/* bit d: that DSCP matches */
	uint16_t tcp_flags;	/* bit f: that combination of GPC_ASK_* matches (f = 0 for what is not TCP) */
	uint16_t vlan;		/* 0..4095, GPC_VLAN_NONE, GPC_VLAN_ANY */
	uint8_t fragments;	/* bit of enum gpc_fragment */
};

/*
 * Union of items, and all of `match`. A rule with tcp-flags has items of TCP only; one with ports has
 * none that match a later fragment unless the item names no port.
 */
struct gpc_service {
	const struct gpc_service_item *items;
	size_t count;
	struct gpc_match match;
};

bool gpc_service_matches(const struct gpc_service *service, const struct gpc_question *question);
bool gpc_service_equal(const struct gpc_service *a, const struct gpc_service *b);

#endif
