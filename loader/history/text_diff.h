/* SPDX-License-Identifier: MIT */
/* text_diff.h: two texts line by line, as git shows them. */
#ifndef GPC_LOADER_HISTORY_TEXT_DIFF_H
#define GPC_LOADER_HISTORY_TEXT_DIFF_H

#include <stddef.h>

#include "../fail.h"

struct gpc_diff_text {
	const char *path;
	const char *text; /* NULL: there is none */
	size_t size;
};

/* *ret: malloc'ed unified diff, empty when they are the same. */
int gpc_text_diff(const struct gpc_diff_text *before, const struct gpc_diff_text *after, char **ret,
		  struct gpc_failure *failure);

#endif
