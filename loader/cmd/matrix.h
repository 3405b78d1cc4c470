/* SPDX-License-Identifier: MIT */
/* matrix.h: the forms of `gpc matrix`. */
#ifndef GPC_LOADER_CMD_MATRIX_H
#define GPC_LOADER_CMD_MATRIX_H

#include "../../compiler/analyze/matrix.h"
#include "command.h"

struct gpc_matrix_shown {
	const struct gpc_call *call;
	struct gpc_arena *arena;
	const struct gpc_matrix *matrix;
	const char *plane, *interface;
	enum gpc_direction direction;
	bool enforced;	/* audit policies decide */
};

void gpc_matrix_show_table(const struct gpc_matrix_shown *shown);
void gpc_matrix_show_csv(const struct gpc_matrix_shown *shown);
void gpc_matrix_show_mermaid(const struct gpc_matrix_shown *shown);
void gpc_matrix_show_html(const struct gpc_matrix_shown *shown);
void gpc_matrix_show_json(const struct gpc_matrix_shown *shown);

static inline const struct gpc_matrix_cell *gpc_matrix_cell_at(const struct gpc_matrix *matrix,
							       size_t from, size_t to)
{
	return &matrix->cells[from * matrix->count + to];
}

#endif
