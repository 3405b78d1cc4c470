/* SPDX-License-Identifier: MIT */
/* plan.h: what an apply would mean on this host, beside what it means for packets (diff.h). */
#ifndef GPC_LOADER_CMD_PLAN_H
#define GPC_LOADER_CMD_PLAN_H

#include <json-c/json.h>

#include "../plane/plane.h"
#include "../stance.h"
#include "command.h"
#include "plan_basis.h"

struct gpc_plan_host {
	bool running;
	uint32_t generation;	/* that runs */
	enum gpc_stance stance[2];	/* before, after */
	bool has_flows;
	bool flows_complete;	/* else: at least so many */
	uint64_t flows;		/* live ones */
	uint64_t moved;		/* of an endpoint that is gone, or in maint */
	uint64_t asked;		/* again: a chain that let them through means something else now */
	uint64_t revoked;	/* of these, at their next packet */
	struct gpc_guard_report guard;
	bool guarded;		/* policies stand in the image: somebody asked */
	uint64_t memory[2];	/* bytes of the image without its provenance */
	uint32_t size_class[2];	/* log2 */
	uint32_t loads[2];	/* worst dependent loads */
	bool flows_resized;	/* apply refuses that */
};

/* `basis`: of `plane`, for `image`. */
int gpc_plan_look(const struct gpc_plane_status *plane, const struct gpc_plan_basis *basis,
		  const struct gpc_image *image, struct gpc_plan_host *ret,
		  struct gpc_failure *failure);
void gpc_plan_host_release(struct gpc_plan_host *host);

/*
 * Nanoseconds that a packet takes that asks the policies and finds its listener: with the image in the
 * nearest cache, and with each load from memory. docs/PERFORMANCE.md says what it is made of.
 */
void gpc_plan_estimate(uint32_t loads, unsigned int *ret_hot, unsigned int *ret_cold);

void gpc_plan_host_text(const struct gpc_plan_host *host, FILE *out);
void gpc_plan_host_json(const struct gpc_plan_host *host);

#endif
