/* SPDX-License-Identifier: MIT */
/*
 * format.h: what the output forms of render.c share, and the forms. Each writes `count` records in
 * the order given.
 */
#ifndef GPC_DIAG_FORMAT_H
#define GPC_DIAG_FORMAT_H

#include <stdio.h>

#include "diag.h"

void gpc_diags_write_text(const struct gpc_diags *diags, const struct gpc_diag *const *records,
			  size_t count, bool color, FILE *out);
void gpc_diags_write_json(const struct gpc_diags *diags, const struct gpc_diag *const *records,
			  size_t count, FILE *out);
void gpc_diags_write_github(const struct gpc_diags *diags, const struct gpc_diag *const *records,
			    size_t count, FILE *out);

const char *gpc_severity_text(enum gpc_severity severity); /* "error" */

/* Records that were counted but not kept. */
size_t gpc_diags_lost(const struct gpc_diags *diags);

/*
 * Writes the code point at `text` as it is, or escaped if it could do harm on a terminal or is not
 * UTF-8 (`\x1b`, `\u{202e}`). Returns its bytes; *ret_width the columns that it takes.
 */
size_t gpc_put_code_point(FILE *out, const char *text, size_t len, unsigned int *ret_width);

/* A NUL-terminated text, code point by code point. */
void gpc_put_safe(FILE *out, const char *text);

#endif
