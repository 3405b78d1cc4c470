/* SPDX-License-Identifier: MIT */
/*
 * project.h: which files to compile. The project root is the folder of the first input; all inputs
 * lie below it and are named relative to it, so the result does not depend on where one stands.
 */
#ifndef GPC_LOADER_CMD_PROJECT_H
#define GPC_LOADER_CMD_PROJECT_H

#include <stddef.h>

#include "../../compiler/base/provider.h"
#include "../fail.h"

struct gpc_project {
	char *root;
	char **paths; /* relative to root, normalised */
	size_t count;
};

/*
 * files[0..count): as the user wrote them; none: ./gpc.yaml and those .yaml in ./gpc.d, whatever
 * there is. USAGE when there is nothing to compile, INVALID for an input outside the root.
 */
int gpc_project_find(const char *const *files, size_t count, struct gpc_project *ret,
		     struct gpc_failure *failure);
/* The defaults in a folder that `files` reads: gpc.yaml and those .yaml in gpc.d. INVALID if none. */
int gpc_project_folder(const char *folder, const struct gpc_provider *files, struct gpc_project *ret,
		       struct gpc_failure *failure);
void gpc_project_release(struct gpc_project *project);

#endif
