/* SPDX-License-Identifier: MIT */
/*
 * utf8.h: one code point at a time, and how wide a terminal shows it. Independent of the locale.
 */
#ifndef GPC_BASE_UTF8_H
#define GPC_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Decodes the code point at `text` (`len` > 0 bytes are readable). Returns its length in bytes, or
 * 0 when the bytes are not UTF-8 (overlong, surrogate, above U+10FFFF, cut off); *ret is then
 * untouched.
 */
size_t gpc_utf8_decode(const char *text, size_t len, uint32_t *ret);

/* Code points that start in `len` bytes, valid or not: bytes that continue none. */
size_t gpc_utf8_count(const char *text, size_t len);

/* Columns that a terminal uses: 0 for combining marks, 2 for wide East Asian and emoji, else 1. */
unsigned int gpc_utf8_width(uint32_t code_point);

/* Would it move the cursor, change the order of text or be invisible? Such are shown escaped. */
bool gpc_utf8_is_unsafe(uint32_t code_point);

/* Is all of it UTF-8 without unsafe code points, so that it may be shown as it is? */
bool gpc_utf8_is_printable(const char *text, size_t len);

/* True for a byte that continues a code point. */
static inline bool gpc_utf8_is_continuation(char byte)
{
	return ((unsigned char)byte & 0xc0) == 0x80;
}

#endif
