/* SPDX-License-Identifier: MIT */
/*
 * failpoint.h: places where a test makes gpc die or fail. In gpc itself gpc_failpoint() is an empty
 * weak function; a test build links a strong one (tests/failpoint/armed.c), so no switch of a test
 * exists in what is shipped.
 *
 * The step table of swap.c has a point after every step, named PLAN.STEP; those in the middle of a
 * step are named after their function.
 */
#ifndef GPC_LOADER_PLANE_FAILPOINT_H
#define GPC_LOADER_PLANE_FAILPOINT_H

#include "../fail.h"

/* 0: go on. Not 0: fail here. Need not return. */
int gpc_failpoint(const char *name);

int gpc_failpoint_fail(struct gpc_failure *failure, const char *name);

#endif
