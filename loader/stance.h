/* SPDX-License-Identifier: MIT */
/*
 * stance.h: what the policies of a plane do on this host. The first ones that a host gets only count
 * (audit), until somebody says that they shall decide (enforce). In the kernel it is the control
 * word's flag GPC_CTL_AUDIT; each generation records it, so that a reboot neither drops what was only
 * counted nor opens what was closed.
 */
#ifndef GPC_LOADER_STANCE_H
#define GPC_LOADER_STANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "../compiler/image/image_file.h"

enum gpc_stance {
	GPC_STANCE_NONE,	/* the plane has no policies */
	GPC_STANCE_AUDIT,
	GPC_STANCE_ENFORCE,
};

const char *gpc_stance_name(enum gpc_stance stance);	/* "none", "audit", "enforce" */
bool gpc_stance_parse(const char *text, enum gpc_stance *ret);

bool gpc_has_policies(const struct gpc_plane *plane);
/* Of a running plane. */
enum gpc_stance gpc_stance_of(const struct gpc_plane *plane, uint64_t control);
/*
 * Of `plane`, applied after `before`: it stays as it is until somebody says --enforce, and the first policies of a
 * host only count. What gpc plan foretells and what gpc apply does.
 */
enum gpc_stance gpc_stance_after(const struct gpc_plane *plane, enum gpc_stance before, bool enforce);

#endif
