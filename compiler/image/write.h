/* SPDX-License-Identifier: MIT */
/* write.h: tables -> image bytes. */
#ifndef GPC_IMAGE_WRITE_H
#define GPC_IMAGE_WRITE_H

#include "../lower/tables.h"

/* What goes into the provenance part beside the places of the model's objects. */
struct gpc_provenance {
	const char *tool_version;	/* "0.1.0" */
	const char *commit;		/* NULL: not from a repository */
};

struct gpc_image_bytes {
	uint8_t *bytes;			/* in the arena of diags; zero up to the size class behind them */
	size_t size;
	size_t decision_size;
	uint8_t decision_digest[32];
};

/* False if an error was added: the image would be too large. */
bool gpc_image_write(struct gpc_diags *diags, const struct gpc_model *model,
		     const struct gpc_tables *tables, const struct gpc_provenance *provenance,
		     struct gpc_image_bytes *ret);

/*
 * The provenance part: JSON text with the tool's version, the commit, the sources in byte order, one
 * line per segment, by name, and one per object, by id:
 *   "app":["10.0.1.0/24"]
 *   "0123456789abcdef":{"kind":"listener","name":"web","at":[SOURCE,LINE,COLUMN]}
 * and for the rules of policies, which are many, only
 *   "0123456789abcdef":[SOURCE,LINE,COLUMN]
 * `text` is in the arena.
 */
struct gpc_span_text {
	const char *text;
	size_t size;
};
struct gpc_span_text gpc_provenance_text(struct gpc_diags *diags, const struct gpc_model *model,
					 const struct gpc_provenance *provenance);

#endif
