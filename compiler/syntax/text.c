/* SPDX-License-Identifier: MIT */
#include "text.h"

#include <string.h>

#include "../base/utf8.h"

static struct gpc_place bytes_at(uint32_t source, size_t start, size_t count)
{
	return (struct gpc_place){source, (uint32_t)start, (uint32_t)(start + count)};
}

static bool starts_with(const struct gpc_source *source, const char *bytes, size_t count)
{
	return source->size >= count && memcmp(source->text, bytes, count) == 0;
}

/* A document starts with an ASCII character, so the zero bytes around it tell the width. */
static bool is_utf16_or_32(const struct gpc_source *source)
{
	const char *t = source->text;

	if (starts_with(source, "\xff\xfe", 2) || starts_with(source, "\xfe\xff", 2) ||
	    starts_with(source, "\0\0\xfe\xff", 4))
		return true;
	if (source->size < 4 || source->size % 2)
		return false;
	return (t[0] && !t[1] && (t[2] || !t[3])) || (!t[0] && (t[1] || (!t[2] && t[3])));
}

static bool check_encoding(struct gpc_diags *diags, uint32_t number,
			   const struct gpc_source *source)
{
	struct gpc_diag *diag = NULL;

	if (is_utf16_or_32(source))
		diag = gpc_diag(diags, GPC_E0004, bytes_at(number, 0, 2),
				"text is encoded as UTF-16 or UTF-32");
	else if (starts_with(source, "\xef\xbb\xbf", 3))
		diag = gpc_diag(diags, GPC_E0005, bytes_at(number, 0, 3),
				"byte order mark at the start of the text");
	if (diag)
		gpc_diag_hint(diags, diag, "save the file as UTF-8 without a byte order mark");
	return !diag;
}

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Are all eight bytes from 0x20 to 0x7e? */
static bool is_printable_ascii(const char *text)
{
	uint64_t eight;

	memcpy(&eight, text, sizeof(eight));
	return !((eight | (eight + EACH(0x01))) & EACH(0x80)) &&
	       (((eight | EACH(0x80)) - EACH(0x20)) & EACH(0x80)) == EACH(0x80);
}

/* Length of the run of printable ASCII, tabs and line ends at `text`. */
static size_t ascii_run(const char *text, size_t size)
{
	size_t i = 0;

	for (; i < size; i++) {
		unsigned char c;

		while (size - i >= 8 && is_printable_ascii(text + i))
			i += 8;
		if (i == size)
			break;
		c = (unsigned char)text[i];
		if (c >= 0x7f || (c < 0x20 && c != '\n' && c != '\t' && c != '\r'))
			break;
	}
	return i;
}

/* What YAML 1.1 allows beyond ASCII. */
static bool is_text(uint32_t c)
{
	return c == 0x85 || (c >= 0xa0 && c <= 0xd7ff) ||
	       (c >= 0xe000 && c <= 0xfffd && c != 0xfeff) || c >= 0x10000;
}

static void report(struct gpc_diags *diags, uint32_t number, size_t at, size_t length, uint32_t c)
{
	if (!length)
		gpc_diag(diags, GPC_E0003, bytes_at(number, at, 1),
			 "byte 0x%02x is not valid UTF-8 here",
			 (unsigned char)diags->sources.items[number].text[at]);
	else if (c == 0)
		gpc_diag(diags, GPC_E0006, bytes_at(number, at, 1), "NUL byte in the text");
	else
		gpc_diag(diags, GPC_E0007, bytes_at(number, at, length),
			 "control character U+%04X in the text", c);
}

/* Does a line start at `at`, as YAML 1.1 sees lines? */
static bool is_line_start(const struct gpc_source *source, size_t at)
{
	const char *p = source->text + at;

	return at == 0 || p[-1] == '\n' || p[-1] == '\r' ||
	       (at >= 2 && memcmp(p - 2, "\xc2\x85", 2) == 0) ||
	       (at >= 3 &&
		(memcmp(p - 3, "\xe2\x80\xa8", 3) == 0 || memcmp(p - 3, "\xe2\x80\xa9", 3) == 0));
}

bool gpc_text_check(struct gpc_diags *diags, uint32_t number, bool *ret_ascii)
{
	const struct gpc_source *source = &diags->sources.items[number];
	bool ascii = true;
	size_t i = 0;

	if (!check_encoding(diags, number, source))
		return false;
	while ((i += ascii_run(source->text + i, source->size - i)) < source->size) {
		uint32_t c = 0;
		size_t length = gpc_utf8_decode(source->text + i, source->size - i, &c);

		if (!length || !is_text(c)) {
			report(diags, number, i, length, c);
			return false;
		}
		ascii = false;
		i += length;
	}
	*ret_ascii = ascii;
	return true;
}

bool gpc_text_check_directives(struct gpc_diags *diags, uint32_t number)
{
	const struct gpc_source *source = &diags->sources.items[number];
	const char *end = source->text + source->size;
	struct gpc_diag *diag;

	for (const char *p = source->text; (p = memchr(p, '%', (size_t)(end - p))); p++) {
		size_t at = (size_t)(p - source->text);

		if (!is_line_start(source, at))
			continue;
		diag = gpc_diag(diags, GPC_E0012, bytes_at(number, at, 1),
				"line starts with `%%`, which YAML takes for a directive");
		gpc_diag_hint(diags, diag, "remove the line, or indent it");
		return false;
	}
	return true;
}
