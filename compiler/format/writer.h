/* SPDX-License-Identifier: MIT */
/* writer.h: elements -> text in the canonical layout; format.h says what that is. */
#ifndef GPC_FORMAT_WRITER_H
#define GPC_FORMAT_WRITER_H

#include "element.h"

struct gpc_written {
	const char *text;
	size_t size;
};

/* Text in the arena of diags. `one_line`: every text on one line, whatever its author did. */
struct gpc_written gpc_elements_write(struct gpc_diags *diags, const struct gpc_elements *elements,
				      bool one_line);

#endif
