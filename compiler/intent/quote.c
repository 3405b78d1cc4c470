/* SPDX-License-Identifier: MIT */
#include "quote.h"

#include <string.h>

#include "../base/utf8.h"

#define LONGEST 60u

const char *gpc_quote(struct gpc_arena *arena, const char *text)
{
	size_t len = strnlen(text, LONGEST + 1);

	if (len <= LONGEST)
		return text;
	len = LONGEST;
	while (len && gpc_utf8_is_continuation(text[len]))
		len--;
	return gpc_arena_printf(arena, "%.*s...", (int)len, text);
}
