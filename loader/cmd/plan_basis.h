/* SPDX-License-Identifier: MIT */
/*
 * plan_basis.h: what a plan was made against: which host, what runs there, what is recorded and what
 * operators have set. All of it decides what an apply does, so a plan holds only while it is the same.
 */
#ifndef GPC_LOADER_CMD_PLAN_BASIS_H
#define GPC_LOADER_CMD_PLAN_BASIS_H

#include "../plane/plane.h"
#include "command.h"

/* As it stands in a file: little-endian, without holes. */
struct gpc_plan_basis {
	uint64_t nonce;		/* of the running plane; all of it zero when none runs */
	uint32_t generation;
	uint32_t sequence;	/* of its control word, as it is once what expired is settled */
	uint8_t decision[32];
	uint8_t running;
	uint8_t stance[2];	/* enum gpc_stance: before, after an apply */
	uint8_t pad;
	uint32_t recorded;	/* newest generation that stands, 0: none */
	char commit[40];	/* of it, in hex */
	uint8_t overrides[32];	/* SHA-256 of those that hold */
	uint8_t host[32];	/* SHA-256 of the machine's id and the places that its plane lies in */
};
_Static_assert(sizeof(struct gpc_plan_basis) == 160, "plan basis");

/* Does it run, or would the next command that settles find that nothing does? */
bool gpc_plan_runs(const struct gpc_plane_status *plane);

int gpc_plan_basis_read(const struct gpc_call *call, const struct gpc_plane_status *plane,
			const struct gpc_image *image, struct gpc_plan_basis *ret,
			struct gpc_failure *failure);
/* CONFLICT, naming what is another, unless both are the same. */
int gpc_plan_basis_compare(const struct gpc_plan_basis *then, const struct gpc_plan_basis *now,
			   struct gpc_failure *failure);

#endif
