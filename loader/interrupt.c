/* SPDX-License-Identifier: MIT */
#include "interrupt.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t interrupted; /* the signal; 0: none */

static void note_interrupt(int signal_number)
{
	interrupted = signal_number;
}

/* nohup is the wish to outlive the terminal; a shell's background job ignores SIGINT without one. */
static bool is_unwanted(int signal_number)
{
	struct sigaction action;

	return signal_number == SIGHUP && !sigaction(signal_number, NULL, &action) &&
	       action.sa_handler == SIG_IGN;
}

void gpc_interrupts_hold(void)
{
	static const int held[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	const struct sigaction action = {.sa_handler = note_interrupt, .sa_flags = SA_RESTART};

	interrupted = 0;
	for (size_t i = 0; i < sizeof(held) / sizeof(held[0]); i++)
		if (!is_unwanted(held[i]))
			sigaction(held[i], &action, NULL);
}

bool gpc_interrupted(void)
{
	return interrupted;
}

enum gpc_exit gpc_interrupt_code(void)
{
	return interrupted == SIGTERM || interrupted == SIGHUP ? GPC_EXIT_TERMINATED
							       : GPC_EXIT_INTERRUPTED;
}

int gpc_interrupt_check(struct gpc_failure *failure)
{
	if (!interrupted)
		return 0;
	return gpc_fail(failure, gpc_interrupt_code(), 0, "nothing was changed");
}
