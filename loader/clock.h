/* SPDX-License-Identifier: MIT */
/*
 * clock.h: the clock of the programs. They read CLOCK_MONOTONIC_COARSE of the host; a gpc in a time
 * namespace sees that clock shifted, and takes the shift off. No setting of the date moves it.
 */
#ifndef GPC_LOADER_CLOCK_H
#define GPC_LOADER_CLOCK_H

#include <stdint.h>

/* Coarse ktime in ns: to a program it is never in the future. */
uint64_t gpc_clock_coarse(void);

#endif
