/* SPDX-License-Identifier: MIT */
/* fixture.h: a state folder that vanishes with the test, and small images compiled from text. */
#ifndef GPC_TESTS_LOADER_FIXTURE_H
#define GPC_TESTS_LOADER_FIXTURE_H

#include <ftw.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memfiles.h"
#include "loader/history/history.h"
#include "pipeline.h"
#include "tests/unit/unit.h"

/* One backend of `endpoints` (YAML flow mappings), one listener. */
#define PLANE_HEAD                                                                                 \
	"apiVersion: gpc/v1\nkind: Plane\nmetadata: {name: test}\n"                                \
	"interfaces:\n  - {name: wan0, mode: any, hooks: [xdp]}\n"                                 \
	"listeners:\n  - {name: http, address: 192.0.2.10, protocol: TCP, port: 80, forward: "     \
	"dsr, "                                                                                    \
	"backend: web}\n"
#define PLANE(endpoints) PLANE_HEAD "backends:\n  - name: web\n    endpoints: [" endpoints "]\n"
#define TWO_ENDPOINTS "{name: a, address: 10.0.0.1}, {name: b, address: 10.0.0.2}"

struct folder {
	char path[PATH_MAX]; /* of the state folder, which does not exist yet */
	char base[64];
};

static inline int fixture_remove(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static inline void folder_make(struct folder *f)
{
	snprintf(f->base, sizeof(f->base), "/tmp/gpc-unit-XXXXXX");
	if (!mkdtemp(f->base))
		abort();
	snprintf(f->path, sizeof(f->path), "%s/state", f->base);
}

static inline void folder_drop(struct folder *f)
{
	nftw(f->base, fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
}

static inline char *folder_file(const struct folder *f, const char *name, char out[PATH_MAX])
{
	if (snprintf(out, PATH_MAX, "%.1000s/%.1000s", f->path, name) < 0)
		abort();
	return out;
}

static inline void file_put(const char *path, const char *text)
{
	FILE *out = fopen(path, "w");

	if (!out || fputs(text, out) < 0 || fclose(out))
		abort();
}

/* Compiles files into an image (parent NULL: none); aborts (after showing why) when that fails. */
static inline struct gpc_image image_after(const struct gpc_image *parent,
					   const struct gpc_history_file *files, size_t count,
					   const char *environment)
{
	const char *inputs[] = {files[0].path};
	struct gpc_compile_options options = {.inputs = {inputs, 1, environment},
					      .tool_version = "test",
					      .parent = parent ? &parent->view : NULL};
	struct gpc_arena arena = {0};
	struct gpc_memfiles memory;
	struct gpc_compiled compiled;
	struct gpc_provider provider;
	struct gpc_image image;
	struct gpc_diags diags;

	gpc_diags_init(&diags, &arena, false);
	gpc_memfiles_init(&memory, &arena);
	for (size_t i = 0; i < count; i++)
		gpc_memfiles_add(&memory, files[i].path, files[i].bytes, files[i].size);
	provider = gpc_memfiles_provider(&memory);
	if (!gpc_compile(&diags, &provider, &options, &compiled) ||
	    !gpc_image_open(&diags, "test", compiled.bytes, compiled.size, false, &image)) {
		for (size_t i = 0; i < diags.records.n; i++)
			fprintf(stderr, "fixture: %s\n", diags.records.items[i].message);
		abort();
	}
	gpc_arena_release(&arena);
	return image;
}

static inline struct gpc_image image_of(const struct gpc_history_file *files, size_t count,
					const char *environment)
{
	return image_after(NULL, files, count, environment);
}

static inline struct gpc_image image_of_text(const char *text)
{
	return image_of(&(struct gpc_history_file){"web.yaml", text, strlen(text)}, 1, NULL);
}

#endif
