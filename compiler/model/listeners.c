/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "build.h"
#include "id.h"

#define DEFAULT_AFFINITY_TIMEOUT 600u
#define DEFAULT_GUE_PORT 6080u

static int by_name(const void *a, const void *b)
{
	const struct gpc_listener_intent *const *x = a, *const *y = b;

	return strcmp((*x)->name.text, (*y)->name.text);
}

static int compare_prefixes(const struct gpc_prefix *a, const struct gpc_prefix *b)
{
	int order = gpc_ip_compare(&a->ip, &b->ip);

	return order ? order : (int)a->length - (int)b->length;
}

static int by_address(const void *a, const void *b)
{
	const struct gpc_prefix_value *x = a, *y = b;
	int order = compare_prefixes(&x->prefix, &y->prefix);

	/* Equal ones stay in the order written, so that the later one is called the repeated one.
	 */
	return order ? order : x->at.start < y->at.start ? -1 : x->at.start > y->at.start;
}

static void sort_addresses(struct gpc_arena *arena, const struct gpc_listener_intent *from,
			   struct gpc_model_listener *listener)
{
	size_t count = from->addresses.n, kept = 0;
	struct gpc_prefix_value *addresses = GPC_NEW_ARRAY(arena, struct gpc_prefix_value, count);

	listener->addresses = addresses;
	if (!count)
		return;
	memcpy(addresses, from->addresses.items, count * sizeof(*addresses));
	qsort(addresses, count, sizeof(*addresses), by_address);
	for (size_t i = 0; i < count; i++) {
		if (kept && !compare_prefixes(&addresses[kept - 1].prefix, &addresses[i].prefix))
			listener->repeated_at = addresses[i].at;
		else
			addresses[kept++] = addresses[i];
	}
	listener->address_count = kept;
}

static int by_backend(const void *a, const void *b)
{
	const struct gpc_model_share *x = a, *y = b;

	return x->backend < y->backend ? -1 : x->backend > y->backend;
}

static void add_share(struct gpc_diags *diags, const struct gpc_listener_intent *from,
		      const struct gpc_text_value *name, uint32_t weight, struct gpc_model *model,
		      struct gpc_model_listener *listener)
{
	uint32_t backend = gpc_model_backend_named(diags, model, name, "listener", from->name.text);

	if (backend != GPC_NONE)
		listener->shares[listener->share_count++] =
			(struct gpc_model_share){backend, weight, name->at};
}

static void resolve_backends(struct gpc_diags *diags, const struct gpc_listener_intent *from,
			     struct gpc_model *model, struct gpc_model_listener *listener)
{
	listener->shares = GPC_NEW_ARRAY(diags->arena, struct gpc_model_share, from->split.n + 1);
	if (from->backend.text)
		add_share(diags, from, &from->backend, 1, model, listener);
	for (size_t i = 0; i < from->split.n; i++)
		add_share(diags, from, &from->split.items[i].backend,
			  (uint32_t)from->split.items[i].weight.value, model, listener);
	if (listener->share_count)
		qsort(listener->shares, listener->share_count, sizeof(*listener->shares),
		      by_backend);
}

static enum gpc_hash hash_of(const struct gpc_listener_intent *from)
{
	if (from->affinity.value == GPC_AFFINITY_SOURCE_IP)
		return GPC_HASH_SOURCE_IP;
	return from->hash.set ? (enum gpc_hash)from->hash.value : GPC_HASH_5_TUPLE;
}

static void fill_choice(const struct gpc_listener_intent *from, struct gpc_model_listener *listener)
{
	listener->hash = hash_of(from);
	listener->affinity = (enum gpc_affinity)from->affinity.value;
	listener->affinity_timeout = from->affinity_timeout.set
					     ? (uint32_t)from->affinity_timeout.value
					     : DEFAULT_AFFINITY_TIMEOUT;
	listener->stable = from->stable.value;
	listener->snat = from->snat.value;
	listener->mss_clamp = from->mss_clamp.value;
	listener->syn_cookies = from->syn_cookies.value;
	listener->gue_port = from->gue_port.set ? (uint16_t)from->gue_port.value : DEFAULT_GUE_PORT;
	listener->outer_dscp = from->outer_dscp.set ? (uint8_t)from->outer_dscp.value
						    : GPC_DSCP_COPY;
	listener->ping = from->ping.set ? (enum gpc_ping)from->ping.value : GPC_PING_REPLY;
	listener->ping_at = from->ping.set ? from->ping.at : GPC_NOWHERE;
}

static uint64_t usable_interfaces(const struct gpc_model *model)
{
	uint64_t mask = 0;

	for (size_t i = 0; i < model->interface_count; i++)
		if (model->interfaces[i].hooks & GPC_HOOK_XDP &&
		    model->interfaces[i].role == GPC_ROLE_EDGE)
			mask |= 1ull << i;
	return mask;
}

static void resolve_interfaces(struct gpc_diags *diags, const struct gpc_listener_intent *from,
			       const struct gpc_model *model, struct gpc_model_listener *listener)
{
	size_t count = from->interfaces.n;
	struct gpc_model_use *uses = GPC_NEW_ARRAY(diags->arena, struct gpc_model_use, count);
	uint64_t named = count ? 0 : UINT64_MAX;
	size_t used = 0;

	for (size_t i = 0; i < count; i++) {
		const struct gpc_text_value *name = &from->interfaces.items[i];
		uint32_t index;

		if (!strcmp(name->text, "*")) {
			named = UINT64_MAX;
			continue;
		}
		index = gpc_model_interface_named(diags, model, name, "listener", from->name.text);
		if (index == GPC_NONE)
			continue;
		named |= 1ull << index;
		uses[used++] = (struct gpc_model_use){index, name->at};
	}
	listener->uses = uses;
	listener->use_count = used;
	listener->interfaces = named & usable_interfaces(model);
}

static struct gpc_model_listener build_listener(struct gpc_diags *diags,
						const struct gpc_listener_intent *from,
						struct gpc_model *model)
{
	struct gpc_model_listener listener = {
		.id = gpc_stable_id(GPC_KIND_LISTENER, NULL, from->name.text),
		.name = from->name.text,
		.repeated_at = GPC_NOWHERE,
		.protocol = (uint8_t)from->protocol.value,
		.port = from->port.first,
		.port_last = from->port.last,
		.forward = from->forward.set ? (enum gpc_forward)from->forward.value
					     : GPC_FORWARD_IPIP,
		.rate = gpc_model_rate(diags, from->rate, "listener", from->name.text),
		.at = from->at,
	};

	if (from->addresses.n > GPC_MAX_LISTENER_ADDRESSES)
		gpc_diag(diags, GPC_E0406, from->addresses.items[GPC_MAX_LISTENER_ADDRESSES].at,
			 "%zu addresses in listener `%s`, the most is %u", from->addresses.n,
			 from->name.text, GPC_MAX_LISTENER_ADDRESSES);
	sort_addresses(diags->arena, from, &listener);
	resolve_backends(diags, from, model, &listener);
	fill_choice(from, &listener);
	resolve_interfaces(diags, from, model, &listener);
	return listener;
}

void gpc_model_listeners(struct gpc_diags *diags, const struct gpc_intent *intent,
			 struct gpc_model *model)
{
	size_t count = intent->listeners.n;
	const struct gpc_listener_intent **sorted =
		GPC_NEW_ARRAY(diags->arena, const struct gpc_listener_intent *, count);

	if (count > GPC_MAX_LISTENERS)
		gpc_diag(diags, GPC_E0401, intent->listeners.items[GPC_MAX_LISTENERS].at,
			 "%zu listeners, the most is %u", count, GPC_MAX_LISTENERS);
	for (size_t i = 0; i < count; i++)
		sorted[i] = &intent->listeners.items[i];
	if (count)
		qsort(sorted, count, sizeof(*sorted), by_name);
	model->listeners = GPC_NEW_ARRAY(diags->arena, struct gpc_model_listener, count);
	model->listener_count = count;
	for (size_t i = 0; i < count; i++)
		model->listeners[i] = build_listener(diags, sorted[i], model);
}
