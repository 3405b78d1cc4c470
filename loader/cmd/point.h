/* SPDX-License-Identifier: MIT */
/* point.h: the packet that a command is asked about, and where it is: --in IF, --out IF. */
#ifndef GPC_LOADER_CMD_POINT_H
#define GPC_LOADER_CMD_POINT_H

#include "../../compiler/analyze/explain.h"
#include "command.h"

#define GPC_OPTION_IN                                                                              \
	{                                                                                          \
		0, "in", "IF", "the packet arrives by this device or interface"                    \
	}
#define GPC_OPTION_OUT                                                                             \
	{                                                                                          \
		0, "out", "IF", "the packet leaves by it"                                          \
	}

/* Without either option the only interface there is, or with a chain. USAGE when there is none such. */
int gpc_point_find(const struct gpc_call *call, const struct gpc_image *image,
		   struct gpc_explain_point *ret, const char **ret_interface,
		   struct gpc_failure *failure);

/* INVALID with the column when the text is no packet. */
int gpc_point_packet(const char *text, struct gpc_question *ret, struct gpc_failure *failure);

#endif
