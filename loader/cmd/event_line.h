/* SPDX-License-Identifier: MIT */
/* event_line.h: an event as a line for people and as a JSON object. */
#ifndef GPC_LOADER_CMD_EVENT_LINE_H
#define GPC_LOADER_CMD_EVENT_LINE_H

#include <json-c/json.h>
#include <stdio.h>

#include "gpc/abi.h"

/* X(id, name): enum gpc_event_type as users write it. */
#define GPC_EVENT_TYPES(X)                                                                         \
	X(FLOW, "flow")                                                                            \
	X(DENY, "deny")                                                                            \
	X(WOULD_DENY, "would-deny")                                                                \
	X(LOG, "log")                                                                              \
	X(REVOKED, "revoked")

const char *gpc_event_type_name(unsigned int type);
/* GPC_EVENT_COUNT if there is none of this name. */
enum gpc_event_type gpc_event_type_parse(const char *name, size_t length);

/* What an event's ids mean; texts that are not known are NULL. */
struct gpc_event_names {
	int64_t seconds; /* wall clock */
	uint32_t milliseconds;
	const char *device, *policy, *rule, *place;
};

void gpc_event_print(const struct gpc_event *event, const struct gpc_event_names *names, FILE *out);
struct json_object *gpc_event_json(const struct gpc_event *event,
				   const struct gpc_event_names *names);

#endif
