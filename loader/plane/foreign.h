/* SPDX-License-Identifier: MIT */
/*
 * foreign.h: XDP programs that hang where ours is wanted and are none of this plane's. One that gpc
 * loaded belongs to a plane that cannot be seen from here: its bpffs is hidden or GPC_BPFFS is wrong.
 */
#ifndef GPC_LOADER_PLANE_FOREIGN_H
#define GPC_LOADER_PLANE_FOREIGN_H

#include <stddef.h>
#include <stdint.h>

#include "../fail.h"

#define GPC_FOREIGN_TEXT 128

struct gpc_foreign {
	char what[GPC_FOREIGN_TEXT];	/* "XDP program of somebody else: id 12 'filter'" */
	char fix[256];			/* a command */
};

/* `program`: its id, 0 if that is not known. The name can be asked for by root only. */
void gpc_foreign_describe(const char *device, uint32_t program, struct gpc_foreign *ret);

/* HOST, saying so. Returns -1. */
int gpc_foreign_refuse(const char *device, uint32_t program, struct gpc_failure *failure);

#endif
