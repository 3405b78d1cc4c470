/* SPDX-License-Identifier: MIT */
#include "rebuild.h"

#include <json-c/json.h>
#include <string.h>

#include "../../compiler/pipeline.h"
#include "git.h"
#include "gpc/limits.h"
#include "store.h"
#include "tree_files.h"

/* Images that are made from each other: each is a compilation, and some kilobytes of stack. */
#define LINEAGE_MAX 200u

/* ---- what was compiled then ---- */

struct recipe {
	struct json_object *json; /* owns the strings */
	struct gpc_image parent;
	bool has_parent;
	const char **paths;
	size_t count;
	const char *environment;
};

static void release_recipe(struct recipe *recipe)
{
	json_object_put(recipe->json);
	if (recipe->has_parent)
		gpc_image_release(&recipe->parent);
	free(recipe->paths);
}

static int read_recipe(struct gpc_history *history, const struct gpc_generation *generation,
		       struct recipe *recipe, struct gpc_failure *failure)
{
	struct json_object *inputs = NULL, *environment = NULL;
	GPC_AUTO_FREE char *text = NULL;
	size_t size;

	if (gpc_history_read(history, generation, "image.json", &text, &size, failure))
		return -1;
	recipe->json = json_tokener_parse(text);
	if (!json_object_object_get_ex(recipe->json, "inputs", &inputs) ||
	    !json_object_is_type(inputs, json_type_array))
		return gpc_fail(failure, GPC_EXIT_FAILED, 0,
				"image.json of generation %u names no inputs", generation->number);
	recipe->count = json_object_array_length(inputs);
	recipe->paths = calloc(recipe->count + 1, sizeof(*recipe->paths));
	if (!recipe->paths)
		abort();
	for (size_t i = 0; i < recipe->count; i++)
		recipe->paths[i] = json_object_get_string(json_object_array_get_idx(inputs, i));
	if (json_object_object_get_ex(recipe->json, "environment", &environment))
		recipe->environment = json_object_get_string(environment);
	if (recipe->count)
		return 0;
	gpc_fail(failure, GPC_EXIT_FAILED, 0,
		 "the image of generation %u is gone: it was applied as a finished image, without "
		 "sources, "
		 "and only the last %u images are kept",
		 generation->number, GPC_HISTORY_IMAGES);
	return gpc_fail_hint(failure, "apply the image with file digest %s again", generation->image);
}

/* ---- compiling ---- */

static int check_decision(const struct gpc_generation *generation, const struct gpc_image *image,
			  struct gpc_failure *failure)
{
	char found[65];

	gpc_digest_format(image->head->decision_digest, found);
	if (!strcmp(found, generation->decision) || generation->layout != GPC_ABI_HASH)
		return 0;
	gpc_fail(
		failure, GPC_EXIT_FAILED, 0,
		"generation %u cannot be rebuilt: its sources give decision %s now, recorded is %s",
		generation->number, found, generation->decision);
	return gpc_fail_hint(failure,
			     "this gpc (%s) compiles otherwise than the one that recorded it; take "
			     "that one, or apply the sources as a new generation",
			     GPC_VERSION);
}

static int compile(const struct gpc_provider *provider, const struct recipe *recipe,
		   const struct gpc_generation *generation, struct gpc_image *ret_image,
		   struct gpc_failure *failure)
{
	const struct gpc_compile_options options = {
		.inputs = {recipe->paths, recipe->count, recipe->environment},
		.tool_version = GPC_VERSION,
		.parent = recipe->has_parent ? &recipe->parent.view : NULL,
	};
	struct gpc_compiled compiled;
	struct gpc_arena arena = {0};
	struct gpc_image image;
	struct gpc_diags diags;
	int rc = 0;

	gpc_diags_init(&diags, &arena, false);
	if (!gpc_compile(&diags, provider, &options, &compiled) ||
	    !gpc_image_open(&diags, "rebuilt image", compiled.bytes, compiled.size, false,
			    &image)) {
		rc = gpc_fail(
			failure, GPC_EXIT_FAILED, 0,
			"generation %u cannot be rebuilt: its sources do not compile any more: %s",
			generation->number, diags.records.n ? diags.records.items[0].message : "?");
	} else if (check_decision(generation, &image, failure)) {
		gpc_image_release(&image);
		rc = -1;
	} else {
		*ret_image = image;
	}
	gpc_arena_release(&arena);
	return rc;
}

/* An image that is not kept, or that this gpc cannot read, of a generation that has sources. */
static int rebuild_image(struct gpc_history *history, const char *digest, struct gpc_image *ret,
			 struct gpc_failure *failure)
{
	GPC_AUTO_FREE struct gpc_generation *list = NULL;
	size_t count, i;
	int rc;

	if (history->rebuilding == LINEAGE_MAX)
		return gpc_fail(failure, GPC_EXIT_FAILED, 0,
				"more than %u images would have to be rebuilt one from the other",
				LINEAGE_MAX);
	if (gpc_history_list(history, 0, &list, &count, failure))
		return -1;
	for (i = 0; i < count && strcmp(list[i].image, digest); i++)
		;
	if (i == count)
		return gpc_fail(failure, GPC_EXIT_FAILED, 0, "it is the image of no generation");
	history->rebuilding++;
	rc = gpc_history_rebuild(history, &list[i], ret, failure);
	history->rebuilding--;
	return rc;
}

/* What its tables were made from, where a backend has `rebalance: minimal`. */
static int read_parent(struct gpc_history *history, const struct gpc_generation *generation,
		       struct recipe *recipe, struct gpc_failure *failure)
{
	struct gpc_failure reason;

	if (!generation->parent[0])
		return 0;
	recipe->has_parent =
		gpc_store_get(history->parents_path, generation->parent, &recipe->parent, &reason) ==
			GPC_STORE_OK ||
		!rebuild_image(history, generation->parent, &recipe->parent, &reason);
	if (recipe->has_parent)
		return 0;
	gpc_fail(failure, GPC_EXIT_FAILED, 0,
		 "generation %u cannot be rebuilt without '%s/%s.gpi', which its tables were made from: %s",
		 generation->number, history->parents_path, generation->parent, reason.message);
	return gpc_fail_hint(failure, "apply its sources as a new generation");
}

static int open_sources(struct gpc_history *history, const struct gpc_generation *generation,
			git_tree **ret_sources, struct gpc_failure *failure)
{
	GPC_AUTO_GIT(git_tree) *tree = NULL;
	const git_tree_entry *entry;

	if (gpc_git_tree(history, generation, &tree, failure))
		return -1;
	entry = git_tree_entry_byname(tree, "sources");
	if (!entry || git_tree_entry_type(entry) != GIT_OBJECT_TREE)
		return gpc_fail(failure, GPC_EXIT_FAILED, 0, "generation %u has no sources",
				generation->number);
	if (git_tree_lookup(ret_sources, history->repo, git_tree_entry_id(entry)))
		return gpc_git_fail_object(history, failure, "tree", git_tree_entry_id(entry));
	return 0;
}

int gpc_history_rebuild(struct gpc_history *history, const struct gpc_generation *generation,
			struct gpc_image *ret_image, struct gpc_failure *failure)
{
	GPC_AUTO_GIT(git_tree) *sources = NULL;
	GPC_CLEANUP(release_recipe) struct recipe recipe = {0};
	struct gpc_tree_files files = {.repo = history->repo};
	const struct gpc_provider provider = gpc_tree_files_provider(&files);

	if (read_recipe(history, generation, &recipe, failure) ||
	    read_parent(history, generation, &recipe, failure) ||
	    open_sources(history, generation, &sources, failure))
		return -1;
	files.tree = sources;
	return compile(&provider, &recipe, generation, ret_image, failure);
}

int gpc_history_image(struct gpc_history *history, const struct gpc_generation *generation,
		      struct gpc_image *ret_image, bool *ret_rebuilt, struct gpc_failure *failure)
{
	struct gpc_image image;
	enum gpc_store_status status =
		gpc_store_get(history->store_path, generation->image, &image, failure);

	if (status == GPC_STORE_OK && check_decision(generation, &image, failure)) {
		gpc_image_release(&image);
		return -1;
	}
	if (status == GPC_STORE_OK)
		*ret_image = image;
	else if (gpc_history_rebuild(history, generation, ret_image, failure))
		return -1;
	if (ret_rebuilt)
		*ret_rebuilt = status != GPC_STORE_OK;
	return 0;
}
