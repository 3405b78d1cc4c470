/* SPDX-License-Identifier: MIT */
/* json_check.h: is a foreign text JSON that a terminal may be shown? No allocation, one walk. */
#ifndef GPC_BASE_JSON_CHECK_H
#define GPC_BASE_JSON_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#define GPC_JSON_DEPTH 8u

/*
 * RFC 8259, one value, nested at most GPC_JSON_DEPTH deep. Strings are UTF-8 and neither hold nor
 * escape a control character, a surrogate or what utf8.h calls unsafe.
 */
bool gpc_json_is_clean(const char *text, size_t size);

#endif
