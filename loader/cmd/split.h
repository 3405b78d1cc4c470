/* SPDX-License-Identifier: MIT */
/*
 * split.h: listeners with `split`: each backend's share as written (due) beside the one that it got. New flows
 * are counted by listener and by endpoint. So of one backend that serves other listeners too the share is what
 * the listener's others did not get; of two nobody knows: then that is said, and no number.
 */
#ifndef GPC_LOADER_CMD_SPLIT_H
#define GPC_LOADER_CMD_SPLIT_H

#include <json-c/json.h>

#include "status.h"

/* The backends of a listener: "web"; "canary 10 %, web 90 %" of a split; "-" for the local stack; malloc'ed. */
char *gpc_listener_backends(const struct gpc_image *image, const struct gpc_listener *listener);

/* The rows of all splits; nothing if there is none. */
void gpc_splits_text(const struct gpc_status *status);

/* Adds "split" to the object of a listener, by index, that has one. */
void gpc_split_json(const struct gpc_status *status, uint32_t listener, struct json_object *object);

#endif
