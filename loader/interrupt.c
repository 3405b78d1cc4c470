/* SPDX-License-Identifier: MIT */
#include "interrupt.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t interrupted; /* the signal; 0: none */

static void note_interrupt(int signal_number)
{
	interrupted = signal_number;
}

void gpc_interrupts_hold(void)
{
	const struct sigaction action = {.sa_handler = note_interrupt, .sa_flags = SA_RESTART};

	interrupted = 0;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

bool gpc_interrupted(void)
{
	return interrupted;
}

int gpc_interrupt_check(struct gpc_failure *failure)
{
	if (!interrupted)
		return 0;
	return gpc_fail(failure,
			interrupted == SIGTERM ? GPC_EXIT_TERMINATED : GPC_EXIT_INTERRUPTED, 0,
			"nothing was changed");
}
