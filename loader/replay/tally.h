/* SPDX-License-Identifier: MIT */
/*
 * tally.h: what images did to records, added up: one tally for each image, and the differences of two.
 * Memory is bounded by the images and by GPC_TALLY_FLOWS and GPC_TALLY_CHANGES; what came after is counted
 * together, and said to be.
 */
#ifndef GPC_LOADER_REPLAY_TALLY_H
#define GPC_LOADER_REPLAY_TALLY_H

#include "../../compiler/image/image_file.h"
#include "../sim/sim.h"
#include "record.h"

#define GPC_TALLY_FLOWS 65536u
#define GPC_TALLY_CHANGES 4096u
#define GPC_VERDICTS (GPC_VERDICT_ANSWER + 1)

struct gpc_sum {
	uint64_t packets, bytes;
};

/* What one image did to one record. */
struct gpc_fate {
	enum gpc_verdict verdict;
	enum gpc_reason reason;	/* GPC_REASON_COUNT: no program saw it */
	uint32_t rule;		/* that decided about the packet or, `known`, about its flow; GPC_NONE */
	bool known;		/* of a flow that had been let in: no rule was asked */
	uint32_t would;		/* of an audit policy, GPC_NONE */
	enum gpc_action would_action;
	uint32_t listener, endpoint;	/* GPC_NONE */
	uint32_t mark;
};

struct gpc_rule_sum {
	struct gpc_sum asked, known, would;
};

struct gpc_tally {
	struct gpc_sum all, would, verdicts[GPC_VERDICTS], reasons[GPC_REASON_COUNT + 1];
	struct gpc_rule_sum *rules;	/* by RULE; behind the last: nobody decided */
	struct gpc_sum *listeners, *endpoints;
};
void gpc_tally_init(struct gpc_tally *tally, const struct gpc_image *image);
void gpc_tally_add(struct gpc_tally *tally, const struct gpc_image *image,
		   const struct gpc_record *record, const struct gpc_fate *fate);
void gpc_tally_release(struct gpc_tally *tally);

/* ---- flows ---- */

struct gpc_witness {
	struct gpc_question packet;
	bool ip;
	uint64_t number;	/* of its record */
	struct gpc_fate fate[2];
};

struct gpc_tally_flow {
	struct gpc_flow_name {
		uint64_t address[2][2];	/* sorted */
		uint32_t port[2];
		uint32_t protocol, family;
	} name;
	uint32_t rule[2];	/* that let it in, by image */
	struct gpc_sum differs;
	struct gpc_witness witness;	/* if anything differs: the first */
};

/* Records treated differently that two rules (or the same) decided about alike. */
struct gpc_change {
	struct gpc_change_key {
		uint32_t verdict[2], rule[2], reason[2];
		uint32_t endpoint[2];	/* GPC_NONE unless both forward */
		uint32_t mark[2];
	} key;
	struct gpc_sum sum;
	struct gpc_witness witness;
};

struct gpc_differences {
	struct gpc_sum all, same_by_other_rule;
	struct gpc_change *changes;	/* GPC_TALLY_CHANGES */
	size_t change_count;
	struct gpc_sum other_changes;	/* that found no room */
	struct gpc_tally_flow *flows;	/* hash table of 2 * GPC_TALLY_FLOWS */
	size_t flow_count, flow_differs;
	struct gpc_sum other_flows;	/* differences of flows that found no room, and of what is no IP */
};
void gpc_differences_init(struct gpc_differences *differences);
void gpc_differences_release(struct gpc_differences *differences);

/* The record's flow; NULL: no IP, or there is no room for another. */
struct gpc_tally_flow *gpc_differences_flow(struct gpc_differences *differences,
					    const struct gpc_record *record);

/* `flow` may be NULL. */
void gpc_differences_add(struct gpc_differences *differences, const struct gpc_image *const images[2],
			 const struct gpc_record *record, const struct gpc_fate fate[2],
			 struct gpc_tally_flow *flow);

/* Indexes of changes, or of flows with a difference, most packets first; malloc'ed. */
size_t *gpc_differences_changes(const struct gpc_differences *differences);
size_t *gpc_differences_flows(const struct gpc_differences *differences);

#endif
