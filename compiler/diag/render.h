/* SPDX-License-Identifier: MIT */
/*
 * render.h: diagnostics for people (text with line and caret), programs (JSON, one object a line)
 * and forges (GitHub annotations). Output order: source, place, code; stable under any input order.
 */
#ifndef GPC_DIAG_RENDER_H
#define GPC_DIAG_RENDER_H

#include <stdio.h>

#include "diag.h"

enum gpc_diag_format { GPC_DIAG_TEXT, GPC_DIAG_JSON, GPC_DIAG_GITHUB };

/* Writes all records, then in text form a closing count line when there are any. */
void gpc_diags_render(const struct gpc_diags *diags, enum gpc_diag_format format, bool color, FILE *out);

#endif
