/* SPDX-License-Identifier: MIT */
/*
 * The failpoints of build/failpoints/gpc, armed by the environment:
 *
 *   GPC_FAILPOINT=NAME[:kill|:error[:N]]	at the N-th time (the first) that NAME is reached
 *   GPC_FAILPOINT=list			prints all names and ends
 *   GPC_FAILPOINT=passed:FILE		appends each name that is reached to FILE, and goes on
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../loader/plane/failpoint.h"

static const char *const names[] = {
#define X(name) name,
	GPC_FAILPOINTS(X)
#undef X
};

static char armed[64];
static const char *passed;
static int fails;
static unsigned int countdown;

static int is_name(const char *name)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(names[i], name))
			return 1;
	return 0;
}

__attribute__((constructor)) static void arm(void)
{
	const char *text = getenv("GPC_FAILPOINT");
	char action[8] = "kill";

	if (!text || !*text)
		return;
	if (!strcmp(text, "list")) {
		for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
			puts(names[i]);
		exit(0);
	}
	if (!strncmp(text, "passed:", strlen("passed:"))) {
		passed = text + strlen("passed:");
		return;
	}
	countdown = 1;
	(void)sscanf(text, "%63[^:]:%7[^:]:%u", armed, action, &countdown);
	fails = !strcmp(action, "error");
	if (!is_name(armed) || !countdown || (!fails && strcmp(action, "kill"))) {
		fprintf(stderr, "GPC_FAILPOINT=%s is no failpoint\n", text);
		exit(64);
	}
}

static void note(const char *name)
{
	FILE *file = fopen(passed, "a");

	if (!file || fprintf(file, "%s\n", name) < 0 || fclose(file)) {
		perror(passed);
		abort();
	}
}

int gpc_failpoint(const char *name)
{
	if (!is_name(name)) {
		fprintf(stderr, "failpoint %s is not in failpoint.h\n", name);
		abort();
	}
	if (passed)
		note(name);
	if (!countdown || strcmp(name, armed) || --countdown)
		return 0;
	if (!fails)
		kill(getpid(), SIGKILL);
	return 1;
}
