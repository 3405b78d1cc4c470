/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "check.h"

enum use { FOR_HOST, FOR_GATEWAY };

/* Why the address cannot be sent to, NULL if it can. A gateway may be link-local: it is asked for
 * by name. */
static const char *unusable(const struct gpc_ip *ip, enum use use)
{
	static const uint8_t loopback6[16] = {[15] = 1}, unspecified6[16];
	const uint8_t *b = ip->bytes;

	if (gpc_ip_is_v4(ip)) {
		if (!b[12])
			return "unspecified";
		if (b[12] == 127)
			return "loopback";
		if (b[12] >= 224 && b[12] < 240)
			return "multicast";
		return !memcmp(b + 12, "\xff\xff\xff\xff", 4) ? "broadcast" : NULL;
	}
	if (!memcmp(b, unspecified6, sizeof(unspecified6)))
		return "unspecified";
	if (!memcmp(b, loopback6, sizeof(loopback6)))
		return "loopback";
	if (b[0] == 0xff)
		return "multicast";
	return use == FOR_HOST && b[0] == 0xfe && (b[1] & 0xc0) == 0x80 ? "link-local" : NULL;
}

static void check_usable(struct gpc_diags *diags, const struct gpc_ip *ip, enum use use,
			 struct gpc_place at, const char *kind, const char *name)
{
	const char *why = unusable(ip, use);
	char text[GPC_IP_TEXT];

	if (why)
		gpc_diag(diags, GPC_E0311, at, "%s address %s of %s `%s` cannot be used", why,
			 gpc_ip_format(ip, text), kind, name);
}

static void check_endpoint(struct gpc_diags *diags, const struct gpc_model_endpoint *endpoint)
{
	size_t count = endpoint->address_count;

	for (size_t i = 0; i < count; i++)
		check_usable(diags, &endpoint->addresses[i].prefix.ip, FOR_HOST,
			     endpoint->addresses[i].at, "endpoint", endpoint->name);
	if (count > (size_t)endpoint->has4 + endpoint->has6)
		gpc_diag(diags, GPC_E0310, endpoint->addresses[count - 1].at,
			 "%zu addresses of endpoint `%s`, an endpoint has one, or one of each "
			 "family",
			 count, endpoint->name);
}

static void check_listener(struct gpc_diags *diags, const struct gpc_model_listener *listener)
{
	for (size_t i = 0; i < listener->address_count; i++) {
		const struct gpc_prefix_value *address = &listener->addresses[i];

		check_usable(diags, &address->prefix.ip, FOR_HOST, address->at, "listener",
			     listener->name);
	}
	if (listener->repeated_at.source != GPC_NO_SOURCE)
		gpc_diag(diags, GPC_W0320, listener->repeated_at,
			 "address is written twice in listener `%s`", listener->name);
}

struct owned_address {
	const struct gpc_prefix_value *address;
	const struct gpc_model_listener *listener;
};

static int by_address(const void *a, const void *b)
{
	const struct owned_address *x = a, *y = b;

	return gpc_ip_compare(&x->address->prefix.ip, &y->address->prefix.ip);
}

static int by_address_then_name(const void *a, const void *b)
{
	const struct owned_address *x = a, *y = b;
	int order = by_address(a, b);

	return order ? order : strcmp(x->listener->name, y->listener->name);
}

static struct owned_address *
sort_listener_addresses(struct gpc_arena *arena, const struct gpc_model *model, size_t *ret_count)
{
	size_t count = 0, next = 0;
	struct owned_address *all;

	for (size_t i = 0; i < model->listener_count; i++)
		count += model->listeners[i].address_count;
	all = GPC_NEW_ARRAY(arena, struct owned_address, count);
	for (size_t i = 0; i < model->listener_count; i++)
		for (size_t k = 0; k < model->listeners[i].address_count; k++)
			all[next++] = (struct owned_address){&model->listeners[i].addresses[k],
							     &model->listeners[i]};
	if (count)
		qsort(all, count, sizeof(*all), by_address_then_name);
	*ret_count = count;
	return all;
}

/* Such an endpoint would send what it gets back to the balancer. */
static void check_loops(struct gpc_diags *diags, const struct gpc_model *model)
{
	size_t count;
	struct owned_address *all = sort_listener_addresses(diags->arena, model, &count);

	for (size_t i = 0; i < model->endpoint_count && count; i++) {
		const struct gpc_model_endpoint *endpoint = &model->endpoints[i];

		for (size_t k = 0; k < endpoint->address_count; k++) {
			struct owned_address key = {.address = &endpoint->addresses[k]};
			const struct owned_address *found =
				bsearch(&key, all, count, sizeof(*all), by_address);
			char text[GPC_IP_TEXT];
			struct gpc_diag *diag;

			if (!found)
				continue;
			while (found > all && !by_address(found - 1, found))
				found--;
			diag = gpc_diag(diags, GPC_E0304, key.address->at,
					"address %s of endpoint `%s` is that of listener `%s`",
					gpc_ip_format(&key.address->prefix.ip, text),
					endpoint->name, found->listener->name);
			gpc_diag_place(diag, found->address->at, "the listener's");
		}
	}
}

void gpc_check_addresses(struct gpc_diags *diags, const struct gpc_model *model)
{
	for (size_t i = 0; i < model->endpoint_count; i++)
		check_endpoint(diags, &model->endpoints[i]);
	for (size_t i = 0; i < model->listener_count; i++)
		check_listener(diags, &model->listeners[i]);
	for (size_t i = 0; i < model->backend_count; i++)
		if (model->backends[i].next_hop == GPC_NEXT_HOP_ADDRESS)
			check_usable(diags, &model->backends[i].next_hop_address.ip, FOR_GATEWAY,
				     model->backends[i].next_hop_at, "next-hop of backend",
				     model->backends[i].name);
	check_loops(diags, model);
}
