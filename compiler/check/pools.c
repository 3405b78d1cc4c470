/* SPDX-License-Identifier: MIT */
/* What listeners ask of the endpoints that they can use: of their backends and those failed over to. */
#include <stdlib.h>
#include <string.h>

#include "check.h"

struct pools {
	struct gpc_diags *diags;
	const struct gpc_model *model;
	uint32_t *ids;				/* by endpoint: number of its QUIC server id */
	uint32_t *met;				/* by that number: who met it last, plus 1 */
	const struct gpc_model_endpoint **owner;	/* by that number: whose it was then */
	uint32_t meetings;
	uint8_t *told;				/* by backend: TOLD_* */
};
#define TOLD_PORT (1u << 0)
#define TOLD_ID (1u << 1)

/* ---- ports ---- */

static void check_ports(struct pools *p, const struct gpc_model_listener *listener, uint32_t index)
{
	const struct gpc_model_backend *backend = &p->model->backends[index];
	bool nat = listener->forward == GPC_FORWARD_NAT;

	if ((nat && listener->port && listener->port == listener->port_last) ||
	    p->told[index] & TOLD_PORT)
		return;
	for (uint32_t i = 0; i < backend->endpoint_count; i++) {
		const struct gpc_model_endpoint *endpoint =
			&p->model->endpoints[backend->first_endpoint + i];
		struct gpc_diag *diag;

		if (!endpoint->port)
			continue;
		diag = gpc_diag(p->diags, GPC_E0391, endpoint->port_at,
				"`port` of endpoint `%s`, which listener `%s` reaches %s",
				endpoint->name, listener->name,
				nat ? "from several ports" : "without `nat`");
		gpc_diag_place(diag, listener->at, "the listener");
		p->told[index] |= TOLD_PORT;
	}
}

/* ---- QUIC server ids ---- */

static int compare_ids(const struct gpc_quic_id_value *a, const struct gpc_quic_id_value *b)
{
	return a->length != b->length ? (a->length < b->length ? -1 : 1)
				      : memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

static int by_id(const void *a, const void *b)
{
	const struct gpc_model_endpoint *const *x = a, *const *y = b;

	return compare_ids((*x)->quic_id, (*y)->quic_id);
}

/* Equal ids get equal numbers. */
static void number_ids(struct pools *p)
{
	size_t count = p->model->endpoint_count;
	struct gpc_arena *arena = p->diags->arena;
	const struct gpc_model_endpoint **sorted =
		GPC_NEW_ARRAY(arena, const struct gpc_model_endpoint *, count);
	uint32_t number = 0;

	p->ids = GPC_NEW_ARRAY(arena, uint32_t, count);
	p->met = GPC_NEW_ARRAY(arena, uint32_t, count);
	p->owner = GPC_NEW_ARRAY(arena, const struct gpc_model_endpoint *, count);
	for (size_t i = 0; i < count; i++)
		sorted[i] = &p->model->endpoints[i];
	if (count)
		qsort(sorted, count, sizeof(*sorted), by_id);
	for (size_t i = 0; i < count; i++) {
		number += i && compare_ids(sorted[i - 1]->quic_id, sorted[i]->quic_id) != 0;
		p->ids[sorted[i] - p->model->endpoints] = number;
	}
}

/* The endpoints of a backend beside all that were met in this meeting. */
static void meet(struct pools *p, uint32_t index, const struct gpc_model_endpoint **first)
{
	const struct gpc_model_backend *backend = &p->model->backends[index];

	for (uint32_t i = 0; i < backend->endpoint_count; i++) {
		uint32_t at = backend->first_endpoint + i, id = p->ids[at];
		const struct gpc_model_endpoint *endpoint = &p->model->endpoints[at];
		struct gpc_diag *diag = NULL;

		if (!endpoint->quic_id->length)
			continue;
		if (!*first)
			*first = endpoint;
		if ((*first)->quic_id->length != endpoint->quic_id->length) {
			diag = gpc_diag(p->diags, GPC_E0394, endpoint->quic_id->at,
					"`quic-id` of endpoint `%s` has another length than that of `%s`",
					endpoint->name, (*first)->name);
			gpc_diag_place(diag, (*first)->quic_id->at, "the other one");
		} else if (p->met[id] == p->meetings) {
			diag = gpc_diag(p->diags, GPC_E0393, endpoint->quic_id->at,
					"`quic-id` of endpoint `%s` is that of `%s`", endpoint->name,
					p->owner[id]->name);
			gpc_diag_place(diag, p->owner[id]->quic_id->at, "the other one");
		}
		p->met[id] = p->meetings;
		p->owner[id] = endpoint;
		if (diag)
			p->told[index] |= TOLD_ID;
	}
}

static void check_missing(struct pools *p, const struct gpc_model_listener *listener, uint32_t index)
{
	const struct gpc_model_backend *backend = &p->model->backends[index];

	for (uint32_t i = 0; i < backend->endpoint_count && !(p->told[index] & TOLD_ID); i++) {
		const struct gpc_model_endpoint *endpoint =
			&p->model->endpoints[backend->first_endpoint + i];

		if (endpoint->quic_id->length)
			continue;
		gpc_diag_place(gpc_diag(p->diags, GPC_E0392, endpoint->at,
					"no `quic-id` of endpoint `%s`, which listener `%s` finds by it",
					endpoint->name, listener->name),
			       listener->at, "the listener");
		p->told[index] |= TOLD_ID;
	}
}

/* ---- all of them ---- */

/* Every backend that the listener's flows may meet; one may be visited again. */
#define FOR_EACH_BACKEND(model, listener, index)                                                   \
	for (size_t s_ = 0; s_ < (listener)->share_count; s_++)                                    \
		for (uint32_t index = (listener)->shares[s_].backend; index != GPC_NONE;           \
		     index = (model)->backends[index].failover)

/* Several backends of one listener: ids differ over all of them. A backend that is met again is the same. */
static void check_ids(struct pools *p, const struct gpc_model_listener *listener, uint32_t *visited)
{
	const struct gpc_model_endpoint *first = NULL;

	p->meetings++;
	FOR_EACH_BACKEND(p->model, listener, index) {
		if (visited[index] == p->meetings || p->told[index] & TOLD_ID)
			continue;
		visited[index] = p->meetings;
		check_missing(p, listener, index);
		meet(p, index, &first);
	}
}

void gpc_check_pools(struct gpc_diags *diags, const struct gpc_model *model)
{
	struct pools p = {
		.diags = diags,
		.model = model,
		.told = GPC_NEW_ARRAY(diags->arena, uint8_t, model->backend_count),
	};
	uint32_t *visited = GPC_NEW_ARRAY(diags->arena, uint32_t, model->backend_count);

	number_ids(&p);
	for (uint32_t i = 0; i < model->backend_count; i++) {
		const struct gpc_model_endpoint *first = NULL;

		p.meetings++;
		meet(&p, i, &first);
	}
	for (size_t i = 0; i < model->listener_count; i++) {
		const struct gpc_model_listener *listener = &model->listeners[i];

		FOR_EACH_BACKEND(model, listener, index)
			check_ports(&p, listener, index);
		if (listener->affinity == GPC_AFFINITY_QUIC_CID)
			check_ids(&p, listener, visited);
	}
}
