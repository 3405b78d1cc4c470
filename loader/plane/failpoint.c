/* SPDX-License-Identifier: MIT */
#include "failpoint.h"

__attribute__((weak)) int gpc_failpoint(const char *name)
{
	(void)name;
	return 0;
}

int gpc_failpoint_fail(struct gpc_failure *failure, const char *name)
{
	return gpc_fail(failure, GPC_EXIT_FAILED, 0, "failpoint '%s'", name);
}
