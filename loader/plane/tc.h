/* SPDX-License-Identifier: MIT */
/*
 * tc.h: TC hooks on kernels before 6.6, where there are no TCX links: one filter of the clsact qdisc
 * per hook, with a handle and priority of gpc's own. clsact itself is never removed: others may use it.
 */
#ifndef GPC_LOADER_PLANE_TC_H
#define GPC_LOADER_PLANE_TC_H

#include <stdbool.h>
#include <stdint.h>

/* All return 0 or -errno. `egress` picks the hook. */
int gpc_tc_attach(uint32_t ifindex, bool egress, int program);	/* replaces what it was */
int gpc_tc_query(uint32_t ifindex, bool egress, uint32_t *ret_program_id);
int gpc_tc_detach(uint32_t ifindex, bool egress);

#endif
