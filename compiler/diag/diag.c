/* SPDX-License-Identifier: MIT */
#include "diag.h"

#include <assert.h>
#include <string.h>

#include "../base/utf8.h"

#define MAX_WORD 63u

static const struct {
	const char *text;
	enum gpc_severity severity;
	const char *title, *help;
} codes[] = {
#define X(id, text, severity, title, help) [GPC_##id] = {text, severity, title, help},
#include "codes.def"
#undef X
};

const char *gpc_code_text(enum gpc_code code)
{
	assert(code < GPC_CODE_COUNT);
	return codes[code].text;
}

enum gpc_severity gpc_code_severity(enum gpc_code code)
{
	assert(code < GPC_CODE_COUNT);
	return codes[code].severity;
}

const char *gpc_code_title(enum gpc_code code)
{
	assert(code < GPC_CODE_COUNT);
	return codes[code].title;
}

const char *gpc_code_help(enum gpc_code code)
{
	assert(code < GPC_CODE_COUNT);
	return codes[code].help;
}

void gpc_diags_init(struct gpc_diags *diags, struct gpc_arena *arena, bool strict)
{
	*diags = (struct gpc_diags){.arena = arena, .strict = strict};
}

static size_t count_lines(const char *text, size_t size)
{
	const char *end = text + size;
	size_t count = 1;

	for (const char *p = text; (p = memchr(p, '\n', (size_t)(end - p))); p++)
		count++;
	return count;
}

static const uint32_t *index_lines(struct gpc_arena *arena, const char *text, size_t size,
				   size_t count)
{
	uint32_t *lines = GPC_NEW_ARRAY(arena, uint32_t, count);
	const char *p = text;

	for (size_t i = 1; i < count; i++) {
		p = (const char *)memchr(p, '\n', size - (size_t)(p - text)) + 1;
		lines[i] = (uint32_t)(p - text);
	}
	return lines;
}

static const uint32_t *index_blocks(struct gpc_arena *arena, const char *text, size_t size)
{
	size_t count = size / GPC_SOURCE_BLOCK + 1;
	uint32_t *counted = GPC_NEW_ARRAY(arena, uint32_t, count);

	for (size_t i = 1; i < count; i++)
		counted[i] =
			counted[i - 1] + (uint32_t)gpc_utf8_count(text + (i - 1) * GPC_SOURCE_BLOCK,
								  GPC_SOURCE_BLOCK);
	return counted;
}

uint32_t gpc_diags_add_source(struct gpc_diags *diags, const char *path, const char *text,
			      size_t size)
{
	struct gpc_source *source = GPC_PUSH(diags->arena, &diags->sources);

	assert(size < UINT32_MAX);
	source->path = gpc_arena_strdup(diags->arena, path);
	source->text = gpc_arena_strndup(diags->arena, text, size);
	source->size = size;
	source->line_count = count_lines(source->text, size);
	source->lines = index_lines(diags->arena, source->text, size, source->line_count);
	source->counted = index_blocks(diags->arena, source->text, size);
	return (uint32_t)(diags->sources.n - 1);
}

struct gpc_diag *gpc_diag(struct gpc_diags *diags, enum gpc_code code, struct gpc_place place,
			  const char *format, ...)
{
	enum gpc_severity severity = gpc_code_severity(code);
	struct gpc_diag *diag;
	va_list args;

	if (severity == GPC_WARNING && diags->strict)
		severity = GPC_ERROR;
	diags->errors += severity == GPC_ERROR;
	diags->warnings += severity == GPC_WARNING;
	if (diags->records.n >= GPC_MAX_DIAGS) {
		diags->scratch = (struct gpc_diag){.message = ""};
		return &diags->scratch;
	}
	diag = GPC_PUSH(diags->arena, &diags->records);
	diag->code = code;
	diag->severity = severity;
	va_start(args, format);
	diag->message = gpc_arena_vprintf(diags->arena, format, args);
	va_end(args);
	if (place.source != GPC_NO_SOURCE)
		gpc_diag_place(diag, place, NULL);
	return diag;
}

void gpc_diag_place(struct gpc_diag *diag, struct gpc_place place, const char *label)
{
	if (diag->place_count == GPC_DIAG_PLACES || place.source == GPC_NO_SOURCE)
		return;
	diag->places[diag->place_count].place = place;
	diag->places[diag->place_count].label = label;
	diag->place_count++;
}

void gpc_diag_label(struct gpc_diag *diag, const char *label)
{
	diag->places[0].label = label;
}

void gpc_diag_hint(struct gpc_diags *diags, struct gpc_diag *diag, const char *format, ...)
{
	va_list args;

	if (diag == &diags->scratch)
		return;
	va_start(args, format);
	diag->hint = gpc_arena_vprintf(diags->arena, format, args);
	va_end(args);
}

static size_t min2(size_t a, size_t b)
{
	return a < b ? a : b;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool same_letter(char a, char b)
{
	return lower(a) == lower(b);
}

/* Optimal string alignment: insert, delete, replace, swap neighbours; letters of either case are
 * equal. */
static size_t edit_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t rows[3][MAX_WORD + 1];

	for (size_t j = 0; j <= b_len; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t *now = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];

		now[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			now[j] = min2(last[j], now[j - 1]) + 1;
			now[j] = min2(now[j], last[j - 1] + !same_letter(a[i - 1], b[j - 1]));
			if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) &&
			    same_letter(a[i - 2], b[j - 1]))
				now[j] = min2(now[j], before[j - 2] + 1);
		}
	}
	return rows[a_len % 3][b_len];
}

const char *gpc_did_you_mean(const char *word, const char *const *candidates, size_t count)
{
	size_t len = strnlen(word, MAX_WORD + 1), best = len / 3 + 1;
	const char *nearest = NULL;

	if (len > MAX_WORD)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		size_t other = strnlen(candidates[i], MAX_WORD + 1);
		size_t distance;

		if (other > MAX_WORD || other >= len + best || len >= other + best)
			continue;
		distance = edit_distance(word, len, candidates[i], other);
		if (distance < best) {
			best = distance;
			nearest = candidates[i];
		}
	}
	return nearest;
}

static size_t line_of(const struct gpc_source *source, uint32_t offset)
{
	size_t low = 0, high = source->line_count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (source->lines[middle] <= offset)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static uint32_t code_points_before(const struct gpc_source *source, uint32_t offset)
{
	uint32_t block = offset / GPC_SOURCE_BLOCK, start = block * GPC_SOURCE_BLOCK;

	return source->counted[block] +
	       (uint32_t)gpc_utf8_count(source->text + start, offset - start);
}

static struct gpc_line_column position(const struct gpc_source *source, uint32_t offset)
{
	size_t line = line_of(source, offset);

	return (struct gpc_line_column){
		.line = (uint32_t)line + 1,
		.column = code_points_before(source, offset) -
			  code_points_before(source, source->lines[line]) + 1,
	};
}

struct gpc_line_column gpc_place_position(const struct gpc_diags *diags, struct gpc_place place)
{
	assert(place.source < diags->sources.n);
	return position(&diags->sources.items[place.source], place.start);
}

struct gpc_line_column gpc_place_end_position(const struct gpc_diags *diags, struct gpc_place place)
{
	assert(place.source < diags->sources.n);
	return position(&diags->sources.items[place.source], place.end);
}

const char *gpc_diags_path(const struct gpc_diags *diags, uint32_t source)
{
	const char *path = diags->sources.items[source].path;

	return diags->prefix ? gpc_arena_printf(diags->arena, "%s%s", diags->prefix, path) : path;
}
