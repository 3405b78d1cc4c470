/* SPDX-License-Identifier: MIT */
#include "merge.h"

#include <string.h>

#include "names.h"
#include "quote.h"

/* One key of the merged document. */
struct section {
	const struct gpc_key *key;
	struct gpc_pair first;		  /* key and place of the first one */
	GPC_VEC(struct gpc_node *) items; /* OBJECTS */
	GPC_VEC(struct gpc_pair) pairs;	  /* OBJECT, VALUES */
};

struct merge {
	struct gpc_diags *diags;
	GPC_VEC(struct section) sections;
	GPC_VEC(struct gpc_pair) others; /* taken over as they are; the binder judges them */
};

struct gpc_node *gpc_node_map(struct gpc_arena *arena, struct gpc_place place,
			      struct gpc_pair *pairs, size_t count)
{
	struct gpc_node *node = GPC_NEW(arena, struct gpc_node);

	node->kind = GPC_NODE_MAP;
	node->place = place;
	node->map.pairs = pairs;
	node->map.count = count;
	return node;
}

const struct gpc_node *gpc_node_name(const struct gpc_node *item)
{
	const struct gpc_pair *pair =
		item->kind == GPC_NODE_MAP ? gpc_node_find(item, "name") : NULL;

	return pair && pair->value->kind == GPC_NODE_SCALAR && pair->value->scalar.size
		       ? pair->value
		       : NULL;
}

static void report_twice(struct gpc_diags *diags, enum gpc_code code, const char *name,
			 const char *where, struct gpc_place again, struct gpc_place first)
{
	struct gpc_diag *diag =
		gpc_diag(diags, code, again, "%s given twice: `%s` in %s",
			 code == GPC_E0201 ? "name" : "key", gpc_quote(diags->arena, name), where);

	gpc_diag_place(diag, first, "first here");
}

static void check_names(struct gpc_diags *diags, const struct gpc_key *key,
			const struct gpc_node *list);

/* The lists of objects inside the items of a list. */
static void check_inner_names(struct gpc_diags *diags, const struct gpc_key *key,
			      const struct gpc_node *list)
{
	for (size_t i = 0; i < list->list.count; i++) {
		const struct gpc_node *item = list->list.items[i];
		const struct gpc_pair *pair =
			item->kind == GPC_NODE_MAP ? gpc_node_find(item, key->name) : NULL;

		if (pair && pair->value->kind == GPC_NODE_LIST)
			check_names(diags, key, pair->value);
	}
}

static void check_names(struct gpc_diags *diags, const struct gpc_key *key,
			const struct gpc_node *list)
{
	const struct gpc_object_info *info = gpc_object_info(key->object);
	struct gpc_arena scratch = {0};
	const struct gpc_node **found =
		GPC_NEW_ARRAY(&scratch, const struct gpc_node *, list->list.count);
	struct gpc_names names;

	gpc_names_start(&scratch, &names, list->list.count);
	for (size_t i = 0; i < list->list.count; i++) {
		const struct gpc_node *name = gpc_node_name(list->list.items[i]);

		if (!name)
			continue;
		found[names.count] = name;
		gpc_names_add(&names, name->scalar.text);
	}
	gpc_names_sort(&scratch, &names);
	for (size_t i = 0; i < names.count; i++) {
		size_t first = gpc_names_first(&names, i);

		if (first != i)
			report_twice(diags, GPC_E0201, found[i]->scalar.text, key->name,
				     found[i]->place, found[first]->place);
	}
	gpc_arena_release(&scratch);
	for (size_t i = 0; i < info->count; i++) {
		if (info->keys[i].type == GPC_TYPE_OBJECTS)
			check_inner_names(diags, &info->keys[i], list);
	}
}

/* Removes from `pairs` what repeats an earlier key. */
static size_t unite_pairs(struct gpc_diags *diags, const struct section *section,
			  struct gpc_pair *pairs, size_t count)
{
	struct gpc_names names;
	size_t kept = 0;

	gpc_names_start(diags->arena, &names, count);
	for (size_t i = 0; i < count; i++)
		gpc_names_add(&names, pairs[i].key);
	gpc_names_sort(diags->arena, &names);
	for (size_t i = 0; i < count; i++) {
		const struct gpc_pair *first = &pairs[gpc_names_first(&names, i)];

		if (first != &pairs[i])
			report_twice(diags, GPC_E0202, pairs[i].key, section->key->name,
				     pairs[i].key_place, first->key_place);
	}
	for (size_t i = 0; i < count; i++) {
		if (gpc_names_first(&names, i) == i)
			pairs[kept++] = pairs[i];
	}
	return kept;
}

static struct section *section_of(struct merge *merge, const struct gpc_key *key,
				  const struct gpc_pair *pair)
{
	struct section *section;

	for (size_t i = 0; i < merge->sections.n; i++) {
		if (merge->sections.items[i].key == key)
			return &merge->sections.items[i];
	}
	section = GPC_PUSH(merge->diags->arena, &merge->sections);
	section->key = key;
	section->first = *pair;
	return section;
}

static void add_pair(struct merge *merge, const struct gpc_pair *pair, bool first_document)
{
	struct gpc_arena *arena = merge->diags->arena;
	const struct gpc_key *key = gpc_key_find(gpc_object_info(GPC_OBJECT_document), pair->key);
	bool built = key && key->feature == GPC_FEATURE_BUILT;
	struct section *section;

	if (built && key->type == GPC_TYPE_OBJECTS && pair->value->kind == GPC_NODE_LIST) {
		section = section_of(merge, key, pair);
		for (size_t i = 0; i < pair->value->list.count; i++)
			*GPC_PUSH(arena, &section->items) = pair->value->list.items[i];
	} else if (built && (key->type == GPC_TYPE_OBJECT || key->type == GPC_TYPE_VALUES) &&
		   pair->value->kind == GPC_NODE_MAP) {
		section = section_of(merge, key, pair);
		for (size_t i = 0; i < pair->value->map.count; i++)
			*GPC_PUSH(arena, &section->pairs) = pair->value->map.pairs[i];
	} else if (!built || first_document || key->type == GPC_TYPE_OBJECTS ||
		   key->type == GPC_TYPE_OBJECT || key->type == GPC_TYPE_VALUES) {
		/* apiVersion, kind and include of the first document stand for all: they were
		 * checked. */
		*GPC_PUSH(arena, &merge->others) = *pair;
	}
}

static struct gpc_pair finish(struct merge *merge, struct section *section)
{
	struct gpc_arena *arena = merge->diags->arena;
	struct gpc_pair pair = section->first;

	if (section->key->type == GPC_TYPE_OBJECTS) {
		struct gpc_node *node = GPC_NEW(arena, struct gpc_node);

		node->kind = GPC_NODE_LIST;
		node->place = section->first.value->place;
		node->list.items = section->items.items;
		node->list.count = section->items.n;
		check_names(merge->diags, section->key, node);
		pair.value = node;
		return pair;
	}
	section->pairs.n =
		unite_pairs(merge->diags, section, section->pairs.items, section->pairs.n);
	pair.value = gpc_node_map(arena, section->first.value->place, section->pairs.items,
				  section->pairs.n);
	return pair;
}

struct gpc_node *gpc_merge(struct gpc_diags *diags, const struct gpc_document_list *list)
{
	struct merge merge = {.diags = diags};

	for (size_t i = 0; i < list->documents.n; i++) {
		const struct gpc_node *root = list->documents.items[i].root;

		for (size_t j = 0; j < root->map.count; j++)
			add_pair(&merge, &root->map.pairs[j], i == 0);
	}
	for (size_t i = 0; i < merge.sections.n; i++)
		*GPC_PUSH(diags->arena, &merge.others) = finish(&merge, &merge.sections.items[i]);
	return gpc_node_map(diags->arena, list->documents.items[0].root->place, merge.others.items,
			    merge.others.n);
}
