/* SPDX-License-Identifier: MIT */
/*
 * interrupt.h: SIGINT, SIGQUIT, SIGTERM and SIGHUP (the terminal or the SSH session is lost) are noted
 * instead of deadly, so that a command ends with nothing changed or with all of it done. Whatever takes
 * long asks, up to the flip; nobody asks after it.
 */
#ifndef GPC_LOADER_INTERRUPT_H
#define GPC_LOADER_INTERRUPT_H

#include <stdbool.h>

#include "fail.h"

/*
 * From here on the signals are noted; what was noted before is forgotten. A SIGHUP that the caller ignores
 * (nohup) stays ignored.
 */
void gpc_interrupts_hold(void);
bool gpc_interrupted(void);
/* Once a signal was noted: INTERRUPTED (SIGINT, SIGQUIT) or TERMINATED (SIGTERM, SIGHUP). */
enum gpc_exit gpc_interrupt_code(void);
/* -1 with that code once a signal was noted, else 0. For places where nothing has changed yet. */
int gpc_interrupt_check(struct gpc_failure *failure);

#endif
