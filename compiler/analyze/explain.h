/* SPDX-License-Identifier: MIT */
/*
 * explain.h: what an image says about one packet on one interface, by the lookups that the kernel runs:
 * built-ins, `protect`, the chain, and for what may pass the listener (SEMANTICS 4 and 8). The packet is
 * taken as the first that is seen of its flow, outside of the `pickup` window, with all rates in credit.
 */
#ifndef GPC_ANALYZE_EXPLAIN_H
#define GPC_ANALYZE_EXPLAIN_H

#include "../image/image_file.h"
#include "gpc/lookup/chain.h"

/* Where a packet is looked at. */
struct gpc_explain_point {
	uint32_t interface;		/* index of INTERFACE */
	enum gpc_direction direction;
	const struct gpc_chain *chain;	/* NULL: the interface has none in this direction */
};

/* The item that takes a device name, or the item written just so. False: none does. */
bool gpc_explain_point(const struct gpc_image *image, const char *interface,
		       enum gpc_direction direction, struct gpc_explain_point *ret);

struct gpc_explanation {
	struct gpc_answer answer;
	enum gpc_action action;	/* of the chain: PASS, ALLOW, DENY, REJECT */
	uint32_t rule;		/* RULE that decides: of a policy, `protect` or a built-in; GPC_NONE */
	uint32_t policy;	/* POLICY of it, GPC_NONE */
	bool mid_stream;	/* asked as TCP in mid-stream of an unknown flow */
	uint32_t would_rule, would_policy;	/* first audit policy that would deny or reject; GPC_NONE */
	enum gpc_action would;
	uint32_t listener;	/* LISTENER that takes it if it may pass, GPC_NONE */
};

/* `audit`: the control word's flag, as after a first apply. */
void gpc_explain(const struct gpc_image *image, const struct gpc_explain_point *point,
		 const struct gpc_question *packet, bool audit, struct gpc_explanation *ret);

/*
 * The line of `explain --batch` with its newline: verdict, policy, rule and, if nobody decided and an
 * audit policy would have, what. Returns its length; `out` has GPC_EXPLAIN_LINE bytes.
 */
#define GPC_EXPLAIN_LINE 192
size_t gpc_explain_line(const struct gpc_image *image, const struct gpc_explanation *explanation,
			char out[GPC_EXPLAIN_LINE]);

#endif
