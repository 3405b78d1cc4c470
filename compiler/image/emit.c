/* SPDX-License-Identifier: MIT */
#include "emit.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "../base/ip.h"
#include "../base/json_text.h"
#include "../base/utf8.h"

#define GAP 2 /* between columns */

/* ---- tables ---- */

static size_t width_of(const char *text)
{
	return gpc_utf8_count(text, strlen(text));
}

static size_t find_column(const struct gpc_emitter *emitter, const char *key)
{
	size_t i = emitter->at;

	while (i < emitter->column_count && strcmp(emitter->columns[i].key, key) != 0)
		i++;
	return i;
}

/* A key that is new stands behind the one before it in its row. */
static size_t add_column(struct gpc_emitter *emitter, const char *key)
{
	size_t at = emitter->at;

	assert(emitter->column_count < GPC_EMIT_COLUMNS);
	memmove(&emitter->columns[at + 1], &emitter->columns[at],
		(emitter->column_count - at) * sizeof(emitter->columns[0]));
	emitter->columns[at].key = key;
	emitter->columns[at].width = width_of(key);
	emitter->columns[at].right = false;
	emitter->column_count++;
	return at;
}

static void measure(struct gpc_emitter *emitter, const char *key, const char *value, bool right)
{
	size_t column = find_column(emitter, key), width = width_of(value);

	if (column == emitter->column_count)
		column = add_column(emitter, key);
	emitter->columns[column].right |= right;
	if (width > emitter->columns[column].width)
		emitter->columns[column].width = width;
	emitter->at = column + 1;
}

static void put_spaces(FILE *out, size_t count)
{
	fprintf(out, "%*s", (int)count, "");
}

/* Spaces are written when something follows them: no line ends with any. */
static void put_cell(struct gpc_emitter *emitter, size_t column, const char *value)
{
	size_t space = emitter->columns[column].width - width_of(value);

	assert(column < emitter->column_count);
	for (; emitter->at < column; emitter->at++)
		emitter->pending += emitter->columns[emitter->at].width + GAP;
	put_spaces(emitter->out, emitter->pending + (emitter->columns[column].right ? space : 0));
	fputs(value, emitter->out);
	emitter->pending = (emitter->columns[column].right ? 0 : space) + GAP;
	emitter->at = column + 1;
}

static void end_row(struct gpc_emitter *emitter)
{
	fputc('\n', emitter->out);
	emitter->at = emitter->pending = 0;
}

void gpc_emit_measure(struct gpc_emitter *emitter)
{
	emitter->measuring = true;
	emitter->column_count = emitter->at = emitter->pending = 0;
}

void gpc_emit_header(struct gpc_emitter *emitter)
{
	emitter->measuring = false;
	for (size_t i = 0; i < emitter->column_count; i++)
		put_cell(emitter, i, emitter->columns[i].key);
	if (!emitter->column_count)
		fputs("nothing", emitter->out);
	end_row(emitter);
}

/* ---- records ---- */

void gpc_emit_begin(struct gpc_emitter *emitter, const char *kind)
{
	if (emitter->json)
		fprintf(emitter->out, "{\"type\":\"%s\"", kind);
}

void gpc_emit_end(struct gpc_emitter *emitter)
{
	if (emitter->json)
		fputs("}\n", emitter->out);
	else if (emitter->measuring)
		emitter->at = 0;
	else
		end_row(emitter);
}

static void put_text(struct gpc_emitter *emitter, const char *key, const char *value, bool right)
{
	if (emitter->measuring)
		measure(emitter, key, value, right);
	else
		put_cell(emitter, find_column(emitter, key), value);
}

void gpc_emit_string(struct gpc_emitter *emitter, const char *key, const char *value)
{
	if (!emitter->json) {
		put_text(emitter, key, value, false);
		return;
	}
	fprintf(emitter->out, ",\"%s\":", key);
	gpc_json_put(emitter->out, value);
}

void gpc_emit_number(struct gpc_emitter *emitter, const char *key, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	if (emitter->json)
		fprintf(emitter->out, ",\"%s\":%s", key, text);
	else
		put_text(emitter, key, text, true);
}

void gpc_emit_share(struct gpc_emitter *emitter, const char *key, double value)
{
	char text[32];

	snprintf(text, sizeof(text), "%.2f%%", 100 * value);
	if (emitter->json)
		fprintf(emitter->out, ",\"%s\":%.4f", key, value);
	else
		put_text(emitter, key, text, true);
}

void gpc_emit_none(struct gpc_emitter *emitter, const char *key)
{
	if (emitter->measuring)
		measure(emitter, key, "", false);
}

void gpc_emit_hex(struct gpc_emitter *emitter, const char *key, uint64_t value)
{
	char text[17];

	snprintf(text, sizeof(text), "%016" PRIx64, value);
	gpc_emit_string(emitter, key, text);
}

void gpc_emit_address(struct gpc_emitter *emitter, const char *key, const void *bytes)
{
	char text[GPC_IP_TEXT];
	struct gpc_ip ip;

	memcpy(ip.bytes, bytes, sizeof(ip.bytes));
	gpc_emit_string(emitter, key, gpc_ip_format(&ip, text));
}
