/* SPDX-License-Identifier: MIT */
/*
 * values.h: `values:` and `${name}`. Scalars are expanded as the binder asks for them; the text is
 * inserted once, never expanded again and never parsed as YAML. `$${` gives `${`, a `$` before
 * anything else is itself.
 */
#ifndef GPC_INTENT_VALUES_H
#define GPC_INTENT_VALUES_H

#include "../syntax/node.h"
#include "names.h"

struct gpc_values {
	struct gpc_diags *diags;
	const struct gpc_node *node; /* the merged `values` mapping, NULL for none */
	struct gpc_names names;	     /* number = pair of node */
	bool *used;		     /* by pair */
	size_t expanded_bytes;
};

/* A scalar as the schema sees it. */
struct gpc_scalar {
	const char *text;
	struct gpc_place at;   /* as written */
	struct gpc_place from; /* of the value that was inserted (the last one), or GPC_NOWHERE */
	const char *from_name;
};

/* Checks names and scalars of `node` (NULL for none). */
void gpc_values_init(struct gpc_values *values, struct gpc_diags *diags,
		     const struct gpc_node *node);

/* False if a diagnostic was added. */
bool gpc_values_expand(struct gpc_values *values, const struct gpc_node *scalar,
		       struct gpc_scalar *ret);

/* After all scalars were expanded. */
void gpc_values_report_unused(const struct gpc_values *values);

/* Does the text ask for an expansion? For names, where it does not work. */
bool gpc_values_mentioned(const char *text);

#endif
