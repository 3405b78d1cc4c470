/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "../../compiler/base/cleanup.h"
#include "../../compiler/diag/render.h"
#include "../file.h"
#include "output.h"
#include "template.h"

static const struct gpc_option options[] = {
	{0, "list", NULL, "the templates, and what each is for"},
	{0, "parameters", NULL, "what can be chosen in the template: type, default, what it is for"},
	{'s', "set", "NAME=VALUE...", "choose a parameter"},
	{'o', "output", "DIR", "write below this folder, which is made; default is the current one"},
	{0, "force", NULL, "replace files that are there already"},
	GPC_OPTION_JSON,
};

struct work {
	const struct gpc_call *call;
	struct gpc_arena arena;
	struct gpc_template template;
	struct gpc_rendered *files;
	struct gpc_failure failure;
};

static void release(struct work *work)
{
	gpc_arena_release(&work->arena);
}

/* ---- listings ---- */

static enum gpc_exit list_templates(struct work *work)
{
	bool json = gpc_call_has(work->call, "json");
	struct gpc_grid grid = {.alignment = "ll"};
	size_t count;
	const char *const *names = gpc_template_names(&work->arena, &count);

	for (size_t i = 0; i < count; i++) {
		struct json_object *object;

		if (gpc_template_open(&work->arena, names[i], &work->template, &work->failure))
			return gpc_finish_failed(work->call, &work->failure);
		if (!json) {
			gpc_grid_add(&grid, GPC_BOLD, "%s", names[i]);
			gpc_grid_add(&grid, GPC_PLAIN, "%s", work->template.summary);
			continue;
		}
		object = gpc_json("template");
		gpc_json_text(object, "name", names[i]);
		gpc_json_text(object, "summary", work->template.summary);
		gpc_json_print(object);
	}
	if (!json)
		gpc_grid_print(&grid, stdout, 0);
	return gpc_finish(work->call, GPC_EXIT_OK, NULL);
}

static void add_parameter(struct gpc_grid *grid, const struct gpc_parameter *parameter)
{
	gpc_grid_add(grid, GPC_BOLD, "%s", parameter->name);
	gpc_grid_add(grid, GPC_PLAIN, "%s", parameter->type);
	gpc_grid_add(grid, GPC_PLAIN, "%s", parameter->value);
	gpc_grid_add(grid, GPC_PLAIN, "%s", parameter->doc);
}

static void print_parameter(const struct gpc_parameter *parameter)
{
	struct json_object *object = gpc_json("parameter");

	gpc_json_text(object, "name", parameter->name);
	gpc_json_text(object, "value_type", parameter->type);
	gpc_json_text(object, "default", parameter->fallback);
	gpc_json_text(object, "doc", parameter->doc);
	gpc_json_print(object);
}

static enum gpc_exit list_parameters(const struct work *work)
{
	const struct gpc_template *template = &work->template;
	bool json = gpc_call_has(work->call, "json");
	struct gpc_grid grid = {.alignment = "llll"};

	for (size_t i = 0; i < template->parameters.n; i++) {
		if (json)
			print_parameter(&template->parameters.items[i]);
		else
			add_parameter(&grid, &template->parameters.items[i]);
	}
	if (!json) {
		printf("%s: %s\n\n", template->name, template->summary);
		gpc_grid_print(&grid, stdout, 0);
	}
	return gpc_finish(work->call, GPC_EXIT_OK, NULL);
}

/* ---- writing ---- */

static const char *path_of(struct work *work, size_t file)
{
	const char *folder = gpc_call_value(work->call, "output");

	if (!folder || !strcmp(folder, "."))
		return work->files[file].path;
	return gpc_arena_printf(&work->arena, "%s/%s", folder, work->files[file].path);
}

static int check_absent(struct work *work)
{
	struct stat st;

	for (size_t i = 0; i < work->template.file_count; i++) {
		const char *path = path_of(work, i);

		if (lstat(path, &st) != 0)
			continue;
		gpc_fail(&work->failure, GPC_EXIT_REFUSED, 0, "'%s' is there already", path);
		return gpc_fail_hint(&work->failure, "-o another folder, or --force to replace it");
	}
	return 0;
}

/* The folders on the way to a file. */
static int make_folders(struct work *work, const char *path)
{
	for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		const char *folder =
			gpc_arena_strndup(&work->arena, path, (size_t)(slash - path));

		if (mkdir(folder, 0777) != 0 && errno != EEXIST)
			return gpc_fail(&work->failure, GPC_EXIT_FAILED, errno,
					"cannot make folder '%s'", folder);
	}
	return 0;
}

static int write_files(struct work *work)
{
	if (!gpc_call_has(work->call, "force") && check_absent(work))
		return -1;
	for (size_t i = 0; i < work->template.file_count; i++) {
		const char *path = path_of(work, i);

		if (make_folders(work, path) ||
		    gpc_file_save(path, work->files[i].text, work->files[i].size, 0666,
				  &work->failure))
			return -1;
	}
	return 0;
}

static void say_written(struct work *work)
{
	for (size_t i = 0; i < work->template.file_count; i++) {
		struct json_object *object;

		if (!gpc_call_has(work->call, "json")) {
			puts(path_of(work, i));
			continue;
		}
		object = gpc_json("file");
		gpc_json_text(object, "file", path_of(work, i));
		gpc_json_print(object);
	}
	gpc_say(work->call, GPC_GREEN, "next", "gpc test -f %s", path_of(work, 0));
}

/* ---- the command ---- */

static int choose(struct work *work)
{
	const struct gpc_call *call = work->call;

	if (gpc_template_open(&work->arena, call->operands[0], &work->template, &work->failure))
		return -1;
	for (size_t i = 0; i < call->given_count; i++)
		if (!strcmp(call->given[i].option->name, "set") &&
		    gpc_template_set(&work->template, call->given[i].value, &work->failure))
			return -1;
	return 0;
}

static enum gpc_exit write_template(struct work *work)
{
	struct gpc_diags diags;
	int rc;

	gpc_diags_init(&diags, &work->arena, false);
	rc = gpc_template_render(&work->template, &diags, &work->files, &work->failure);
	gpc_diags_render(&diags, gpc_call_has(work->call, "json") ? GPC_DIAG_JSON : GPC_DIAG_TEXT,
			 false, gpc_call_has(work->call, "json") ? stdout : stderr);
	if (rc || write_files(work))
		return gpc_finish_failed(work->call, &work->failure);
	say_written(work);
	return gpc_finish(work->call, GPC_EXIT_OK, NULL);
}

static enum gpc_exit run(const struct gpc_call *call)
{
	GPC_CLEANUP(release) struct work work = {.call = call};
	const char *folder = gpc_call_value(call, "output");

	if (gpc_call_has(call, "list"))
		return list_templates(&work);
	if (folder && !*folder) {
		gpc_fail(&work.failure, GPC_EXIT_USAGE, 0, "-o is empty");
		gpc_fail_hint(&work.failure, "-o . is the current folder");
		return gpc_finish_failed(call, &work.failure);
	}
	if (!call->operand_count) {
		gpc_fail(&work.failure, GPC_EXIT_USAGE, 0, "TEMPLATE is missing");
		gpc_fail_hint(&work.failure, "gpc init --list");
		return gpc_finish_failed(call, &work.failure);
	}
	if (choose(&work))
		return gpc_finish_failed(call, &work.failure);
	return gpc_call_has(call, "parameters") ? list_parameters(&work) : write_template(&work);
}

const struct gpc_command gpc_command_init = {
	.name = "init",
	.side = GPC_SIDE_AUTHOR,
	.summary = "a plane to begin with, from a template",
	.operands = "[TEMPLATE]",
	.operands_max = 1,
	.description =
		"Writes gpc.yaml, with tests, and what else the template has, in the canonical layout.\n"
		"What can be chosen stands under `values` in the file, and can be changed there later.\n"
		"A file that is there already is not replaced without --force, and nothing is written\n"
		"when the values make no plane.",
	.objects = "template, parameter, file, diagnostic",
	GPC_ROWS(options),
	GPC_EXIT_LIST(GPC_EXIT_OK, GPC_EXIT_FAILED, GPC_EXIT_INVALID, GPC_EXIT_REFUSED),
	.run = run,
};
