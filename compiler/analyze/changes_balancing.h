/* SPDX-License-Identifier: MIT */
/* changes_balancing.h: what differs in listeners, backends and endpoints, as their records say. */
#ifndef GPC_LOADER_HISTORY_CHANGES_BALANCING_H
#define GPC_LOADER_HISTORY_CHANGES_BALANCING_H

#include "change_text.h"

/* But for the addresses and interfaces, which stand in the VIP entries. */
void gpc_changes_listener_differ(const struct gpc_image *before, const struct gpc_listener *a,
				 const struct gpc_image *after, const struct gpc_listener *b,
				 struct gpc_change_text *out);
/* Its addresses and interfaces. */
void gpc_changes_listener_places(const struct gpc_image *before, const struct gpc_listener *a,
				 const struct gpc_image *after, const struct gpc_listener *b,
				 struct gpc_change_text *out);
void gpc_changes_backend_differ(const struct gpc_image *before, const struct gpc_backend *a,
				const struct gpc_image *after, const struct gpc_backend *b,
				struct gpc_change_text *out);
void gpc_changes_endpoint_differ(const struct gpc_endpoint *a, const struct gpc_endpoint *b,
				 struct gpc_change_text *out);

#endif
