/* SPDX-License-Identifier: MIT */
#include "format.h"

#include <string.h>

#include "../base/utf8.h"

#define LINE_COLUMNS 100u /* of a source line that are shown */
#define BEFORE_CARET 60u  /* bytes kept before the caret when the line's head is cut */
#define LONGEST_HEAD 80u  /* a caret further right cuts the head */
#define TAB_COLUMNS 8u
#define CUT "..."

struct style {
	const char *strong, *severity[3], *caret, *gutter, *reset;
};

static const struct style plain = {"", {"", "", ""}, "", "", ""};
static const struct style colored = {
	.strong = "\033[1m",
	.severity = {"\033[1;31m", "\033[1;33m", "\033[1;36m"},
	.caret = "\033[1;32m",
	.gutter = "\033[2m",
	.reset = "\033[0m",
};

/* Where the caret goes, in columns behind the gutter. */
struct caret {
	unsigned int at, width;
};

static void line_bounds(const struct gpc_source *source, uint32_t line, uint32_t *ret_start,
			uint32_t *ret_end)
{
	uint32_t start = source->lines[line - 1];
	uint32_t end = line < source->line_count ? source->lines[line] - 1 : (uint32_t)source->size;

	if (end > start && source->text[end - 1] == '\r')
		end--;
	*ret_start = start;
	*ret_end = end;
}

static uint32_t window_start(const struct gpc_source *source, uint32_t line_start, uint32_t caret)
{
	uint32_t start = caret - line_start > LONGEST_HEAD ? caret - BEFORE_CARET : line_start;

	while (start > line_start && start < caret && gpc_utf8_is_continuation(source->text[start]))
		start++;
	return start;
}

static unsigned int put_tab(FILE *out, unsigned int column)
{
	unsigned int width = TAB_COLUMNS - column % TAB_COLUMNS;

	fprintf(out, "%*s", (int)width, "");
	return width;
}

/* Writes the part of a line around the place, with cut marks, and says where the caret goes. */
static struct caret put_line(FILE *out, const struct gpc_source *source, uint32_t line,
			     struct gpc_place place)
{
	struct caret caret = {0};
	unsigned int column = 0, width;
	uint32_t line_start, line_end, i;

	line_bounds(source, line, &line_start, &line_end);
	i = window_start(source, line_start, place.start);
	if (i > line_start)
		column += (unsigned int)fprintf(out, CUT);
	while (i < line_end && (column < LINE_COLUMNS || i <= place.start)) {
		if (i <= place.start)
			caret.at = column;
		if (source->text[i] == '\t') {
			width = put_tab(out, column);
			i++;
		} else {
			i += gpc_put_code_point(out, source->text + i, line_end - i, &width);
		}
		column += width;
		if (i <= place.end)
			caret.width = column - caret.at;
	}
	if (i < line_end)
		fputs(CUT, out);
	if (place.start >= line_end)
		caret.at = column;
	if (place.start >= line_end || caret.width == 0)
		caret.width = 1;
	return caret;
}

static void put_caret(FILE *out, const struct style *style, struct caret caret, const char *label)
{
	fprintf(out, "%s      |%s %*s%s", style->gutter, style->reset, (int)caret.at, "",
		style->caret);
	for (unsigned int i = 0; i < caret.width; i++)
		fputc('^', out);
	if (label) {
		fputc(' ', out);
		gpc_put_safe(out, label);
	}
	fprintf(out, "%s\n", style->reset);
}

static void put_excerpt(const struct gpc_diags *diags, struct gpc_place place, const char *label,
			const struct style *style, FILE *out)
{
	const struct gpc_source *source = &diags->sources.items[place.source];
	uint32_t line = gpc_place_position(diags, place).line;
	struct caret caret;

	fprintf(out, "%s%5u |%s ", style->gutter, line, style->reset);
	caret = put_line(out, source, line, place);
	fputc('\n', out);
	put_caret(out, style, caret, label);
}

static void put_position(const struct gpc_diags *diags, struct gpc_place place,
			 const struct style *style, FILE *out)
{
	struct gpc_line_column position = gpc_place_position(diags, place);

	fputs(style->strong, out);
	gpc_put_safe(out, gpc_diags_path(diags, place.source));
	fprintf(out, ":%u:%u:%s ", position.line, position.column, style->reset);
}

static void put_head(const struct gpc_diags *diags, const struct gpc_diag *diag,
		     const struct style *style, FILE *out)
{
	if (diag->place_count)
		put_position(diags, diag->places[0].place, style, out);
	fprintf(out, "%s%s[%s]:%s ", style->severity[diag->severity],
		gpc_severity_text(diag->severity), gpc_code_text(diag->code), style->reset);
	gpc_put_safe(out, diag->message);
	fputc('\n', out);
}

static void put_hint(const char *hint, const struct style *style, FILE *out)
{
	fprintf(out, "%s      =%s ", style->gutter, style->reset);
	gpc_put_safe(out, hint);
	fputc('\n', out);
}

/* The hint stands under the caret when nothing else does. */
static void put_record(const struct gpc_diags *diags, const struct gpc_diag *diag,
		       const struct style *style, FILE *out)
{
	bool hint_under_caret = diag->place_count && !diag->places[0].label;

	put_head(diags, diag, style, out);
	if (diag->place_count)
		put_excerpt(diags, diag->places[0].place,
			    hint_under_caret ? diag->hint : diag->places[0].label, style, out);
	for (unsigned int i = 1; i < diag->place_count; i++) {
		put_position(diags, diag->places[i].place, style, out);
		fprintf(out, "%snote:%s ", style->severity[GPC_NOTE], style->reset);
		gpc_put_safe(out, diag->places[i].label ? diag->places[i].label : "see here");
		fputc('\n', out);
		put_excerpt(diags, diag->places[i].place, NULL, style, out);
	}
	if (diag->hint && !hint_under_caret)
		put_hint(diag->hint, style, out);
}

static void put_count(FILE *out, size_t count, const char *noun)
{
	fprintf(out, "%zu %s%s", count, noun, count == 1 ? "" : "s");
}

static void put_summary(const struct gpc_diags *diags, FILE *out)
{
	size_t lost = gpc_diags_lost(diags);

	if (!diags->errors && !diags->warnings)
		return;
	if (diags->errors)
		put_count(out, diags->errors, "error");
	if (diags->errors && diags->warnings)
		fputs(", ", out);
	if (diags->warnings)
		put_count(out, diags->warnings, "warning");
	if (lost)
		fprintf(out, ", %zu of them not shown", lost);
	fputc('\n', out);
}

void gpc_diags_write_text(const struct gpc_diags *diags, const struct gpc_diag *const *records,
			  size_t count, bool color, FILE *out)
{
	for (size_t i = 0; i < count; i++)
		put_record(diags, records[i], color ? &colored : &plain, out);
	put_summary(diags, out);
}
