/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "intent.h"
#include "quote.h"
#include "scalar.h"
#include "slot.h"
#include "suggest.h"

static struct gpc_selector_item *add_item(const struct gpc_slot *slot,
					  struct gpc_selector_intent *selector,
					  enum gpc_selector_kind kind, struct gpc_place at)
{
	struct gpc_selector_item *item = gpc_slot_push(slot, &selector->items, sizeof(*item), 1);

	item->kind = kind;
	item->at = at;
	return item;
}

static void report_reserved(const struct gpc_slot *slot, const struct gpc_scalar *scalar)
{
	bool all = !strcmp(scalar->text, "any") || !strcmp(scalar->text, "all");
	struct gpc_diag *diag =
		gpc_slot_scalar_fault(slot, GPC_E0131, scalar, "`%s` is no segment", scalar->text);

	gpc_diag_hint(slot->values->diags, diag,
		      all ? "leave the key out to match every address"
			  : "name a segment, or write a prefix");
}

static void bind_text(const struct gpc_slot *slot, const struct gpc_scalar *scalar,
		      struct gpc_selector_intent *selector)
{
	struct gpc_prefix prefix;

	if (gpc_scalar_is_reserved_name(scalar->text)) {
		report_reserved(slot, scalar);
	} else if (gpc_scalar_is_name(scalar->text)) {
		add_item(slot, selector, GPC_SELECT_SEGMENT, scalar->at)->text = scalar->text;
	} else if (strpbrk(scalar->text, ".:/") ||
		   (scalar->text[0] >= '0' && scalar->text[0] <= '9')) {
		if (gpc_slot_prefix(slot, scalar, &prefix))
			add_item(slot, selector, GPC_SELECT_PREFIX, scalar->at)->prefix = prefix;
	} else {
		gpc_diag_hint(
			slot->values->diags,
			gpc_slot_scalar_fault(slot, GPC_E0131, scalar,
					      "neither a segment's name nor a prefix: `%s`",
					      gpc_quote(slot->values->diags->arena, scalar->text)),
			"a name begins with a letter, a prefix looks like 10.0.0.0/8");
	}
}

static void bind_pattern(const struct gpc_slot *slot, const struct gpc_node *node,
			 struct gpc_selector_intent *selector)
{
	struct gpc_scalar scalar;

	if (!gpc_slot_scalar(slot, node, &scalar))
		return;
	if (gpc_scalar_is_name_pattern(scalar.text)) {
		add_item(slot, selector, GPC_SELECT_LISTENERS, scalar.at)->text = scalar.text;
		return;
	}
	gpc_diag_hint(slot->values->diags,
		      gpc_slot_scalar_fault(slot, GPC_E0131, &scalar,
					    "not a pattern of listeners: `%s`",
					    gpc_quote(slot->values->diags->arena, scalar.text)),
		      "write a listener's name, a head and a final `*`, or `*` for all");
}

static void bind_listeners(const struct gpc_slot *slot, const struct gpc_pair *pair,
			   struct gpc_selector_intent *selector)
{
	const struct gpc_node *node = pair->value;

	if (slot->key->type != GPC_TYPE_SELECTOR_TO) {
		gpc_diag_hint(
			slot->values->diags,
			gpc_slot_fault(slot, GPC_E0131, pair->key_place, "misplaced `listeners`"),
			"only `to` selects by listeners, and not in a segment");
		return;
	}
	if (node->kind != GPC_NODE_LIST) {
		bind_pattern(slot, node, selector);
		return;
	}
	if (!node->list.count)
		gpc_slot_fault(slot, GPC_E0129, node->place, "empty list of listeners");
	for (size_t i = 0; i < node->list.count; i++)
		bind_pattern(slot, node->list.items[i], selector);
}

static void bind_label_selector(const struct gpc_slot *slot, const struct gpc_pair *pair,
				struct gpc_selector_intent *selector)
{
	struct gpc_selector_item *item;

	if (slot->key->type == GPC_TYPE_SELECTOR_PLAIN) {
		gpc_diag_hint(
			slot->values->diags,
			gpc_slot_fault(slot, GPC_E0131, pair->key_place, "misplaced `labels`"),
			"name the segments, or write prefixes");
		return;
	}
	if (pair->value->kind == GPC_NODE_MAP && !pair->value->map.count) {
		gpc_slot_fault(slot, GPC_E0105, pair->value->place, "no labels given");
		return;
	}
	item = add_item(slot, selector, GPC_SELECT_LABELS, pair->key_place);
	gpc_bind_labels(slot, pair->value, &item->labels);
}

static void report_unknown(const struct gpc_slot *slot, const struct gpc_pair *pair)
{
	static const char *const known[] = {"labels", "listeners"};
	struct gpc_diags *diags = slot->values->diags;
	const char *near = gpc_suggest(pair->key, known, 2);
	struct gpc_diag *diag = gpc_slot_fault(slot, GPC_E0102, pair->key_place, "unknown key `%s`",
					       gpc_quote(diags->arena, pair->key));

	if (near)
		gpc_diag_hint(diags, diag, "did you mean `%s`?", near);
	else if (!strcmp(pair->key, "file"))
		gpc_diag_hint(diags, diag, "give the feed to a segment, and name the segment here");
	else
		gpc_diag_hint(diags, diag, "keys here: labels, listeners");
}

static void bind_map(const struct gpc_slot *slot, const struct gpc_node *node,
		     struct gpc_selector_intent *selector)
{
	const struct gpc_pair *pair = node->map.count ? &node->map.pairs[0] : NULL;

	for (size_t i = 0; i < node->map.count; i++) {
		if (strcmp(node->map.pairs[i].key, "labels") != 0 &&
		    strcmp(node->map.pairs[i].key, "listeners") != 0) {
			report_unknown(slot, &node->map.pairs[i]);
			return;
		}
	}
	if (node->map.count != 1)
		gpc_diag_hint(slot->values->diags,
			      gpc_slot_fault(slot, GPC_E0128, node->place,
					     "not exactly one of `labels` and `listeners`"),
			      "write a list of two items for the union of both");
	else if (!strcmp(pair->key, "labels"))
		bind_label_selector(slot, pair, selector);
	else
		bind_listeners(slot, pair, selector);
}

static void bind_item(const struct gpc_slot *slot, const struct gpc_node *node,
		      struct gpc_selector_intent *selector)
{
	struct gpc_scalar scalar;

	if (node->kind == GPC_NODE_MAP)
		bind_map(slot, node, selector);
	else if (gpc_slot_scalar(slot, node, &scalar))
		bind_text(slot, &scalar, selector);
}

void gpc_bind_selector(const struct gpc_slot *slot, const struct gpc_node *node,
		       struct gpc_selector_intent *selector)
{
	selector->at = node->place;
	if (node->kind != GPC_NODE_LIST) {
		bind_item(slot, node, selector);
		return;
	}
	if (!node->list.count)
		gpc_slot_fault(slot, GPC_E0129, node->place, "empty list");
	for (size_t i = 0; i < node->list.count; i++)
		bind_item(slot, node->list.items[i], selector);
}
