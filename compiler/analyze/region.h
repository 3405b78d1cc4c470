/* SPDX-License-Identifier: MIT */
/*
 * region.h: sets of packets as lists of disjoint pieces, for exact answers over unions. A piece is a
 * product: source set, destination set, a range of protocols and of ports, and sets of what `match`
 * sees. Only packets that can exist are in a region: addresses of one family, flags with TCP only, no
 * ports in later fragments and in protocols that have none. Taking a box away from a piece leaves
 * pieces (guillotine cuts); whatever is left is not empty and has a packet to show.
 */
#ifndef GPC_ANALYZE_REGION_H
#define GPC_ANALYZE_REGION_H

#include "../classify/boxes.h"

#define GPC_VLAN_WORDS (GPC_VLAN_NONE / 64 + 1)

struct gpc_piece {
	struct gpc_set source, destination;	/* of one family, not empty */
	struct gpc_service_item item;
	uint64_t dscp;
	const uint64_t *vlans;			/* bitmap of 0..GPC_VLAN_NONE; NULL: all */
	uint16_t tcp_flags;
	uint8_t fragments;
};

/* A stack of pieces. */
struct gpc_region {
	struct gpc_arena *arena;
	GPC_VEC(struct gpc_piece) pieces;
};

/* Puts the packets of a box on the region; they may be in it already. */
void gpc_region_add(struct gpc_region *region, const struct gpc_space *space, const struct gpc_box *box);

/* Takes the last piece away; false if there is none. */
bool gpc_region_pop(struct gpc_region *region, struct gpc_piece *ret);

/* Puts on the region what is left of a piece without a box, and what is common to both. */
void gpc_region_put_minus(struct gpc_region *region, const struct gpc_piece *piece,
			  const struct gpc_space *space, const struct gpc_box *box);
void gpc_region_put_common(struct gpc_region *region, const struct gpc_piece *piece,
			   const struct gpc_space *space, const struct gpc_box *box);

bool gpc_piece_meets(const struct gpc_piece *piece, const struct gpc_space *space,
		     const struct gpc_box *box);

/* A packet of the piece; of TCP one that opens a connection if there is one. */
struct gpc_question gpc_piece_packet(const struct gpc_piece *piece);

/* A packet in one corner of a box: of its first or last addresses, of each family; false if it has none. */
#define GPC_BOX_CORNERS 4u
bool gpc_box_packet(const struct gpc_space *space, const struct gpc_box *box, unsigned int corner,
		    struct gpc_question *ret);

/* Does the box hold the packet? */
bool gpc_box_holds(const struct gpc_space *space, const struct gpc_box *box,
		   const struct gpc_question *question);

#endif
