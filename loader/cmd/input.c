/* SPDX-License-Identifier: MIT */
#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../../compiler/base/cleanup.h"
#include "../../compiler/base/disk.h"
#include "../../compiler/diag/render.h"
#include "../../compiler/intent/scalar.h"
#include "../file.h"
#include "../history/origin.h"
#include "output.h"
#include "parent.h"

/* ---- diagnostics ---- */

/* A command may have a --format of its own, for what it says. */
static bool is_for_diagnostics(const struct gpc_call *call)
{
	static const struct gpc_option format = GPC_OPTION_FORMAT;

	for (size_t i = 0; i < call->given_count; i++)
		if (!strcmp(call->given[i].option->name, format.name))
			return !strcmp(call->given[i].option->argument, format.argument);
	return false;
}

enum gpc_exit gpc_input_format(const struct gpc_call *call, enum gpc_diag_format *ret,
			       struct gpc_failure *failure)
{
	static const char *const names[] = {
		[GPC_DIAG_TEXT] = "text", [GPC_DIAG_JSON] = "json", [GPC_DIAG_GITHUB] = "github"};
	const char *format = gpc_call_value(call, "format");

	*ret = gpc_call_has(call, "json") ? GPC_DIAG_JSON : GPC_DIAG_TEXT;
	if (!format || !is_for_diagnostics(call))
		return GPC_EXIT_OK;
	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(format, names[i])) {
			*ret = (enum gpc_diag_format)i;
			return GPC_EXIT_OK;
		}
	gpc_fail(failure, GPC_EXIT_USAGE, 0, "'%s' is no format; there are text, json and github",
		 format);
	return failure->code;
}

static bool has_option(const struct gpc_command *command, const char *name)
{
	for (size_t i = 0; i < command->option_count; i++)
		if (!strcmp(command->options[i].name, name))
			return true;
	return false;
}

/* Commands that cannot be strict look at what others made: its warnings are not theirs to give. */
static void show_diagnostics(const struct gpc_call *call, const struct gpc_input *input,
			     enum gpc_diag_format format)
{
	FILE *out = format == GPC_DIAG_TEXT ? stderr : stdout;

	if (call->quiet)
		return;
	if (!input->diags.errors && !has_option(call->command, "strict"))
		return;
	fflush(stdout);
	gpc_diags_render(&input->diags, format, gpc_color_wanted(out), out);
}

/* ---- intent ---- */

/* -f FILE..., then the operands. */
static const char **written_files(const struct gpc_call *call, const char *const *operands,
				  size_t operand_count, size_t *ret_count)
{
	const char **files = calloc(call->given_count + operand_count + 1, sizeof(*files));
	size_t count = 0;

	if (!files)
		abort();
	for (size_t i = 0; i < call->given_count; i++)
		if (!strcmp(call->given[i].option->name, "file"))
			files[count++] = call->given[i].value;
	for (size_t i = 0; i < operand_count; i++)
		files[count++] = operands[i];
	*ret_count = count;
	return files;
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

#define DAY_SECONDS 86400u

/* The instant that `expires` is judged by, 0: it is not judged. */
static int read_today(const struct gpc_call *call, uint64_t *ret, struct gpc_failure *failure)
{
	const char *text = gpc_call_value(call, "today");
	uint64_t end;

	*ret = has_option(call->command, "today") ? (uint64_t)time(NULL) : 0;
	if (!text)
		return 0;
	/* A day with a time behind it is a date too, but no day. */
	if (strchr(text, 'T') || gpc_scalar_date(text, &end) != GPC_SCALAR_OK)
		return gpc_fail(failure, GPC_EXIT_USAGE, 0, "not a day: '%s'; write YYYY-MM-DD",
				text);
	*ret = end - DAY_SECONDS;
	return 0;
}

static bool compile(const struct gpc_call *call, const struct gpc_provider *files,
		    const char *commit, struct gpc_input *input)
{
	const struct gpc_compile_options options = {
		.inputs = {(const char *const *)input->project.paths, input->project.count,
			   gpc_call_value(call, "env")},
		.tool_version = GPC_VERSION,
		.commit = commit,
		.today = input->today,
		.allow_expired = gpc_call_has(call, "allow-expired"),
		.parent = input->has_parent ? &input->parent.view : NULL,
	};
	double begin = now_ms();
	bool good = gpc_compile(&input->diags, files, &options, &input->compiled) &&
		    gpc_image_open_written(&input->diags, "compiled image", input->compiled.bytes,
					   input->compiled.size, &input->image);

	input->compile_ms = now_ms() - begin;
	input->has_image = good;
	return good;
}

static bool compile_disk(const struct gpc_call *call, const struct gpc_provider *disk,
			 struct gpc_input *input)
{
	GPC_CLEANUP(gpc_origin_close)
	struct gpc_origin *origin = gpc_origin_open(input->project.root, disk);
	const struct gpc_provider files = gpc_origin_files(origin);

	return compile(call, &files, gpc_origin_commit(origin), input);
}

/* "web.yaml", or "web.yaml and 2 more". */
static char *name_project(const struct gpc_project *project)
{
	char *name;

	if (project->count == 1)
		name = strdup(project->paths[0]);
	else if (asprintf(&name, "%s and %zu more", project->paths[0], project->count - 1) < 0)
		name = NULL;
	if (!name)
		abort();
	return name;
}

/* Diagnostics show paths as the user would write them: below the folder that was written. */
static const char *written_folder(struct gpc_arena *arena, const char *file)
{
	const char *slash;

	while (!strncmp(file, "./", 2))
		file += 2;
	slash = strrchr(file, '/');
	return slash ? gpc_arena_strndup(arena, file, (size_t)(slash - file) + 1) : NULL;
}

static enum gpc_exit load_files(const struct gpc_call *call, const char *const *files, size_t count,
				enum gpc_diag_format format, struct gpc_input *input)
{
	struct gpc_disk disk;
	bool good;
	int error;

	if (gpc_project_find(files, count, &input->project, &input->failure))
		return input->failure.code;
	input->name = name_project(&input->project);
	if (count)
		input->diags.prefix = written_folder(&input->arena, files[0]);
	error = gpc_disk_init(&disk, input->project.root);
	if (error) {
		gpc_fail(&input->failure, error == -ENOENT ? GPC_EXIT_INVALID : GPC_EXIT_FAILED,
			 -error, "cannot open folder '%s'", input->project.root);
		return input->failure.code;
	}
	const struct gpc_provider provider = gpc_disk_provider(&disk);
	good = compile_disk(call, &provider, input);
	gpc_disk_release(&disk);
	show_diagnostics(call, input, format);
	return good ? GPC_EXIT_OK : GPC_EXIT_INVALID;
}

static enum gpc_exit load_intent(const struct gpc_call *call, const char *const *operands,
				 size_t operand_count, enum gpc_diag_format format,
				 struct gpc_input *input)
{
	size_t count;
	GPC_AUTO_FREE const char **files = written_files(call, operands, operand_count, &count);

	return load_files(call, files, count, format, input);
}

/* ---- images ---- */

static enum gpc_exit load_parent(const struct gpc_call *call, enum gpc_diag_format format,
				 struct gpc_input *input)
{
	const char *name = gpc_call_value(call, "parent");
	enum gpc_exit rc;

	if (!name)
		return GPC_EXIT_OK;
	rc = gpc_parent_open(name, &input->diags, &input->parent, &input->failure);
	input->has_parent = !rc;
	if (rc)
		show_diagnostics(call, input, format);
	return rc;
}

/* By name, else by the first bytes: a mistyped image is not to be reported as bad YAML. */
bool gpc_input_is(const char *path, const char *suffix, uint32_t magic)
{
	size_t length = strlen(path), end = strlen(suffix);
	GPC_AUTO_CLOSE int fd = -1;
	uint32_t found = 0;

	if (length > end && !strcmp(path + length - end, suffix))
		return true;
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	return fd >= 0 && read(fd, &found, sizeof(found)) == sizeof(found) && found == magic;
}

bool gpc_input_is_image(const char *path)
{
	return gpc_input_is(path, ".gpi", GPC_IMAGE_MAGIC);
}

static enum gpc_exit load_image(const struct gpc_call *call, const char *path,
				enum gpc_diag_format format, struct gpc_input *input)
{
	const char *slash = strrchr(path, '/');
	GPC_AUTO_FREE char *bytes = NULL;
	size_t size;

	input->name = strdup(slash ? slash + 1 : path);
	if (!input->name)
		abort();
	if (gpc_file_load(path, GPC_MAX_IMAGE_BYTES, &bytes, &size, &input->failure))
		return input->failure.code;
	input->has_image = gpc_image_open(&input->diags, path, bytes, size, false, &input->image);
	show_diagnostics(call, input, format);
	return input->has_image ? GPC_EXIT_OK : GPC_EXIT_INVALID;
}

static enum gpc_exit begin(const struct gpc_call *call, struct gpc_input *ret,
			   enum gpc_diag_format *ret_format)
{
	*ret = (struct gpc_input){0};
	gpc_diags_init(&ret->diags, &ret->arena, gpc_call_has(call, "strict"));
	return gpc_input_format(call, ret_format, &ret->failure) ||
	       read_today(call, &ret->today, &ret->failure);
}

enum gpc_exit gpc_input_load(const struct gpc_call *call, const char *operand, bool images,
			     struct gpc_input *ret)
{
	enum gpc_diag_format format;
	enum gpc_exit rc;

	/* In place: diagnostics point into the arena of the same struct. */
	if (begin(call, ret, &format))
		return ret->failure.code;
	rc = load_parent(call, format, ret);
	if (rc)
		return rc;
	if (!images || !operand || !gpc_input_is_image(operand))
		return load_intent(call, &operand, operand ? 1 : 0, format, ret);
	if (gpc_call_has(call, "file") || gpc_call_has(call, "env") ||
	    gpc_call_has(call, "today") || gpc_call_has(call, "allow-expired")) {
		gpc_fail(&ret->failure, GPC_EXIT_USAGE, 0,
			 "'%s' is a finished image: -f, -e, --today and --allow-expired have no meaning for it",
			 operand);
		return ret->failure.code;
	}
	return load_image(call, operand, format, ret);
}

enum gpc_exit gpc_input_files(const struct gpc_call *call, struct gpc_input *ret)
{
	enum gpc_diag_format format;

	return begin(call, ret, &format)
		       ? ret->failure.code
		       : load_intent(call, call->operands, call->operand_count, format, ret);
}

enum gpc_exit gpc_input_image(const struct gpc_call *call, const char *path, struct gpc_input *ret)
{
	enum gpc_diag_format format;

	return begin(call, ret, &format) ? ret->failure.code : load_image(call, path, format, ret);
}

enum gpc_exit gpc_input_begin(const struct gpc_call *call, struct gpc_input *ret)
{
	enum gpc_diag_format format;

	return begin(call, ret, &format) ? ret->failure.code : GPC_EXIT_OK;
}

enum gpc_exit gpc_input_written(const struct gpc_call *call, const char *const *files, size_t count,
				struct gpc_input *ret)
{
	enum gpc_diag_format format;
	enum gpc_exit rc;

	if (begin(call, ret, &format))
		return ret->failure.code;
	rc = load_parent(call, format, ret);
	return rc ? rc : load_files(call, files, count, format, ret);
}

enum gpc_exit gpc_input_from(const struct gpc_call *call, const struct gpc_provider *files,
			     struct gpc_project *project, const char *commit, struct gpc_input *ret)
{
	enum gpc_diag_format format;
	enum gpc_exit rc;
	bool good;

	rc = begin(call, ret, &format);
	ret->project = *project;
	*project = (struct gpc_project){0};
	if (rc)
		return ret->failure.code;
	if (!gpc_call_has(call, "today"))
		ret->today = 0;
	rc = load_parent(call, format, ret);
	if (rc)
		return rc;
	ret->name = name_project(&ret->project);
	good = compile(call, files, commit, ret);
	show_diagnostics(call, ret, format);
	return good ? GPC_EXIT_OK : GPC_EXIT_INVALID;
}

void gpc_input_say(const struct gpc_call *call, const struct gpc_input *input)
{
	enum gpc_diag_format format;
	struct gpc_failure failure;

	if (!gpc_input_format(call, &format, &failure))
		show_diagnostics(call, input, format);
}

enum gpc_exit gpc_input_end(const struct gpc_call *call, const struct gpc_input *input,
			    enum gpc_exit code)
{
	return *input->failure.message ? gpc_finish_failed(call, &input->failure)
				       : gpc_finish(call, code, NULL);
}

void gpc_input_release(struct gpc_input *input)
{
	if (input->has_image)
		gpc_image_release(&input->image);
	if (input->has_parent)
		gpc_image_release(&input->parent);
	gpc_project_release(&input->project);
	gpc_arena_release(&input->arena);
	free(input->name);
	*input = (struct gpc_input){0};
}
