/* SPDX-License-Identifier: MIT */
/* undo.h: what the last apply of this process did, for gpc_plane_undo(). */
#ifndef GPC_LOADER_PLANE_UNDO_H
#define GPC_LOADER_PLANE_UNDO_H

#include "swap.h"

void gpc_undo_forget(void);
/* Of a swap that has run. */
void gpc_undo_remember(const struct gpc_swap *swap);

#endif
