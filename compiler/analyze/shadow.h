/* SPDX-License-Identifier: MIT */
/* shadow.h: rules that can never act, because what stands before them takes all of their packets. */
#ifndef GPC_ANALYZE_SHADOW_H
#define GPC_ANALYZE_SHADOW_H

#include "list.h"

#define GPC_BLOCKERS 8u

enum gpc_shadow_verdict { GPC_RULE_LIVE, GPC_RULE_SHADOWED, GPC_RULE_UNJUDGED };

struct gpc_shadow {
	enum gpc_shadow_verdict verdict;
	struct gpc_question witness;		/* LIVE: a packet that reaches the rule */
	uint32_t blockers[GPC_BLOCKERS];	/* SHADOWED: positions, ascending; the first ones */
	size_t blocker_count;
	bool more_blockers;
};

/* The rule matches some packet (it has boxes). */
struct gpc_shadow gpc_shadow_of(const struct gpc_list *list, uint32_t position);

#endif
