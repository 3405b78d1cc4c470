/* SPDX-License-Identifier: MIT */
/*
 * lines.h: the lines that one collection of a source text is written on: those with its keys and
 * scalars, those of what stands in it among them. Comments, blank lines and lone brackets are none.
 */
#ifndef GPC_SYNTAX_LINES_H
#define GPC_SYNTAX_LINES_H

#include "node.h"
#include "yaml.h"

struct gpc_lines {
	GPC_VEC(uint32_t) numbers; /* ascending, in the arena of the diagnostics */
};

/* Of the first mapping or list that starts at `at`; none if there is none. */
void gpc_lines_find(struct gpc_diags *diags, const struct gpc_documents *documents,
		    struct gpc_line_column at, struct gpc_lines *ret);

#endif
