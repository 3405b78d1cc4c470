/* SPDX-License-Identifier: MIT */
/* prove.h: the invariants of what a command compiles or applies: proved, and said. */
#ifndef GPC_LOADER_CMD_PROVE_H
#define GPC_LOADER_CMD_PROVE_H

#include "../../compiler/analyze/invariants.h"
#include "input.h"

/*
 * Proves the invariants of `input`, a loaded one; `parent` is what `remap` compares with, NULL: none. Those that
 * are violated are diagnostics, in the form that the call asks for; with --json every one is an object, with
 * --verbose a line on stderr, those deferred or not judged in any case. *ret lives in the input's arena.
 *
 * REFUSED if one is violated, else OK.
 */
enum gpc_exit gpc_prove_input(const struct gpc_call *call, struct gpc_input *input,
			      const struct gpc_image *parent, struct gpc_proofs *ret);

struct json_object;

/* How many of each standing, as member `invariants` of a result object; nothing without any. */
void gpc_prove_json(const struct gpc_proofs *proofs, struct json_object *result);

/*
 * The same against what runs on this host, unless --parent names another image: for commands that change it.
 * What runs is read anew, so the caller holds the lock.
 */
enum gpc_exit gpc_prove_live(const struct gpc_call *call, struct gpc_input *input);

#endif
