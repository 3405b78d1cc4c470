/* SPDX-License-Identifier: MIT */
/* generation.h: one recorded generation as JSON members. */
#ifndef GPC_LOADER_CMD_GENERATION_H
#define GPC_LOADER_CMD_GENERATION_H

#include <json-c/json.h>

#include "../history/history.h"

struct json_object *gpc_generation_json(const struct gpc_generation *generation, const char *type);

#endif
