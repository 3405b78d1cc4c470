/* SPDX-License-Identifier: MIT */
/* banned.h: functions whose use is a compile error. Included on the command line by the build. */
#ifndef GPC_BASE_BANNED_H
#define GPC_BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf strtok gets atoi atol gmtime

#endif
