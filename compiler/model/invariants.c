/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "gpc/image.h"
#include "id.h"
#include "resolve.h"

static int by_name(const void *a, const void *b)
{
	const struct gpc_invariant_intent *const *x = a, *const *y = b;

	return strcmp((*x)->name.text, (*y)->name.text);
}

/* ---- interfaces ---- */

/* The item written just so, else the one that takes a device of this name. */
static uint32_t interface_of(const struct gpc_model *model, const char *name)
{
	uint32_t best = GPC_NONE;
	size_t best_head = 0;

	for (uint32_t i = 0; i < model->interface_count; i++) {
		const struct gpc_model_interface *item = &model->interfaces[i];
		size_t head = strlen(item->name) - 1;

		if (!strcmp(item->name, name))
			return i;
		if (item->pattern && !strncmp(item->name, name, head) &&
		    (best == GPC_NONE || head > best_head)) {
			best = i;
			best_head = head;
		}
	}
	return best;
}

static void find_chain(struct gpc_resolver *resolver, const struct gpc_packets_intent *from,
		       struct gpc_model_invariant *invariant)
{
	const struct gpc_model *model = resolver->model;
	const struct gpc_text_value *name = from->out.text ? &from->out : &from->in;
	const char *names[GPC_MAX_INTERFACES];

	invariant->direction = from->out.text ? GPC_EGRESS : GPC_INGRESS;
	if (!name->text)
		return;
	invariant->interface = interface_of(model, name->text);
	for (size_t i = 0; i < model->interface_count; i++)
		names[i] = model->interfaces[i].name;
	if (invariant->interface == GPC_NONE)
		gpc_model_unknown(resolver->diags, GPC_E0464, name, "interface", "invariant",
				  invariant->name, names, model->interface_count);
}

/* ---- packets ---- */

static struct gpc_boxes_made boxes_of(struct gpc_resolver *resolver,
				      const struct gpc_packets_intent *from,
				      const struct gpc_selector_intent *source,
				      const struct gpc_selector_intent *destination,
				      const gpc_ports_list *ports,
				      const struct gpc_model_invariant *invariant)
{
	struct gpc_boxes_made none = {.never = GPC_NEVER_NOT};
	struct gpc_side s, d;
	struct gpc_asked asked;

	s = gpc_resolve_selector(resolver, source, true, "invariant", invariant->name);
	d = gpc_resolve_selector(resolver, destination, from->ports.n, "invariant",
				 invariant->name);
	if (s.wrong || d.wrong)
		return none;
	gpc_resolve_asked(ports, NULL, &asked);
	/* An endpoint that a listener leads to may be of the other family. */
	asked.across = invariant->form == GPC_INVARIANT_NEVER && resolver->model->listener_count;
	return gpc_resolve_boxes(resolver, &s, &d, &asked, from->at);
}

static void warn_of_nothing(struct gpc_resolver *resolver, const struct gpc_boxes_made *made,
			    const struct gpc_packets_intent *from, const char *name)
{
	static const char *const why[] = {
		[GPC_NEVER_FROM] = "`from` holds no address",
		[GPC_NEVER_TO] = "`to` holds no address",
		[GPC_NEVER_FAMILIES] = "`from` and `to` have no address family in common",
		[GPC_NEVER_FRAGMENTS] = "`ports` holds nothing",
	};

	if (made->never && why[made->never])
		gpc_diag_hint(resolver->diags,
			      gpc_diag(resolver->diags, GPC_W0465, from->at,
				       "no packet is meant by invariant `%s`", name),
			      "%s", why[made->never]);
}

/* Of `only` the packets to `to`, whoever sends them, and those among them that may pass. */
static void resolve_packets(struct gpc_resolver *resolver, const struct gpc_packets_intent *from,
			    struct gpc_boxes_made made[2], struct gpc_model_invariant *invariant)
{
	static const struct gpc_selector_intent any;
	static const gpc_ports_list any_ports;
	bool only = invariant->form == GPC_INVARIANT_ONLY;

	find_chain(resolver, from, invariant);
	made[0] = boxes_of(resolver, from, only ? &any : &from->from, &from->to,
			   only ? &any_ports : &from->ports, invariant);
	if (only)
		made[1] = boxes_of(resolver, from, &from->from, &any, &from->ports, invariant);
	warn_of_nothing(resolver, &made[0], from, invariant->name);
	invariant->boxes = made[0].boxes;
	invariant->box_count = made[0].count;
	invariant->allowed = made[1].boxes;
	invariant->allowed_count = made[1].count;
}

/* ---- others ---- */

/* An invariant is no use of a backend. */
static void resolve_remap(struct gpc_resolver *resolver, const struct gpc_remap_intent *from,
			  struct gpc_model_invariant *invariant)
{
	const struct gpc_model *model = resolver->model;
	const char **names = GPC_NEW_ARRAY(resolver->diags->arena, const char *, model->backend_count);

	invariant->max = (uint16_t)from->max.value;
	for (uint32_t i = 0; i < model->backend_count; i++) {
		names[i] = model->backends[i].name;
		if (!strcmp(names[i], from->backend.text))
			invariant->backend = i;
	}
	if (invariant->backend == GPC_NONE)
		gpc_model_unknown(resolver->diags, GPC_E0301, &from->backend, "backend", "invariant",
				  invariant->name, names, model->backend_count);
}

static struct gpc_model_invariant build(struct gpc_resolver *resolver,
					const struct gpc_invariant_intent *from,
					struct gpc_boxes_made made[2])
{
	struct gpc_model_invariant invariant = {
		.id = gpc_stable_id(GPC_KIND_INVARIANT, NULL, from->name.text),
		.name = from->name.text,
		.enforced = from->enforced.set,
		.interface = GPC_NONE,
		.backend = GPC_NONE,
		.memory = (uint32_t)from->memory.value,
		.max_lookups = (uint32_t)from->max_lookups.value,
		.at = from->at,
	};
	const struct gpc_packets_intent *packets = from->never	  ? from->never
						   : from->always ? from->always
								  : from->only;

	invariant.form = from->never	? GPC_INVARIANT_NEVER
			 : from->always ? GPC_INVARIANT_ALWAYS
			 : from->only	? GPC_INVARIANT_ONLY
			 : from->remap	? GPC_INVARIANT_REMAP
					: GPC_INVARIANT_LIMITS;
	if (packets)
		resolve_packets(resolver, packets, made, &invariant);
	else if (from->remap)
		resolve_remap(resolver, from->remap, &invariant);
	return invariant;
}

void gpc_model_invariants(struct gpc_resolver *resolver)
{
	const struct gpc_intent *intent = resolver->intent;
	struct gpc_model *model = resolver->model;
	struct gpc_arena *arena = resolver->diags->arena;
	size_t count = intent->invariants.n;
	const struct gpc_invariant_intent **sorted =
		GPC_NEW_ARRAY(arena, const struct gpc_invariant_intent *, count);

	if (count > GPC_MAX_INVARIANTS)
		gpc_diag(resolver->diags, GPC_E0466, intent->invariants.items[GPC_MAX_INVARIANTS].at,
			 "%zu invariants, the most is %u", count, GPC_MAX_INVARIANTS);
	for (size_t i = 0; i < count; i++)
		sorted[i] = &intent->invariants.items[i];
	if (count)
		qsort(sorted, count, sizeof(*sorted), by_name);
	model->invariants = GPC_NEW_ARRAY(arena, struct gpc_model_invariant, count);
	model->invariant_count = count;
	for (size_t i = 0; i < count; i++)
		model->invariants[i] = build(resolver, sorted[i], &resolver->invariants[2 * i]);
}
