/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "../../compiler/analyze/nested.h"
#include "../../compiler/base/cleanup.h"
#include "../file.h"
#include "describe.h"
#include "input.h"
#include "output.h"
#include "prove.h"

static const struct gpc_option options[] = {
	GPC_OPTION_FILE,
	GPC_OPTION_ENV,
	GPC_OPTION_PARENT,
	{'o', "output", "FILE", "write the image here, whole or not at all; - is standard output"},
	{'v', "verbose", NULL, "sizes, tables, nested listeners, invariants and times on stderr"},
	GPC_OPTION_STRICT,
	GPC_OPTION_TODAY,
	GPC_OPTION_ALLOW_EXPIRED,
	GPC_OPTION_FORMAT,
	GPC_OPTION_JSON,
};

/* `-`, or another name of it: /dev/stdout, the file that a shell redirects to. */
static bool is_stdout(const char *path)
{
	struct stat out, st;

	return !strcmp(path, "-") ||
	       (!fstat(STDOUT_FILENO, &out) && !stat(path, &st) && !S_ISCHR(st.st_mode) &&
		out.st_dev == st.st_dev && out.st_ino == st.st_ino) ||
	       !strcmp(path, "/dev/stdout");
}

/* A pipe or a device takes bytes, but cannot be replaced. */
static bool is_stream(const char *path)
{
	struct stat st;

	return !stat(path, &st) && (S_ISCHR(st.st_mode) || S_ISFIFO(st.st_mode));
}

static int write_stream(FILE *out, const char *path, const struct gpc_compiled *compiled,
			struct gpc_failure *failure)
{
	if (!out || fwrite(compiled->bytes, 1, compiled->size, out) != compiled->size ||
	    fflush(out))
		return gpc_fail(failure, GPC_EXIT_FAILED, errno, "cannot write '%s'", path);
	return 0;
}

static int write_bytes(const char *path, const struct gpc_compiled *compiled,
		       struct gpc_failure *failure)
{
	if (is_stdout(path))
		return write_stream(stdout, path, compiled, failure);
	if (is_stream(path)) {
		GPC_AUTO_FCLOSE FILE *out = fopen(path, "we");

		return write_stream(out, path, compiled, failure);
	}
	return gpc_file_save(path, compiled->bytes, compiled->size, 0666, failure);
}

/* Listeners inside of others. */
static void describe_nested(struct gpc_input *input, FILE *out)
{
	const struct gpc_model *model = input->compiled.model;
	size_t count;
	struct gpc_nested *nested = gpc_analyze_nested(&input->arena, model, &count);

	for (size_t i = 0; i < count; i++) {
		const struct gpc_way *inner = nested[i].inner, *outer = nested[i].outer;
		char one[GPC_WAY_TEXT], other[GPC_WAY_TEXT];

		fprintf(out, "listener %s (%s) goes before %s (%s)\n",
			model->listeners[inner->listener].name, gpc_way_format(inner, one),
			model->listeners[outer->listener].name, gpc_way_format(outer, other));
	}
}

static enum gpc_exit write_image(const struct gpc_call *call, struct gpc_input *input,
				 const struct gpc_proofs *proofs)
{
	const char *path = gpc_call_value(call, "output");
	struct json_object *result = gpc_json("result");
	struct gpc_failure failure;

	if (write_bytes(path, &input->compiled, &failure)) {
		json_object_put(result);
		return gpc_finish_failed(call, &failure);
	}
	if (gpc_call_has(call, "verbose")) {
		gpc_describe_sections(&input->image, stderr);
		describe_nested(input, stderr);
		fprintf(stderr, "compiled in %.1f ms, %zu bytes of memory\n", input->compile_ms,
			input->arena.used);
	}
	gpc_json_text(result, "output", path);
	gpc_describe_json(&input->image, result);
	gpc_prove_json(proofs, result);
	if (!gpc_call_has(call, "json"))
		gpc_describe_line(&input->image, path, is_stdout(path) ? stderr : stdout);
	return gpc_finish(call, GPC_EXIT_OK, result);
}

/* What an image on stdout would spoil. */
static int check_output(const struct gpc_call *call, const char *path, struct gpc_failure *failure)
{
	bool talks = gpc_call_has(call, "json") || gpc_call_has(call, "format");

	if (!is_stdout(path) || (!talks && !isatty(STDOUT_FILENO)))
		return 0;
	gpc_fail(failure, GPC_EXIT_USAGE, 0,
		 talks ? "the image and --json or --format cannot both go to standard output"
		       : "an image is nothing for a terminal");
	return gpc_fail_hint(failure, "give -o FILE");
}

static enum gpc_exit run(const struct gpc_call *call)
{
	GPC_CLEANUP(gpc_input_release) struct gpc_input input = {0};
	struct gpc_proofs proofs;
	enum gpc_exit rc;

	if (!gpc_call_has(call, "output")) {
		gpc_fail(&input.failure, GPC_EXIT_USAGE, 0, "there is no -o FILE to write to");
		gpc_fail_hint(&input.failure, "give -o FILE; gpc check writes nothing");
		return gpc_input_end(call, &input, GPC_EXIT_USAGE);
	}
	if (check_output(call, gpc_call_value(call, "output"), &input.failure))
		return gpc_input_end(call, &input, GPC_EXIT_USAGE);
	rc = gpc_input_load(call, call->operand_count ? call->operands[0] : NULL, false, &input);
	if (!rc)
		rc = gpc_prove_input(call, &input, input.has_parent ? &input.parent : NULL, &proofs);
	return rc ? gpc_input_end(call, &input, rc) : write_image(call, &input, &proofs);
}

const struct gpc_command gpc_command_compile = {
	.name = "compile",
	.side = GPC_SIDE_AUTHOR,
	.summary = "compile intent into an image",
	.operands = "[FILE.yaml]",
	.operands_max = 1,
	.description =
		"Reads the intent, reports every mistake with its place and writes one image that\n"
		"holds the whole decision. Same input, same bytes, on every machine. What an "
		"invariant\n"
		"forbids is not written (4). Without a file:\n"
		"./gpc.yaml and ./gpc.d/*.yaml. Diagnostics go to stderr as text, to stdout as "
		"json or\n"
		"github.",
	.objects = "diagnostic, invariant",
	GPC_ROWS(options),
	GPC_EXIT_LIST(GPC_EXIT_OK, GPC_EXIT_FAILED, GPC_EXIT_INVALID, GPC_EXIT_REFUSED),
	.run = run,
};
