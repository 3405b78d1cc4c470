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

	if (slot->key->type == GPC_TYPE_ADDRESSES ? gpc_slot_address(slot, scalar, &prefix)
						  : gpc_slot_prefix(slot, scalar, &prefix))
		*ret = (struct gpc_prefix_value){.prefix = prefix, .at = scalar->at};
}

static void bind_bit(const struct gpc_slot *slot, const struct gpc_scalar *scalar,
		     struct gpc_uint_value *bits)
{
	uint64_t bit;

	if (gpc_slot_word(slot, scalar, &bit))
		bits->value |= bit;
}

/* All combinations of the four flags in which SYN is set and ACK is clear. */
static uint64_t syn_combinations(void)
{
	uint64_t bitmap = 0;

	for (unsigned int flags = 0; flags < 16; flags++) {
		if ((flags & GPC_ASK_SYN) && !(flags & GPC_ASK_ACK))
			bitmap |= UINT64_C(1) << flags;
	}
	return bitmap;
}

/* `syn` alone, not in a list. */
static void bind_syn(const struct gpc_slot *slot, const struct gpc_node *node,
		     struct gpc_uint_value *target)
{
	struct gpc_scalar scalar;
	struct gpc_diag *diag;
	bool bits = slot->key->type == GPC_TYPE_TCP_FLAGS_SET;

	if (!gpc_slot_scalar(slot, node, &scalar))
		return;
	if (!strcmp(scalar.text, "syn")) {
		*target = (struct gpc_uint_value){.value = bits ? GPC_ASK_SYN : syn_combinations(),
						  .set = true,
						  .at = scalar.at};
		return;
	}
	diag = gpc_slot_scalar_fault(slot, GPC_E0106, &scalar, "only `syn` may stand alone: `%s`",
				     gpc_quote(slot->values->diags->arena, scalar.text));
	gpc_diag_hint(slot->values->diags, diag,
		      "write a list of the flags that are set, such as [ack]");
}

#define FEW 8u /* up to here comparing all with all is quicker than an index */

static void report_repeat(const struct gpc_slot *slot, const struct gpc_scalar *first,
			  const struct gpc_scalar *again)
{
	struct gpc_diag *diag =
		gpc_slot_scalar_fault(slot, GPC_E0130, again, "item twice in the list: `%s`",
				      gpc_quote(slot->values->diags->arena, again->text));

	gpc_diag_place(diag, first->at, "first here");
}

static void check_few(const struct gpc_slot *slot, const struct gpc_scalar *items, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		size_t first = 0;

		while (strcmp(items[first].text, items[i].text) != 0)
			first++;
		if (first != i)
			report_repeat(slot, &items[first], &items[i]);
	}
}

/* Complains about items that are there twice, compared as text. */
static void check_repeats(const struct gpc_slot *slot, const struct gpc_scalar *items, size_t count)
{
	struct gpc_arena scratch = {0};
	struct gpc_names names;

	if (count <= FEW) {
		check_few(slot, items, count);
		return;
	}
	gpc_names_start(&scratch, &names, count);
	for (size_t i = 0; i < count; i++)
		gpc_names_add(&names, items[i].text);
	gpc_names_sort(&scratch, &names);
	for (size_t i = 0; i < count; i++) {
		size_t first = gpc_names_first(&names, i);

		if (first != i)
			report_repeat(slot, &items[first], &items[i]);
	}
	gpc_arena_release(&scratch);
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
	case GPC_TYPE_CIDRS:
		prefixes = gpc_slot_push(slot, target, sizeof(*prefixes), count);
		for (size_t i = 0; i < count; i++)
			bind_address(slot, &items[i], &prefixes[i]);
		break;
	case GPC_TYPE_REFERENCES:
	case GPC_TYPE_REFERENCES_OR_NONE:
		texts = gpc_slot_push(slot, target, sizeof(*texts), count);
		for (size_t i = 0; i < count; i++)
			texts[i] =
				(struct gpc_text_value){.text = items[i].text, .at = items[i].at};
		break;
	default:
		*(struct gpc_uint_value *)target = (struct gpc_uint_value){.set = true, .at = at};
		for (size_t i = 0; i < count; i++)
			bind_bit(slot, &items[i], target);
		if (slot->key->type == GPC_TYPE_TCP_FLAGS)
			((struct gpc_uint_value *)target)->value =
				UINT64_C(1) << ((struct gpc_uint_value *)target)->value;
	}
}

void gpc_bind_list(const struct gpc_slot *slot, const struct gpc_node *node, void *target)
{
	struct gpc_node *alone = (struct gpc_node *)node;
	struct gpc_scalar *scalars;
	size_t count;

	bool flags =
		slot->key->type == GPC_TYPE_TCP_FLAGS || slot->key->type == GPC_TYPE_TCP_FLAGS_SET;

	if (node->kind == GPC_NODE_SCALAR && flags) {
		bind_syn(slot, node, target);
		return;
	}
	if (node->kind == GPC_NODE_SCALAR && slot->key->type != GPC_TYPE_ENUMS) {
		scalars = scalars_of(slot, &alone, 1, &count);
	} else {
		if (!gpc_slot_wants(slot, node, GPC_NODE_LIST))
			return;
		if (node->list.count == 0 && slot->key->type != GPC_TYPE_REFERENCES_OR_NONE) {
			gpc_slot_fault(slot, GPC_E0129, node->place, "empty list");
			return;
		}
		scalars = scalars_of(slot, node->list.items, node->list.count, &count);
	}
	if (slot->key->type != GPC_TYPE_CIDRS)
		check_repeats(slot, scalars, count);
	bind_items(slot, node->place, scalars, count, target);
}

static void bind_label(const struct gpc_slot *slot, const struct gpc_pair *pair,
		       gpc_label_list *target)
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
	else if (target)
		*GPC_PUSH(arena, target) = (struct gpc_label){
			.key = pair->key, .value = value.text, .at = pair->key_place};
}

void gpc_bind_labels(const struct gpc_slot *slot, const struct gpc_node *node,
		     gpc_label_list *target)
{
	if (!gpc_slot_wants(slot, node, GPC_NODE_MAP))
		return;
	for (size_t i = 0; i < node->map.count; i++)
		bind_label(slot, &node->map.pairs[i], target);
}
