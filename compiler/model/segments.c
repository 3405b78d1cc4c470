/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "gpc/image.h"
#include "resolve.h"

/* ---- names ---- */

uint32_t gpc_resolve_segment(struct gpc_resolver *resolver, const char *name, struct gpc_place at,
			     const char *kind, const char *owner)
{
	uint32_t index = gpc_catalog_find(&resolver->segments, name);
	const struct gpc_model *model = resolver->model;
	const char **names;

	if (index != GPC_NONE)
		return index;
	names = GPC_NEW_ARRAY(resolver->diags->arena, const char *, model->segment_count);
	for (size_t i = 0; i < model->segment_count; i++)
		names[i] = model->segments[i].name;
	gpc_model_unknown(resolver->diags, GPC_E0321, &(struct gpc_text_value){name, at}, "segment",
			  kind, owner, names, model->segment_count);
	return GPC_NONE;
}

static void index_names(struct gpc_resolver *resolver)
{
	const struct gpc_intent *intent = resolver->intent;
	struct gpc_arena *arena = resolver->diags->arena;
	size_t count = intent->segments.n;

	resolver->segment_set = GPC_NEW_ARRAY(arena, uint32_t, count);
	gpc_catalog_start(arena, &resolver->segments, count);
	for (size_t i = 0; i < count; i++) {
		gpc_catalog_add(&resolver->segments, intent->segments.items[i].name.text);
		resolver->segment_set[i] = GPC_NONE;
	}
	gpc_catalog_sort(arena, &resolver->segments);
}

/* ---- cidrs and feeds ---- */

static struct gpc_set written_set(struct gpc_resolver *resolver,
				  const struct gpc_segment_intent *from)
{
	struct gpc_arena *arena = resolver->diags->arena;
	size_t count = from->cidrs.n;
	struct gpc_prefix *prefixes;

	if (from->from && !count) {
		if (!gpc_space_spend(&resolver->space, from->from->prefix_count))
			return (struct gpc_set){0};
		return gpc_set_of_prefixes(arena, from->from->prefixes, from->from->prefix_count);
	}
	prefixes = GPC_NEW_ARRAY(arena, struct gpc_prefix, count);
	for (size_t i = 0; i < count; i++)
		prefixes[i] = from->cidrs.items[i].prefix;
	return gpc_set_of_prefixes(arena, prefixes, count);
}

/* ---- `except`: each segment after those that it names ---- */

enum progress { NOT_BEGUN, BEGUN, DONE };

/* A segment on the way down, and the item of its `except` that is looked at. */
struct step {
	uint32_t segment;
	size_t item;
};

struct descent {
	struct gpc_resolver *resolver;
	const struct gpc_segment_intent **written; /* by index of model.segments */
	uint8_t *progress;			   /* enum progress */
	struct step *steps;
	size_t depth;
};

#define SHOWN_OF_A_CYCLE 8u

/* The steps from the one of `segment` on lead back to it. */
static void report_cycle(const struct descent *d, uint32_t segment, struct gpc_place at)
{
	const struct gpc_model *model = d->resolver->model;
	struct gpc_arena *arena = d->resolver->diags->arena;
	const char *path = model->segments[segment].name;
	size_t first = d->depth, length;

	while (d->steps[first - 1].segment != segment)
		first--;
	length = d->depth - first + 1;
	for (size_t i = first; i < d->depth && i < first + SHOWN_OF_A_CYCLE; i++)
		path = gpc_arena_printf(arena, "%s -> %s", path,
					model->segments[d->steps[i].segment].name);
	path = gpc_arena_printf(arena, "%s%s -> %s", path,
				length > SHOWN_OF_A_CYCLE + 1 ? " -> ..." : "",
				model->segments[segment].name);
	gpc_diag_place(gpc_diag(d->resolver->diags, GPC_E0322, at,
				"`except` of segment `%s` leads back to it: %s",
				model->segments[segment].name, path),
		       model->segments[segment].at, "the segment");
}

/* Takes from a segment what its `except` names, all of which is done. */
static void subtract(struct descent *d, uint32_t segment)
{
	struct gpc_resolver *resolver = d->resolver;
	struct gpc_space_builder *space = &resolver->space;
	const struct gpc_selector_intent *except = &d->written[segment]->except;
	struct gpc_model_segment *own = &resolver->model->segments[segment];
	uint32_t *parts = GPC_NEW_ARRAY(space->arena, uint32_t, except->items.n);
	size_t count = 0;
	uint32_t what;

	for (size_t i = 0; i < except->items.n; i++) {
		const struct gpc_selector_item *item = &except->items.items[i];
		uint32_t other;

		if (item->kind == GPC_SELECT_PREFIX) {
			parts[count++] = gpc_space_prefix(space, &item->prefix);
			continue;
		}
		other = gpc_catalog_find(&resolver->segments, item->text);
		if (other != GPC_NONE && d->progress[other] == DONE)
			parts[count++] = gpc_space_set(space, resolver->model->segments[other].set);
	}
	if (!count)
		return;
	what = gpc_space_union(space, parts, count); /* may move space->sets.items */
	own->set = gpc_set_minus(space->arena, own->set, space->sets.items[what]);
	gpc_space_spend(space, own->set.count);
	gpc_resolver_check_full(resolver, except->at);
}

/* The next segment that has to be done before the one on top; GPC_NONE: there is none. */
static uint32_t next_below(struct descent *d)
{
	struct step *top = &d->steps[d->depth - 1];
	const struct gpc_selector_intent *except = &d->written[top->segment]->except;

	while (top->item < except->items.n) {
		const struct gpc_selector_item *item = &except->items.items[top->item++];
		uint32_t below;

		if (item->kind != GPC_SELECT_SEGMENT)
			continue;
		below = gpc_resolve_segment(d->resolver, item->text, item->at,
					    "`except` of segment",
					    d->resolver->model->segments[top->segment].name);
		if (below == GPC_NONE)
			continue;
		d->resolver->model->segments[below].used = true;
		if (d->progress[below] == BEGUN)
			report_cycle(d, below, item->at);
		else if (d->progress[below] == NOT_BEGUN)
			return below;
	}
	return GPC_NONE;
}

static void enter(struct descent *d, uint32_t segment)
{
	d->progress[segment] = BEGUN;
	d->steps[d->depth++] = (struct step){segment, 0};
}

/* A stack of its own: the longest chain of segments is longer than that of the program. */
static void descend(struct descent *d, uint32_t segment)
{
	enter(d, segment);
	while (d->depth) {
		uint32_t below = next_below(d);

		if (below != GPC_NONE) {
			enter(d, below);
			continue;
		}
		segment = d->steps[d->depth - 1].segment;
		subtract(d, segment);
		d->progress[segment] = DONE;
		d->depth--;
	}
}

static void resolve_except(struct gpc_resolver *resolver, const struct gpc_segment_intent **written)
{
	struct gpc_arena *arena = resolver->diags->arena;
	size_t count = resolver->model->segment_count;
	struct descent d = {
		.resolver = resolver,
		.written = written,
		.progress = GPC_NEW_ARRAY(arena, uint8_t, count),
		.steps = GPC_NEW_ARRAY(arena, struct step, count),
	};

	for (uint32_t i = 0; i < count; i++)
		if (d.progress[i] == NOT_BEGUN)
			descend(&d, i);
}

/* ---- labels ---- */

static int by_label(const void *a, const void *b)
{
	const struct gpc_labelled *x = a, *y = b;
	int order = strcmp(x->key, y->key);

	if (!order)
		order = strcmp(x->value, y->value);
	return order ? order : x->segment < y->segment ? -1 : x->segment > y->segment;
}

static void index_labels(struct gpc_resolver *resolver)
{
	const struct gpc_model *model = resolver->model;

	for (uint32_t i = 0; i < model->segment_count; i++) {
		const gpc_label_list *labels = model->segments[i].labels;

		for (size_t k = 0; k < labels->n; k++)
			*GPC_PUSH(resolver->diags->arena, &resolver->labelled) =
				(struct gpc_labelled){labels->items[k].key, labels->items[k].value,
						      i};
	}
	if (resolver->labelled.n)
		qsort(resolver->labelled.items, resolver->labelled.n,
		      sizeof(*resolver->labelled.items), by_label);
}

void gpc_resolve_segments(struct gpc_resolver *resolver)
{
	const struct gpc_intent *intent = resolver->intent;
	struct gpc_model *model = resolver->model;
	struct gpc_arena *arena = resolver->diags->arena;
	size_t count = intent->segments.n;
	const struct gpc_segment_intent **written =
		GPC_NEW_ARRAY(arena, const struct gpc_segment_intent *, count);

	if (count > GPC_MAX_SEGMENTS)
		gpc_diag(resolver->diags, GPC_E0412, intent->segments.items[GPC_MAX_SEGMENTS].at,
			 "%zu segments, the most is %u", count, GPC_MAX_SEGMENTS);
	index_names(resolver);
	model->segments = GPC_NEW_ARRAY(arena, struct gpc_model_segment, count);
	model->segment_count = count;
	for (size_t i = 0; i < count; i++) {
		written[i] = &intent->segments.items[resolver->segments.order[i]];
		model->segments[i] = (struct gpc_model_segment){
			.name = written[i]->name.text,
			.set = written_set(resolver, written[i]),
			.labels = &written[i]->labels,
			.at = written[i]->at,
		};
		gpc_resolver_check_full(resolver, written[i]->at);
	}
	resolve_except(resolver, written);
	index_labels(resolver);
}
