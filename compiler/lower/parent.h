/* SPDX-License-Identifier: MIT */
/*
 * parent.h: the image before, as far as `rebalance: minimal` asks: who has which slot of a backend's
 * tables, by stable ids. Of the parent's bytes only the decision part is read.
 */
#ifndef GPC_LOWER_PARENT_H
#define GPC_LOWER_PARENT_H

#include "maglev.h"
#include "tables.h"

struct gpc_parent;

/* A table as one listener's new flows of one family use it. */
struct gpc_table_use {
	uint32_t listener, backend, table;	/* indexes in the image */
	enum gpc_family family;
	enum gpc_reach reach;
};
typedef void gpc_table_visit(void *context, const struct gpc_table_use *use);
/* All uses in a checked image, by listener. */
void gpc_tables_visit(struct gpc_view view, gpc_table_visit *visit, void *context);

/*
 * *ret is NULL without a view, and where no backend asks for its tables. A warning where one does and
 * there is no view; false after an error if the plane names another parent (`metadata.parent`).
 */
bool gpc_parent_read(struct gpc_diags *diags, const struct gpc_model *model,
		     const struct gpc_view *view, const struct gpc_parent **ret);

/*
 * Fills slots[0..backend->table_size) from the table that the parent's listeners of this reach used, or
 * another of the backend where none did. False, with nothing filled, where there is none: no parent (NULL), a new
 * backend, nobody took flows, or, after a warning, a table of another size.
 */
bool gpc_parent_rebalance(struct gpc_diags *diags, const struct gpc_parent *parent,
			  const struct gpc_model_backend *backend, enum gpc_reach reach,
			  const struct gpc_maglev_endpoint *endpoints, size_t count, uint16_t *slots);

#endif
