/* SPDX-License-Identifier: MIT */
/*
 * interrupt.h: programs compiled for this machine are interrupted before words that they read or write. A test calls
 * step() there, by macros of its own around READ_ONCE and the like.
 */
#ifndef GPC_TESTS_UNIT_LOADER_SIM_INTERRUPT_H
#define GPC_TESTS_UNIT_LOADER_SIM_INTERRUPT_H

#include <stddef.h>
#include <stdint.h>

static __thread uint32_t steps;
/* Runs before every word; NULL: nothing does. */
static void (*at_each_step)(void);
/* Runs once, before the word of that number. */
static void (*interruption)(void);
static uint32_t interrupted_at;

static inline void step(void)
{
	void (*other)(void) = interruption;

	steps++;
	if (at_each_step)
		at_each_step();
	if (!other || steps != interrupted_at)
		return;
	interruption = NULL;
	other();
}

#endif
