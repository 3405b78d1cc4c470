/* SPDX-License-Identifier: MIT */
/* override_text.h: overrides as texts, tables and JSON objects. */
#ifndef GPC_LOADER_CMD_OVERRIDE_TEXT_H
#define GPC_LOADER_CMD_OVERRIDE_TEXT_H

#include <json-c/json.h>

#include "../override/override.h"

#define GPC_OVERRIDE_TEXT 32

/* "drain", "weight 5" */
char *gpc_override_text(const struct gpc_override *override, char out[GPC_OVERRIDE_TEXT]);
/* "29 min" from `now`, "-": as long as nobody ends it */
char *gpc_override_left(const struct gpc_override *override, int64_t now,
			char out[GPC_OVERRIDE_TEXT]);
/* An object of type `override`. */
struct json_object *gpc_override_json(const struct gpc_override *override, int64_t now);

size_t gpc_overrides_live(const struct gpc_overrides *overrides, int64_t now);
/* A table of those that are live, oldest first; `all`: also of those that ended. */
void gpc_overrides_print(const struct gpc_overrides *overrides, int64_t now, bool all);
void gpc_overrides_print_json(const struct gpc_overrides *overrides, int64_t now, bool all);

#endif
