/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a whole project: form feeds part them into FILES. What must hold: the compiler
 * refuses with a diagnostic or writes an image that the reader accepts; the same image again when
 * the inputs are named in the other order.
 */
#include "base/memfiles.h"
#include "diag/render.h"
#include "image/image_file.h"
#include "pipeline.h"

#define INPUTS 2u

static const char *const paths[] = {"gpc.yaml", "b.yaml", "parts/c.yaml", "overlays/e.yaml"};
#define FILES (sizeof(paths) / sizeof(paths[0]))

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void require(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "compile_fuzz: %s\n", what);
	abort();
}

static size_t add_files(struct gpc_memfiles *files, const char *bytes, size_t size)
{
	size_t count = 0;

	for (const char *p = bytes, *end = bytes + size; p && count < FILES; count++) {
		const char *cut =
			count + 1 < FILES && p < end ? memchr(p, '\f', (size_t)(end - p)) : NULL;

		gpc_memfiles_add(files, paths[count], p, (size_t)((cut ? cut : end) - p));
		p = cut ? cut + 1 : NULL;
	}
	return count;
}

struct run {
	struct gpc_arena arena;
	struct gpc_diags diags;
	struct gpc_compiled compiled;
	bool ok;
};

static void compile(struct run *run, const struct gpc_provider *provider, size_t count,
		    bool reversed)
{
	size_t inputs = count < INPUTS ? count : INPUTS;
	const char *named[INPUTS];
	struct gpc_compile_options options = {
		.inputs = {named, inputs, count == FILES ? "e" : NULL},
		.tool_version = "fuzz",
	};

	*run = (struct run){.ok = false};
	for (size_t i = 0; i < inputs; i++)
		named[i] = paths[reversed ? inputs - 1 - i : i];
	gpc_diags_init(&run->diags, &run->arena, false);
	run->ok = gpc_compile(&run->diags, provider, &options, &run->compiled);
	require(run->ok == (run->diags.errors == 0), "what is refused has an error");
}

static void check_image(struct run *run)
{
	struct gpc_image image;

	require(gpc_image_open(&run->diags, "out.gpi", run->compiled.bytes, run->compiled.size,
			       false, &image),
		"the reader accepts what the compiler wrote");
	gpc_image_release(&image);
}

static void check_output(const struct gpc_diags *diags)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	require(out != NULL, "memory stream opens");
	gpc_diags_render(diags, GPC_DIAG_TEXT, false, out);
	fclose(out);
	for (size_t i = 0; i < size; i++)
		require((unsigned char)text[i] >= 0x20 || text[i] == '\n',
			"text form holds no control character");
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct gpc_arena arena = {0};
	struct gpc_memfiles files;
	struct gpc_provider provider;
	struct run run, again;
	size_t count;

	gpc_memfiles_init(&files, &arena);
	count = add_files(&files, (const char *)bytes, size);
	provider = gpc_memfiles_provider(&files);
	compile(&run, &provider, count, false);
	compile(&again, &provider, count, true);
	require(run.ok == again.ok, "the order of inputs does not decide what is accepted");
	if (run.ok) {
		require(run.compiled.size == again.compiled.size &&
				memcmp(run.compiled.bytes, again.compiled.bytes,
				       run.compiled.size) == 0,
			"the order of inputs does not change a byte");
		check_image(&run);
	}
	check_output(&run.diags);
	gpc_arena_release(&again.arena);
	gpc_arena_release(&run.arena);
	gpc_arena_release(&arena);
	return 0;
}
