/* SPDX-License-Identifier: MIT */
#include "document.h"

#include <stdlib.h>
#include <string.h>

#include "slot.h"

const struct gpc_pair *gpc_node_find(const struct gpc_node *map, const char *key)
{
	for (size_t i = 0; i < map->map.count; i++) {
		if (!strcmp(map->map.pairs[i].key, key))
			return &map->map.pairs[i];
	}
	return NULL;
}

/* The value of a word at the head of a document. `${...}` does not work there. */
static bool head_word(struct gpc_diags *diags, const struct gpc_node *root, const char *key,
		      uint64_t *ret)
{
	struct gpc_values values = {.diags = diags};
	struct gpc_frame document = {0};
	struct gpc_slot slot = {
		.values = &values,
		.frame = &document,
		.key = gpc_key_find(gpc_object_info(GPC_OBJECT_document), key),
	};
	const struct gpc_pair *pair = gpc_node_find(root, key);
	struct gpc_scalar scalar = {.from = GPC_NOWHERE};

	if (!pair) {
		gpc_diag(diags, GPC_E0104, root->place, "missing key `%s`", key);
		return false;
	}
	if (!gpc_slot_wants(&slot, pair->value, GPC_NODE_SCALAR))
		return false;
	scalar.text = pair->value->scalar.text;
	scalar.at = pair->value->place;
	return gpc_slot_word(&slot, &scalar, ret);
}

enum gpc_kind gpc_document_kind(struct gpc_diags *diags, const struct gpc_node *root)
{
	uint64_t version, kind;
	bool has_version, has_kind;

	if (root->kind != GPC_NODE_MAP) {
		gpc_diag(diags, GPC_E0101, root->place,
			 "a document is a mapping that begins with `apiVersion`");
		return GPC_KIND_NONE;
	}
	has_version = head_word(diags, root, "apiVersion", &version);
	has_kind = head_word(diags, root, "kind", &kind);
	return has_version && has_kind ? (enum gpc_kind)kind : GPC_KIND_NONE;
}

void gpc_document_misplaced(struct gpc_diags *diags, const struct gpc_node *root,
			    enum gpc_kind kind)
{
	static const char *const messages[] = {
		[GPC_KIND_PLANE] = "a Plane where the overlay is wanted",
		[GPC_KIND_OVERLAY] = "an Overlay among the files of the plane",
		[GPC_KIND_TESTS] = "a Tests document where the overlay is wanted",
	};
	struct gpc_diag *diag = gpc_diag(
		diags, GPC_E0051, gpc_node_find(root, "kind")->value->place, "%s", messages[kind]);

	gpc_diag_hint(diags, diag,
		      "`-e ENV` applies overlays/ENV.yaml, and only Overlay documents stand there");
}

/* Does a Tests document have that key? */
static bool is_of_tests(const struct gpc_key *key)
{
	return key->required || !strcmp(key->name, "tests");
}

void gpc_document_check_tests(struct gpc_diags *diags, const struct gpc_node *root)
{
	for (size_t i = 0; i < root->map.count; i++) {
		const struct gpc_pair *pair = &root->map.pairs[i];
		const struct gpc_key *key =
			gpc_key_find(gpc_object_info(GPC_OBJECT_document), pair->key);

		if (key && !is_of_tests(key))
			gpc_diag_hint(diags,
				      gpc_diag(diags, GPC_E0213, pair->key_place,
					       "`%s` in a Tests document", key->name),
				      "put it into a document of kind Plane");
	}
}

static int compare(const void *left, const void *right)
{
	const struct gpc_document *a = left, *b = right;
	int order = strcmp(a->path, b->path);

	return order ? order : (a->number > b->number) - (a->number < b->number);
}

void gpc_document_sort(struct gpc_document_list *list)
{
	if (list->documents.n)
		qsort(list->documents.items, list->documents.n, sizeof(*list->documents.items),
		      compare);
}
