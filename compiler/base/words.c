/* SPDX-License-Identifier: MIT */
#include "words.h"

#include <stddef.h>

#include "gpc/image.h"

static const char *name_in(const char *const *names, size_t count, unsigned int value)
{
	return value < count ? names[value] : "?";
}
#define NAME_IN(names, value) name_in((names), sizeof(names) / sizeof((names)[0]), (value))

const char *gpc_action_name(unsigned int action)
{
	static const char *const names[] = {
		[GPC_ACTION_PASS] = "pass",	[GPC_ACTION_ALLOW] = "allow",
		[GPC_ACTION_DENY] = "deny",	[GPC_ACTION_REJECT] = "reject",
		[GPC_ACTION_LOG] = "log",	[GPC_ACTION_MARK] = "mark",
	};

	return NAME_IN(names, action);
}

const char *gpc_direction_name(unsigned int direction)
{
	static const char *const names[] = {[GPC_INGRESS] = "ingress", [GPC_EGRESS] = "egress"};

	return NAME_IN(names, direction);
}

const char *gpc_builtin_action_name(unsigned int action)
{
	static const char *const names[] = {
		[GPC_BUILTIN_ALLOW] = "allow",
		[GPC_BUILTIN_DENY] = "deny",
		[GPC_BUILTIN_RULES] = "rules",
	};

	return NAME_IN(names, action);
}
