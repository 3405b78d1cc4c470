/* SPDX-License-Identifier: MIT */
/* never, always, only: each is a few questions to the atlas for the first packet that must not be. */
#include <stdlib.h>
#include <string.h>

#include "invariants_parts.h"

/* ---- where a listener leads ---- */

static bool endpoint_in(const struct gpc_endpoint *endpoint, struct gpc_set set)
{
	struct gpc_ip ip4 = {.bytes = {[10] = 0xff, [11] = 0xff}}, ip6;

	memcpy(ip4.bytes + 12, &endpoint->address4_be, sizeof(endpoint->address4_be));
	memcpy(ip6.bytes, endpoint->address6_be, sizeof(ip6.bytes));
	return (endpoint->flags & GPC_ENDPOINT_V4 && gpc_set_holds(set, &ip4)) ||
	       (endpoint->flags & GPC_ENDPOINT_V6 && gpc_set_holds(set, &ip6));
}

/* The first endpoint of the backend, in name order, that lies in the set. */
static uint32_t backend_endpoint_in(const struct gpc_image *image, const struct gpc_backend *backend,
				    struct gpc_set set)
{
	uint32_t count;
	const struct gpc_endpoint *endpoints = gpc_image_section(image, GPC_SEC_ENDPOINT, &count);

	for (uint32_t i = 0; i < backend->endpoints; i++) {
		uint32_t at = backend->first_endpoint +
			      endpoints[backend->first_endpoint + i].by_name;

		if (endpoint_in(&endpoints[at], set))
			return at;
	}
	return GPC_NONE;
}

/* The pools of a listener, those that are failed over to as well, end where the next one's begin. */
static uint32_t pools_end(const struct gpc_image *image, uint32_t listener)
{
	uint32_t count, pools;
	const struct gpc_listener *listeners = gpc_image_section(image, GPC_SEC_LISTENER, &count);

	gpc_image_section(image, GPC_SEC_POOL, &pools);
	for (uint32_t i = listener + 1; i < count; i++)
		if (listeners[i].pools)
			return listeners[i].first_pool;
	return pools;
}

uint32_t gpc_listener_endpoint_in(const struct gpc_image *image, uint32_t listener, struct gpc_set set)
{
	uint32_t count, end = pools_end(image, listener), found = GPC_NONE;
	const struct gpc_listener *listeners = gpc_image_section(image, GPC_SEC_LISTENER, &count);
	const struct gpc_backend *backends = gpc_image_section(image, GPC_SEC_BACKEND, &count);
	const struct gpc_pool *pools = gpc_image_section(image, GPC_SEC_POOL, &count);

	if (!listeners[listener].pools)
		return GPC_NONE;
	for (uint32_t i = listeners[listener].first_pool; i < end && found == GPC_NONE; i++)
		found = backend_endpoint_in(image, &backends[pools[i].backend], set);
	return found;
}

/* By listener: does it lead into the set? NULL: none does. */
static bool *leading_into(struct gpc_prover *prover, struct gpc_set set)
{
	const struct gpc_image *image = prover->image;
	uint32_t backend_count, listener_count, count;
	const struct gpc_backend *backends =
		gpc_image_section(image, GPC_SEC_BACKEND, &backend_count);
	const struct gpc_listener *listeners =
		gpc_image_section(image, GPC_SEC_LISTENER, &listener_count);
	const struct gpc_pool *pools = gpc_image_section(image, GPC_SEC_POOL, &count);
	bool *reached = GPC_NEW_ARRAY(prover->arena, bool, backend_count);
	bool *leads = GPC_NEW_ARRAY(prover->arena, bool, listener_count), any = false;

	for (uint32_t i = 0; i < backend_count; i++)
		reached[i] = backend_endpoint_in(image, &backends[i], set) != GPC_NONE;
	for (uint32_t i = 0, end = 0; i < listener_count; i++) {
		if (!listeners[i].pools)
			continue;
		end = pools_end(image, i);
		for (uint32_t k = listeners[i].first_pool; k < end; k++)
			leads[i] |= reached[pools[k].backend];
		any |= leads[i];
	}
	return any ? leads : NULL;
}

static bool pool_takes_flows(const struct gpc_pool *pools, const struct gpc_pool *pool,
			     enum gpc_family family)
{
	for (unsigned int deep = 0; deep <= GPC_MAX_FAILOVER; deep++) {
		if (pool->table[family].offset != GPC_NONE && pool->table[family].size)
			return true;
		if (pool->failover == GPC_NONE)
			return false;
		pool = &pools[pool->failover];
	}
	return false;
}

/* Every backend that a flow may be given to has a table that is not empty, or fails over to one. */
static bool finds_table(const struct gpc_image *image, uint32_t listener, enum gpc_family family)
{
	uint32_t count, until = 0;
	const struct gpc_listener *l =
		(const struct gpc_listener *)gpc_image_section(image, GPC_SEC_LISTENER, &count) +
		listener;
	const struct gpc_pool *pools = gpc_image_section(image, GPC_SEC_POOL, &count);

	for (uint32_t i = 0; i < l->pools; i++) {
		const struct gpc_pool *pool = &pools[l->first_pool + i];

		if (pool->until > until && !pool_takes_flows(pools, pool, family))
			return false;
		until = pool->until;
	}
	return true;
}

/* ---- what is wanted of a verdict ---- */

struct wanted {
	const struct gpc_image *image;
	const bool *leads;		/* by listener */
	enum gpc_family family;
};

static bool passes_by_listener(void *context, const struct gpc_atlas_verdict *verdict)
{
	const struct wanted *wanted = context;

	return gpc_atlas_passes(verdict) && verdict->listener != GPC_NONE &&
	       wanted->leads[verdict->listener];
}

static bool arrives_nowhere(void *context, const struct gpc_atlas_verdict *verdict)
{
	const struct wanted *wanted = context;

	return gpc_atlas_denies(verdict) ||
	       (verdict->listener != GPC_NONE &&
		!finds_table(wanted->image, verdict->listener, wanted->family));
}

static bool is_anything(void *context, const struct gpc_atlas_verdict *verdict)
{
	(void)context;
	(void)verdict;
	return true;
}

/* ---- questions ---- */

struct asking {
	struct gpc_prover *prover;
	const struct gpc_invariant *invariant;
	struct gpc_atlas *atlas;
	bool enforced;
	bool found;
	struct gpc_counterexample best;
	const char *why;		/* an answer was not to be had */
};

static int compare_packets(const struct gpc_question *a, const struct gpc_question *b)
{
	int order;

	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	order = memcmp(a->source, b->source, sizeof(a->source));
	if (!order)
		order = memcmp(a->destination, b->destination, sizeof(a->destination));
	if (!order)
		order = (a->protocol > b->protocol) - (a->protocol < b->protocol);
	if (!order)
		order = (a->destination_port > b->destination_port) -
			(a->destination_port < b->destination_port);
	return order;
}

/* `to`: what the verdict's listener leads into; NULL: the destination itself is meant. */
static void take(struct asking *asking, const struct gpc_atlas_place *place,
		 const struct gpc_atlas_piece *piece, const struct gpc_set *to)
{
	uint32_t listener = piece->verdict[0].listener;

	if (asking->found && compare_packets(&asking->best.packet, &piece->witness) <= 0)
		return;
	asking->found = true;
	asking->best = (struct gpc_counterexample){
		.packet = piece->witness,
		.interface = place->interface,
		.direction = place->direction,
		.verdict = piece->verdict[0],
		.endpoint = to ? gpc_listener_endpoint_in(asking->prover->image, listener, *to)
			       : GPC_NONE,
	};
}

static bool is_about(const struct gpc_invariant *invariant, const struct gpc_atlas_place *place)
{
	if (invariant->interface == GPC_NONE)
		return place->direction == GPC_INGRESS;
	return place->index[0] == invariant->interface &&
	       place->direction == (invariant->flags & GPC_INVARIANT_EGRESS ? GPC_EGRESS
									    : GPC_INGRESS);
}

static void ask(struct asking *asking, struct gpc_atlas_query query, const struct gpc_set *to)
{
	size_t count;
	const struct gpc_atlas_place *places = gpc_atlas_places(asking->atlas, &count);

	for (size_t i = 0; i < count; i++) {
		size_t alike = places[i].alike;
		struct gpc_atlas_piece piece;
		enum gpc_atlas_result result;

		if (!is_about(asking->invariant, &places[i]) ||
		    (alike < i && is_about(asking->invariant, &places[alike])))
			continue;
		query.place = i;
		result = gpc_atlas_first(asking->atlas, &query, &piece);
		if (result == GPC_ATLAS_DONE)
			take(asking, &places[i], &piece, to);
		else if (result == GPC_ATLAS_ENTANGLED)
			asking->why = gpc_atlas_fault(asking->atlas);
	}
}

/* ---- sets and services ---- */

static uint32_t number_of(const uint32_t *words, uint32_t count, uint32_t word)
{
	uint32_t low = 0, high = count;

	while (low + 1 < high) {
		uint32_t middle = low + (high - low) / 2;

		if (words[middle] <= word)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* By atom: is it in the set? */
static const bool *atoms_in(struct asking *asking, enum gpc_atlas_side side, uint32_t set)
{
	struct gpc_prover *prover = asking->prover;
	bool ***members = &prover->members[asking->enforced][side];

	if (!*members)
		*members = GPC_NEW_ARRAY(prover->arena, bool *, prover->set_count);
	if (!(*members)[set])
		(*members)[set] =
			gpc_atlas_atoms_in(prover->arena, asking->atlas, side, &set, 1);
	return (*members)[set];
}

/* By atom: is it outside of the set? */
static const bool *atoms_but(struct asking *asking, uint32_t set)
{
	size_t count;
	const bool *in = atoms_in(asking, GPC_ATLAS_SOURCE, set);
	bool *out;

	gpc_atlas_atoms(asking->atlas, GPC_ATLAS_SOURCE, &count);
	out = GPC_NEW_ARRAY(asking->prover->arena, bool, count);
	for (size_t i = 0; i < count; i++)
		out[i] = !in[i];
	return out;
}

static const bool *atoms_of_family(struct asking *asking, uint32_t set, enum gpc_family family)
{
	size_t count;
	const struct gpc_atlas_atom *atoms =
		gpc_atlas_atoms(asking->atlas, GPC_ATLAS_DESTINATION, &count);
	const bool *in = atoms_in(asking, GPC_ATLAS_DESTINATION, set);
	bool *out = GPC_NEW_ARRAY(asking->prover->arena, bool, count);

	for (size_t i = 0; i < count; i++)
		out[i] = in[i] && atoms[i].family == family;
	return out;
}

/* Whatever the protocol and the ports. */
static bool is_any(const struct gpc_service *service)
{
	const struct gpc_service_item *item = service->items;

	return service->count == 1 && !item->protocol_first && item->protocol_last == UINT8_MAX &&
	       !item->destination.first && item->destination.last == GPC_PORT_NONE;
}

/* A box by the numbers of its sets and its service. */
static struct gpc_invariant_box box_at(const struct gpc_prover *prover, uint32_t boxes, uint32_t i)
{
	struct gpc_invariant_box box = gpc_invariant_box(prover->words, boxes, i);

	return (struct gpc_invariant_box){
		number_of(prover->set_words, prover->set_count, box.source),
		number_of(prover->set_words, prover->set_count, box.destination),
		number_of(prover->service_words, prover->service_count, box.service),
	};
}

/* ---- forms ---- */

/* What passes to the set, or by a listener into it. `service` holds for both, `destination_service` for the first. */
static void ask_passing(struct asking *asking, const bool *sources, uint32_t set,
			uint32_t destination_service, uint32_t service, bool outside)
{
	struct gpc_prover *prover = asking->prover;
	struct wanted wanted = {.image = prover->image};
	struct gpc_atlas_query query = {
		.sources = sources,
		.destinations = atoms_in(asking, GPC_ATLAS_DESTINATION, set),
		.service = destination_service,
		.outside = outside,
	};

	ask(asking, query, NULL);
	wanted.leads = leading_into(prover, prover->sets[set]);
	if (!wanted.leads)
		return;
	query.destinations = NULL;
	query.service = service;
	query.wanted = passes_by_listener;
	query.context = &wanted;
	ask(asking, query, &prover->sets[set]);
}

static void ask_never(struct asking *asking, const struct gpc_invariant_box *box)
{
	ask_passing(asking, atoms_in(asking, GPC_ATLAS_SOURCE, box->source), box->destination,
		    box->service, box->service, false);
}

static void ask_always(struct asking *asking, const struct gpc_invariant_box *box)
{
	for (int family = GPC_V4; family <= GPC_V6; family++) {
		struct wanted wanted = {.image = asking->prover->image,
					.family = (enum gpc_family)family};
		struct gpc_atlas_query query = {
			.sources = atoms_in(asking, GPC_ATLAS_SOURCE, box->source),
			.destinations = atoms_of_family(asking, box->destination,
							(enum gpc_family)family),
			.service = box->service,
			.wanted = arrives_nowhere,
			.context = &wanted,
		};

		ask(asking, query, NULL);
	}
}

/*
 * Who may is one box, of every destination; without any, nobody may. A service of the destination (`to:
 * {listeners}`) stands only where `ports` is not written, so one of the two is any.
 */
static void ask_only(struct asking *asking, const struct gpc_invariant_box *box)
{
	struct gpc_prover *prover = asking->prover;
	struct gpc_invariant_box allowed;

	if (!asking->invariant->allowed_count) {
		ask_passing(asking, NULL, box->destination, box->service, GPC_NONE, false);
		return;
	}
	allowed = box_at(prover, asking->invariant->allowed, 0);
	ask_passing(asking, atoms_but(asking, allowed.source), box->destination, box->service,
		    GPC_NONE, false);
	if (!is_any(&prover->services[allowed.service]))
		ask_passing(asking, NULL, box->destination, allowed.service, allowed.service, true);
}

static struct gpc_atlas *atlas_of(struct gpc_prover *prover, bool enforced)
{
	struct gpc_atlas_options options = {
		.images = {prover->image},
		.sets = prover->sets,
		.set_count = prover->set_count,
		.services = prover->services,
		.service_count = prover->service_count,
		.aspects = GPC_ATLAS_PASSAGE | GPC_ATLAS_LISTENER,
		.enforce_audit = enforced,
	};

	if (!prover->atlas[enforced])
		prover->atlas[enforced] = gpc_atlas_new(prover->arena, &options);
	return prover->atlas[enforced];
}

enum gpc_prove_result gpc_prove_packets(struct gpc_prover *prover, const struct gpc_invariant *invariant,
					bool enforced, struct gpc_counterexample *ret,
					const char **ret_why)
{
	struct asking asking = {.prover = prover,
				.invariant = invariant,
				.atlas = atlas_of(prover, enforced),
				.enforced = enforced};
	size_t atoms;

	for (int side = GPC_ATLAS_SOURCE; side <= GPC_ATLAS_DESTINATION; side++)
		if (!gpc_atlas_atoms(asking.atlas, (enum gpc_atlas_side)side, &atoms)) {
			*ret_why = gpc_atlas_fault(asking.atlas);
			return GPC_PROVE_ENTANGLED;
		}
	for (uint32_t i = 0; i < invariant->box_count; i++) {
		struct gpc_invariant_box box = box_at(prover, invariant->boxes, i);

		if (invariant->form == GPC_INVARIANT_NEVER)
			ask_never(&asking, &box);
		else if (invariant->form == GPC_INVARIANT_ALWAYS)
			ask_always(&asking, &box);
		else
			ask_only(&asking, &box);
	}
	*ret_why = asking.found ? NULL : asking.why;
	if (asking.found)
		*ret = asking.best;
	return asking.found ? GPC_PROVE_FAILS : asking.why ? GPC_PROVE_ENTANGLED : GPC_PROVE_HOLDS;
}

/* A packet to a listener that leads into `to` may have any destination. */
static void ask_anything(struct asking *asking, const struct gpc_invariant_box *box)
{
	bool only = asking->invariant->form == GPC_INVARIANT_ONLY;
	bool leads = asking->invariant->form != GPC_INVARIANT_ALWAYS &&
		     leading_into(asking->prover, asking->prover->sets[box->destination]);
	struct gpc_atlas_query query = {
		.sources = only ? NULL : atoms_in(asking, GPC_ATLAS_SOURCE, box->source),
		.destinations = leads ? NULL : atoms_in(asking, GPC_ATLAS_DESTINATION, box->destination),
		.service = box->service,
		.wanted = is_anything,
	};

	ask(asking, query, NULL);
}

/* Boxes that are empty have been said to be. */
bool gpc_prove_is_about_nothing(struct gpc_prover *prover, const struct gpc_invariant *invariant)
{
	struct asking asking = {
		.prover = prover, .invariant = invariant, .atlas = atlas_of(prover, false)};

	for (uint32_t i = 0; i < invariant->box_count && !asking.found; i++) {
		struct gpc_invariant_box box = box_at(prover, invariant->boxes, i);

		ask_anything(&asking, &box);
	}
	return invariant->box_count && !asking.found && !asking.why;
}
