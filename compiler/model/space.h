/* SPDX-License-Identifier: MIT */
/*
 * space.h: collects the sets and services of all rules, each distinct one once (inside model/ only).
 * Number 0 is the set of every address. Unions are remembered by the numbers that they are made of,
 * so that a thousand rules with one selector pay for it once.
 *
 * What all sets may hold together is limited (GPC_MAX_SET_RANGES): past it `full` is set, every
 * further set is number 0, and whoever sees it first says so.
 */
#ifndef GPC_MODEL_SPACE_H
#define GPC_MODEL_SPACE_H

#include "../classify/boxes.h"
#include "intern.h"

struct gpc_space_union {
	const uint32_t *parts;
	size_t count;
	uint32_t set;
};

struct gpc_space_prefix {
	struct gpc_prefix prefix;
	uint32_t set;
};

struct gpc_space_builder {
	struct gpc_arena *arena;
	GPC_VEC(struct gpc_set) sets;
	GPC_VEC(uint8_t) families;	/* of each set: bits of enum gpc_family */
	GPC_VEC(struct gpc_service) services;
	GPC_VEC(struct gpc_space_union) unions;
	GPC_VEC(struct gpc_space_prefix) prefixes;
	struct gpc_intern set_index, service_index, union_index, prefix_index;
	struct gpc_set v4;
	size_t ranges;			/* of all sets made */
	bool full;
};

void gpc_space_init(struct gpc_space_builder *builder, struct gpc_arena *arena);

/* The number of the set. It is kept as it is, not copied. */
uint32_t gpc_space_set(struct gpc_space_builder *builder, struct gpc_set set);
uint32_t gpc_space_prefix(struct gpc_space_builder *builder, const struct gpc_prefix *prefix);
/* Of sets by their numbers, at least one; sorts `parts`. */
uint32_t gpc_space_union(struct gpc_space_builder *builder, uint32_t *parts, size_t count);

/* The number of the service; its items are copied if they are new. */
uint32_t gpc_space_service(struct gpc_space_builder *builder, const struct gpc_service *service);

/* Room for `ranges` more; false, and `full`, if there is none. */
bool gpc_space_spend(struct gpc_space_builder *builder, size_t ranges);

#endif
