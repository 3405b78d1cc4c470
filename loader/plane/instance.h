/* SPDX-License-Identifier: MIT */
/*
 * instance.h: one set of programs and the maps they use, of one size class, pinned in one folder
 * (pin.h). A plane has one; while it grows into a larger class or gets a newer gpc's programs there
 * are two for a moment, which share what can be shared.
 */
#ifndef GPC_LOADER_PLANE_INSTANCE_H
#define GPC_LOADER_PLANE_INSTANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../fail.h"
#include "gpc/abi.h"
#include "percpu.h"
#include "pin.h"

/* X(id, name): the map is gpc_NAME in the object and NAME in the folder. New ones stand last. */
#define GPC_MAPS(X)                                                                                \
	X(CTL, "ctl")                                                                              \
	X(IMAGES, "images")                                                                        \
	X(FLOWS4, "flows4")                                                                        \
	X(FLOWS6, "flows6")                                                                        \
	X(NEXT, "next")                                                                            \
	X(COUNTERS, "counters")                                                                    \
	X(BUDGET, "budget")                                                                        \
	X(RULES, "rules")                                                                          \
	X(RATE, "rate")                                                                            \
	X(LIMITS, "limits")                                                                        \
	X(EVENTS, "events")                                                                        \
	X(CASES, "cases")                                                                          \
	X(REPLIES, "replies")                                                                      \
	X(FRAGMENTS, "fragments")                                                                  \
	X(ENDPOINTS, "endpoints")                                                                  \
	X(BACKENDS, "backends")                                                                    \
	X(CLIENTS, "clients")                                                                      \
	X(PROGRAMS, "programs")                                                                    \
	X(NAT_FRAGMENTS, "nat_fragments")                                                          \
	X(CARRIED, "carried")                                                                      \
	X(CARRIED_RULES, "carried_rules")                                                          \
	X(PROOFS, "proofs")                                                                        \
	X(NAT_SIDES, "nat_sides")                                                                  \
	X(HEADS4, "heads4")                                                                        \
	X(HEADS6, "heads6")                                                                        \
	X(BUSY, "busy")
#define GPC_PROGRAMS(X)                                                                            \
	X(XDP, "xdp")                                                                              \
	X(DECAP, "decap")                                                                          \
	X(TC_INGRESS, "tc_ingress")                                                                \
	X(TC_EGRESS, "tc_egress")                                                                  \
	X(ODD, "odd")                                                                              \
	X(ERROR, "error")                                                                          \
	X(NAT, "nat")                                                                              \
	X(CONSULT, "consult")                                                                      \
	X(SERVE, "serve")                                                                          \
	X(FRAGMENT, "fragment")                                                                    \
	X(ANSWER, "answer")

#define X(id, name) GPC_MAP_##id,
enum gpc_map_id { GPC_MAPS(X) GPC_MAP_COUNT };
#undef X
#define X(id, name) GPC_PROGRAM_##id,
enum gpc_program_id { GPC_PROGRAMS(X) GPC_PROGRAM_COUNT };
#undef X

extern const char *const gpc_map_names[GPC_MAP_COUNT];
extern const char *const gpc_program_names[GPC_PROGRAM_COUNT];

#define GPC_BUILD_TEXT 17	/* 16 hex digits and a NUL */
#define GPC_INSTANCE_NAME 64

/* What stands in the folder's name. */
struct gpc_instance_id {
	uint32_t number, log2;
	char build[GPC_BUILD_TEXT];
};
void gpc_instance_name(const struct gpc_instance_id *id, bool complete, char out[GPC_INSTANCE_NAME]);
bool gpc_instance_parse(const char *name, struct gpc_instance_id *ret);	/* complete ones only */

struct gpc_instance {
	struct gpc_instance_id id;
	char path[GPC_PIN_PATH];	/* of its folder; empty: not pinned yet */
	int map[GPC_MAP_COUNT];
	int program[GPC_PROGRAM_COUNT];
	uint32_t map_id[GPC_MAP_COUNT], program_id[GPC_PROGRAM_COUNT];
	uint32_t entries[GPC_MAP_COUNT];
	uint32_t key_size[GPC_MAP_COUNT], value_size[GPC_MAP_COUNT];
	volatile uint64_t *control;	/* gpc_ctl, mapped */
	volatile struct gpc_next *next;	/* gpc_next, mapped */
	/* gpc_endpoints, gpc_backends, mapped; NULL: an older gpc's has none */
	volatile struct gpc_endpoint_state *endpoints;
	volatile struct gpc_backend_state *backends;
	/* gpc_carried, gpc_carried_rules, mapped; NULL: an older gpc's has none */
	volatile struct gpc_counter *carried;
	volatile struct gpc_rule_counter *carried_rules;
};

void gpc_instance_init(struct gpc_instance *instance);
void gpc_instance_close(struct gpc_instance *instance);

/*
 * Opens all pins of a folder name. HOST when one is missing: somebody removed it. Only of another
 * gpc's instance may maps and programs be missing that came later; their fd is -1, their entries 0.
 */
int gpc_instance_open(const char *bpffs, const char *name, struct gpc_instance *ret,
		      struct gpc_failure *failure);
/* Fills ids, entries and the mappings of an instance whose fds are set. */
int gpc_instance_adopt(struct gpc_instance *instance, struct gpc_failure *failure);
/* Pins everything into a folder of an incomplete instance; gpc_instance_publish() renames it. */
int gpc_instance_pin(struct gpc_instance *instance, const char *bpffs, struct gpc_failure *failure);
int gpc_instance_publish(struct gpc_instance *instance, const char *bpffs,
			 struct gpc_failure *failure);

/* Takes an instance away: renamed first, so that a kill never leaves half of one. */
int gpc_instance_remove(const char *bpffs, const struct gpc_instance_id *id,
			struct gpc_failure *failure);
/* Removes what a kill left of instances that never were complete, or were being removed. */
int gpc_instance_sweep(const char *bpffs, struct gpc_failure *failure);

/* Complete instances of a plane, highest number first. malloc'ed. */
int gpc_instance_list(const char *bpffs, struct gpc_instance_id **ret, size_t *ret_count,
		      struct gpc_failure *failure);

/* A per-CPU map as such. */
struct gpc_percpu gpc_instance_percpu(const struct gpc_instance *instance, enum gpc_map_id id,
				      size_t value_size);

/* The program of a running program's id, GPC_PROGRAM_COUNT if it is none of this instance. */
enum gpc_program_id gpc_instance_program(const struct gpc_instance *instance, uint32_t program_id);

#endif
