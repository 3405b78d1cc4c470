/* SPDX-License-Identifier: MIT */
#include "target.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../compiler/base/cleanup.h"
#include "../../compiler/base/disk.h"
#include "../history/revision.h"
#include "activate.h"
#include "output.h"
#include "parent.h"
#include "plan_file.h"

#define LIVE "live"

/* One way to read an argument. */
struct reading {
	enum gpc_target_kind kind;
	const char *text; /* without the prefix */
	const char *what; /* "a file" */
	const char *force;
};

__attribute__((format(printf, 2, 3))) static void name_target(struct gpc_target *target, const char *format, ...)
{
	va_list args;

	free(target->name);
	va_start(args, format);
	if (vasprintf(&target->name, format, args) < 0)
		abort();
	va_end(args);
}

static enum gpc_exit failed(const struct gpc_target *target)
{
	return target->input.failure.code;
}

/* ---- files ---- */

static bool is_folder(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

static enum gpc_exit open_folder(const struct gpc_call *call, const char *path,
				 struct gpc_target *target)
{
	struct gpc_failure *failure = &target->input.failure;
	struct gpc_project project = {0};
	struct gpc_disk disk;
	enum gpc_exit rc;
	int error = gpc_disk_init(&disk, path);

	if (error) {
		gpc_fail(failure, GPC_EXIT_FAILED, -error, "cannot open folder '%s'", path);
		return failure->code;
	}
	const struct gpc_provider files = gpc_disk_provider(&disk);
	rc = gpc_project_folder(path, &files, &project, failure)
		     ? failure->code
		     : gpc_input_from(call, &files, &project, NULL, &target->input);
	gpc_disk_release(&disk);
	return rc;
}

static enum gpc_exit open_path(const struct gpc_call *call, const char *path,
			       struct gpc_target *target)
{
	bool is_plan = gpc_plan_is_file(path);
	struct gpc_plan_head ignored;
	const char *environment;

	name_target(target, "%s", path);
	if (is_folder(path))
		return open_folder(call, path, target);
	if (!is_plan && !gpc_input_is_image(path))
		return gpc_input_written(call, &path, 1, &target->input);
	target->kind = GPC_TARGET_IMAGE;
	return is_plan ? gpc_plan_open(call, path, &target->input, &ignored, &environment)
		       : gpc_input_image(call, path, &target->input);
}

static enum gpc_exit open_default(const struct gpc_call *call, struct gpc_target *target)
{
	enum gpc_exit rc = gpc_input_load(call, NULL, false, &target->input);

	if (target->input.name)
		name_target(target, "%s", target->input.name);
	return rc;
}

/* ---- generations and what runs ---- */

static int open_history(struct gpc_history **ret, struct gpc_failure *failure)
{
	return gpc_history_open(gpc_state_dir(), false, ret, failure);
}

static int find_back(struct gpc_history *history, size_t back, struct gpc_generation *ret,
		     struct gpc_failure *failure)
{
	GPC_AUTO_FREE struct gpc_generation *list = NULL;
	size_t count;

	if (gpc_history_list(history, back + 1, &list, &count, failure))
		return -1;
	if (count <= back) {
		gpc_fail(failure, GPC_EXIT_INVALID, 0,
			 "there are only %zu generations, none stands %zu before the newest", count,
			 back);
		return gpc_fail_hint(failure, "gpc log lists them");
	}
	*ret = list[back];
	return 0;
}

static int open_image(struct gpc_history *history, const struct gpc_generation *generation,
		      struct gpc_target *target)
{
	struct gpc_input *input = &target->input;

	target->generation = generation->number;
	name_target(target, "generation %u", generation->number);
	if (gpc_history_image(history, generation, &input->image, NULL, &input->failure))
		return -1;
	input->has_image = true;
	return 0;
}

/* "N", "~N": how many before the newest. */
static int find_written(struct gpc_history *history, const char *text, struct gpc_generation *ret,
			struct gpc_failure *failure)
{
	bool back = *text == '~';
	unsigned long number;

	if (!gpc_number_parse(text + back, !back, 1u << 29, &number))
		return gpc_fail(failure, GPC_EXIT_USAGE, 0, "'%s' is no generation's number", text);
	return back ? find_back(history, number, ret, failure)
		    : gpc_history_find(history, (uint32_t)number, ret, failure);
}

static enum gpc_exit open_generation(const struct gpc_call *call, const char *text,
				     struct gpc_target *target)
{
	GPC_CLEANUP(gpc_history_free) struct gpc_history *history = NULL;
	struct gpc_failure *failure = &target->input.failure;
	struct gpc_generation generation;

	if (gpc_input_begin(call, &target->input) || open_history(&history, failure) ||
	    find_written(history, text, &generation, failure) ||
	    open_image(history, &generation, target))
		return failed(target);
	return GPC_EXIT_OK;
}

enum gpc_exit gpc_target_generation(const struct gpc_call *call, uint32_t number,
				    struct gpc_target *ret)
{
	GPC_CLEANUP(gpc_history_free) struct gpc_history *history = NULL;
	struct gpc_failure *failure = &ret->input.failure;
	struct gpc_generation generation;

	*ret = (struct gpc_target){.kind = GPC_TARGET_GENERATION};
	if (gpc_input_begin(call, &ret->input) || open_history(&history, failure) ||
	    gpc_history_find(history, number, &generation, failure) ||
	    open_image(history, &generation, ret))
		return failed(ret);
	return GPC_EXIT_OK;
}

static enum gpc_exit open_live(const struct gpc_call *call, struct gpc_target *target)
{
	GPC_CLEANUP(gpc_plane_status_release) struct gpc_plane_status plane = {0};
	struct gpc_input *input = &target->input;
	enum gpc_exit rc;

	name_target(target, LIVE);
	if (gpc_input_begin(call, input) ||
	    gpc_plane_read(gpc_bpffs(), &plane, &input->failure))
		return failed(target);
	if (!plane.has_image) {
		gpc_fail(&input->failure, GPC_EXIT_FAILED, 0, "%s",
			 plane.present ? plane.problem : "no plane is running");
		return failed(target);
	}
	target->control = plane.control;
	target->generation = gpc_linked_generation(&plane.image);
	rc = gpc_image_unlink(&input->diags, &plane.image, &input->image);
	input->has_image = !rc;
	return rc;
}

/* ---- revisions ---- */

/* The folder and the files that REV means when it names none. */
static int find_intent(const struct gpc_call *call, const char *like, struct gpc_project *ret,
		       struct gpc_failure *failure)
{
	GPC_AUTO_FREE const char **files = calloc(call->given_count + 1, sizeof(*files));
	size_t count = 0;

	if (!files)
		abort();
	for (size_t i = 0; i < call->given_count; i++)
		if (!strcmp(call->given[i].option->name, "file"))
			files[count++] = call->given[i].value;
	if (!count && like && !strncmp(like, "file:", 5))
		like += 5;
	if (!count && like && !access(like, F_OK) && !is_folder(like) && !gpc_input_is_image(like))
		files[count++] = like;
	if (count)
		return gpc_project_find(files, count, ret, failure);
	ret->root = strdup(like && is_folder(like) ? like : ".");
	if (!ret->root)
		abort();
	return 0;
}

static enum gpc_exit compile_revision(const struct gpc_call *call, struct gpc_revisions *revisions,
				      const struct gpc_revision *revision, const char *folder,
				      struct gpc_project *project, struct gpc_target *target)
{
	GPC_CLEANUP(gpc_revision_files_close) struct gpc_revision_files *files = NULL;
	struct gpc_failure *failure = &target->input.failure;
	struct gpc_provider provider;

	snprintf(target->commit, sizeof(target->commit), "%s", revision->commit);
	if (gpc_revision_files_open(revisions, revision, folder, &files, failure))
		return failure->code;
	provider = gpc_revision_provider(files);
	if (!project->count) {
		gpc_project_release(project);
		if (gpc_project_folder(*folder ? folder : ".", &provider, project, failure))
			return failure->code;
	}
	return gpc_input_from(call, &provider, project, revision->commit, &target->input);
}

static enum gpc_exit open_intent_at(const struct gpc_call *call, const char *text, const char *like,
				    struct gpc_target *target)
{
	GPC_CLEANUP(gpc_revisions_close) struct gpc_revisions *revisions = NULL;
	GPC_CLEANUP(gpc_project_release) struct gpc_project project = {0};
	struct gpc_failure *failure = &target->input.failure;
	struct gpc_revision revision;

	if (find_intent(call, like, &project, failure) ||
	    gpc_revisions_open(project.root, &revisions, failure) ||
	    gpc_revision_find(revisions, text, &revision, failure))
		return failure->code;
	return compile_revision(call, revisions, &revision, gpc_revisions_place(revisions), &project,
				target);
}

/* The path from the top of the repository: "./x" counts from `place`. malloc'ed. */
static char *path_from_top(const char *place, const char *path)
{
	bool here = !strncmp(path, "./", 2);
	char *full;

	if (asprintf(&full, "%s%s%s", here ? place : "", here && *place ? "/" : "",
		     here ? path + 2 : path) < 0)
		abort();
	for (size_t n = strlen(full); n && full[n - 1] == '/'; n--)
		full[n - 1] = '\0';
	return full;
}

static enum gpc_exit open_image_at(const struct gpc_call *call, struct gpc_revisions *revisions,
				   const struct gpc_revision *revision, const char *path,
				   struct gpc_target *target)
{
	GPC_CLEANUP(gpc_revision_files_close) struct gpc_revision_files *files = NULL;
	struct gpc_input *input = &target->input;
	GPC_AUTO_FREE char *bytes = NULL;
	struct gpc_provider provider;
	size_t size;
	int error;

	if (gpc_input_begin(call, input) ||
	    gpc_revision_files_open(revisions, revision, "", &files, &input->failure))
		return failed(target);
	provider = gpc_revision_provider(files);
	if (provider.read(provider.context, path, GPC_MAX_IMAGE_BYTES, &bytes, &size, &error)) {
		gpc_fail(&input->failure, GPC_EXIT_INVALID, 0, "cannot read '%s'", target->name);
		return failed(target);
	}
	input->has_image =
		gpc_image_open(&input->diags, target->name, bytes, size, false, &input->image);
	gpc_input_say(call, input);
	return input->has_image ? GPC_EXIT_OK : GPC_EXIT_INVALID;
}

static enum gpc_exit open_file_at(const struct gpc_call *call, struct gpc_revisions *revisions,
				  const struct gpc_revision *revision, const char *path,
				  struct gpc_target *target)
{
	GPC_CLEANUP(gpc_project_release) struct gpc_project project = {0};
	size_t length = strlen(path), name = length;
	GPC_AUTO_FREE char *folder = NULL;

	while (name && path[name - 1] != '/')
		name--;
	folder = strndup(path, name ? name - 1 : 0);
	if (length > 4 && !strcmp(path + length - 4, ".gpi"))
		return open_image_at(call, revisions, revision, path, target);
	project.paths = calloc(1, sizeof(*project.paths));
	if (!folder || !project.paths || !(project.root = strdup(folder)) ||
	    !(project.paths[0] = strdup(path + name)))
		abort();
	project.count = 1;
	return compile_revision(call, revisions, revision, folder, &project, target);
}

static enum gpc_exit open_path_at(const struct gpc_call *call, const char *text, const char *path,
				  struct gpc_target *target)
{
	GPC_CLEANUP(gpc_revisions_close) struct gpc_revisions *revisions = NULL;
	GPC_CLEANUP(gpc_project_release) struct gpc_project project = {0};
	struct gpc_failure *failure = &target->input.failure;
	GPC_AUTO_FREE char *name = strndup(text, (size_t)(path - text) - 1);
	GPC_AUTO_FREE char *full = NULL;
	struct gpc_revision revision;

	if (!name)
		abort();
	if (gpc_revisions_open(".", &revisions, failure) ||
	    gpc_revision_find(revisions, name, &revision, failure))
		return failure->code;
	full = path_from_top(gpc_revisions_place(revisions), path);
	switch (gpc_revision_entry(revisions, &revision, full)) {
	case GPC_REVISION_NOTHING:
		gpc_fail(failure, GPC_EXIT_INVALID, 0, "commit %.12s has no file '%s'",
			 revision.commit, full);
		gpc_fail_hint(failure, "PATH counts from the top of the repository, ./PATH from here");
		return failure->code;
	case GPC_REVISION_FOLDER:
		return compile_revision(call, revisions, &revision, full, &project, target);
	case GPC_REVISION_FILE:
		break;
	}
	return open_file_at(call, revisions, &revision, full, target);
}

static enum gpc_exit open_revision(const struct gpc_call *call, const char *text, const char *like,
				   struct gpc_target *target)
{
	const char *colon = strchr(text, ':');

	name_target(target, "%s", text);
	return colon ? open_path_at(call, text, colon + 1, target)
		     : open_intent_at(call, text, like, target);
}

enum gpc_exit gpc_target_commit(const struct gpc_call *call, const char *commit, const char *like,
				struct gpc_target *ret)
{
	*ret = (struct gpc_target){.kind = GPC_TARGET_REVISION};
	name_target(ret, "%.12s", commit);
	return open_intent_at(call, commit, like, ret);
}

/* ---- which one is meant ---- */

static bool all_digits(const char *text)
{
	return *text && strspn(text, "0123456789") == strlen(text);
}

/* Is there such a revision? Where an intent is asked for, in the repository that it lies in. */
static bool names_revision(const struct gpc_call *call, const char *text, const char *like)
{
	GPC_CLEANUP(gpc_revisions_close) struct gpc_revisions *revisions = NULL;
	GPC_CLEANUP(gpc_project_release) struct gpc_project project = {0};
	const char *colon = strchr(text, ':');
	GPC_AUTO_FREE char *name = strndup(text, strcspn(text, ":"));
	struct gpc_revision revision;
	struct gpc_failure failure;

	if (!name)
		abort();
	if (!gpc_revision_is_written(name) ||
	    (!colon && find_intent(call, like, &project, &failure)) ||
	    gpc_revisions_open(colon ? "." : project.root, &revisions, &failure))
		return false;
	/* One that is ambiguous among the repository's own names is a revision all the same. */
	return !gpc_revision_find(revisions, name, &revision, &failure) ||
	       strstr(failure.message, "ambiguous");
}

/* By a prefix; false if there is none. */
static bool read_forced(const char *text, struct reading *ret)
{
	static const struct {
		const char *prefix;
		enum gpc_target_kind kind;
	} prefixes[] = {{"file:", GPC_TARGET_FILES},
			{"git:", GPC_TARGET_REVISION},
			{GPC_PARENT_GENERATION, GPC_TARGET_GENERATION},
			{"@", GPC_TARGET_GENERATION},
			{"plane:" LIVE, GPC_TARGET_LIVE}};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		size_t length = strlen(prefixes[i].prefix);

		if (strncmp(text, prefixes[i].prefix, length))
			continue;
		*ret = (struct reading){.kind = prefixes[i].kind, .text = text + length};
		return true;
	}
	return false;
}

static size_t list_readings(const struct gpc_call *call, const char *text, const char *like,
			    struct reading readings[4])
{
	size_t count = 0;

	if (!access(text, F_OK))
		readings[count++] =
			(struct reading){GPC_TARGET_FILES, text, "a file or folder", "file:"};
	if (!strcmp(text, LIVE))
		readings[count++] =
			(struct reading){GPC_TARGET_LIVE, text, "what this host runs", "plane:"};
	if (all_digits(text))
		readings[count++] =
			(struct reading){GPC_TARGET_GENERATION, text, "a generation", "@"};
	if (names_revision(call, text, like))
		readings[count++] =
			(struct reading){GPC_TARGET_REVISION, text, "a git revision", "git:"};
	return count;
}

static int choose(const struct gpc_call *call, const char *text, const char *like,
		  struct reading *ret, struct gpc_failure *failure)
{
	struct reading readings[4];
	size_t count;

	if (read_forced(text, ret))
		return 0;
	count = list_readings(call, text, like, readings);
	if (count == 1) {
		*ret = readings[0];
		return 0;
	}
	if (!count) {
		gpc_fail(failure, GPC_EXIT_INVALID, 0,
			 "'%s' is no file, no generation and no git revision", text);
		return gpc_fail_hint(failure, "write FILE, FOLDER, IMAGE.gpi, N (a generation), @~N, "
					      "live, REV or REV:PATH");
	}
	gpc_fail(failure, GPC_EXIT_USAGE, 0, "'%s' is ambiguous: it is %s and %s", text,
		 readings[0].what, readings[1].what);
	return gpc_fail_hint(failure, "say which: %s%s or %s%s", readings[0].force, text,
			     readings[1].force, text);
}

enum gpc_exit gpc_target_open(const struct gpc_call *call, const char *text, const char *like,
			      struct gpc_target *ret)
{
	struct reading reading = {0};

	*ret = (struct gpc_target){.kind = GPC_TARGET_FILES};
	if (!text)
		return open_default(call, ret);
	if (choose(call, text, like, &reading, &ret->input.failure))
		return failed(ret);
	ret->kind = reading.kind;
	switch (reading.kind) {
	case GPC_TARGET_GENERATION:
		return open_generation(call, reading.text, ret);
	case GPC_TARGET_LIVE:
		return open_live(call, ret);
	case GPC_TARGET_REVISION:
		return open_revision(call, reading.text, like, ret);
	default:
		return open_path(call, reading.text, ret);
	}
}

enum gpc_exit gpc_target_end(const struct gpc_call *call, const struct gpc_target *target,
			     enum gpc_exit code)
{
	return gpc_input_end(call, &target->input, code);
}

void gpc_target_release(struct gpc_target *target)
{
	gpc_input_release(&target->input);
	free(target->name);
	*target = (struct gpc_target){0};
}

/* ---- sources ---- */

static int compare_sources(const void *a, const void *b)
{
	const struct gpc_target_source *x = a, *y = b;

	return strcmp(x->path, y->path);
}

static void compiled_sources(struct gpc_target *target, struct gpc_target_source **ret,
			     size_t *ret_count)
{
	struct gpc_diags *diags = &target->input.diags;
	size_t count = target->input.project.count ? diags->sources.n : 0;
	struct gpc_target_source *sources =
		GPC_NEW_ARRAY(&target->input.arena, struct gpc_target_source, count);

	for (size_t i = 0; i < count; i++) {
		const struct gpc_source *s = &diags->sources.items[i];

		sources[i] = (struct gpc_target_source){s->path, s->text, s->size};
	}
	if (count)
		qsort(sources, count, sizeof(*sources), compare_sources);
	*ret = sources;
	*ret_count = count;
}

static int read_sources(struct gpc_history *history, const struct gpc_generation *generation,
			struct gpc_arena *arena, char *const *paths, size_t count,
			struct gpc_target_source *ret, size_t *ret_count,
			struct gpc_failure *failure)
{
	static const char folder[] = "sources/";

	*ret_count = 0;
	for (size_t i = 0; i < count; i++) {
		GPC_AUTO_FREE char *text = NULL;
		size_t size;

		if (strncmp(paths[i], folder, strlen(folder)))
			continue;
		if (gpc_history_read(history, generation, paths[i], &text, &size, failure))
			return -1;
		ret[(*ret_count)++] = (struct gpc_target_source){
			gpc_arena_strdup(arena, paths[i] + strlen(folder)),
			gpc_arena_strndup(arena, text, size), size};
	}
	return 0;
}

static int recorded_sources(struct gpc_target *target, struct gpc_target_source **ret,
			    size_t *ret_count, struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_history_free) struct gpc_history *history = NULL;
	struct gpc_arena *arena = &target->input.arena;
	struct gpc_generation generation;
	char decision[65], **paths;
	bool found = true;
	size_t count;
	int rc;

	gpc_digest_format(target->input.image.head->decision_digest, decision);
	if (open_history(&history, failure) ||
	    (target->kind == GPC_TARGET_LIVE
		     ? gpc_history_find_decision(history, decision, &generation, &found, failure)
		     : gpc_history_find(history, target->generation, &generation, failure)))
		return -1;
	if (!found)
		return 0;
	if (gpc_history_files(history, &generation, &paths, &count, failure))
		return -1;
	*ret = GPC_NEW_ARRAY(arena, struct gpc_target_source, count);
	rc = read_sources(history, &generation, arena, paths, count, *ret, ret_count, failure);
	for (size_t i = 0; i < count; i++)
		free(paths[i]);
	free(paths);
	return rc;
}

int gpc_target_sources(struct gpc_target *target, struct gpc_target_source **ret, size_t *ret_count,
		       struct gpc_failure *failure)
{
	*ret = NULL;
	*ret_count = 0;
	switch (target->kind) {
	case GPC_TARGET_FILES:
	case GPC_TARGET_REVISION:
		compiled_sources(target, ret, ret_count);
		return 0;
	case GPC_TARGET_GENERATION:
	case GPC_TARGET_LIVE:
		return recorded_sources(target, ret, ret_count, failure);
	case GPC_TARGET_IMAGE:
		break;
	}
	return 0;
}
