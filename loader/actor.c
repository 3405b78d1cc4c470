/* SPDX-License-Identifier: MIT */
#include "actor.h"

#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

const char *gpc_actor(void)
{
	const char *sudo = getenv("SUDO_USER");
	const struct passwd *user;

	if (sudo && *sudo)
		return sudo;
	user = getpwuid(getuid());
	return user ? user->pw_name : "unknown";
}
