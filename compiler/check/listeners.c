/* SPDX-License-Identifier: MIT */
#include "../base/words.h"
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

/* `mss-clamp` sees both SYNs (SEMANTICS 2.2): the local stack's own leaves by `tc-egress`. */
static void check_clamp(struct gpc_diags *diags, const struct gpc_model *model,
			const struct gpc_model_listener *listener)
{
	if (listener->forward != GPC_FORWARD_PASS || !listener->mss_clamp)
		return;
	for (size_t i = 0; i < model->interface_count; i++) {
		const struct gpc_model_interface *interface = &model->interfaces[i];

		if (!(listener->interfaces >> i & 1) || interface->hooks & GPC_HOOK_TC_EGRESS)
			continue;
		gpc_diag_place(gpc_diag(diags, GPC_E0333, listener->at,
					"no hook `tc-egress` on interface `%s` for `mss-clamp` of "
					"listener `%s`",
					interface->name, listener->name),
			       interface->at, "the interface");
	}
}

/* ---- families: some modes need an address of the listener's own (SEMANTICS 6.2) ---- */

static bool has_family(const struct gpc_model_listener *listener, enum gpc_family family)
{
	for (size_t i = 0; i < listener->address_count; i++)
		if (listener->addresses[i].prefix.v4 == (family == GPC_V4))
			return true;
	return false;
}

static bool needs_family(enum gpc_forward forward, enum gpc_family family)
{
	if (forward == GPC_FORWARD_NAT)
		return true;
	return family == GPC_V6 && (forward == GPC_FORWARD_IPIP || forward == GPC_FORWARD_GUE);
}

/* Endpoints of a backend without an address, by family. */
struct lacks {
	struct lack {
		uint32_t count;
		const struct gpc_model_endpoint *first;
	} of[2];
	size_t told;	/* for which listener and family it was last told */
};

static struct lacks *count_lacks(struct gpc_arena *arena, const struct gpc_model *model)
{
	struct lacks *lacks = GPC_NEW_ARRAY(arena, struct lacks, model->backend_count);

	for (size_t i = 0; i < model->endpoint_count; i++) {
		const struct gpc_model_endpoint *endpoint = &model->endpoints[i];

		for (int family = GPC_V4; family <= GPC_V6; family++) {
			struct lack *lack = &lacks[endpoint->backend].of[family];

			if (family == GPC_V4 ? endpoint->has4 : endpoint->has6)
				continue;
			if (!lack->count++ || endpoint->at.start < lack->first->at.start)
				lack->first = endpoint;
		}
	}
	return lacks;
}

static void check_reach(struct gpc_diags *diags, const struct gpc_model_backend *backend,
			const struct lack *lack, const struct gpc_model_listener *listener,
			enum gpc_family family, struct gpc_place at)
{
	const char *name = family == GPC_V4 ? "IPv4" : "IPv6";
	struct gpc_diag *diag;

	if (!lack->count)
		return;
	if (lack->count == backend->endpoint_count)
		diag = gpc_diag(diags, GPC_E0305, at,
				"no endpoint of backend `%s` has an %s address, which `%s` of "
				"listener `%s` needs",
				backend->name, name, gpc_forward_name(listener->forward),
				listener->name);
	else
		diag = gpc_diag(diags, GPC_W0306, at,
				"%u of %u endpoints of backend `%s` get no %s flows of listener `%s`",
				lack->count, backend->endpoint_count, backend->name, name,
				listener->name);
	gpc_diag_place(diag, lack->first->at,
		       family == GPC_V4 ? "has no IPv4 address" : "has no IPv6 address");
}

static void check_families(struct gpc_diags *diags, const struct gpc_model *model,
			   size_t index, struct lacks *lacks)
{
	const struct gpc_model_listener *listener = &model->listeners[index];

	for (int family = GPC_V4; family <= GPC_V6; family++) {
		if (!has_family(listener, family) || !needs_family(listener->forward, family))
			continue;
		for (size_t i = 0; i < listener->share_count; i++) {
			const struct gpc_model_share *share = &listener->shares[i];
			uint32_t backend = share->backend;

			for (; backend != GPC_NONE; backend = model->backends[backend].failover) {
				if (lacks[backend].told == 2 * index + (size_t)family + 1)
					continue;
				lacks[backend].told = 2 * index + (size_t)family + 1;
				check_reach(diags, &model->backends[backend],
					    &lacks[backend].of[family], listener, family, share->at);
			}
		}
	}
}

static void check_rate(struct gpc_diags *diags, const struct gpc_model_listener *listener)
{
	if (listener->rate.bytes)
		gpc_diag(diags, GPC_E0390, listener->rate.at,
			 "limit in bytes for listener `%s`, whose rate is about packets that open "
			 "flows",
			 listener->name);
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

/* ---- who says what about an address: ways of one prefix ---- */

/* One entry of the image speaks for a prefix, wherever its listeners are. */
static void check_agreement(struct gpc_diags *diags, const struct gpc_model *model,
			    const struct gpc_way *ways, size_t count)
{
	const struct gpc_model_listener *first = &model->listeners[ways->listener], *gue = NULL;

	for (size_t i = 0; i < count; i++) {
		const struct gpc_model_listener *listener = &model->listeners[ways[i].listener];
		struct gpc_diag *diag = NULL;

		if (listener->ping != first->ping) {
			diag = gpc_diag(diags, GPC_E0395, ways[i].address->at,
					"`ping` of listener `%s` is %s, and %s of listener `%s` with "
					"the same address",
					listener->name, gpc_ping_name(listener->ping),
					gpc_ping_name(first->ping), first->name);
			gpc_diag_place(diag, first->at, "the other one");
			return;
		}
		if (listener->forward != GPC_FORWARD_GUE)
			continue;
		if (!gue)
			gue = listener;
		if (listener->gue_port != gue->gue_port) {
			diag = gpc_diag(diags, GPC_E0396, ways[i].address->at,
					"`gue-port` of listener `%s` is %u, and %u of listener `%s` "
					"with the same address",
					listener->name, listener->gue_port, gue->gue_port, gue->name);
			gpc_diag_place(diag, gue->at, "the other one");
			return;
		}
	}
}

static void check_agreements(struct gpc_diags *diags, const struct gpc_model *model)
{
	struct gpc_ways ways = gpc_ways_list(diags->arena, model);

	for (size_t start = 0, end; start < ways.count; start = end) {
		for (end = start + 1; end < ways.count &&
				      gpc_way_same_prefix(&ways.items[start], &ways.items[end]);)
			end++;
		check_agreement(diags, model, &ways.items[start], end - start);
	}
}

void gpc_check_listeners(struct gpc_diags *diags, const struct gpc_model *model)
{
	struct lacks *lacks = count_lacks(diags->arena, model);

	for (size_t i = 0; i < model->listener_count; i++) {
		check_interfaces(diags, model, &model->listeners[i]);
		check_clamp(diags, model, &model->listeners[i]);
		check_families(diags, model, i, lacks);
		check_rate(diags, &model->listeners[i]);
	}
	check_conflicts(diags, model);
	check_agreements(diags, model);
}
