/* SPDX-License-Identifier: MIT */
/* steps.h: the steps of gpc_lower(), inside lower/ only; in the order of their calls. */
#ifndef GPC_LOWER_STEPS_H
#define GPC_LOWER_STEPS_H

#include "parent.h"
#include "tables.h"

/* Records of RULE: built-ins, `protect` items, the rules and the default of each policy. */
size_t gpc_rule_records(const struct gpc_model *model);

/*
 * NAMES: all names one after another, each with its NUL, in the order plane, listeners, endpoints,
 * backends, interfaces, policies, rules, invariants. Fills tables->names, tables->name and the `name` of every record; the other
 * steps leave that alone.
 */
void gpc_lower_names(struct gpc_arena *arena, const struct gpc_model *model, struct gpc_tables *tables);

/* Interfaces, backends, endpoints and the endpoint index. */
bool gpc_lower_objects(struct gpc_diags *diags, const struct gpc_model *model, struct gpc_tables *tables);

/* QUIC and its hash, from the endpoints. */
bool gpc_lower_quic(struct gpc_diags *diags, struct gpc_tables *tables);

/*
 * POOL without its tables, and what of the listeners follows from it; inside of the next step.
 * ret_ends[i]: the pools of listener i stand before it.
 */
void gpc_lower_pools(struct gpc_arena *arena, const struct gpc_model *model,
		     struct gpc_tables *tables, uint32_t *ret_ends);

/* Maglev tables of the backends, and the pools and listeners that refer to them. */
bool gpc_lower_listeners(struct gpc_diags *diags, const struct gpc_model *model,
			 const struct gpc_parent *parent, struct gpc_tables *tables);

/* VIP table and choice runs. */
bool gpc_lower_vips(struct gpc_diags *diags, const struct gpc_model *model, struct gpc_tables *tables);

/* Policies, rules and chains, but for what the next two steps add. */
void gpc_lower_policies(const struct gpc_model *model, struct gpc_tables *tables);

/* The stamps of the chains. */
void gpc_lower_stamps(struct gpc_arena *arena, const struct gpc_model *model, struct gpc_tables *tables);

/* INVARIANT and its words. */
void gpc_lower_invariants(struct gpc_arena *arena, const struct gpc_model *model,
			  struct gpc_tables *tables);

/* Classifiers, tries and their words. */
bool gpc_lower_classifiers(struct gpc_diags *diags, const struct gpc_model *model,
			   struct gpc_tables *tables);

#endif
