/* SPDX-License-Identifier: MIT */
/*
 * diag.h: source texts, places in them, and the diagnostics of one compilation.
 *
 * Wrong input never becomes errno: it becomes a record with a stable code (codes.def), up to three
 * places and a message. Message form: lower case, the fault before the subject, names in `backticks`,
 * no full stop. Records are collected; passes go on as long as they can and the pipeline stops
 * between passes when there are errors. Rendering (render.h) is separate: text, JSON, GitHub.
 */
#ifndef GPC_DIAG_DIAG_H
#define GPC_DIAG_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/arena.h"

enum gpc_severity { GPC_ERROR, GPC_WARNING, GPC_NOTE };

/* codes.def: X(id, "E0102", severity, "title", "what to do, for the reference") */
enum gpc_code {
#define X(id, text, severity, title, help) GPC_##id,
#include "codes.def"
#undef X
	GPC_CODE_COUNT
};

#define GPC_SOURCE_BLOCK 4096u	/* so that a column in a line of megabytes is found at once */
struct gpc_source {
	const char *path;	/* relative to the project root, as diagnostics show it */
	const char *text;	/* NUL-terminated */
	size_t size;
	const uint32_t *lines;	/* offsets of line starts */
	size_t line_count;
	const uint32_t *counted;	/* code points before each GPC_SOURCE_BLOCK bytes */
};

/* A byte range of a source; source GPC_NO_SOURCE means "no place" (command line, image). */
#define GPC_NO_SOURCE UINT32_MAX
struct gpc_place {
	uint32_t source;
	uint32_t start, end;
};
#define GPC_NOWHERE ((struct gpc_place){.source = GPC_NO_SOURCE})

struct gpc_line_column {
	uint32_t line, column;	/* from 1; column counts Unicode code points */
};

#define GPC_DIAG_PLACES 3
struct gpc_diag {
	enum gpc_code code;
	enum gpc_severity severity;
	const char *message;
	struct {
		struct gpc_place place;
		const char *label;	/* what stands under the caret; NULL for none */
	} places[GPC_DIAG_PLACES];
	unsigned int place_count;
	const char *hint;		/* next step: "did you mean `health`?"; NULL for none */
};

#define GPC_MAX_DIAGS 200u	/* further ones are counted, not kept */

struct gpc_diags {
	struct gpc_arena *arena;
	GPC_VEC(struct gpc_source) sources;
	GPC_VEC(struct gpc_diag) records;
	size_t errors, warnings;	/* all, kept or not */
	size_t nodes;			/* YAML nodes of all sources, against GPC_MAX_NODES */
	bool strict;			/* warnings become errors when added */
	struct gpc_diag scratch;	/* what gpc_diag() gives past the limit */
	/*
	 * Stands before every path that is shown, as the user wrote the folder of the first input; NULL:
	 * nothing. Sources keep their path below the root.
	 */
	const char *prefix;
};

void gpc_diags_init(struct gpc_diags *diags, struct gpc_arena *arena, bool strict);

/* Takes a copy of path and text into the arena; returns the source's number. */
uint32_t gpc_diags_add_source(struct gpc_diags *diags, const char *path, const char *text, size_t size);

/* The record added, to be given labels, places and a hint; never NULL (past the limit a scratch one). */
struct gpc_diag *gpc_diag(struct gpc_diags *diags, enum gpc_code code, struct gpc_place place,
			  const char *format, ...) __attribute__((format(printf, 4, 5)));
/* Labels are kept as pointers: literals or text in the arena. A fourth place is left out. */
void gpc_diag_place(struct gpc_diag *diag, struct gpc_place place, const char *label);
void gpc_diag_label(struct gpc_diag *diag, const char *label);	/* of the first place */
void gpc_diag_hint(struct gpc_diags *diags, struct gpc_diag *diag, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * The candidate nearest to `word` (edit distance with transposition and without case, at most a third
 * of its length, ties by order), NULL if none is near enough.
 */
const char *gpc_did_you_mean(const char *word, const char *const *candidates, size_t count);

/* Where a place (not GPC_NOWHERE) starts, and the position behind its last character. */
/* Path of a source as it is shown, in the arena. */
const char *gpc_diags_path(const struct gpc_diags *diags, uint32_t source);

struct gpc_line_column gpc_place_position(const struct gpc_diags *diags, struct gpc_place place);
struct gpc_line_column gpc_place_end_position(const struct gpc_diags *diags, struct gpc_place place);

const char *gpc_code_text(enum gpc_code code);		/* "E0102" */
enum gpc_severity gpc_code_severity(enum gpc_code code);
const char *gpc_code_title(enum gpc_code code);
const char *gpc_code_help(enum gpc_code code);

#endif
