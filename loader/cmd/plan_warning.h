/* SPDX-License-Identifier: MIT */
/*
 * plan_warning.h: what stands between a plan and what it says: an apply that would be refused as things
 * are, packets that do not follow what runs, overrides that would end.
 */
#ifndef GPC_LOADER_CMD_PLAN_WARNING_H
#define GPC_LOADER_CMD_PLAN_WARNING_H

#include "../../compiler/base/arena.h"
#include "../plane/plane.h"
#include "command.h"

struct gpc_plan_warnings {
	GPC_VEC(const char *) texts;
	bool refused; /* one of them says that gpc apply would be refused */
};

/* Texts go into `arena`. `image`: what is to run; `switches`: an apply would change something. */
int gpc_plan_warn(const struct gpc_call *call, const struct gpc_plane_status *plane,
		  const struct gpc_image *image, bool switches, struct gpc_arena *arena,
		  struct gpc_plan_warnings *ret, struct gpc_failure *failure);

/* One more: what else would refuse the apply. */
void gpc_plan_warn_of_refusal(struct gpc_plan_warnings *warnings, struct gpc_arena *arena,
			      const struct gpc_failure *why);

/* Lines, or objects of the type warning. */
void gpc_plan_warnings_text(const struct gpc_plan_warnings *warnings, FILE *out);
void gpc_plan_warnings_json(const struct gpc_plan_warnings *warnings);

#endif
