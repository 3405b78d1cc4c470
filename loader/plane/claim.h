/* SPDX-License-Identifier: MIT */
/*
 * claim.h: one gpc at a time changes the plane of a bpffs folder. The lock (lock.h) belongs to the
 * state folder; two gpc's with different ones may still name the same plane. The claim is flock(2) on
 * the plane's folder itself, so it ends with the process.
 */
#ifndef GPC_LOADER_PLANE_CLAIM_H
#define GPC_LOADER_PLANE_CLAIM_H

#include <stdbool.h>

#include "../fail.h"
#include "pin.h"

struct gpc_claim {
	int fd;
	bool made;			/* the folder was made for the claim */
	char path[GPC_PIN_PATH];
};

#define GPC_CLAIM_NONE ((struct gpc_claim){.fd = -1})

/*
 * Never waits. A folder that is not there is made, or with `make` false is not claimed, which is no
 * failure. CONFLICT when another gpc has it; else the failures of gpc_pin_check().
 */
int gpc_claim_take(const char *bpffs, bool make, struct gpc_claim *ret,
		   struct gpc_failure *failure);
/* Removes a folder that was made for the claim, if nothing came into it. */
void gpc_claim_release(struct gpc_claim *claim);

#endif
