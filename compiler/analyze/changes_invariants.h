/* SPDX-License-Identifier: MIT */
/* changes_invariants.h: what differs in an invariant: what it says, what packets it is about, its limits. */
#ifndef GPC_ANALYZE_CHANGES_INVARIANTS_H
#define GPC_ANALYZE_CHANGES_INVARIANTS_H

#include "change_text.h"

void gpc_changes_invariant_differ(const struct gpc_image *before, const struct gpc_invariant *a,
				  const struct gpc_image *after, const struct gpc_invariant *b,
				  struct gpc_change_text *out);

#endif
