/* SPDX-License-Identifier: MIT */
#include "include.h"

#include <stdlib.h>
#include <string.h>

#include "gpc/limits.h"
#include "path.h"
#include "quote.h"
#include "slot.h"

struct listing {
	char **names;
	size_t count;
};

static void release_listing(struct listing *listing)
{
	for (size_t i = 0; i < listing->count; i++)
		free(listing->names[i]);
	free(listing->names);
}

static int compare_names(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

/* The names in a folder in byte order; none if it is not there, or not a folder. */
static void list_folder(struct gpc_files *files, const char *folder,
			const struct gpc_request *request, struct listing *ret)
{
	const struct gpc_provider *provider = files->provider;
	enum gpc_read_status status;
	int error = 0;

	if (files->full)
		return;
	if (files->folders == GPC_MAX_FILES) {
		gpc_files_report_full(files, request);
		return;
	}
	files->folders++;
	status = provider->list(provider->context, folder, &ret->names, &ret->count, &error);
	if (status == GPC_READ_OK && ret->count)
		qsort(ret->names, ret->count, sizeof(*ret->names), compare_names);
	else if (status == GPC_READ_TOO_LARGE)
		gpc_diag(files->diags, GPC_E0050, request->place, "too many files: in folder `%s`",
			 gpc_quote(files->diags->arena, folder));
	else if (status != GPC_READ_OK && status != GPC_READ_MISSING &&
		 status != GPC_READ_NOT_REGULAR)
		gpc_files_report(files, status, error, folder, request);
}

static const char *join(struct gpc_arena *arena, const char *folder, const char *name, size_t len)
{
	return gpc_arena_printf(arena, "%s%s%.*s", folder, *folder ? "/" : "", (int)len, name);
}

/*
 * Reads all that `rest` (components behind `folder`) matches. The recursion is as deep as the
 * pattern has components, which the length of a path bounds.
 */
static void expand(struct gpc_files *files, const char *folder, const char *rest,
		   const struct gpc_request *request)
{
	struct gpc_arena *arena = files->diags->arena;
	size_t len = strcspn(rest, "/");
	const char *behind = rest[len] ? rest + len + 1 : NULL;
	const char *part = gpc_arena_strndup(arena, rest, len);
	struct listing listing __attribute__((cleanup(release_listing))) = {0};

	if (!gpc_path_is_pattern(rest)) {
		gpc_files_read(files, join(arena, folder, rest, strlen(rest)), request);
		return;
	}
	if (!gpc_path_is_pattern(part)) {
		expand(files, join(arena, folder, part, len), behind, request);
		return;
	}
	list_folder(files, folder, request, &listing);
	for (size_t i = 0; i < listing.count && !files->full; i++) {
		const char *name = listing.names[i];
		const char *path;

		if (!gpc_path_matches(part, name))
			continue;
		path = join(arena, folder, name, strlen(name));
		if (behind)
			expand(files, path, behind, request);
		else
			gpc_files_read(files, path, request);
	}
}

static void include_one(struct gpc_files *files, const struct gpc_file *from,
			const struct gpc_node *item)
{
	struct gpc_request request = {
		.text = item->scalar.text,
		.place = item->place,
		.depth = from->depth + 1,
		.may_be_missing = gpc_path_is_pattern(item->scalar.text),
	};
	struct gpc_diags *diags = files->diags;
	const char *path = gpc_files_resolve(files, from->path, &request);

	if (!path)
		return;
	if (strstr(path, "**")) {
		gpc_diag_hint(diags,
			      gpc_diag(diags, GPC_E0048, item->place, "not a pattern: `%s`",
				       gpc_quote(diags->arena, item->scalar.text)),
			      "there is no `**`; `*` matches inside one component");
		return;
	}
	if (request.depth > GPC_MAX_INCLUDE_DEPTH) {
		gpc_diag(diags, GPC_E0049, item->place, "includes nested more than %u deep",
			 GPC_MAX_INCLUDE_DEPTH);
		return;
	}
	expand(files, "", path, &request);
}

static void include_from(struct gpc_files *files, size_t number, const struct gpc_node *root)
{
	struct gpc_values values = {.diags = files->diags};
	struct gpc_frame document = {0};
	struct gpc_slot slot = {
		.values = &values,
		.frame = &document,
		.key = gpc_key_find(gpc_object_info(GPC_OBJECT_document), "include"),
	};
	const struct gpc_pair *pair = gpc_node_find(root, "include");

	if (!pair || !gpc_slot_wants(&slot, pair->value, GPC_NODE_LIST))
		return;
	for (size_t i = 0; i < pair->value->list.count && !files->full; i++) {
		const struct gpc_node *item = pair->value->list.items[i];
		/* By value: reading a file may move the vector. */
		struct gpc_file from = files->files.items[number];

		if (gpc_slot_wants(&slot, item, GPC_NODE_SCALAR))
			include_one(files, &from, item);
	}
}

/* Puts a document where its kind belongs; true if it is of kind Plane. */
static bool sort_in(struct gpc_files *files, const struct gpc_document *document,
		    struct gpc_document_list *planes, struct gpc_document_list *tests)
{
	struct gpc_diags *diags = files->diags;
	enum gpc_kind kind = gpc_document_kind(diags, document->root);

	if (kind == GPC_KIND_PLANE)
		*GPC_PUSH(diags->arena, &planes->documents) = *document;
	else if (kind == GPC_KIND_TESTS)
		*GPC_PUSH(diags->arena, &tests->documents) = *document;
	else if (kind)
		gpc_document_misplaced(diags, document->root, kind);
	if (kind == GPC_KIND_TESTS)
		gpc_document_check_tests(diags, document->root);
	return kind == GPC_KIND_PLANE;
}

void gpc_include_all(struct gpc_files *files, struct gpc_document_list *ret_planes,
		     struct gpc_document_list *ret_tests)
{
	for (size_t i = 0; i < files->files.n; i++) {
		struct gpc_documents documents = files->files.items[i].documents;

		for (size_t j = 0; j < documents.count; j++) {
			const struct gpc_document document = {
				.root = documents.roots[j],
				.path = files->files.items[i].path,
				.number = j,
			};

			if (sort_in(files, &document, ret_planes, ret_tests))
				include_from(files, i, documents.roots[j]);
		}
	}
}
