/* SPDX-License-Identifier: MIT */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "../../compiler/base/cleanup.h"
#include "../../compiler/syntax/lines.h"
#include "blame.h"
#include "gpc/limits.h"
#include "output.h"

struct text {
	const char *bytes; /* NULL: not known */
	size_t size;
};

/* The lines of what is written at a place; of what cannot be read again the first one. */
static void find_lines(struct gpc_target *target, const struct gpc_blame *blame, struct text text,
		       struct gpc_lines *ret)
{
	struct gpc_arena *arena = &target->input.arena;
	struct gpc_documents documents;
	struct gpc_diags diags;

	*ret = (struct gpc_lines){0};
	gpc_diags_init(&diags, arena, false);
	if (text.bytes && gpc_yaml_parse(&diags, arena,
					 gpc_diags_add_source(&diags, blame->path, text.bytes,
							      text.size),
					 &documents))
		gpc_lines_find(&diags, &documents,
			       (struct gpc_line_column){blame->line, blame->column}, ret);
	if (!ret->numbers.n)
		*GPC_PUSH(arena, &ret->numbers) = blame->line;
}

/* ---- the source repository ---- */

/* The commit that an image says it was compiled from: 40 digits; NULL: it says none, or a changed one. */
static const char *commit_of(struct gpc_target *target)
{
	size_t size;
	const char *text = gpc_image_provenance(&target->input.image, &size), *commit = NULL;
	GPC_AUTO_FREE char *copy = text ? strndup(text, size) : NULL;
	struct json_object *object = copy ? json_tokener_parse(copy) : NULL, *value;

	if (object && json_object_object_get_ex(object, "commit", &value) && value)
		commit = gpc_arena_strdup(&target->input.arena, json_object_get_string(value));
	json_object_put(object);
	return commit && strlen(commit) == 40 ? commit : NULL;
}

static struct text text_on_disk(struct gpc_target *target, const char *path)
{
	struct gpc_target_source *sources;
	struct gpc_failure ignored;
	size_t count;

	if (target->kind != GPC_TARGET_FILES ||
	    gpc_target_sources(target, &sources, &count, &ignored))
		return (struct text){0};
	for (size_t i = 0; i < count; i++)
		if (!strcmp(sources[i].path, path))
			return (struct text){sources[i].text, sources[i].size};
	return (struct text){0};
}

static struct text text_in(struct gpc_target *target, struct gpc_revisions *revisions,
			   const struct gpc_revision *at, const char *path)
{
	GPC_CLEANUP(gpc_revision_files_close) struct gpc_revision_files *files = NULL;
	GPC_AUTO_FREE char *bytes = NULL;
	struct gpc_provider provider;
	struct gpc_failure ignored;
	size_t size;
	int error;

	if (gpc_revision_files_open(revisions, at, "", &files, &ignored))
		return (struct text){0};
	provider = gpc_revision_provider(files);
	if (provider.read(provider.context, path, GPC_MAX_FILE_BYTES, &bytes, &size, &error))
		return (struct text){0};
	return (struct text){gpc_arena_strndup(&target->input.arena, bytes, size), size};
}

static const char *join(struct gpc_target *target, const char *folder, const char *path)
{
	bool none = !folder || !*folder || !strcmp(folder, ".");

	return none ? path : gpc_arena_printf(&target->input.arena, "%s/%s", folder, path);
}

/* The file from the top of the repository; NULL: the commit has none such. */
static const char *path_in(struct gpc_target *target, struct gpc_revisions *revisions,
			   const struct gpc_revision *at, const char *path)
{
	const char *tries[] = {join(target, gpc_revisions_place(revisions), path),
			       join(target, target->input.project.root, path), path};

	for (size_t i = 0; i < sizeof(tries) / sizeof(*tries); i++)
		if (gpc_revision_entry(revisions, at, tries[i]) == GPC_REVISION_FILE)
			return tries[i];
	return NULL;
}

static void say_why(struct gpc_target *target, struct gpc_blame *blame)
{
	const struct gpc_line_origin *newest = &blame->origins[blame->newest];

	switch (newest->state) {
	case GPC_LINE_CHANGED:
		blame->why = "not committed yet";
		break;
	case GPC_LINE_CUT:
		blame->why = gpc_arena_printf(&target->input.arena,
					      "in or before %.12s, where this shallow clone ends",
					      newest->revision.commit);
		blame->next = GPC_HINT_UNSHALLOW;
		break;
	case GPC_LINE_COMMITTED:
		break;
	}
}

static int ask_commit(struct gpc_target *target, struct gpc_revisions *revisions,
		      const char *commit, struct gpc_blame *blame, struct gpc_failure *failure)
{
	struct text disk = commit ? (struct text){0} : text_on_disk(target, blame->path);
	struct gpc_failure missing;
	struct gpc_revision at;
	struct gpc_lines lines;
	const char *path;

	if (gpc_revision_find(revisions, commit ? commit : "HEAD", &at, &missing)) {
		blame->why = commit ? "this repository does not have the commit that it was compiled from"
				    : "nothing is committed yet";
		blame->next = *missing.hint ? gpc_arena_strdup(&target->input.arena, missing.hint) : NULL;
		return 0;
	}
	path = path_in(target, revisions, &at, blame->path);
	blame->why = "not committed yet";
	if (!path)
		return 0;
	find_lines(target, blame, disk.bytes ? disk : text_in(target, revisions, &at, path), &lines);
	blame->origin_count = lines.numbers.n;
	blame->origins =
		GPC_NEW_ARRAY(&target->input.arena, struct gpc_line_origin, blame->origin_count);
	for (size_t i = 0; i < blame->origin_count; i++)
		blame->origins[i].line = lines.numbers.items[i];
	if (gpc_revision_blame(revisions, commit, path, disk.bytes, disk.size, blame->origins,
			       blame->origin_count, failure))
		return -1;
	blame->newest = gpc_revision_newest(revisions, blame->origins, blame->origin_count);
	blame->why = NULL;
	say_why(target, blame);
	return 0;
}

static int ask_repository(struct gpc_target *target, const char *folder, struct gpc_blame *blames,
			  size_t count, struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_revisions_close) struct gpc_revisions *revisions = NULL;
	bool files = target->kind == GPC_TARGET_FILES;
	const char *commit = target->kind == GPC_TARGET_REVISION ? target->commit : NULL;
	struct gpc_failure ignored;
	const char *why = NULL;

	if (!folder)
		folder = files ? target->input.project.root : ".";
	if (!files && !commit) {
		commit = commit_of(target);
		why = commit ? NULL : "the image does not say from which commit it was compiled";
	}
	if (!why && gpc_revisions_open(folder, &revisions, &ignored))
		why = "its sources lie in no repository that can be read from here";
	for (size_t i = 0; i < count; i++) {
		blames[i].why = why;
		if (!why && ask_commit(target, revisions, commit, &blames[i], failure))
			return -1;
	}
	return 0;
}

/* ---- the history of this host ---- */

static struct text text_recorded(struct gpc_target *target, struct gpc_history *history,
				 const struct gpc_generation *generation, const char *path)
{
	GPC_AUTO_FREE char *full = NULL;
	GPC_AUTO_FREE char *bytes = NULL;
	struct gpc_failure ignored;
	size_t size;

	if (asprintf(&full, "sources/%s", path) < 0)
		abort();
	if (gpc_history_read(history, generation, full, &bytes, &size, &ignored))
		return (struct text){0};
	return (struct text){gpc_arena_strndup(&target->input.arena, bytes, size), size};
}

static int ask_history(struct gpc_target *target, struct gpc_blame *blames, size_t count,
		       struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_history_free) struct gpc_history *history = NULL;
	struct gpc_generation generation;

	if (target->kind != GPC_TARGET_GENERATION && target->kind != GPC_TARGET_LIVE)
		return 0;
	if (gpc_history_open(gpc_state_dir(), false, &history, failure) ||
	    gpc_history_find(history, target->generation, &generation, failure))
		return -1;
	for (size_t i = 0; i < count; i++) {
		struct gpc_blame *blame = &blames[i];
		struct gpc_lines lines;

		find_lines(target, blame, text_recorded(target, history, &generation, blame->path),
			   &lines);
		if (gpc_history_blame(history, &generation, blame->path, lines.numbers.items,
				      lines.numbers.n, &blame->generation, &blame->recorded,
				      failure))
			return -1;
	}
	return 0;
}

int gpc_blame_ask(struct gpc_target *target, const char *folder, struct gpc_blame *blames,
		  size_t count, struct gpc_failure *failure)
{
	return ask_repository(target, folder, blames, count, failure) ||
			       ask_history(target, blames, count, failure)
		       ? -1
		       : 0;
}
