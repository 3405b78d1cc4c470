/* SPDX-License-Identifier: MIT */
#include "load.h"

#include <stdlib.h>

#include "bind.h"
#include "feed.h"
#include "files.h"
#include "include.h"
#include "merge.h"
#include "overlay.h"
#include "quote.h"
#include "scalar.h"

#include "gpc/limits.h"

static void read_inputs(struct gpc_files *files, const struct gpc_inputs *inputs)
{
	for (size_t i = 0; i < inputs->count; i++) {
		struct gpc_request request = {.text = inputs->paths[i], .place = GPC_NOWHERE};
		const char *path = gpc_files_resolve(files, NULL, &request);

		if (path)
			gpc_files_read(files, path, &request);
	}
}

/* The documents of overlays/ENV.yaml, merged; NULL if there is no overlay or it cannot be used. */
static struct gpc_node *read_overlay(const struct gpc_files *plane, const char *environment)
{
	struct gpc_diags *diags = plane->diags;
	struct gpc_files files = {.diags = diags, .provider = plane->provider, .tree = plane->tree};
	struct gpc_request request = {.place = GPC_NOWHERE};
	struct gpc_document_list overlays = {0};
	const struct gpc_file *file;

	if (!environment)
		return NULL;
	if (!gpc_scalar_is_name(environment)) {
		struct gpc_diag *diag = gpc_diag(diags, GPC_E0052, GPC_NOWHERE,
						 "not a name of an environment: `%s`",
						 gpc_quote(diags->arena, environment));

		gpc_diag_hint(diags, diag, "`-e ENV` reads overlays/ENV.yaml");
		return NULL;
	}
	request.text = gpc_arena_printf(diags->arena, "overlays/%s.yaml", environment);
	gpc_files_read(&files, request.text, &request);
	file = &files.files.items[0];
	for (size_t i = 0; i < file->documents.count; i++) {
		const struct gpc_node *root = file->documents.roots[i];
		enum gpc_kind kind = gpc_document_kind(diags, root);

		if (kind == GPC_KIND_OVERLAY)
			*GPC_PUSH(diags->arena, &overlays.documents) = (struct gpc_document){
				.root = root, .path = file->path, .number = i};
		else if (kind)
			gpc_document_misplaced(diags, root, kind);
	}
	return overlays.documents.n ? gpc_merge(diags, &overlays) : NULL;
}

/* The document that `place` is in: the last one that begins before it in its file. */
static size_t document_of(const struct gpc_place *roots, size_t count, struct gpc_place place)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (roots[middle].source < place.source ||
		    (roots[middle].source == place.source && roots[middle].start <= place.start))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int by_place(const void *left, const void *right)
{
	const struct gpc_place *a = left, *b = right;

	if (a->source != b->source)
		return a->source < b->source ? -1 : 1;
	return (a->start > b->start) - (a->start < b->start);
}

/* Says of each policy which document it stands in; an overlay is one file. */
static void number_documents(struct gpc_arena *arena, const struct gpc_document_list *planes,
			     struct gpc_intent *intent)
{
	struct gpc_place *roots = GPC_NEW_ARRAY(arena, struct gpc_place, planes->documents.n);

	for (size_t i = 0; i < planes->documents.n; i++)
		roots[i] = planes->documents.items[i].root->place;
	qsort(roots, planes->documents.n, sizeof(*roots), by_place);
	for (size_t i = 0; i < intent->policies.n; i++) {
		struct gpc_policy_intent *policy = &intent->policies.items[i];

		policy->document = (uint32_t)document_of(roots, planes->documents.n, policy->at);
	}
}

/* Behind the planes, so that the first document is one of them. */
static void append(struct gpc_arena *arena, struct gpc_document_list *list,
		   const struct gpc_document_list *more)
{
	for (size_t i = 0; i < more->documents.n; i++)
		*GPC_PUSH(arena, &list->documents) = more->documents.items[i];
}

static void bind_plane(struct gpc_diags *diags, const struct gpc_node *plane,
		       struct gpc_intent *ret)
{
	const struct gpc_pair *pair = gpc_node_find(plane, "values");
	struct gpc_values values;

	gpc_values_init(&values, diags,
			pair && pair->value->kind == GPC_NODE_MAP ? pair->value : NULL);
	gpc_bind(&values, plane, ret);
	if (ret->tests.n > GPC_MAX_TESTS)
		gpc_diag(diags, GPC_E0146, ret->tests.items[GPC_MAX_TESTS].at,
			 "%zu tests, the most is %u", ret->tests.n, GPC_MAX_TESTS);
	if (!ret->name.text && !diags->errors)
		gpc_diag_hint(diags,
			      gpc_diag(diags, GPC_E0203, plane->place, "the plane has no name"),
			      "write `metadata: {name: ...}` in one of its files");
	/* After another error a value may only look unused: what uses it was not bound. */
	if (!diags->errors)
		gpc_values_report_unused(&values);
}

static bool load(struct gpc_files *files, const struct gpc_inputs *inputs, struct gpc_intent *ret)
{
	struct gpc_document_list planes = {0}, tests = {0};
	struct gpc_diags *diags = files->diags;
	size_t before = diags->errors;
	struct gpc_node *plane, *overlay;

	read_inputs(files, inputs);
	gpc_include_all(files, &planes, &tests);
	overlay = read_overlay(files, inputs->environment);
	if (!planes.documents.n && diags->errors == before)
		gpc_diag_hint(diags,
			      gpc_diag(diags, GPC_E0040, GPC_NOWHERE,
				       "no document of kind Plane in the input"),
			      "a plane begins with `apiVersion: gpc/v1` and `kind: Plane`");
	if (diags->errors != before)
		return false;

	gpc_document_sort(&planes);
	gpc_document_sort(&tests);
	append(diags->arena, &planes, &tests);
	plane = gpc_merge(diags, &planes);
	if (overlay)
		plane = gpc_overlay_apply(diags, plane, overlay);
	bind_plane(diags, plane, ret);
	gpc_feeds_read(files, ret);
	number_documents(diags->arena, &planes, ret);
	return diags->errors == before;
}

bool gpc_intent_load(struct gpc_diags *diags, const struct gpc_provider *provider,
		     const struct gpc_inputs *inputs, struct gpc_intent *ret_intent)
{
	struct gpc_arena tree = {0};
	struct gpc_files files = {.diags = diags, .provider = provider, .tree = &tree};
	bool good = load(&files, inputs, ret_intent);

	gpc_arena_release(&tree);
	return good;
}
