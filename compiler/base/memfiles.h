/* SPDX-License-Identifier: MIT */
/*
 * memfiles.h: a provider whose files lie in memory, for tests and fuzzers. Folders exist by the
 * paths of the files in them. Everything is copied into the arena.
 */
#ifndef GPC_BASE_MEMFILES_H
#define GPC_BASE_MEMFILES_H

#include "arena.h"
#include "provider.h"

struct gpc_memfile {
	const char *path;
	const char *bytes;
	size_t size;
	enum gpc_read_status status; /* what read() says of it */
};

struct gpc_memfiles {
	struct gpc_arena *arena;
	GPC_VEC(struct gpc_memfile) files;
};

void gpc_memfiles_init(struct gpc_memfiles *files, struct gpc_arena *arena);
void gpc_memfiles_add(struct gpc_memfiles *files, const char *path, const char *bytes, size_t size);

/* A path whose read() fails with `status`; with GPC_READ_FAILED the error is EIO. */
void gpc_memfiles_add_failing(struct gpc_memfiles *files, const char *path,
			      enum gpc_read_status status);

/* `files` must outlive the provider. */
struct gpc_provider gpc_memfiles_provider(struct gpc_memfiles *files);

#endif
