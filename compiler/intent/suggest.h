/* SPDX-License-Identifier: MIT */
/* suggest.h: what the author may have meant. */
#ifndef GPC_INTENT_SUGGEST_H
#define GPC_INTENT_SUGGEST_H

#include <stddef.h>

/*
 * The candidate that is near in spelling, else the longest one that `word` begins with or that begins
 * with it (`healthcheck`: `health`); NULL if there is none.
 */
const char *gpc_suggest(const char *word, const char *const *candidates, size_t count);

#endif
