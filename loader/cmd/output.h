/* SPDX-License-Identifier: MIT */
/*
 * output.h: how commands speak. Results go to stdout, messages to stderr; with --json stdout
 * carries one object a line and ends with {"type":"result","exit":N,...}. Colour only on a terminal
 * and without NO_COLOR.
 */
#ifndef GPC_LOADER_CMD_OUTPUT_H
#define GPC_LOADER_CMD_OUTPUT_H

#include <json-c/json.h>

#include "../plane/plane.h"
#include "command.h"

enum gpc_paint { GPC_PLAIN, GPC_BOLD, GPC_DIM, GPC_RED, GPC_GREEN, GPC_YELLOW };

/* A standard stream that came closed becomes /dev/null, so that no file gets its messages. */
void gpc_streams_guard(void);

bool gpc_color_wanted(FILE *out);
/* The escape that begins a paint, or ends it (GPC_PLAIN); "" where there is no colour. */
const char *gpc_paint(FILE *out, enum gpc_paint paint);

/*
 * "gpc apply: error: MESSAGE" and its next step, on stderr, on one line each: what could harm a
 * terminal is escaped, whatever files are called.
 */
void gpc_say_failure(const struct gpc_call *call, const struct gpc_failure *failure);
void gpc_say(const struct gpc_call *call, enum gpc_paint paint, const char *word,
	     const char *format, ...) __attribute__((format(printf, 4, 5)));
/* Notices of the plane as warnings (and objects with --json). `call` must outlive the sink. */
struct gpc_notice_sink gpc_notices(const struct gpc_call *call);

/* ---- JSON; objects are consumed, texts need not be UTF-8 ---- */

struct json_object *gpc_json(const char *type);
void gpc_json_text(struct json_object *object, const char *key, const char *value);
void gpc_json_number(struct json_object *object, const char *key, int64_t value);
void gpc_json_real(struct json_object *object, const char *key, double value, int decimals);
void gpc_json_bool(struct json_object *object, const char *key, bool value);
void gpc_json_print(struct json_object *object);

/*
 * Ends a command: with --json prints the result object (`more`, NULL or a result object with
 * further members, is consumed). Returns `code`.
 */
enum gpc_exit gpc_finish(const struct gpc_call *call, enum gpc_exit code, struct json_object *more);
/* The same after a failure, which is said first. */
enum gpc_exit gpc_finish_failed(const struct gpc_call *call, const struct gpc_failure *failure);

/* ---- aligned columns ---- */

struct gpc_cell {
	char *text;
	enum gpc_paint paint;
};
struct gpc_grid {
	const char *alignment; /* one letter a column: l or r */
	struct gpc_cell *cells;
	size_t count;
};
/* Cells fill row after row; a row has as many as `alignment` has letters. Harmful text is escaped.
 */
void gpc_grid_add(struct gpc_grid *grid, enum gpc_paint paint, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Prints with two spaces between columns and empties the grid. */
void gpc_grid_print(struct gpc_grid *grid, FILE *out, unsigned int indent);

/* ---- text of values; out is returned ---- */

/* "1 device", "2 devices" */
char *gpc_text_number(uint64_t n, const char *noun, char out[32]);
char *gpc_text_time(int64_t seconds, char out[32]); /* 2026-05-01 12:00:00Z */
char *gpc_text_ago(int64_t seconds, char out[32]);  /* "5 min" since then; "" if in the future */
char *gpc_text_count(uint64_t value, char out[32]); /* 12345678 -> "12.3M" */
char *gpc_text_bytes(uint64_t value, char out[32]); /* "4.0 MiB" */

/* ---- places ---- */

const char *gpc_state_dir(void);
const char *gpc_bpffs(void);

#endif
