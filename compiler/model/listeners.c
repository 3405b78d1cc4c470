/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "build.h"
#include "id.h"

static int by_name(const void *a, const void *b)
{
	const struct gpc_listener_intent *const *x = a, *const *y = b;

	return strcmp((*x)->name.text, (*y)->name.text);
}

static int by_address(const void *a, const void *b)
{
	const struct gpc_prefix_value *x = a, *y = b;
	int order = gpc_ip_compare(&x->prefix.ip, &y->prefix.ip);

	if (!order)
		order = x->prefix.length - y->prefix.length;
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
		if (kept && addresses[kept - 1].prefix.length == addresses[i].prefix.length &&
		    !gpc_ip_compare(&addresses[kept - 1].prefix.ip, &addresses[i].prefix.ip))
			listener->repeated_at = addresses[i].at;
		else
			addresses[kept++] = addresses[i];
	}
	listener->address_count = kept;
}

static void resolve_backend(struct gpc_diags *diags, const struct gpc_listener_intent *from,
			    struct gpc_model *model, struct gpc_model_listener *listener)
{
	size_t low = 0, high = model->backend_count;
	const char **names;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(model->backends[middle].name, from->backend.text);

		if (!order) {
			listener->backend = (uint32_t)middle;
			model->backends[middle].used = true;
			return;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	names = GPC_NEW_ARRAY(diags->arena, const char *, model->backend_count);
	for (size_t i = 0; i < model->backend_count; i++)
		names[i] = model->backends[i].name;
	gpc_model_unknown(diags, GPC_E0301, &from->backend, "backend", "listener", from->name.text,
			  names, model->backend_count);
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
		.port = (uint16_t)from->port.value,
		.port_last = (uint16_t)from->port.value,
		.forward = from->forward.set ? (enum gpc_forward)from->forward.value
					     : GPC_FORWARD_IPIP,
		.at = from->at,
		.backend_at = from->backend.at,
	};

	if (from->addresses.n > GPC_MAX_LISTENER_ADDRESSES)
		gpc_diag(diags, GPC_E0406, from->addresses.items[GPC_MAX_LISTENER_ADDRESSES].at,
			 "%zu addresses in listener `%s`, the most is %u", from->addresses.n,
			 from->name.text, GPC_MAX_LISTENER_ADDRESSES);
	sort_addresses(diags->arena, from, &listener);
	resolve_backend(diags, from, model, &listener);
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
