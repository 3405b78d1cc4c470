/* SPDX-License-Identifier: MIT */
/* bind.h: the merged tree -> struct gpc_intent, typed by keys.def. */
#ifndef GPC_INTENT_BIND_H
#define GPC_INTENT_BIND_H

#include "intent.h"
#include "values.h"

/* Fills *ret as far as it goes; what is wrong is in the diagnostics. `plane` is a mapping. */
void gpc_bind(struct gpc_values *values, const struct gpc_node *plane, struct gpc_intent *ret);

#endif
