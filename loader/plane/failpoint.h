/* SPDX-License-Identifier: MIT */
/*
 * failpoint.h: places where a test makes gpc die or fail. In gpc itself gpc_failpoint() is an empty
 * weak function; a test build links a strong one (tests/failpoint/armed.c), so no switch of a test
 * exists in what is shipped.
 *
 * PLAN.STEP stands behind each step of swap.c's and plane.c's tables; the others are in the middle of
 * one, named after the module that they are in.
 */
#ifndef GPC_LOADER_PLANE_FAILPOINT_H
#define GPC_LOADER_PLANE_FAILPOINT_H

#include "../fail.h"

#define GPC_FAILPOINTS(X)                                                                          \
	X("first.folder") X("first.load") X("first.pin") X("first.stage") X("first.verify")        \
	X("first.place") X("first.hops") X("first.levers") X("first.flip") X("first.publish") X("first.attach")      \
	X("first.prune")                                                                           \
	X("later.stage") X("later.verify") X("later.place") X("later.hops") X("later.attach")      \
	X("later.flip") X("later.levers") X("later.prune")                                                           \
	X("growth.folder") X("growth.load") X("growth.pin") X("growth.copy") X("growth.keep") X("growth.stage") \
	X("growth.verify") X("growth.place") X("growth.hops") X("growth.levers") X("growth.flip")                     \
	X("growth.publish") X("growth.attach") X("growth.settle") X("growth.prune")                \
	X("same.hops") X("same.attach") X("same.flip") X("same.levers") X("same.prune")                             \
	X("detach.links") X("detach.instances") X("detach.folder")                                 \
	X("pin.one") X("fill.created") X("place.unpinned") X("place.pinned")                       \
	X("attach.created") X("attach.pinned") X("attach.updated") X("prune.one")                  \
	X("remove.renamed") X("retire.instances") X("clear.emptied")                               \
	X("record.prepared") X("record.applied")                                                   \
	X("confirm.flipped") X("confirm.bound") X("outcome.recorded")                            \
	X("states.one") X("override.journaled") X("override.published")

/* 0: go on. Not 0: fail here. Need not return. */
int gpc_failpoint(const char *name);

int gpc_failpoint_fail(struct gpc_failure *failure, const char *name);

#endif
