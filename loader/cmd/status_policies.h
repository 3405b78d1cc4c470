/* SPDX-License-Identifier: MIT */
/*
 * status_policies.h: the part of `gpc status` that is about policies: what they do on this host, what
 * they would have denied, which rules were hit, and which are past their day.
 */
#ifndef GPC_LOADER_CMD_STATUS_POLICIES_H
#define GPC_LOADER_CMD_STATUS_POLICIES_H

#include "status.h"

/* Rules whose `expires` is past and that decide all the same. malloc'ed texts, at most `max`. */
size_t gpc_expired_rules(const struct gpc_image *image, char **ret_texts, size_t max);

void gpc_status_policies_text(const struct gpc_call *call, const struct gpc_status *status);
void gpc_status_policies_json(const struct gpc_status *status);

#endif
