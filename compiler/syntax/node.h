/* SPDX-License-Identifier: MIT */
/*
 * node.h: the node tree, a YAML document with a place on every node and nothing else. No scalar is
 * typed here: the schema does that.
 */
#ifndef GPC_SYNTAX_NODE_H
#define GPC_SYNTAX_NODE_H

#include "../diag/diag.h"

enum gpc_node_kind { GPC_NODE_SCALAR, GPC_NODE_MAP, GPC_NODE_LIST };

struct gpc_node;
struct gpc_pair {
	const char *key;
	struct gpc_node *value;
	struct gpc_place key_place;
	uint32_t key_size;
};

struct gpc_node {
	struct gpc_place place;		/* scalar: its text; collection: its first line */
	enum gpc_node_kind kind : 8;
	bool quoted : 1;		/* scalar in quotes or a block scalar */
	union {
		struct {
			const char *text;	/* NUL-terminated; no NUL inside */
			size_t size;
		} scalar;
		struct {
			struct gpc_pair *pairs;
			size_t count;
		} map;
		struct {
			struct gpc_node **items;
			size_t count;
		} list;
	};
};

#endif
