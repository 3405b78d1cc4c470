/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "gpc/image.h"
#include "resolve.h"

/* ---- segments ---- */

static uint32_t set_of_segment(struct gpc_resolver *resolver, uint32_t segment)
{
	resolver->model->segments[segment].used = true;
	if (resolver->segment_set[segment] == GPC_NONE)
		resolver->segment_set[segment] =
			gpc_space_set(&resolver->space, resolver->model->segments[segment].set);
	return resolver->segment_set[segment];
}

/* ---- labels ---- */

static int compare_labelled(const struct gpc_labelled *a, const struct gpc_label *b)
{
	int order = strcmp(a->key, b->key);

	return order ? order : strcmp(a->value, b->value);
}

/* The first entry that is not below (label, segment). */
static size_t lower_bound(const struct gpc_resolver *resolver, const struct gpc_label *label,
			  uint32_t segment)
{
	size_t low = 0, high = resolver->labelled.n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct gpc_labelled *entry = &resolver->labelled.items[middle];
		int order = compare_labelled(entry, label);

		if (order < 0 || (!order && entry->segment < segment))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool has_label(const struct gpc_resolver *resolver, uint32_t segment,
		      const struct gpc_label *label)
{
	size_t i = lower_bound(resolver, label, segment);

	return i < resolver->labelled.n && resolver->labelled.items[i].segment == segment &&
	       !compare_labelled(&resolver->labelled.items[i], label);
}

/* The label that the fewest segments have. */
static const struct gpc_label *rarest(const struct gpc_resolver *resolver,
				      const gpc_label_list *labels)
{
	const struct gpc_label *found = NULL;
	size_t fewest = SIZE_MAX;

	for (size_t i = 0; i < labels->n; i++) {
		const struct gpc_label *label = &labels->items[i];
		size_t count =
			lower_bound(resolver, label, UINT32_MAX) - lower_bound(resolver, label, 0);

		if (count < fewest) {
			fewest = count;
			found = label;
		}
	}
	return found;
}

static uint32_t find_labelled(struct gpc_resolver *resolver, const gpc_label_list *labels)
{
	const struct gpc_label *label = rarest(resolver, labels);
	size_t first = lower_bound(resolver, label, 0);
	size_t end = lower_bound(resolver, label, UINT32_MAX), count = 0;
	uint32_t *parts = GPC_NEW_ARRAY(resolver->diags->arena, uint32_t, end - first);

	for (size_t i = first; i < end; i++) {
		uint32_t segment = resolver->labelled.items[i].segment;
		bool all = true;

		for (size_t k = 0; k < labels->n && all; k++)
			all = has_label(resolver, segment, &labels->items[k]);
		if (all)
			parts[count++] = set_of_segment(resolver, segment);
	}
	return count ? gpc_space_union(&resolver->space, parts, count) : GPC_NONE;
}

struct labels_key {
	const struct gpc_resolver *resolver;
	const gpc_label_list *labels;
};

/* Both in order. */
static bool same_labels(const void *context, uint32_t number)
{
	const struct labels_key *key = context;
	const gpc_label_list *other = &key->resolver->label_answers.items[number].labels;

	if (other->n != key->labels->n)
		return false;
	for (size_t i = 0; i < other->n; i++)
		if (strcmp(other->items[i].key, key->labels->items[i].key) ||
		    strcmp(other->items[i].value, key->labels->items[i].value))
			return false;
	return true;
}

/* A mapping has each key once. */
static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct gpc_label *)a)->key, ((const struct gpc_label *)b)->key);
}

static gpc_label_list sorted_labels(struct gpc_arena *arena, const gpc_label_list *labels)
{
	gpc_label_list sorted = {GPC_NEW_ARRAY(arena, struct gpc_label, labels->n), labels->n,
				 labels->n};

	memcpy(sorted.items, labels->items, labels->n * sizeof(*sorted.items));
	qsort(sorted.items, sorted.n, sizeof(*sorted.items), by_key);
	return sorted;
}

static uint64_t hash_text(uint64_t hash, const char *text)
{
	return gpc_intern_mix_bytes(hash, text, strlen(text));
}

static uint32_t set_of_labels(struct gpc_resolver *resolver, const gpc_label_list *written)
{
	gpc_label_list labels =
		written->n > 1 ? sorted_labels(resolver->diags->arena, written) : *written;
	struct labels_key key = {resolver, &labels};
	struct gpc_label_answer answer = {.labels = labels};
	uint64_t hash = labels.n;
	uint32_t number;

	for (size_t i = 0; i < labels.n; i++)
		hash = hash_text(hash_text(hash, labels.items[i].key), labels.items[i].value);
	number = gpc_intern_find(&resolver->label_index, hash, same_labels, &key);
	if (number != GPC_NONE)
		return resolver->label_answers.items[number].set;
	answer.set = find_labelled(resolver, &labels);
	gpc_intern_add(resolver->diags->arena, &resolver->label_index, hash,
		       (uint32_t)resolver->label_answers.n);
	*GPC_PUSH(resolver->diags->arena, &resolver->label_answers) = answer;
	return answer.set;
}

#define SHOWN_LABELS 8u

static const char *labels_text(struct gpc_arena *arena, const gpc_label_list *labels)
{
	const char *text = "";

	for (size_t i = 0; i < labels->n && i < SHOWN_LABELS; i++)
		text = gpc_arena_printf(arena, "%s%s%s: %s", text, i ? ", " : "",
					labels->items[i].key, labels->items[i].value);
	return labels->n > SHOWN_LABELS ? gpc_arena_printf(arena, "%s, ...", text) : text;
}

/* ---- a selector ---- */

struct selecting {
	struct gpc_resolver *resolver;
	bool addresses;
	const char *kind, *owner;
	uint32_t *parts;
	size_t count;
	struct gpc_side side;
};

static void report_no_listener(struct selecting *s, const struct gpc_selector_item *item)
{
	const struct gpc_model *model = s->resolver->model;
	const char **names;

	s->side.wrong = true;
	if (strchr(item->text, '*')) {
		gpc_diag(s->resolver->diags, GPC_E0324, item->at,
			 "no listener matches `%s` in %s `%s`", item->text, s->kind, s->owner);
		return;
	}
	names = GPC_NEW_ARRAY(s->resolver->diags->arena, const char *, model->listener_count);
	for (size_t i = 0; i < model->listener_count; i++)
		names[i] = model->listeners[i].name;
	gpc_model_unknown(s->resolver->diags, GPC_E0324,
			  &(struct gpc_text_value){item->text, item->at}, "listener", s->kind,
			  s->owner, names, model->listener_count);
}

static void select_listeners(struct selecting *s, const struct gpc_selector_item *item, size_t room)
{
	const struct gpc_listeners_answer *answer = gpc_resolve_listeners(s->resolver, item->text);

	if (answer->addresses == GPC_NONE) {
		report_no_listener(s, item);
	} else if (s->addresses) {
		s->parts[s->count++] = answer->addresses;
	} else {
		if (!s->side.listeners)
			s->side.listeners =
				GPC_NEW_ARRAY(s->resolver->diags->arena,
					      const struct gpc_listeners_answer *, room);
		s->side.listeners[s->side.listener_count++] = answer;
	}
}

static void select_labels(struct selecting *s, const struct gpc_selector_item *item)
{
	struct gpc_diags *diags = s->resolver->diags;
	uint32_t set = set_of_labels(s->resolver, &item->labels);

	if (set != GPC_NONE) {
		s->parts[s->count++] = set;
		return;
	}
	s->side.wrong = true;
	gpc_diag(diags, GPC_E0323, item->at, "no segment has the labels {%s} of %s `%s`",
		 labels_text(diags->arena, &item->labels), s->kind, s->owner);
}

static void select_segment(struct selecting *s, const struct gpc_selector_item *item)
{
	uint32_t segment =
		gpc_resolve_segment(s->resolver, item->text, item->at, s->kind, s->owner);

	if (segment == GPC_NONE)
		s->side.wrong = true;
	else
		s->parts[s->count++] = set_of_segment(s->resolver, segment);
}

#define FEW_PARTS 16u

struct gpc_side gpc_resolve_selector(struct gpc_resolver *resolver,
				     const struct gpc_selector_intent *selector, bool addresses,
				     const char *kind, const char *owner)
{
	size_t room = selector->items.n;
	uint32_t few[FEW_PARTS];
	struct selecting s = {.resolver = resolver,
			      .addresses = addresses,
			      .kind = kind,
			      .owner = owner,
			      .side = {.set = GPC_NONE}};

	if (!room)
		return (struct gpc_side){.set = 0};
	s.parts = room > FEW_PARTS ? GPC_NEW_ARRAY(resolver->diags->arena, uint32_t, room) : few;
	for (size_t i = 0; i < room; i++) {
		const struct gpc_selector_item *item = &selector->items.items[i];

		if (item->kind == GPC_SELECT_SEGMENT)
			select_segment(&s, item);
		else if (item->kind == GPC_SELECT_PREFIX)
			s.parts[s.count++] = gpc_space_prefix(&resolver->space, &item->prefix);
		else if (item->kind == GPC_SELECT_LABELS)
			select_labels(&s, item);
		else
			select_listeners(&s, item, room);
	}
	if (s.count)
		s.side.set = gpc_space_union(&resolver->space, s.parts, s.count);
	gpc_resolver_check_full(resolver, selector->at);
	return s.side;
}
