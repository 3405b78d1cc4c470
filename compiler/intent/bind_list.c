/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "intent.h"
#include "names.h"
#include "quote.h"
#include "scalar.h"
#include "slot.h"

static void bind_address(const struct gpc_slot *slot, const struct gpc_scalar *scalar,
			 struct gpc_prefix_value *ret)
{
	struct gpc_prefix prefix;

	if (gpc_slot_address(slot, scalar, slot->key->type == GPC_TYPE_ADDRESSES, &prefix))
		*ret = (struct gpc_prefix_value){.prefix = prefix, .at = scalar->at};
}

static void bind_bit(const struct gpc_slot *slot, const struct gpc_scalar *scalar,
		     struct gpc_uint_value *bits)
{
	uint64_t bit;

	if (gpc_slot_word(slot, scalar, &bit))
		bits->value |= bit;
}

/* Complains about items that are there twice, compared as text. */
static void check_repeats(const struct gpc_slot *slot, const struct gpc_scalar *items, size_t count)
{
	struct gpc_names names = {0};

	if (count < 2)
		return;
	for (size_t i = 0; i < count; i++)
		gpc_names_add(slot->values->diags->arena, &names, items[i].text);
	gpc_names_sort(&names);
	for (size_t i = 0; i < count; i++) {
		size_t first, again;
		struct gpc_diag *diag;

		if (!gpc_names_repeat(&names, i, &first, &again))
			continue;
		diag = gpc_slot_scalar_fault(
			slot, GPC_E0130, &items[again], "item twice in the list: `%s`",
			gpc_quote(slot->values->diags->arena, items[again].text));
		gpc_diag_place(diag, items[first].at, "first here");
	}
}

/* The scalars of a list, in order; what is none is complained about and left out. */
static struct gpc_scalar *scalars_of(const struct gpc_slot *slot, struct gpc_node *const *items,
				     size_t count, size_t *ret_count)
{
	struct gpc_scalar *scalars =
		GPC_NEW_ARRAY(slot->values->diags->arena, struct gpc_scalar, count);

	*ret_count = 0;
	for (size_t i = 0; i < count; i++) {
		if (gpc_slot_scalar(slot, items[i], &scalars[*ret_count]))
			(*ret_count)++;
	}
	return scalars;
}

static void bind_items(const struct gpc_slot *slot, struct gpc_place at,
		       const struct gpc_scalar *items, size_t count, void *target)
{
	struct gpc_prefix_value *prefixes;
	struct gpc_text_value *texts;

	switch (slot->key->type) {
	case GPC_TYPE_ADDRESSES:
	case GPC_TYPE_PREFIXES:
		prefixes = gpc_slot_push(slot, target, sizeof(*prefixes), count);
		for (size_t i = 0; i < count; i++)
			bind_address(slot, &items[i], &prefixes[i]);
		break;
	case GPC_TYPE_REFERENCES:
		texts = gpc_slot_push(slot, target, sizeof(*texts), count);
		for (size_t i = 0; i < count; i++)
			texts[i] =
				(struct gpc_text_value){.text = items[i].text, .at = items[i].at};
		break;
	default:
		*(struct gpc_uint_value *)target = (struct gpc_uint_value){.set = true, .at = at};
		for (size_t i = 0; i < count; i++)
			bind_bit(slot, &items[i], target);
	}
}

void gpc_bind_list(const struct gpc_slot *slot, const struct gpc_node *node, void *target)
{
	struct gpc_node *alone = (struct gpc_node *)node;
	struct gpc_scalar *scalars;
	size_t count;

	if (node->kind == GPC_NODE_SCALAR && slot->key->type != GPC_TYPE_ENUMS) {
		scalars = scalars_of(slot, &alone, 1, &count);
	} else {
		if (!gpc_slot_wants(slot, node, GPC_NODE_LIST))
			return;
		if (node->list.count == 0) {
			gpc_slot_fault(slot, GPC_E0129, node->place, "empty list");
			return;
		}
		scalars = scalars_of(slot, node->list.items, node->list.count, &count);
	}
	check_repeats(slot, scalars, count);
	bind_items(slot, node->place, scalars, count, target);
}

static void bind_label(const struct gpc_slot *slot, const struct gpc_pair *pair)
{
	struct gpc_arena *arena = slot->values->diags->arena;
	struct gpc_scalar value;

	if (!gpc_scalar_is_label(pair->key))
		gpc_slot_fault(slot, GPC_E0125, pair->key_place, "not a label: `%s`",
			       gpc_quote(arena, pair->key));
	if (!gpc_slot_wants(slot, pair->value, GPC_NODE_SCALAR) ||
	    !gpc_values_expand(slot->values, pair->value, &value))
		return;
	if (*value.text && !gpc_scalar_is_label(value.text))
		gpc_slot_scalar_fault(slot, GPC_E0125, &value, "not a label's value: `%s`",
				      gpc_quote(arena, value.text));
}

void gpc_bind_labels(const struct gpc_slot *slot, const struct gpc_node *node)
{
	if (!gpc_slot_wants(slot, node, GPC_NODE_MAP))
		return;
	for (size_t i = 0; i < node->map.count; i++)
		bind_label(slot, &node->map.pairs[i]);
}
