/* SPDX-License-Identifier: MIT */
#include "command.h"

#include <string.h>

const struct gpc_command *const gpc_commands[] = {
#define X(name) &gpc_command_##name,
	GPC_COMMANDS(X)
#undef X
};
const size_t gpc_command_count = sizeof(gpc_commands) / sizeof(gpc_commands[0]);

const struct gpc_command *gpc_command_find(const char *name)
{
	for (size_t i = 0; i < gpc_command_count; i++)
		if (!strcmp(gpc_commands[i]->name, name))
			return gpc_commands[i];
	return NULL;
}
