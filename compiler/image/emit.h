/* SPDX-License-Identifier: MIT */
/*
 * emit.h: records as the rows of one table or as JSON objects, one a line, from the same calls:
 * gpc_emit_begin(), any number of fields, gpc_emit_end().
 *
 * A table is emitted twice, so that none of it is kept: first its columns are measured, then, after
 * gpc_emit_header(), its rows are written. Fields stand in one order; of two that stand at the same
 * place no record has both.
 */
#ifndef GPC_IMAGE_EMIT_H
#define GPC_IMAGE_EMIT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define GPC_EMIT_COLUMNS 32

struct gpc_emitter {
	FILE *out;
	bool json;
	bool measuring; /* the first time */
	struct {
		const char *key;
		size_t width;
		bool right; /* numbers */
	} columns[GPC_EMIT_COLUMNS];
	size_t column_count;
	size_t at;	/* column behind the last field of this row */
	size_t pending; /* spaces that are due if something follows in this row */
};

/* Begins a table (not for JSON). */
void gpc_emit_measure(struct gpc_emitter *emitter);
/* Ends measuring: writes the names of the columns, or says that there is nothing. */
void gpc_emit_header(struct gpc_emitter *emitter);

/* `kind` is the type of the object. */
void gpc_emit_begin(struct gpc_emitter *emitter, const char *kind);
void gpc_emit_end(struct gpc_emitter *emitter);

/* `key` outlives the emitter. */
void gpc_emit_string(struct gpc_emitter *emitter, const char *key, const char *value);
void gpc_emit_number(struct gpc_emitter *emitter, const char *key, uint64_t value);
void gpc_emit_share(struct gpc_emitter *emitter, const char *key, double value);

/* Sixteen hex digits: ids, seeds and masks do not fit a JSON number. */
void gpc_emit_hex(struct gpc_emitter *emitter, const char *key, uint64_t value);

/* A field that this record does not have but others of the table do: an empty cell. */
void gpc_emit_none(struct gpc_emitter *emitter, const char *key);

/* 16 bytes in network order, v4 as ::ffff:a.b.c.d. */
void gpc_emit_address(struct gpc_emitter *emitter, const char *key, const void *bytes);

#endif
