/* SPDX-License-Identifier: MIT */
#include "stance.h"

#include <string.h>

#include "gpc/abi.h"

static const char *const names[] = {
	[GPC_STANCE_NONE] = "none",
	[GPC_STANCE_AUDIT] = "audit",
	[GPC_STANCE_ENFORCE] = "enforce",
};

const char *gpc_stance_name(enum gpc_stance stance)
{
	return names[stance];
}

bool gpc_stance_parse(const char *text, enum gpc_stance *ret)
{
	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(text, names[i])) {
			*ret = (enum gpc_stance)i;
			return true;
		}
	return false;
}

bool gpc_has_policies(const struct gpc_plane *plane)
{
	return plane->section[GPC_SEC_POLICY].count > 0;
}

enum gpc_stance gpc_stance_of(const struct gpc_plane *plane, uint64_t control)
{
	if (!gpc_has_policies(plane))
		return GPC_STANCE_NONE;
	return control & GPC_CTL_AUDIT ? GPC_STANCE_AUDIT : GPC_STANCE_ENFORCE;
}

enum gpc_stance gpc_stance_after(const struct gpc_plane *plane, enum gpc_stance before, bool enforce)
{
	if (!gpc_has_policies(plane))
		return GPC_STANCE_NONE;
	if (enforce)
		return GPC_STANCE_ENFORCE;
	return before == GPC_STANCE_NONE ? GPC_STANCE_AUDIT : before;
}
