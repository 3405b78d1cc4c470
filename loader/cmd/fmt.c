/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "../../compiler/base/cleanup.h"
#include "../../compiler/base/file.h"
#include "../../compiler/diag/render.h"
#include "../../compiler/format/format.h"
#include "../file.h"
#include "../history/text_diff.h"
#include "gpc/limits.h"
#include "input.h"
#include "output.h"

static const struct gpc_option options[] = {
	{'c', "check", NULL, "write nothing, name the files that would change; exit 2 if any"},
	{'d', "diff", NULL, "write nothing, show what would change"},
	{'w', "write", NULL, "replace the files that change, and name them"},
	GPC_OPTION_FORMAT,
	GPC_OPTION_JSON,
};

struct file {
	const char *path; /* as written; "-": standard input */
	char *before;	  /* malloc'ed */
	size_t before_size;
	const char *after; /* in the arena of the diagnostics */
	size_t after_size;
	bool changes;
};

struct work {
	const struct gpc_call *call;
	struct gpc_arena arena;
	struct gpc_diags diags;
	struct gpc_project project;
	struct file *files;
	size_t count, changed;
	struct gpc_failure failure;
};

static void release(struct work *work)
{
	for (size_t i = 0; i < work->count; i++)
		free(work->files[i].before);
	free(work->files);
	gpc_project_release(&work->project);
	gpc_arena_release(&work->arena);
}

static bool is_stdin(const char *path)
{
	return !strcmp(path, "-");
}

static bool is_json(const char *path)
{
	size_t length = strlen(path);

	return length > 5 && !strcmp(path + length - 5, ".json");
}

/* ---- which files ---- */

static int usage(struct work *work, const char *message, const char *subject)
{
	gpc_fail(&work->failure, GPC_EXIT_USAGE, 0, message, subject);
	return gpc_fail_hint(&work->failure, "gpc fmt --help");
}

static int check_usage(struct work *work)
{
	const struct gpc_call *call = work->call;
	bool writes = gpc_call_has(call, "write"), checks = gpc_call_has(call, "check");

	if (writes && checks)
		return usage(work, "--write writes and %s does not", "--check");
	for (size_t i = 0; i < work->count; i++) {
		const char *path = work->files[i].path;

		if (is_stdin(path) && (writes || work->count > 1))
			return usage(work, "standard input (%s) goes to standard output, alone",
				     path);
		if (is_json(path) && (writes || checks)) {
			gpc_fail(&work->failure, GPC_EXIT_INVALID, 0,
				 "'%s' is JSON, and the layout is not", path);
			return gpc_fail_hint(&work->failure, "gpc fmt FILE.json > FILE.yaml");
		}
	}
	if (work->count > 1 && !writes && !checks && !gpc_call_has(call, "diff") &&
	    !gpc_call_has(call, "json"))
		return usage(work, "several files: say what to do with them: %s",
			     "--check, --diff or --write");
	return 0;
}

static int find_files(struct work *work)
{
	const struct gpc_call *call = work->call;

	work->count = call->operand_count;
	if (!work->count && gpc_project_find(NULL, 0, &work->project, &work->failure))
		return -1;
	work->count += work->project.count;
	work->files = calloc(work->count, sizeof(*work->files));
	if (!work->files)
		abort();
	for (size_t i = 0; i < work->count; i++)
		work->files[i].path = call->operand_count ? call->operands[i]
							  : work->project.paths[i];
	return check_usage(work);
}

/* ---- reading ---- */

static int load_stdin(struct work *work, struct file *file)
{
	size_t room = GPC_MAX_FILE_BYTES + 1;

	file->before = malloc(room + 1);
	if (!file->before)
		abort();
	file->before_size = fread(file->before, 1, room, stdin);
	if (ferror(stdin))
		return gpc_fail(&work->failure, GPC_EXIT_FAILED, errno,
				"cannot read standard input");
	if (file->before_size == room)
		return gpc_fail(&work->failure, GPC_EXIT_INVALID, 0,
				"standard input is too large, the limit is %u bytes",
				GPC_MAX_FILE_BYTES);
	return 0;
}

static int load(struct work *work, struct file *file)
{
	uint32_t source;

	if (is_stdin(file->path) ? load_stdin(work, file)
				 : gpc_file_load(file->path, GPC_MAX_FILE_BYTES, &file->before,
						 &file->before_size, &work->failure))
		return -1;
	source = gpc_diags_add_source(&work->diags, is_stdin(file->path) ? "<stdin>" : file->path,
				      file->before, file->before_size);
	if (!gpc_format(&work->diags, source, &file->after, &file->after_size))
		return 0;
	file->changes = file->after_size != file->before_size ||
			memcmp(file->after, file->before, file->after_size) != 0;
	work->changed += file->changes;
	return 0;
}

/* ---- what becomes of a file ---- */

static int save(struct work *work, const struct file *file)
{
	int error = gpc_file_replace(AT_FDCWD, file->path, file->after, file->after_size);

	return error ? gpc_fail(&work->failure, GPC_EXIT_FAILED, -error, "cannot write '%s'",
				file->path)
		     : 0;
}

static int show(struct work *work, const struct file *file)
{
	const struct gpc_call *call = work->call;
	bool diff = gpc_call_has(call, "diff"), json = gpc_call_has(call, "json");
	bool text = !diff && !gpc_call_has(call, "check") && !gpc_call_has(call, "write");
	const struct gpc_diff_text before = {file->path, file->before, file->before_size};
	const struct gpc_diff_text after = {file->path, file->after, file->after_size};
	GPC_AUTO_FREE char *patch = NULL;
	struct json_object *object;

	if (diff && gpc_text_diff(&before, &after, &patch, &work->failure))
		return -1;
	if (json) {
		object = gpc_json("file");
		gpc_json_text(object, "file", file->path);
		gpc_json_bool(object, "changes", file->changes);
		if (diff)
			gpc_json_text(object, "diff", patch);
		if (text)
			gpc_json_text(object, "text", file->after);
		gpc_json_print(object);
	} else if (diff) {
		fputs(patch, stdout);
	} else if (text) {
		fwrite(file->after, 1, file->after_size, stdout);
	} else if (file->changes) {
		puts(file->path);
	}
	return 0;
}

static int act(struct work *work)
{
	bool writes = gpc_call_has(work->call, "write");

	for (size_t i = 0; i < work->count; i++) {
		const struct file *file = &work->files[i];

		if (show(work, file) || (writes && file->changes && save(work, file)))
			return -1;
	}
	return 0;
}

/* ---- the command ---- */

static enum gpc_exit show_diagnostics(const struct work *work)
{
	enum gpc_diag_format format;
	struct gpc_failure failure = {0};
	FILE *out;

	if (gpc_input_format(work->call, &format, &failure))
		return gpc_finish_failed(work->call, &failure);
	out = format == GPC_DIAG_TEXT ? stderr : stdout;
	gpc_diags_render(&work->diags, format, gpc_color_wanted(out), out);
	return gpc_finish(work->call, GPC_EXIT_INVALID, NULL);
}

static enum gpc_exit run(const struct gpc_call *call)
{
	GPC_CLEANUP(release) struct work work = {.call = call};
	struct json_object *result;

	gpc_diags_init(&work.diags, &work.arena, false);
	if (find_files(&work))
		return gpc_finish_failed(call, &work.failure);
	for (size_t i = 0; i < work.count; i++)
		if (load(&work, &work.files[i]))
			return gpc_finish_failed(call, &work.failure);
	if (work.diags.errors)
		return show_diagnostics(&work);
	if (act(&work))
		return gpc_finish_failed(call, &work.failure);
	result = gpc_json("result");
	gpc_json_number(result, "files", (int64_t)work.count);
	gpc_json_number(result, "changed", (int64_t)work.changed);
	return gpc_finish(call,
			  gpc_call_has(call, "check") && work.changed ? GPC_EXIT_DIFFERENT
								      : GPC_EXIT_OK,
			  result);
}

const struct gpc_command gpc_command_fmt = {
	.name = "fmt",
	.side = GPC_SIDE_AUTHOR,
	.summary = "lay intent out in the canonical way, comments kept",
	.operands = "[FILE.yaml... | -]",
	.operands_max = 1000,
	.description =
		"Writes one file, or standard input (`-`), to standard output in the canonical layout;\n"
		"several files need --check, --diff or --write. Without a file: ./gpc.yaml and\n"
		"./gpc.d/*.yaml. Nothing but the layout changes: what was laid out is read again and\n"
		"compared, and every comment stays with what it belongs to. When one file has a\n"
		"mistake, none is written. Overlays and files of tests are laid out as well; JSON\n"
		"becomes YAML, so a .json file is not replaced. docs/layout.md says what the layout is.",
	.objects = "diagnostic, file",
	GPC_ROWS(options),
	GPC_EXIT_LIST(GPC_EXIT_OK, GPC_EXIT_FAILED, GPC_EXIT_DIFFERENT, GPC_EXIT_INVALID),
	.run = run,
};
