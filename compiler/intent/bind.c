/* SPDX-License-Identifier: MIT */
#include "bind.h"

#include <assert.h>
#include <string.h>

#include "quote.h"
#include "slot.h"
#include "suggest.h"

#define MOST_KEYS 32u

static void bind_object(struct gpc_values *values, const struct gpc_frame *frame,
			enum gpc_object kind, const struct gpc_node *node, void *object);

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

static void set_place(const struct gpc_object_info *info, void *object, struct gpc_place at)
{
	if (info->place != GPC_NO_TARGET)
		memcpy((char *)object + info->place, &at, sizeof(at));
}

static void bind_objects(const struct gpc_slot *slot, const struct gpc_node *node, void *target,
			 void *object)
{
	const struct gpc_object_info *info = gpc_object_info(slot->key->object);
	char *items;

	if (!gpc_slot_wants(slot, node, GPC_NODE_LIST))
		return;
	if (slot->key->object == GPC_OBJECT_endpoint)
		((struct gpc_backend_intent *)object)->endpoints_at = node->place;
	if ((slot->key->object == GPC_OBJECT_endpoint || slot->key->object == GPC_OBJECT_split) &&
	    node->list.count == 0)
		gpc_slot_fault(slot, GPC_E0129, node->place, "empty list");
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
		bind_object(slot->values, &frame, slot->key->object, item, items + i * info->size);
	}
}

static void bind_child(const struct gpc_slot *slot, const struct gpc_node *node, void *target)
{
	struct gpc_frame frame = {.up = slot->frame, .key = slot->key->name};

	if (gpc_slot_wants(slot, node, GPC_NODE_MAP))
		bind_object(slot->values, &frame, slot->key->object, node, target);
}

/* `all`, or a mapping; without `sample` all as well. */
static void bind_log(const struct gpc_slot *slot, const struct gpc_node *node,
		     struct gpc_log_intent *log)
{
	static const char *const all = "all";
	struct gpc_scalar scalar;

	log->sample = 1;
	log->at = node->place;
	if (node->kind == GPC_NODE_MAP) {
		bind_child(slot, node, log);
		return;
	}
	if (!gpc_slot_scalar(slot, node, &scalar) || !strcmp(scalar.text, all))
		return;
	gpc_diag_hint(slot->values->diags,
		      gpc_slot_scalar_fault(slot, GPC_E0106, &scalar, "unknown word `%s`",
					    gpc_quote(slot->values->diags->arena, scalar.text)),
		      "write all, or {sample: 1/N, rate: 100/s}");
}

/* The struct that a key is bound to: the field, or what its pointer is made to show. */
static void *target_of(const struct gpc_slot *slot, void *object)
{
	const struct gpc_key *key = slot->key;
	void *made;

	if (key->offset == GPC_NO_TARGET)
		return NULL;
	if (!key->allocated)
		return (char *)object + key->offset;
	made = gpc_arena_alloc(slot->values->diags->arena, gpc_object_info(key->object)->size);
	memcpy((char *)object + key->offset, &made, sizeof(made));
	return made;
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
	void *target = target_of(slot, object);

	switch (slot->key->type) {
	case GPC_TYPE_OBJECT:
		bind_child(slot, node, target);
		break;
	case GPC_TYPE_OBJECTS:
	case GPC_TYPE_ITEMS:
		bind_objects(slot, node, target, object);
		break;
	case GPC_TYPE_HEALTH:
		bind_health(slot, node, object);
		break;
	case GPC_TYPE_LABELS:
		gpc_bind_labels(slot, node, target);
		break;
	case GPC_TYPE_LOG:
		bind_log(slot, node, target);
		break;
	case GPC_TYPE_SELECTOR:
	case GPC_TYPE_SELECTOR_TO:
	case GPC_TYPE_SELECTOR_PLAIN:
		gpc_bind_selector(slot, node, target);
		break;
	case GPC_TYPE_PORTS:
		gpc_bind_ports(slot, node, target);
		break;
	case GPC_TYPE_COMMAND:
		gpc_bind_command(slot, node, target);
		break;
	case GPC_TYPE_VALUES: /* values.c and include.c have seen to these */
	case GPC_TYPE_PATTERNS:
	case GPC_TYPE_ICMP_TYPE: /* needs the protocol: bind_whole.c */
		break;
	case GPC_TYPE_ADDRESSES:
	case GPC_TYPE_PREFIXES:
	case GPC_TYPE_CIDRS:
	case GPC_TYPE_REFERENCES:
	case GPC_TYPE_REFERENCES_OR_NONE:
	case GPC_TYPE_ENUMS:
	case GPC_TYPE_TCP_FLAGS:
	case GPC_TYPE_TCP_FLAGS_SET:
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
			enum gpc_object kind, const struct gpc_node *node, void *object)
{
	const struct gpc_object_info *info = gpc_object_info(kind);
	uint32_t seen = 0;

	if (object)
		set_place(info, object, node->place);

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
	gpc_bind_whole(values, frame, kind, node, object);
}

void gpc_bind(struct gpc_values *values, const struct gpc_node *plane, struct gpc_intent *ret)
{
	struct gpc_frame document = {0};

	bind_object(values, &document, GPC_OBJECT_document, plane, ret);
}
