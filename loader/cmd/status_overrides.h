/* SPDX-License-Identifier: MIT */
/*
 * status_overrides.h: the operating state in `gpc status`: intent, override and observation apart, and what
 * follows from them (SEMANTICS 7). The words in the maps are what packets meet; the journal says who made
 * them so, and why.
 */
#ifndef GPC_LOADER_CMD_STATUS_OVERRIDES_H
#define GPC_LOADER_CMD_STATUS_OVERRIDES_H

#include <json-c/json.h>

#include "status.h"

/* The words of an endpoint and a backend; zero when the plane has none. */
struct gpc_endpoint_state gpc_status_endpoint_state(const struct gpc_status *status, uint32_t index);
struct gpc_backend_state gpc_status_backend_state(const struct gpc_status *status, uint32_t index);
/* Is there anything to be said beside the intent: an override, or an endpoint that is down? */
bool gpc_status_has_overrides(const struct gpc_status *status);
/* Does an endpoint take new flows now? */
bool gpc_status_is_new(const struct gpc_status *status, uint32_t index);

/* "drain", "weight 5", "drain, weight 5", "" of an endpoint by the journal, its backend's state included. */
#define GPC_STATUS_OVERRIDDEN 64
char *gpc_status_overridden(const struct gpc_status *status, uint32_t index,
			    char out[GPC_STATUS_OVERRIDDEN]);
/* "down", "unknown" */
const char *gpc_status_observed(const struct gpc_status *status, uint32_t index);

/*
 * Calls `say` for what needs somebody's attention: backends that nobody takes new flows for, panic, and
 * maps that are not what the journal says.
 */
void gpc_status_check_overrides(struct gpc_status *status,
				void (*say)(struct gpc_status *status, const char *text));

/* The live overrides as a table, after an empty line; nothing if there are none. */
void gpc_status_overrides_text(const struct gpc_status *status);
void gpc_status_overrides_json(const struct gpc_status *status);
/* Adds `state_override`, `weight_override` (or null), `observed`, `takes_new` to an object of an endpoint. */
void gpc_status_override_json(const struct gpc_status *status, uint32_t index,
			      struct json_object *object);

#endif
