/* SPDX-License-Identifier: MIT */
/* flow_fill.h: how full the flow tables are, as status and stats say it. */
#ifndef GPC_LOADER_CMD_FLOW_FILL_H
#define GPC_LOADER_CMD_FLOW_FILL_H

#include "../plane/plane.h"

#define GPC_FLOWS_MS 2000u	/* that a command takes to count them */

const char *gpc_family_name(enum gpc_family family);	/* "v4", "v6" */
const char *gpc_flow_state_name(enum gpc_flow_state state);
/* Of all states. */
uint64_t gpc_flow_fill_active(const struct gpc_flow_fill *fill);

/* A grid on stdout; one object of type `flows` a family. */
void gpc_flows_text(const struct gpc_flows *flows);
void gpc_flows_json(const struct gpc_flows *flows);

#endif
