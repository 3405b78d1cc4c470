/* SPDX-License-Identifier: MIT */
/*
 * port_tree.h: range records that are too many for one list -> a tree of tests of ports and protocols, each
 * leaf of which names the few records that meet in its part of the line.
 */
#ifndef GPC_CLASSIFY_PORT_TREE_H
#define GPC_CLASSIFY_PORT_TREE_H

#include "words.h"

enum { GPC_PORT_TREE_SOURCE, GPC_PORT_TREE_DESTINATION, GPC_PORT_TREE_PROTOCOL, GPC_PORT_TREE_FIELDS };

struct gpc_port_box {
	uint32_t least[GPC_PORT_TREE_FIELDS], most[GPC_PORT_TREE_FIELDS];	/* inclusive */
	uint32_t name;		/* of its record */
	bool always;		/* it asks nothing besides */
};

/* What stands in a cell, or in half a pair of nodes. */
struct gpc_port_node {
	uint32_t test, next;
};

/* Boxes ascending in position; *ret_depth: most tests one behind the other. False: the tree would be deeper than a lookup goes. */
bool gpc_port_tree_build(struct gpc_arena *scratch, struct gpc_words *words, const struct gpc_port_box *boxes,
			 uint32_t count, struct gpc_port_node *ret, uint32_t *ret_depth);

#endif
