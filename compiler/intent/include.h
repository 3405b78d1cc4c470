/* SPDX-License-Identifier: MIT */
/*
 * include.h: reads what Plane documents include, breadth first, so that a file's depth does not
 * depend on the order of anything.
 */
#ifndef GPC_INTENT_INCLUDE_H
#define GPC_INTENT_INCLUDE_H

#include "document.h"
#include "files.h"

/*
 * `files` holds the input files. Appends the Plane and Tests documents of all files, included ones as
 * well, to the two lists.
 */
void gpc_include_all(struct gpc_files *files, struct gpc_document_list *ret_planes,
		     struct gpc_document_list *ret_tests);

#endif
