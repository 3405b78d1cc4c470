/* SPDX-License-Identifier: MIT */
/*
 * walk.h: what walk.c has of the programs: entry points, and the shapes of their maps.
 */
#ifndef GPC_LOADER_SIM_WALK_H
#define GPC_LOADER_SIM_WALK_H

#include <stdint.h>

struct gpc_sim_context; /* shim/bpf/bpf_helpers.h */

enum gpc_sim_map_id {
	GPC_SIM_CTL,
	GPC_SIM_IMAGES,
	GPC_SIM_FLOWS4,
	GPC_SIM_FLOWS6,
	GPC_SIM_HEADS4,
	GPC_SIM_HEADS6,
	GPC_SIM_NEXT,
	GPC_SIM_COUNTERS,
	GPC_SIM_BUDGET,
	GPC_SIM_RULES,
	GPC_SIM_RATE,
	GPC_SIM_LIMITS,
	GPC_SIM_EVENTS,
	GPC_SIM_CASES,
	GPC_SIM_REPLIES,
	GPC_SIM_FRAGMENTS,
	GPC_SIM_NAT_FRAGMENTS,
	GPC_SIM_NAT_SIDES,
	GPC_SIM_ENDPOINTS,
	GPC_SIM_BACKENDS,
	GPC_SIM_CLIENTS,
	GPC_SIM_PROOFS,
	GPC_SIM_BUSY,
	GPC_SIM_MAPS
};

struct gpc_sim_map {
	const void *handle;	/* what the programs call the map by */
	uint32_t type;		/* enum bpf_map_type */
	uint32_t key, value;	/* bytes */
	uint32_t entries;	/* unless gpc_sim_map_make() says otherwise */
};
extern const struct gpc_sim_map gpc_sim_maps[GPC_SIM_MAPS];

enum gpc_sim_program { GPC_SIM_XDP, GPC_SIM_DECAP, GPC_SIM_TC_INGRESS, GPC_SIM_TC_EGRESS };

/* The program's action. */
int gpc_sim_run(enum gpc_sim_program program, struct gpc_sim_context *ctx);

#endif
