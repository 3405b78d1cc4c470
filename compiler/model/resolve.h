/* SPDX-License-Identifier: MIT */
/*
 * resolve.h: what the policy parts of the model share while they are built (inside model/ only):
 * segments by name and by label, selectors to sets, `ports` and `match` to services. Everything that
 * is asked for again is remembered.
 *
 *   gpc_resolver_init(); gpc_resolve_segments(); then selectors, ports and listeners in any order;
 *   gpc_resolver_finish() at last.
 */
#ifndef GPC_MODEL_RESOLVE_H
#define GPC_MODEL_RESOLVE_H

#include "build.h"
#include "catalog.h"
#include "space.h"

/* A label of a segment; sorted by key, value, segment. */
struct gpc_labelled {
	const char *key, *value;
	uint32_t segment;
};

/* What a selector of labels was found to mean. */
struct gpc_label_answer {
	gpc_label_list labels;		/* by key */
	uint32_t set;			/* GPC_NONE: nothing */
};

/* Listeners at the addresses of one set: what a rule for them asks besides. */
struct gpc_target {
	uint32_t set;
	const struct gpc_service_item *items;
	size_t count;
};

/* What a pattern of listeners was found to mean. */
struct gpc_listeners_answer {
	const char *pattern;
	uint32_t addresses;		/* GPC_NONE: it matches no listener */
	const struct gpc_target *targets;
	size_t count;
};

/* Boxes of position 0; without any, why. */
struct gpc_boxes_made {
	struct gpc_box *boxes;
	size_t count;
	enum gpc_never never;
};

struct gpc_resolver {
	struct gpc_diags *diags;
	const struct gpc_intent *intent;
	struct gpc_model *model;
	struct gpc_space_builder space;
	struct gpc_catalog segments;
	uint32_t *segment_set;		/* by index of model.segments; GPC_NONE: not asked for yet */
	GPC_VEC(struct gpc_labelled) labelled;
	GPC_VEC(struct gpc_label_answer) label_answers;
	GPC_VEC(const struct gpc_listeners_answer *) listeners_answers;
	struct gpc_intern label_index, listeners_index;
	struct gpc_boxes_made *made;	/* rules by index, then two for each `protect` item */
	size_t made_count;
	struct gpc_boxes_made *invariants;	/* two for each: what it is about, what it allows */
	size_t invariant_count;
	size_t boxes;			/* how many those are */
	struct gpc_service_item *scratch;	/* of a target, while `match` restricts them */
	size_t scratch_room;
	bool told_full, told_boxes;	/* the limit of ranges, of boxes was reported */
};

/* A rule's or `protect` item's side. */
struct gpc_side {
	uint32_t set;			/* of all that is no listener; GPC_NONE: nothing of that kind */
	const struct gpc_listeners_answer **listeners;	/* patterns, `to` without `ports` only */
	size_t listener_count;
	bool wrong;			/* an error was added: judge no further */
};

void gpc_resolver_init(struct gpc_resolver *resolver, struct gpc_diags *diags,
		       const struct gpc_intent *intent, struct gpc_model *model);
/* Gives the model its spaces: the sets and services that boxes name, numbered by first use. */
void gpc_resolver_finish(struct gpc_resolver *resolver);

void gpc_resolve_segments(struct gpc_resolver *resolver);

/* Index of model.segments, GPC_NONE after an error that names what it stands in. */
uint32_t gpc_resolve_segment(struct gpc_resolver *resolver, const char *name, struct gpc_place at,
			     const char *kind, const char *owner);

/* `addresses`: listeners mean their addresses alone. Not written: every address. */
struct gpc_side gpc_resolve_selector(struct gpc_resolver *resolver,
				     const struct gpc_selector_intent *selector, bool addresses,
				     const char *kind, const char *owner);

/* Tells once that all sets together hold too many ranges. */
void gpc_resolver_check_full(struct gpc_resolver *resolver, struct gpc_place at);

/* Never NULL. */
const struct gpc_listeners_answer *gpc_resolve_listeners(struct gpc_resolver *resolver,
							 const char *pattern);

/* What a rule asks besides addresses, before it is put together with listeners. */
struct gpc_asked {
	struct gpc_service_item items[GPC_MAX_PORTS_ITEMS];
	size_t count;
	struct gpc_match match;
	bool across;	/* source and destination need no family in common: a listener may be between them */
};

/* `match` may be NULL. */
void gpc_resolve_asked(const gpc_ports_list *ports, const struct gpc_match_intent *match,
		       struct gpc_asked *ret);

/*
 * Sorts the items, joins those that touch and takes away what `match` can never hold for. Returns
 * how many are left.
 */
size_t gpc_service_normalise(struct gpc_service_item *items, size_t count,
			     const struct gpc_match *match);

/*
 * from x to x asked; leaves `asked` in disorder. No boxes and GPC_NEVER_NOT after an error. The caller
 * puts what it keeps into resolver.made, because the numbers in it change at the end.
 */
struct gpc_boxes_made gpc_resolve_boxes(struct gpc_resolver *resolver, const struct gpc_side *from,
					const struct gpc_side *to, struct gpc_asked *asked,
					struct gpc_place at);

/* The same boxes for the other direction: addresses and ports exchanged, an ICMP type stays. */
struct gpc_boxes_made gpc_resolve_exchanged(struct gpc_resolver *resolver,
					    const struct gpc_boxes_made *from);

#endif
