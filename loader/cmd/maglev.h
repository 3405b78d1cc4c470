/* SPDX-License-Identifier: MIT */
/* maglev.h: what `gpc maglev show` and `gpc maglev whatif` share: maglev.c reads, these two speak. */
#ifndef GPC_LOADER_CMD_MAGLEV_H
#define GPC_LOADER_CMD_MAGLEV_H

#include "../../compiler/analyze/maglev.h"
#include "input.h"

/* One table of the image that was asked about. */
struct gpc_maglev_asked {
	const struct gpc_call *call;
	struct gpc_input *input;
	const char *backend;	/* name */
	uint32_t table;
	struct gpc_pool_view pool;
};

/* Exact share of endpoint `i` in slots. */
double gpc_maglev_ideal(const struct gpc_pool_view *pool, size_t i);
/* Numbers of the endpoints in name order, in the arena of the input. */
uint32_t *gpc_maglev_by_name(const struct gpc_maglev_asked *asked, const struct gpc_pool_view *pool);

void gpc_maglev_show(const struct gpc_maglev_asked *asked);
/* Edits the table as the options of the call say. */
int gpc_maglev_whatif(const struct gpc_maglev_asked *asked, struct gpc_failure *failure);

#endif
