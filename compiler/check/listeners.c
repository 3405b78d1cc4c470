/* SPDX-License-Identifier: MIT */
#include "../model/ways.h"
#include "check.h"

static void check_interfaces(struct gpc_diags *diags, const struct gpc_model *model,
			     const struct gpc_model_listener *listener)
{
	if (!listener->interfaces) {
		gpc_diag(diags, GPC_E0313,
			 listener->use_count ? listener->uses[0].at : listener->at,
			 "no interface with hook `xdp` and role `edge` for listener `%s`",
			 listener->name);
		return;
	}
	for (size_t i = 0; i < listener->use_count; i++) {
		const struct gpc_model_interface *interface =
			&model->interfaces[listener->uses[i].interface];
		struct gpc_diag *diag;

		if (listener->interfaces >> listener->uses[i].interface & 1)
			continue;
		diag = gpc_diag(diags, GPC_W0314, listener->uses[i].at,
				"listener `%s` does not exist on interface `%s`", listener->name,
				interface->name);
		gpc_diag_place(diag, interface->at,
			       interface->role == GPC_ROLE_DECAP ? "role `decap`"
								 : "no hook `xdp`");
	}
}

/* ---- families: only `ipip` from a v6 address is choosy (SEMANTICS 6.2) ---- */

struct lack {
	uint32_t count; /* endpoints without a v6 address */
	const struct gpc_model_endpoint *first;
};

static struct lack *count_lacks(struct gpc_arena *arena, const struct gpc_model *model)
{
	struct lack *lacks = GPC_NEW_ARRAY(arena, struct lack, model->backend_count);

	for (size_t i = 0; i < model->endpoint_count; i++) {
		const struct gpc_model_endpoint *endpoint = &model->endpoints[i];
		struct lack *lack = &lacks[endpoint->backend];

		if (endpoint->has6)
			continue;
		if (!lack->count++ || endpoint->at.start < lack->first->at.start)
			lack->first = endpoint;
	}
	return lacks;
}

static bool has_v6(const struct gpc_model_listener *listener)
{
	for (size_t i = 0; i < listener->address_count; i++)
		if (!listener->addresses[i].prefix.v4)
			return true;
	return false;
}

static void check_families(struct gpc_diags *diags, const struct gpc_model *model,
			   const struct gpc_model_listener *listener, const struct lack *lacks)
{
	const struct gpc_model_backend *backend = &model->backends[listener->backend];
	const struct lack *lack = &lacks[listener->backend];
	struct gpc_diag *diag;

	if (listener->forward != GPC_FORWARD_IPIP || !has_v6(listener) || !lack->count)
		return;
	if (lack->count == backend->endpoint_count)
		diag = gpc_diag(diags, GPC_E0305, listener->backend_at,
				"no endpoint of backend `%s` has an IPv6 address, which `ipip` of "
				"listener `%s` needs",
				backend->name, listener->name);
	else
		diag = gpc_diag(
			diags, GPC_W0306, listener->backend_at,
			"%u of %u endpoints of backend `%s` get no IPv6 flows of listener `%s`",
			lack->count, backend->endpoint_count, backend->name, listener->name);
	gpc_diag_place(diag, lack->first->at, "has no IPv6 address");
}

/* ---- who claims what: ways of one prefix and protocol ---- */

static void report_pair(struct gpc_diags *diags, const struct gpc_model *model,
			const struct gpc_way *outer, const struct gpc_way *inner, bool equal)
{
	const struct gpc_way *later = outer->listener > inner->listener ? outer : inner;
	const struct gpc_way *earlier = later == outer ? inner : outer;
	char one[GPC_WAY_TEXT], other[GPC_WAY_TEXT];
	struct gpc_diag *diag;

	if (equal)
		diag = gpc_diag(diags, GPC_E0303, later->address->at,
				"%s of listener `%s` is that of listener `%s`",
				gpc_way_format(later, one), model->listeners[later->listener].name,
				model->listeners[earlier->listener].name);
	else
		diag = gpc_diag(diags, GPC_E0250, later->address->at,
				"ports of listener `%s`, %s, cross those of listener `%s`, %s",
				model->listeners[later->listener].name, gpc_way_format(later, one),
				model->listeners[earlier->listener].name,
				gpc_way_format(earlier, other));
	gpc_diag_place(diag, earlier->address->at, "the other one");
}

/* Does the way conflict with one before it, which begins at the same port or below? */
static bool conflicts(struct gpc_diags *diags, const struct gpc_model *model,
		      const struct gpc_way *before, const struct gpc_way *way)
{
	bool equal = before->first == way->first && before->last == way->last;

	if (!(before->interfaces & way->interfaces) || before->last < way->first)
		return false;
	if (!equal && before->last >= way->last)
		return false;
	report_pair(diags, model, before, way, equal);
	return true;
}

/* Ways whose ports are equal or cross, on a shared interface. One message for each way is enough. */
static void check_group(struct gpc_diags *diags, const struct gpc_model *model,
			const struct gpc_way *ways, size_t count)
{
	const struct gpc_way **open = GPC_NEW_ARRAY(diags->arena, const struct gpc_way *, count);
	size_t open_count = 0;

	for (size_t i = 0; i < count; i++) {
		size_t kept = 0;
		bool said = false;

		for (size_t k = 0; k < open_count; k++)
			if (open[k]->last >= ways[i].first)
				open[kept++] = open[k];
		for (size_t k = 0; k < kept && !said; k++)
			said = conflicts(diags, model, open[k], &ways[i]);
		open[kept++] = &ways[i];
		open_count = kept;
	}
}

static void check_conflicts(struct gpc_diags *diags, const struct gpc_model *model)
{
	struct gpc_ways ways = gpc_ways_list(diags->arena, model);

	for (size_t start = 0, end; start < ways.count; start = end) {
		end = gpc_ways_group_end(&ways, start);
		check_group(diags, model, &ways.items[start], end - start);
	}
}

void gpc_check_listeners(struct gpc_diags *diags, const struct gpc_model *model)
{
	const struct lack *lacks = count_lacks(diags->arena, model);

	for (size_t i = 0; i < model->listener_count; i++) {
		check_interfaces(diags, model, &model->listeners[i]);
		check_families(diags, model, &model->listeners[i], lacks);
	}
	check_conflicts(diags, model);
}
