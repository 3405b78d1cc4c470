/* SPDX-License-Identifier: MIT */
/* suggest.h: what the author may have meant. */
#ifndef GPC_INTENT_SUGGEST_H
#define GPC_INTENT_SUGGEST_H

#include "../diag/diag.h"

/* Nobody reads what a further diagnostic says: reporters need not find a hint for it. */
bool gpc_diags_full(const struct gpc_diags *diags);

/*
 * The candidate that is near in spelling, else the longest one that `word` begins with or that
 * begins with it (`healthcheck`: `health`); NULL if there is none.
 */
const char *gpc_suggest(const char *word, const char *const *candidates, size_t count);

#endif
