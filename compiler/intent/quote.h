/* SPDX-License-Identifier: MIT */
/* quote.h: the author's own words inside a message, cut where they would make it unreadable. */
#ifndef GPC_INTENT_QUOTE_H
#define GPC_INTENT_QUOTE_H

#include "../base/arena.h"

/* `text` itself, or its first 60 bytes or so and `...`. */
const char *gpc_quote(struct gpc_arena *arena, const char *text);

#endif
