/* SPDX-License-Identifier: MIT */
/* pending.h: an apply that waits for its confirmation, as text and as JSON. */
#ifndef GPC_LOADER_CMD_PENDING_H
#define GPC_LOADER_CMD_PENDING_H

#include "../plane/plane.h"

/* "until 14:03:22 UTC (41 s left)" */
#define GPC_LEFT_TEXT 64
char *gpc_left_text(const struct gpc_confirm *confirm, char out[GPC_LEFT_TEXT]);
/* type `pending`: generation, fallback, until, left_ms. */
void gpc_pending_json(const struct gpc_confirm *confirm);

#endif
