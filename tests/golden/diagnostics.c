/* SPDX-License-Identifier: MIT */
/*
 * diagnostics: compiles files below a root folder and prints what the compiler says, for the golden
 * cases. A fault makes one path fail to be read in a way that root cannot arrange on a disk.
 *
 *   diagnostics ROOT [--denied PATH] [--failed PATH] [--dump PASS]
 *               [--today YYYY-MM-DD] [--allow-expired] [--parent FILE] [-e ENV] FILE...
 *
 * --parent FILE is compiled first, to be the parent; nothing is said about it. --dump PASS also prints the result of a
 * pass, before the diagnostics. What compiles has its invariants proved. Exits 0 if the input is valid, 3 if it is
 * not.
 */
#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "analyze/invariants.h"
#include "base/disk.h"
#include "diag/render.h"
#include "image/layout.h"
#include "intent/scalar.h"
#include "pipeline.h"

struct faulty {
	struct gpc_provider disk;
	const char *denied, *failed;
	const char *parent;
};

static enum gpc_read_status read_faulty(void *context, const char *path, size_t max,
					char **ret_text, size_t *ret_size, int *ret_error)
{
	const struct faulty *faulty = context;

	if (faulty->denied && !strcmp(path, faulty->denied))
		return GPC_READ_DENIED;
	if (faulty->failed && !strcmp(path, faulty->failed)) {
		*ret_error = EIO;
		return GPC_READ_FAILED;
	}
	return faulty->disk.read(faulty->disk.context, path, max, ret_text, ret_size, ret_error);
}

static enum gpc_read_status list_faulty(void *context, const char *path, char ***ret_names,
					size_t *ret_count, int *ret_error)
{
	const struct faulty *faulty = context;

	return faulty->disk.list(faulty->disk.context, path, ret_names, ret_count, ret_error);
}

static int usage(void)
{
	fputs("usage: diagnostics ROOT [--denied PATH] [--failed PATH] [--dump PASS]\n"
	      "                   [--today YYYY-MM-DD] [--allow-expired] [--parent FILE] [-e ENV] FILE...\n",
	      stderr);
	return 64;
}

/* The first instant of a day; 0 if it is none. */
static uint64_t day(const char *text)
{
	uint64_t end;

	return strlen(text) == 10 && gpc_scalar_date(text, &end) == GPC_SCALAR_OK ? end - 86400 : 0;
}

static bool options(int argc, char **argv, struct faulty *faulty, struct gpc_compile_options *compile)
{
	static const struct option known[] = {
		{"denied", required_argument, NULL, 'd'},
		{"failed", required_argument, NULL, 'f'},
		{"dump", required_argument, NULL, 'p'},
		{"today", required_argument, NULL, 't'},
		{"allow-expired", no_argument, NULL, 'x'},
		{"parent", required_argument, NULL, 'b'},
		{NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "+e:", known, NULL)) != -1) {
		switch (option) {
		case 'd':
			faulty->denied = optarg;
			break;
		case 'f':
			faulty->failed = optarg;
			break;
		case 'p':
			compile->dump_after = optarg;
			break;
		case 't':
			compile->today = day(optarg);
			break;
		case 'x':
			compile->allow_expired = true;
			break;
		case 'b':
			faulty->parent = optarg;
			break;
		case 'e':
			compile->inputs.environment = optarg;
			break;
		default:
			return false;
		}
	}
	compile->inputs.paths = (const char *const *)argv + optind;
	compile->inputs.count = (size_t)(argc - optind);
	return compile->inputs.count > 0;
}

/* Adds what does not hold of the compiled image. */
static bool prove(struct gpc_diags *diags, const struct gpc_compiled *compiled,
		  const struct gpc_compiled *parent)
{
	struct gpc_image image, before;
	struct gpc_proofs proofs;

	if (!gpc_image_open_written(diags, "image", compiled->bytes, compiled->size, &image) ||
	    (parent && !gpc_image_open_written(diags, "parent", parent->bytes, parent->size, &before)))
		return false;
	proofs = gpc_prove(diags->arena, &image, parent ? &before : NULL);
	gpc_proofs_report(diags, &image, compiled->model, NULL, &proofs);
	return !proofs.standing[GPC_STANDING_VIOLATED];
}

static bool compile_parent(const struct gpc_provider *provider, const char *file,
			   struct gpc_arena *arena, struct gpc_compiled *ret)
{
	const struct gpc_compile_options options = {.inputs = {&file, 1, NULL}};
	struct gpc_diags diags;

	gpc_diags_init(&diags, arena, false);
	return gpc_compile(&diags, provider, &options, ret);
}

int main(int argc, char **argv)
{
	struct gpc_arena arena = {0};
	struct gpc_diags diags;
	struct gpc_disk disk;
	struct faulty faulty = {0};
	struct gpc_provider provider = {&faulty, read_faulty, list_faulty};
	struct gpc_compile_options compile = {.tool_version = "golden", .dump_to = stdout};
	struct gpc_compiled compiled, parent;
	struct gpc_view before;
	bool valid;

	if (argc < 3 || !options(argc - 1, argv + 1, &faulty, &compile))
		return usage();
	if (gpc_disk_init(&disk, argv[1]) < 0) {
		perror(argv[1]);
		return 1;
	}
	faulty.disk = gpc_disk_provider(&disk);
	if (faulty.parent) {
		if (!compile_parent(&provider, faulty.parent, &arena, &parent))
			return usage();
		before = (struct gpc_view){(const char *)parent.bytes,
					   (1ull << gpc_size_class(parent.size)) - 1};
		compile.parent = &before;
	}
	gpc_diags_init(&diags, &arena, false);
	valid = gpc_compile(&diags, &provider, &compile, &compiled) &&
		prove(&diags, &compiled, faulty.parent ? &parent : NULL);
	gpc_diags_render(&diags, GPC_DIAG_TEXT, false, stdout);
	gpc_disk_release(&disk);
	gpc_arena_release(&arena);
	return valid ? 0 : 3;
}
