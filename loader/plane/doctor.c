/* SPDX-License-Identifier: MIT */
#include "plane.h"

int gpc_doctor(const char *bpffs, const struct gpc_image *image, struct gpc_probe **ret,
	       size_t *ret_count, struct gpc_failure *failure)
{
	(void)bpffs, (void)image, (void)ret, (void)ret_count;
	return gpc_fail(failure, GPC_EXIT_FAILED, 0, "doctor is not built yet");
}
