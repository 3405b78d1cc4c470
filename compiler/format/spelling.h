/* SPDX-License-Identifier: MIT */
/*
 * spelling.h: how a text is written as a YAML scalar on one line: plain where every YAML reader then
 * sees this very string, else in quotes.
 */
#ifndef GPC_FORMAT_SPELLING_H
#define GPC_FORMAT_SPELLING_H

#include <stdbool.h>
#include <stddef.h>

#include "../base/arena.h"

struct gpc_spelling {
	const char *text;
	size_t size;
	bool quoted;	  /* an author wrote quotes: what others take for a number or a boolean keeps them */
	bool in_brackets; /* inside `[ ]` or `{ }`, where commas, brackets and colons need quotes */
};

/* In the arena; *ret_size is its length in bytes. */
const char *gpc_spell(struct gpc_arena *arena, const struct gpc_spelling *spelling, size_t *ret_size);

#endif
