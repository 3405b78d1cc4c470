/* SPDX-License-Identifier: MIT */
/*
 * files.h: the files of one plane: each read once, parsed, and remembered by its normalised path.
 * What cannot be read is a diagnostic at the place that asked for it.
 */
#ifndef GPC_INTENT_FILES_H
#define GPC_INTENT_FILES_H

#include "../base/provider.h"
#include "../syntax/yaml.h"

struct gpc_file {
	const char *path;
	unsigned int depth; /* of includes; an input file has 0 */
	bool was_read;
	struct gpc_documents documents;
};

struct gpc_files {
	struct gpc_diags *diags;
	const struct gpc_provider *provider;
	struct gpc_arena *tree; /* the nodes of all documents: needed until they are bound */
	GPC_VEC(struct gpc_file) files; /* in the order in which they were asked for */
	GPC_VEC(const char *) sorted;	/* their paths */
	size_t folders;			/* looked into for patterns */
	size_t text_bytes;		/* read in all */
	size_t feed_bytes;		/* read in all */
	bool full;			/* a limit was met and reported: nothing more is read */
};

/* Who asks for a file. */
struct gpc_request {
	const char *text;	/* as the author wrote it, for messages */
	struct gpc_place place; /* GPC_NOWHERE: the command line */
	unsigned int depth;
	bool may_be_missing; /* it came from a pattern */
};

/* Reads and parses `path` (normalised), if it was not read yet. */
void gpc_files_read(struct gpc_files *files, const char *path, const struct gpc_request *request);

/* Reads `path` as it is; the number of the source, GPC_NO_SOURCE with a diagnostic. */
uint32_t gpc_files_read_feed(struct gpc_files *files, const char *path,
			     const struct gpc_request *request);

/* A path as written, below the folder of `file` (NULL: the root). NULL, with a diagnostic, if none. */
const char *gpc_files_resolve(struct gpc_files *files, const char *file,
			      const struct gpc_request *request);

/* What a failure of the provider means. */
void gpc_files_report(struct gpc_files *files, enum gpc_read_status status, int error,
		      const char *path, const struct gpc_request *request);

/* Too many files or folders: reported once. */
void gpc_files_report_full(struct gpc_files *files, const struct gpc_request *request);

#endif
