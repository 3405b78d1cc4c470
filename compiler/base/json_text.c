/* SPDX-License-Identifier: MIT */
#include "json_text.h"

#include <string.h>

#include "utf8.h"

void gpc_json_put(FILE *out, const char *text)
{
	size_t len = strlen(text), bytes;

	fputc('"', out);
	for (size_t i = 0; i < len; i += bytes) {
		uint32_t code_point;

		bytes = gpc_utf8_decode(text + i, len - i, &code_point);
		if (!bytes) {
			fputs("\\ufffd", out);
			bytes = 1;
		} else if (code_point == '"' || code_point == '\\') {
			fprintf(out, "\\%c", (char)code_point);
		} else if (code_point < 0x20 || code_point == 0x7f) {
			fprintf(out, "\\u%04x", code_point);
		} else {
			fwrite(text + i, 1, bytes, out);
		}
	}
	fputc('"', out);
}
