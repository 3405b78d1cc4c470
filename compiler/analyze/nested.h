/* SPDX-License-Identifier: MIT */
/* nested.h: listeners that lie inside of others, which is allowed and is what one may want to see. */
#ifndef GPC_ANALYZE_NESTED_H
#define GPC_ANALYZE_NESTED_H

#include "../model/ways.h"

/* `inner` takes packets that `outer` would take, if it were alone, on an interface that both have. */
struct gpc_nested {
	const struct gpc_way *inner, *outer;
};

/*
 * For each way to a listener the next wider one of another listener that it takes packets from; in the
 * order of gpc_ways.
 */
struct gpc_nested *gpc_analyze_nested(struct gpc_arena *arena, const struct gpc_model *model,
				      size_t *ret_count);

#endif
