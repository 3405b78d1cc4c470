/* SPDX-License-Identifier: MIT */
/*
 * yaml.h: text -> node trees. The only module that includes libyaml. Event API only; limits
 * (limits.h) are enforced as events arrive, so hostile input ends in bounded time and memory.
 *
 * Refused, each with its code: anchors, aliases, merge keys, tags, duplicate keys, keys that are
 * not scalars, tabs in indentation, NUL, bad UTF-8, UTF-16, nodes/depth/scalars past the limits.
 */
#ifndef GPC_SYNTAX_YAML_H
#define GPC_SYNTAX_YAML_H

#include "node.h"

struct gpc_documents {
	struct gpc_node **roots;	/* one per YAML document, empty documents left out */
	size_t count;
};

/*
 * Parses source number `source`. False if an error was added; ret_documents is then what parsed. Nodes
 * live in `tree`, and may go before the rest of the compilation; texts and keys live in the arena of
 * diags.
 */
bool gpc_yaml_parse(struct gpc_diags *diags, struct gpc_arena *tree, uint32_t source,
		    struct gpc_documents *ret_documents);

#endif
