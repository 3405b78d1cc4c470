// SPDX-License-Identifier: MIT
/*
 * walk.c: the programs of bpf/, compiled for this machine. The image lies in a buffer of the largest
 * size class, so that their mask is a constant here, too.
 */
#define GPC_IMAGE_LOG2 26
#define GPC_FLOWS      262144
#include "bpf/gpc.bpf.c"

#include "walk.h"

#define MAP_OF(id, map)                                                                            \
	[id] = {                                                                                   \
		.handle = &(map), .type = sizeof(*(map).type) / sizeof(int),                       \
		.key = sizeof(*(map).key), .value = sizeof(*(map).value),                          \
		.entries = sizeof(*(map).max_entries) / sizeof(int)                                \
	}

const struct gpc_sim_map gpc_sim_maps[GPC_SIM_MAPS] = {
	MAP_OF(GPC_SIM_CTL, gpc_ctl),
	MAP_OF(GPC_SIM_FLOWS4, gpc_flows4),
	MAP_OF(GPC_SIM_FLOWS6, gpc_flows6),
	MAP_OF(GPC_SIM_HEADS4, gpc_heads4),
	MAP_OF(GPC_SIM_HEADS6, gpc_heads6),
	MAP_OF(GPC_SIM_NEXT, gpc_next),
	MAP_OF(GPC_SIM_COUNTERS, gpc_counters),
	MAP_OF(GPC_SIM_BUDGET, gpc_budget),
	MAP_OF(GPC_SIM_RULES, gpc_rules),
	MAP_OF(GPC_SIM_RATE, gpc_rate),
	MAP_OF(GPC_SIM_LIMITS, gpc_limits),
	MAP_OF(GPC_SIM_CASES, gpc_cases),
	MAP_OF(GPC_SIM_REPLIES, gpc_replies),
	MAP_OF(GPC_SIM_FRAGMENTS, gpc_fragments),
	MAP_OF(GPC_SIM_NAT_FRAGMENTS, gpc_nat_fragments),
	MAP_OF(GPC_SIM_NAT_SIDES, gpc_nat_sides),
	MAP_OF(GPC_SIM_ENDPOINTS, gpc_endpoints),
	MAP_OF(GPC_SIM_BACKENDS, gpc_backends),
	MAP_OF(GPC_SIM_CLIENTS, gpc_clients),
	MAP_OF(GPC_SIM_PROOFS, gpc_proofs),
	MAP_OF(GPC_SIM_BUSY, gpc_busy),
	[GPC_SIM_IMAGES] = {.handle = &gpc_images, .type = BPF_MAP_TYPE_ARRAY_OF_MAPS},
	[GPC_SIM_EVENTS] = {.handle = &gpc_events, .type = BPF_MAP_TYPE_RINGBUF},
};

int gpc_sim_tail(struct gpc_sim_context *ctx, unsigned int program)
{
	switch (program) {
	case GPC_TAIL_ODD:
		return gpc_odd(ctx);
	case GPC_TAIL_NAT:
		return gpc_nat(ctx);
	case GPC_TAIL_ERROR:
		return gpc_error(ctx);
	case GPC_TAIL_CONSULT:
		return gpc_consult(ctx);
	case GPC_TAIL_SERVE:
		return gpc_serve(ctx);
	case GPC_TAIL_FRAGMENT:
		return gpc_fragment(ctx);
	default:
		return gpc_answer(ctx);
	}
}

int gpc_sim_run(enum gpc_sim_program program, struct gpc_sim_context *ctx)
{
	switch (program) {
	case GPC_SIM_XDP:
		return gpc_xdp(ctx);
	case GPC_SIM_DECAP:
		return gpc_decap(ctx);
	case GPC_SIM_TC_INGRESS:
		return gpc_tc_ingress(ctx);
	default:
		return gpc_tc_egress(ctx);
	}
}
