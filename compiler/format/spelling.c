/* SPDX-License-Identifier: MIT */
#include "spelling.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "../base/utf8.h"

/* ---- plain ---------------------------------------------------------------------------------- */

static bool is_word(const char *text, size_t size)
{
	static const char *const words[] = {"null", "~",  "true", "false", "yes",
					    "no",   "on", "off",  "y",	   "n"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (size == strlen(words[i]) && strncasecmp(text, words[i], size) == 0)
			return true;
	return false;
}

static bool consists_of(const char *text, size_t size, const char *characters)
{
	for (size_t i = 0; i < size; i++)
		if (!strchr(characters, text[i]))
			return false;
	return true;
}

static bool has_two_dots(const char *text, size_t size)
{
	const char *dot = memchr(text, '.', size);

	return dot && memchr(dot + 1, '.', size - (size_t)(dot + 1 - text));
}

/* Numbers, sexagesimal ones too, and dates, as some YAML reader or other types them. */
static bool is_number(const char *text, size_t size)
{
	if (*text == '-' || *text == '+') {
		text++;
		size--;
	}
	if (!size || !strchr(".0123456789", *text))
		return false;
	if (size > 2 && text[0] == '0' && strchr("xXoObB", text[1]))
		return true;
	if (size == 4 && (strncasecmp(text, ".inf", 4) == 0 || strncasecmp(text, ".nan", 4) == 0))
		return true;
	return consists_of(text, size, "0123456789_.,:+-eETZtz ") && !has_two_dots(text, size);
}

static bool has_separator(const char *text, size_t size, bool in_brackets)
{
	for (size_t i = 0; i < size; i++) {
		if (text[i] == ':' && (in_brackets || i + 1 == size || text[i + 1] == ' '))
			return true;
		if (text[i] == '#' && i > 0 && text[i - 1] == ' ')
			return true;
		if (in_brackets && strchr(",[]{}?", text[i]))
			return true;
	}
	return false;
}

static bool is_shown(uint32_t c)
{
	return ((c >= 0x20 && c < 0x7f) || (c >= 0xa0 && c <= 0xd7ff) ||
		(c >= 0xe000 && c <= 0xfffd) || c >= 0x10000) &&
	       c != 0x2028 && c != 0x2029 && !gpc_utf8_is_unsafe(c);
}

static bool is_all_shown(const char *text, size_t size)
{
	uint32_t c;

	for (size_t at = 0, length; at < size; at += length) {
		length = gpc_utf8_decode(text + at, size - at, &c);
		if (!length || !is_shown(c))
			return false;
	}
	return true;
}

static bool may_be_plain(const struct gpc_spelling *s)
{
	const char *text = s->text;

	if (!s->size || text[0] == ' ' || text[s->size - 1] == ' ')
		return false;
	if (strchr("?:,[]{}#&*!|>'\"%@`=", text[0]) || (text[0] == '-' && s->size == 1) ||
	    strncmp(text, "- ", 2) == 0 || strncmp(text, "---", 3) == 0 ||
	    strncmp(text, "...", 3) == 0 || strcmp(text, "<<") == 0)
		return false;
	if (s->in_brackets && text[0] == '-')
		return false;
	if (s->quoted && (is_word(text, s->size) || is_number(text, s->size)))
		return false;
	return !has_separator(text, s->size, s->in_brackets) && is_all_shown(text, s->size);
}

/* ---- in quotes ------------------------------------------------------------------------------ */

static const char *single_quoted(struct gpc_arena *arena, const struct gpc_spelling *s,
				 size_t *ret_size)
{
	const char *text = gpc_arena_printf(arena, "'%s'", s->text);

	*ret_size = s->size + 2;
	return text;
}

/* At `out`: the escape of one character; its length. */
static size_t escape(uint32_t c, char out[11])
{
	if (c == '"' || c == '\\')
		return (size_t)snprintf(out, 11, "\\%c", (char)c);
	if (c == '\n' || c == '\t')
		return (size_t)snprintf(out, 11, "\\%c", c == '\n' ? 'n' : 't');
	if (c <= 0xff)
		return (size_t)snprintf(out, 11, "\\x%02x", c);
	return (size_t)snprintf(out, 11, c <= 0xffff ? "\\u%04x" : "\\U%08x", c);
}

static const char *double_quoted(struct gpc_arena *arena, const struct gpc_spelling *s,
				 size_t *ret_size)
{
	char *out = GPC_NEW_ARRAY(arena, char, 4 * s->size + 3);
	size_t used = 0;
	uint32_t c;

	out[used++] = '"';
	for (size_t at = 0, length; at < s->size; at += length) {
		length = gpc_utf8_decode(s->text + at, s->size - at, &c);
		if (!length) { /* no scalar holds such a byte */
			length = 1;
			c = (unsigned char)s->text[at];
		}
		if (is_shown(c) && c != '"' && c != '\\') {
			memcpy(out + used, s->text + at, length);
			used += length;
		} else {
			used += escape(c, out + used);
		}
	}
	out[used++] = '"';
	*ret_size = used;
	return out;
}

const char *gpc_spell(struct gpc_arena *arena, const struct gpc_spelling *s, size_t *ret_size)
{
	bool awkward = memchr(s->text, '"', s->size) || memchr(s->text, '\\', s->size);

	if (may_be_plain(s)) {
		*ret_size = s->size;
		return s->text;
	}
	if (awkward && !memchr(s->text, '\'', s->size) && is_all_shown(s->text, s->size))
		return single_quoted(arena, s, ret_size);
	return double_quoted(arena, s, ret_size);
}
