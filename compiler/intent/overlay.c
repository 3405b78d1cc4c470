/* SPDX-License-Identifier: MIT */
#include "overlay.h"

#include <string.h>

#include "merge.h"
#include "names.h"
#include "quote.h"
#include "suggest.h"

#define DELETE "$delete"
#define MOST_CANDIDATES 256u

static struct gpc_node *merge_map(struct gpc_diags *diags, const struct gpc_object_info *info,
				  const struct gpc_node *base, const struct gpc_node *over);

/* Complains unless `$delete: true` stands beside the name alone. */
static bool check_delete(struct gpc_diags *diags, const struct gpc_node *item,
			 const struct gpc_pair *pair)
{
	struct gpc_diag *diag;

	if (pair->value->kind == GPC_NODE_SCALAR && !strcmp(pair->value->scalar.text, "true") &&
	    item->map.count == 2)
		return true;
	diag = gpc_diag(diags, GPC_E0210, pair->key_place, "misplaced `" DELETE "`");
	gpc_diag_hint(diags, diag, "write `{name: ..., " DELETE ": true}` and nothing else");
	return false;
}

static void report_nothing_to_delete(struct gpc_diags *diags, const struct gpc_key *key,
				     const struct gpc_node *name, const struct gpc_names *names)
{
	struct gpc_diag *diag =
		gpc_diag(diags, GPC_E0209, name->place, "nothing to delete: no `%s` in %s",
			 gpc_quote(diags->arena, name->scalar.text), key->name);
	const char *candidates[MOST_CANDIDATES];
	const char *near;
	size_t count = names->count < MOST_CANDIDATES ? names->count : MOST_CANDIDATES;

	for (size_t i = 0; i < count; i++)
		candidates[i] = names->entries[i].name;
	near = gpc_suggest(name->scalar.text, candidates, count);
	if (near)
		gpc_diag_hint(diags, diag, "did you mean `%s`?", near);
}

/* A list of objects while an overlay's items are merged into it. */
struct list_merge {
	const struct gpc_key *key;
	struct gpc_node **items; /* NULL: deleted */
	size_t count;
	struct gpc_names names; /* of the items of the plane */
};

/* An item that is none, or has no name, is added: the binder judges it. */
static void merge_item(struct gpc_diags *diags, struct list_merge *merge, struct gpc_node *item)
{
	const struct gpc_node *name = gpc_node_name(item);
	const struct gpc_pair *gone = name ? gpc_node_find(item, DELETE) : NULL;
	size_t number = name ? gpc_names_find(&merge->names, name->scalar.text) : SIZE_MAX;

	if (gone && !check_delete(diags, item, gone))
		return;
	if (gone && number == SIZE_MAX)
		report_nothing_to_delete(diags, merge->key, name, &merge->names);
	else if (gone)
		merge->items[number] = NULL;
	else if (number == SIZE_MAX)
		merge->items[merge->count++] = item;
	else if (merge->items[number])
		merge->items[number] = merge_map(diags, gpc_object_info(merge->key->object),
						 merge->items[number], item);
}

static struct gpc_node *merge_list(struct gpc_diags *diags, const struct gpc_key *key,
				   const struct gpc_node *base, const struct gpc_node *over)
{
	size_t total = base->list.count + over->list.count;
	struct list_merge merge = {
		.key = key,
		.items = GPC_NEW_ARRAY(diags->arena, struct gpc_node *, total),
		.count = base->list.count,
	};
	struct gpc_node *list = GPC_NEW(diags->arena, struct gpc_node);

	gpc_names_start(diags->arena, &merge.names, base->list.count);
	for (size_t i = 0; i < base->list.count; i++) {
		const struct gpc_node *name = gpc_node_name(base->list.items[i]);

		merge.items[i] = base->list.items[i];
		gpc_names_add(&merge.names, name ? name->scalar.text : "");
	}
	gpc_names_sort(diags->arena, &merge.names);
	for (size_t i = 0; i < over->list.count; i++)
		merge_item(diags, &merge, over->list.items[i]);
	list->kind = GPC_NODE_LIST;
	list->place = base->place;
	list->list.items = merge.items;
	for (size_t i = 0; i < merge.count; i++) {
		if (merge.items[i])
			list->list.items[list->list.count++] = merge.items[i];
	}
	return list;
}

/* `key` NULL: inside labels or values, or a key that the language does not have. */
static struct gpc_node *merge_value(struct gpc_diags *diags, const struct gpc_key *key,
				    const struct gpc_node *base, struct gpc_node *over)
{
	if (!key || base->kind != over->kind || base->kind == GPC_NODE_SCALAR)
		return over;
	if (base->kind == GPC_NODE_LIST)
		return key->type == GPC_TYPE_OBJECTS ? merge_list(diags, key, base, over) : over;
	switch (key->type) {
	case GPC_TYPE_LABELS:
	case GPC_TYPE_VALUES:
		return merge_map(diags, NULL, base, over);
	case GPC_TYPE_OBJECT:
	case GPC_TYPE_HEALTH:
		return merge_map(diags, gpc_object_info(key->object), base, over);
	default:
		return over;
	}
}

static struct gpc_node *merge_map(struct gpc_diags *diags, const struct gpc_object_info *info,
				  const struct gpc_node *base, const struct gpc_node *over)
{
	size_t count = base->map.count;
	struct gpc_pair *pairs =
		GPC_NEW_ARRAY(diags->arena, struct gpc_pair, count + over->map.count);
	struct gpc_names names;

	gpc_names_start(diags->arena, &names, count);
	for (size_t i = 0; i < count; i++) {
		pairs[i] = base->map.pairs[i];
		gpc_names_add(&names, pairs[i].key);
	}
	gpc_names_sort(diags->arena, &names);
	for (size_t i = 0; i < over->map.count; i++) {
		const struct gpc_pair *pair = &over->map.pairs[i];
		const struct gpc_key *key = info ? gpc_key_find(info, pair->key) : NULL;
		size_t number = gpc_names_find(&names, pair->key);

		if (number == SIZE_MAX) {
			pairs[count++] = *pair;
			continue;
		}
		pairs[number].key_place = pair->key_place;
		pairs[number].value = merge_value(diags, key, pairs[number].value, pair->value);
	}
	return gpc_node_map(diags->arena, base->place, pairs, count);
}

static void check_values(struct gpc_diags *diags, const struct gpc_node *plane,
			 const struct gpc_node *overlay)
{
	const struct gpc_pair *base = gpc_node_find(plane, "values");
	const struct gpc_pair *over = gpc_node_find(overlay, "values");
	size_t count = base && base->value->kind == GPC_NODE_MAP ? base->value->map.count : 0;
	struct gpc_names names;

	if (!over || over->value->kind != GPC_NODE_MAP)
		return;
	gpc_names_start(diags->arena, &names, count);
	for (size_t i = 0; i < count; i++)
		gpc_names_add(&names, base->value->map.pairs[i].key);
	gpc_names_sort(diags->arena, &names);
	for (size_t i = 0; i < over->value->map.count; i++) {
		const struct gpc_pair *pair = &over->value->map.pairs[i];

		if (gpc_names_find(&names, pair->key) == SIZE_MAX)
			gpc_diag_hint(diags,
				      gpc_diag(diags, GPC_E0208, pair->key_place,
					       "undeclared value `%s` in an overlay",
					       gpc_quote(diags->arena, pair->key)),
				      "an overlay sets values that the plane declares");
	}
}

struct gpc_node *gpc_overlay_apply(struct gpc_diags *diags, const struct gpc_node *plane,
				   const struct gpc_node *overlay)
{
	const struct gpc_pair *include = gpc_node_find(overlay, "include");

	if (include)
		gpc_diag_hint(
			diags,
			gpc_diag(diags, GPC_E0211, include->key_place, "`include` in an overlay"),
			"include files from a Plane document");
	check_values(diags, plane, overlay);
	return merge_map(diags, gpc_object_info(GPC_OBJECT_document), plane, overlay);
}
