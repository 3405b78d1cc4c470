/* SPDX-License-Identifier: MIT */
#include "bind.h"

#include <assert.h>
#include <string.h>

#include "quote.h"
#include "slot.h"
#include "suggest.h"

#define MOST_KEYS 32u

static void bind_object(struct gpc_values *values, const struct gpc_frame *frame,
			const struct gpc_object_info *info, const struct gpc_node *node,
			void *object);

/* "name, mode": the keys that are built. */
static const char *list_keys(struct gpc_arena *arena, const struct gpc_object_info *info)
{
	const char *list = "";

	for (size_t i = 0; i < info->count; i++) {
		if (info->keys[i].feature == GPC_FEATURE_BUILT)
			list = gpc_arena_printf(arena, "%s%s%s", list, *list ? ", " : "",
						info->keys[i].name);
	}
	return list;
}

static void report_unknown_key(struct gpc_values *values, const struct gpc_frame *frame,
			       const struct gpc_object_info *info, const struct gpc_pair *pair)
{
	struct gpc_diags *diags = values->diags;
	struct gpc_diag *diag =
		gpc_diag(diags, GPC_E0102, pair->key_place, "unknown key `%s`%s",
			 gpc_quote(diags->arena, pair->key), gpc_frame_text(values, frame));
	const char *candidates[MOST_KEYS];
	const char *near;

	if (gpc_diags_full(diags))
		return;
	assert(info->count <= MOST_KEYS);
	for (size_t i = 0; i < info->count; i++)
		candidates[i] = info->keys[i].name;
	near = gpc_suggest(pair->key, candidates, info->count);
	if (near)
		gpc_diag_hint(diags, diag, "did you mean `%s`?", near);
	else
		gpc_diag_hint(diags, diag, "keys here: %s", list_keys(diags->arena, info));
}

static void report_delete(struct gpc_values *values, const struct gpc_pair *pair)
{
	struct gpc_diag *diag =
		gpc_diag(values->diags, GPC_E0210, pair->key_place, "misplaced `$delete`");

	gpc_diag_hint(values->diags, diag, "it removes an object by its name, in an overlay");
}

static void report_not_built(struct gpc_values *values, const struct gpc_frame *frame,
			     const struct gpc_key *key, const struct gpc_pair *pair)
{
	struct gpc_diags *diags = values->diags;
	struct gpc_diag *diag =
		gpc_diag(diags, GPC_E0103, pair->key_place, "not built yet: key `%s`%s", key->name,
			 gpc_frame_text(values, frame));

	gpc_diag_hint(diags, diag, "it comes with %s; remove it", gpc_feature_name(key->feature));
}

/* The item's name for messages, if it has one that can be shown. */
static const char *name_of(const struct gpc_node *node)
{
	for (size_t i = 0; node->kind == GPC_NODE_MAP && i < node->map.count; i++) {
		const struct gpc_pair *pair = &node->map.pairs[i];

		if (!strcmp(pair->key, "name") && pair->value->kind == GPC_NODE_SCALAR)
			return *pair->value->scalar.text ? pair->value->scalar.text : NULL;
	}
	return NULL;
}

/* Every item's struct ends with its place; this is where it is filled in. */
static void set_place(enum gpc_object kind, void *item, struct gpc_place at)
{
	switch (kind) {
	case GPC_OBJECT_interface:
		((struct gpc_interface_intent *)item)->at = at;
		break;
	case GPC_OBJECT_backend:
		((struct gpc_backend_intent *)item)->at = at;
		break;
	case GPC_OBJECT_endpoint:
		((struct gpc_endpoint_intent *)item)->at = at;
		break;
	case GPC_OBJECT_listener:
		((struct gpc_listener_intent *)item)->at = at;
		break;
	default:
		assert(!"an object that is built");
	}
}

static void bind_objects(const struct gpc_slot *slot, const struct gpc_node *node, void *target,
			 void *object)
{
	const struct gpc_object_info *info = gpc_object_info(slot->key->object);
	char *items;

	if (!gpc_slot_wants(slot, node, GPC_NODE_LIST))
		return;
	if (slot->key->object == GPC_OBJECT_endpoint) {
		((struct gpc_backend_intent *)object)->endpoints_at = node->place;
		if (node->list.count == 0)
			gpc_slot_fault(slot, GPC_E0129, node->place, "empty list");
	}
	items = gpc_slot_push(slot, target, info->size, node->list.count);
	for (size_t i = 0; i < node->list.count; i++) {
		const struct gpc_node *item = node->list.items[i];
		struct gpc_frame frame = {
			.up = slot->frame,
			.key = slot->key->name,
			.list = node,
			.index = i,
			.name = name_of(item),
		};

		if (!gpc_slot_wants(slot, item, GPC_NODE_MAP))
			continue;
		set_place(slot->key->object, items + i * info->size, item->place);
		bind_object(slot->values, &frame, info, item, items + i * info->size);
	}
}

static void bind_child(const struct gpc_slot *slot, const struct gpc_node *node, void *target)
{
	struct gpc_frame frame = {.up = slot->frame, .key = slot->key->name};

	if (gpc_slot_wants(slot, node, GPC_NODE_MAP))
		bind_object(slot->values, &frame, gpc_object_info(slot->key->object), node, target);
}

static void bind_health(const struct gpc_slot *slot, const struct gpc_node *node,
			struct gpc_backend_intent *backend)
{
	unsigned int kinds = 0;

	if (!gpc_slot_wants(slot, node, GPC_NODE_MAP))
		return;
	backend->has_health = true;
	backend->health_at = node->place;
	bind_child(slot, node, backend);
	for (size_t i = 0; i < node->map.count; i++)
		kinds += !strcmp(node->map.pairs[i].key, "tcp") ||
			 !strcmp(node->map.pairs[i].key, "http");
	if (kinds != 1)
		gpc_slot_fault(slot, GPC_E0128, node->place, "not exactly one of `tcp` and `http`");
}

static void bind_value(const struct gpc_slot *slot, const struct gpc_node *node, void *object)
{
	size_t offset = slot->key->offset;
	void *target = offset == GPC_NO_TARGET ? NULL : (char *)object + offset;

	switch (slot->key->type) {
	case GPC_TYPE_OBJECT:
		bind_child(slot, node, target);
		break;
	case GPC_TYPE_OBJECTS:
		bind_objects(slot, node, target, object);
		break;
	case GPC_TYPE_HEALTH:
		bind_health(slot, node, object);
		break;
	case GPC_TYPE_LABELS:
		gpc_bind_labels(slot, node);
		break;
	case GPC_TYPE_VALUES: /* values.c and include.c have seen to these */
	case GPC_TYPE_PATTERNS:
		break;
	case GPC_TYPE_ADDRESSES:
	case GPC_TYPE_PREFIXES:
	case GPC_TYPE_REFERENCES:
	case GPC_TYPE_ENUMS:
		gpc_bind_list(slot, node, target);
		break;
	default:
		gpc_bind_scalar(slot, node, target, object);
	}
}

static void report_missing(struct gpc_values *values, const struct gpc_frame *frame,
			   const struct gpc_object_info *info, const struct gpc_node *node,
			   uint32_t seen)
{
	for (size_t i = 0; i < info->count; i++) {
		if (info->keys[i].required && !(seen & UINT32_C(1) << i))
			gpc_diag(values->diags, GPC_E0104, node->place, "missing key `%s`%s",
				 info->keys[i].name, gpc_frame_text(values, frame));
	}
}

static void bind_object(struct gpc_values *values, const struct gpc_frame *frame,
			const struct gpc_object_info *info, const struct gpc_node *node,
			void *object)
{
	uint32_t seen = 0;

	for (size_t i = 0; i < node->map.count; i++) {
		const struct gpc_pair *pair = &node->map.pairs[i];
		const struct gpc_key *key = gpc_key_find(info, pair->key);
		struct gpc_slot slot = {.values = values, .frame = frame, .key = key};

		if (!strcmp(pair->key, "$delete")) {
			report_delete(values, pair);
		} else if (!key) {
			report_unknown_key(values, frame, info, pair);
		} else if (key->feature != GPC_FEATURE_BUILT) {
			report_not_built(values, frame, key, pair);
		} else {
			seen |= UINT32_C(1) << (key - info->keys);
			bind_value(&slot, pair->value, object);
		}
	}
	report_missing(values, frame, info, node, seen);
}

void gpc_bind(struct gpc_values *values, const struct gpc_node *plane, struct gpc_intent *ret)
{
	struct gpc_frame document = {0};

	bind_object(values, &document, gpc_object_info(GPC_OBJECT_document), plane, ret);
}
