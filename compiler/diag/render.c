/* SPDX-License-Identifier: MIT */
#include "render.h"

#include <stdlib.h>
#include <string.h>

#include "../base/utf8.h"
#include "format.h"

const char *gpc_severity_text(enum gpc_severity severity)
{
	static const char *const texts[] = {
		[GPC_ERROR] = "error", [GPC_WARNING] = "warning", [GPC_NOTE] = "note"};

	return texts[severity];
}

size_t gpc_diags_lost(const struct gpc_diags *diags)
{
	size_t kept = 0;

	for (size_t i = 0; i < diags->records.n; i++)
		kept += diags->records.items[i].severity != GPC_NOTE;
	return diags->errors + diags->warnings - kept;
}

static int put_escaped(FILE *out, uint32_t code_point)
{
	return fprintf(out, code_point < 0x80 ? "\\x%02x" : "\\u{%x}", code_point);
}

size_t gpc_put_code_point(FILE *out, const char *text, size_t len, unsigned int *ret_width)
{
	uint32_t code_point;
	size_t bytes = gpc_utf8_decode(text, len, &code_point);

	if (!bytes) {
		*ret_width = (unsigned int)fprintf(out, "\\x%02x", (unsigned char)text[0]);
		return 1;
	}
	if (gpc_utf8_is_unsafe(code_point)) {
		*ret_width = (unsigned int)put_escaped(out, code_point);
		return bytes;
	}
	fwrite(text, 1, bytes, out);
	*ret_width = gpc_utf8_width(code_point);
	return bytes;
}

void gpc_put_safe(FILE *out, const char *text)
{
	size_t len = strlen(text);
	unsigned int width;

	for (size_t i = 0; i < len;)
		i += gpc_put_code_point(out, text + i, len - i, &width);
}

struct entry {
	const struct gpc_diag *diag;
	const char *path; /* NULL without a place: last */
	struct gpc_place place;
};

static int compare_numbers(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

static int compare_paths(const char *a, const char *b)
{
	if (!a || !b)
		return (a == NULL) - (b == NULL);
	return strcmp(a, b);
}

static int compare_entries(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	int order = compare_paths(a->path, b->path);

	if (!order)
		order = compare_numbers(a->place.start, b->place.start);
	if (!order)
		order = compare_numbers(a->place.end, b->place.end);
	if (!order)
		order = compare_numbers(a->diag->code, b->diag->code);
	return order ? order : strcmp(a->diag->message, b->diag->message);
}

static const struct gpc_diag **in_order(const struct gpc_diags *diags)
{
	size_t count = diags->records.n;
	struct entry *entries = GPC_NEW_ARRAY(diags->arena, struct entry, count);
	const struct gpc_diag **sorted =
		GPC_NEW_ARRAY(diags->arena, const struct gpc_diag *, count);

	for (size_t i = 0; i < count; i++) {
		const struct gpc_diag *diag = &diags->records.items[i];

		entries[i].diag = diag;
		if (!diag->place_count)
			continue;
		entries[i].place = diag->places[0].place;
		entries[i].path = diags->sources.items[entries[i].place.source].path;
	}
	qsort(entries, count, sizeof(*entries), compare_entries);
	for (size_t i = 0; i < count; i++)
		sorted[i] = entries[i].diag;
	return sorted;
}

void gpc_diags_render(const struct gpc_diags *diags, enum gpc_diag_format format, bool color,
		      FILE *out)
{
	const struct gpc_diag **sorted;

	if (!diags->records.n)
		return;
	sorted = in_order(diags);
	switch (format) {
	case GPC_DIAG_TEXT:
		gpc_diags_write_text(diags, sorted, diags->records.n, color, out);
		break;
	case GPC_DIAG_JSON:
		gpc_diags_write_json(diags, sorted, diags->records.n, out);
		break;
	case GPC_DIAG_GITHUB:
		gpc_diags_write_github(diags, sorted, diags->records.n, out);
		break;
	}
}
