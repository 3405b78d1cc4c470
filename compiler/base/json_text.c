/* SPDX-License-Identifier: MIT */
#include "json_text.h"

#include <string.h>

#include "utf8.h"

/* Bytes from `text` on that stand for themselves in JSON. */
static size_t plain_length(const char *text)
{
	size_t n = 0;

	while ((unsigned char)text[n] >= 0x20 && (unsigned char)text[n] < 0x7f && text[n] != '"' &&
	       text[n] != '\\')
		n++;
	return n;
}

/* The code point at `text`, escaped where needed; returns its bytes. */
static size_t put_code_point(FILE *out, const char *text, size_t len)
{
	uint32_t code_point;
	size_t bytes = gpc_utf8_decode(text, len, &code_point);

	if (!bytes) {
		fputs("\\ufffd", out);
		return 1;
	}
	if (code_point == '"' || code_point == '\\')
		fprintf(out, "\\%c", (char)code_point);
	else if (code_point < 0x20 || code_point == 0x7f)
		fprintf(out, "\\u%04x", code_point);
	else
		fwrite(text, 1, bytes, out);
	return bytes;
}

void gpc_json_put(FILE *out, const char *text)
{
	fputc('"', out);
	while (*text) {
		size_t plain = plain_length(text);

		fwrite(text, 1, plain, out);
		text += plain;
		if (*text)
			text += put_code_point(out, text, strlen(text));
	}
	fputc('"', out);
}
