/* SPDX-License-Identifier: MIT */
/*
 * terminal.h: the terminal as a screen with single keys, for `gpc top`. One per process; given back as
 * it was by gpc_terminal_close() and by every signal that ends the process. Only sequences of ECMA-48
 * and the alternate screen that every terminal in use knows: no library, no database.
 */
#ifndef GPC_LOADER_CMD_TERMINAL_H
#define GPC_LOADER_CMD_TERMINAL_H

#include "../fail.h"

/* USAGE when stdin or stdout is no terminal, or one that cannot place its cursor. */
int gpc_terminal_check(struct gpc_failure *failure);
int gpc_terminal_open(struct gpc_failure *failure);
void gpc_terminal_close(void);

/* Stops the process as Ctrl-Z would, with the terminal given back until it goes on. */
void gpc_terminal_suspend(void);

struct gpc_terminal_size {
	unsigned int rows, columns;
};
struct gpc_terminal_size gpc_terminal_size(void);

#define GPC_KEY_NONE 0	/* the time is over, a signal came or the size changed */
#define GPC_KEY_GONE (-1)
#define GPC_KEY_SUSPEND 0x1a
int gpc_terminal_key(int wait_ms);

/* The lines of `text` from the top, cut to the size; the first one stands out. -1: the terminal is gone. */
int gpc_terminal_show(const char *text);

#endif
