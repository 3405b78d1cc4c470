/* SPDX-License-Identifier: MIT */
/*
 * interrupt.h: SIGINT and SIGTERM are noted instead of deadly, so that a command ends with nothing
 * changed or with all of it done. Whatever takes long asks, up to the flip; nobody asks after it.
 */
#ifndef GPC_LOADER_INTERRUPT_H
#define GPC_LOADER_INTERRUPT_H

#include <stdbool.h>

#include "fail.h"

/* From here on the signals are noted; what was noted before is forgotten. */
void gpc_interrupts_hold(void);
bool gpc_interrupted(void);
/* -1, INTERRUPTED or TERMINATED, once a signal was noted, else 0. For places where nothing has changed yet. */
int gpc_interrupt_check(struct gpc_failure *failure);

#endif
