/* SPDX-License-Identifier: MIT */
#include "slot.h"

#include <string.h>

#include "quote.h"
#include "scalar.h"
#include "suggest.h"

/* Position among the items that came from the same file: what the author counts. */
static size_t written_index(const struct gpc_frame *frame)
{
	struct gpc_node *const *items = frame->list->list.items;
	size_t index = 0;

	for (size_t i = 0; i < frame->index; i++)
		index += items[i]->place.source == items[frame->index]->place.source;
	return index;
}

static const char *path_of(const struct gpc_values *values, const struct gpc_frame *frame)
{
	struct gpc_arena *arena = values->diags->arena;
	const char *head = frame->up && frame->up->key ? path_of(values, frame->up) : NULL;
	const char *path = head ? gpc_arena_printf(arena, "%s.%s", head, frame->key) : frame->key;

	if (frame->list)
		path = gpc_arena_printf(arena, "%s[%zu]", path, written_index(frame));
	return path;
}

const char *gpc_frame_text(const struct gpc_values *values, const struct gpc_frame *frame)
{
	struct gpc_arena *arena = values->diags->arena;
	const struct gpc_frame *named = frame; /* it, or the item that it is part of */

	if (!frame->key || gpc_diags_full(values->diags))
		return "";
	while (named->up && !named->name && !named->list)
		named = named->up;
	if (named->name)
		return gpc_arena_printf(arena, " in %s (%s)", path_of(values, frame),
					gpc_quote(arena, named->name));
	return gpc_arena_printf(arena, " in %s", path_of(values, frame));
}

static struct gpc_diag *fault(const struct gpc_slot *slot, enum gpc_code code,
			      struct gpc_place place, const char *format, va_list args)
{
	struct gpc_diags *diags = slot->values->diags;
	const char *what =
		gpc_diags_full(diags) ? "" : gpc_arena_vprintf(diags->arena, format, args);

	return gpc_diag(diags, code, place, "%s for `%s`%s", what, slot->key->name,
			gpc_frame_text(slot->values, slot->frame));
}

struct gpc_diag *gpc_slot_fault(const struct gpc_slot *slot, enum gpc_code code,
				struct gpc_place place, const char *format, ...)
{
	struct gpc_diag *diag;
	va_list args;

	va_start(args, format);
	diag = fault(slot, code, place, format, args);
	va_end(args);
	return diag;
}

struct gpc_diag *gpc_slot_scalar_fault(const struct gpc_slot *slot, enum gpc_code code,
				       const struct gpc_scalar *scalar, const char *format, ...)
{
	struct gpc_diag *diag;
	va_list args;

	va_start(args, format);
	diag = fault(slot, code, scalar->at, format, args);
	va_end(args);
	if (scalar->from_name)
		gpc_diag_place(diag, scalar->from,
			       gpc_arena_printf(slot->values->diags->arena,
						"value `%s` is set here", scalar->from_name));
	return diag;
}

bool gpc_slot_wants(const struct gpc_slot *slot, const struct gpc_node *node,
		    enum gpc_node_kind kind)
{
	static const char *const names[] = {
		[GPC_NODE_SCALAR] = "scalar", [GPC_NODE_MAP] = "mapping", [GPC_NODE_LIST] = "list"};

	if (node->kind == kind)
		return true;
	if (node->kind == GPC_NODE_SCALAR && gpc_scalar_is_null(node->scalar.text))
		gpc_slot_fault(slot, GPC_E0105, node->place, "nothing given");
	else
		gpc_slot_fault(slot, GPC_E0101, node->place, "%s where a %s is wanted",
			       names[node->kind], names[kind]);
	return false;
}

/* A name is the identity of an object and is written out. */
static bool is_expanded(const struct gpc_key *key)
{
	return key->type != GPC_TYPE_NAME && key->type != GPC_TYPE_INTERFACE_NAME &&
	       key->type != GPC_TYPE_TITLE;
}

bool gpc_slot_scalar(const struct gpc_slot *slot, const struct gpc_node *node,
		     struct gpc_scalar *ret)
{
	struct gpc_scalar scalar;

	if (!gpc_slot_wants(slot, node, GPC_NODE_SCALAR))
		return false;
	scalar = (struct gpc_scalar){
		.text = node->scalar.text,
		.at = node->place,
		.from = GPC_NOWHERE,
	};
	if (is_expanded(slot->key) && !gpc_values_expand(slot->values, node, &scalar))
		return false;
	if (gpc_scalar_is_null(scalar.text)) {
		struct gpc_diag *diag =
			gpc_slot_scalar_fault(slot, GPC_E0105, &scalar, "nothing given");

		if (!slot->key->required && *slot->key->fallback)
			gpc_diag_hint(slot->values->diags, diag,
				      "remove the key to get its default, %s", slot->key->fallback);
		return false;
	}
	*ret = scalar;
	return true;
}

void *gpc_slot_push(const struct gpc_slot *slot, void *vector, size_t item_size, size_t count)
{
	GPC_VEC(void) any;
	char *first;

	memcpy(&any, vector, sizeof(any));
	if (!any.items || any.cap - any.n < count) {
		size_t cap = any.n + (count > any.n ? count : any.n);
		void *items = gpc_arena_calloc(slot->values->diags->arena, cap, item_size);

		if (any.n)
			memcpy(items, any.items, any.n * item_size);
		any.items = items;
		any.cap = cap;
	}
	first = (char *)any.items + any.n * item_size;
	any.n += count;
	memcpy(vector, &any, sizeof(any));
	return first;
}
