/* SPDX-License-Identifier: MIT */
#include "json_check.h"

#include <string.h>

#include "utf8.h"

struct cursor {
	const char *at, *end;
};

static bool value(struct cursor *c, unsigned int depth);

static void skip_space(struct cursor *c)
{
	while (c->at < c->end && memchr(" \t\r\n", *c->at, 4))
		c->at++;
}

static bool take(struct cursor *c, char wanted)
{
	if (c->at == c->end || *c->at != wanted)
		return false;
	c->at++;
	return true;
}

static bool word(struct cursor *c, const char *wanted)
{
	size_t size = strlen(wanted);

	if ((size_t)(c->end - c->at) < size || memcmp(c->at, wanted, size) != 0)
		return false;
	c->at += size;
	return true;
}

static bool is_digit(const struct cursor *c)
{
	return c->at < c->end && *c->at >= '0' && *c->at <= '9';
}

static bool digits(struct cursor *c)
{
	if (!is_digit(c))
		return false;
	while (is_digit(c))
		c->at++;
	return true;
}

static bool number(struct cursor *c)
{
	take(c, '-');
	if (!take(c, '0') && !digits(c))
		return false;
	if (take(c, '.') && !digits(c))
		return false;
	if (!take(c, 'e') && !take(c, 'E'))
		return true;
	if (!take(c, '+'))
		take(c, '-');
	return digits(c);
}

static int hex_digit(char digit)
{
	static const char hex[] = "0123456789abcdef0123456789ABCDEF";
	const char *found = digit ? strchr(hex, digit) : NULL;

	return found ? (int)((found - hex) & 15) : -1;
}

/* What follows `\u`. */
static bool escaped_code_point(struct cursor *c)
{
	uint32_t code_point = 0;

	if (c->end - c->at < 4)
		return false;
	for (int i = 0; i < 4; i++) {
		int digit = hex_digit(*c->at++);

		if (digit < 0)
			return false;
		code_point = code_point << 4 | (uint32_t)digit;
	}
	return (code_point < 0xd800 || code_point > 0xdfff) && !gpc_utf8_is_unsafe(code_point);
}

static bool character(struct cursor *c)
{
	uint32_t code_point = 0;
	size_t bytes;

	if (take(c, '\\')) {
		if (take(c, 'u'))
			return escaped_code_point(c);
		return take(c, '"') || take(c, '\\') || take(c, '/');
	}
	bytes = gpc_utf8_decode(c->at, (size_t)(c->end - c->at), &code_point);
	c->at += bytes;
	return bytes && !gpc_utf8_is_unsafe(code_point);
}

static bool string(struct cursor *c)
{
	if (!take(c, '"'))
		return false;
	while (c->at < c->end && *c->at != '"')
		if (!character(c))
			return false;
	return take(c, '"');
}

static bool member(struct cursor *c, unsigned int depth)
{
	skip_space(c);
	if (!string(c))
		return false;
	skip_space(c);
	return take(c, ':') && value(c, depth);
}

/* Items up to `close`, each read by `item`; the opening bracket is behind us. */
static bool items(struct cursor *c, unsigned int depth, char close,
		  bool (*item)(struct cursor *, unsigned int))
{
	skip_space(c);
	if (take(c, close))
		return true;
	do {
		if (!item(c, depth))
			return false;
	} while (take(c, ','));
	return take(c, close);
}

static bool value(struct cursor *c, unsigned int depth)
{
	bool ok;

	skip_space(c);
	if (c->at == c->end)
		return false;
	if (*c->at == '"')
		ok = string(c);
	else if (take(c, '{'))
		ok = depth && items(c, depth - 1, '}', member);
	else if (take(c, '['))
		ok = depth && items(c, depth - 1, ']', value);
	else
		ok = word(c, "true") || word(c, "false") || word(c, "null") || number(c);
	skip_space(c);
	return ok;
}

bool gpc_json_is_clean(const char *text, size_t size)
{
	struct cursor c = {text, text + size};

	return value(&c, GPC_JSON_DEPTH) && c.at == c.end;
}
