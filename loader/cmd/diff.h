/* SPDX-License-Identifier: MIT */
/* diff.h: what `gpc diff` and `gpc plan` say about two images: as text, JSON and Markdown. */
#ifndef GPC_LOADER_CMD_DIFF_H
#define GPC_LOADER_CMD_DIFF_H

#include <json-c/json.h>

#include "../../compiler/analyze/diff.h"
#include "command.h"

struct gpc_diff_view {
	const struct gpc_call *call;
	struct gpc_arena *arena;
	const struct gpc_image *images[2];
	const char *names[2];
	struct gpc_diff diff;
	bool all;	/* everything, else what fits on a screen */
};

/* "3 spaces newly allowed, 1 newly denied; 1 listener changed; 12 slots move", in the arena. */
const char *gpc_diff_summary(const struct gpc_diff_view *view);

/* The table of what differs; nothing if nothing does. */
void gpc_diff_text(const struct gpc_diff_view *view, FILE *out);
/* Objects of the types space, change, pool and warning, and members of the result. */
void gpc_diff_json(const struct gpc_diff_view *view, struct json_object *result);
/* For a pull request: nothing that a name holds is taken for markup. */
void gpc_diff_markdown(const struct gpc_diff_view *view, FILE *out);

/* ---- what the three share; texts are in the arena ---- */

/* "wan0 ingress, lan* ingress" */
const char *gpc_diff_places(const struct gpc_diff_view *view, const struct gpc_diff_space *space);
/* "tcp/443, udp/53"; of more than `most` (0: all) the rest is counted. */
const char *gpc_diff_services_text(const struct gpc_diff_view *view,
				   const struct gpc_diff_space *space, size_t most);
/* "denied by the default of policy edge (edge.yaml:12:3)", of the witness. */
const char *gpc_diff_decision(const struct gpc_diff_view *view, const struct gpc_diff_space *space,
			      unsigned int image);
/* "listener http: 192.0.2.10 TCP 80 -> web (ipip)"; false for what the spaces and pools say already. */
bool gpc_diff_change_shown(const struct gpc_diff_view *view, const struct gpc_change *change);
const char *gpc_diff_change_text(const struct gpc_diff_view *view, const struct gpc_change *change);
/* "12 of 509 slots (2.4 %), the least is 3" */
const char *gpc_diff_pool_text(const struct gpc_diff_view *view, const struct gpc_diff_pool *pool);
/* "web-1 33.2 -> 25.0 %", and whether it changed at all */
const char *gpc_diff_share_text(const struct gpc_diff_view *view, const struct gpc_diff_pool *pool,
				const struct gpc_diff_share *share);
bool gpc_diff_share_changed(const struct gpc_diff_pool *pool, const struct gpc_diff_share *share);

#endif
