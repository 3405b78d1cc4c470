/* SPDX-License-Identifier: MIT */
/*
 * compile_bench: from YAML text in memory to image bytes: 100 listeners, 100 backends of 100 endpoints.
 * Everything is in it: parsing, checks, 100 Maglev tables of 16,381 slots, both digests.
 */
#include <stdio.h>
#include <string.h>

#include "base/memfiles.h"
#include "bench.h"
#include "diag/render.h"
#include "pipeline.h"

#define BACKENDS 100
#define ENDPOINTS 100
#define REPEATS 21

static char *write_yaml(size_t *ret_size)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, ret_size);

	if (!out)
		return NULL;
	fputs("apiVersion: gpc/v1\nkind: Plane\nmetadata: {name: bench}\ninterfaces: [{name: wan0}]\nbackends:\n",
	      out);
	for (int b = 0; b < BACKENDS; b++) {
		fprintf(out, "  - name: pool-%d\n    endpoints:\n", b);
		for (int e = 0; e < ENDPOINTS; e++)
			fprintf(out,
				"      - {name: server-%d-%d, address: 10.%d.%d.%d, weight: %d}\n",
				b, e, b, e / 250, e % 250 + 1, 1 + (b + e) % 3);
	}
	fputs("listeners:\n", out);
	for (int b = 0; b < BACKENDS; b++)
		fprintf(out,
			"  - {name: service-%d, address: 192.0.2.%d, protocol: TCP, port: 443, backend: pool-%d}\n",
			b, b + 1, b);
	return fclose(out) ? NULL : text;
}

static bool compile(const char *text, size_t size, double *ret_ms, size_t *ret_bytes)
{
	static const char *const paths[] = {"gpc.yaml"};
	struct gpc_compile_options options = {.inputs = {paths, 1, NULL}, .tool_version = "bench"};
	struct gpc_arena arena = {0}, files_arena = {0};
	struct gpc_memfiles files;
	struct gpc_provider provider;
	struct gpc_compiled compiled;
	struct gpc_diags diags;
	double start;
	bool ok;

	gpc_memfiles_init(&files, &files_arena);
	gpc_memfiles_add(&files, paths[0], text, size);
	provider = gpc_memfiles_provider(&files);
	start = bench_now_ms();
	gpc_diags_init(&diags, &arena, true);
	ok = gpc_compile(&diags, &provider, &options, &compiled);
	if (!ok)
		gpc_diags_render(&diags, GPC_DIAG_TEXT, false, stderr);
	else
		*ret_bytes = compiled.size;
	gpc_arena_release(&arena);
	*ret_ms = bench_now_ms() - start;
	gpc_arena_release(&files_arena);
	return ok;
}

int main(void)
{
	static double samples[REPEATS];
	size_t size, bytes;
	char *text = write_yaml(&size);

	if (!text)
		return 1;
	for (int i = 0; i < REPEATS; i++)
		if (!compile(text, size, &samples[i], &bytes))
			return 1;
	printf("compile.%dx%d.ms %.1f\n", BACKENDS, BACKENDS * ENDPOINTS,
	       bench_median(samples, REPEATS));
	fprintf(stderr,
		"compile: %zu bytes of YAML in memory to %zu bytes of image, one thread, memory given back, median\n"
		"  of %d, best %.1f, worst %.1f ms\n",
		size, bytes, REPEATS, samples[0], samples[REPEATS - 1]);
	free(text);
	return 0;
}
