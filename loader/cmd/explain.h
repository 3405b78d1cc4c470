/* SPDX-License-Identifier: MIT */
/* explain.h: the parts of `gpc explain`: one packet in words or as an object, many a line each. */
#ifndef GPC_LOADER_CMD_EXPLAIN_H
#define GPC_LOADER_CMD_EXPLAIN_H

#include "../../compiler/analyze/explain.h"
#include "../../compiler/model/model.h"
#include "command.h"

struct gpc_explain_call {
	const struct gpc_call *call;
	const struct gpc_image *image;
	const struct gpc_model *model;	/* NULL: only the image is there */
	struct gpc_explain_point point;
	const char *interface;		/* as given, or the item's text */
	bool audit;			/* the running plane's policies only audit */
};

void gpc_explain_text(const struct gpc_explain_call *explain, const struct gpc_question *packet,
		      FILE *out);
void gpc_explain_json(const struct gpc_explain_call *explain, const struct gpc_question *packet);

/* One packet a line of `path` (`-`: standard input), one answer a line on stdout. */
int gpc_explain_batch(const struct gpc_explain_call *explain, const char *path,
		      struct gpc_failure *failure);

#endif
