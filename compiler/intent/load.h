/* SPDX-License-Identifier: MIT */
/*
 * load.h: from input files to one intent: read, include, merge, overlay, substitute, bind
 * (SEMANTICS 1). Each step is its own file; this is the door.
 */
#ifndef GPC_INTENT_LOAD_H
#define GPC_INTENT_LOAD_H

#include "../base/provider.h"
#include "intent.h"

struct gpc_inputs {
	const char *const *paths;	/* relative to the root, at least one */
	size_t count;
	const char *environment;	/* -e ENV, NULL for none */
};

/*
 * Fills *ret_intent as far as it goes; returns false if an error was added to diags. Every text read
 * becomes a source of diags (so the history can keep the resolved sources).
 */
bool gpc_intent_load(struct gpc_diags *diags, const struct gpc_provider *provider,
		     const struct gpc_inputs *inputs, struct gpc_intent *ret_intent);

#endif
