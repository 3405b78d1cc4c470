/* SPDX-License-Identifier: MIT */
#include "output.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../../compiler/base/cleanup.h"
#include "../../compiler/base/utf8.h"
#include "../../compiler/diag/format.h"

static const char *const escapes[] = {
	[GPC_PLAIN] = "\033[0m",  [GPC_BOLD] = "\033[1m",   [GPC_DIM] = "\033[2m",
	[GPC_RED] = "\033[1;31m", [GPC_GREEN] = "\033[32m", [GPC_YELLOW] = "\033[33m",
};

void gpc_streams_guard(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

bool gpc_color_wanted(FILE *out)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	return !(no_color && *no_color) && !(term && !strcmp(term, "dumb")) && isatty(fileno(out));
}

const char *gpc_paint(FILE *out, enum gpc_paint paint)
{
	return gpc_color_wanted(out) ? escapes[paint] : "";
}

void gpc_say(const struct gpc_call *call, enum gpc_paint paint, const char *word,
	     const char *format, ...)
{
	const char *name = call->command ? call->command->name : "";
	GPC_AUTO_FREE char *text = NULL;
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	if (n < 0)
		abort();
	fflush(stdout);
	fprintf(stderr, "gpc%s%s: %s%s:%s ", *name ? " " : "", name, gpc_paint(stderr, paint), word,
		gpc_paint(stderr, GPC_PLAIN));
	gpc_put_safe(stderr, text);
	fputc('\n', stderr);
}

void gpc_say_failure(const struct gpc_call *call, const struct gpc_failure *failure)
{
	if (failure->code == GPC_EXIT_INTERRUPTED || failure->code == GPC_EXIT_TERMINATED)
		gpc_say(call, GPC_YELLOW, "interrupted", "%s", failure->message);
	else
		gpc_say(call, GPC_RED, "error", "%s", failure->message);
	if (!*failure->hint)
		return;
	fputs("  next: ", stderr);
	gpc_put_safe(stderr, failure->hint);
	fputc('\n', stderr);
}

static void say_notice(void *context, bool warning, const char *text)
{
	const struct gpc_call *call = context;

	gpc_say(call, warning ? GPC_YELLOW : GPC_DIM, warning ? "warning" : "note", "%s", text);
	if (gpc_call_has(call, "json")) {
		struct json_object *object = gpc_json("notice");

		gpc_json_text(object, "severity", warning ? "warning" : "note");
		gpc_json_text(object, "message", text);
		gpc_json_print(object);
	}
}

struct gpc_notice_sink gpc_notices(const struct gpc_call *call)
{
	return (struct gpc_notice_sink){say_notice, (void *)(uintptr_t)call};
}

/* ---- JSON ---- */

struct json_object *gpc_json(const char *type)
{
	struct json_object *object = json_object_new_object();

	gpc_json_text(object, "type", type);
	return object;
}

/* JSON is UTF-8, whatever a file is called: other bytes become U+FFFD. malloc'ed. */
static char *repair(const char *text)
{
	size_t length = strlen(text), size, bytes;
	char *repaired = NULL;
	FILE *out = open_memstream(&repaired, &size);
	uint32_t unused;

	if (!out)
		abort();
	for (size_t i = 0; i < length; i += bytes ? bytes : 1) {
		bytes = gpc_utf8_decode(text + i, length - i, &unused);
		if (bytes)
			fwrite(text + i, 1, bytes, out);
		else
			fputs("\xef\xbf\xbd", out);
	}
	if (fclose(out))
		abort();
	return repaired;
}

void gpc_json_text(struct json_object *object, const char *key, const char *value)
{
	GPC_AUTO_FREE char *text = value ? repair(value) : NULL;

	json_object_object_add(object, key, text ? json_object_new_string(text) : NULL);
}

void gpc_json_number(struct json_object *object, const char *key, int64_t value)
{
	json_object_object_add(object, key, json_object_new_int64(value));
}

void gpc_json_real(struct json_object *object, const char *key, double value, int decimals)
{
	char text[64];

	snprintf(text, sizeof(text), "%.*f", decimals, value);
	json_object_object_add(object, key, json_object_new_double_s(value, text));
}

void gpc_json_bool(struct json_object *object, const char *key, bool value)
{
	json_object_object_add(object, key, json_object_new_boolean(value));
}

void gpc_json_print(struct json_object *object)
{
	puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN |
							    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
}

enum gpc_exit gpc_finish(const struct gpc_call *call, enum gpc_exit code, struct json_object *more)
{
	struct json_object *result = more ? more : gpc_json("result");

	if (!gpc_call_has(call, "json")) {
		json_object_put(result);
		return code;
	}
	gpc_json_number(result, "exit", code);
	gpc_json_text(result, "meaning", gpc_exit_meaning(code));
	gpc_json_print(result);
	return code;
}

enum gpc_exit gpc_finish_failed(const struct gpc_call *call, const struct gpc_failure *failure)
{
	struct json_object *result = gpc_json("result");

	gpc_say_failure(call, failure);
	gpc_json_text(result, "message", failure->message);
	if (*failure->hint)
		gpc_json_text(result, "hint", failure->hint);
	return gpc_finish(call, failure->code, result);
}

/* ---- columns ---- */

/* The text with what could harm a terminal escaped; takes and gives malloc'ed text. */
static char *make_safe(char *text)
{
	char *safe = NULL;
	size_t size;
	FILE *out;

	if (!text || gpc_utf8_is_printable(text, strlen(text)))
		return text;
	out = open_memstream(&safe, &size);
	if (!out)
		abort();
	gpc_put_safe(out, text);
	if (fclose(out))
		abort();
	free(text);
	return safe;
}

void gpc_grid_add(struct gpc_grid *grid, enum gpc_paint paint, const char *format, ...)
{
	struct gpc_cell cell = {.paint = paint};
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(&cell.text, format, args);
	va_end(args);
	cell.text = make_safe(cell.text);
	grid->cells = reallocarray(grid->cells, grid->count + 1, sizeof(*grid->cells));
	if (n < 0 || !grid->cells)
		abort();
	grid->cells[grid->count++] = cell;
}

static size_t column_width(const struct gpc_grid *grid, size_t column, size_t columns)
{
	size_t width = 0;

	for (size_t i = column; i < grid->count; i += columns)
		if (strlen(grid->cells[i].text) > width)
			width = strlen(grid->cells[i].text);
	return width;
}

static void print_cell(const struct gpc_cell *cell, FILE *out, size_t width, bool right, bool last)
{
	int space = (int)(width - strlen(cell->text));

	if (right)
		fprintf(out, "%*s", space, "");
	fprintf(out, "%s%s%s", cell->paint ? gpc_paint(out, cell->paint) : "", cell->text,
		cell->paint ? gpc_paint(out, GPC_PLAIN) : "");
	if (last)
		fputc('\n', out);
	else
		fprintf(out, "%*s", (right ? 0 : space) + 2, "");
}

void gpc_grid_print(struct gpc_grid *grid, FILE *out, unsigned int indent)
{
	size_t columns = strlen(grid->alignment), width[16];

	for (size_t c = 0; c < columns; c++)
		width[c] = column_width(grid, c, columns);
	for (size_t i = 0; i < grid->count; i++) {
		size_t c = i % columns;

		if (c == 0)
			fprintf(out, "%*s", (int)indent, "");
		print_cell(&grid->cells[i], out, width[c], grid->alignment[c] == 'r',
			   c + 1 == columns);
		free(grid->cells[i].text);
	}
	free(grid->cells);
	grid->cells = NULL;
	grid->count = 0;
}

/* ---- text of values ---- */

char *gpc_text_number(uint64_t n, const char *noun, char out[32])
{
	snprintf(out, 32, "%llu %s%s", (unsigned long long)n, noun, n == 1 ? "" : "s");
	return out;
}

char *gpc_text_time(int64_t seconds, char out[32])
{
	time_t t = (time_t)seconds;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || !strftime(out, 32, "%Y-%m-%d %H:%M:%SZ", &tm))
		snprintf(out, 32, "%lld", (long long)seconds);
	return out;
}

char *gpc_text_ago(int64_t seconds, char out[32])
{
	int64_t age = (int64_t)time(NULL) - seconds;

	if (age < 0)
		out[0] = '\0'; /* the clock was set back since */
	else if (age < 120)
		snprintf(out, 32, "%lld s", (long long)age);
	else if (age < 7200)
		snprintf(out, 32, "%lld min", (long long)(age / 60));
	else if (age < 172800)
		snprintf(out, 32, "%lld h", (long long)(age / 3600));
	else
		snprintf(out, 32, "%lld days", (long long)(age / 86400));
	return out;
}

char *gpc_text_count(uint64_t value, char out[32])
{
	static const char units[] = "kMGTPE";
	double v = (double)value;
	int unit = -1;

	if (value < 100000) {
		snprintf(out, 32, "%llu", (unsigned long long)value);
		return out;
	}
	while (v >= 1000 && unit < 5) {
		v /= 1000;
		unit++;
	}
	snprintf(out, 32, "%.1f%c", v, units[unit]);
	return out;
}

char *gpc_text_bytes(uint64_t value, char out[32])
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	double v = (double)value;
	int unit = 0;

	while (v >= 1024 && unit < 6) {
		v /= 1024;
		unit++;
	}
	snprintf(out, 32, unit ? "%.1f %s" : "%.0f %s", v, units[unit]);
	return out;
}

/* ---- places ---- */

static const char *place(const char *variable, const char *otherwise)
{
	const char *value = getenv(variable);

	return value && *value ? value : otherwise;
}

const char *gpc_state_dir(void)
{
	return place("GPC_STATE_DIR", "/var/lib/gpc");
}

const char *gpc_bpffs(void)
{
	return place("GPC_BPFFS", "/sys/fs/bpf/gpc");
}
