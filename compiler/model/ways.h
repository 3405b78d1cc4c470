/* SPDX-License-Identifier: MIT */
/*
 * ways.h: the ways to the listeners of a plane, as one sorted list: a listener has one for each of its
 * prefixes. Which way takes a packet is SEMANTICS 6.1; this says which ones stand beside each other.
 */
#ifndef GPC_MODEL_WAYS_H
#define GPC_MODEL_WAYS_H

#include "model.h"

struct gpc_way {
	struct gpc_ip ip;			/* host bits are zero */
	uint8_t length;				/* of 128 bits: that of the mapped prefix for v4 */
	uint8_t protocol;
	uint16_t first, last;			/* ports */
	uint32_t listener;
	uint64_t interfaces;
	const struct gpc_prefix_value *address;	/* as written */
};

/* By prefix (bytes, then length), protocol, first port, last port downwards, listener. */
struct gpc_ways {
	struct gpc_way *items;
	size_t count;
};

struct gpc_ways gpc_ways_list(struct gpc_arena *arena, const struct gpc_model *model);

/* The same prefix? And the same protocol? */
bool gpc_way_same_prefix(const struct gpc_way *a, const struct gpc_way *b);
bool gpc_way_same_group(const struct gpc_way *a, const struct gpc_way *b);

/* Where the group of the way that stands at `start` ends: ways of one prefix and protocol. */
size_t gpc_ways_group_end(const struct gpc_ways *ways, size_t start);

/* The ways of the group with this prefix, cut to `length` bits, and protocol; *ret_count may be 0. */
const struct gpc_way *gpc_ways_covering(const struct gpc_ways *ways, const struct gpc_way *of,
					uint8_t length, size_t *ret_count);

/* The first way whose prefix is the address, cut to `length` bits; NULL if there is none. */
const struct gpc_way *gpc_ways_holding(const struct gpc_ways *ways, const struct gpc_ip *ip,
				       uint8_t length);

/* Different lengths of prefixes by family, longest first. Returns how many. */
size_t gpc_ways_lengths(const struct gpc_ways *ways, enum gpc_family family, uint8_t ret_lengths[129]);

/* "203.0.113.0/24 TCP 80-90" into `out`, which has GPC_WAY_TEXT bytes; returns out. */
#define GPC_WAY_TEXT (GPC_PREFIX_TEXT + 32)
char *gpc_way_format(const struct gpc_way *way, char *out);

#endif
