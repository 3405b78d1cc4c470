/* SPDX-License-Identifier: MIT */
/* steps.h: the steps of gpc_lower(), inside lower/ only; in the order of their calls. */
#ifndef GPC_LOWER_STEPS_H
#define GPC_LOWER_STEPS_H

#include "tables.h"

/*
 * NAMES: all names one after another, each with its NUL, in the order plane, listeners, endpoints,
 * backends, interfaces. Fills tables->names, tables->name and the `name` of every record; the other
 * steps leave that alone.
 */
void gpc_lower_names(struct gpc_arena *arena, const struct gpc_model *model, struct gpc_tables *tables);

/* Interfaces, backends, endpoints and the endpoint index. */
bool gpc_lower_objects(struct gpc_diags *diags, const struct gpc_model *model, struct gpc_tables *tables);

/* Maglev tables of the backends and the listeners that refer to them. */
bool gpc_lower_listeners(struct gpc_diags *diags, const struct gpc_model *model, struct gpc_tables *tables);

/* VIP table and choice runs. */
bool gpc_lower_vips(struct gpc_diags *diags, const struct gpc_model *model, struct gpc_tables *tables);

#endif
