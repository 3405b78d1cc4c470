/* SPDX-License-Identifier: MIT */
/*
 * pipeline.h: the compiler's door: text in, image bytes and diagnostics out. No root, no kernel, no
 * clock, no network, no environment. Same input, same bytes.
 */
#ifndef GPC_PIPELINE_H
#define GPC_PIPELINE_H

#include "base/provider.h"
#include "diag/diag.h"
#include "gpc/lookup/view.h"
#include "intent/load.h"

struct gpc_model;

struct gpc_compile_options {
	struct gpc_inputs inputs;
	const char *tool_version;	/* provenance only */
	const char *commit;		/* provenance only; NULL if not from a repository; its text is taken last */
	uint64_t today;			/* UTC seconds; what has expired by then is refused. 0: not judged */
	bool allow_expired;
	const struct gpc_view *parent;	/* a checked image for `rebalance: minimal`; NULL: none is given */
	const char *dump_after;		/* one of gpc_pass_names, NULL for none: text to dump_to */
	void *dump_to;			/* FILE * */
};

struct gpc_compiled {
	uint8_t *bytes;			/* in the arena of diags */
	size_t size;
	uint8_t decision_digest[32];
	uint64_t decision_size;
	const struct gpc_model *model;
};

/* Passes whose result can be dumped, in order; NULL behind the last. */
extern const char *const gpc_pass_names[];

/* The passes in order and nothing else. False if there were errors; *ret is then untouched. */
bool gpc_compile(struct gpc_diags *diags, const struct gpc_provider *provider,
		 const struct gpc_compile_options *options, struct gpc_compiled *ret);

#endif
