/* SPDX-License-Identifier: MIT */
#include "command.h"

const char *gpc_exit_meaning(enum gpc_exit code)
{
	switch (code) {
#define X(id, number, meaning)                                                                     \
	case GPC_EXIT_##id:                                                                        \
		return meaning;
		GPC_EXITS(X)
#undef X
	}
	return "unknown";
}
